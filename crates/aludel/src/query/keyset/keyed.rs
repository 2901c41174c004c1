//! Rows with the values of their order.

use crate::engine::row::Row;
use crate::error::Result;
use crate::query::eager::Eager;
use crate::query::fetch::{Fetch, Source};
use crate::schema::SqlType;
use crate::sql::Value;

/// A row with the values of its order's terms, which are the last columns of the statement.
pub(super) struct Keyed<R> {
    pub(super) row: R,
    pub(super) key: Vec<Value<'static>>,
}

/// Reads them.
pub(super) struct KeyedReader<'a, R: Fetch> {
    reader: R::Reader<'a>,
    types: &'a [SqlType],
    rows: Vec<R>,
}

impl<R: Fetch> Fetch for Keyed<R> {
    type Streamed = R::Streamed;
    type Reader<'a> = KeyedReader<'a, R>;

    fn width() -> usize {
        R::width()
    }

    fn reader<'a>(source: &mut Source<'a>) -> KeyedReader<'a, R> {
        KeyedReader { types: source.keys, reader: R::reader(source), rows: Vec::new() }
    }

    fn read(reader: &mut KeyedReader<'_, R>, row: &Row<'_>, at: usize) -> Result<Self> {
        Ok(Self { row: R::read(&mut reader.reader, row, at)?, key: key(row, reader.types)? })
    }

    fn detached(row: &Row<'_>, at: usize) -> Result<Self> {
        Ok(Self { row: R::detached(row, at)?, key: Vec::new() })
    }

    fn streamed(row: &Row<'_>, at: usize) -> Result<R::Streamed> {
        R::streamed(row, at)
    }

    fn push(reader: &mut KeyedReader<'_, R>, row: &Row<'_>, rows: &mut Vec<Self>) -> Result<()> {
        R::push(&mut reader.reader, row, &mut reader.rows)?;
        if let Some(new) = reader.rows.pop() {
            rows.push(Self { row: new, key: key(row, reader.types)? });
        }
        Ok(())
    }

    fn finish<'a>(reader: Self::Reader<'a>) -> Option<Box<Eager<'a>>> {
        R::finish(reader.reader)
    }
}

fn key(row: &Row<'_>, types: &[SqlType]) -> Result<Vec<Value<'static>>> {
    let first = row.len() - types.len();
    types.iter().enumerate().map(|(at, ty)| value(row, first + at, ty)).collect()
}

/// A value of a column's type.
fn value(row: &Row<'_>, at: usize, ty: &SqlType) -> Result<Value<'static>> {
    if row.is_null(at) {
        return Ok(Value::Null);
    }
    Ok(match ty {
        SqlType::Boolean => Value::Bool(row.boolean(at)?),
        SqlType::UnsignedBigInt => Value::UInt(row.unsigned(at)?),
        SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Integer
        | SqlType::BigInt
        | SqlType::UnsignedTinyInt
        | SqlType::UnsignedSmallInt
        | SqlType::UnsignedInteger => Value::Int(row.integer(at)?),
        SqlType::Float | SqlType::Double => Value::Double(row.double(at)?),
        SqlType::Decimal { .. } => Value::Decimal(row.decimal(at)?.into_owned().into()),
        SqlType::Binary(_) => Value::Bytes(row.bytes(at)?.to_vec().into()),
        SqlType::Date => Value::Date(row.date(at)?),
        SqlType::Time => Value::Time(row.time(at)?),
        SqlType::DateTime => Value::DateTime(row.datetime(at)?),
        SqlType::Timestamp => Value::Timestamp(row.timestamp(at)?),
        SqlType::Uuid => Value::Uuid(row.uuid(at)?),
        _ => Value::Text(row.text(at)?.to_owned().into()),
    })
}
