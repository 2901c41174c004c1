//! The Rust type of a column: the one table to extend for a type that is new.

use crate::schema::{Column, SqlType};

/// A column's type in Rust, without `Option`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RustType {
    pub(super) name: String,
    /// What `#[column(..)]` says of it beside.
    pub(super) attributes: Vec<String>,
    /// The crate that it is of, where that is neither the standard library nor `aludel`.
    pub(super) dependency: Option<&'static str>,
    /// Whether it may be a key or hold another table's.
    pub(super) key: bool,
}

impl RustType {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), dependency: None, key: true }
    }

    fn of(self, dependency: &'static str) -> Self {
        Self { dependency: Some(dependency), ..self }
    }

    /// The crate that the elements are of.
    fn needing(self, element: &SqlType) -> Self {
        match element {
            SqlType::Decimal { .. } => self.of("rust_decimal"),
            SqlType::Date | SqlType::Time | SqlType::DateTime => self.of("jiff"),
            _ => self,
        }
    }

    fn with(mut self, attribute: String) -> Self {
        self.attributes.push(attribute);
        self
    }

    fn no_key(self) -> Self {
        Self { key: false, ..self }
    }
}

/// The type that holds a column's values, if there is one; `named` gives the name of an enum.
pub(super) fn rust_type(column: &Column, named: impl FnOnce(&Column) -> String) -> Option<RustType> {
    let sized = |ty: RustType, length: &Option<u32>| match length {
        Some(length) => ty.with(format!("length = {length}")),
        None => ty,
    };
    Some(match &column.ty {
        SqlType::Boolean => RustType::new("bool"),
        SqlType::TinyInt => RustType::new("i8"),
        SqlType::SmallInt => RustType::new("i16"),
        SqlType::Integer => RustType::new("i32"),
        SqlType::BigInt => RustType::new("i64"),
        SqlType::UnsignedTinyInt => RustType::new("u8"),
        SqlType::UnsignedSmallInt => RustType::new("u16"),
        SqlType::UnsignedInteger => RustType::new("u32"),
        SqlType::UnsignedBigInt => RustType::new("u64"),
        SqlType::Float => RustType::new("f32").no_key(),
        SqlType::Double => RustType::new("f64").no_key(),
        SqlType::Decimal { precision, scale } => {
            let ty = RustType::new("rust_decimal::Decimal").of("rust_decimal");
            match (precision, scale) {
                (Some(digits), Some(scale)) => {
                    ty.with(format!("precision = {digits}")).with(format!("scale = {scale}"))
                }
                (Some(digits), None) => ty.with(format!("precision = {digits}")),
                (None, _) => ty,
            }
        }
        SqlType::String(length) => sized(RustType::new("String"), length),
        SqlType::Text => RustType::new("String").with("text".to_owned()),
        SqlType::Binary(length) => sized(RustType::new("Vec<u8>"), length),
        SqlType::Date => RustType::new("jiff::civil::Date").of("jiff"),
        SqlType::Time => RustType::new("jiff::civil::Time").of("jiff"),
        SqlType::DateTime => RustType::new("jiff::civil::DateTime").of("jiff"),
        SqlType::Timestamp => RustType::new("Timestamp"),
        SqlType::Uuid => RustType::new("Uuid"),
        SqlType::Json => RustType::new("aludel::Json<serde_json::Value>").of("serde_json").no_key(),
        SqlType::Enum { .. } => RustType::new(&named(column)),
        SqlType::Inet => RustType::new("std::net::IpAddr"),
        SqlType::Inet4 => RustType::new("std::net::Ipv4Addr"),
        SqlType::Inet6 => RustType::new("std::net::Ipv6Addr"),
        SqlType::Interval => RustType::new("jiff::Span").of("jiff").no_key(),
        SqlType::Array(element) => RustType::new(&format!("Vec<{}>", element_type(element)?)).needing(element).no_key(),
        SqlType::Range(bounds) => {
            RustType::new(&format!("aludel::model::Range<{}>", element_type(bounds)?)).needing(bounds).no_key()
        }
        SqlType::Other(_) => return None,
    })
}

/// The type of what is in an array, or of a range's bounds.
fn element_type(ty: &SqlType) -> Option<&'static str> {
    Some(match ty {
        SqlType::Boolean => "bool",
        SqlType::SmallInt => "i16",
        SqlType::Integer => "i32",
        SqlType::BigInt => "i64",
        SqlType::Float => "f32",
        SqlType::Double => "f64",
        SqlType::Decimal { precision: None, .. } => "rust_decimal::Decimal",
        SqlType::String(None) | SqlType::Text => "String",
        SqlType::Date => "jiff::civil::Date",
        SqlType::Time => "jiff::civil::Time",
        SqlType::DateTime => "jiff::civil::DateTime",
        SqlType::Timestamp => "Timestamp",
        SqlType::Uuid => "Uuid",
        SqlType::Inet => "std::net::IpAddr",
        _ => return None,
    })
}

/// What to do about a column whose type Rust has none for.
pub(super) fn cure(ty: &SqlType) -> &'static str {
    match ty {
        SqlType::Other(name) if ["cidr", "macaddr", "macaddr8"].contains(&&**name) => {
            "; read and write it as text, by a query on the reflected table or by SQL with CAST(.. AS text)"
        }
        _ => "",
    }
}

/// The database's name of a type that Rust has none for.
pub(super) fn database_name(ty: &SqlType) -> String {
    match ty {
        SqlType::Other(name) => name.clone().into_owned(),
        other => format!("{other:?}"),
    }
}

/// Whether a key of this type is counted up by itself, where nothing else is said.
pub(super) fn is_integer(ty: &RustType) -> bool {
    ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"].contains(&ty.name.as_str())
}
