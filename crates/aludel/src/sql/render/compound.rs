//! How common table expressions, set operations, locks and full-text search become SQL.

use super::{Renderer, Rest};
use crate::schema::SqlType;
use crate::sql::compound::{CommonTable, DerivedTable, Lock, LockStrength, LockWait, Rows, SelectExtra};
use crate::sql::{Dialect, Node, Select, ddl};

impl Renderer<'_> {
    /// `WITH a AS (..), b AS (..) `
    pub(super) fn with(&mut self, with: Vec<CommonTable>) {
        let recursive = with.iter().any(|table| table.recursive);
        for (at, table) in with.into_iter().enumerate() {
            self.push(match (at, recursive) {
                (0, true) => "WITH RECURSIVE ",
                (0, false) => "WITH ",
                _ => ", ",
            });
            self.quote(&table.name);
            for (at, column) in table.columns.iter().enumerate() {
                self.push(if at == 0 { " (" } else { ", " });
                self.quote(column);
            }
            self.push(") AS (");
            match table.rows {
                Rows::Select(select) => self.select(*select),
                Rows::Values(rows, types) => self.values(rows, &types),
            }
            self.push(") ");
        }
    }

    fn values(&mut self, rows: Vec<Vec<Node>>, types: &[SqlType]) {
        if self.dialect() == Dialect::MariaDb {
            return self.selected_values(rows);
        }
        for (at, row) in rows.into_iter().enumerate() {
            self.push(match (at, self.dialect()) {
                (0, Dialect::MySql) => "VALUES ROW(",
                (0, _) => "VALUES (",
                (_, Dialect::MySql) => ", ROW(",
                _ => ", (",
            });
            for (column, value) in row.into_iter().enumerate() {
                if column > 0 {
                    self.push(", ");
                }
                // PostgreSQL takes a parameter that nothing says more of for a text.
                if at == 0 && self.dialect() == Dialect::Postgres {
                    self.cast_to(value, &types[column]);
                } else {
                    self.node(value);
                }
            }
            self.push(")");
        }
    }

    /// MariaDB forgets the type of a parameter that stands in VALUES.
    fn selected_values(&mut self, rows: Vec<Vec<Node>>) {
        for (at, row) in rows.into_iter().enumerate() {
            self.push(if at == 0 { "SELECT " } else { " UNION ALL SELECT " });
            for (column, value) in row.into_iter().enumerate() {
                self.push(if column == 0 { "" } else { ", " });
                self.node(value);
            }
        }
    }

    fn cast_to(&mut self, value: Node, ty: &SqlType) {
        self.push("CAST(");
        self.node(value);
        self.push(" AS ");
        let mut name = String::new();
        ddl::write_type(self.dialect(), ty, &mut name);
        self.push(&name);
        self.push(")");
    }

    /// `(SELECT ..)` in the place of a table.
    pub(super) fn derived(&mut self, derived: DerivedTable) {
        if derived.lateral {
            if matches!(self.dialect(), Dialect::Sqlite | Dialect::MariaDb) {
                self.unsupported(
                    "lateral: this database has no LATERAL joins; use a scalar subquery, or a subquery in `.filter(..)`"
                        .to_owned(),
                );
            }
            self.push("LATERAL ");
        }
        self.push("(");
        self.select(derived.select);
        self.push(")");
    }

    pub(super) fn distinct_on(&mut self, nodes: Vec<Node>) {
        if self.dialect() != Dialect::Postgres {
            self.unsupported(
                "distinct_on(..): DISTINCT ON is PostgreSQL's alone; number the rows with a window function, or use \
                 `.group_by(..)`"
                    .to_owned(),
            );
        }
        self.list("DISTINCT ON (", nodes, Self::node);
        self.push(") ");
    }

    /// Selects joined by set operators, with the order and the limit of the whole.
    pub(super) fn compound(&mut self, first: Select, extra: SelectExtra, whole: Rest) {
        let with_deleted = self.with_deleted || extra.with_deleted;
        self.lifting(with_deleted, |to| to.select(first));
        for (operator, select) in extra.set {
            self.push(operator.sql());
            self.select(select);
        }
        let native = self.dialect().capabilities().nulls_ordering;
        if !native && whole.order_by.iter().any(|order| order.nulls.is_some()) {
            self.unsupported(
                "nulls_first() and nulls_last(): this database cannot say where NULL comes in the order of a whole union; \
                 leave them out"
                    .to_owned(),
            );
        }
        self.rest(whole);
    }

    pub(super) fn lock(&mut self, lock: &Lock) {
        let dialect = self.dialect();
        if dialect == Dialect::Sqlite {
            return self.unsupported(
                "for_update() and for_share(): SQLite locks the whole database and no rows; call `session.begin()`, \
                 which keeps all other writers out, before you read"
                    .to_owned(),
            );
        }
        self.push(match (lock.strength, dialect) {
            (LockStrength::Update, _) => " FOR UPDATE",
            (LockStrength::Share, Dialect::MariaDb) => " LOCK IN SHARE MODE",
            (LockStrength::Share, _) => " FOR SHARE",
        });
        if !lock.of.is_empty() && dialect == Dialect::MariaDb {
            self.unsupported(
                "of(..): MariaDB locks the rows of all tables in a query; lock those of one in a query of their own"
                    .to_owned(),
            );
        }
        for (at, table) in lock.of.iter().enumerate() {
            self.push(if at == 0 { " OF " } else { ", " });
            self.quote(table);
        }
        self.push(match lock.wait {
            LockWait::Wait => "",
            LockWait::NoWait => " NOWAIT",
            LockWait::SkipLocked => " SKIP LOCKED",
        });
    }
}
