//! A disk that is full, and a file that may not be written.

use std::path::Path;
use std::process::Command;

use aludel::prelude::*;

use super::{figure, is_full};
use crate::faults_support::{Author, Book, open};
use crate::own_servers::is_root;
use crate::support::needs;

/// A small disk of its own, where the superuser may mount one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Option<Self> {
        if !is_root() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(folder))
    }

    fn remount(&self, options: &str) {
        let mounted = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(self.0.path()).status();
        assert!(mounted.unwrap().success());
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Connections that still have a file there do not matter: it goes with the last of them.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

async fn shelf(path: &Path) -> Db {
    let db = open(path, EngineOptions::new()).await;
    db.create_all().await.unwrap();
    let session = db.session();
    session.add(Author::build().name("ann"));
    session.commit().await.unwrap();
    db
}

fn count(path: &Path) -> i64 {
    let outside = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    outside.query_row("SELECT count(*) FROM author", [], |row| row.get(0)).unwrap()
}

/// Writes until the disk is full: with the kind that is reported, in a flush and in a bulk insert.
async fn fill(db: &Db) {
    let session = db.session();
    let rows = (0..4000).map(|n| Author::build().name(format!("{n:04}{}", "x".repeat(1200))));
    let error = Author::insert_all(rows).execute(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}");
    session.rollback().await.unwrap();
    session.add_all((0..4000).map(|n| Author::build().name(format!("{n:04}{}", "y".repeat(1200)))));
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}");
    session.rollback().await.unwrap();
    assert_eq!(Author::query().count(&session).await.unwrap(), 1, "it can still be read");
}

#[tokio::test]
async fn a_full_disk_is_reported_as_such_and_nothing_is_written() {
    needs!(Sqlite, "a file on a disk of its own");
    let Some(disk) = Disk::mount() else {
        // The same without a disk of its own: a limit that SQLite keeps itself.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shelf.db");
        let db = open(&path, EngineOptions::new().pool_size(1).max_overflow(0)).await;
        db.create_all().await.unwrap();
        let session = db.session();
        session.add(Author::build().name("ann"));
        session.commit().await.unwrap();
        session.sql("PRAGMA max_page_count = 50").all::<i64>().await.unwrap();
        fill(&db).await;
        assert_eq!(count(&path), 1);
        if is_full() {
            figure(
                "Disk full",
                "not run on a disk of its own, which takes the superuser; with `max_page_count`: `DiskFull`",
            );
        }
        return;
    };
    let path = disk.path().join("shelf.db");
    let db = shelf(&path).await;
    fill(&db).await;
    assert_eq!(count(&path), 1);
    // And when there is room again it goes on.
    disk.remount("size=64m");
    let session = db.session();
    session.add(Author::build().name("bob"));
    session.commit().await.unwrap();
    assert_eq!(count(&path), 2);
    figure(
        "Disk full",
        "a file on a disk of 2 MB: `DiskFull` from a bulk insert and from a flush, nothing of them is there, reads go on, \
         writes too when there is room again",
    );
}

#[tokio::test]
async fn a_file_on_a_read_only_disk_is_reported_as_such() {
    needs!(Sqlite, "a file on a disk of its own");
    let Some(disk) = Disk::mount() else {
        // Without a disk of its own there is `a_database_that_is_only_for_reading_can_be_read_and_says_so_when_written`.
        if is_full() {
            figure("Read-only disk", "not run, for it takes the superuser");
        }
        return;
    };
    let path = disk.path().join("shelf.db");
    let db = shelf(&path).await;
    // The last connection writes the log back, and takes it away.
    db.close().await;
    drop(db);
    disk.remount("ro");
    let uri = format!("sqlite:///{}", path.display());
    let db = Db::builder().uri(uri).models((Author::TABLE, Book::TABLE)).connect().await;
    let outcome = match db {
        Ok(db) => {
            let session = db.session();
            session.add(Author::build().name("bob"));
            session.commit().await
        }
        Err(error) => Err(error),
    };
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    figure("Read-only disk", "`ReadOnly`, naming the file");
}
