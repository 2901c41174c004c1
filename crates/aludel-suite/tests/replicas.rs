//! Reads that go to replicas: two PostgreSQL servers, the second of which streams what the first one writes.

use std::time::Duration;

use aludel::prelude::*;

mod faults_support;
mod own_servers;
mod support;
use faults_support::{Author, Book, until};
use own_servers::{PostgresServer, Stop};
use support::needs;

/// How long a replica that is down is left alone in these tests.
const PROBE: Duration = Duration::from_millis(200);

/// Two servers, and a `Db` that knows both.
struct Pair {
    db: Db,
    primary: PostgresServer,
    standby: PostgresServer,
}

impl Pair {
    async fn start() -> Self {
        let primary = PostgresServer::start(&["hot_standby=on", "wal_level=replica"]);
        let standby = primary.start_standby();
        let db = connect(&primary, &[&standby]).await;
        db.create_all().await.unwrap();
        let pair = Self { db, primary, standby };
        pair.caught_up().await;
        pair
    }

    /// Waits until the replica has what was written.
    async fn caught_up(&self) {
        let written = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint";
        let written = self.primary.numbers(written).await[0];
        let there = "SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint";
        until(async || self.standby.numbers(there).await[0] >= written).await;
    }
}

async fn connect(primary: &PostgresServer, replicas: &[&PostgresServer]) -> Db {
    let mut builder = Db::builder().uri(primary.uri()).engine(EngineOptions::new().probe_after(PROBE));
    for replica in replicas {
        builder = builder.replica(replica.uri());
    }
    builder.models((Author::TABLE, Book::TABLE)).connect().await.unwrap()
}

/// Where a session reads now: the server's port.
async fn place(session: &Session) -> u16 {
    let port = session.sql("SELECT current_setting('port')::integer").one::<i32>().await.unwrap();
    u16::try_from(port).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_to_the_replica_until_the_session_writes() -> Result<()> {
    needs!(Postgres, "two servers of PostgreSQL");
    let pair = Pair::start().await;
    let (primary, standby) = (pair.primary.port, pair.standby.port);
    let session = pair.db.session();
    assert_eq!(place(&session).await, standby);
    let ann = session.add(Author::build().name("ann"));
    session.commit().await?;
    // From here on it sees what it has written.
    assert_eq!(place(&session).await, primary);
    assert_eq!(Author::query().count(&session).await?, 1);
    session.clear();
    assert_eq!(session.get_one::<Author>(ann.id).await?.name, "ann");
    assert_eq!(place(&session).await, primary, "for its remaining life");

    pair.caught_up().await;
    // A query, an entity's relationship, a stream.
    let counted = "SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)::bigint FROM pg_stat_user_tables";
    let session = pair.db.session();
    let ann = Author::query().one(&session).await?;
    assert!(ann.load(Author::books).await?.is_empty());
    let mut stream = Author::query().stream(&session);
    assert_eq!(stream.next().await.transpose()?.map(|ann| ann.name.clone()).as_deref(), Some("ann"));
    drop(stream);
    assert_eq!(place(&session).await, standby);
    until(async || pair.standby.numbers(counted).await[0] >= 3).await;
    assert_eq!(pair.db.pool_status().in_use + pair.db.replica_status()[0].pool.in_use, 0);

    // Within a transaction, and where the program says so.
    let session = pair.db.session();
    session.begin().await?;
    assert_eq!(place(&session).await, primary);
    session.rollback().await?;
    assert_eq!(pair.db.transaction(async |session| Ok(place(&session).await)).await?, primary);
    let session = pair.db.session();
    session.on_primary();
    assert_eq!(place(&session).await, primary);
    // What writes though it looks like a read is told by the replica, and runs where it can.
    let session = pair.db.session();
    pair.primary
        .client()
        .await
        .batch_execute(
            "CREATE FUNCTION add_bob() RETURNS bigint LANGUAGE sql AS \
         $$ INSERT INTO author (name) VALUES ('bob') RETURNING id $$",
        )
        .await
        .unwrap();
    pair.caught_up().await;
    session.sql("SELECT add_bob()").one::<i64>().await?;
    assert_eq!(pair.primary.numbers("SELECT count(*) FROM author WHERE name = 'bob'").await, [1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_down_is_left_out_and_taken_back() -> Result<()> {
    needs!(Postgres, "two servers of PostgreSQL");
    let pair = Pair::start().await;
    let (primary, standby) = (pair.primary.port, pair.standby.port);
    let status = || pair.db.replica_status().remove(0);
    assert_eq!(place(&pair.db.session()).await, standby);
    assert!(status().is_up && status().url.contains(&standby.to_string()));

    // A connection that was cut off is no reason yet.
    pair.primary.numbers("SELECT 1::bigint").await;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'aludel'";
    assert!(pair.standby.numbers(end).await[0] > 0);
    assert_eq!(place(&pair.db.session()).await, standby);
    assert!(status().is_up);

    tokio::task::block_in_place(|| pair.standby.stop(Stop::Fast));
    for _ in 0..5 {
        assert_eq!(place(&pair.db.session()).await, primary);
    }
    assert!(!status().is_up);
    // A stream does without it too, and so does a `Db` that begins now.
    let session = pair.db.session();
    assert!(Author::query().stream(&session).next().await.is_none());
    let late = connect(&pair.primary, &[&pair.standby]).await;
    assert_eq!(place(&late.session()).await, primary);

    tokio::task::block_in_place(|| pair.standby.start_again());
    until(async || place(&pair.db.session()).await == standby).await;
    until(async || place(&late.session()).await == standby).await;
    assert!(status().is_up);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_replicas_are_read_from_in_turn() -> Result<()> {
    needs!(Postgres, "three servers of PostgreSQL");
    let primary = PostgresServer::start(&["hot_standby=on", "wal_level=replica"]);
    let (one, other) = (primary.start_standby(), primary.start_standby());
    let db = connect(&primary, &[&one, &other]).await;
    let mut places = Vec::new();
    for _ in 0..4 {
        places.push(place(&db.session()).await);
    }
    assert_eq!(places, [one.port, other.port, one.port, other.port]);
    tokio::task::block_in_place(|| one.stop(Stop::Immediate));
    for _ in 0..4 {
        assert_eq!(place(&db.session()).await, other.port);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_promotion_the_host_list_leads_to_the_server_that_takes_writes() -> Result<()> {
    needs!(Postgres, "two servers of PostgreSQL");
    let Pair { primary, standby, .. } = Pair::start().await;
    let uri = |wanted: &str| {
        let (one, other) = (primary.port, standby.port);
        format!(
            "postgresql://postgres@127.0.0.1:{one},127.0.0.1:{other}/postgres?sslmode=disable&target_session_attrs={wanted}"
        )
    };
    let builder = Db::builder().uri(uri("read-write")).replica(uri("prefer-standby"));
    let db =
        builder.engine(EngineOptions::new().probe_after(PROBE)).models((Author::TABLE, Book::TABLE)).connect().await?;
    assert_eq!(place(&db.session()).await, standby.port);
    let session = db.session();
    session.add(Author::build().name("before"));
    session.commit().await?;
    assert_eq!(place(&session).await, primary.port);
    until(async || standby.numbers("SELECT count(*) FROM author").await == [1]).await;

    tokio::task::block_in_place(|| {
        primary.stop(Stop::Immediate);
        standby.promote();
    });
    // The pool's connections went with the server; new ones find the one that is left.
    let session = db.session();
    session.add(Author::build().name("after"));
    session.commit().await?;
    assert_eq!(place(&session).await, standby.port);
    assert_eq!(standby.numbers("SELECT count(*) FROM author").await, [2]);
    assert_eq!(Author::query().count(&db.session()).await?, 2);
    Ok(())
}
