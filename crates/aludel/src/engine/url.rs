//! The URL of a database.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

use super::sqlite::DatabaseFile;
use crate::error::{Error, ErrorKind, Result};

/// The URL of a database, parsed.
///
/// `sqlite://`, `sqlite:///` and `sqlite:///:memory:` are a database in memory, `sqlite:///app.db` is a file in the
/// instance folder, `sqlite:////var/lib/app.db` (four slashes) is an absolute path, and `sqlite:///file:app.db?mode=ro`
/// is one of SQLite's own `file:` URIs. Passwords never show in `Display` or `Debug`.
///
/// ```
/// use aludel::engine::DatabaseUrl;
///
/// let url = DatabaseUrl::parse("sqlite:///app.db")?;
/// assert_eq!(url.to_string(), "sqlite:///app.db");
/// assert!(!url.is_memory());
/// # Ok::<(), aludel::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    /// `None` is a database in memory.
    path: Option<PathBuf>,
    /// Parameters of a `file:` URI.
    parameters: Vec<(String, String)>,
}

/// The schemes that this build has a backend for.
const BACKENDS: &[&str] = &["sqlite"];

/// The parameters that a plain path may have. In a `file:` URI, SQLite's other ones are allowed too.
const PARAMETERS: &[&str] = &["mode", "immutable", "nolock", "vfs"];

impl DatabaseUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// `Config`, saying what is wrong and how to write it.
    pub fn parse(url: &str) -> Result<Self> {
        let url = url.trim();
        if url.is_empty() {
            return Err(config("the database URL is empty; write for example sqlite:///app.db"));
        }
        let Some((scheme, rest)) = url.split_once(':') else {
            // Not shown: it may be anything, a password too.
            return Err(config("the database URL has no scheme; write for example sqlite:///app.db"));
        };
        // SQLAlchemy names a driver after a plus sign; here a backend has one.
        let backend = scheme.split_once('+').map_or(scheme, |(backend, _)| backend).to_ascii_lowercase();
        if !BACKENDS.contains(&backend.as_str()) {
            return Err(unknown_scheme(&backend));
        }
        let Some(rest) = rest.strip_prefix("//") else {
            return Err(config(format!("a SQLite URL begins with `sqlite://`; {FORMS}")));
        };
        let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
        let name = match location.strip_prefix('/') {
            Some(name) => name,
            None if location.is_empty() => "",
            None => return Err(config(format!("a SQLite URL has no host; {FORMS}"))),
        };
        Self::sqlite(name, query)
    }

    /// The URL of a SQLite file, whatever characters its path has.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), parameters: Vec::new() }
    }

    fn sqlite(name: &str, query: &str) -> Result<Self> {
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
    pub fn in_folder(self, instance: &Path) -> Result<Self> {
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

    /// The backend's name: `sqlite`.
    pub fn backend(&self) -> &'static str {
        "sqlite"
    }

    /// Whether the database lives in memory.
    pub fn is_memory(&self) -> bool {
        self.path.is_none()
    }

    /// The path of the database file; none for a database in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
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

impl fmt::Display for DatabaseUrl {
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

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        Self::parse(url)
    }
}

const FORMS: &str = "write sqlite:// (in memory), sqlite:///app.db (in the instance folder) or sqlite:////var/lib/app.db \
                     (an absolute path, four slashes)";

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn unknown_scheme(scheme: &str) -> Error {
    let built = BACKENDS.join(", ");
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        return config("the database URL does not begin with a scheme; write for example sqlite:///app.db");
    }
    match BACKENDS.iter().find(|backend| distance(scheme, backend) <= 2) {
        Some(backend) => config(format!(
            "the database URL has the unknown scheme `{scheme}`; did you mean `{backend}`? (this build has: {built})"
        )),
        None => config(format!(
            "the database URL has the scheme `{scheme}`, for which this build has no backend (it has: {built})"
        )),
    }
}

/// How many letters have to change between two words.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
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

fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
                    return Err(config("the database URL has a `%` that is not followed by two hexadecimal digits"));
                };
                bytes.push((high * 16 + low) as u8);
                rest = tail;
            }
            (b'%', _) => {
                return Err(config("the database URL has a `%` that is not followed by two hexadecimal digits"));
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| config("the database URL is not UTF-8 once its `%` signs are decoded"))
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~:\\".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
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

#[cfg(test)]
mod tests;
