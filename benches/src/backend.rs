//! Where the contenders are measured: SQLite in memory, or a server that is reached by a Unix socket.

use crate::workload::Case;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite, `:memory:`.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
}

impl Backend {
    /// All of them, whether or not this build has their drivers.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MariaDb];

    /// Its name on the command line, and that of the feature with its drivers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
        }
    }

    /// Whether this build has its drivers.
    pub fn is_built(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Postgres => cfg!(feature = "postgres"),
            Self::MariaDb => cfg!(feature = "mariadb"),
        }
    }

    /// The placeholder of a statement's value, counted from 1.
    pub fn placeholder(self, number: usize) -> String {
        match self {
            Self::Postgres => format!("${number}"),
            Self::Sqlite | Self::MariaDb => String::from("?"),
        }
    }

    /// The tables of Diesel's suite: no foreign keys, no index besides the primary keys.
    pub fn tables(self) -> String {
        let (key, name) = match self {
            Self::Sqlite => ("INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", "VARCHAR"),
            Self::Postgres => ("SERIAL PRIMARY KEY", "VARCHAR"),
            Self::MariaDb => ("INTEGER PRIMARY KEY AUTO_INCREMENT", "VARCHAR(255)"),
        };
        format!(
            "CREATE TABLE users (id {key}, name {name} NOT NULL, hair_color {name});
             CREATE TABLE posts (id {key}, user_id INTEGER NOT NULL, title {name} NOT NULL, body TEXT);
             CREATE TABLE comments (id {key}, post_id INTEGER NOT NULL, text TEXT NOT NULL);"
        )
    }

    /// Has the planner know the tables as they are: else it would find out while somebody is measured.
    pub fn analyze(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "ANALYZE;",
            Self::MariaDb => "ANALYZE TABLE users, posts, comments;",
        }
    }

    /// Has the next user get this key again: on servers a rollback does not take the keys back.
    pub fn restart_keys(self, next: usize) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(format!("ALTER SEQUENCE users_id_seq RESTART WITH {next}")),
            Self::MariaDb => Some(format!("ALTER TABLE users AUTO_INCREMENT = {next}")),
        }
    }
}

/// Where a server is, and as whom to go there.
#[derive(Clone, Debug)]
pub struct Server {
    /// The kind of database.
    pub backend: Backend,
    /// PostgreSQL's folder of sockets, MariaDB's socket. Nothing for SQLite.
    pub socket: String,
    /// A user who may create databases and needs no password there.
    pub user: String,
}

impl Server {
    /// The URL of a database on it, as libpq, tokio-postgres, mysql_async, sqlx and Aludel read it; nothing for SQLite.
    pub fn url(&self, database: &str) -> String {
        let Self { socket, user, .. } = self;
        match self.backend {
            Backend::Sqlite => String::new(),
            Backend::Postgres => format!("postgresql:///{database}?host={socket}&user={user}"),
            Backend::MariaDb => format!("mysql://{user}@localhost/{database}?socket={socket}"),
        }
    }
}

/// An empty database of one contender's own, which goes with this.
pub struct Database {
    server: Server,
    name: String,
}

impl Database {
    /// Creates a database.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached, or does not let this program create databases.
    pub fn create(server: &Server, contender: &str) -> Self {
        let name = format!("aludel_bench_{}_{}", std::process::id(), contender.replace('-', "_"));
        let database = Self { server: server.clone(), name };
        database.administrate(&format!("CREATE DATABASE {}", database.name));
        database
    }

    /// The kind of database.
    pub fn backend(&self) -> Backend {
        self.server.backend
    }

    /// Where it is: see [`Server::url`].
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// The batch of statements that fills it for a case.
    pub fn setup_sql(&self, case: Case) -> String {
        let backend = self.backend();
        [backend.tables(), case.rows_sql(), String::from(backend.analyze())].concat()
    }

    #[cfg_attr(
        not(any(feature = "postgres", feature = "mariadb")),
        allow(unused_variables, reason = "nothing to administrate")
    )]
    fn administrate(&self, sql: &str) {
        match self.backend() {
            Backend::Sqlite => {}
            #[cfg(feature = "postgres")]
            Backend::Postgres => crate::diesel::execute_postgres(&self.server.url("postgres"), sql),
            #[cfg(feature = "mariadb")]
            Backend::MariaDb => crate::diesel::execute_mariadb(&self.server.url("mysql"), sql),
            #[allow(unreachable_patterns, reason = "there are servers with their features")]
            backend => unreachable!("{} is not in this build", backend.name()),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Async contenders close their connections when they please.
        let force = if self.backend() == Backend::Postgres { " WITH (FORCE)" } else { "" };
        self.administrate(&format!("DROP DATABASE {}{force}", self.name));
    }
}
