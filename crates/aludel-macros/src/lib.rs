//! The derive macros of Aludel.
