//! The URL of a database on a server.

use std::fmt::{self, Write};
use std::path::PathBuf;

use super::config;
use super::text::{decode, encode};
use crate::error::Result;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// SQLite, in this process.
    Sqlite,
    /// PostgreSQL, and what speaks its protocol.
    Postgres,
    /// MariaDB and MySQL, and what speaks their protocol.
    Mysql,
}

impl Backend {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
            Self::Mysql => "mysql",
        }
    }

    /// The crate's feature that it needs.
    pub(super) const fn feature(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A name or an address, and a port unless it is the usual one.
    Tcp(String, Option<u16>),
    /// A Unix socket: for PostgreSQL the folder that it is in, for MySQL its file.
    Unix(PathBuf, Option<u16>),
}

/// A database on a server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    pub(crate) backend: Backend,
    /// The scheme as it was written, for `Display`.
    scheme: &'static str,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// In the order in which they are tried; empty stands for the usual place on this machine.
    pub(crate) hosts: Vec<Host>,
    pub(crate) database: Option<String>,
    /// All other parameters, decoded.
    pub(crate) parameters: Vec<(String, String)>,
}

impl ServerUrl {
    /// Parses what follows the scheme and its colon.
    ///
    /// # Errors
    /// `Config`, saying what is wrong and how to write it.
    pub(super) fn parse(backend: Backend, scheme: &'static str, rest: &str) -> Result<Self> {
        let Some(rest) = rest.strip_prefix("//") else {
            return Err(config(format!(
                "a database URL of a server is written {scheme}://user:password@host/database"
            )));
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = location.split_once('/').unwrap_or((location, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        let (user, password) =
            match login.map(|login| login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)))) {
                Some((user, password)) => (given(user)?, password.map(decode).transpose()?),
                None => (None, None),
            };
        let hosts = hosts.split(',').filter(|host| !host.is_empty()).map(host).collect::<Result<_>>()?;
        let mut url =
            Self { backend, scheme, user, password, hosts, database: given(database)?, parameters: Vec::new() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            url.parameter(decode(key)?, decode(value)?)?;
        }
        Ok(url)
    }

    /// A parameter: what libpq and MySQL's clients take there for a part of the URL is that part.
    fn parameter(&mut self, key: String, value: String) -> Result<()> {
        match (self.backend, key.as_str()) {
            (_, "user") => self.user = Some(value),
            (_, "password") => self.password = Some(value),
            (Backend::Postgres, "dbname") => self.database = Some(value),
            (Backend::Postgres, "host") => self.hosts = value.split(',').map(host).collect::<Result<_>>()?,
            (Backend::Mysql, "unix_socket" | "socket") => self.hosts = vec![Host::Unix(value.into(), None)],
            (Backend::Postgres, "port") => {
                let ports = value.split(',').map(port).collect::<Result<Vec<_>>>()?;
                if self.hosts.is_empty() {
                    self.hosts.push(Host::Tcp("localhost".to_owned(), None));
                }
                for (at, host) in self.hosts.iter_mut().enumerate() {
                    let (Host::Tcp(_, port) | Host::Unix(_, port)) = host;
                    *port = ports.get(at).or(ports.last()).copied();
                }
            }
            _ => self.parameters.push((key, value)),
        }
        Ok(())
    }

    /// The last value of a parameter.
    #[cfg(any(feature = "mysql", test))]
    pub(crate) fn parameter_value(&self, key: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

/// The decoded text, if there is any.
fn given(text: &str) -> Result<Option<String>> {
    Ok(Some(decode(text)?).filter(|text| !text.is_empty()))
}

fn host(text: &str) -> Result<Host> {
    let (name, port) = match text.strip_prefix('[') {
        // An address of IPv6.
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => (address.to_owned(), None),
            Some((address, rest)) if rest.starts_with(':') => (address.to_owned(), Some(port(&rest[1..])?)),
            _ => return Err(config("the database URL has a `[` without its `]`; write an IPv6 address as [::1]:5432")),
        },
        None => match text.rsplit_once(':') {
            Some((name, number)) => (decode(name)?, Some(port(number)?)),
            None => (decode(text)?, None),
        },
    };
    Ok(if name.starts_with('/') { Host::Unix(name.into(), port) } else { Host::Tcp(name, port) })
}

fn port(text: &str) -> Result<u16> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        // Not shown: where the `@` is missing it may be the password.
        _ => Err(config(
            "the port in the database URL is not a number from 1 to 65535; a `:`, `/` or `@` in a user or password is \
             written %3A, %2F or %40",
        )),
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = format!("{}://", self.scheme);
        if let Some(user) = &self.user {
            encode(&mut out, user);
        }
        if self.password.is_some() {
            out.push_str(":***");
        }
        if self.user.is_some() || self.password.is_some() {
            out.push('@');
        }
        for (at, host) in self.hosts.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            let port = match host {
                Host::Tcp(name, port) if name.contains(':') => {
                    write!(out, "[{name}]")?;
                    port
                }
                Host::Tcp(name, port) => {
                    encode(&mut out, name);
                    port
                }
                Host::Unix(path, port) => {
                    out.push_str(&path.to_string_lossy().replace('/', "%2F"));
                    port
                }
            };
            if let Some(port) = port {
                write!(out, ":{port}")?;
            }
        }
        if let Some(database) = &self.database {
            out.push('/');
            encode(&mut out, database);
        }
        for (at, (key, value)) in self.parameters.iter().enumerate() {
            out.push(if at == 0 { '?' } else { '&' });
            encode(&mut out, key);
            out.push('=');
            if key.contains("password") || key.contains("secret") || key.contains("token") {
                out.push_str("***");
            } else {
                encode(&mut out, value);
            }
        }
        f.write_str(&out)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUrl({self})")
    }
}
