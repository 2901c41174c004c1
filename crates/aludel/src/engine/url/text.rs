//! The characters of a URL.

use std::fmt::Write;

use super::config;
use crate::error::Result;

/// The text behind `%` signs.
pub(super) fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
                    return Err(config("the database URL has a `%` that is not followed by two hexadecimal digits"));
                };
                bytes.push((high * 16 + low) as u8);
                rest = tail;
            }
            (b'%', _) => {
                return Err(config("the database URL has a `%` that is not followed by two hexadecimal digits"));
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| config("the database URL is not UTF-8 once its `%` signs are decoded"))
}

/// Writes a text with `%` signs where it needs them.
pub(super) fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~:\\".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
