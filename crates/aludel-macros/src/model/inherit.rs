//! `#[model(inherits = Employee, identity = "engineer")]` and `#[column(discriminator)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path};

use super::spec::{Column, Constraint, Model};
use crate::attributes::Item;
use crate::errors::Errors;
use crate::output::{option, private, private_at};
use crate::types::parse_without_self;

/// What a model has to do with others that share its rows.
#[derive(Default)]
pub(crate) struct Inheritance {
    /// `inherits = Employee`
    pub(crate) parent: Option<Path>,
    /// `identity = "engineer"`
    pub(crate) identity: Option<(Expr, Span)>,
    /// The column with `discriminator`, as a position in `Model::columns`.
    pub(crate) discriminator: Option<usize>,
    /// Whether the model has a table of its own beside its parent's: then its key is a foreign key to that.
    pub(crate) joined: bool,
    /// Where `table`, `schema` and `bind` stand.
    pub(crate) placed: Vec<(String, Span)>,
}

/// `inherits = ..` and `identity = ..`
pub(super) fn item(model: &mut Model, item: &Item, errors: &mut Errors) {
    let span = item.span();
    if item.name() == "inherits" {
        model.inheritance.parent = item.path("Parent", errors);
    } else if let Some(value) = item.expr("\"..\"", errors) {
        model.inheritance.identity = Some((parse_without_self(value, &model.ident), span));
    }
}

/// What follows from the columns, and what contradicts itself.
pub(super) fn resolve(model: &mut Model, errors: &mut Errors) {
    discriminator(model, errors);
    let Some(parent) = model.inheritance.parent.clone() else {
        if let (Some((_, span)), None) = (&model.inheritance.identity, model.inheritance.discriminator) {
            errors.span(
                *span,
                "`identity` is the value by which the model's rows are told apart: mark the column that has it \
                 `#[column(discriminator)]`, or name the model's parent, `inherits = ..`",
            );
        }
        return;
    };
    let name = last(&parent);
    if name == model.ident {
        errors.at(&parent, format!("`{name}` cannot inherit from itself"));
    }
    if model.inheritance.identity.is_none() {
        let text = format!(
            "nothing tells the rows of `{}` from others of `{name}`: add `identity = \"..\"`, the value of the \
             discriminator of `{name}` in them",
            model.ident
        );
        errors.at(&parent, text);
    }
    model.inheritance.joined = is_joined(model, &parent);
    for (word, span) in &model.inheritance.placed {
        if word == "bind" {
            errors.span(*span, format!("`{}` is in the database of its parent `{name}`", model.ident));
        } else if !model.inheritance.joined {
            let key = model.primary_key.first().map(|&key| model.columns[key].field.ident.to_string());
            let key = key.unwrap_or_else(|| "id".to_owned());
            let text = format!(
                "the rows of `{}` are in the table of its parent `{name}`; for a table of its own make its key lead \
                 there: `#[column(primary_key, references = {name}::{key})]`",
                model.ident
            );
            errors.span(*span, text);
        }
    }
}

fn discriminator(model: &mut Model, errors: &mut Errors) {
    for position in 0..model.columns.len() {
        let column = &mut model.columns[position];
        let Some(span) = column.discriminator else { continue };
        if column.primary_key.is_some() || column.version.is_some() || column.computed.is_some() {
            errors.span(
                span,
                "a discriminator says of which model a row is: it can be no key, no version and not computed",
            );
        }
        if column.nullable {
            errors.span(span, "a discriminator says of which model a row is: its type cannot be an `Option`");
        }
        if model.inheritance.discriminator.is_some() {
            errors.span(span, "a model has one discriminator");
        }
        model.inheritance.discriminator = Some(position);
        if let Some((identity, _)) = &model.inheritance.identity {
            if column.default.is_some() || column.server_default.is_some() {
                errors.span(span, "the discriminator of a new row is the model's `identity`: remove the default");
            }
            column.default = Some(identity.clone());
        }
    }
}

/// Whether the key leads to the parent's table.
fn is_joined(model: &Model, parent: &Path) -> bool {
    if let [key] = model.primary_key[..]
        && let Some(reference) = &model.columns[key].references
    {
        return last(&reference.model) == last(parent);
    }
    let mut key = model.primary_key.clone();
    key.sort_unstable();
    model.constraints.iter().any(|constraint| match constraint {
        Constraint::ForeignKey(foreign) => {
            let mut columns = foreign.columns.clone();
            columns.sort_unstable();
            columns == key && last(&foreign.model) == last(parent)
        }
        _ => false,
    })
}

fn last(path: &Path) -> Ident {
    match path.segments.last() {
        Some(segment) => segment.ident.clone(),
        None => Ident::new("parent", Span::call_site()),
    }
}

impl Model {
    /// Whether a column is the key by which the model's table is joined to its parent's.
    pub(crate) fn joins_parent(&self, column: usize) -> bool {
        self.inheritance.joined && self.primary_key.contains(&column)
    }

    /// The parent's side of what follows from the two models.
    fn above(&self) -> Option<TokenStream> {
        let parent = self.inheritance.parent.as_ref()?;
        let at = private_at(parent.span());
        Some(quote_spanned!(parent.span()=> <#parent as #at::Hierarchy>))
    }

    /// The names of the table, with its schema and without, and of the database, as expressions.
    pub(crate) fn place(&self) -> [TokenStream; 3] {
        let above = self.above();
        let table = match &self.schema {
            None => self.table.clone(),
            Some(schema) => format!("{schema}.{}", self.table),
        };
        let schema = option(self.schema.as_ref().map(|schema| quote!(#schema)));
        let bind = option(self.bind.as_ref().map(|bind| quote!(#bind)));
        match above {
            None => [quote!(#table), schema, bind],
            Some(above) if self.inheritance.joined => [quote!(#table), schema, quote!(#above::BIND)],
            Some(above) => [quote!(#above::TABLE), quote!(#above::SCHEMA), quote!(#above::BIND)],
        }
    }

    /// The fields of `ModelOptions`.
    pub(crate) fn inheritance_options(&self) -> Vec<TokenStream> {
        let mut given = Vec::new();
        if self.inheritance.parent.is_some() {
            given.push(quote!(inherits: ::core::option::Option::Some(&INHERITS)));
        }
        if let Some(position) = self.inheritance.discriminator {
            given.push(quote!(discriminator: ::core::option::Option::Some(#position)));
        }
        if let Some((identity, _)) = &self.inheritance.identity
            && let Some(ty) = self.discriminator_type()
        {
            let at = private_at(identity.span());
            let value = quote_spanned! {identity.span()=>
                || #at::owned::<#ty>(#at::IntoValue::<#ty>::into_value(#identity))
            };
            given.push(quote!(identity: ::core::option::Option::Some(#value)));
        }
        given
    }

    fn discriminator_type(&self) -> Option<TokenStream> {
        match self.above() {
            Some(above) => Some(quote!(#above::Discriminator)),
            None => {
                let ty = &self.columns[self.inheritance.discriminator?].field.ty;
                Some(quote!(#ty))
            }
        }
    }
}

/// The static with what the model inherits, and its place in the hierarchy.
pub(super) fn expand(model: &Model) -> TokenStream {
    let private = private();
    let ident = &model.ident;
    let Some(discriminator) = model.discriminator_type() else { return TokenStream::new() };
    let [table, schema, bind] = model.place();
    let inherits = model.inheritance.parent.as_ref().map(|parent| {
        let joined = model.inheritance.joined;
        quote! {
            static INHERITS: #private::InheritsDef = #private::InheritsDef {
                child: <#ident as #private::Model>::def,
                parent: <#parent as #private::Model>::def,
                joined: #joined,
                cache: #private::InheritsCache::new(),
            };
        }
    });
    let root = match model.above() {
        Some(above) => quote!(#above::Root),
        None => quote!(#ident),
    };
    let constant = match model.inheritance.discriminator {
        Some(position) if model.inheritance.parent.is_none() => quote!(#position),
        _ => match model.above() {
            Some(above) => quote!(#above::DISCRIMINATOR),
            None => return TokenStream::new(),
        },
    };
    let checks = model.inheritance.parent.as_ref().map(|parent| alike(model, parent));
    let name = |position: Option<usize>| {
        option(position.map(|position| &model.columns[position].name).map(|name| quote!(#name)))
    };
    let (soft_delete, tenant) = (name(model.soft_delete), name(model.tenant));
    quote! {
        #inherits
        #checks

        #[automatically_derived]
        impl #private::Hierarchy for #ident {
            type Root = #root;
            type Discriminator = #discriminator;
            const TABLE: &'static str = #table;
            const SCHEMA: ::core::option::Option<&'static str> = #schema;
            const BIND: ::core::option::Option<&'static str> = #bind;
            const DISCRIMINATOR: usize = #constant;
            const SOFT_DELETE: ::core::option::Option<&'static str> = #soft_delete;
            const TENANT: ::core::option::Option<&'static str> = #tenant;
        }
    }
}

/// Checks that the columns which say what rows are seen are those of the parent.
fn alike(model: &Model, parent: &Path) -> TokenStream {
    let soft_delete = (model.soft_delete, "soft_delete", quote!(SOFT_DELETE));
    let tenant = (model.tenant, "tenant", quote!(TENANT));
    let checks = [soft_delete, tenant].map(|(position, word, constant)| {
        let (child, above) = (&model.ident, last(parent));
        let column = position.map(|position| &model.columns[position]);
        let mark = column.and_then(|column| column.soft_delete.filter(|_| word == "soft_delete").or(column.tenant));
        let text = match column {
            Some(column) => format!(
                "`{child}::{}` is marked `{word}`, and the column is not so marked in `{above}`: it says which rows are seen \
                 of the whole hierarchy, so mark it in each model, from the one that the others inherit from on",
                column.field.ident
            ),
            None => format!(
                "`{above}` has a column marked `{word}`, which says which rows of `{child}` are seen too: mark the same \
                 column in `{child}`"
            ),
        };
        let span = mark.unwrap_or_else(|| parent.span());
        let at = private_at(span);
        let own = option(column.map(|column| &column.name).map(|name| quote!(#name)));
        quote_spanned! {span=>
            const _: () = #at::confined_alike(#own, <#parent as #at::Hierarchy>::#constant, #text);
        }
    });
    checks.into_iter().collect()
}

/// `#[column(discriminator)]`
pub(super) fn mark(column: &mut Column, item: &Item, errors: &mut Errors) {
    column.discriminator = item.flag(errors).then(|| item.span());
}
