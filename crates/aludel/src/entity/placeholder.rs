//! Keys of new rows, until the database makes the real ones.

use crate::schema::SqlType;
use crate::sql::Value;

/// A key that no row has, unique among the model's rows in the session: from the least value of the type upwards, from
/// the greatest of unsigned ones downwards. Half of the type's values are left to real keys; `None` beyond.
pub(crate) fn placeholder(ty: &SqlType, number: u64) -> Option<Value<'static>> {
    let (first, unsigned) = match ty {
        SqlType::TinyInt => (i64::from(i8::MIN), false),
        SqlType::SmallInt => (i64::from(i16::MIN), false),
        SqlType::Integer => (i64::from(i32::MIN), false),
        SqlType::UnsignedTinyInt => (i64::from(u8::MAX), true),
        SqlType::UnsignedSmallInt => (i64::from(u16::MAX), true),
        SqlType::UnsignedInteger => (i64::from(u32::MAX), true),
        SqlType::UnsignedBigInt => return (number <= u64::MAX / 2).then(|| Value::UInt(u64::MAX - number)),
        _ => (i64::MIN, false),
    };
    let half = if unsigned { first.unsigned_abs() / 2 } else { first.unsigned_abs() };
    let number = i64::try_from(number).ok().filter(|number| number.unsigned_abs() < half)?;
    Some(Value::Int(if unsigned { first - number } else { first + number }))
}

/// Whether a value is in the half of the type's values that real keys leave to placeholders.
#[inline]
pub(crate) fn may_be_placeholder(ty: &SqlType, value: &Value<'_>) -> bool {
    let value = match value {
        Value::Int(value) => *value,
        Value::UInt(value) => return matches!(ty, SqlType::UnsignedBigInt) && *value > u64::MAX / 2,
        _ => return false,
    };
    match ty {
        SqlType::UnsignedTinyInt => value > i64::from(u8::MAX / 2),
        SqlType::UnsignedSmallInt => value > i64::from(u16::MAX / 2),
        SqlType::UnsignedInteger => value > i64::from(u32::MAX / 2),
        SqlType::UnsignedBigInt => false,
        SqlType::TinyInt => value < i64::from(i8::MIN / 2),
        SqlType::SmallInt => value < i64::from(i16::MIN / 2),
        SqlType::Integer => value < i64::from(i32::MIN / 2),
        _ => value < i64::MIN / 2,
    }
}

/// Whether a value is one of the first so many placeholders.
pub(super) fn is_placeholder(ty: &SqlType, made: u64, value: &Value<'_>) -> bool {
    match (placeholder(ty, 0), value) {
        (Some(Value::Int(first)), Value::Int(value)) => first.abs_diff(*value) < made,
        (Some(Value::UInt(first)), Value::UInt(value)) => first.abs_diff(*value) < made,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_leave_half_of_the_type_to_real_keys() {
        assert_eq!(placeholder(&SqlType::TinyInt, 127), Some(Value::Int(-1)));
        assert_eq!(placeholder(&SqlType::TinyInt, 128), None);
        assert_eq!(placeholder(&SqlType::UnsignedTinyInt, 126), Some(Value::Int(129)));
        assert_eq!(placeholder(&SqlType::UnsignedTinyInt, 127), None);
        assert_eq!(placeholder(&SqlType::BigInt, 1), Some(Value::Int(i64::MIN + 1)));
        assert_eq!(placeholder(&SqlType::UnsignedBigInt, 1), Some(Value::UInt(u64::MAX - 1)));
        assert_eq!(placeholder(&SqlType::BigInt, u64::MAX), None);
    }

    #[test]
    fn what_may_be_a_placeholder_is_seen_by_the_value_alone() {
        let types = [
            (SqlType::TinyInt, Value::Int(1)),
            (SqlType::Integer, Value::Int(-5)),
            (SqlType::BigInt, Value::Int(i64::MAX)),
            (SqlType::UnsignedTinyInt, Value::Int(100)),
            (SqlType::UnsignedInteger, Value::Int(7)),
            (SqlType::UnsignedBigInt, Value::Int(i64::MAX)),
        ];
        for (ty, real) in types {
            let first = placeholder(&ty, 0).expect("the first");
            assert!(may_be_placeholder(&ty, &first), "{ty:?}");
            assert!(!may_be_placeholder(&ty, &real), "{ty:?}");
        }
    }

    #[test]
    fn only_what_was_made_is_a_placeholder() {
        let is = |made, value| is_placeholder(&SqlType::BigInt, made, &Value::Int(value));
        assert!(is(2, i64::MIN) && is(2, i64::MIN + 1));
        assert!(!is(2, i64::MIN + 2) && !is(0, i64::MIN) && !is(2, 1));
        assert!(is_placeholder(&SqlType::UnsignedTinyInt, 2, &Value::Int(254)));
    }
}
