//! One test suite for every backend.
