//! What a URL says about a connection.

use std::time::Duration;

use mysql_async::{Opts, OptsBuilder};

use crate::engine::EngineOptions;
use crate::engine::url::{Host, ServerUrl};
use crate::error::{Error, ErrorKind, Result};

const PORT: u16 = 3306;

/// How long a connection may take to open, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The parameters that a URL may have.
const PARAMETERS: &[&str] = &["charset", "connect_timeout", "ssl-mode", "ssl_mode", "sslmode"];

/// A server to try, and how to reach it.
pub(super) struct Candidate {
    /// The address, as messages name it.
    pub(super) address: String,
    pub(super) opts: Opts,
}

/// What a URL and the engine's options come to.
pub(super) struct Settings {
    /// The servers, in the order in which they are tried.
    pub(super) candidates: Vec<Candidate>,
    pub(super) connect_timeout: Duration,
}

impl Settings {
    /// # Errors
    /// `Config` for a parameter that is unknown or has a wrong value; `Unsupported` for encryption.
    pub(super) fn new(url: &ServerUrl, options: &EngineOptions) -> Result<Self> {
        for (key, _) in &url.parameters {
            if !PARAMETERS.contains(&key.as_str()) {
                return Err(config(format!(
                    "the database URL has the unknown parameter `{key}`; it may have {}",
                    PARAMETERS.join(", ")
                )));
            }
        }
        if let Some(charset) = url.parameter_value("charset")
            && !charset.eq_ignore_ascii_case("utf8mb4")
        {
            return Err(config(format!(
                "the database URL has the charset `{charset}`; it is utf8mb4 always, which holds all of Unicode"
            )));
        }
        encryption(url)?;
        let connect_timeout = match url.parameter_value("connect_timeout") {
            None => CONNECT_TIMEOUT,
            Some(text) => match text.parse() {
                Ok(seconds @ 1..) => Duration::from_secs(seconds),
                _ => {
                    return Err(config(
                        "the `connect_timeout` of the database URL is not a number of seconds from 1 on",
                    ));
                }
            },
        };
        let login = OptsBuilder::default()
            .user(url.user.clone())
            .pass(url.password.clone())
            .db_name(url.database.clone())
            .prefer_socket(false)
            .client_found_rows(true)
            // Read by nobody: Aludel's own pool decides how long a connection lives.
            .wait_timeout(Some(28_800))
            .stmt_cache_size(options.statement_cache_size.max(1));
        let local = [Host::Tcp("127.0.0.1".to_owned(), None)];
        let hosts = if url.hosts.is_empty() { &local[..] } else { &url.hosts };
        let candidates = hosts.iter().map(|host| candidate(host, login.clone())).collect();
        Ok(Self { candidates, connect_timeout })
    }
}

fn candidate(host: &Host, login: OptsBuilder) -> Candidate {
    match host {
        Host::Tcp(name, port) => {
            let port = port.unwrap_or(PORT);
            let address = if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") };
            Candidate { address, opts: login.ip_or_hostname(name.clone()).tcp_port(port).into() }
        }
        Host::Unix(path, _) => {
            let path = path.to_string_lossy().into_owned();
            Candidate { opts: login.socket(Some(path.clone())).into(), address: path }
        }
    }
}

/// Whether the connection is to be encrypted: it never is yet, so that a URL that insists on it is refused.
fn encryption(url: &ServerUrl) -> Result<()> {
    for key in ["ssl-mode", "ssl_mode", "sslmode"] {
        let Some(mode) = url.parameter_value(key) else { continue };
        match mode.to_ascii_lowercase().replace('-', "_").as_str() {
            "disabled" | "disable" | "preferred" | "prefer" => {}
            "required" | "require" | "verify_ca" | "verify_identity" | "verify_full" => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("the database URL asks for `{key}={mode}`, and this build cannot encrypt the connection"),
                ));
            }
            _ => {
                return Err(config(format!(
                    "the `{key}` of the database URL is one of disabled, preferred, required, verify_ca, \
                     verify_identity"
                )));
            }
        }
    }
    Ok(())
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}
