//! What a URL says about a server of PostgreSQL's.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::engine::url::{Host, ServerUrl};
use crate::error::{Error, ErrorKind, Result};

const DEFAULT_PORT: u16 = 5432;

/// How long to try one address by default.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a URL says about a server, with the usual things where it says nothing.
pub(super) struct Settings {
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) database: String,
    /// In the order in which they are tried.
    pub(super) places: Vec<Place>,
    pub(super) wanted: Wanted,
    /// None for as long as it takes.
    pub(super) connect_timeout: Option<Duration>,
    pub(super) ssl: SslMode,
    pub(super) root_certificates: Option<PathBuf>,
    pub(super) application_name: String,
    pub(super) options: Option<String>,
    /// How many prepared statements to keep; none for a proxy that pools transactions.
    pub(super) statements: usize,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp(String, u16),
    /// The file of the socket.
    Unix(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Which of several servers is the right one: libpq's `target_session_attrs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// Whether the connection is encrypted, and what the server has to prove: libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SslMode {
    Disable,
    /// Where the server insists.
    Allow,
    /// Where the server can.
    Prefer,
    /// Always, with whoever answers.
    Require,
    /// Always, with one whose certificate is good.
    VerifyCa,
    /// Always, with one whose certificate is good and names the host.
    VerifyFull,
}

const SSL_MODES: &[(&str, SslMode)] = &[
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

const WANTED: &[(&str, Wanted)] = &[
    ("any", Wanted::Any),
    ("read-write", Wanted::ReadWrite),
    ("read-only", Wanted::ReadOnly),
    ("primary", Wanted::Primary),
    ("standby", Wanted::Standby),
    ("prefer-standby", Wanted::PreferStandby),
];

/// Whether statements are prepared by name.
const PREPARE: &[(&str, bool)] = &[("on", true), ("off", false), ("true", true), ("false", false)];

const PARAMETERS: &str = "application_name, client_encoding, connect_timeout, options, prepare, sslmode, sslrootcert, \
                          target_session_attrs";

impl Settings {
    /// # Errors
    /// `Config` for a parameter that is not known or not understood.
    pub(super) fn new(url: &ServerUrl, statements: usize) -> Result<Self> {
        let user = match &url.user {
            Some(user) => user.clone(),
            None => system_user()?,
        };
        let mut settings = Self {
            database: url.database.clone().unwrap_or_else(|| user.clone()),
            user,
            password: url.password.clone(),
            places: url.hosts.iter().map(place).collect(),
            wanted: Wanted::Any,
            connect_timeout: Some(CONNECT_TIMEOUT),
            ssl: SslMode::Prefer,
            root_certificates: None,
            application_name: "aludel".to_owned(),
            options: None,
            statements,
        };
        if settings.places.is_empty() {
            settings.places.push(Place::Tcp("localhost".to_owned(), DEFAULT_PORT));
        }
        for (key, value) in &url.parameters {
            settings.parameter(key, value)?;
        }
        // As libpq has it: whoever names the certificates wants them looked at.
        if settings.ssl == SslMode::Require && settings.root_certificates.is_some() {
            settings.ssl = SslMode::VerifyCa;
        }
        let texts = [&settings.user, &settings.database, &settings.application_name];
        if texts.into_iter().chain(&settings.password).chain(&settings.options).any(|text| text.contains('\0')) {
            return Err(config("the database URL has a NUL character (%00), which PostgreSQL cannot take"));
        }
        Ok(settings)
    }

    fn parameter(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "application_name" => self.application_name = value.to_owned(),
            "options" => self.options = Some(value.to_owned()),
            "sslrootcert" => self.root_certificates = (value != "system").then(|| value.into()),
            "sslmode" => self.ssl = choose(key, value, SSL_MODES)?,
            "target_session_attrs" => self.wanted = choose(key, value, WANTED)?,
            "prepare" => {
                if !choose(key, value, PREPARE)? {
                    self.statements = 0;
                }
            }
            "connect_timeout" => {
                let seconds: u64 = value.parse().map_err(|_| {
                    config(format!("`connect_timeout` in the database URL is a number of seconds, and not `{value}`"))
                })?;
                self.connect_timeout = (seconds > 0).then(|| Duration::from_secs(seconds));
            }
            "client_encoding" => {
                if !["utf8", "utf-8", "unicode", "auto"].iter().any(|known| value.eq_ignore_ascii_case(known)) {
                    return Err(config("`client_encoding` in the database URL can only be UTF8"));
                }
            }
            _ => {
                return Err(config(format!(
                    "the database URL has the unknown parameter `{key}`; PostgreSQL's are {PARAMETERS}, and settings of \
                     the server go into `options` (options=-csearch_path%3Dapp)"
                )));
            }
        }
        Ok(())
    }
}

fn choose<T: Copy>(key: &str, value: &str, choices: &[(&str, T)]) -> Result<T> {
    choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        config(format!("`{key}` in the database URL is one of {}, and not `{value}`", names.join(", ")))
    })
}

fn place(host: &Host) -> Place {
    match host {
        Host::Tcp(name, port) => Place::Tcp(name.clone(), port.unwrap_or(DEFAULT_PORT)),
        Host::Unix(folder, port) => Place::Unix(folder.join(format!(".s.PGSQL.{}", port.unwrap_or(DEFAULT_PORT)))),
    }
}

/// The name of whoever runs the program.
fn system_user() -> Result<String> {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|name| !name.is_empty()))
        .ok_or_else(|| {
            config("the database URL names no user, and the system none either; write postgresql://user@host/..")
        })
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}
