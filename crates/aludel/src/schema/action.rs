//! What happens to a row whose foreign key's target goes or changes.

/// What happens to a row when the row that its foreign key points at is deleted, or its key changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Action {
    /// The database's default: it is an error.
    #[default]
    NoAction,
    /// It is an error, at once.
    Restrict,
    /// The row follows.
    Cascade,
    /// The foreign key becomes NULL.
    SetNull,
    /// The foreign key becomes the column's default.
    SetDefault,
}

impl Action {
    /// The words of the SQL standard.
    pub fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}
