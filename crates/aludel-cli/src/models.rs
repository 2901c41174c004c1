//! `aludel models`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use aludel::Db;
use aludel::codegen::ModelWriter;
use clap::Args;

/// What the command is asked for.
#[derive(Args)]
pub(crate) struct Options {
    /// The database: sqlite:///app.db, postgresql://user@host/name, mariadb://user@host/name
    #[arg(long)]
    url: String,
    /// The file to write, which must not be there yet; else the source is printed
    #[arg(long)]
    out: Option<PathBuf>,
    /// Only these tables, separated by commas
    #[arg(long, value_delimiter = ',')]
    tables: Option<Vec<String>>,
    /// The tables of this schema, instead of those of the connection's own
    #[arg(long)]
    schema: Option<String>,
    /// Write over a file that is there
    #[arg(long, requires = "out")]
    force: bool,
}

pub(crate) async fn run(options: Options) -> Result<(), String> {
    let text = |error: aludel::Error| error.to_string();
    let db = Db::builder().uri(options.url).connect().await.map_err(text)?;
    let metadata = match &options.schema {
        None => db.reflect().await.map_err(text)?,
        Some(schema) => {
            let metadata = db.reflect_schema(schema).await.map_err(text)?;
            if metadata.tables().is_empty() && metadata.views().is_empty() {
                return Err(format!(
                    "the schema `{schema}` has no tables, or is not there: ask for another, or leave out --schema"
                ));
            }
            metadata
        }
    };
    let mut writer = ModelWriter::new(&metadata, db.dialect());
    if let Some(tables) = options.tables {
        writer = writer.tables(tables);
    }
    let source = writer.write().map_err(text)?;
    match &options.out {
        Some(path) => write(path, &source.code, options.force)?,
        None => print!("{}", source.code),
    }
    for note in &source.notes {
        eprintln!("note: {note}");
    }
    if !source.dependencies.is_empty() {
        eprintln!("the models need the crates {}", source.dependencies.join(", "));
    }
    Ok(())
}

/// Writes the file; what is there is kept unless `force` says otherwise.
fn write(path: &Path, code: &str, force: bool) -> Result<(), String> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(force).create(force).create_new(!force);
    let written = options.open(path).and_then(|mut file| file.write_all(code.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("{} is there already: name another file, or add --force", path.display())
        }
        _ => format!("{} could not be written: {error}", path.display()),
    })
}
