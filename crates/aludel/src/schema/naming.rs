//! Names for constraints and indexes that were given none.

use std::fmt::Write;

use crate::error::{Error, ErrorKind, Result};

use super::{Index, IndexKey, SqlType, Table};

/// How constraints and indexes are named, by templates as in SQLAlchemy and Alembic.
///
/// Names that can be foreseen are what migrations need to drop a constraint, and what [`Error::constraint`] reports.
/// [`MetaData::add_table`](super::MetaData::add_table) applies the convention: a constraint that was given a name
/// keeps it, unless the template has `%(constraint_name)s`, which puts the given name in its place.
///
/// | Token | Stands for |
/// |---|---|
/// | `%(table_name)s` | the table |
/// | `%(column_0_name)s`, `%(column_1_name)s`, .. | one column of the constraint |
/// | `%(column_0_N_name)s`, `%(column_0N_name)s` | all its columns, joined with and without `_` |
/// | `%(column_0_label)s`, `%(column_0_N_label)s`, .. | the same with the table's name before each column |
/// | `%(referred_table_name)s` | the table that a foreign key points at |
/// | `%(referred_column_0_name)s`, .. | the columns that it points at |
/// | `%(constraint_name)s` | the name given; for an enum's check its column; else 8 digits that depend on the SQL |
///
/// `%%` is a percent sign. Names longer than 63 bytes, which is PostgreSQL's limit and below MariaDB's 64, keep their
/// beginning and end in 8 digits of a hash, the same on every machine and in every version.
///
/// ```
/// use aludel::schema::{Column, MetaData, NamingConvention, SqlType, Table};
///
/// let mut metadata = MetaData::new(NamingConvention::default().primary_key("spk_%(table_name)s"));
/// metadata.add_table(Table::new("user").with_column(Column::new("id", SqlType::BigInt)).with_primary_key(["id"]))?;
/// let user = metadata.table("user").unwrap();
/// assert_eq!(user.primary_key.as_ref().unwrap().name.as_deref(), Some("spk_user"));
/// # Ok::<(), aludel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamingConvention {
    primary_key: Option<String>,
    foreign_key: Option<String>,
    unique: Option<String>,
    check: Option<String>,
    index: String,
}

const INDEX: &str = "ix_%(table_name)s_%(column_0_N_name)s";

impl Default for NamingConvention {
    /// `pk_user`, `fk_post_user_id_user`, `uq_user_username`, `ck_item_positive`, `ix_post_title`.
    fn default() -> Self {
        Self {
            primary_key: Some("pk_%(table_name)s".to_owned()),
            foreign_key: Some("fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s".to_owned()),
            unique: Some("uq_%(table_name)s_%(column_0_N_name)s".to_owned()),
            check: Some("ck_%(table_name)s_%(constraint_name)s".to_owned()),
            index: INDEX.to_owned(),
        }
    }
}

impl NamingConvention {
    /// Gives no names, and changes none: for schemas that are read from a database. Only an index, which cannot be
    /// without a name, gets `ix_post_title`.
    pub fn none() -> Self {
        Self { primary_key: None, foreign_key: None, unique: None, check: None, index: INDEX.to_owned() }
    }

    /// The same convention with another template for primary keys.
    #[must_use]
    pub fn primary_key(mut self, template: impl Into<String>) -> Self {
        self.primary_key = Some(template.into());
        self
    }

    /// The same convention with another template for foreign keys.
    #[must_use]
    pub fn foreign_key(mut self, template: impl Into<String>) -> Self {
        self.foreign_key = Some(template.into());
        self
    }

    /// The same convention with another template for unique constraints.
    #[must_use]
    pub fn unique(mut self, template: impl Into<String>) -> Self {
        self.unique = Some(template.into());
        self
    }

    /// The same convention with another template for check constraints.
    #[must_use]
    pub fn check(mut self, template: impl Into<String>) -> Self {
        self.check = Some(template.into());
        self
    }

    /// The same convention with another template for indexes.
    #[must_use]
    pub fn index(mut self, template: impl Into<String>) -> Self {
        self.index = template.into();
        self
    }

    /// Names all constraints and indexes of a table.
    pub(super) fn name_constraints(&self, table: &mut Table) -> Result<()> {
        let name = &*table.name;
        if let (Some(template), Some(key)) = (&self.primary_key, &mut table.primary_key) {
            apply(template, &mut key.name, &Subject::new(name, &key.columns))?;
        }
        if let Some(template) = &self.foreign_key {
            for key in &mut table.foreign_keys {
                let referred = Some((&*key.target_table, &*key.target_columns));
                apply(template, &mut key.name, &Subject { referred, ..Subject::new(name, &key.columns) })?;
            }
        }
        if let Some(template) = &self.unique {
            for unique in &mut table.uniques {
                apply(template, &mut unique.name, &Subject::new(name, &unique.columns))?;
            }
        }
        if let Some(template) = &self.check {
            for check in &mut table.checks {
                let fallback = Some(format!("{:08x}", hash(&check.sql)));
                apply(template, &mut check.name, &Subject { fallback, ..Subject::new(name, &[]) })?;
            }
            for column in table.columns.iter_mut().filter(|column| matches!(column.ty, SqlType::Enum { .. })) {
                let fallback = Some(column.name.clone());
                let columns = std::slice::from_ref(&column.name);
                apply(template, &mut column.enum_check, &Subject { fallback, ..Subject::new(name, columns) })?;
            }
        }
        for index in &mut table.indexes {
            let columns = index_columns(index);
            apply(&self.index, &mut index.name, &Subject::new(name, &columns))?;
        }
        Ok(())
    }
}

/// What stands for the columns of an index in its name: an expression is `expr` and digits that depend on its SQL.
fn index_columns(index: &Index) -> Vec<String> {
    let name = |element: &super::IndexElement| match &element.key {
        IndexKey::Column(name) => name.clone(),
        IndexKey::Expression(sql) => format!("expr_{:08x}", hash(sql)),
    };
    index.elements.iter().map(name).collect()
}

/// What a name is made for.
struct Subject<'a> {
    table: &'a str,
    columns: &'a [String],
    referred: Option<(&'a str, &'a [String])>,
    /// What stands for `%(constraint_name)s` when no name was given.
    fallback: Option<String>,
}

const GIVEN: &str = "%(constraint_name)s";

fn apply(template: &str, name: &mut Option<String>, subject: &Subject<'_>) -> Result<()> {
    let made = match name.take() {
        Some(given) => match template.split_once(GIVEN) {
            None => given,
            Some((before, after)) => {
                let (before, after) = (render(before, subject)?, render(after, subject)?);
                // Who writes the whole name gets it, not `ck_item_ck_item_positive`.
                let whole = given.len() > before.len() + after.len() && given.starts_with(&before);
                if whole && given.ends_with(&after) { given } else { format!("{before}{given}{after}") }
            }
        },
        None => render(template, subject)?,
    };
    *name = Some(shorten(made));
    Ok(())
}

fn render(template: &str, subject: &Subject<'_>) -> Result<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('%') {
        out.push_str(text);
        rest = match after.strip_prefix('(').and_then(|token| token.split_once(")s")) {
            Some((token, after)) => {
                out.push_str(&subject.token(token).ok_or_else(|| unknown(template, token, subject))?);
                after
            }
            None => {
                out.push('%');
                after.strip_prefix('%').unwrap_or(after)
            }
        };
    }
    out.push_str(rest);
    Ok(out)
}

impl<'a> Subject<'a> {
    fn new(table: &'a str, columns: &'a [String]) -> Self {
        Self { table, columns, referred: None, fallback: None }
    }

    fn token(&self, token: &str) -> Option<String> {
        match token {
            "table_name" => Some(self.table.to_owned()),
            "constraint_name" => self.fallback.clone(),
            "referred_table_name" => Some(self.referred?.0.to_owned()),
            _ => match token.strip_prefix("referred_column_") {
                Some(rest) => self.referred.and_then(|(table, columns)| column_token(rest, table, columns)),
                None => column_token(token.strip_prefix("column_")?, self.table, self.columns),
            },
        }
    }
}

/// `0_name`, `0_N_name`, `0N_name` and the same with `label`.
fn column_token(token: &str, table: &str, columns: &[String]) -> Option<String> {
    let (which, what) = token.rsplit_once('_')?;
    let part = |column: &String| match what {
        "name" => Some(column.clone()),
        "label" => Some(format!("{table}_{column}")),
        _ => None,
    };
    match which {
        "0_N" => Some(columns.iter().map(part).collect::<Option<Vec<_>>>()?.join("_")),
        "0N" => columns.iter().map(part).collect(),
        _ => part(columns.get(which.parse::<usize>().ok()?)?),
    }
}

fn unknown(template: &str, token: &str, subject: &Subject<'_>) -> Error {
    let message = format!(
        "the naming convention `{template}` has the token `%({token})s`, which means nothing for a constraint of table \
         `{}`: use %(table_name)s, %(column_0_name)s, %(column_0_N_name)s, for foreign keys %(referred_table_name)s, \
         for checks %(constraint_name)s",
        subject.table
    );
    Error::new(ErrorKind::Config, message).with_table(subject.table)
}

/// PostgreSQL cuts longer names off silently.
const LONGEST: usize = 63;

fn shorten(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let mut short = name[..name.floor_char_boundary(LONGEST - 9)].to_owned();
    write!(short, "_{:08x}", hash(&name)).expect("a String takes all that is written");
    short
}

/// FNV-1a of 64 bits, folded to 32. Names in databases depend on it: it must never change.
fn hash(text: &str) -> u32 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash >> 32) as u32 ^ hash as u32
}

#[cfg(test)]
mod tests;
