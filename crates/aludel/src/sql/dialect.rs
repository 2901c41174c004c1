//! The SQL of one backend.

/// The backend whose SQL is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite.
    Sqlite,
}

impl Dialect {
    /// Writes a quoted identifier.
    pub fn quote(self, ident: &str, out: &mut String) {
        match self {
            Self::Sqlite => {
                out.push('"');
                out.push_str(&ident.replace('"', "\"\""));
                out.push('"');
            }
        }
    }
}
