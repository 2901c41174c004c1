//! Columns that are loaded when they are asked for.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};
use crate::model::ColumnType;
use crate::sql::Value;

/// A column that queries leave out until it is asked for, as a field of a model: `#[column(deferred)]`. For long texts and
/// bytes that most of a program does not need.
///
/// It is loaded with the query, `.with(Post::body)`, or for an entity and those that the same query brought,
/// `post.load(Post::body).await`; it is read with [`get`](Deferred::get), which never touches the database. In
/// conditions, assignments and selections `Post::body` is a column as any other, of the type `T`.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// struct Post {
///     #[column(primary_key)]
///     id: i64,
///     title: String,
///     #[column(deferred, text)]
///     body: Deferred<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> aludel::Result<()> {
/// # let db = Db::connect("sqlite://").await?;
/// # db.create_all().await?;
/// # let session = db.session();
/// session.add(Post::build().title("Hello").body("A long text"));
/// session.commit().await?;
///
/// let session = db.session();
/// let post = session.get_one::<Post>(1).await?;
/// assert_eq!(post.body.get().unwrap_err().kind(), ErrorKind::NotLoaded);
/// assert_eq!(post.load(Post::body).await?, "A long text");
/// assert_eq!(post.body.get()?, "A long text");
///
/// let posts = Post::query().with(Post::body).filter(Post::body.contains("long")).all(&session).await?;
/// assert!(posts[0].body.is_loaded());
/// # Ok(())
/// # }
/// ```
///
/// Serialized, an entity leaves the field out while it is not loaded. A row that is read again after a commit, a rollback
/// or by [`refresh`](crate::Session::refresh) has its deferred columns not loaded.
#[derive(Clone)]
pub struct Deferred<T>(State<T>);

#[derive(Clone)]
enum State<T> {
    Loaded(T),
    /// The column's name, for the message; none in a value that was never in a session.
    NotLoaded(Option<&'static str>),
}

/// What stands for a value that was not loaded, on its way between versions of a row.
const NOT_LOADED: &str = "a deferred column that is not loaded has no value that could be written; give it one";

/// Whether a value is that of a column which is not loaded.
pub(crate) fn is_unloaded(value: &Value<'_>) -> bool {
    matches!(value, Value::Invalid(reason) if reason.as_ref() == NOT_LOADED)
}

impl<T> Deferred<T> {
    #[doc(hidden)]
    pub const fn unloaded(column: &'static str) -> Self {
        Self(State::NotLoaded(Some(column)))
    }

    /// The value.
    ///
    /// # Errors
    /// `NotLoaded` when the column has not been loaded.
    pub fn get(&self) -> Result<&T> {
        match &self.0 {
            State::Loaded(value) => Ok(value),
            State::NotLoaded(column) => Err(not_loaded(*column)),
        }
    }

    /// The value, or `None` when the column has not been loaded.
    pub fn loaded(&self) -> Option<&T> {
        match &self.0 {
            State::Loaded(value) => Some(value),
            State::NotLoaded(_) => None,
        }
    }

    /// Whether the column has been loaded.
    pub fn is_loaded(&self) -> bool {
        matches!(self.0, State::Loaded(_))
    }

    /// The value, taken out.
    ///
    /// # Errors
    /// As [`get`](Deferred::get).
    pub fn into_inner(self) -> Result<T> {
        match self.0 {
            State::Loaded(value) => Ok(value),
            State::NotLoaded(column) => Err(not_loaded(column)),
        }
    }
}

impl<T: ColumnType> Deferred<T> {
    #[doc(hidden)]
    pub fn to_value(&self) -> Value<'_> {
        match &self.0 {
            State::Loaded(value) => value.to_value(),
            State::NotLoaded(_) => Value::Invalid(Cow::Borrowed(NOT_LOADED)),
        }
    }

    #[doc(hidden)]
    pub fn from_value(value: Value<'_>, column: &'static str) -> Result<Self> {
        if is_unloaded(&value) {
            return Ok(Self::unloaded(column));
        }
        T::from_value(value).map(Self::from)
    }
}

#[cold]
fn not_loaded(column: Option<&'static str>) -> Error {
    let message = match column {
        Some(column) => format!(
            "the column `{column}` is deferred and not loaded; add `.with({column})` to the query, or call \
             `.load({column}).await` on the entity"
        ),
        None => "this deferred column is not loaded: the value was never in a session".to_owned(),
    };
    Error::new(ErrorKind::NotLoaded, message)
}

impl<T> From<T> for Deferred<T> {
    fn from(value: T) -> Self {
        Self(State::Loaded(value))
    }
}

impl<T> Default for Deferred<T> {
    /// Not loaded.
    fn default() -> Self {
        Self(State::NotLoaded(None))
    }
}

impl<T: fmt::Debug> fmt::Debug for Deferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Loaded(value) => value.fmt(f),
            State::NotLoaded(_) => f.write_str("<not loaded>"),
        }
    }
}

impl<T: PartialEq> PartialEq for Deferred<T> {
    fn eq(&self, other: &Self) -> bool {
        self.loaded() == other.loaded()
    }
}

impl<T: Eq> Eq for Deferred<T> {}

impl<T: Serialize> Serialize for Deferred<T> {
    /// The value itself in formats for people, and null where it is not loaded; in others an `Option` of it, which has a
    /// fixed shape.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            State::Loaded(value) if serializer.is_human_readable() => value.serialize(serializer),
            State::Loaded(value) => serializer.serialize_some(value),
            State::NotLoaded(_) => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Deferred<T> {
    /// The value; null is not loaded.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or_else(Self::default, Self::from))
    }
}
