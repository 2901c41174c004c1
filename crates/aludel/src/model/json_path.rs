//! Operators on JSON documents.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sql::{JsonAs, JsonStep, Node, Value};

use super::expression::{BaseOf, Expr, Expression};
use super::types::Json;
use super::{ColumnType, Contains};

/// A type that is stored as a JSON document: `Json<T>` and `serde_json::Value`.
#[diagnostic::on_unimplemented(
    message = "operators on JSON need a JSON column, and this one is `{Self}`",
    label = "no JSON document"
)]
pub trait Document: ColumnType {}

impl<T> Document for Json<T> where Self: ColumnType {}

impl Document for serde_json::Value {}

/// A step into a document: a member by its key, or an element by its position, which counts from 0.
pub trait Step {
    /// The step without its type.
    #[doc(hidden)]
    fn into_step(self) -> JsonStep;
}

impl Step for &str {
    fn into_step(self) -> JsonStep {
        JsonStep::Key(self.to_owned())
    }
}

impl Step for String {
    fn into_step(self) -> JsonStep {
        JsonStep::Key(self)
    }
}

impl Step for u32 {
    fn into_step(self) -> JsonStep {
        JsonStep::Index(self)
    }
}

/// A place in a document: read it with [`as_text`](JsonPath::as_text) and its neighbours.
#[derive(Clone, Debug)]
#[must_use = "a path has no value before it is read as something"]
pub struct JsonPath {
    document: Node,
    steps: Vec<JsonStep>,
}

impl JsonPath {
    /// A place further down.
    pub fn get(mut self, step: impl Step) -> Self {
        self.steps.push(step.into_step());
        self
    }

    fn read(self, what: JsonAs) -> Node {
        Node::JsonPath { document: Box::new(self.document), steps: self.steps, what }
    }

    /// The text there, without quotes; of a number, a truth value, an object or an array its JSON. `None` where there is
    /// nothing, or JSON's `null`.
    pub fn as_text(self) -> Expr<Option<String>> {
        Expr::new(self.read(JsonAs::Text))
    }

    /// The integer there; `None` where there is nothing, or JSON's `null`. What is no integer is an error on PostgreSQL, and
    /// on SQLite and MariaDB what they make of it.
    pub fn as_integer(self) -> Expr<Option<i64>> {
        Expr::new(self.read(JsonAs::Integer))
    }

    /// The number there; as [`as_integer`](JsonPath::as_integer).
    pub fn as_float(self) -> Expr<Option<f64>> {
        Expr::new(self.read(JsonAs::Float))
    }

    /// The truth value there: `None` where there is none. What is neither `true` nor `false` is `None` too.
    pub fn as_bool(self) -> Expr<Option<bool>> {
        Expr::new(self.read(JsonAs::Boolean))
    }

    /// The document there, to be read as a type of serde's: `None` where there is nothing.
    pub fn as_json<T>(self) -> Expr<Option<Json<T>>>
    where
        T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    {
        Expr::new(self.read(JsonAs::Json))
    }

    /// Whether there is anything, JSON's `null` included.
    pub fn exists(self) -> Expr<bool> {
        Expr::new(Node::IsNull { value: Box::new(self.read(JsonAs::Json)), negated: true })
    }
}

/// Operators on columns of JSON.
///
/// ```standalone_crate
/// use aludel::Json;
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// struct Item {
///     #[column(primary_key)]
///     id: i64,
///     data: Json<serde_json::Value>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let db = Db::test().await?;
/// let session = db.session();
/// session.add(Item::build().data(serde_json::json!({"size": {"width": 7}})));
/// session.commit().await?;
/// let wide = Item::query().filter(Item::data.path(["size", "width"]).as_integer().gt(5));
/// assert_eq!(wide.count(&session).await?, 1);
/// assert_eq!(Item::query().filter(Item::data.has_key("weight")).count(&session).await?, 0);
/// # Ok(())
/// # }
/// ```
pub trait DocumentExpression: Expression {
    /// A member of the document, or an element of an array by its position (a `u32`).
    fn get(self, step: impl Step) -> JsonPath
    where
        BaseOf<Self>: Document,
    {
        JsonPath { document: self.into_node(), steps: vec![step.into_step()] }
    }

    /// A place in the document, step by step.
    fn path<S: Step>(self, steps: impl IntoIterator<Item = S>) -> JsonPath
    where
        BaseOf<Self>: Document,
    {
        JsonPath { document: self.into_node(), steps: steps.into_iter().map(Step::into_step).collect() }
    }

    /// Whether the document is an object with this key: `?` of PostgreSQL.
    fn has_key(self, key: impl Into<String>) -> Expr<bool>
    where
        BaseOf<Self>: Document,
    {
        Expr::new(has_key(self.into_node(), key.into()))
    }

    /// Whether the document is an object with one of these keys: `?|` of PostgreSQL.
    fn has_any<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Expr<bool>
    where
        BaseOf<Self>: Document,
    {
        let document = self.into_node();
        Expr::new(Node::Or(keys.into_iter().map(|key| has_key(document.clone(), key.into())).collect()))
    }

    /// Whether the document is an object with all of these keys: `?&` of PostgreSQL.
    fn has_all<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Expr<bool>
    where
        BaseOf<Self>: Document,
    {
        let document = self.into_node();
        Expr::new(Node::And(keys.into_iter().map(|key| has_key(document.clone(), key.into())).collect()))
    }
}

impl<E: Expression> DocumentExpression for E {}

/// What is looked for in a document; on SQLite, which has no such operator, that is an error of the kind `Unsupported`.
impl<T, V: Serialize> Contains<V> for Json<T>
where
    Self: ColumnType,
{
    fn contains(container: Node, value: V) -> Node {
        contains(container, &value)
    }
}

impl<V: Serialize> Contains<V> for serde_json::Value {
    fn contains(container: Node, value: V) -> Node {
        contains(container, &value)
    }
}

fn contains(document: Node, value: &impl Serialize) -> Node {
    match serde_json::to_string(value) {
        Ok(text) => {
            Node::JsonContains { document: Box::new(document), value: Box::new(Node::Value(Value::Json(text.into()))) }
        }
        Err(_) => Node::Invalid("the value that a document is to contain cannot be written as JSON".into()),
    }
}

fn has_key(document: Node, key: String) -> Node {
    let steps = vec![JsonStep::Key(key)];
    let there = Node::JsonPath { document: Box::new(document), steps, what: JsonAs::Json };
    Node::IsNull { value: Box::new(there), negated: true }
}
