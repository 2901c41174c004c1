//! Faults with figures: what `docs/reliability.md` reports. As a part of the suite each run is a small one;
//! `cargo xtask reliability` does the full ones, and collects their figures.

mod faults_support;
mod own_servers;
mod reliability_runs;
mod support;
