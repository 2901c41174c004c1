//! What is wrong with a column's value.

use std::fmt::Display;

use super::Column;
use crate::entity::model::Model;
use crate::error::Error;

impl<M: Model, T> Column<M, T> {
    /// The error of a value that may not be written, for [`Hooks::validate`](crate::Hooks::validate) to return: it names
    /// the model and the column. As a response it is 422, in which the client sees the field and the message.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     email: String,
    /// }
    ///
    /// # fn main() {
    /// let error = User::email.invalid("is no address");
    /// assert_eq!(error.kind(), ErrorKind::Validation);
    /// assert_eq!(error.to_string(), "user.email: is no address (`User::email`)");
    /// assert_eq!(error.description(), Some("email: is no address"));
    /// assert_eq!((error.table(), error.columns()), (Some("user"), &["email".to_owned()][..]));
    /// # }
    /// ```
    pub fn invalid(self, message: impl Display) -> Error {
        let (model, column) = (M::def(), self.def());
        Error::validation(format!("{}: {message}", column.field))
            .with_message(|_| {
                format!("{}.{}: {message} (`{}::{}`)", model.table, column.name, model.name, column.field)
            })
            .with_table(model.table)
            .with_columns(vec![column.name.to_owned()])
    }
}
