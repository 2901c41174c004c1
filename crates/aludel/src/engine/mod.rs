//! Engines, pools and connections, and the drivers behind them.

#[cfg(not(feature = "sqlite"))]
compile_error!("aludel needs a backend: enable the feature `sqlite`");

mod begin_mode;
mod connection;
mod driver;
#[allow(clippy::module_inception, reason = "the type that the module is about")]
mod engine;
mod gate;
mod lease;
mod log;
#[cfg(feature = "mysql")]
mod mysql;
mod offload;
mod options;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
pub(crate) mod reflect;
mod replicas;
mod retry;
pub mod row;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod statement_cache;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod stream;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod tls;
mod url;
mod writer;

pub(crate) use begin_mode::BeginMode;
pub(crate) use connection::CursorId;
pub(crate) use connection::{CopyIn, Executed, Finish, Now, PooledConnection, Rest, Several, SinkOfSeveral};
pub(crate) use engine::Engine;
pub use options::{EngineOptions, Synchronous};
pub use pool::PoolStatus;
pub use replicas::ReplicaStatus;
pub(crate) use replicas::Replicas;
pub use url::DatabaseUrl;

#[cfg(test)]
pub(crate) mod tests;
