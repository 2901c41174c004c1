//! The columns of a result, and where a row has their values.

use mysql_common::constants::{ColumnFlags, ColumnType};

use super::words::Words;

/// The number of the charset that means "no text".
const BINARY: u16 = 63;

/// What a column holds, as far as decoding tells its types apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Float,
    Decimal,
    Text,
    Bytes,
    Bits,
    Json,
    Date,
    Time,
    DateTime,
    Null,
}

impl Kind {
    fn of(kind: ColumnType, charset: u16) -> Self {
        use ColumnType::*;
        match kind {
            MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_LONG | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONGLONG
            | MYSQL_TYPE_YEAR => Self::Integer,
            MYSQL_TYPE_FLOAT | MYSQL_TYPE_DOUBLE => Self::Float,
            MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => Self::Decimal,
            MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE => Self::Date,
            MYSQL_TYPE_TIME | MYSQL_TYPE_TIME2 => Self::Time,
            MYSQL_TYPE_DATETIME | MYSQL_TYPE_DATETIME2 | MYSQL_TYPE_TIMESTAMP | MYSQL_TYPE_TIMESTAMP2 => Self::DateTime,
            MYSQL_TYPE_BIT => Self::Bits,
            MYSQL_TYPE_JSON => Self::Json,
            MYSQL_TYPE_NULL => Self::Null,
            _ if charset == BINARY => Self::Bytes,
            _ => Self::Text,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Integer => "an integer",
            Self::Float => "a float",
            Self::Decimal => "a decimal number",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Bits => "bits",
            Self::Json => "JSON",
            Self::Date => "a date",
            Self::Time => "a time",
            Self::DateTime => "a date and time",
            Self::Null => "NULL",
        }
    }
}

/// How a value lies in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Integers of so many bytes.
    Byte,
    Short,
    Long,
    LongLong,
    Float,
    Double,
    /// Up to eleven bytes: year, month and day, the time, its microseconds.
    Date,
    /// Up to twelve bytes: the sign, days, the time, its microseconds.
    Time,
    /// Bytes, or the digits of a value in a result that has all its values as text.
    Bytes,
}

impl Form {
    fn of(kind: ColumnType) -> Self {
        use ColumnType::*;
        match kind {
            MYSQL_TYPE_TINY => Self::Byte,
            MYSQL_TYPE_SHORT | MYSQL_TYPE_YEAR => Self::Short,
            MYSQL_TYPE_LONG | MYSQL_TYPE_INT24 => Self::Long,
            MYSQL_TYPE_LONGLONG => Self::LongLong,
            MYSQL_TYPE_FLOAT => Self::Float,
            MYSQL_TYPE_DOUBLE => Self::Double,
            MYSQL_TYPE_DATE | MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP => Self::Date,
            MYSQL_TYPE_TIME => Self::Time,
            _ => Self::Bytes,
        }
    }
}

/// A column of a result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) kind: Kind,
    pub(super) form: Form,
    pub(super) unsigned: bool,
}

impl Column {
    /// The column that a packet describes: six names, and then numbers.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut words = Words(body);
        for _ in 0..6 {
            words.text()?;
        }
        // The length of what follows.
        words.length()?;
        let charset = words.u16()?;
        let _display_width = words.u32()?;
        let kind = ColumnType::try_from(words.u8()?).ok()?;
        let flags = words.u16()?;
        let unsigned = flags & ColumnFlags::UNSIGNED_FLAG.bits() != 0;
        Some(Self { kind: Kind::of(kind, charset), form: Form::of(kind), unsigned })
    }

    /// The same in a result that has all its values as text.
    pub(super) fn as_text(self) -> Self {
        Self { form: Form::Bytes, ..self }
    }
}

/// Where the value of a column is in its row: from where to where.
pub(super) type Field = (u32, u32);

/// What stands in the place of a NULL.
pub(super) const NULL: Field = (u32::MAX, u32::MAX);

/// Finds the values of a row in the binary form; whether it is one of these columns.
#[inline]
pub(super) fn split_binary(body: &[u8], columns: &[Column], fields: &mut Vec<Field>) -> bool {
    fields.clear();
    // A header of one byte, and a bit for each column, the first two of which mean nothing.
    let start = 1 + (columns.len() + 9) / 8;
    let Some((head, rest)) = body.split_at_checked(start) else { return false };
    let nulls = &head[1..];
    let mut words = Words(rest);
    for (index, column) in columns.iter().enumerate() {
        let bit = index + 2;
        if nulls[bit / 8] >> (bit % 8) & 1 == 1 {
            fields.push(NULL);
            continue;
        }
        let length = match column.form {
            Form::Byte => 1,
            Form::Short => 2,
            Form::Long | Form::Float => 4,
            Form::LongLong | Form::Double => 8,
            Form::Date | Form::Time | Form::Bytes => match words.length() {
                Some(length) => length as usize,
                None => return false,
            },
        };
        let start = (body.len() - words.0.len()) as u32;
        if words.bytes(length).is_none() {
            return false;
        }
        fields.push((start, start + length as u32));
    }
    words.0.is_empty()
}

/// Finds the values of a row in the form that has all of them as text; whether it is one of these columns.
pub(super) fn split_text(body: &[u8], columns: &[Column], fields: &mut Vec<Field>) -> bool {
    /// What stands in the place of a NULL.
    const ABSENT: u8 = 0xFB;
    fields.clear();
    let mut words = Words(body);
    for _ in columns {
        if words.0.first() == Some(&ABSENT) {
            words.u8();
            fields.push(NULL);
            continue;
        }
        let Some(text) = words.text() else { return false };
        let end = (body.len() - words.0.len()) as u32;
        fields.push((end - text.len() as u32, end));
    }
    words.0.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(form: Form) -> Column {
        Column { kind: Kind::Text, form, unsigned: false }
    }

    #[test]
    fn a_row_that_is_too_short_or_too_long_is_none_of_its_columns() {
        let columns = [column(Form::Long), column(Form::Bytes), column(Form::Short)];
        // The second one is NULL.
        let row = [0, 0b1000, 1, 2, 3, 4, 5, 6];
        let mut fields = Vec::new();
        assert!(split_binary(&row, &columns, &mut fields));
        assert_eq!(fields, [(2, 6), NULL, (6, 8)]);
        assert!((0..row.len()).all(|length| !split_binary(&row[..length], &columns, &mut fields)));
        assert!(!split_binary(&[&row[..], &[0]].concat(), &columns, &mut fields));
    }

    #[test]
    fn a_row_of_texts_has_a_length_before_each() {
        let columns = [column(Form::Bytes); 3];
        let row = [2, b'4', b'2', 0xFB, 0];
        let mut fields = Vec::new();
        assert!(split_text(&row, &columns, &mut fields));
        assert_eq!(fields, [(1, 3), NULL, (5, 5)]);
        assert!((0..row.len()).all(|length| !split_text(&row[..length], &columns, &mut fields)));
        assert!(!split_text(&[&row[..], &[0]].concat(), &columns, &mut fields));
    }
}
