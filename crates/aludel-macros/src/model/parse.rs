//! First stage: from the struct and its attributes to the plain description.

mod constraint;
mod relationship;

use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, FieldsNamed, Ident, LitStr, Type};

use crate::attributes::{Item, refuse_duplicates};
use crate::errors::Errors;
use crate::names::{camel_to_snake, list};
use crate::output::docs_of;

use super::counted::{identity, sequence};
use super::inherit;
use super::mixin;
use super::spec::{Column, Computed, Field, Inheritance, Kind, Model, Origin, Reference, Size};
use crate::types::{content_of, parse_without_self};

const MODEL: &[&str] = &[
    "table",
    "schema",
    "bind",
    "comment",
    "primary_key",
    "index",
    "unique",
    "check",
    "foreign_key",
    "optimistic",
    "hooks",
    "async_hooks",
    "inherits",
    "identity",
];
const COLUMN: &[&str] = &[
    "primary_key",
    "autoincrement",
    "unique",
    "index",
    "length",
    "text",
    "precision",
    "scale",
    "name",
    "const",
    "references",
    "on_delete",
    "on_key_update",
    "default",
    "server_default",
    "computed",
    "stored",
    "sequence",
    "identity",
    "on_update",
    "foreign_key_name",
    "version",
    "soft_delete",
    "deferred",
    "tenant",
    "discriminator",
    "comment",
];
const ACTIONS: &[&str] = &["cascade", "set_null", "set_default", "restrict", "no_action"];

/// The names that every model has as associated items, which a constant of that name would hide.
const RESERVED: &[&str] = &["query", "build", "entity", "column", "insert_all", "alias"];

/// The description of a struct, or nothing when it is no struct that could have one.
pub(crate) fn model(input: &DeriveInput, mixins: &[FieldsNamed], errors: &mut Errors) -> Option<Model> {
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "a model cannot have generic parameters: it is one table");
        return None;
    }
    let Data::Struct(data) = &input.data else {
        errors.at(&input.ident, "only a struct can be a model: its fields are the table's columns");
        return None;
    };
    let Fields::Named(fields) = &data.fields else {
        errors.at(&input.ident, "a model's fields need names: they are the names of its columns");
        return None;
    };

    let mut model = Model {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        table: camel_to_snake(&input.ident.unraw().to_string()),
        schema: None,
        bind: None,
        comment: None,
        primary_key_name: None,
        key_order: None,
        columns: Vec::new(),
        mixins: Vec::new(),
        relationships: Vec::new(),
        constraints: Vec::new(),
        primary_key: Vec::new(),
        version: None,
        soft_delete: None,
        tenant: None,
        compares_old: None,
        inheritance: Inheritance::default(),
        hooks: None,
        async_hooks: None,
    };
    let mut mixins = mixins.iter();
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        if mixin::is_flattened(&field.attrs) {
            mixin::flatten(&mut model, ident, field, &mut mixins, errors);
            continue;
        }
        refuse_model_attribute(&field.attrs, errors);
        let parsed = Field {
            ident: ident.clone(),
            vis: field.vis.clone(),
            docs: docs_of(&field.attrs),
            ty: parse_without_self(&field.ty, &input.ident),
            constant: ident.clone(),
        };
        match relationship_type(&parsed.ty) {
            Some((kind, content, target)) => {
                refuse_attribute(&field.attrs, "column", "a relationship is not a column", errors);
                let relationship =
                    relationship::relationship(parsed, kind, content, target, &field.attrs, &input.ident, errors);
                model.relationships.push(relationship);
            }
            None => {
                let text = "a relationship's field has the type `One<T>`, `One<Option<T>>` or `Many<T>`";
                refuse_attribute(&field.attrs, "relationship", text, errors);
                model.columns.push(column(parsed, &field.attrs, &input.ident, errors));
            }
        }
    }
    let items = Item::of(&input.attrs, "model", errors);
    model_items(&mut model, &items, errors);
    refuse_attribute(&input.attrs, "column", "`#[column(..)]` belongs to a field", errors);
    refuse_attribute(&input.attrs, "relationship", "`#[relationship(..)]` belongs to a field", errors);
    refuse_clashes(&model, errors);
    Some(model)
}

pub(crate) fn refuse_attribute(attributes: &[Attribute], name: &str, text: &str, errors: &mut Errors) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        errors.at(attribute.path(), text);
    }
}

fn refuse_model_attribute(attributes: &[Attribute], errors: &mut Errors) {
    for item in Item::of(attributes, "model", errors) {
        errors.span(item.span(), "`#[model(..)]` belongs to the struct; a field has `#[column(..)]`");
    }
}

/// `One<T>`, `One<Option<T>>` or `Many<T>`: the kind, what stands in the brackets, and the model.
pub(crate) fn relationship_type(ty: &Type) -> Option<(Kind, Type, Type)> {
    if let Some(target) = content_of(ty, "Many") {
        return Some((Kind::Many, target.clone(), target.clone()));
    }
    let content = content_of(ty, "One")?;
    match content_of(content, "Option") {
        Some(target) => Some((Kind::OptionalOne, content.clone(), target.clone())),
        None => Some((Kind::One, content.clone(), content.clone())),
    }
}

fn model_items(model: &mut Model, items: &[Item], errors: &mut Errors) {
    refuse_duplicates(items, &["index", "unique", "check", "foreign_key"], errors);
    for item in items {
        if ["table", "schema", "bind"].contains(&item.name().as_str()) {
            model.inheritance.placed.push((item.name(), item.span()));
        }
        match item.name().as_str() {
            "inherits" | "identity" => inherit::item(model, item, errors),
            "table" => {
                if let Some(table) = item.string(errors) {
                    refuse_empty(&table, errors);
                    model.table = table.value();
                }
            }
            "schema" => {
                if let Some(schema) = item.string(errors) {
                    refuse_empty(&schema, errors);
                    model.schema = Some(schema.value());
                }
            }
            "index" | "unique" | "check" | "foreign_key" => {
                let constraint = constraint::constraint(model, item, errors);
                model.constraints.extend(constraint);
            }
            "comment" => model.comment = item.string(errors),
            "primary_key" => constraint::primary_key(model, item, errors),
            "bind" => {
                if let Some(bind) = item.string(errors) {
                    refuse_empty(&bind, errors);
                    model.bind = Some(bind.value());
                }
            }
            "optimistic" => optimistic(model, item, errors),
            "hooks" => model.hooks = item.flag(errors).then(|| item.span()),
            "async_hooks" => model.async_hooks = item.flag(errors).then(|| item.span()),
            "alias" => item.later("aliases", errors),
            _ => item.unknown("model", MODEL, errors),
        }
    }
}

fn optimistic(model: &mut Model, item: &Item, errors: &mut Errors) {
    let Some(text) = item.string(errors) else { return };
    if text.value() == "dirty" {
        model.compares_old = Some(item.span());
    } else {
        errors.at(&text, "write `optimistic = \"dirty\"`; a counter is a column with `#[column(version)]`");
    }
}

pub(crate) fn column(mut field: Field, attributes: &[Attribute], model: &Ident, errors: &mut Errors) -> Column {
    let items = Item::of(attributes, "column", errors);
    refuse_duplicates(&items, &[], errors);
    let whole = field.ty.clone();
    let held = content_of(&whole, "Deferred");
    if let Some(held) = held {
        field.ty = held.clone();
    }
    let mut column = Column {
        name: field.ident.unraw().to_string(),
        nullable: content_of(&field.ty, "Option").is_some(),
        field,
        primary_key: None,
        autoincrement: None,
        version: None,
        discriminator: None,
        soft_delete: None,
        deferred: None,
        tenant: None,
        unique: false,
        index: false,
        size: None,
        references: None,
        default: None,
        server_default: None,
        computed: None,
        sequence: None,
        identity: None,
        on_update: None,
        comment: None,
        origin: Origin::Given,
        links: Vec::new(),
    };
    let (mut on_delete, mut on_key_update, mut key_name, mut stored) = (None, None, None, false);
    for item in &items {
        match item.name().as_str() {
            "primary_key" => column.primary_key = item.flag(errors).then(|| item.span()),
            "autoincrement" => column.autoincrement = item.boolean(errors).map(|value| (value, item.span())),
            "unique" => column.unique = item.flag(errors),
            "index" => column.index = item.flag(errors),
            "length" | "text" | "precision" | "scale" => size(&mut column, item, errors),
            "name" => {
                if let Some(name) = item.string(errors) {
                    refuse_empty(&name, errors);
                    column.name = name.value();
                }
            }
            "const" => constant(&mut column.field, item, errors),
            "references" => column.references = reference(item, model, errors),
            "on_delete" => on_delete = action(item, errors),
            "on_key_update" => on_key_update = action(item, errors),
            "default" => column.default = item.expr("expression", errors).map(|value| parse_without_self(value, model)),
            "server_default" => column.server_default = item.string(errors),
            "computed" => {
                column.computed = item.string(errors).map(|sql| Computed { sql, stored: false, span: item.span() });
            }
            "stored" => stored = item.flag(errors),
            "foreign_key_name" => key_name = item.string(errors),
            "sequence" => column.sequence = sequence(item, errors),
            "identity" => column.identity = Some(identity(item, errors)),
            "on_update" => column.on_update = on_update(item, errors).map(|value| parse_without_self(&value, model)),
            "comment" => column.comment = item.string(errors),
            "discriminator" => inherit::mark(&mut column, item, errors),
            "deferred" => column.deferred = item.flag(errors).then(|| item.span()),
            "soft_delete" => column.soft_delete = item.flag(errors).then(|| item.span()),
            "tenant" => column.tenant = item.flag(errors).then(|| item.span()),
            "version" => column.version = item.flag(errors).then(|| item.span()),
            "nullable" => {
                let ty = &column.field.ty;
                let ty = quote::quote!(#ty).to_string().replace(' ', "");
                errors.span(item.span(), format!("the type says it: write `Option<{ty}>`"));
            }
            "foreign_key" => errors.span(item.span(), "write `references = Model::column`"),
            "persisted" => errors.span(item.span(), "write `stored`"),
            _ => item.unknown("column", COLUMN, errors),
        }
    }
    match (column.deferred, held) {
        (Some(span), None) => {
            let ty = quote::quote!(#whole).to_string().replace(' ', "");
            errors.span(
                span,
                format!("a deferred column may not be loaded, and its type says so: write `Deferred<{ty}>`"),
            );
        }
        (None, Some(_)) => errors.at(&whole, "add `#[column(deferred)]`: queries leave the column out"),
        _ => {}
    }
    match &mut column.references {
        Some(reference) => {
            reference.on_delete = on_delete.unwrap_or_else(|| reference.on_delete.clone());
            reference.on_update = on_key_update.unwrap_or_else(|| reference.on_update.clone());
            reference.name = key_name;
        }
        None => {
            let of_key = ["on_delete", "on_key_update", "foreign_key_name"];
            for item in items.iter().filter(|item| of_key.iter().any(|name| item.key == name)) {
                if !items.iter().any(|item| item.key == "references") {
                    errors.span(item.span(), format!("`{}` needs `references = Model::column`", item.key));
                }
            }
        }
    }
    match &mut column.computed {
        Some(computed) => computed.stored = stored,
        None => {
            for item in items.iter().filter(|item| item.key == "stored") {
                if !items.iter().any(|item| item.key == "computed") {
                    errors.span(item.span(), "`stored` needs `computed = \"..\"`: the SQL that gives the value");
                }
            }
        }
    }
    column
}

fn size(column: &mut Column, item: &Item, errors: &mut Errors) {
    let name = item.name();
    let given = if name == "text" {
        item.flag(errors);
        Size::Text(item.span())
    } else {
        let Some(number) = item.integer(errors) else { return };
        let (precision, scale) = match name.as_str() {
            "length" => {
                if errors.ok(number.base10_parse::<u32>()).is_some_and(|length| length == 0) {
                    errors.at(&number, "a length is at least 1");
                }
                (None, None)
            }
            "precision" => (Some(number.clone()), None),
            _ => (None, Some(number.clone())),
        };
        match (name.as_str(), &mut column.size) {
            ("length", _) => Size::Length(number),
            (_, Some(Size::Decimal { precision: known, scale: known_scale, .. })) => {
                *known = precision.or(known.take());
                *known_scale = scale.or(known_scale.take());
                return;
            }
            _ => Size::Decimal { precision, scale, span: item.span() },
        }
    };
    if column.size.is_some() {
        errors.span(item.span(), "`length`, `text` and `precision` with `scale` exclude each other");
    }
    column.size = Some(given);
}

fn constant(field: &mut Field, item: &Item, errors: &mut Errors) {
    if let Some(mut name) = item.ident("another_name", errors) {
        name.set_span(item.span());
        field.constant = name;
    }
}

fn reference(item: &Item, model: &Ident, errors: &mut Errors) -> Option<Reference> {
    const FORM: &str = "Model::column";
    let path = parse_without_self(&item.path(FORM, errors)?, model);
    let mut owner = path.clone();
    owner.segments.pop();
    // The separator that `pop` leaves behind.
    owner.segments = owner.segments.into_iter().collect();
    if owner.segments.is_empty() {
        errors.at(&path, format!("name the model too: write `references = {FORM}`"));
        return None;
    }
    let no_action = Ident::new("NoAction", item.span());
    Some(Reference { path, model: owner, name: None, on_delete: no_action.clone(), on_update: no_action })
}

/// The variant of `Action`.
fn action(item: &Item, errors: &mut Errors) -> Option<Ident> {
    let name = item.ident("cascade", errors)?;
    let variant = match name.to_string().as_str() {
        "cascade" => "Cascade",
        "set_null" => "SetNull",
        "set_default" => "SetDefault",
        "restrict" => "Restrict",
        "no_action" => "NoAction",
        _ => {
            let actions = list(ACTIONS.iter().copied());
            errors.at(&name, format!("`{name}` is no action of a foreign key: they are {actions}"));
            return None;
        }
    };
    Some(Ident::new(variant, name.span()))
}

fn on_update(item: &Item, errors: &mut Errors) -> Option<Expr> {
    let value = item.expr("expression", errors)?;
    if let Expr::Path(path) = value
        && let Some(word) = path.path.get_ident()
        && ACTIONS.contains(&word.to_string().as_str())
    {
        let text =
            format!("`on_update` is the value that an UPDATE writes; the foreign key's is `on_key_update = {word}`");
        errors.at(word, text);
        return None;
    }
    Some(value.clone())
}

fn refuse_empty(name: &LitStr, errors: &mut Errors) {
    if name.value().is_empty() {
        errors.at(name, "a name cannot be empty");
    }
}

/// Two constants of one name, a constant that hides what every model has, two columns of one name in the database.
fn refuse_clashes(model: &Model, errors: &mut Errors) {
    let columns = model.columns.iter().map(|column| (&column.field, "column"));
    let relationships = model.relationships.iter().map(|relationship| (&relationship.field, "relationship"));
    let mut seen: Vec<&Ident> = Vec::new();
    for (field, attribute) in columns.chain(relationships) {
        let name = field.constant.unraw().to_string();
        if RESERVED.contains(&name.as_str()) {
            let cure = format_ident!("{name}_");
            errors.at(
                &field.constant,
                format!(
                    "`{model}::{name}` is a name that every model has: add `#[{attribute}(const = {cure})]` and write \
                     `{model}::{cure}` in queries; the name in the database stays",
                    model = model.ident,
                ),
            );
        } else if name.starts_with("__") {
            errors.at(
                &field.constant,
                format!("names that begin with `__` are the derive's own: add `#[{attribute}(const = ..)]`"),
            );
        }
        if seen.contains(&&field.constant) {
            errors.at(&field.constant, format!("`{}::{name}` is there already", model.ident));
        }
        seen.push(&field.constant);
    }
    for (i, column) in model.columns.iter().enumerate() {
        if model.columns[..i].iter().any(|other| other.name.eq_ignore_ascii_case(&column.name)) {
            errors.at(&column.field.ident, format!("the table has a column `{}` already", column.name));
        }
    }
}
