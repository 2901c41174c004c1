//! A server's own report of an error.

use std::fmt;

use mysql_async::ServerError;

/// What the server reported: the source of the error made of it. Its text is left out where it quotes values.
#[derive(Debug)]
pub(super) struct Report {
    code: u16,
    state: Box<str>,
    message: Option<Box<str>>,
}

impl Report {
    pub(super) fn of(error: &ServerError) -> Self {
        let message = (!quotes_values(error.code)).then(|| error.message.as_str().into());
        Self { code: error.code, state: error.state.as_str().into(), message }
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
