//! PostgreSQL, and what speaks its protocol.

mod answer;
mod bind;
mod cancel;
mod connection;
mod copy;
mod cursor;
mod error;
mod numeric;
mod pipeline;
mod prepare;
pub(super) mod row;
mod settings;
mod startup;
mod temporal;
mod tls;
mod types;
mod wire;
mod words;

pub(super) use connection::Connection;

#[cfg(test)]
mod tests;
