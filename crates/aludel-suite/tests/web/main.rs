//! Aludel over HTTP.

mod config;
mod errors;
mod layer;
mod pages;

#[path = "../faults_support/mod.rs"]
mod faults_support;

#[path = "../support/mod.rs"]
mod support;
