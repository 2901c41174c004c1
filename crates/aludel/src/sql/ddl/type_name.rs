//! How a backend spells a type.

use std::fmt::Write;

use crate::schema::SqlType;

use super::Dialect;

/// An enum is a type of the table's own schema on PostgreSQL.
pub(super) fn write(dialect: Dialect, schema: Option<&str>, ty: &SqlType, out: &mut String) {
    match dialect {
        Dialect::Sqlite => sqlite(ty, out),
        Dialect::Postgres => postgres(schema, ty, out),
        Dialect::MariaDb | Dialect::MySql => mysql(dialect, ty, out),
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
        // The word TEXT keeps the value as it is.
        SqlType::Inet => "INET TEXT",
        SqlType::Inet4 => "INET4 TEXT",
        SqlType::Inet6 => "INET6 TEXT",
        SqlType::Interval | SqlType::Array(_) | SqlType::Range(_) => return postgres(None, ty, out),
        SqlType::Enum { values, .. } => {
            return varchar(values.iter().map(|value| value.chars().count()).max().unwrap_or(0), out);
        }
        SqlType::Other(name) => name,
    };
    out.push_str(name);
}

/// PostgreSQL's names. It has no unsigned integers: the next larger type holds their values.
fn postgres(schema: Option<&str>, ty: &SqlType, out: &mut String) {
    let name = match ty {
        SqlType::Boolean => "BOOLEAN",
        SqlType::TinyInt | SqlType::SmallInt | SqlType::UnsignedTinyInt => "SMALLINT",
        SqlType::Integer | SqlType::UnsignedSmallInt => "INTEGER",
        SqlType::BigInt | SqlType::UnsignedInteger => "BIGINT",
        SqlType::UnsignedBigInt => "NUMERIC(20)",
        SqlType::Float => "REAL",
        SqlType::Double => "DOUBLE PRECISION",
        SqlType::Decimal { precision, scale } => return numeric(*precision, *scale, out),
        SqlType::String(Some(length)) => return varchar(*length as usize, out),
        SqlType::String(None) => "VARCHAR",
        SqlType::Text => "TEXT",
        SqlType::Binary(_) => "BYTEA",
        SqlType::Date => "DATE",
        SqlType::Time => "TIME",
        SqlType::DateTime => "TIMESTAMP",
        SqlType::Timestamp => "TIMESTAMPTZ",
        SqlType::Uuid => "UUID",
        SqlType::Json => "JSONB",
        SqlType::Inet | SqlType::Inet4 | SqlType::Inet6 => "INET",
        SqlType::Interval => "INTERVAL",
        SqlType::Array(element) => {
            postgres(schema, element, out);
            "[]"
        }
        SqlType::Range(bounds) => range(bounds),
        SqlType::Enum { name, .. } => return super::quote_table(Dialect::Postgres, schema, name, out),
        SqlType::Other(name) => name,
    };
    out.push_str(name);
}

/// The names of MariaDB and MySQL. Times have microseconds, which are not the default there; a decimal that does not say
/// how large has as many digits as there may be.
fn mysql(dialect: Dialect, ty: &SqlType, out: &mut String) {
    let name = match ty {
        SqlType::Boolean => "BOOLEAN",
        SqlType::TinyInt => "TINYINT",
        SqlType::SmallInt => "SMALLINT",
        SqlType::Integer => "INTEGER",
        SqlType::BigInt => "BIGINT",
        SqlType::UnsignedTinyInt => "TINYINT UNSIGNED",
        SqlType::UnsignedSmallInt => "SMALLINT UNSIGNED",
        SqlType::UnsignedInteger => "INTEGER UNSIGNED",
        SqlType::UnsignedBigInt => "BIGINT UNSIGNED",
        SqlType::Float => "FLOAT",
        SqlType::Double => "DOUBLE",
        SqlType::Decimal { precision: None, .. } => "NUMERIC(65, 30)",
        SqlType::Decimal { precision, scale } => return numeric(*precision, *scale, out),
        SqlType::String(length) => return varchar(length.map_or(255, |length| length as usize), out),
        SqlType::Text => "LONGTEXT",
        SqlType::Binary(Some(length)) if *length <= 16_383 => {
            write!(out, "VARBINARY({length})").expect("a String takes all that is written");
            return;
        }
        SqlType::Binary(_) => "LONGBLOB",
        SqlType::Date => "DATE",
        SqlType::Time => "TIME(6)",
        // TIMESTAMP ends in 2038 and is changed by the session's time zone; instants are stored in UTC.
        SqlType::DateTime | SqlType::Timestamp => "DATETIME(6)",
        SqlType::Uuid if dialect == Dialect::MariaDb => "UUID",
        SqlType::Uuid => "CHAR(36)",
        SqlType::Json => "JSON",
        // INET6 takes IPv4 addresses in the form of IPv6 alone.
        SqlType::Inet => "VARCHAR(45)",
        SqlType::Inet4 if dialect == Dialect::MariaDb => "INET4",
        SqlType::Inet4 => "VARCHAR(15)",
        SqlType::Inet6 if dialect == Dialect::MariaDb => "INET6",
        SqlType::Inet6 => "VARCHAR(45)",
        SqlType::Interval | SqlType::Array(_) | SqlType::Range(_) => return postgres(None, ty, out),
        SqlType::Enum { values, .. } => {
            out.push_str("ENUM(");
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                super::quote_text(value, out);
            }
            out.push(')');
            return;
        }
        SqlType::Other(name) => name,
    };
    out.push_str(name);
}

/// PostgreSQL's name for the ranges of a type.
fn range(bounds: &SqlType) -> &'static str {
    match bounds {
        SqlType::Integer => "INT4RANGE",
        SqlType::BigInt => "INT8RANGE",
        SqlType::DateTime => "TSRANGE",
        SqlType::Timestamp => "TSTZRANGE",
        SqlType::Date => "DATERANGE",
        _ => "NUMRANGE",
    }
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
