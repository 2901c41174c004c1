//! The parts of statements that are the same for all queries of a model, rendered once.

use std::sync::OnceLock;

use crate::entity::def::ModelDef;
use crate::error::Result;
use crate::sql::{Dialect, Renderer, Statement};

impl ModelDef {
    /// `"user"."id", "user"."username", ..`: rendered once for each dialect.
    pub(crate) fn select_list(&'static self, dialect: Dialect) -> &'static str {
        self.cache.select_list[dialect.index()].get_or_init(|| {
            let mut out = String::new();
            self.write_select_list(dialect, self.table, &mut out);
            out.into_boxed_str()
        })
    }

    /// `SELECT "user"."id", .. FROM "user"`: rendered once for each dialect, for models of which the same rows are always
    /// seen.
    pub(crate) fn select_all(&'static self, dialect: Dialect) -> &'static str {
        self.cache.select_all[dialect.index()].get_or_init(|| {
            let mut out = String::from("SELECT ");
            out.push_str(self.select_list(dialect));
            out.push_str(" FROM ");
            let mut from = Statement::new(out, Vec::new());
            let mut renderer = Renderer::new(dialect.into(), &mut from);
            let confined = renderer.table(self.table_ref());
            renderer.conditions(" WHERE ", confined.into_iter().collect());
            debug_assert!(from.params.is_empty(), "this text has no values");
            from.sql.into_boxed_str()
        })
    }

    /// The condition of the join along a relationship, both tables under their own names.
    ///
    /// # Errors
    /// `Config` when the relationship has no foreign key, or several could be meant.
    pub(crate) fn join_condition(&'static self, relationship: usize, dialect: Dialect) -> Result<&'static str> {
        let known = self.cache.joins[dialect.index()]
            .get_or_init(|| self.relationships.iter().map(|_| OnceLock::new()).collect());
        if let Some(condition) = known[relationship].get() {
            return Ok(condition);
        }
        let target = (self.relationships[relationship].target)();
        let columns = self.relationships[relationship].columns(self)?;
        let mut statement = Statement::default();
        let condition = columns.condition((self, &self.table.into()), (target, &target.table.into()));
        condition.render(dialect, &mut statement);
        Ok(known[relationship].get_or_init(|| statement.sql.into()))
    }

    /// The same list of the table under another name.
    pub(crate) fn write_select_list(&self, dialect: Dialect, table: &str, out: &mut String) {
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            if self.is_deferred(at) {
                out.push_str("NULL AS ");
            } else {
                dialect.quote(table, out);
                out.push('.');
            }
            dialect.quote(column.name, out);
        }
    }
}
