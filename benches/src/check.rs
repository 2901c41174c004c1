//! Proof that all contenders did the same work: row counts and checksums of what they loaded.

use std::hash::{DefaultHasher, Hash, Hasher};

/// How many rows a result holds, and a checksum of their contents that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// Rows of all tables together.
    pub rows: usize,
    /// Sum of the hashes of all rows, each hashed with the parent it was found under.
    pub checksum: u64,
}

impl Digest {
    /// The digest of a whole result.
    pub fn of(contents: &impl Contents) -> Self {
        let mut digest = Self::default();
        contents.add_to(&mut digest, 0);
        digest
    }

    /// Adds a row found under `parent`, and returns the row's own hash.
    pub fn add_row(&mut self, parent: u64, row: impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        (parent, row).hash(&mut hasher);
        let hash = hasher.finish();
        self.rows += 1;
        self.checksum = self.checksum.wrapping_add(hash);
        hash
    }
}

/// A result that can be checked: a row, a collection of rows, or a pair of a parent and its children.
pub trait Contents {
    /// Adds all rows to `digest`, and returns the hash that identifies this value as a parent.
    fn add_to(&self, digest: &mut Digest, parent: u64) -> u64;
}

/// An insert returns nothing; the harness looks into the table.
impl Contents for () {
    fn add_to(&self, _: &mut Digest, parent: u64) -> u64 {
        parent
    }
}

impl<T: Contents> Contents for Vec<T> {
    fn add_to(&self, digest: &mut Digest, parent: u64) -> u64 {
        for element in self {
            element.add_to(digest, parent);
        }
        parent
    }
}

impl<T: Contents> Contents for Option<T> {
    fn add_to(&self, digest: &mut Digest, parent: u64) -> u64 {
        self.as_ref().map_or(parent, |some| some.add_to(digest, parent))
    }
}

impl<P: Contents, C: Contents> Contents for (P, C) {
    fn add_to(&self, digest: &mut Digest, parent: u64) -> u64 {
        let own = self.0.add_to(digest, parent);
        self.1.add_to(digest, own);
        own
    }
}

/// Implements [`Contents`] for a contender's three row types, whose fields are named as the columns
/// and whose ids are `i32`, as in Diesel's suite.
macro_rules! rows {
    ($user:ty, $post:ty, $comment:ty) => {
        $crate::check::rows!(@ $user, "users", id: i32, name: String, hair_color: Option<String>);
        $crate::check::rows!(@ $post, "posts", id: i32, user_id: i32, title: String, body: Option<String>);
        $crate::check::rows!(@ $comment, "comments", id: i32, post_id: i32, text: String);
    };
    (@ $row:ty, $table:literal, $($column:ident: $type:ty),*) => {
        impl $crate::check::Contents for $row {
            fn add_to(&self, digest: &mut $crate::check::Digest, parent: u64) -> u64 {
                $(let $column: &$type = &self.$column;)*
                digest.add_row(parent, ($table, $($column),*))
            }
        }
    };
}
pub(crate) use rows;
