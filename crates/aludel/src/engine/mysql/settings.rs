//! What a URL says about a connection.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::startup::Door;
use super::tls::{self, SslMode};
use crate::engine::EngineOptions;
use crate::engine::url::{Host, ServerUrl};
use crate::error::{Error, ErrorKind, Result};

const PORT: u16 = 3306;

/// How long a connection may take to open, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The parameters that a URL may have.
const PARAMETERS: &[&str] =
    &["charset", "connect_timeout", "ssl-mode", "ssl-ca", "ssl_mode", "ssl_ca", "sslmode", "sslrootcert"];

/// A server to try, and how to reach it.
pub(super) struct Candidate {
    /// The address, as messages name it.
    pub(super) address: String,
    pub(super) door: Arc<Door>,
    /// The same without encryption, for a server that has none and where that will do.
    pub(super) plain: Option<Arc<Door>>,
}

/// Where a server listens.
#[derive(Clone)]
pub(super) enum Place {
    Tcp(String, u16),
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no such sockets"))]
    Unix(PathBuf),
}

impl Place {
    /// The name that a certificate is for.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Tcp(host, _) => host,
            Self::Unix(_) => "localhost",
        }
    }
}

/// Who wants to be let in, and into what.
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
    /// How many prepared statements a connection keeps.
    pub(super) statements: usize,
}

/// What a URL and the engine's options come to.
pub(super) struct Settings {
    /// The servers, in the order in which they are tried.
    pub(super) candidates: Vec<Candidate>,
    pub(super) connect_timeout: Duration,
}

impl Settings {
    /// # Errors
    /// `Config` for a parameter that is unknown or has a wrong value; `Unsupported` for an encrypted Unix socket.
    pub(super) async fn new(url: &ServerUrl, options: &EngineOptions) -> Result<Self> {
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
        let ssl = ssl_mode(url)?;
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
        let login = Arc::new(Login {
            user: url.user.clone(),
            password: url.password.clone(),
            database: url.database.clone(),
            statements: options.statement_cache_size,
        });
        let local = [Host::Tcp("127.0.0.1".to_owned(), None)];
        let hosts = if url.hosts.is_empty() { &local[..] } else { &url.hosts };
        let mut candidates = Vec::new();
        for host in hosts {
            candidates.push(candidate(host, &login, ssl, url).await?);
        }
        Ok(Self { candidates, connect_timeout })
    }
}

async fn candidate(host: &Host, login: &Arc<Login>, ssl: Option<SslMode>, url: &ServerUrl) -> Result<Candidate> {
    match host {
        Host::Tcp(name, port) => {
            let port = port.unwrap_or(PORT);
            let address = if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") };
            let door = |tls| Arc::new(Door { place: Place::Tcp(name.clone(), port), login: Arc::clone(login), tls });
            let ssl = ssl.unwrap_or(if stays_here(name) { SslMode::Disabled } else { SslMode::Preferred });
            if ssl == SslMode::Disabled {
                return Ok(Candidate { address, door: door(None), plain: None });
            }
            let authorities = first_of(url, AUTHORITIES).map(|(_, path)| path);
            let tls = tls::of(ssl, authorities).await?;
            Ok(Candidate { address, door: door(Some(tls)), plain: (!ssl.insists()).then(|| door(None)) })
        }
        Host::Unix(path, _) => {
            if ssl.is_some_and(SslMode::insists) {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "the database URL asks for encryption, and a Unix socket has none: it does not leave the machine",
                ));
            }
            let door = Door { place: Place::Unix(path.clone()), login: Arc::clone(login), tls: None };
            Ok(Candidate { address: path.to_string_lossy().into_owned(), door: Arc::new(door), plain: None })
        }
    }
}

/// Whether what is sent to an address stays on this machine: there it is encrypted only if the URL says so.
fn stays_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The names of the parameter for encryption.
const MODES: &[&str] = &["ssl-mode", "ssl_mode", "sslmode"];

/// The names of the parameter for the file of certificates.
const AUTHORITIES: &[&str] = &["ssl-ca", "ssl_ca", "sslrootcert"];

fn first_of<'a>(url: &'a ServerUrl, names: &[&'static str]) -> Option<(&'static str, &'a str)> {
    names.iter().find_map(|name| Some((*name, url.parameter_value(name)?)))
}

fn ssl_mode(url: &ServerUrl) -> Result<Option<SslMode>> {
    let Some((name, text)) = first_of(url, MODES) else {
        // Who names the authority wants it asked.
        return Ok(first_of(url, AUTHORITIES).map(|_| SslMode::VerifyIdentity));
    };
    match SslMode::parse(text) {
        Some(mode) => Ok(Some(mode)),
        None => Err(config(format!(
            "the `{name}` of the database URL is one of disabled, preferred, required, verify_ca, verify_identity"
        ))),
    }
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}
