//! Which database file to open, in SQLite's own words.

/// What SQLite is asked to open.
#[derive(Clone, Debug)]
pub(in crate::engine) struct DatabaseFile {
    /// A path, a `file:` URI, or `:memory:`.
    pub(in crate::engine) name: String,
    /// Whether the name is a URI.
    pub(in crate::engine) uri: bool,
    /// Whether the database lives in the memory of its one connection.
    pub(in crate::engine) memory: bool,
}
