//! The typed query and what its terminal methods give.

pub mod page;
