//! What projections read their fields with.

use crate::query::Fetch;

/// The position of the next field's columns in a row.
pub struct Columns(usize);

impl Columns {
    /// Begins at a position.
    pub const fn from(at: usize) -> Self {
        Self(at)
    }

    /// Where the columns of a field begin; the next one's come after them.
    pub fn take<T: Fetch>(&mut self) -> usize {
        let at = self.0;
        self.0 += T::width();
        at
    }
}
