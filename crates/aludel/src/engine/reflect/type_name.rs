//! The types that databases name in words.

use std::borrow::Cow;

use crate::schema::SqlType;

/// A name of a type, taken apart: `NUMERIC(10, 2) UNSIGNED` is `numeric`, `[10, 2]` and the whole.
pub(super) struct TypeName<'a> {
    /// The words before the parenthesis, in lower case.
    pub(super) word: String,
    /// The numbers in the parentheses.
    pub(super) numbers: Vec<u32>,
    /// What follows the parentheses, in lower case.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        allow(dead_code, reason = "servers have such types")
    )]
    pub(super) rest: String,
    whole: &'a str,
}

impl<'a> TypeName<'a> {
    pub(super) fn parse(whole: &'a str) -> Self {
        let lower = whole.trim().to_ascii_lowercase();
        let (word, inner, rest) = match lower.split_once('(') {
            None => (lower.as_str(), "", ""),
            Some((word, rest)) => match rest.rsplit_once(')') {
                Some((inner, rest)) => (word.trim_end(), inner, rest.trim()),
                None => (word.trim_end(), rest, ""),
            },
        };
        let numbers = inner.split(',').filter_map(|number| number.trim().parse().ok()).collect();
        Self { word: word.to_owned(), numbers, rest: rest.to_owned(), whole: whole.trim() }
    }

    pub(super) fn length(&self) -> Option<u32> {
        self.numbers.first().copied()
    }

    /// An exact number of so many digits.
    pub(super) fn decimal(&self) -> SqlType {
        let digits = |at: usize| self.numbers.get(at).and_then(|&digits| u8::try_from(digits).ok());
        SqlType::Decimal { precision: digits(0), scale: digits(1) }
    }

    /// A type that only this backend has.
    pub(super) fn other(&self) -> SqlType {
        SqlType::Other(Cow::Owned(self.whole.to_owned()))
    }
}

/// The texts in a list of literals: `'a','b''c'`.
pub(super) fn literals(list: &str) -> Vec<Cow<'static, str>> {
    let mut values = Vec::new();
    let mut rest = list;
    while let Some((_, after)) = rest.split_once('\'') {
        let mut value = String::new();
        rest = after;
        while let Some((part, after)) = rest.split_once('\'') {
            value.push_str(part);
            rest = after;
            match after.strip_prefix('\'') {
                Some(after) => {
                    value.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        values.push(Cow::Owned(value));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart() {
        let name = TypeName::parse("NUMERIC (10, 2) UNSIGNED");
        assert_eq!((name.word.as_str(), &*name.numbers, name.rest.as_str()), ("numeric", &[10, 2][..], "unsigned"));
        assert_eq!(name.decimal(), SqlType::Decimal { precision: Some(10), scale: Some(2) });
        assert_eq!(TypeName::parse("double precision").word, "double precision");
    }

    #[test]
    fn quotes_in_literals_are_doubled() {
        assert_eq!(literals("'a','it''s',''"), ["a", "it's", ""]);
    }
}
