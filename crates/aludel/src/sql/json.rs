//! How places in JSON documents are read.

use super::render::Renderer;
use super::{Dialect, Node, Value};

/// A step into a JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonStep {
    /// The member of an object with this key.
    Key(String),
    /// The element of an array at this position, counted from 0.
    Index(u32),
}

/// What a place in a JSON document is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonAs {
    /// A text without quotes, or the JSON of what is none; NULL for JSON's `null`.
    Text,
    /// An integer of 64 bits.
    Integer,
    /// A double-precision float.
    Float,
    /// A truth value; NULL for all else.
    Boolean,
    /// The document there.
    Json,
}

impl Renderer<'_> {
    pub(super) fn json_path(&mut self, document: Node, steps: Vec<JsonStep>, what: JsonAs) {
        match self.dialect() {
            Dialect::Postgres => self.postgres_path(document, steps, what),
            dialect => match path(&steps) {
                Some(path) if dialect == Dialect::Sqlite => self.sqlite_path(&document, &path, what),
                Some(path) => self.mysql_path(&document, &path, what),
                None => {
                    let what = "a key of JSON with a quote or a backslash in it cannot be looked for here";
                    self.unsupported(what.to_owned());
                }
            },
        }
    }

    pub(super) fn json_contains(&mut self, document: Node, value: Node) {
        match self.dialect() {
            Dialect::Postgres => {
                self.push("(");
                self.atom(document);
                self.push(" @> ");
                self.atom(value);
            }
            Dialect::MariaDb | Dialect::MySql => {
                self.push("json_contains(");
                self.node(document);
                self.push(", ");
                self.node(value);
            }
            Dialect::Sqlite => {
                let what = "whether a JSON document contains another cannot be asked on SQLite: compare its parts, \
                            `.get(..).as_text().eq(..)`";
                return self.unsupported(what.to_owned());
            }
        }
        self.push(")");
    }

    /// Operators of the keys' own types, so that `"0"` is a key and 0 a position.
    fn postgres_path(&mut self, document: Node, steps: Vec<JsonStep>, what: JsonAs) {
        self.push(match what {
            JsonAs::Text | JsonAs::Json => "(",
            JsonAs::Integer | JsonAs::Float => "CAST(",
            JsonAs::Boolean => "(CASE ",
        });
        let as_text = matches!(what, JsonAs::Text | JsonAs::Integer | JsonAs::Float);
        let last = steps.len();
        self.atom(document);
        for (at, step) in steps.into_iter().enumerate() {
            self.push(if as_text && at + 1 == last { " ->> " } else { " -> " });
            match step {
                JsonStep::Key(key) => {
                    self.push("CAST(");
                    self.node(Node::Value(Value::Text(key.into())));
                    self.push(" AS TEXT)");
                }
                JsonStep::Index(index) => self.push(&index.to_string()),
            }
        }
        if as_text && last == 0 {
            self.push(" #>> '{}'");
        }
        self.push(match what {
            JsonAs::Text | JsonAs::Json => ")",
            JsonAs::Integer => " AS BIGINT)",
            JsonAs::Float => " AS DOUBLE PRECISION)",
            JsonAs::Boolean => " WHEN 'true'::jsonb THEN true WHEN 'false'::jsonb THEN false END)",
        });
    }

    fn sqlite_path(&mut self, document: &Node, path: &str, what: JsonAs) {
        match what {
            JsonAs::Json => self.on_path("(", document, " -> ", path),
            JsonAs::Integer | JsonAs::Float => {
                self.on_path("CAST(json_extract(", document, ", ", path);
                self.push(if what == JsonAs::Integer { " AS INTEGER)" } else { " AS REAL)" });
            }
            JsonAs::Boolean => {
                self.on_path("CASE json_type(", document, ", ", path);
                self.push(" WHEN 'true' THEN 1 WHEN 'false' THEN 0 END");
            }
            JsonAs::Text => {
                self.on_path("CASE json_type(", document, ", ", path);
                self.on_path(
                    " WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(json_extract(",
                    document,
                    ", ",
                    path,
                );
                self.push(" AS TEXT) END");
            }
        }
    }

    fn mysql_path(&mut self, document: &Node, path: &str, what: JsonAs) {
        let (before, after) = match what {
            JsonAs::Json => return self.on_path("json_extract(", document, ", ", path),
            JsonAs::Boolean => {
                self.on_path("CASE json_type(json_extract(", document, ", ", path);
                self.on_path(") WHEN 'BOOLEAN' THEN json_unquote(json_extract(", document, ", ", path);
                return self.push(") = 'true' END");
            }
            JsonAs::Text => ("CASE json_type(json_extract(", " END"),
            JsonAs::Integer => ("CAST(CASE json_type(json_extract(", " END AS SIGNED)"),
            JsonAs::Float => ("CAST(CASE json_type(json_extract(", " END AS DOUBLE)"),
        };
        self.on_path(before, document, ", ", path);
        self.on_path(") WHEN 'NULL' THEN NULL ELSE json_unquote(json_extract(", document, ", ", path);
        self.push(")");
        self.push(after);
    }

    /// The document and the path, with a closing parenthesis.
    fn on_path(&mut self, before: &str, document: &Node, between: &str, path: &str) {
        self.push(before);
        self.atom(document.clone());
        self.push(between);
        self.node(Node::Value(Value::Text(path.to_owned().into())));
        self.push(")");
    }
}

/// `$."a"[0]`; none for a key that no quotes can hold.
fn path(steps: &[JsonStep]) -> Option<String> {
    let mut out = String::from("$");
    for step in steps {
        match step {
            JsonStep::Key(key) if key.contains(['"', '\\']) => return None,
            JsonStep::Key(key) => {
                out.push_str(".\"");
                out.push_str(key);
                out.push('"');
            }
            JsonStep::Index(index) => {
                out.push('[');
                out.push_str(&index.to_string());
                out.push(']');
            }
        }
    }
    Some(out)
}
