//! The URL of a SQLite database.

use std::fmt;
use std::path::{Path, PathBuf};

use super::config;
use super::text::{decode, encode};
use crate::engine::sqlite::DatabaseFile;
use crate::error::{Error, ErrorKind, Result};

/// Where a SQLite database is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SqliteUrl {
    /// `None` is a database in memory.
    pub(super) path: Option<PathBuf>,
    /// Parameters of a `file:` URI.
    pub(super) parameters: Vec<(String, String)>,
}

/// The parameters that a plain path may have. In a `file:` URI, SQLite's other ones are allowed too.
const PARAMETERS: &[&str] = &["mode", "immutable", "nolock", "vfs"];

const FORMS: &str = "write sqlite:// (in memory), sqlite:///app.db (in the instance folder) or sqlite:////var/lib/app.db \
                     (an absolute path, four slashes)";

impl SqliteUrl {
    /// Parses what follows `sqlite:`.
    ///
    /// # Errors
    /// `Config`, saying what is wrong and how to write it.
    pub(super) fn parse(rest: &str) -> Result<Self> {
        let Some(rest) = rest.strip_prefix("//") else {
            return Err(config(format!("a SQLite URL begins with `sqlite://`; {FORMS}")));
        };
        let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
        let name = match location.strip_prefix('/') {
            Some(name) => name,
            None if location.is_empty() => "",
            None => return Err(config(format!("a SQLite URL has no host; {FORMS}"))),
        };
        Self::from_parts(name, query)
    }

    fn from_parts(name: &str, query: &str) -> Result<Self> {
        let uri = name.strip_prefix("file:");
        let mut parameters = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key)?, decode(value)?);
            check_parameter(&key, &value, uri.is_some())?;
            if key != "uri" {
                parameters.push((key, value));
            }
        }
        let path = match uri {
            Some(uri) => decode(uri_path(uri)?)?,
            None => name.to_owned(),
        };
        if path.contains('\0') {
            return Err(config("the path in the database URL contains a NUL character"));
        }
        let has = |key: &str, value: &str| parameters.iter().any(|(k, v)| k == key && v == value);
        if path.is_empty() || path == ":memory:" || has("mode", "memory") {
            // One connection is shared by all, so that a shared cache asks for nothing more.
            return Ok(Self { path: None, parameters: Vec::new() });
        }
        if has("cache", "shared") {
            return Err(config(
                "the database URL asks for SQLite's shared cache, in which readers and writers block each other; leave \
                 `cache` out",
            ));
        }
        Ok(Self { path: Some(path.into()), parameters })
    }

    /// The same URL with a relative path made absolute: it is taken from the instance folder, which is created. Folders
    /// below it are not.
    ///
    /// # Errors
    /// `Config` when the folder cannot be created.
    pub(super) fn in_folder(self, instance: &Path) -> Result<Self> {
        let Some(path) = self.path.as_ref().filter(|path| path.is_relative()) else {
            return Ok(self);
        };
        let create = || {
            std::fs::create_dir_all(instance)?;
            std::path::absolute(instance)
        };
        let folder = create().map_err(|error| {
            config(format!("the instance folder `{}` cannot be created: {error}", instance.display()))
                .with_source(error)
        })?;
        Ok(Self { path: Some(folder.join(path)), ..self })
    }

    /// What SQLite is asked to open.
    pub(super) fn to_open(&self) -> Result<DatabaseFile> {
        let Some(path) = &self.path else {
            return Ok(DatabaseFile { name: ":memory:".to_owned(), uri: false, memory: true });
        };
        let absolute = std::path::absolute(path).map_err(|error| {
            config(format!("the path `{}` of the database cannot be used: {error}", path.display())).with_source(error)
        })?;
        if let Some(folder) = absolute.parent().filter(|folder| !folder.is_dir()) {
            return Err(Error::new(
                ErrorKind::Connection,
                format!(
                    "the database `{}` cannot be opened: the folder `{}` does not exist; create it",
                    absolute.display(),
                    folder.display()
                ),
            ));
        }
        let Some(name) = absolute.to_str() else {
            return Err(config(format!("the path `{}` of the database is not UTF-8", absolute.display())));
        };
        if self.parameters.is_empty() {
            return Ok(DatabaseFile { name: name.to_owned(), uri: false, memory: false });
        }
        let slash = if name.starts_with('/') { "" } else { "/" };
        let mut uri = format!("file://{slash}");
        encode(&mut uri, name);
        write_query(&mut uri, &self.parameters, false);
        Ok(DatabaseFile { name: uri, uri: true, memory: false })
    }
}

impl fmt::Display for SqliteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(path) = &self.path else {
            return f.write_str("sqlite://");
        };
        let mut query = String::new();
        write_query(&mut query, &self.parameters, true);
        let file =
            if self.parameters.iter().any(|(key, _)| !PARAMETERS.contains(&key.as_str())) { "file:" } else { "" };
        write!(f, "sqlite:///{file}{}{query}", path.display())
    }
}

fn check_parameter(key: &str, value: &str, uri: bool) -> Result<()> {
    match (key, value) {
        ("uri", _) => Ok(()),
        ("mode", "ro" | "rw" | "rwc" | "memory") => Ok(()),
        ("mode", _) => Err(config("the parameter `mode` of the database URL is one of ro, rw, rwc, memory")),
        _ if uri || PARAMETERS.contains(&key) => Ok(()),
        _ => Err(config(format!(
            "the database URL has the unknown parameter `{key}`; it may have {}, and time limits belong to the \
             engine's options",
            PARAMETERS.join(", ")
        ))),
    }
}

/// The path of a `file:` URI, which may begin with an empty or a local authority.
fn uri_path(uri: &str) -> Result<&str> {
    let uri = uri.split_once('#').map_or(uri, |(uri, _)| uri);
    let Some(rest) = uri.strip_prefix("//") else {
        return Ok(uri);
    };
    match rest.strip_prefix("localhost").unwrap_or(rest) {
        path if path.starts_with('/') => Ok(path),
        _ => Err(config("a `file:` URI names no other host; write file:app.db or file:///var/lib/app.db")),
    }
}

fn write_query(out: &mut String, parameters: &[(String, String)], masked: bool) {
    for (index, (key, value)) in parameters.iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        encode(out, key);
        out.push('=');
        let plain = PARAMETERS.contains(&key.as_str()) || key == "cache" || key == "psow";
        // A parameter of an extension may be a key or a password.
        if masked && !plain { out.push_str("***") } else { encode(out, value) }
    }
}
