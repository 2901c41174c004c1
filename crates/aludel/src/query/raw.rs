//! SQL as the application writes it.

use std::fmt;
use std::panic::Location;

use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ColumnType;
use crate::session::Session;
use crate::sql::Value;

use super::fetch::Fetch;
use super::terminal::explain;

/// A statement that the application writes itself, with values bound to its placeholders: made by
/// [`Session::sql`].
#[must_use = "a statement does nothing until `all`, `one` or `execute` sends it"]
pub struct RawSql<'a> {
    session: &'a Session,
    sql: &'a str,
    params: Vec<Value<'static>>,
}

/// What can be bound to a placeholder: values of the types that columns can have, and `&str`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a placeholder",
    label = "not a value that a column could hold"
)]
pub trait IntoBind {
    /// The value to be bound.
    fn into_bind(self) -> Value<'static>;
}

impl<T: ColumnType> IntoBind for T {
    fn into_bind(self) -> Value<'static> {
        self.to_value().into_owned()
    }
}

impl IntoBind for &str {
    fn into_bind(self) -> Value<'static> {
        Value::Text(self.to_owned().into())
    }
}

impl Session {
    /// A statement of your own, in the SQL of the database at hand. Values are bound with [`bind`](RawSql::bind), never
    /// written into it.
    ///
    /// It is sent as it stands: placeholders are `?` on SQLite, MariaDB and MySQL, and `$1`, `$2` on PostgreSQL, which
    /// infers their types and may want a cast where nothing tells them (`SELECT $1::bigint`). After an error within a
    /// transaction PostgreSQL takes no other statement before a rollback.
    ///
    /// What only reads runs as a query does; what writes opens the session's transaction, and entities are refreshed
    /// when they are read the next time.
    ///
    /// ```standalone_crate
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = aludel::Db::connect("sqlite://").await?;
    /// # let session = db.session();
    /// let row: (i64, String) = session.sql("SELECT 6 * ?, upper(?)").bind(7).bind("x").one().await?;
    /// assert_eq!(row, (42, "X".to_owned()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn sql<'a>(&'a self, sql: &'a str) -> RawSql<'a> {
        RawSql { session: self, sql, params: Vec::new() }
    }
}

impl<'a> RawSql<'a> {
    /// Binds a value to the next placeholder.
    pub fn bind(mut self, value: impl IntoBind) -> Self {
        self.params.push(value.into_bind());
        self
    }

    /// All rows, their columns read in order into `R`: a column's type, a tuple, or a projection.
    ///
    /// # Errors
    /// `InvalidStatement` when the database does not understand the statement, or gives another number of columns than
    /// `R` takes; `Decode` when a value does not fit; others as the database reports them; those of
    /// [`Session::flush`].
    #[track_caller]
    pub fn all<R: Fetch>(self) -> impl Future<Output = Result<Vec<R>>> + Send + use<'a, R> {
        let at = Location::caller();
        async move { self.rows(usize::MAX, at).await }
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`all`](RawSql::all).
    #[track_caller]
    pub fn first<R: Fetch>(self) -> impl Future<Output = Result<Option<R>>> + Send + use<'a, R> {
        let at = Location::caller();
        async move { Ok(self.rows(1, at).await?.pop()) }
    }

    /// The only row.
    ///
    /// # Errors
    /// `NotFound` when there is no row, `MultipleFound` when there is more than one; otherwise as [`all`](RawSql::all).
    #[track_caller]
    pub fn one<R: Fetch>(self) -> impl Future<Output = Result<R>> + Send + use<'a, R> {
        let one = self.one_or_none();
        async move {
            one.await?
                .ok_or_else(|| Error::new(ErrorKind::NotFound, "the statement gave no row where one was asked for"))
        }
    }

    /// The only row, if there is one.
    ///
    /// # Errors
    /// `MultipleFound` when there is more than one; otherwise as [`all`](RawSql::all).
    #[track_caller]
    pub fn one_or_none<R: Fetch>(self) -> impl Future<Output = Result<Option<R>>> + Send + use<'a, R> {
        let at = Location::caller();
        async move {
            let mut rows = self.rows(2, at).await?;
            if rows.len() > 1 {
                let message = "the statement gave more than one row where one was asked for";
                return Err(Error::new(ErrorKind::MultipleFound, message));
            }
            Ok(rows.pop())
        }
    }

    /// Sends a statement that writes, and gives the number of rows that it changed.
    ///
    /// # Errors
    /// As the database reports them; those of [`Session::flush`].
    #[track_caller]
    pub fn execute(self) -> impl Future<Output = Result<u64>> + Send + use<'a> {
        let at = Location::caller();
        async move {
            check_control(self.sql)?;
            self.session.autoflush(at).await?;
            let executed = self.session.execute(self.sql, &self.params, None, at).await?;
            Ok(executed.rows_affected)
        }
    }

    /// The first so many rows; the others are read past.
    async fn rows<R: Fetch>(self, most: usize, at: &'static Location<'static>) -> Result<Vec<R>> {
        check_control(self.sql)?;
        self.session.autoflush(at).await?;
        let mut rows = Vec::new();
        let mut sink = |row: &Row<'_>| {
            if row.len() != R::width() {
                return Err(other_width(row.len(), R::width(), std::any::type_name::<R>()));
            }
            if rows.len() < most {
                rows.push(R::detached(row, 0)?);
            }
            Ok(())
        };
        self.session.fetch_any(self.sql, &self.params, at, &mut sink).await.map_err(explain)?;
        Ok(rows)
    }
}

/// Transactions are the session's, which has to know where its entities stand.
///
/// # Errors
/// `InvalidStatement` for a statement that begins or ends one, naming what to call; for none at all.
fn check_control(sql: &str) -> Result<()> {
    let word = first_word(sql);
    let calls = [
        ("begin", "session.begin()"),
        ("start", "session.begin()"),
        ("commit", "session.commit()"),
        ("end", "session.commit()"),
        ("rollback", "session.rollback()"),
        ("savepoint", "session.begin_nested()"),
        ("release", "session.begin_nested()"),
    ];
    match calls.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)) {
        // MariaDB and MySQL run what stands in such a comment.
        None if after_comments(sql).is_empty() && !sql.contains("/*!") && !sql.contains("/*M!") => {
            Err(Error::new(ErrorKind::InvalidStatement, "the statement is empty").with_statement(sql))
        }
        None => Ok(()),
        Some((_, call)) => Err(Error::new(
            ErrorKind::InvalidStatement,
            format!("`{word}` would change the session's transaction behind its back; call `{call}` instead"),
        )),
    }
}

/// The first word of a statement.
fn first_word(sql: &str) -> &str {
    let sql = after_comments(sql);
    let end = sql.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(sql.len());
    &sql[..end]
}

/// A statement after white space and comments.
fn after_comments(mut sql: &str) -> &str {
    loop {
        sql = sql.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ';');
        let comment = if sql.starts_with("--") {
            sql.split_once('\n')
        } else if sql.starts_with("/*") {
            sql.split_once("*/")
        } else {
            return sql;
        };
        match comment {
            Some((_, rest)) => sql = rest,
            None => return "",
        }
    }
}

#[cold]
fn other_width(found: usize, expected: usize, rust: &str) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!("the statement gives {found} columns, and `{rust}` takes {expected}"),
    )
}

impl fmt::Debug for RawSql<'_> {
    /// The SQL, without its values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawSql").field(&self.sql).finish()
    }
}
