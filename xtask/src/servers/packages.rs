//! Servers from the system's packages.

use std::process::Command;

use super::{is_root, program, run};

/// Installs a package of Debian or Ubuntu.
///
/// # Errors
/// Where this is another system, or nobody who may install.
pub(super) fn install(package: &str) -> Result<(), String> {
    let Some(apt) = program("apt-get") else {
        return Err(format!("`{package}` is not installed, and there is no apt-get to install it with"));
    };
    if !is_root() {
        return Err(format!("`{package}` is not installed, which the superuser could do: apt-get install {package}"));
    }
    eprintln!("installing {package}");
    let get = |arguments: &[&str]| {
        run(Command::new(&apt).env("DEBIAN_FRONTEND", "noninteractive").args(["-qq", "-y"]).args(arguments)).map(drop)
    };
    // The lists may be old, or not there at all.
    get(&["install", "--no-install-recommends", package]).or_else(|_| {
        get(&["update"])?;
        get(&["install", "--no-install-recommends", package])
    })
}
