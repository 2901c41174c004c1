//! NUMERIC in its binary form: digits to the base of 10000, the weight of the first, a sign, and how many decimal
//! digits stand after the point.

use bytes::{BufMut, BytesMut};

const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;

/// A number as it lies in a row.
#[derive(Debug, PartialEq)]
pub(super) enum Number<'a> {
    Finite(Finite<'a>),
    Nan,
    Infinite { negative: bool },
}

#[derive(Debug, PartialEq)]
pub(super) struct Finite<'a> {
    /// Two bytes for each digit.
    digits: &'a [u8],
    weight: i16,
    negative: bool,
    scale: u16,
}

/// Reads a number; none where the bytes are no number.
pub(super) fn read(bytes: &[u8]) -> Option<Number<'_>> {
    let (&[a, b, c, d, e, f, g, h], digits) = bytes.split_first_chunk::<8>()?;
    if digits.len() != usize::from(u16::from_be_bytes([a, b])) * 2 {
        return None;
    }
    let negative = match u16::from_be_bytes([e, f]) {
        POSITIVE => false,
        NEGATIVE => true,
        0xC000 => return Some(Number::Nan),
        0xD000 => return Some(Number::Infinite { negative: false }),
        0xF000 => return Some(Number::Infinite { negative: true }),
        _ => return None,
    };
    let (weight, scale) = (i16::from_be_bytes([c, d]), u16::from_be_bytes([g, h]));
    Some(Number::Finite(Finite { digits, weight, negative, scale }))
}

impl Finite<'_> {
    /// The digit of a weight: 0 is the one before the point.
    fn digit(&self, weight: i32) -> u16 {
        usize::try_from(i32::from(self.weight) - weight)
            .ok()
            .and_then(|at| self.digits.get(at * 2..at * 2 + 2))
            .map_or(0, |digit| u16::from_be_bytes([digit[0], digit[1]]))
    }

    /// The number, if it is an integer of 64 bits.
    pub(super) fn integer(&self) -> Option<i64> {
        let mut value: i128 = 0;
        for at in 0..self.digits.len() / 2 {
            let weight = i32::from(self.weight) - at as i32;
            match (weight < 0, self.digit(weight)) {
                (true, 0) => {}
                (true, _) => return None,
                (false, digit) => value = value.checked_mul(10_000)?.checked_add(i128::from(digit))?,
            }
        }
        // Zeros at the end are not sent.
        for _ in self.digits.len() / 2..usize::try_from(i32::from(self.weight) + 1).unwrap_or_default() {
            value = value.checked_mul(10_000)?;
        }
        i64::try_from(if self.negative { -value } else { value }).ok()
    }

    /// The number as text, with as many digits after the point as its column gives it.
    pub(super) fn text(&self) -> String {
        let mut out = String::with_capacity(self.digits.len() * 2 + 8);
        if self.negative {
            out.push('-');
        }
        for weight in (0..=i32::from(self.weight).max(0)).rev() {
            let digit = self.digit(weight).to_string();
            if weight < i32::from(self.weight) {
                out.extend(std::iter::repeat_n('0', 4 - digit.len().min(4)));
            }
            out.push_str(&digit);
        }
        if self.scale > 0 {
            out.push('.');
            let end = out.len() + usize::from(self.scale);
            let mut weight = -1;
            while out.len() < end {
                out.push_str(&format!("{:04}", self.digit(weight)));
                weight -= 1;
            }
            out.truncate(end);
        }
        out
    }
}

/// Writes a decimal number: digits, an optional sign and point; why it cannot be written.
pub(super) fn write(out: &mut BytesMut, text: &str) -> Result<(), &'static str> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + fraction.len() == 0 || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err("the text of the decimal number has other characters than digits");
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() > 131_072 || fraction.len() > 16_383 {
        return Err("the decimal number has more digits than PostgreSQL can store");
    }
    // Groups of four, aligned at the point.
    let digit = |text: &[u8]| text.iter().fold(0, |value, byte| value * 10 + u16::from(byte - b'0'));
    let head = whole.len() % 4;
    let mut groups: Vec<u16> = Vec::with_capacity(digits.len() / 4 + 2);
    if head > 0 {
        groups.push(digit(&whole.as_bytes()[..head]));
    }
    groups.extend(whole.as_bytes()[head..].chunks(4).map(digit));
    let before = groups.len();
    groups.extend(
        fraction
            .as_bytes()
            .chunks(4)
            .map(|group| digit(group) * 10u16.pow(4 - u32::try_from(group.len()).unwrap_or(4))),
    );
    let end = groups.iter().rposition(|&group| group != 0).map_or(0, |last| last + 1);
    let start = groups[..end].iter().position(|&group| group != 0).unwrap_or(0);
    let negative = text.starts_with('-') && start < end;
    out.put_u16((end - start) as u16);
    out.put_i16(before as i16 - 1 - start as i16);
    out.put_u16(if negative { NEGATIVE } else { POSITIVE });
    out.put_u16(fraction.len() as u16);
    for &group in &groups[start..end] {
        out.put_u16(group);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_come_back_as_they_went() {
        for text in [
            "0",
            "1",
            "-1",
            "9999",
            "10000",
            "123456789",
            "0.5",
            "-0.0001",
            "0.00001",
            "12.50",
            "100000000",
            "1.0000",
            "99999999999999999999999999.123456789012345678",
            "-10000.0001",
            "0.000",
        ] {
            let mut out = BytesMut::new();
            write(&mut out, text).unwrap();
            let Some(Number::Finite(number)) = read(&out) else { panic!("{text}") };
            assert_eq!(number.text(), text);
        }
    }

    #[test]
    fn spellings_are_one_number() {
        for (text, back) in [("+7", "7"), ("007.10", "7.10"), (".5", "0.5"), ("-0", "0"), ("5.", "5")] {
            let mut out = BytesMut::new();
            write(&mut out, text).unwrap();
            let Some(Number::Finite(number)) = read(&out) else { panic!("{text}") };
            assert_eq!(number.text(), back);
        }
        for text in ["", "-", ".", "1e5", "NaN", "1.2.3", "½"] {
            assert!(write(&mut BytesMut::new(), text).is_err(), "{text}");
        }
    }

    #[test]
    fn integers_are_read_where_there_is_no_fraction() {
        for (text, integer) in [
            ("0", Some(0)),
            ("120000", Some(120_000)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("5.00", Some(5)),
            ("0.5", None),
            ("100000000000000000000000000000000000000000000", None),
        ] {
            let mut out = BytesMut::new();
            write(&mut out, text).unwrap();
            let Some(Number::Finite(number)) = read(&out) else { panic!("{text}") };
            assert_eq!(number.integer(), integer, "{text}");
        }
    }
}
