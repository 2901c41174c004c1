//! Queries of tables that have no model: those that reflection found.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::engine::row::Row as DriverRow;
use crate::entity::value_of_type;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ColumnType, Expr, Expression, Order};
use crate::names::hint;
use crate::schema::{Column, SqlType, Table, View};
use crate::session::Session;
use crate::session::shared::{Bind, DEFAULT};
use crate::sql::{BinaryOp, ColumnRef, Dialect, Node, OrderBy, Select, Statement, Value};

use super::raw::IntoBind;

/// What can be selected from by its name: a [`Table`] or a [`View`].
pub trait Reflected {
    /// The name in the database.
    fn name(&self) -> &str;

    /// The columns, in their order.
    fn columns(&self) -> &[Column];
}

impl Reflected for Table {
    fn name(&self) -> &str {
        &self.name
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }
}

impl Reflected for View {
    fn name(&self) -> &str {
        &self.name
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }
}

fn column_of(table: &impl Reflected, name: &str) -> Result<TableColumn> {
    let Some(column) = table.columns().iter().find(|column| column.name == name) else {
        let known = table.columns().iter().map(|column| column.name.as_str());
        let message = format!("table `{}` has no column `{name}`{}", table.name(), hint(name, known));
        return Err(Error::new(ErrorKind::InvalidStatement, message).with_table(table.name()));
    };
    let mut reference = ColumnRef::new(table.name().to_owned(), column.name.clone());
    reference.nullable = column.nullable;
    Ok(TableColumn { reference, ty: column.ty.clone() })
}

impl Table {
    /// A column for a query of [`Session::select_from`].
    ///
    /// # Errors
    /// `InvalidStatement` when the table has no such column, naming the one that may have been meant.
    pub fn c(&self, name: &str) -> Result<TableColumn> {
        column_of(self, name)
    }
}

impl View {
    /// A column for a query of [`Session::select_from`].
    ///
    /// # Errors
    /// `InvalidStatement` when the view has no such column, naming the one that may have been meant.
    pub fn c(&self, name: &str) -> Result<TableColumn> {
        column_of(self, name)
    }
}

/// A column of a reflected table, found by its name with [`Table::c`]: what its queries filter and order by.
///
/// Its type is known to the database alone: a comparison with a value of another type is the database's error, or finds
/// nothing on SQLite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    reference: ColumnRef,
    ty: SqlType,
}

impl TableColumn {
    fn node(&self) -> Node {
        Node::Column(self.reference.clone())
    }

    fn compare(&self, op: BinaryOp, value: impl IntoBind) -> Expr<bool> {
        Expr::new(Node::binary(self.node(), op, Node::Value(value.into_bind())))
    }

    /// The column's type.
    pub fn ty(&self) -> &SqlType {
        &self.ty
    }

    /// `=`, or IS NULL where the value is `None`.
    pub fn eq(&self, value: impl IntoBind) -> Expr<bool> {
        self.compare(BinaryOp::Eq, value)
    }

    /// `<>`, or IS NOT NULL where the value is `None`.
    pub fn ne(&self, value: impl IntoBind) -> Expr<bool> {
        self.compare(BinaryOp::Ne, value)
    }

    /// `<`
    pub fn lt(&self, value: impl IntoBind) -> Expr<bool> {
        self.compare(BinaryOp::Lt, value)
    }

    /// `<=`
    pub fn le(&self, value: impl IntoBind) -> Expr<bool> {
        self.compare(BinaryOp::Le, value)
    }

    /// `>`
    pub fn gt(&self, value: impl IntoBind) -> Expr<bool> {
        self.compare(BinaryOp::Gt, value)
    }

    /// `>=`
    pub fn ge(&self, value: impl IntoBind) -> Expr<bool> {
        self.compare(BinaryOp::Ge, value)
    }

    /// `IN`. An empty list holds nothing, `None` in it stands for NULL.
    pub fn in_<V: IntoBind>(&self, values: impl IntoIterator<Item = V>) -> Expr<bool> {
        let values = values.into_iter().map(|value| Node::Value(value.into_bind())).collect();
        Expr::new(Node::in_list(self.node(), values))
    }

    /// Whether a text stands anywhere in the column's; `%` and `_` stand for themselves. Whether letter case counts is
    /// the database's matter.
    pub fn contains(&self, text: impl AsRef<str>) -> Expr<bool> {
        Expr::new(Node::like_literal(self.node(), "%", text.as_ref(), "%"))
    }

    /// Whether the column's text begins with another; as [`contains`](Self::contains).
    pub fn starts_with(&self, text: impl AsRef<str>) -> Expr<bool> {
        Expr::new(Node::like_literal(self.node(), "", text.as_ref(), "%"))
    }

    /// `IS NULL`
    pub fn is_null(&self) -> Expr<bool> {
        Expr::new(Node::IsNull { value: Box::new(self.node()), negated: false })
    }

    /// `IS NOT NULL`
    pub fn is_not_null(&self) -> Expr<bool> {
        Expr::new(Node::IsNull { value: Box::new(self.node()), negated: true })
    }

    /// From the least to the greatest.
    pub fn asc(&self) -> OrderBy {
        OrderBy::asc(self.node())
    }

    /// From the greatest to the least.
    pub fn desc(&self) -> OrderBy {
        OrderBy::desc(self.node())
    }
}

impl Order for TableColumn {
    fn push_to(self, order: &mut Vec<OrderBy>) {
        order.push(self.asc());
    }
}

/// A query of a reflected table or view: made by [`Session::select_from`].
#[must_use = "a query does nothing until `all`, `first`, `one` or `count` sends it"]
pub struct TableQuery<'a> {
    session: &'a Session,
    /// Their table is the query's.
    columns: Vec<TableColumn>,
    table: String,
    filter: Vec<Node>,
    order_by: Vec<OrderBy>,
    limit: Option<u64>,
    offset: Option<u64>,
    bind: Option<&'a str>,
    /// What went wrong while it was built.
    error: Option<Error>,
}

impl Session {
    /// A query of a table or view without a model, as [`Db::reflect`](crate::Db::reflect) found it. Its rows are read by
    /// name or position.
    ///
    /// ```standalone_crate
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = aludel::Db::connect("sqlite://").await?;
    /// # let session = db.session();
    /// session.sql("CREATE TABLE tag (id INTEGER PRIMARY KEY, name VARCHAR(20))").execute().await?;
    /// session.sql("INSERT INTO tag (name) VALUES ('heat'), ('glass'), (NULL)").execute().await?;
    /// session.commit().await?;
    /// let metadata = db.reflect().await?;
    /// let tag = metadata.table("tag").unwrap();
    ///
    /// let rows = session.select_from(tag).filter(tag.c("name")?.is_not_null()).order_by(tag.c("name")?).all().await?;
    /// assert_eq!(rows[0].get::<String>("name")?, "glass");
    /// assert_eq!(rows[1].get::<i64>(0)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn select_from<'a>(&'a self, table: &impl Reflected) -> TableQuery<'a> {
        let mut query = TableQuery {
            session: self,
            columns: Vec::new(),
            table: table.name().to_owned(),
            filter: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            bind: None,
            error: None,
        };
        query.choose(table.columns().iter().map(|column| column_of(table, &column.name)));
        query
    }
}

impl<'a> TableQuery<'a> {
    fn choose(&mut self, columns: impl Iterator<Item = Result<TableColumn>>) {
        match columns.collect() {
            Ok(columns) => self.columns = columns,
            Err(error) => self.error = Some(error),
        }
    }

    /// Selects these columns alone, in this order.
    pub fn columns(mut self, columns: impl IntoIterator<Item = TableColumn>) -> Self {
        self.columns = columns.into_iter().collect();
        self
    }

    /// Keeps the rows that fulfil a condition; several calls must all hold.
    pub fn filter(mut self, condition: Expr<bool>) -> Self {
        self.filter.push(condition.into_node());
        self
    }

    /// Orders the rows: by a column, its `.asc()` or `.desc()`, or a tuple of these. A second call orders further.
    pub fn order_by(mut self, order: impl Order) -> Self {
        order.push_to(&mut self.order_by);
        self
    }

    /// At most so many rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Passes over so many rows.
    pub fn offset(mut self, rows: u64) -> Self {
        self.offset = Some(rows);
        self
    }

    /// Sends the query to the database of a bind; otherwise it goes to the default one.
    pub fn on(mut self, bind: &'a str) -> Self {
        self.bind = Some(bind);
        self
    }

    /// All rows.
    ///
    /// # Errors
    /// `InvalidStatement` when a column is of another table; `Decode` when a value is not of its column's type; others as
    /// the database reports them; those of [`Session::flush`].
    #[track_caller]
    pub fn all(self) -> impl Future<Output = Result<Vec<Row>>> + Send + use<'a> {
        let at = Location::caller();
        async move { self.rows(at).await }
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`all`](TableQuery::all).
    #[track_caller]
    pub fn first(mut self) -> impl Future<Output = Result<Option<Row>>> + Send + use<'a> {
        let at = Location::caller();
        self.limit = Some(self.limit.map_or(1, |limit| limit.min(1)));
        async move { Ok(self.rows(at).await?.pop()) }
    }

    /// The only row.
    ///
    /// # Errors
    /// `NotFound` when there is no row, `MultipleFound` when there is more than one; otherwise as
    /// [`all`](TableQuery::all).
    #[track_caller]
    pub fn one(mut self) -> impl Future<Output = Result<Row>> + Send + use<'a> {
        let at = Location::caller();
        self.limit = Some(self.limit.map_or(2, |limit| limit.min(2)));
        async move {
            let table = self.table.clone();
            let wrong = |kind, what| Err(Error::new(kind, format!("{what} of `{table}` where one was asked for")));
            let mut rows = self.rows(at).await?;
            match (rows.pop(), rows.is_empty()) {
                (Some(row), true) => Ok(row),
                (Some(_), false) => wrong(ErrorKind::MultipleFound, "more than one row"),
                (None, _) => wrong(ErrorKind::NotFound, "no row"),
            }
        }
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// As [`all`](TableQuery::all).
    #[track_caller]
    pub fn count(self) -> impl Future<Output = Result<u64>> + Send + use<'a> {
        let at = Location::caller();
        async move {
            let (session, bind) = (self.session, self.database()?);
            let statement = self.statement(bind, Select::into_count)?;
            session.autoflush(at).await?;
            let mut count = 0;
            let mut sink = |row: &DriverRow<'_>| {
                count = row.integer(0)?.unsigned_abs();
                Ok(())
            };
            session.fetch(bind, &statement.sql, &statement.params, at, &mut sink).await?;
            Ok(count)
        }
    }

    fn database(&self) -> Result<Bind> {
        self.bind.map_or(Ok(DEFAULT), |name| self.session.db().bind_named(name))
    }

    fn statement(self, bind: Bind, make: impl FnOnce(Select) -> Select) -> Result<Statement> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if let Some(other) = self.columns.iter().find(|column| column.reference.table != self.table) {
            let message = format!(
                "{}.{} is no column of `{}`, which the query selects from",
                other.reference.table, other.reference.name, self.table
            );
            return Err(Error::new(ErrorKind::InvalidStatement, message).with_table(&self.table));
        }
        let dialect = self.session.db().engine(bind).dialect();
        let mut select = Select::from_table(self.table);
        select.columns = self.columns.iter().map(|column| selected(dialect, column).into()).collect();
        (select.filter, select.order_by) = (self.filter, self.order_by);
        (select.limit, select.offset) = (self.limit, self.offset);
        let mut statement = Statement::new(String::new(), Vec::new());
        make(select).render(dialect, &mut statement);
        Ok(statement)
    }

    async fn rows(self, at: &'static Location<'static>) -> Result<Vec<Row>> {
        let (session, bind) = (self.session, self.database()?);
        let columns: Arc<[TableColumn]> = self.columns.clone().into();
        let statement = self.statement(bind, |select| select)?;
        session.autoflush(at).await?;
        let mut rows = Vec::new();
        let mut sink = |row: &DriverRow<'_>| {
            let value =
                |(at, column): (usize, &TableColumn)| value(row, at, &column.ty).map_err(|error| column.explain(error));
            let values = columns.iter().enumerate().map(value).collect::<Result<_>>()?;
            rows.push(Row { columns: Arc::clone(&columns), values });
            Ok(())
        };
        session.fetch(bind, &statement.sql, &statement.params, at, &mut sink).await?;
        Ok(rows)
    }
}

impl fmt::Debug for TableQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TableQuery").field(&self.table).finish()
    }
}

/// A column in the list: as a text where Rust has no type for the server's.
fn selected(dialect: Dialect, column: &TableColumn) -> Node {
    let SqlType::Other(_) = column.ty else { return column.node() };
    let word = match dialect {
        // Its values have types of their own, whatever the column says.
        Dialect::Sqlite => return column.node(),
        Dialect::Postgres => "TEXT",
        Dialect::MariaDb | Dialect::MySql => "CHAR",
    };
    let mut sql = String::from("CAST(");
    dialect.quote(&column.reference.table, &mut sql);
    sql.push('.');
    dialect.quote(&column.reference.name, &mut sql);
    sql.push_str(" AS ");
    sql.push_str(word);
    sql.push(')');
    Node::Sql(sql.into())
}

/// A value by its column's type; where that is unknown, of the type that it has.
fn value(row: &DriverRow<'_>, at: usize, ty: &SqlType) -> Result<Value<'static>> {
    if !matches!(ty, SqlType::Other(_)) || row.is_null(at) {
        return value_of_type(row, at, ty);
    }
    let integer = row.integer(at).map(Value::Int);
    let number = integer.or_else(|_| row.double(at).map(Value::Double));
    let text = number.or_else(|_| row.text(at).map(|text| Value::Text(text.to_owned().into())));
    text.or_else(|_| row.bytes(at).map(|bytes| Value::Bytes(bytes.to_vec().into())))
}

impl TableColumn {
    #[cold]
    fn explain(&self, error: Error) -> Error {
        let ColumnRef { table, name, .. } = &self.reference;
        error.with_message(|message| format!("{table}.{name}: {message}")).with_table(table.as_ref())
    }
}

/// A row of a table without a model: its values are read by name or position.
#[derive(Clone)]
pub struct Row {
    columns: Arc<[TableColumn]>,
    values: Vec<Value<'static>>,
}

/// What names a value of a [`Row`]: the column's name, or its position, the first being 0.
pub trait RowIndex: fmt::Display {
    /// The position, if there is such a column.
    #[doc(hidden)]
    fn position(&self, row: &Row) -> Option<usize>;
}

impl RowIndex for usize {
    fn position(&self, row: &Row) -> Option<usize> {
        (*self < row.len()).then_some(*self)
    }
}

impl RowIndex for &str {
    fn position(&self, row: &Row) -> Option<usize> {
        row.columns.iter().position(|column| column.reference.name == *self)
    }
}

impl Row {
    /// A value, in a type that a column of its type could have.
    ///
    /// # Errors
    /// `InvalidStatement` when the row has no such column, naming the one that may have been meant; `Decode` when the
    /// value is of another type, or NULL where `T` is no `Option`.
    pub fn get<T: ColumnType>(&self, index: impl RowIndex) -> Result<T> {
        let Some(position) = index.position(self) else { return Err(self.missing(&index)) };
        T::from_value(self.values[position].as_borrowed()).map_err(|error| self.columns[position].explain(error))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The columns' names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.reference.name.as_ref())
    }

    #[cold]
    fn missing(&self, index: &dyn fmt::Display) -> Error {
        let name = index.to_string();
        let table = self.columns.first().map(|column| column.reference.table.clone()).unwrap_or_default();
        let message = match name.parse::<usize>() {
            Ok(_) => {
                format!("a row of `{table}` has {} values, and the one at position {name} was asked for", self.len())
            }
            Err(_) => format!("a row of `{table}` has no column `{name}`{}", hint(&name, self.names())),
        };
        Error::new(ErrorKind::InvalidStatement, message).with_table(table.as_ref())
    }
}

impl fmt::Debug for Row {
    /// The columns' names, without the values, which may be anybody's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
