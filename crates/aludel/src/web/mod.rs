//! The request's session, what a handler can ask for, and what errors mean over HTTP.

mod page_query;
mod response;
