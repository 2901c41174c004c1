//! A value of a row by its column's type, where no struct takes it.

use crate::engine::row::Row;
use crate::error::Result;
use crate::schema::SqlType;
use crate::sql::Value;

/// A value of a type.
pub(crate) fn value_of_type(row: &Row<'_>, at: usize, ty: &SqlType) -> Result<Value<'static>> {
    if row.is_null(at) {
        return Ok(Value::Null);
    }
    Ok(match ty {
        SqlType::Boolean => Value::Bool(row.boolean(at)?),
        SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Integer
        | SqlType::BigInt
        | SqlType::UnsignedTinyInt
        | SqlType::UnsignedSmallInt
        | SqlType::UnsignedInteger => Value::Int(row.integer(at)?),
        SqlType::UnsignedBigInt => {
            let value = row.unsigned(at)?;
            i64::try_from(value).map_or(Value::UInt(value), Value::Int)
        }
        SqlType::Float | SqlType::Double => Value::Double(row.double(at)?),
        SqlType::Decimal { .. } => Value::Decimal(row.decimal(at)?.into_owned().into()),
        SqlType::Binary(_) => Value::Bytes(row.bytes(at)?.to_vec().into()),
        SqlType::Date => Value::Date(row.date(at)?),
        SqlType::Time => Value::Time(row.time(at)?),
        SqlType::DateTime => Value::DateTime(row.datetime(at)?),
        SqlType::Timestamp => Value::Timestamp(row.timestamp(at)?),
        SqlType::Uuid => Value::Uuid(row.uuid(at)?),
        SqlType::Json => Value::Json(row.json(at)?.to_owned().into()),
        _ => Value::Text(row.text(at)?.to_owned().into()),
    })
}
