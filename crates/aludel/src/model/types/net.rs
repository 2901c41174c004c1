//! Addresses of the internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::scalar::Scalar;
use super::{given_key, mismatch};
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ColumnType, KeyType};
use crate::schema::SqlType;
use crate::sql::Value;

/// An address: `INET` on PostgreSQL, text elsewhere, where orders and comparisons with `<` are those of texts. IPv4 addresses that are written
/// as IPv6 (`::ffff:10.0.0.1`) are IPv4 addresses, everywhere.
impl ColumnType for IpAddr {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Inet;

    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        Self::read_text(row.text(index)?).ok_or_else(|| malformed().with_position(index))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Text(self.to_canonical().to_string().into())
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Text(text) => Self::read_text(&text).ok_or_else(malformed),
            other => Err(mismatch("an address", &other)),
        }
    }
}

/// Addresses of one version: MariaDB's `INET4` and `INET6`, `INET` on PostgreSQL, text elsewhere.
macro_rules! one_version {
    ($($rust:ty: $sql:ident;)*) => {$(
        impl ColumnType for $rust {
            type Base = Self;
            const SQL_TYPE: SqlType = SqlType::$sql;

            fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
                row.text(index)?.parse().map_err(|_| malformed().with_position(index))
            }

            fn to_value(&self) -> Value<'_> {
                Value::Text(self.to_string().into())
            }

            fn from_value(value: Value<'_>) -> Result<Self> {
                match value {
                    Value::Text(text) => text.parse().map_err(|_| malformed()),
                    other => Err(mismatch("an address", &other)),
                }
            }
        }
    )*};
}

one_version! {
    Ipv4Addr: Inet4;
    Ipv6Addr: Inet6;
}

given_key! {
    Ipv4Addr: Ipv4Addr::UNSPECIFIED;
    Ipv6Addr: Ipv6Addr::UNSPECIFIED;
    IpAddr: IpAddr::V4(Ipv4Addr::UNSPECIFIED);
}

#[cold]
fn malformed() -> Error {
    Error::new(ErrorKind::Decode, "the value is not a single address; read a network as text: CAST(.. AS TEXT)")
}
