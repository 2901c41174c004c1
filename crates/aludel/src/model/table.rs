//! A model's table as a value.

use std::fmt;

use crate::entity::def::ModelDef;

/// The table of a model, as `User::TABLE` names it: what [`DbBuilder::models`](crate::DbBuilder::models) takes.
#[derive(Clone, Copy)]
pub struct ModelTable(pub(crate) fn() -> &'static ModelDef);

impl ModelTable {
    /// The table's name in the database, without its schema.
    #[allow(clippy::misnamed_getters, reason = "a table's name, which is not its model's")]
    pub fn name(self) -> &'static str {
        let Self(def) = self;
        def().table_name()
    }
}

impl fmt::Debug for ModelTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(def) = self;
        write!(f, "ModelTable({})", def().table)
    }
}
