//! The command `aludel`.

mod models;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Aludel, the database layer, on the command line.
#[derive(Parser)]
#[command(name = "aludel", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the Rust models of an existing database
    Models(models::Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let outcome = match command {
        Command::Models(options) => models::run(options).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
