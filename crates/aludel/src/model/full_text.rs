//! Full-text search.

use std::borrow::Cow;

use crate::sql::{FullTextNode, Node};

use super::Grouping;
use super::expression::Expr;

/// Columns that are searched for words: made by [`full_text`].
#[derive(Clone, Debug)]
#[must_use = "a search does nothing until a query uses its `matches` or `rank`"]
pub struct FullText {
    columns: Vec<Node>,
    config: Cow<'static, str>,
}

/// The database's own full-text search in these columns: `full_text((Post::title, Post::body)).matches("rust web")`.
///
/// - SQLite: the model's table is a virtual table of FTS5, which the program creates
///   (`CREATE VIRTUAL TABLE post USING fts5(..)`) and which stands under its own name in the query.
/// - PostgreSQL: `to_tsvector`. An index over the same expression makes it fast:
///   `CREATE INDEX ON post USING gin (to_tsvector('english', "title"))`.
/// - MariaDB and MySQL: `MATCH .. AGAINST`, which needs a FULLTEXT index over exactly these columns. What the server takes
///   for a stop word, or for too short, it does not find. Letter case counts as the columns' collation says: in tables that
///   Aludel creates it does.
///
/// What a word is, and which of its forms are one, is the database's matter.
pub fn full_text(columns: impl Grouping) -> FullText {
    let mut nodes = Vec::new();
    columns.push_to(&mut nodes);
    FullText { columns: nodes, config: Cow::Borrowed("simple") }
}

impl FullText {
    /// PostgreSQL's configuration for the language: `english`. Without it, it is `simple`, which knows no forms of words.
    /// Elsewhere the table's own settings count.
    pub fn config(self, config: impl Into<Cow<'static, str>>) -> Self {
        Self { config: config.into(), ..self }
    }

    /// Whether all words of a text are in the columns. The text may be what a user typed: there are no operators in it,
    /// and without a word it matches nothing.
    pub fn matches(&self, text: impl Into<String>) -> Expr<bool> {
        Expr::new(self.node(text.into(), false))
    }

    /// How well the columns match a text, for an order: the greatest first. On SQLite it goes with a filter of
    /// [`matches`](FullText::matches) alone. The numbers of different databases have nothing in common.
    pub fn rank(&self, text: impl Into<String>) -> Expr<f64> {
        Expr::new(self.node(text.into(), true))
    }

    fn node(&self, text: String, rank: bool) -> Node {
        let Self { columns, config } = self.clone();
        Node::FullText(Box::new(FullTextNode { columns, config, text, rank }))
    }
}
