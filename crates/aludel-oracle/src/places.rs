//! Where the two databases of a backend are.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

const POSTGRES: &str = "postgresql://postgres@127.0.0.1:5432/test?sslmode=disable";
const MARIADB: &str = "mysql://root@127.0.0.1:3306";

/// Two files, schemas or databases: ours and theirs.
pub(crate) enum Place {
    Sqlite { folder: PathBuf },
    Postgres { server: String, name: String },
    MariaDb { server: String, name: String },
}

impl Place {
    /// # Errors
    /// A backend that there is not, or a folder that cannot be made.
    pub(crate) fn new(backend: &str) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
        let name = format!("aludel_oracle_{:x}_{}", now.as_millis(), std::process::id());
        let server = |variable: &str, usual: &str| std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
        match backend {
            "sqlite" => {
                // In memory, where the system has a folder there.
                let memory = PathBuf::from("/dev/shm");
                let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
                let folder = parent.join(name);
                std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
                Ok(Self::Sqlite { folder })
            }
            "postgres" => Ok(Self::Postgres { server: server("ALUDEL_TEST_POSTGRES_URL", POSTGRES), name }),
            "mariadb" => {
                let url = server("ALUDEL_TEST_MARIADB_URL", MARIADB);
                let (_, rest) = url.split_once("://").ok_or_else(|| format!("`{url}` is no URL"))?;
                let authority = rest.split(['/', '?']).next().unwrap_or_default().to_owned();
                Ok(Self::MariaDb { server: authority, name })
            }
            other => Err(format!("there is no backend `{other}`: it is sqlite, postgres or mariadb")),
        }
    }

    /// Our database.
    pub(crate) fn uri(&self) -> String {
        match self {
            Self::Sqlite { folder } => format!("sqlite:///{}", folder.join("ours.db").display()),
            Self::Postgres { server, name } => {
                let separator = if server.contains('?') { '&' } else { '?' };
                // Commits need not wait for the disk here.
                let options = format!("-csearch_path%3D{name}_ours%20-csynchronous_commit%3Doff");
                format!("{server}{separator}options={options}")
            }
            Self::MariaDb { server, name } => format!("mysql://{server}/{name}_ours"),
        }
    }

    /// What the Python side is told of it.
    pub(crate) fn settings(&self) -> Value {
        match self {
            Self::Sqlite { folder } => {
                json!({"backend": "sqlite", "ours": folder.join("ours.db"), "theirs": folder.join("theirs.db")})
            }
            Self::Postgres { server, name } => json!({
                "backend": "postgres", "server": server, "ours": format!("{name}_ours"), "theirs": format!("{name}_theirs"),
            }),
            Self::MariaDb { server, name } => {
                let (user, place) = server.rsplit_once('@').unwrap_or(("root", server));
                let (user, password) = user.split_once(':').unwrap_or((user, ""));
                let (host, port) = place.split_once(':').unwrap_or((place, "3306"));
                json!({
                    "backend": "mariadb", "host": host, "port": port.parse::<u16>().unwrap_or(3306), "user": user,
                    "password": password, "ours": format!("{name}_ours"), "theirs": format!("{name}_theirs"),
                })
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Sqlite { folder } = self {
            // What is left there is lost with the machine's memory.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
