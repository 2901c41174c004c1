//! A server's own report of an error.

use std::fmt;

use super::wire::ERROR;
use super::words::Words;

/// An error as the server reports it.
#[derive(Debug)]
pub(super) struct ServerError {
    pub(super) code: u16,
    pub(super) state: Box<str>,
    pub(super) message: Box<str>,
}

impl ServerError {
    /// The error in a packet, if there is one.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut words = Words(body);
        let code = words.u8().filter(|&byte| byte == ERROR).and_then(|_| words.u16())?;
        // A server that has not let anybody in yet may leave the state out.
        let state = match words.0 {
            [b'#', ..] => words.array::<6>()?[1..].to_vec(),
            _ => b"HY000".to_vec(),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned().into_boxed_str();
        Some(Self { code, state: text(&state), message: text(words.0) })
    }
}

/// What the server reported: the source of the error made of it. Its text is left out where it quotes values.
#[derive(Debug)]
pub(super) struct Report {
    code: u16,
    state: Box<str>,
    message: Option<Box<str>>,
}

impl Report {
    pub(super) fn of(error: &ServerError) -> Self {
        let message = (!quotes_values(error.code)).then(|| error.message.clone());
        Self { code: error.code, state: error.state.clone(), message }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = &self.message {
            write!(f, "{message} ")?;
        }
        write!(f, "(the server's error {}, SQLSTATE {})", self.code, self.state)
    }
}

impl std::error::Error for Report {}

/// Whether the text of an error quotes what a statement was about to store or compare.
pub(super) fn quotes_values(code: u16) -> bool {
    matches!(
        code,
        // Duplicate entries.
        1022 | 1062 | 1557 | 1586 | 1761 | 1762 | 1859
        // Incorrect values.
        | 1292 | 1366 | 1367 | 1411 | 1525 | 1690 | 1862 | 3140 | 3141 | 3156 | 3157 | 3667 | 3669 | 4078 | 4079
        // `SIGNAL`, whose text is the program's own.
        | 1644
    )
}
