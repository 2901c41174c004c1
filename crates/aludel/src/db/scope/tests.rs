use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

async fn db() -> Db {
    Db::builder().uri("sqlite://").models([]).connect().await.unwrap()
}

/// An error that says "run it again".
fn collided() -> Error {
    Error::new(ErrorKind::Serialization, "could not be ordered")
}

#[tokio::test]
async fn a_scope_ends_its_session_with_all_clones() {
    let kept = db().await.scope(async |session| Ok(session)).await.unwrap();
    assert!(kept.is_closed());
}

#[tokio::test]
async fn a_scope_that_is_dropped_ends_its_session() {
    let (db, kept) = (db().await, Mutex::new(None));
    let work = db.scope(async |session| {
        *kept.lock().unwrap() = Some(session);
        std::future::pending::<Result<()>>().await
    });
    assert!(tokio::time::timeout(Duration::from_millis(1), work).await.is_err());
    assert!(kept.into_inner().unwrap().unwrap().is_closed());
}

#[tokio::test]
async fn current_is_the_session_of_the_innermost_scope_and_none_outside() {
    let db = db().await;
    assert_eq!(Session::current().unwrap_err().kind(), ErrorKind::Config);
    db.scope(async |outer| {
        assert!(Session::current()?.is_same(&outer));
        db.scope(async |inner| {
            assert!(Session::current()?.is_same(&inner) && !inner.is_same(&outer));
            Ok(())
        })
        .await?;
        assert!(Session::current()?.is_same(&outer));
        Ok(())
    })
    .await
    .unwrap();
    assert!(Session::current().is_err());
}

#[tokio::test]
async fn scope_and_transaction_can_be_spawned_whatever_way_the_work_is_written() {
    async fn by_path(_session: Session) -> Result<usize> {
        Ok(1)
    }
    let db = db().await;
    let task = tokio::spawn(async move {
        let name = String::from("abc");
        let borrowed = db.scope(async |session| Ok(name.len() + usize::from(session.is_closed()))).await?;
        let moved = name.clone();
        let moved = db.scope(|_session| async move { Ok(moved.len()) }).await?;
        let again = db.transaction(async |_session| Ok(name.len())).await?;
        let path = db.transaction(by_path).await?;
        Ok::<_, Error>((borrowed, moved, again, path))
    });
    assert_eq!(task.await.unwrap().unwrap(), (3, 3, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_collides_is_run_again_five_times_at_most() {
    let (db, runs) = (db().await, AtomicU32::new(0));
    let third = db
        .transaction(async |_session| match runs.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Err(collided()),
            run => Ok(run),
        })
        .await;
    assert_eq!(third.unwrap(), 2);

    runs.store(0, Ordering::Relaxed);
    let never = db
        .transaction(async |_session| {
            runs.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(collided())
        })
        .await;
    assert_eq!((never.unwrap_err().kind(), runs.into_inner()), (ErrorKind::Serialization, 5));
}

#[tokio::test]
async fn other_errors_end_a_transaction_at_once() {
    for kind in [ErrorKind::Busy, ErrorKind::UniqueViolation, ErrorKind::Aborted] {
        let (db, runs) = (db().await, AtomicU32::new(0));
        let result: Result<()> = db
            .transaction(async |_session| {
                runs.fetch_add(1, Ordering::Relaxed);
                Err(Error::new(kind, "no"))
            })
            .await;
        assert_eq!((result.unwrap_err().kind(), runs.into_inner()), (kind, 1));
    }
}
