//! MariaDB and MySQL, and what speaks their protocol: a connection of the crate `mysql_async`, from which rows are read
//! one by one as they arrive.

mod bind;
mod connection;
mod cursor;
mod error;
mod execution;
mod kill;
mod opening;
mod pace;
mod report;
mod row;
mod settings;
#[cfg(test)]
mod tests;
mod tls;

pub(super) use connection::Connection;
pub(super) use row::MysqlRow;
