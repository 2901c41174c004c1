//! The request's session, what a handler can ask for, and what errors mean over HTTP.

mod extract;
mod layer;
mod page_query;
mod response;

pub use layer::{SessionLayer, SessionService};
