//! A place in an order, as text that nobody can change.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

use super::bad_cursor;

/// How many bytes a signature has.
const SIGNATURE: usize = 32;

/// A place in an order.
pub(super) struct Cursor {
    /// Whether the page ends before it; else it begins after it.
    pub(super) backward: bool,
    /// Whether the row at this place belongs to the page.
    pub(super) inclusive: bool,
    /// The values of the order's terms.
    pub(super) values: Vec<Value<'static>>,
}

/// What cursors of a query are signed with.
pub(super) struct Seal {
    key: Hmac<Sha256>,
    /// What tells the query's tables and order from others.
    query: String,
}

impl Seal {
    pub(super) fn new(key: Hmac<Sha256>, query: String) -> Self {
        Self { key, query }
    }

    /// The cursor as text.
    ///
    /// # Errors
    /// `InvalidStatement` for a value that no order has.
    pub(super) fn close(&self, cursor: &Cursor) -> Result<String> {
        let values = cursor.values.iter().map(to_json).collect::<Result<Vec<_>>>()?;
        let text = json!([self.query, cursor.backward, cursor.inclusive, values]).to_string();
        let mut bytes = self.sign(text.as_bytes()).finalize().into_bytes().to_vec();
        bytes.extend(text.into_bytes());
        Ok(BASE64.encode(bytes))
    }

    /// The cursor of a text.
    ///
    /// # Errors
    /// `BadRequest` when it was changed, or is of another query.
    pub(super) fn open(&self, text: &str, terms: usize) -> Result<Cursor> {
        let changed = || bad_cursor("`cursor` is not one of ours, or was changed: begin with the first page");
        let bytes = BASE64.decode(text).map_err(|_| changed())?;
        let (signature, text) = bytes.split_at_checked(SIGNATURE).ok_or_else(changed)?;
        self.sign(text).verify_slice(signature).map_err(|_| changed())?;
        let (query, backward, inclusive, values): (String, bool, bool, Vec<Json>) =
            serde_json::from_slice(text).map_err(|_| changed())?;
        if query != self.query || values.len() != terms {
            return Err(bad_cursor(
                "`cursor` belongs to another list, or to another order of this one: begin with the first page",
            ));
        }
        let values = values.iter().map(|value| from_json(value).ok_or_else(changed)).collect::<Result<_>>()?;
        Ok(Cursor { backward, inclusive, values })
    }

    fn sign(&self, text: &[u8]) -> Hmac<Sha256> {
        let mut key = self.key.clone();
        key.update(text);
        key
    }
}

/// The key that cursors are signed with, of a program's secret.
pub(crate) fn signing_key(secret: &str) -> Hmac<Sha256> {
    let mut key = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    // The secret may be used for other things too: what is signed for those is no cursor.
    key.update(b"aludel cursor 1\0");
    key
}

fn to_json(value: &Value<'_>) -> Result<Json> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(["b", value]),
        Value::Int(value) => json!(["i", value]),
        Value::UInt(value) => json!(["u", value]),
        Value::Float(value) => json!(["f", value.to_bits()]),
        Value::Double(value) => json!(["d", value.to_bits()]),
        Value::Text(value) => json!(["t", value]),
        Value::Bytes(value) => json!(["x", BASE64.encode(value)]),
        Value::Uuid(value) => text("U", value),
        Value::Decimal(value) => json!(["n", value]),
        Value::Date(value) => text("D", value),
        Value::Time(value) => text("T", value),
        Value::DateTime(value) => text("L", value),
        Value::Timestamp(value) => text("Z", value),
        _ => {
            return Err(Error::new(
                ErrorKind::InvalidStatement,
                "paginate_by_key: a value of the order has no place in a cursor; order by columns of numbers, texts, \
                 dates, UUIDs or bytes",
            ));
        }
    })
}

fn text(tag: &str, value: impl Display) -> Json {
    json!([tag, value.to_string()])
}

fn from_json(value: &Json) -> Option<Value<'static>> {
    if value.is_null() {
        return Some(Value::Null);
    }
    let tag = value.get(0)?.as_str()?;
    let value = value.get(1)?;
    fn parsed<T: FromStr>(value: &Json) -> Option<T> {
        value.as_str()?.parse().ok()
    }
    let owned = || Some(value.as_str()?.to_owned());
    Some(match tag {
        "b" => Value::Bool(value.as_bool()?),
        "i" => Value::Int(value.as_i64()?),
        "u" => Value::UInt(value.as_u64()?),
        "f" => Value::Float(f32::from_bits(u32::try_from(value.as_u64()?).ok()?)),
        "d" => Value::Double(f64::from_bits(value.as_u64()?)),
        "t" => Value::Text(owned()?.into()),
        "x" => Value::Bytes(BASE64.decode(value.as_str()?).ok()?.into()),
        "U" => Value::Uuid(parsed(value)?),
        "n" => Value::Decimal(owned()?.into()),
        "D" => Value::Date(parsed(value)?),
        "T" => Value::Time(parsed(value)?),
        "L" => Value::DateTime(parsed(value)?),
        "Z" => Value::Timestamp(parsed(value)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(secret: &str, query: &str) -> Seal {
        Seal::new(signing_key(secret), query.to_owned())
    }

    fn values() -> Vec<Value<'static>> {
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::UInt(u64::MAX),
            Value::Float(-0.0),
            Value::Double(0.1),
            Value::Text("a\"ü".into()),
            Value::Bytes(vec![0, 255].into()),
            Value::Uuid(uuid::Uuid::from_u128(7)),
            Value::Decimal("-1.50".into()),
            Value::Date("2026-02-28".parse().unwrap()),
            Value::Time("10:00:00.000001".parse().unwrap()),
            Value::DateTime("2026-02-28T10:00:00".parse().unwrap()),
            Value::Timestamp("2026-02-28T10:00:00.123456Z".parse().unwrap()),
        ]
    }

    #[test]
    fn each_value_comes_back_as_it_was() {
        let seal = seal("secret", "q");
        let text = seal.close(&Cursor { backward: true, inclusive: false, values: values() }).unwrap();
        let cursor = seal.open(&text, values().len()).unwrap();
        assert_eq!((cursor.backward, cursor.inclusive, cursor.values), (true, false, values()));
    }

    #[test]
    fn what_was_changed_anywhere_is_refused() {
        let seal = seal("secret", "q");
        let text = seal.close(&Cursor { backward: false, inclusive: false, values: vec![Value::Int(5)] }).unwrap();
        let bytes = BASE64.decode(&text).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let error = seal.open(&BASE64.encode(changed), 1).err().expect("an error");
                assert_eq!(error.kind(), ErrorKind::BadRequest, "byte {at}, bit {bit}");
            }
        }
        for other in ["", "x", "AAAA", &text[1..], &text[..text.len() - 4]] {
            assert_eq!(seal.open(other, 1).err().expect("an error").kind(), ErrorKind::BadRequest);
        }
    }

    #[test]
    fn a_cursor_of_another_key_or_query_is_refused() {
        let text = seal("secret", "q").close(&Cursor { backward: false, inclusive: false, values: vec![] }).unwrap();
        assert!(seal("secret", "q").open(&text, 0).is_ok());
        assert!(seal("other", "q").open(&text, 0).is_err());
        assert!(seal("secret", "r").open(&text, 0).is_err());
        assert!(seal("secret", "q").open(&text, 1).is_err());
    }
}
