//! `#[relationship(..)]`.

use syn::{Attribute, Expr, Ident, Path, Type};

use crate::attributes::{Given, Item, refuse_duplicates};
use crate::errors::Errors;
use crate::model::spec::{Field, Kind, Relationship};
use crate::names::list;
use crate::types::{last_segment, parse_without_self};

use super::constant;

const RELATIONSHIP: &[&str] =
    &["back_populates", "foreign_key", "secondary", "cascade", "passive_deletes", "order_by", "serialize", "const"];

pub(super) fn relationship(
    field: Field,
    kind: Kind,
    content: Type,
    target: Type,
    attributes: &[Attribute],
    model: &Ident,
    errors: &mut Errors,
) -> Relationship {
    let items = Item::of(attributes, "relationship", errors);
    refuse_duplicates(&items, &[], errors);
    let mut relationship = Relationship {
        field,
        kind,
        content,
        target,
        back_populates: None,
        secondary: None,
        foreign_key: Vec::new(),
        key: Vec::new(),
        delete: false,
        delete_orphan: None,
        passive_deletes: false,
        order_by: Vec::new(),
        serialize: true,
    };
    if last_segment(&relationship.target).is_none() {
        errors.at(&relationship.target, "a relationship leads to a model");
    }
    for item in &items {
        match item.name().as_str() {
            "back_populates" => relationship.back_populates = last_of_path(item, "field", errors),
            "foreign_key" => relationship.foreign_key = foreign_key(item, errors),
            "cascade" => cascade(&mut relationship, item, errors),
            "passive_deletes" => relationship.passive_deletes = item.flag(errors),
            "order_by" => {
                if let Some(value) = item.expr("Model::column", errors) {
                    order_by(value, model, &mut relationship.order_by, errors);
                }
            }
            "serialize" => {
                if item.ident("never", errors).is_some_and(|word| {
                    let never = word == "never";
                    if !never {
                        errors.at(&word, "write `serialize = never`");
                    }
                    never
                }) {
                    relationship.serialize = false;
                }
            }
            "const" => constant(&mut relationship.field, item, errors),
            "secondary" => {
                relationship.secondary = item.path("LinkModel", errors).map(|path| parse_without_self(&path, model));
            }
            _ => item.unknown("relationship", RELATIONSHIP, errors),
        }
    }
    relationship
}

/// `author_id`, or `(tenant_id, author_id)`: each with its model, or without.
fn foreign_key(item: &Item, errors: &mut Errors) -> Vec<Ident> {
    const FORM: &str = "field";
    let Given::Value(value) = &item.given else {
        errors.span(
            item.span(),
            "write `foreign_key = field`, or `foreign_key = (one, other)` for a key of several columns",
        );
        return Vec::new();
    };
    let Expr::Tuple(fields) = &**value else {
        return last_of_path(item, FORM, errors).into_iter().collect();
    };
    let named = fields.elems.iter().filter_map(|field| match field {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.clone()),
        other => {
            errors.at(other, "write `foreign_key = (one, other)`, with the fields of the key's columns");
            None
        }
    });
    named.collect()
}

/// `author` of `author`, `Post::author` or `"author"`: the model is known from the field's type.
fn last_of_path(item: &Item, form: &str, errors: &mut Errors) -> Option<Ident> {
    let path: Path = match item.expr(form, errors)? {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => errors.ok(text.parse())?,
        _ => item.path(form, errors)?,
    };
    path.segments.last().map(|segment| segment.ident.clone())
}

fn cascade(relationship: &mut Relationship, item: &Item, errors: &mut Errors) {
    const WORDS: &[&str] = &["all", "save-update", "delete", "delete-orphan"];
    let Some(text) = item.string(errors) else { return };
    for word in text.value().split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "all" | "delete" => relationship.delete = true,
            "delete-orphan" => relationship.delete_orphan = Some(text.span()),
            // Always so: linked rows are added with the row that they are linked to.
            "save-update" => {}
            _ => {
                let meant = crate::names::nearest(word, WORDS.iter().copied())
                    .map(|known| format!("; did you mean `{known}`?"))
                    .unwrap_or_default();
                let known = list(WORDS.iter().copied());
                errors.at(&text, format!("`{word}` does not cascade{meant}\nit knows {known}"));
            }
        }
    }
}

/// `Comment::id`, `desc(Comment::id)`, `Comment::id.desc()`, or several of them in a tuple.
fn order_by(value: &Expr, model: &Ident, out: &mut Vec<(Path, bool)>, errors: &mut Errors) {
    let column = |value: &Expr| match value {
        Expr::Path(path) if path.path.segments.len() > 1 => Some(parse_without_self(&path.path, model)),
        _ => None,
    };
    let ordered = match value {
        Expr::Tuple(tuple) => {
            tuple.elems.iter().for_each(|value| order_by(value, model, out, errors));
            return;
        }
        Expr::Paren(inner) => return order_by(&inner.expr, model, out, errors),
        Expr::Call(call) if call.args.len() == 1 => match &*call.func {
            Expr::Path(word) if word.path.is_ident("desc") => column(&call.args[0]).map(|path| (path, true)),
            Expr::Path(word) if word.path.is_ident("asc") => column(&call.args[0]).map(|path| (path, false)),
            _ => None,
        },
        Expr::MethodCall(call) if call.args.is_empty() => match call.method.to_string().as_str() {
            "desc" => column(&call.receiver).map(|path| (path, true)),
            "asc" => column(&call.receiver).map(|path| (path, false)),
            _ => None,
        },
        _ => column(value).map(|path| (path, false)),
    };
    match ordered {
        Some(ordered) => out.push(ordered),
        None => errors
            .at(value, "write `order_by = Model::column`, `order_by = desc(Model::column)`, or several in a tuple"),
    }
}
