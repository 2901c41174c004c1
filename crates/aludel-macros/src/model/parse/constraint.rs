//! The indexes and constraints of `#[model(..)]`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitInt, LitStr, Path, Token};

use crate::attributes::{Given, Item, refuse_duplicates};
use crate::errors::Errors;
use crate::model::spec::{Constraint, Element, ElementKey, ForeignKey, Index, Model};
use crate::names::list;
use crate::types::parse_without_self;

use super::action;

const INDEX: &[&str] = &["columns", "name", "unique", "predicate", "using", "include"];
const FOREIGN_KEY: &[&str] = &["columns", "references", "name", "on_delete", "on_key_update"];

/// An `index(..)`, `unique(..)`, `check(..)` or `foreign_key(..)`.
pub(super) fn constraint(model: &Model, item: &Item, errors: &mut Errors) -> Option<Constraint> {
    match item.name().as_str() {
        "index" => index(model, &items(item, errors)?, item, errors),
        "unique" => unique(model, &items(item, errors)?, item, errors),
        "check" => check(&items(item, errors)?, item, errors),
        _ => foreign_key(model, &items(item, errors)?, item, errors),
    }
}

/// `primary_key(columns(a, b), name = "..")`
pub(super) fn primary_key(model: &mut Model, item: &Item, errors: &mut Errors) {
    let items = item.list("columns(a, b), name = \"..\"", errors);
    refuse_duplicates(&items, &[], errors);
    for item in &items {
        match item.name().as_str() {
            "columns" => {
                if let Some(columns) = columns_of(model, item, errors) {
                    model.key_order = Some((columns, item.span()));
                }
            }
            "name" => model.primary_key_name = item.string(errors),
            _ => unknown(item, "primary_key", &["columns", "name"], errors),
        }
    }
}

fn form(kind: &str) -> &'static str {
    match kind {
        "check" => "sql = \"..\"",
        "foreign_key" => "columns(a, b), references(Model::a, Model::b)",
        _ => "columns(a, b)",
    }
}

fn items(item: &Item, errors: &mut Errors) -> Option<Vec<Item>> {
    let kind = item.name();
    let form = form(&kind);
    let Given::List(_) = item.given else {
        let column = if kind == "foreign_key" { "references = Model::column" } else { &kind };
        errors.span(
            item.span(),
            format!("write `{kind}({form})`; for one column write `#[column({column})]` at its field"),
        );
        return None;
    };
    let items = item.list(form, errors);
    refuse_duplicates(&items, &[], errors);
    Some(items)
}

/// The error for what says too little.
fn incomplete(item: &Item, errors: &mut Errors) -> Option<Constraint> {
    let kind = item.name();
    errors.span(item.span(), format!("write `{kind}({})`", form(&kind)));
    None
}

fn unknown(item: &Item, kind: &str, known: &[&str], errors: &mut Errors) {
    item.unknown(&format!("model({kind}(..))"), known, errors);
}

fn unique(model: &Model, items: &[Item], of: &Item, errors: &mut Errors) -> Option<Constraint> {
    let (mut name, mut columns) = (None, Vec::new());
    for item in items {
        match item.name().as_str() {
            "columns" => columns = columns_of(model, item, errors)?,
            "name" => name = item.string(errors),
            _ => unknown(item, "unique", &["columns", "name"], errors),
        }
    }
    if columns.is_empty() { incomplete(of, errors) } else { Some(Constraint::Unique { name, columns }) }
}

fn check(items: &[Item], of: &Item, errors: &mut Errors) -> Option<Constraint> {
    let (mut name, mut sql) = (None, None);
    for item in items {
        match item.name().as_str() {
            "sql" => sql = item.string(errors),
            "name" => name = item.string(errors),
            _ => unknown(item, "check", &["sql", "name"], errors),
        }
    }
    match sql {
        Some(sql) => Some(Constraint::Check { name, sql }),
        None => incomplete(of, errors),
    }
}

fn index(model: &Model, items: &[Item], of: &Item, errors: &mut Errors) -> Option<Constraint> {
    let mut index = Index::default();
    for item in items {
        match item.name().as_str() {
            "columns" => {
                let given = item.list("a, desc(b), expr(\"..\")", errors);
                index.elements = given.iter().filter_map(|item| element(model, item, errors)).collect();
                if index.elements.len() < given.len() {
                    return None;
                }
            }
            "name" => index.name = item.string(errors),
            "unique" => index.unique = item.flag(errors),
            "predicate" => index.predicate = item.string(errors),
            "where" => errors.span(item.span(), "write `predicate = \"..\"`"),
            "using" => index.using = item.string(errors),
            "include" => index.include = columns_of(model, item, errors)?,
            _ => unknown(item, "index", INDEX, errors),
        }
    }
    if index.elements.is_empty() { incomplete(of, errors) } else { Some(Constraint::Index(index)) }
}

/// `a`, `desc(a)`, `nulls_last(desc(a))`, `expr("lower(a)")`, `prefix(a, 20)`, `operator_class(a, "..")`.
fn element(model: &Model, item: &Item, errors: &mut Errors) -> Option<Element> {
    let Given::List(tokens) = &item.given else {
        return Some(plain(ElementKey::Column(column_position(model, item, errors)?)));
    };
    let inner = |tokens: &TokenStream, errors: &mut Errors| {
        let item: Item = errors.ok(syn::parse2(tokens.clone()))?;
        element(model, &item, errors)
    };
    match item.name().as_str() {
        "expr" => Some(plain(ElementKey::Expression(errors.ok(syn::parse2(tokens.clone()))?))),
        "asc" => inner(tokens, errors),
        "desc" => inner(tokens, errors).map(|element| Element { descending: true, ..element }),
        "nulls_first" => inner(tokens, errors).map(|element| Element { nulls: Some("First"), ..element }),
        "nulls_last" => inner(tokens, errors).map(|element| Element { nulls: Some("Last"), ..element }),
        "prefix" => {
            let pair: Pair<LitInt> = errors.ok(syn::parse2(tokens.clone()))?;
            Some(Element { length: Some(pair.value), ..element(model, &pair.item, errors)? })
        }
        "operator_class" => {
            let pair: Pair<LitStr> = errors.ok(syn::parse2(tokens.clone()))?;
            Some(Element { operator_class: Some(pair.value), ..element(model, &pair.item, errors)? })
        }
        name => {
            let known = ["asc", "desc", "nulls_first", "nulls_last", "expr", "prefix", "operator_class"];
            let known = list(known.iter().copied());
            errors.span(item.span(), format!("`{name}(..)` is no element of an index: there are {known}"));
            None
        }
    }
}

fn plain(key: ElementKey) -> Element {
    Element { key, descending: false, nulls: None, length: None, operator_class: None }
}

/// An element and a literal.
struct Pair<L> {
    item: Item,
    value: L,
}

impl<L: Parse> Parse for Pair<L> {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let item = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Self { item, value: input.parse()? })
    }
}

fn foreign_key(model: &Model, items: &[Item], of: &Item, errors: &mut Errors) -> Option<Constraint> {
    let no_action = Ident::new("NoAction", of.span());
    let (mut name, mut columns, mut targets) = (None, Vec::new(), Vec::new());
    let (mut on_delete, mut on_update) = (no_action.clone(), no_action);
    for item in items {
        match item.name().as_str() {
            "columns" => columns = columns_of(model, item, errors)?,
            "references" => targets = paths(model, item, errors)?,
            "name" => name = item.string(errors),
            "on_delete" => on_delete = action(item, errors)?,
            "on_key_update" => on_update = action(item, errors)?,
            _ => unknown(item, "foreign_key", FOREIGN_KEY, errors),
        }
    }
    if columns.is_empty() || targets.is_empty() {
        return incomplete(of, errors);
    }
    if columns.len() != targets.len() {
        let text = format!("the key has {} columns and references {}: give as many", columns.len(), targets.len());
        errors.span(of.span(), text);
        return None;
    }
    let model = owner(&targets[0], errors)?;
    for target in &targets[1..] {
        if owner(target, errors)? != model {
            errors.at(target, "all columns that a foreign key references are of one model");
            return None;
        }
    }
    Some(Constraint::ForeignKey(ForeignKey { name, columns, targets, model, on_delete, on_update }))
}

fn paths(model: &Model, item: &Item, errors: &mut Errors) -> Option<Vec<Path>> {
    let Given::List(tokens) = &item.given else {
        errors.span(item.span(), "write `references(Model::a, Model::b)`");
        return None;
    };
    let parser = Punctuated::<Path, Token![,]>::parse_terminated;
    let paths = errors.ok(syn::parse::Parser::parse2(parser, tokens.clone()))?;
    Some(paths.iter().map(|path| parse_without_self(path, &model.ident)).collect())
}

/// The model of a column's path.
fn owner(path: &Path, errors: &mut Errors) -> Option<Path> {
    let mut owner = path.clone();
    owner.segments.pop();
    // The separator that `pop` leaves behind.
    owner.segments = owner.segments.into_iter().collect();
    if owner.segments.is_empty() {
        errors.at(path, "name the model too: write `references(Model::a, Model::b)`");
        return None;
    }
    Some(owner)
}

fn columns_of(model: &Model, item: &Item, errors: &mut Errors) -> Option<Vec<usize>> {
    let names = item.list("a, b", errors);
    let columns: Vec<usize> = names.iter().filter_map(|name| column_position(model, name, errors)).collect();
    (columns.len() == names.len()).then_some(columns)
}

fn column_position(model: &Model, item: &Item, errors: &mut Errors) -> Option<usize> {
    item.flag(errors);
    let position = model.columns.iter().position(|column| column.field.ident == item.key);
    if position.is_none() {
        let fields: Vec<String> = model.columns.iter().map(|column| column.field.ident.to_string()).collect();
        let fields = list(fields.iter().map(String::as_str));
        errors.span(item.span(), format!("`{}` is not a column of `{}`: it has {fields}", item.key, model.ident));
    }
    position
}
