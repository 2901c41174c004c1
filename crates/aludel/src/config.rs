//! Where the database is and how its engine behaves: from code or from the environment.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::engine::{DatabaseUrl, EngineOptions};
use crate::error::{Error, ErrorKind, Result};

/// The variables that name the database, the first one that is set counts.
const URI_VARIABLES: [&str; 3] = ["ALUDEL_DATABASE_URI", "DATABASE_URL", "SQLALCHEMY_DATABASE_URI"];

/// What the variables of binds begin with.
const BIND_PREFIX: &str = "ALUDEL_BINDS__";

/// The variable with the read replicas of the default database.
const REPLICAS: &str = "ALUDEL_DATABASE_REPLICAS";

/// What the variables with those of binds begin with.
const REPLICAS_PREFIX: &str = "ALUDEL_REPLICAS__";

/// The settings of a [`Db`](crate::Db).
///
/// A text is a configuration too, so `Db::connect("sqlite:///app.db")` suffices for a program that wants nothing else.
/// A relative SQLite path is looked for in the instance folder, which is created if need be.
///
/// ```
/// use aludel::Config;
///
/// let config = Config::new("sqlite:///app.db").uri_or("sqlite:///other.db");
/// assert_eq!(format!("{config:?}"), r#"Config { uri: "sqlite:///app.db", .. }"#);
/// ```
#[derive(Clone, Default)]
#[must_use = "settings do nothing before a `Db` is made of them"]
pub struct Config {
    uri: Option<String>,
    instance_path: Option<PathBuf>,
    engine: EngineOptions,
    binds: Vec<BindConfig>,
    /// The URIs of read replicas, each with the bind whose they are; none for the default database.
    replicas: Vec<(Option<String>, String)>,
    secret_key: Option<String>,
}

/// Another database beside the default one.
#[derive(Clone)]
struct BindConfig {
    name: String,
    uri: String,
    /// Instead of those of the default database.
    engine: Option<EngineOptions>,
}

impl Config {
    /// The database at this URI, and defaults for everything else.
    pub fn new(uri: impl Into<String>) -> Self {
        Self::default().uri(uri)
    }

    /// Reads the environment:
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `ALUDEL_DATABASE_URI`, else `DATABASE_URL`, else `SQLALCHEMY_DATABASE_URI` | the database |
    /// | `ALUDEL_BINDS__AUDIT` | the database of the bind `audit`, and so on: [`bind`](Config::bind) |
    /// | `ALUDEL_DATABASE_REPLICAS`, `ALUDEL_REPLICAS__AUDIT` | read replicas of the database, and of the bind `audit`, parted by blanks: [`replica`](Config::replica) |
    /// | `ALUDEL_INSTANCE_PATH` | the folder of relative SQLite files; `instance` in the current directory by default |
    /// | `ALUDEL_POOL_SIZE`, `ALUDEL_MAX_OVERFLOW` | connections kept, and opened beyond that when all are in use |
    /// | `ALUDEL_POOL_TIMEOUT`, `ALUDEL_BUSY_TIMEOUT` | how many seconds to wait for a connection, and for a locked database |
    /// | `ALUDEL_SECRET_KEY` | what cursors are signed with: [`secret_key`](Config::secret_key) |
    /// | `ALUDEL_ECHO` | `1`, `true`, `yes` or `on` to log each statement |
    ///
    /// No database is not an error yet: see [`uri_or`](Config::uri_or).
    ///
    /// # Errors
    /// `Config` when a variable is set to what it cannot be; the message names the variable.
    pub fn from_env() -> Result<Self> {
        let names: Vec<OsString> = env::vars_os().map(|(name, _)| name).collect();
        Self::from_variables(&|name| env::var_os(name), &names)
    }

    fn from_variables(read: &dyn Fn(&str) -> Option<OsString>, names: &[OsString]) -> Result<Self> {
        let mut config = Self { instance_path: read("ALUDEL_INSTANCE_PATH").map(PathBuf::from), ..Self::default() };
        for name in URI_VARIABLES {
            if let Some(uri) = text(read, name)? {
                config.uri = Some(uri);
                break;
            }
        }
        config.secret_key = text(read, "ALUDEL_SECRET_KEY")?;
        let mut engine = config.engine;
        if let Some(size) = parsed(read, "ALUDEL_POOL_SIZE", "a whole number")? {
            engine = engine.pool_size(size);
        }
        if let Some(overflow) = parsed(read, "ALUDEL_MAX_OVERFLOW", "a whole number")? {
            engine = engine.max_overflow(overflow);
        }
        if let Some(limit) = seconds(read, "ALUDEL_POOL_TIMEOUT")? {
            engine = engine.pool_timeout(limit);
        }
        if let Some(limit) = seconds(read, "ALUDEL_BUSY_TIMEOUT")? {
            engine = engine.busy_timeout(limit);
        }
        if let Some(echo) = flag(read, "ALUDEL_ECHO")? {
            engine = engine.echo(echo);
        }
        config.engine = engine;
        let mut binds: Vec<&str> = names.iter().filter_map(|name| name.to_str()?.strip_prefix(BIND_PREFIX)).collect();
        binds.sort_unstable();
        for bind in binds.into_iter().filter(|bind| !bind.is_empty()) {
            if let Some(uri) = text(read, &format!("{BIND_PREFIX}{bind}"))? {
                config = config.bind(bind.to_ascii_lowercase(), uri);
            }
        }
        config.read_replicas(read, names)
    }

    fn read_replicas(mut self, read: &dyn Fn(&str) -> Option<OsString>, names: &[OsString]) -> Result<Self> {
        for uri in text(read, REPLICAS)?.iter().flat_map(|uris| uris.split_whitespace()) {
            self = self.replica(uri);
        }
        let mut binds: Vec<&str> =
            names.iter().filter_map(|name| name.to_str()?.strip_prefix(REPLICAS_PREFIX)).collect();
        binds.sort_unstable();
        for bind in binds.into_iter().filter(|bind| !bind.is_empty()) {
            for uri in text(read, &format!("{REPLICAS_PREFIX}{bind}"))?.iter().flat_map(|uris| uris.split_whitespace())
            {
                self = self.bind_replica(bind.to_ascii_lowercase(), uri);
            }
        }
        Ok(self)
    }

    /// A read replica of the database: reads outside of a transaction go to the replicas, in turn, unless the session has
    /// written before, has begun a transaction or is told to stay [`on_primary`](crate::Session::on_primary). A replica has
    /// what was written a moment later. One that cannot be reached is left out, and asked again after
    /// [`EngineOptions::probe_after`]; where none can, reads go to the database itself.
    ///
    /// SQL by hand ([`Session::sql`](crate::Session::sql)) is first told apart from a write, which takes a connection to
    /// the database itself for a moment: it reads from a replica then, but waits while that pool is exhausted, and may
    /// fail while the database is down. Queries of models need no such connection.
    ///
    /// Of PostgreSQL and MariaDB; the user there may be one who can only read.
    pub fn replica(mut self, uri: impl Into<String>) -> Self {
        self.replicas.push((None, uri.into()));
        self
    }

    /// A read replica of the database of a bind: see [`replica`](Config::replica).
    pub fn bind_replica(mut self, name: impl Into<String>, uri: impl Into<String>) -> Self {
        self.replicas.push((Some(name.into()), uri.into()));
        self
    }

    /// The URLs of the replicas of a bind, of the default database where none is named.
    ///
    /// # Errors
    /// `Config` when one cannot be read, or is of SQLite.
    pub(crate) fn replica_urls(&self, bind: Option<&str>) -> Result<Vec<DatabaseUrl>> {
        let own = self.replicas.iter().filter(|(of, _)| of.as_deref() == bind);
        own.map(|(_, uri)| {
            let url =
                DatabaseUrl::parse(uri).map_err(|error| error.with_message(|message| format!("replica: {message}")))?;
            if url.is_sqlite() {
                return Err(Error::new(
                    ErrorKind::Config,
                    "a read replica is a server of PostgreSQL or MariaDB; a SQLite database has none",
                ));
            }
            Ok(url)
        })
        .collect()
    }

    /// Whether the replicas' binds are there.
    ///
    /// # Errors
    /// `Config`, naming the first that is not.
    pub(crate) fn check_replicas(&self) -> Result<()> {
        let unknown = |bind: &&String| !self.binds.iter().any(|known| known.name == **bind);
        match self.replicas.iter().filter_map(|(bind, _)| bind.as_ref()).find(unknown) {
            None => Ok(()),
            Some(bind) => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "the bind `{bind}` has a replica and is not set itself; set it with `bind` or ALUDEL_BINDS__{}",
                    bind.to_ascii_uppercase()
                ),
            )),
        }
    }

    /// Another database beside the default one: models with `#[model(bind = "audit")]` are stored in the one of this
    /// name. It has the engine options of the default one.
    pub fn bind(self, name: impl Into<String>, uri: impl Into<String>) -> Self {
        self.with_bind(BindConfig { name: name.into(), uri: uri.into(), engine: None })
    }

    /// Another database, with engine options of its own.
    pub fn bind_with(self, name: impl Into<String>, uri: impl Into<String>, engine: EngineOptions) -> Self {
        self.with_bind(BindConfig { name: name.into(), uri: uri.into(), engine: Some(engine) })
    }

    /// The last word on a name counts.
    fn with_bind(mut self, bind: BindConfig) -> Self {
        self.binds.retain(|known| known.name != bind.name);
        self.binds.push(bind);
        self
    }

    /// The other databases: their names, URLs and engine options.
    ///
    /// # Errors
    /// `Config` when a URI cannot be read, naming the bind.
    pub(crate) fn bind_urls(&self) -> Result<Vec<(String, DatabaseUrl, &EngineOptions)>> {
        let url = |bind: &'_ BindConfig| {
            let url = DatabaseUrl::parse(&bind.uri).and_then(|url| url.in_folder(self.instance()));
            url.map_err(|error| error.with_message(|message| format!("bind `{}`: {message}", bind.name)))
        };
        self.binds
            .iter()
            .map(|bind| Ok((bind.name.clone(), url(bind)?, bind.engine.as_ref().unwrap_or(&self.engine))))
            .collect()
    }

    fn instance(&self) -> &Path {
        self.instance_path.as_deref().unwrap_or(Path::new("instance"))
    }

    /// The database's URI, whatever was said before.
    pub fn uri(mut self, uri: impl Into<String>) -> Self {
        self.uri = Some(uri.into());
        self
    }

    /// The database's URI unless one is set already.
    pub fn uri_or(mut self, uri: impl Into<String>) -> Self {
        self.uri.get_or_insert_with(|| uri.into());
        self
    }

    /// The folder that relative SQLite files are in.
    pub fn instance_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.instance_path = Some(path.into());
        self
    }

    /// What the cursors of [`paginate_by_key`](crate::query::Query::paginate_by_key) are signed with: at least 16 bytes
    /// that nobody can guess, the same for all processes of a program. Cursors of another key are refused.
    pub fn secret_key(mut self, secret: impl Into<String>) -> Self {
        self.secret_key = Some(secret.into());
        self
    }

    /// The secret, if there is one.
    ///
    /// # Errors
    /// `Config` when it is too short.
    pub(crate) fn secret(&self) -> Result<Option<&str>> {
        match self.secret_key.as_deref() {
            Some(secret) if secret.len() < 16 => Err(Error::new(
                ErrorKind::Config,
                "the secret key (ALUDEL_SECRET_KEY, `secret_key(..)`) has less than 16 bytes, so that it could be guessed: \
                 take 32 random ones, `openssl rand -hex 32`",
            )),
            secret => Ok(secret),
        }
    }

    /// How the engine behaves.
    pub fn engine(mut self, options: EngineOptions) -> Self {
        self.engine = options;
        self
    }

    /// The engine's options.
    pub(crate) fn engine_options(&self) -> &EngineOptions {
        &self.engine
    }

    /// The database's URL, its relative path put into the instance folder.
    ///
    /// # Errors
    /// `Config` when no database is set or the URI cannot be read.
    pub(crate) fn database_url(&self) -> Result<DatabaseUrl> {
        let uri = self.uri.as_deref().ok_or_else(|| {
            let [first, second, third] = URI_VARIABLES;
            Error::new(
                ErrorKind::Config,
                format!(
                    "no database: either '{first}', '{second}' or '{third}' must be set in the environment, or a URI \
                     given: Db::connect(\"sqlite:///app.db\"), Config::uri_or(..)"
                ),
            )
        })?;
        DatabaseUrl::parse(uri)?.in_folder(self.instance())
    }
}

impl fmt::Debug for Config {
    /// The URI with its password masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Config");
        match self.uri.as_deref().map(DatabaseUrl::parse) {
            Some(Ok(url)) => out.field("uri", &url.to_string()),
            // what cannot be read may hold a password anywhere
            Some(Err(_)) => out.field("uri", &"<invalid>"),
            None => out.field("uri", &None::<&str>),
        };
        out.finish_non_exhaustive()
    }
}

impl From<&str> for Config {
    fn from(uri: &str) -> Self {
        Self::new(uri)
    }
}

impl From<String> for Config {
    fn from(uri: String) -> Self {
        Self::new(uri)
    }
}

impl From<&String> for Config {
    fn from(uri: &String) -> Self {
        Self::new(uri)
    }
}

type Read<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// A variable's text. One that is set to nothing is refused: a forgotten value would silently mean another database.
fn text(read: Read<'_>, name: &str) -> Result<Option<String>> {
    let Some(value) = read(name) else { return Ok(None) };
    let value = value.into_string().map_err(|_| refused(name, "text in UTF-8"))?;
    if value.trim().is_empty() {
        return Err(Error::new(ErrorKind::Config, format!("{name} is set to nothing; give it a value or unset it")));
    }
    Ok(Some(value))
}

fn parsed<T: FromStr>(read: Read<'_>, name: &str, expected: &str) -> Result<Option<T>> {
    let Some(value) = text(read, name)? else { return Ok(None) };
    value.trim().parse().map(Some).map_err(|_| refused(name, expected))
}

fn seconds(read: Read<'_>, name: &str) -> Result<Option<Duration>> {
    let expected = "a number of seconds";
    let Some(value) = parsed::<f64>(read, name, expected)? else { return Ok(None) };
    Duration::try_from_secs_f64(value).map(Some).map_err(|_| refused(name, expected))
}

fn flag(read: Read<'_>, name: &str) -> Result<Option<bool>> {
    let Some(value) = text(read, name)? else { return Ok(None) };
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(Some(true)),
        "0" | "false" | "no" | "off" => Ok(Some(false)),
        _ => Err(refused(name, "`true` or `false`")),
    }
}

/// The value is not shown: a URI put into the wrong variable would show its password.
fn refused(name: &str, expected: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{name} must be {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<Config> {
        Config::from_variables(
            &|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)),
            &variables.iter().map(|(key, _)| OsString::from(key)).collect::<Vec<_>>(),
        )
    }

    fn uri_of(variables: &[(&str, &str)]) -> Option<String> {
        from(variables).unwrap().uri
    }

    #[test]
    fn the_first_variable_that_is_set_names_the_database() {
        let all = [
            ("SQLALCHEMY_DATABASE_URI", "sqlite:///c.db"),
            ("DATABASE_URL", "sqlite:///b.db"),
            ("ALUDEL_DATABASE_URI", "sqlite:///a.db"),
        ];
        assert_eq!(uri_of(&all).as_deref(), Some("sqlite:///a.db"));
        assert_eq!(uri_of(&all[..2]).as_deref(), Some("sqlite:///b.db"));
        assert_eq!(uri_of(&all[..1]).as_deref(), Some("sqlite:///c.db"));
        assert_eq!(uri_of(&[]), None);
    }

    #[test]
    fn uri_or_stands_in_and_uri_overrides() {
        let set = from(&[("DATABASE_URL", "sqlite:///b.db")]).unwrap();
        assert_eq!(set.clone().uri_or("sqlite://").uri.as_deref(), Some("sqlite:///b.db"));
        assert_eq!(set.uri("sqlite://").uri.as_deref(), Some("sqlite://"));
        assert_eq!(Config::default().uri_or("sqlite://").uri.as_deref(), Some("sqlite://"));
    }

    #[test]
    fn no_database_is_an_error_that_names_the_variables() {
        let error = Config::default().database_url().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains("either 'ALUDEL_DATABASE_URI', 'DATABASE_URL' or 'SQLALCHEMY_DATABASE_URI' must be set"));
    }

    #[test]
    fn a_variable_set_to_what_it_cannot_be_is_refused_by_name_and_not_shown() {
        for (name, value) in [
            ("DATABASE_URL", " "),
            ("ALUDEL_POOL_SIZE", "many-secret"),
            ("ALUDEL_POOL_SIZE", "-1"),
            ("ALUDEL_POOL_TIMEOUT", "-1"),
            ("ALUDEL_BUSY_TIMEOUT", "NaN"),
            ("ALUDEL_ECHO", "secret"),
        ] {
            let error = from(&[(name, value)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = error.to_string();
            assert!(text.contains(name) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn replicas_are_parted_by_blanks_and_belong_to_a_bind_that_is_there() {
        let config = from(&[
            ("ALUDEL_DATABASE_REPLICAS", " postgresql://one,two/shop  postgresql://three/shop"),
            ("ALUDEL_BINDS__AUDIT", "postgresql://audit/log"),
            ("ALUDEL_REPLICAS__AUDIT", "postgresql://copy/log"),
        ])
        .unwrap();
        config.check_replicas().unwrap();
        assert_eq!(config.replicas.len(), 3);
        assert_eq!(config.replicas[0], (None, "postgresql://one,two/shop".to_owned()));
        assert_eq!(config.replicas[2], (Some("audit".to_owned()), "postgresql://copy/log".to_owned()));
        let error = from(&[("ALUDEL_REPLICAS__AUDIT", "postgresql://copy/log")]).unwrap().check_replicas().unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains("ALUDEL_BINDS__AUDIT"), "{error}");
        let error = Config::new("sqlite://").replica("sqlite:///copy.db").replica_urls(None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn debug_masks_the_password() {
        let config = Config::new("postgresql://app:hunter2@localhost/shop");
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!format!("{:?}", Config::new("what:hunter2")).contains("hunter2"));
    }
}
