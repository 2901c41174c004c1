//! How a backend spells a type.

use std::fmt::Write;

use crate::schema::SqlType;

use super::Dialect;

pub(super) fn write(dialect: Dialect, ty: &SqlType, out: &mut String) {
    match dialect {
        Dialect::Sqlite => sqlite(ty, out),
    }
}

/// SQLite's names. Their letters choose the affinity, by which SQLite converts what is stored: INT makes INTEGER; CHAR
/// and TEXT make TEXT; FLOA and DOUB make REAL; BLOB none; anything else NUMERIC, which leaves dates alone because
/// they do not look like numbers.
fn sqlite(ty: &SqlType, out: &mut String) {
    let name = match ty {
        SqlType::Boolean => "BOOLEAN",
        // INTEGER alone makes a primary key the rowid; BIGINT would not.
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Integer | SqlType::BigInt => "INTEGER",
        SqlType::UnsignedTinyInt | SqlType::UnsignedSmallInt => "INTEGER",
        SqlType::UnsignedInteger | SqlType::UnsignedBigInt => "INTEGER",
        SqlType::Float => "FLOAT",
        SqlType::Double => "DOUBLE",
        SqlType::Decimal { precision, scale } => return numeric(*precision, *scale, out),
        SqlType::String(Some(length)) => return varchar(*length as usize, out),
        SqlType::String(None) => "VARCHAR",
        SqlType::Text => "TEXT",
        SqlType::Binary(_) => "BLOB",
        SqlType::Date => "DATE",
        SqlType::Time => "TIME",
        SqlType::DateTime => "DATETIME",
        SqlType::Timestamp => "TIMESTAMP",
        // UUID would make NUMERIC, and a key that is written in digits alone a float.
        SqlType::Uuid => "CHAR(36)",
        SqlType::Json => "JSON TEXT",
        SqlType::Enum { values, .. } => {
            return varchar(values.iter().map(|value| value.chars().count()).max().unwrap_or(0), out);
        }
        SqlType::Other(name) => name,
    };
    out.push_str(name);
}

fn varchar(length: usize, out: &mut String) {
    write!(out, "VARCHAR({length})").expect("a String takes all that is written");
}

fn numeric(precision: Option<u8>, scale: Option<u8>, out: &mut String) {
    match (precision, scale) {
        (Some(precision), Some(scale)) => write!(out, "NUMERIC({precision}, {scale})"),
        (Some(precision), None) => write!(out, "NUMERIC({precision})"),
        (None, _) => out.write_str("NUMERIC"),
    }
    .expect("a String takes all that is written");
}
