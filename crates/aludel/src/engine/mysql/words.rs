//! The parts of a packet.

/// What is left of a packet, read from its front. None where it is too short.
pub(super) struct Words<'a>(pub(super) &'a [u8]);

impl<'a> Words<'a> {
    #[inline]
    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// An integer of one to nine bytes.
    #[inline]
    pub(super) fn length(&mut self) -> Option<u64> {
        match self.u8()? {
            short @ 0..=0xFA => Some(u64::from(short)),
            0xFC => self.u16().map(u64::from),
            0xFD => self.array().map(|[a, b, c]| u64::from(u32::from_le_bytes([a, b, c, 0]))),
            0xFE => self.array().map(u64::from_le_bytes),
            _ => None,
        }
    }

    /// Bytes after their length.
    #[inline]
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.bytes(usize::try_from(length).ok()?)
    }

    /// Bytes up to a NUL, or to the end.
    pub(super) fn name(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|&byte| byte == 0);
        let name = &self.0[..end.unwrap_or(self.0.len())];
        self.0 = end.map_or(&[][..], |end| &self.0[end + 1..]);
        name
    }
}

/// Writes bytes with their length before them.
pub(super) fn write_text(bytes: &[u8], out: &mut Vec<u8>) {
    let length = bytes.len() as u64;
    match length {
        0..=0xFA => out.push(length as u8),
        0xFB..=0xFFFF => {
            out.push(0xFC);
            out.extend_from_slice(&(length as u16).to_le_bytes());
        }
        0x1_0000..=0xFF_FFFF => {
            out.push(0xFD);
            out.extend_from_slice(&length.to_le_bytes()[..3]);
        }
        _ => {
            out.push(0xFE);
            out.extend_from_slice(&length.to_le_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_its_length_in_as_few_bytes_as_do() {
        for (length, bytes) in [(0, 1), (250, 1), (251, 3), (65_535, 3), (65_536, 4), (0xFF_FFFF, 4), (0x100_0000, 9)] {
            let text = vec![7; length];
            let mut out = Vec::new();
            write_text(&text, &mut out);
            assert_eq!(out.len(), length + bytes);
            let mut words = Words(&out);
            assert!(words.text() == Some(&text[..]) && words.0.is_empty(), "{length}");
            assert_eq!(Words(&out[..out.len() - 1]).text().is_none(), true, "{length}");
        }
    }

    #[test]
    fn a_name_ends_with_a_nul_or_with_the_packet() {
        let mut words = Words(b"ab\0c");
        assert_eq!((words.name(), words.name(), words.name()), (&b"ab"[..], &b"c"[..], &b""[..]));
    }
}
