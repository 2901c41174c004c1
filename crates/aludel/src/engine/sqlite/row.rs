//! A row of SQLite.

use crate::error::Result;

pub(crate) struct SqliteRow<'a>(&'a ());

impl SqliteRow<'_> {
    pub(crate) fn is_null(&self, _index: usize) -> bool {
        unimplemented!()
    }
    pub(crate) fn integer(&self, _index: usize) -> Result<i64> {
        unimplemented!()
    }
    pub(crate) fn unsigned(&self, _index: usize) -> Result<u64> {
        unimplemented!()
    }
    pub(crate) fn boolean(&self, _index: usize) -> Result<bool> {
        unimplemented!()
    }
    pub(crate) fn double(&self, _index: usize) -> Result<f64> {
        unimplemented!()
    }
    pub(crate) fn text(&self, _index: usize) -> Result<&str> {
        unimplemented!()
    }
    pub(crate) fn bytes(&self, _index: usize) -> Result<&[u8]> {
        unimplemented!()
    }
    pub(crate) fn uuid(&self, _index: usize) -> Result<uuid::Uuid> {
        unimplemented!()
    }
    pub(crate) fn decimal(&self, _index: usize) -> Result<std::borrow::Cow<'_, str>> {
        unimplemented!()
    }
    pub(crate) fn date(&self, _index: usize) -> Result<jiff::civil::Date> {
        unimplemented!()
    }
    pub(crate) fn time(&self, _index: usize) -> Result<jiff::civil::Time> {
        unimplemented!()
    }
    pub(crate) fn datetime(&self, _index: usize) -> Result<jiff::civil::DateTime> {
        unimplemented!()
    }
    pub(crate) fn timestamp(&self, _index: usize) -> Result<jiff::Timestamp> {
        unimplemented!()
    }
    pub(crate) fn json(&self, _index: usize) -> Result<&str> {
        unimplemented!()
    }
    pub(crate) fn len(&self) -> usize {
        unimplemented!()
    }
}
