//! How these expressions become SQL.

use crate::sql::node::level;
use crate::sql::render::Renderer;
use crate::sql::{Dialect, Node};

use super::Form;

impl Renderer<'_> {
    pub(in crate::sql) fn form(&mut self, form: Form) {
        match form {
            Form::Distinct { left, right, negated } => self.distinct(left, right, negated),
            Form::Like { value, pattern, escape, insensitive, negated } => {
                self.like_as(value, pattern, insensitive, negated);
                self.escape(escape);
            }
            Form::Row(values) => self.row(values),
            Form::InRows { row, list, negated } => self.in_rows(row, list, negated),
            Form::Case { branches, otherwise } => self.case(branches, otherwise),
            Form::Cast { value, from, to } => self.cast(value, &from, &to),
            Form::Known { value, ty } => self.known(value, &ty),
            Form::Call { function, args } => self.call(function, args),
            Form::Shift { value, of, by } => self.shift(value, of, by),
            Form::Custom { name, args, .. } => self.named(name, args),
            Form::Operator { left, operator, right } => {
                self.push("(");
                self.atom(left);
                self.push(" ");
                self.push(operator);
                self.push(" ");
                self.atom(right);
                self.push(")");
            }
            Form::Fragment { pieces, args } => self.fragment(&pieces, args),
            Form::Aggregate(call) => self.aggregate(call),
            Form::Over { function, window } => self.over(function, window),
        }
    }

    fn distinct(&mut self, left: Node, right: Node, negated: bool) {
        let operator = match (self.dialect(), negated) {
            (Dialect::Sqlite, false) => " IS NOT ",
            (Dialect::Sqlite, true) => " IS ",
            (Dialect::Postgres, false) => " IS DISTINCT FROM ",
            (Dialect::Postgres, true) => " IS NOT DISTINCT FROM ",
            (Dialect::MariaDb | Dialect::MySql, _) => " <=> ",
        };
        let not = self.dialect().is_mysql() && !negated;
        self.push(if not { "NOT (" } else { "" });
        self.operand(left, level::SUM);
        self.push(operator);
        self.operand(right, level::SUM);
        self.push(if not { ")" } else { "" });
    }

    fn like_as(&mut self, value: Node, pattern: Node, insensitive: bool, negated: bool) {
        if insensitive && self.dialect() != Dialect::Postgres {
            let cure = "compare in lower case: `lower(..).like(..)`";
            self.unsupported(format!("ILIKE is PostgreSQL's alone; {cure}"));
        }
        self.operand(value, level::SUM);
        self.push(match (insensitive, negated) {
            (false, false) => " LIKE ",
            (false, true) => " NOT LIKE ",
            (true, false) => " ILIKE ",
            (true, true) => " NOT ILIKE ",
        });
        self.operand(pattern, level::SUM);
    }

    fn escape(&mut self, escape: Option<char>) {
        match escape {
            None => {}
            // Whether it stands for itself in a literal is a setting of the server's.
            Some('\\') if self.dialect().is_mysql() => self.push(" ESCAPE char(92)"),
            Some(character) => {
                self.push(" ESCAPE ");
                crate::sql::ddl::quote_text(character.encode_utf8(&mut [0; 4]), self.sql());
            }
        }
    }

    fn row(&mut self, values: Vec<Node>) {
        self.push("(");
        self.list("", values, Self::node);
        self.push(")");
    }

    fn in_rows(&mut self, row: Vec<Node>, mut list: Vec<Vec<Node>>, negated: bool) {
        if list.is_empty() {
            return self.push(if negated { "1 = 1" } else { "0 = 1" });
        }
        // As lists of single values: so that lists of all lengths make few statements.
        if let Some(last) = list.last().cloned()
            && list.len() < 1_000
        {
            list.resize(list.len().next_power_of_two(), last);
        }
        self.row(row);
        self.push(if negated { " NOT IN (" } else { " IN (" });
        // SQLite takes a row's partners from a select only.
        self.push(if self.dialect() == Dialect::Sqlite { "VALUES " } else { "" });
        self.list("", list, Self::row);
        self.push(")");
    }

    fn case(&mut self, branches: Vec<(Node, Node)>, otherwise: Option<Node>) {
        self.push("CASE");
        for (condition, value) in branches {
            self.push(" WHEN ");
            self.node(condition);
            self.push(" THEN ");
            self.node(value);
        }
        if let Some(value) = otherwise {
            self.push(" ELSE ");
            self.node(value);
        }
        self.push(" END");
    }

    fn fragment(&mut self, pieces: &[String], args: Vec<Node>) {
        let mut args = args.into_iter();
        for piece in pieces {
            self.push(piece);
            if let Some(arg) = args.next() {
                self.atom(arg);
            }
        }
    }
}
