//! MariaDB and MySQL, and what speaks their protocol.

mod bind;
mod column;
mod connection;
mod cursor;
mod error;
mod execution;
mod kill;
mod link;
mod opening;
mod pace;
mod report;
mod row;
mod settings;
mod startup;
#[cfg(test)]
mod tests;
mod tls;
mod wire;
mod words;

pub(super) use connection::Connection;
pub(super) use row::MysqlRow;
