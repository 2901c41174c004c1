//! Values on their way into a statement.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

use super::types::Type;
use super::{numeric, temporal};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// Writes a Bind: the values of a statement, each in the form that its parameter's type takes, and the forms that the
/// result is asked for. What was written before an error is the caller's to take back.
///
/// # Errors
/// `Decode` for a value that its parameter cannot take, with its number; `InvalidStatement` when there are too many or
/// too few values.
pub(super) fn write(
    out: &mut BytesMut,
    portal: &str,
    statement: &str,
    parameters: &[Type],
    columns: &[Type],
    values: &[Value<'_>],
) -> Result<()> {
    if parameters.len() != values.len() {
        return Err(Error::new(
            ErrorKind::InvalidStatement,
            format!("the statement has {} placeholders, and {} values were given", parameters.len(), values.len()),
        ));
    }
    out.put_u8(b'B');
    let start = out.len();
    out.put_u32(0);
    for name in [portal, statement] {
        out.put_slice(name.as_bytes());
        out.put_u8(0);
    }
    // PostgreSQL counts them in 16 bits, and has inferred types for no more.
    let count = values.len() as u16;
    out.put_u16(count);
    let forms = out.len();
    out.put_bytes(0, values.len() * 2);
    out.put_u16(count);
    for (at, (value, &kind)) in values.iter().zip(parameters).enumerate() {
        let form = put_sized(out, kind, value).map_err(|error| error.with_parameter(at + 1))?;
        out[forms + at * 2 + 1] = u8::from(form == Form::Binary);
    }
    if columns.iter().all(|kind| kind.is_binary()) {
        out.put_u16(1);
        out.put_u16(1);
    } else {
        out.put_u16(columns.len() as u16);
        for kind in columns {
            out.put_u16(u16::from(kind.is_binary()));
        }
    }
    let length = i32::try_from(out.len() - start).map_err(|_| {
        Error::new(ErrorKind::InvalidStatement, "the values are together longer than PostgreSQL allows")
    })?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// Writes a row for COPY: the number of its columns and each value in the binary form of its column's type; whether all
/// of them have one. `first` is the number of the row's first value among those of all rows.
///
/// # Errors
/// `Decode` for a value that its column cannot take, with its number.
pub(super) fn write_tuple<'v>(
    out: &mut BytesMut,
    types: &[Type],
    first: usize,
    value: impl Fn(usize) -> Value<'v>,
) -> Result<bool> {
    out.put_u16(types.len() as u16);
    for (at, &kind) in types.iter().enumerate() {
        match put_sized(out, kind, &value(at)).map_err(|error| error.with_parameter(first + at + 1))? {
            // The binary form of a text is the text.
            Form::Text if kind != Type::Text => return Ok(false),
            Form::Null | Form::Text | Form::Binary => {}
        }
    }
    Ok(true)
}

/// Writes a value with its length before it.
fn put_sized(out: &mut BytesMut, kind: Type, value: &Value<'_>) -> Result<Form> {
    let length = out.len();
    out.put_i32(-1);
    let form = put(out, kind, value)?;
    if form != Form::Null {
        let size =
            i32::try_from(out.len() - length - 4).map_err(|_| refuse("the value is longer than PostgreSQL allows"))?;
        out[length..length + 4].copy_from_slice(&size.to_be_bytes());
    }
    Ok(form)
}

/// How a value was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Null,
    Text,
    Binary,
}

/// Writes a value. A text goes to parameters of all types, as it would stand in quotes in SQL; a parameter that is
/// text, or of a type that this library does not know, takes every value as its text.
fn put(out: &mut BytesMut, kind: Type, value: &Value<'_>) -> Result<Form> {
    match (kind, value) {
        (_, Value::Null) => return Ok(Form::Null),
        (_, Value::PendingKey(_)) => {
            return Err(Error::new(ErrorKind::InvalidStatement, "the key of a row that is not in the database yet"));
        }
        (_, Value::Invalid(reason)) => return Err(refuse(reason.to_string())),
        (_, Value::Int(v)) if is_number(kind) => return integer(out, kind, (*v).into()),
        (_, Value::UInt(v)) if is_number(kind) => return integer(out, kind, (*v).into()),
        (Type::Int2 | Type::Int4 | Type::Int8, Value::Bool(v)) => return integer(out, kind, i128::from(*v)),
        (Type::Bool, Value::Bool(v)) => out.put_u8((*v).into()),
        (Type::Bool, Value::Int(v @ (0 | 1))) => out.put_u8(u8::from(*v == 1)),
        (Type::Float8, Value::Float(v)) => out.put_f64((*v).into()),
        (Type::Float8, Value::Double(v)) => out.put_f64(*v),
        (Type::Float4, Value::Float(v)) => out.put_f32(*v),
        (Type::Float4, Value::Double(v)) => {
            let single = *v as f32;
            if single.is_infinite() && v.is_finite() {
                return Err(out_of_range(kind));
            }
            out.put_f32(single);
        }
        (Type::Numeric, Value::Decimal(v)) => numeric::write(out, v).map_err(refuse)?,
        (Type::Bytea, Value::Bytes(v)) => out.put_slice(v),
        (Type::Uuid, Value::Uuid(v)) => out.put_slice(v.as_bytes()),
        (Type::Date, Value::Date(v)) => out.put_i32(temporal::days(*v)),
        (Type::Time, Value::Time(v)) => out.put_i64(temporal::time_micros(*v)),
        (Type::Timestamp, Value::DateTime(v)) => out.put_i64(temporal::datetime_micros(*v)),
        (Type::Timestamp, Value::Date(v)) => out.put_i64(temporal::datetime_micros((*v).into())),
        (Type::Timestamptz, Value::Timestamp(v)) => out.put_i64(temporal::timestamp_micros(*v)),
        (Type::Json, Value::Json(v)) => text(out, v)?,
        (Type::Jsonb, Value::Json(v)) => {
            // The form's version goes first.
            out.put_u8(1);
            text(out, v)?;
        }
        (Type::Text | Type::Other, value) => return as_text(out, kind, value),
        (_, Value::Text(v)) => {
            text(out, v)?;
            return Ok(Form::Text);
        }
        (Type::Float4 | Type::Float8, Value::Decimal(_)) | (Type::Numeric, Value::Float(_) | Value::Double(_)) => {
            return as_text(out, kind, value);
        }
        (kind, value) => return Err(mismatch(kind, value)),
    }
    Ok(Form::Binary)
}

fn is_number(kind: Type) -> bool {
    use Type::{Float4, Float8, Int2, Int4, Int8, Numeric, Oid};
    matches!(kind, Int2 | Int4 | Int8 | Oid | Float4 | Float8 | Numeric)
}

fn integer(out: &mut BytesMut, kind: Type, value: i128) -> Result<Form> {
    let range = |_| out_of_range(kind);
    match kind {
        Type::Int2 => out.put_i16(value.try_into().map_err(range)?),
        Type::Int4 => out.put_i32(value.try_into().map_err(range)?),
        Type::Int8 => out.put_i64(value.try_into().map_err(range)?),
        Type::Oid => out.put_u32(value.try_into().map_err(range)?),
        Type::Float4 => out.put_f32(value as f32),
        Type::Float8 => out.put_f64(value as f64),
        _ => numeric::write(out, &value.to_string()).map_err(refuse)?,
    }
    Ok(Form::Binary)
}

/// A value as PostgreSQL would read it between quotes.
fn as_text(out: &mut BytesMut, kind: Type, value: &Value<'_>) -> Result<Form> {
    // Nothing written to a buffer in memory fails.
    let written = match value {
        Value::Text(v) | Value::Json(v) | Value::Decimal(v) => {
            text(out, v)?;
            Ok(())
        }
        Value::Float(v) => float(out, f64::from(*v), &v.to_string()),
        Value::Double(v) => float(out, *v, &v.to_string()),
        Value::Bytes(v) if kind == Type::Other => {
            out.put_slice(b"\\x");
            v.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
        }
        Value::Date(v) => date(out, *v, ""),
        Value::Time(v) => write!(out, "{v}"),
        Value::DateTime(v) => date(out, v.date(), &format!(" {}", v.time())),
        Value::Timestamp(v) => {
            let v = v.to_zoned(jiff::tz::TimeZone::UTC);
            date(out, v.date(), &format!(" {}+00", v.time()))
        }
        Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Uuid(_) => write!(out, "{value}"),
        _ => return Err(mismatch(kind, value)),
    };
    written.map_err(|_| refuse("the value cannot be written as text"))?;
    Ok(Form::Text)
}

fn float(out: &mut BytesMut, value: f64, finite: &str) -> std::fmt::Result {
    out.put_slice(match value {
        _ if value.is_nan() => b"NaN",
        f64::INFINITY => b"Infinity",
        f64::NEG_INFINITY => b"-Infinity",
        _ => finite.as_bytes(),
    });
    Ok(())
}

/// A date as PostgreSQL reads it, with the time after it: years before the first are counted the other way.
fn date(out: &mut BytesMut, date: jiff::civil::Date, time: &str) -> std::fmt::Result {
    let (month, day) = (date.month(), date.day());
    match date.year() {
        year @ 1.. => write!(out, "{year:04}-{month:02}-{day:02}{time}"),
        year => write!(out, "{:04}-{month:02}-{day:02}{time} BC", 1 - year),
    }
}

fn text(out: &mut BytesMut, text: &str) -> Result<()> {
    if text.as_bytes().contains(&0) {
        return Err(refuse("the text has a NUL character, which PostgreSQL cannot store"));
    }
    out.put_slice(text.as_bytes());
    Ok(())
}

#[cold]
fn refuse(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Decode, message)
}

#[cold]
fn out_of_range(kind: Type) -> Error {
    refuse(format!("the number is out of range for the type `{}` of PostgreSQL's", kind.name()))
}

#[cold]
fn mismatch(kind: Type, value: &Value<'_>) -> Error {
    let (kind, value) = (kind.name(), value.type_name());
    refuse(format!(
        "PostgreSQL takes the type `{kind}` here, and the value's is {value}; where the statement means another type, \
         write CAST(.. AS ..) around the placeholder"
    ))
}
