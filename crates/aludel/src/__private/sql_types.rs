//! What `length`, `text` and `precision` make of a column's type, while the program is compiled.

use std::mem::forget;

use crate::schema::SqlType;

// A `SqlType` may own memory, which nothing can free while compiling; those of column types own none.

/// `#[column(length = ..)]`
pub const fn with_length(ty: SqlType, length: u32) -> SqlType {
    let sized = match &ty {
        SqlType::String(_) => SqlType::String(Some(length)),
        SqlType::Binary(_) => SqlType::Binary(Some(length)),
        _ => panic!("`length` is for columns of text or bytes"),
    };
    forget(ty);
    sized
}

/// `#[column(text)]`
pub const fn as_text(ty: SqlType) -> SqlType {
    match &ty {
        SqlType::String(_) | SqlType::Text => {}
        _ => panic!("`text` is for columns of text"),
    }
    forget(ty);
    SqlType::Text
}

/// `#[column(precision = .., scale = ..)]`
pub const fn with_precision(ty: SqlType, precision: Option<u8>, scale: Option<u8>) -> SqlType {
    match &ty {
        SqlType::Decimal { .. } => {}
        _ => panic!("`precision` and `scale` are for columns of decimals"),
    }
    forget(ty);
    SqlType::Decimal { precision, scale }
}
