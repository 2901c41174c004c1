//! PostgreSQL's types, by their object identifiers.

/// A type whose binary form this library knows, or any other: its values go and come as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Bytea,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Text,
    Json,
    Jsonb,
    Uuid,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    /// An enum, a domain in a parameter, an interval, an array, ...
    Other,
}

impl Type {
    /// The type of an identifier: those of the types that are built in never change.
    pub(super) fn of(oid: u32) -> Self {
        match oid {
            16 => Self::Bool,
            17 => Self::Bytea,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            26 => Self::Oid,
            // "char", name, text, unknown, char(n), varchar.
            18 | 19 | 25 | 705 | 1042 | 1043 => Self::Text,
            114 => Self::Json,
            700 => Self::Float4,
            701 => Self::Float8,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 => Self::Timestamp,
            1184 => Self::Timestamptz,
            1700 => Self::Numeric,
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ => Self::Other,
        }
    }

    /// Whether its values come in their binary form.
    pub(super) fn is_binary(self) -> bool {
        self != Self::Other
    }

    /// What a value of it is, as messages name it.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Bytea => "bytes",
            Self::Int2 | Self::Int4 | Self::Int8 | Self::Oid => "an integer",
            Self::Float4 | Self::Float8 => "a float",
            Self::Numeric => "a decimal number",
            Self::Text => "text",
            Self::Json | Self::Jsonb => "JSON",
            Self::Uuid => "a UUID",
            Self::Date => "a date",
            Self::Time => "a time",
            Self::Timestamp => "a date and time without a zone",
            Self::Timestamptz => "a timestamp",
            Self::Other => "a value of another type",
        }
    }

    /// Its name in SQL.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Bytea => "bytea",
            Self::Int2 => "smallint",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Oid => "oid",
            Self::Float4 => "real",
            Self::Float8 => "double precision",
            Self::Numeric => "numeric",
            Self::Text => "text",
            Self::Json => "json",
            Self::Jsonb => "jsonb",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Timestamptz => "timestamptz",
            Self::Other => "another",
        }
    }
}
