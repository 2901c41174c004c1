//! Many processes and tasks that write to one SQLite file.

use std::process::Command;
use std::time::Instant;

use aludel::prelude::*;

use super::{figure, scale};
use crate::faults_support::{Author, open};
use crate::support::needs;

/// What tells the test program that it is one of the writing processes, and to which file.
const FILE: &str = "ALUDEL_WRITERS_FILE";

const PROCESSES: u64 = 4;
/// Tasks in each process; as many as there are connections write at the same time.
const TASKS: u64 = 64;

/// One of the processes: it is started by the test below, and has nothing to do in any other run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_writes() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let process = std::process::id();
    let rounds = scale(4, 40);
    // 16 connections, so that with 4 processes there are 64 writers.
    let options = EngineOptions::new().pool_size(16).max_overflow(0);
    let db = open(file.as_ref(), options).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let db = db.clone();
            tokio::spawn(async move {
                for round in 0..rounds {
                    // A session as a request has it.
                    let session = db.session();
                    session.add(Author::build().name(format!("{process}-{task}-{round}")));
                    session.commit().await?;
                    // What was read is still true when it is written.
                    db.transaction(async |session| {
                        let counter = session.get_one::<Author>(1).await?;
                        let value: u64 = counter.name.parse().unwrap();
                        counter.set(Author::name, (value + 1).to_string());
                        Ok(())
                    })
                    .await?;
                    Author::query().count(&db.session()).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn of_4_processes_and_256_tasks_no_write_is_lost_and_none_is_told_busy() {
    needs!(Sqlite, "writers of one file");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shelf.db");
    let db = open(&path, EngineOptions::new()).await;
    db.create_all().await.unwrap();
    let session = db.session();
    session.add(Author::build().name("0"));
    session.commit().await.unwrap();
    let start = Instant::now();
    let processes: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut process = Command::new(std::env::current_exe().unwrap());
            process.args(["--exact", "reliability_runs::writers::a_process_that_writes", "--nocapture"]);
            process.env(FILE, &path).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            process.spawn().unwrap()
        })
        .collect();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}{said}", String::from_utf8_lossy(&output.stdout));
    }
    let took = start.elapsed();
    let each = PROCESSES * TASKS * scale(4, 40);
    let outside = rusqlite::Connection::open(&path).unwrap();
    let counter: String = outside.query_row("SELECT name FROM author WHERE id = 1", [], |row| row.get(0)).unwrap();
    let rows: i64 = outside.query_row("SELECT count(*) FROM author", [], |row| row.get(0)).unwrap();
    assert_eq!((counter, rows), (each.to_string(), i64::try_from(each).unwrap() + 1));
    let sound: String = outside.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    figure(
        "Writers of one SQLite file",
        &format!(
            "{PROCESSES} processes, 64 connections, {} tasks: {} transactions in {took:.1?}, none lost, none told busy \
             (busy timeout 5 s)",
            PROCESSES * TASKS,
            2 * each
        ),
    );
}
