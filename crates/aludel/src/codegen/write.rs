//! The source itself.

use std::fmt::Write;

use crate::schema::{Action, Column, MetaData, View};

use super::ModelSource;
use super::constraints::{actions, entries, is_at_column, is_column_index};
use super::names::is_snake_of;
use super::plan::{Enum, Field, Model, Plan, counting, variants};
use super::relationships::Relationship;
use super::types::{database_name, is_integer};

const WIDTH: usize = 120;

pub(super) fn source(plan: &Plan<'_>, metadata: &MetaData) -> ModelSource {
    let mut notes = plan.notes.clone();
    let mut body = String::new();
    for model in &plan.models {
        self::model(plan, model, &mut body, &mut notes);
    }
    for item in &plan.enums {
        self::enumeration(item, &mut body);
    }
    for (table, why) in &plan.left_out {
        put(&mut body, format_args!("\n// Table `{}` has no model: {why}.\n", table.name));
        for column in &table.columns {
            put(&mut body, format_args!("//     {}: {}\n", column.name, database_name(&column.ty)));
        }
    }
    for view in metadata.views() {
        self::view(view, &mut body);
    }
    let mut dependencies: Vec<&'static str> = Vec::new();
    let fields = plan.models.iter().flat_map(|model| &model.fields);
    for dependency in fields.filter_map(|field| field.ty.dependency) {
        if !dependencies.contains(&dependency) {
            dependencies.push(dependency);
        }
    }
    dependencies.sort_unstable();
    let mut code = head(plan, &notes, &dependencies);
    code.push_str(&body);
    ModelSource { code, notes, dependencies }
}

/// Writes to a text, which takes all.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes all that is written");
}

fn head(plan: &Plan<'_>, notes: &[String], dependencies: &[&str]) -> String {
    let mut out = String::from("//! Models of an existing database, written by Aludel.\n");
    if plan.own_names {
        out.push_str("//!\n//! The database names its constraints in its own way, so that all names are written here. Connect with\n");
        out.push_str("//! `Db::builder().naming_convention(NamingConvention::none())`, which makes none by itself.\n");
    }
    if !dependencies.is_empty() {
        put(&mut out, format_args!("//!\n//! They need the crates {}.\n", dependencies.join(", ")));
    }
    if !notes.is_empty() {
        out.push_str("//!\n//! What they do not say:\n");
        for note in notes {
            put(&mut out, format_args!("//! - {}\n", one_line(note)));
        }
    }
    out.push_str("#![allow(clippy::duplicated_attributes, reason = \"columns stand in several indexes\")]\n");
    if !plan.models.is_empty() {
        out.push_str("\nuse aludel::prelude::*;\n");
    }
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An attribute of several entries, on lines of their own where one is too short.
fn attribute(out: &mut String, indent: &str, name: &str, entries: &[String]) {
    if entries.is_empty() {
        return;
    }
    let line = format!("{indent}#[{name}({})]", entries.join(", "));
    if line.len() <= WIDTH && !line.contains('\n') {
        put(out, format_args!("{line}\n"));
        return;
    }
    put(out, format_args!("{indent}#[{name}(\n"));
    for entry in entries {
        put(out, format_args!("{indent}    {entry},\n"));
    }
    put(out, format_args!("{indent})]\n"));
}

fn model(plan: &Plan<'_>, model: &Model<'_>, out: &mut String, notes: &mut Vec<String>) {
    let table = model.table;
    let (constraints, left_out) = entries(plan, model);
    let mut attributes = Vec::new();
    if !is_snake_of(&table.name, &model.ident) {
        attributes.push(format!("table = {:?}", table.name));
    }
    attributes.extend(table.schema.as_ref().map(|schema| format!("schema = {schema:?}")));
    attributes.extend(table.comment.as_ref().map(|comment| format!("comment = {comment:?}")));
    attributes.extend(constraints);
    let about = table.comment.as_ref().map_or_else(|| format!("The table `{}`.", table.name), |text| one_line(text));
    put(out, format_args!("\n/// {about}\n#[derive(Model, Clone, Debug)]\n"));
    attribute(out, "", "model", &attributes);
    put(out, format_args!("pub struct {} {{\n", model.ident));
    for field in &model.fields {
        self::field(plan, model, field, out, notes);
    }
    for column in &model.left_out {
        self::left_out(column, out);
    }
    for note in &left_out {
        put(out, format_args!("    // {}\n", one_line(note)));
    }
    for relationship in &model.relationships {
        self::relationship(relationship, out);
    }
    out.push_str("}\n");
    notes.extend(left_out);
}

fn field(plan: &Plan<'_>, model: &Model<'_>, field: &Field<'_>, out: &mut String, notes: &mut Vec<String>) {
    let (table, column) = (model.table, field.column);
    let mut attributes = Vec::new();
    let key = table.is_primary_key(&column.name);
    if key {
        attributes.push("primary_key".to_owned());
    }
    let alone = key && table.primary_key_columns().len() == 1;
    let counted = alone && is_integer(&field.ty) && field.references.is_none() && column.server_default.is_none();
    let counted = counted && column.sequence.is_none();
    if counted && !column.autoincrement {
        attributes.push("autoincrement = false".to_owned());
    }
    attributes.extend(counts(alone, column));
    if field.ident != column.name {
        attributes.push(format!("name = {:?}", column.name));
    }
    attributes.extend(field.ty.attributes.iter().cloned());
    let unique = table.uniques.iter().zip(&model.names.uniques);
    if unique.into_iter().any(|(unique, name)| is_at_column(&unique.columns, name) && unique.columns[0] == column.name)
    {
        attributes.push("unique".to_owned());
    }
    let indexes = table.indexes.iter().enumerate();
    if indexes.into_iter().any(|(at, index)| is_column_index(model, at) && index.columns() == [column.name.as_str()]) {
        attributes.push("index".to_owned());
    }
    if let Some(reference) = &field.references {
        let target = &plan.models[reference.target].ident;
        let actions = actions(reference.on_delete, reference.on_update);
        attributes.push(format!("references = {target}::{}{actions}", reference.field));
        attributes.extend(reference.name.as_ref().map(|name| format!("foreign_key_name = {name:?}")));
    }
    attributes.extend(column.server_default.as_ref().map(|sql| format!("server_default = {sql:?}")));
    if let Some(computed) = &column.computed {
        match model.mentions_left_out(&computed.sql) {
            None => {
                attributes.push(format!("computed = {:?}", computed.sql));
                attributes.extend(computed.stored.then(|| "stored".to_owned()));
            }
            Some(other) => notes.push(format!(
                "column {}.{} is computed from `{}`, which is left out: its model does not say so",
                table.name, column.name, other.name
            )),
        }
    }
    attributes.extend(column.comment.as_ref().map(|comment| format!("comment = {comment:?}")));
    attribute(out, "    ", "column", &attributes);
    let ty = &field.ty.name;
    let ty = if field.nullable { format!("Option<{ty}>") } else { ty.clone() };
    put(out, format_args!("    pub {}: {ty},\n", field.ident));
}

/// How the database counts a column up, where that is not as usual.
fn counts(alone: bool, column: &Column) -> Option<String> {
    let options = |start: Option<i64>, increment: Option<i64>| {
        let start = start.map(|start| format!("start = {start}"));
        start.into_iter().chain(increment.map(|increment| format!("increment = {increment}")))
    };
    if let Some(sequence) = counting(column) {
        let name = &sequence.name;
        if sequence.start.is_none() && sequence.increment.is_none() {
            return Some(format!("sequence = {name:?}"));
        }
        let options: Vec<String> = options(sequence.start, sequence.increment).collect();
        return Some(format!("sequence(name = {name:?}, {})", options.join(", ")));
    }
    let identity = column.identity.filter(|_| alone && column.autoincrement)?;
    let always = identity.always.then(|| "always".to_owned());
    let options: Vec<String> = always.into_iter().chain(options(identity.start, identity.increment)).collect();
    (!options.is_empty()).then(|| format!("identity({})", options.join(", ")))
}

fn left_out(column: &Column, out: &mut String) {
    let name = database_name(&column.ty);
    let null = if column.nullable { "" } else { " NOT NULL" };
    let default = column.server_default.as_ref().map(|sql| format!(" DEFAULT {}", one_line(sql))).unwrap_or_default();
    put(out, format_args!("    // Rust has no type for the column {:?}: {name}{null}{default}\n", column.name));
}

fn relationship(relationship: &Relationship, out: &mut String) {
    let mut attributes = vec![format!("back_populates = {}", relationship.back_populates)];
    attributes.extend(relationship.foreign_key.as_ref().map(|key| format!("foreign_key = {key}")));
    match relationship.on_delete {
        Action::Cascade => attributes.extend(["cascade = \"all\"".to_owned(), "passive_deletes".to_owned()]),
        Action::SetNull | Action::SetDefault => attributes.push("passive_deletes".to_owned()),
        Action::NoAction | Action::Restrict => {}
    }
    attribute(out, "    ", "relationship", &attributes);
    put(out, format_args!("    pub {}: {},\n", relationship.ident, relationship.ty));
}

fn enumeration(item: &Enum, out: &mut String) {
    put(out, format_args!("\n/// One of {} values.\n", item.values.len()));
    out.push_str("#[derive(DbEnum, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]\n");
    if let Some(name) = item.name.as_ref().filter(|name| !is_snake_of(name, &item.ident)) {
        put(out, format_args!("#[db_enum(name = {name:?})]\n"));
    }
    put(out, format_args!("pub enum {} {{\n", item.ident));
    for (at, (variant, value)) in variants(&item.values).into_iter().enumerate() {
        if at == 0 {
            out.push_str("    #[default]\n");
        }
        if !is_snake_of(value, &variant) {
            put(out, format_args!("    #[db_enum(rename = {value:?})]\n"));
        }
        put(out, format_args!("    {variant},\n"));
    }
    out.push_str("}\n");
}

fn view(view: &View, out: &mut String) {
    put(out, format_args!("\n// View `{}`, which has no model:\n", one_line(&view.name)));
    for column in &view.columns {
        put(out, format_args!("//     {}: {}\n", one_line(&column.name), database_name(&column.ty)));
    }
    for line in view.definition.lines().filter(|line| !line.trim().is_empty()) {
        put(out, format_args!("// {}\n", line.trim_end()));
    }
}
