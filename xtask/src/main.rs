//! The project's own commands: `cargo xtask help` lists them.

mod bench;
mod budget;
mod cargo;
mod check;
mod loom;
mod memory;
mod oracle;
mod reliability;
mod ring;
mod servers;
mod test;

use std::process::ExitCode;

use cargo::Outcome;

/// A command of `cargo xtask`.
struct Command {
    name: &'static str,
    /// One line for the list of commands.
    summary: &'static str,
    /// What follows the summary under `--help`.
    help: &'static str,
    run: fn(&[String]) -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command { name: "test", summary: "run every test on every backend", help: test::HELP, run: test::run },
    Command { name: "ci", summary: "everything that a change must pass", help: check::HELP, run: check::run },
    Command { name: "ring", summary: "compile 300 models that are linked in a ring", help: ring::HELP, run: ring::run },
    Command {
        name: "reliability",
        summary: "break connections, servers and disks, and count what is lost",
        help: reliability::HELP,
        run: reliability::run,
    },
    Command {
        name: "oracle",
        summary: "run random programs through SQLAlchemy too, and compare",
        help: oracle::HELP,
        run: oracle::run,
    },
    Command { name: "bench", summary: "compare with other libraries", help: bench::HELP, run: bench::run },
    Command {
        name: "budget",
        summary: "time how long 300 models take to compile, beside other libraries",
        help: budget::HELP,
        run: budget::run,
    },
    Command {
        name: "sanitize",
        summary: "run the tests under AddressSanitizer",
        help: memory::SANITIZE_HELP,
        run: memory::sanitize,
    },
    Command {
        name: "valgrind",
        summary: "run the tests under valgrind",
        help: memory::VALGRIND_HELP,
        run: memory::valgrind,
    },
    Command { name: "loom", summary: "model-check the arena's protocols", help: loom::HELP, run: loom::run },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Outcome {
    let Some((name, args)) = args.split_first() else {
        return Err(format!("no command given\n\n{}", overview()));
    };
    if is_help(name) {
        println!("{}", overview());
        return Ok(());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(format!("there is no command `{name}`\n\n{}", overview()));
    };
    // What stands after `--` belongs to the program that the command runs.
    if args.iter().take_while(|arg| *arg != "--").any(|arg| is_help(arg)) {
        println!("cargo xtask {name}: {}\n\n{}", command.summary, command.help);
        return Ok(());
    }
    (command.run)(args)
}

fn is_help(arg: &str) -> bool {
    matches!(arg, "help" | "-h" | "--help")
}

fn overview() -> String {
    let mut text = String::from("usage: cargo xtask COMMAND [OPTIONS]\n\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<11} {}\n", command.name, command.summary));
    }
    text.push_str("\n`cargo xtask COMMAND --help` says more.");
    text
}
