//! A model's columns as a SELECT lists them.

use crate::entity::def::ModelDef;
use crate::sql::Dialect;

impl ModelDef {
    /// `"user"."id", "user"."username", ..`: rendered once for each dialect.
    pub(crate) fn select_list(&'static self, dialect: Dialect) -> &'static str {
        self.cache.select_list[dialect.index()].get_or_init(|| {
            let mut out = String::new();
            self.write_select_list(dialect, self.table, &mut out);
            out.into_boxed_str()
        })
    }

    /// `SELECT "user"."id", .. FROM "user"`: rendered once for each dialect.
    pub(crate) fn select_all(&'static self, dialect: Dialect) -> &'static str {
        self.cache.select_all[dialect.index()].get_or_init(|| {
            let mut out = String::from("SELECT ");
            out.push_str(self.select_list(dialect));
            out.push_str(" FROM ");
            dialect.quote(self.table, &mut out);
            out.into_boxed_str()
        })
    }

    /// The same list of the table under another name.
    pub(crate) fn write_select_list(&self, dialect: Dialect, table: &str, out: &mut String) {
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            dialect.quote(table, out);
            out.push('.');
            dialect.quote(column.name, out);
        }
    }
}
