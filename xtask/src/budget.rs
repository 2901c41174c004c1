//! How long many models take to compile, beside the same models in other libraries.

mod crates;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::cargo::{Cargo, Outcome, root, target_dir};
use crates::Peer;

pub(crate) const HELP: &str = "\
usage: cargo xtask budget [--models N] [--ring N] [--rounds N]

Generates a crate of 300 models for each library, each model with 12 columns, a relationship to the next one
and one back from the model before it, in target/budget, and builds it in a debug build from scratch, its
dependencies being built already. Prints a table: seconds of the processor and of the clock, the fastest of
three rounds, and how many lines the macros make of one model. SeaORM and Diesel are downloaded, in the
versions that `benches/` has.

  --ring N    rings of N models each; all models are in one without it";

/// The crate that may print its expanded macros; the same for each build, as cargo builds dependencies again otherwise.
const BOOTSTRAP: &str = "budget";

/// The options.
struct Options {
    models: usize,
    /// How many models are linked with each other.
    ring: usize,
    rounds: usize,
}

impl Options {
    fn from_args(args: &[String]) -> Result<Self, String> {
        let mut options = Self { models: 300, ring: 0, rounds: 3 };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let number = match arg.as_str() {
                "--models" => &mut options.models,
                "--ring" => &mut options.ring,
                "--rounds" => &mut options.rounds,
                other => return Err(format!("unknown argument `{other}`; `--help` lists what is known")),
            };
            *number = args
                .next()
                .and_then(|value| value.parse().ok())
                .filter(|&value| value > 0)
                .ok_or_else(|| format!("`{arg}` takes a number above 0"))?;
        }
        if options.ring == 0 {
            options.ring = options.models;
        }
        // A relationship to the next model and one from the model before lead to two models.
        if options.ring < 3 || !options.models.is_multiple_of(options.ring) {
            return Err("a ring has 3 models or more, and the models fill whole rings".to_owned());
        }
        Ok(options)
    }
}

/// What a build took.
#[derive(Clone, Copy, Debug)]
struct Spent {
    processor: f64,
    clock: f64,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let options = Options::from_args(args)?;
    let mut rows = Vec::new();
    for peer in &crates::PEERS {
        let folder = target_dir().join("budget").join(peer.name.replace([' ', ','], "-"));
        let source = peer.source(options.models, options.ring);
        write(&folder, peer).map_err(|error| format!("{} could not be written: {error}", folder.display()))?;
        // The dependencies.
        build(&folder)?;
        let mut fastest: Option<Spent> = None;
        for _ in 0..options.rounds {
            let spent = match build_models(&folder, &source) {
                // Another library's failure is a result.
                Err(_) if !rows.is_empty() => break,
                spent => spent?,
            };
            eprintln!("{}: {:.1} s of the processor, {:.1} s of the clock", peer.name, spent.processor, spent.clock);
            fastest = Some(match fastest {
                Some(other) if other.processor <= spent.processor => other,
                _ => spent,
            });
        }
        let result = match fastest {
            Some(spent) => Some((spent, expanded_lines(&folder)? as f64 / options.models as f64)),
            None => None,
        };
        rows.push((peer.name, result));
    }
    print_table(&options, &rows)
}

/// The libraries with what they took and the lines of a model; nothing where the models did not compile.
fn print_table(options: &Options, rows: &[(&str, Option<(Spent, f64)>)]) -> Outcome {
    let ours = rows.first().and_then(|(_, result)| *result).ok_or("Aludel's models were not built")?.0;
    println!(
        "\n{} models of 12 columns and 2 relationships, in rings of {}, fastest of {} rounds\n",
        options.models, options.ring, options.rounds,
    );
    println!("| library | processor, s | ratio | clock, s | ratio | expanded lines of a model |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (name, result) in rows {
        let Some((spent, lines)) = result else {
            println!("| {name} | does not compile | | | | |");
            continue;
        };
        println!(
            "| {name} | {:.1} | {:.2} | {:.1} | {:.2} | {lines:.0} |",
            spent.processor,
            spent.processor / ours.processor,
            spent.clock,
            spent.clock / ours.clock,
        );
    }
    Ok(())
}

/// The crate, without its models.
fn write(folder: &Path, peer: &Peer) -> std::io::Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), peer.manifest(&root()))?;
    // The versions that the benchmarks have.
    fs::copy(root().join("benches/Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::write(folder.join("src/lib.rs"), "")
}

fn build(folder: &Path) -> Outcome {
    Cargo::new("build --lib")
        .folder(folder)
        .build_in(target_dir().join("budget/target"))
        .env("RUSTC_BOOTSTRAP", BOOTSTRAP)
        .run()
}

/// Builds the models, and nothing else.
fn build_models(folder: &Path, models: &str) -> Result<Spent, String> {
    let source = folder.join("src/lib.rs");
    fs::write(&source, models).map_err(|error| format!("{} could not be written: {error}", source.display()))?;
    let (start, before) = (Instant::now(), children_seconds()?);
    build(folder)?;
    Ok(Spent { processor: children_seconds()? - before, clock: start.elapsed().as_secs_f64() })
}

/// The processor's time of the processes that this one has waited for, in seconds.
///
/// Fields 16 and 17 of <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>, in hundredths of a second, which is
/// what `sysconf(_SC_CLK_TCK)` is on Linux.
fn children_seconds() -> Result<f64, String> {
    let stat = fs::read_to_string("/proc/self/stat")
        .map_err(|error| format!("the processor's time stands in /proc/self/stat, which only Linux has: {error}"))?;
    // The program's name, the second field, is in parentheses and may hold spaces.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: Vec<f64> = fields.skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    match ticks[..] {
        [user, system] => Ok((user + system) / 100.0),
        _ => Err(format!("/proc/self/stat has another form than expected: {stat}")),
    }
}

/// How many lines the crate has when its macros are expanded.
fn expanded_lines(folder: &Path) -> Result<usize, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["rustc", "--lib", "--quiet", "--", "-Zunpretty=expanded"])
        .current_dir(folder)
        .env("RUSTC_BOOTSTRAP", BOOTSTRAP)
        .env("CARGO_TARGET_DIR", target_dir().join("budget/target"))
        .output()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("the macros could not be expanded:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(output.stdout.iter().filter(|&&byte| byte == b'\n').count())
}
