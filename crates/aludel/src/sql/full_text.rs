//! Full-text search in each dialect.

use std::borrow::Cow;

use super::render::Renderer;
use super::{Dialect, Node, Value};

/// A search for the words of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullTextNode {
    /// Where it is searched.
    pub columns: Vec<Node>,
    /// PostgreSQL's name for the language.
    pub config: Cow<'static, str>,
    /// The words.
    pub text: String,
    /// Whether it is how well the words match, and not whether they do.
    pub rank: bool,
}

impl FullTextNode {
    /// The words, without what would be an operator of a search.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty())
    }
}

impl Renderer<'_> {
    pub(super) fn full_text(&mut self, search: FullTextNode) {
        if search.words().next().is_none() {
            return self.push(if search.rank { "0.0" } else { "0 = 1" });
        }
        match self.dialect() {
            Dialect::Sqlite => self.fts5(search),
            Dialect::Postgres => self.tsvector(search),
            Dialect::MariaDb | Dialect::MySql => self.match_against(search),
        }
    }

    fn fts5(&mut self, search: FullTextNode) {
        let mut columns = search.columns.iter().map(|node| match node {
            Node::Column(column) => Some((&*column.table, &*column.name)),
            _ => None,
        });
        let Some(Some((table, first))) = columns.next() else {
            return self
                .unsupported("full_text(..): SQLite searches columns of an FTS5 table, and no expressions".to_owned());
        };
        let Some(others) =
            columns.collect::<Option<Vec<_>>>().filter(|all| all.iter().all(|(other, _)| *other == table))
        else {
            return self.unsupported("full_text(..): SQLite searches columns of one FTS5 table".to_owned());
        };
        if search.rank {
            self.push("-bm25(");
            self.quote(table);
            return self.push(")");
        }
        let words: Vec<String> = search.words().map(|word| format!("\"{word}\"")).collect();
        let names: Vec<String> = std::iter::once(first)
            .chain(others.into_iter().map(|(_, name)| name))
            .map(|name| format!("\"{name}\""))
            .collect();
        let text = format!("{{{}}} : ({})", names.join(" "), words.join(" "));
        // The column that has the table's name is the whole row.
        self.quote(table);
        self.push(".");
        self.quote(table);
        self.push(" MATCH ");
        self.node(Node::Value(Value::Text(text.into())));
    }

    fn tsvector(&mut self, search: FullTextNode) {
        let FullTextNode { columns, config, text, rank } = search;
        // An index over one column that is never NULL is an index over the column itself.
        let several = columns.len() > 1 || rank;
        if rank {
            self.push("CAST(ts_rank(");
        }
        self.push("to_tsvector(");
        self.config(&config);
        for (at, column) in columns.into_iter().enumerate() {
            self.push(if at == 0 { ", " } else { " || ' ' || " });
            self.push(if several { "coalesce(" } else { "" });
            self.node(column);
            self.push(if several { ", '')" } else { "" });
        }
        self.push(if rank { "), plainto_tsquery(" } else { ") @@ plainto_tsquery(" });
        self.config(&config);
        self.push(", ");
        self.node(Node::Value(Value::Text(text.into())));
        self.push(")");
        if rank {
            self.push(") AS DOUBLE PRECISION)");
        }
    }

    /// The configuration as a literal: with a parameter no index would be found.
    fn config(&mut self, config: &str) {
        self.push("'");
        self.push(&config.replace('\'', "''"));
        self.push("'");
    }

    fn match_against(&mut self, search: FullTextNode) {
        let words: Vec<String> = search.words().map(|word| format!("+{word}")).collect();
        let text = if search.rank { search.text.clone() } else { words.join(" ") };
        for (at, column) in search.columns.into_iter().enumerate() {
            self.push(if at == 0 { "MATCH (" } else { ", " });
            self.node(column);
        }
        self.push(") AGAINST (");
        self.node(Node::Value(Value::Text(text.into())));
        self.push(if search.rank { " IN NATURAL LANGUAGE MODE)" } else { " IN BOOLEAN MODE)" });
    }
}
