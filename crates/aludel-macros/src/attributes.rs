//! What stands in the parentheses of an attribute: `key`, `key = value` and `key(..)`, separated by commas.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, ExprPath, Ident, Lit, LitInt, LitStr, Meta, Path, Token, parenthesized};

use crate::errors::Errors;
use crate::names::{list, nearest};

/// One entry of an attribute.
pub(crate) struct Item {
    pub(crate) key: Ident,
    pub(crate) given: Given,
}

/// What an entry gives its key.
pub(crate) enum Given {
    /// `key`
    Flag,
    /// `key = value`
    Value(Box<Expr>),
    /// `key(..)`
    List(TokenStream),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = Ident::parse_any(input)?;
        let given = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Given::Value(Box::new(input.parse()?))
        } else if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            Given::List(content.parse()?)
        } else {
            Given::Flag
        };
        Ok(Self { key, given })
    }
}

impl Item {
    /// The entries of all attributes of a name; `#[name]` alone has none.
    pub(crate) fn of(attributes: &[Attribute], name: &str, errors: &mut Errors) -> Vec<Self> {
        let mut items = Vec::new();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
            match &attribute.meta {
                Meta::Path(_) => {}
                Meta::List(meta) => items.extend(Self::parse_list(meta.tokens.clone(), errors)),
                Meta::NameValue(meta) => errors.at(meta, format!("write `#[{name}(..)]`")),
            }
        }
        items
    }

    fn parse_list(tokens: TokenStream, errors: &mut Errors) -> Vec<Self> {
        let parser = Punctuated::<Self, Token![,]>::parse_terminated;
        errors.ok(parser.parse2(tokens)).into_iter().flatten().collect()
    }

    pub(crate) fn name(&self) -> String {
        self.key.unraw().to_string()
    }

    pub(crate) fn span(&self) -> Span {
        self.key.span()
    }

    /// Whether the entry stands alone, as it should.
    pub(crate) fn flag(&self, errors: &mut Errors) -> bool {
        if !matches!(self.given, Given::Flag) {
            errors.span(self.span(), format!("`{0}` takes no value: write `{0}`", self.name()));
        }
        true
    }

    /// The entries of `key(..)`.
    pub(crate) fn list(&self, form: &str, errors: &mut Errors) -> Vec<Self> {
        match &self.given {
            Given::List(tokens) => Self::parse_list(tokens.clone(), errors),
            _ => {
                errors.span(self.span(), format!("write `{}({form})`", self.name()));
                Vec::new()
            }
        }
    }

    /// The value of `key = value`.
    pub(crate) fn expr(&self, form: &str, errors: &mut Errors) -> Option<&Expr> {
        match &self.given {
            Given::Value(value) => Some(value),
            _ => {
                errors.span(self.span(), format!("write `{} = {form}`", self.name()));
                None
            }
        }
    }

    pub(crate) fn string(&self, errors: &mut Errors) -> Option<LitStr> {
        match self.expr("\"..\"", errors)? {
            Expr::Lit(ExprLit { lit: Lit::Str(value), .. }) => Some(value.clone()),
            other => self.wrong(other, "\"..\"", errors),
        }
    }

    pub(crate) fn integer(&self, errors: &mut Errors) -> Option<LitInt> {
        match self.expr("80", errors)? {
            Expr::Lit(ExprLit { lit: Lit::Int(value), .. }) => Some(value.clone()),
            other => self.wrong(other, "80", errors),
        }
    }

    pub(crate) fn boolean(&self, errors: &mut Errors) -> Option<bool> {
        match self.expr("false", errors)? {
            Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => Some(value.value),
            other => self.wrong(other, "false", errors),
        }
    }

    pub(crate) fn path(&self, form: &str, errors: &mut Errors) -> Option<Path> {
        match self.expr(form, errors)? {
            Expr::Path(ExprPath { qself: None, path, .. }) => Some(path.clone()),
            other => self.wrong(other, form, errors),
        }
    }

    pub(crate) fn ident(&self, form: &str, errors: &mut Errors) -> Option<Ident> {
        let path = self.path(form, errors)?;
        match path.get_ident() {
            Some(ident) => Some(ident.clone()),
            None => self.wrong(&path, form, errors),
        }
    }

    fn wrong<T>(&self, found: impl quote::ToTokens, form: &str, errors: &mut Errors) -> Option<T> {
        errors.at(found, format!("write `{} = {form}`", self.name()));
        None
    }

    /// The error for a key that nobody knows: the known ones, and the one that may be meant.
    pub(crate) fn unknown(&self, attribute: &str, known: &[&str], errors: &mut Errors) {
        let name = self.name();
        let meant =
            nearest(&name, known.iter().copied()).map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
        errors.span(
            self.span(),
            format!("`#[{attribute}(..)]` has no `{name}`{meant}\nit knows {}", list(known.iter().copied())),
        );
    }

    /// The error for what a later version brings.
    pub(crate) fn later(&self, what: &str, errors: &mut Errors) {
        errors.span(self.span(), format!("`{}`: this version of aludel does not have {what} yet", self.name()));
    }
}

/// Reports keys that are given twice.
pub(crate) fn refuse_duplicates(items: &[Item], repeatable: &[&str], errors: &mut Errors) {
    for (i, item) in items.iter().enumerate() {
        let name = item.name();
        if !repeatable.contains(&name.as_str()) && items[..i].iter().any(|earlier| earlier.name() == name) {
            errors.span(item.span(), format!("`{name}` is given twice"));
        }
    }
}
