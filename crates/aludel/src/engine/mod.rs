//! Engines, pools and connections, and the drivers behind them.

pub mod row;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
