//! What a database looks like.

mod action;
mod sql_type;

pub use action::Action;
pub use sql_type::SqlType;
