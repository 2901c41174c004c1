//! Handles, versions and relationships under everything that safe code can do to them: to be run under
//! AddressSanitizer and valgrind too.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};

use aludel::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Parent {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
    pub count: i64,
    #[relationship(back_populates = parent)]
    pub children: Many<Child>,
}

#[derive(Model, Debug)]
pub struct Child {
    #[column(primary_key)]
    pub id: i64,
    pub name: String,
    #[column(references = Parent::id)]
    pub parent_id: Option<i64>,
    #[relationship(back_populates = children)]
    pub parent: One<Option<Parent>>,
}

impl Clone for Child {
    fn clone(&self) -> Self {
        Self { id: self.id, name: self.name.clone(), parent_id: self.parent_id, parent: self.parent.clone() }
    }
}

/// What dropped children leave behind: relationships that were carried out of a value on its way to the grave.
static ESCAPED: Mutex<Vec<One<Option<Parent>>>> = Mutex::new(Vec::new());

impl Drop for Child {
    fn drop(&mut self) {
        if let Ok(mut escaped) = ESCAPED.lock() {
            escaped.push(std::mem::take(&mut self.parent));
        }
    }
}

async fn family(children: usize) -> Result<(Db, Session, Entity<Parent>)> {
    let db = Db::test().await?;
    let session = db.session();
    let parent = session.add(Parent::build().name("parent").count(0));
    for number in 0..children {
        parent.push(Parent::children, Child::build().name(format!("child {number}")));
    }
    session.commit().await?;
    Ok((db, session, parent))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_edits_lose_nothing_and_readers_see_whole_values() -> Result<()> {
    let (_db, session, parent) = family(3).await?;
    let threads: Vec<_> = (0..3)
        .map(|thread| {
            let parent = parent.clone();
            std::thread::spawn(move || {
                for round in 0..300 {
                    if thread == 0 {
                        parent.edit(|parent| parent.name = format!("name {round}"));
                    } else {
                        parent.edit(|parent| parent.count += 1);
                    }
                    let snapshot: &Parent = &parent;
                    assert!(snapshot.name.starts_with("name ") || snapshot.name == "parent");
                    assert_eq!(snapshot.children.get().map(|children| children.len()).unwrap_or(0), 3);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no reader or writer panics");
    }
    assert!(parent.name.starts_with("name "));
    // Two writers of one column merge by column: the later one wins, and no version is torn.
    assert!((300..=600).contains(&parent.count));
    session.commit().await
}

#[tokio::test]
async fn handles_and_snapshots_outlive_session_rollback_and_database() -> Result<()> {
    let (db, session, parent) = family(2).await?;
    let before: String = parent.name.clone();
    let snapshot: &Parent = &parent;
    parent.set(Parent::name, "changed");
    assert_eq!(snapshot.name, before);
    assert_eq!(parent.name, "changed");
    session.rollback().await?;
    assert_eq!(parent.name, before);
    assert_eq!(snapshot.name, before);
    let child = parent.children.entities()?[0].clone();
    let moved: Child = (*child).clone();
    drop((session, db, child));
    assert_eq!(snapshot.children.get()?[0].name, "child 0");
    let parent_of_moved = moved.parent.get()?.map(|parent| parent.name.clone());
    assert_eq!(parent_of_moved.as_deref(), Some("parent"));
    drop(parent);
    // The value that was moved out keeps all that it leads to.
    assert_eq!(moved.parent.get()?.map(|parent| parent.children.get().map(|c| c.len()).unwrap_or(0)), Some(2));
    drop(moved);
    let escaped = ESCAPED.lock().map(|mut escaped| std::mem::take(&mut *escaped)).unwrap_or_default();
    for relation in escaped {
        // Whatever was carried away in a Drop is either a handle of its own or leads nowhere.
        let _ = relation.get();
    }
    Ok(())
}

#[tokio::test]
async fn an_edit_that_panics_changes_nothing_and_nested_edits_are_kept() -> Result<()> {
    let (_db, session, parent) = family(1).await?;
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        parent.edit(|parent| {
            parent.name = "half".to_owned();
            panic!("in the closure");
        });
    }));
    assert!(panicked.is_err());
    assert_eq!(parent.name, "parent");
    parent.edit(|outer| {
        parent.edit(|inner| inner.count = 7);
        outer.name = "outer".to_owned();
    });
    assert_eq!((parent.name.as_str(), parent.count), ("outer", 7));
    session.commit().await
}

#[tokio::test]
async fn relationships_moved_out_swapped_and_dropped_stay_sound() -> Result<()> {
    let (_db, session, parent) = family(4).await?;
    let taken: Many<Child> = parent.edit(|parent| std::mem::take(&mut parent.children));
    assert_eq!(taken.get()?.len(), 4);
    // Taking it out of the copy is no assignment to `nothing`; the row leads where it led.
    assert_eq!(parent.children.get()?.len(), 4);
    session.rollback().await?;
    let kept = Arc::new(taken);
    let others: Vec<_> = (0..2)
        .map(|_| {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || kept.get().map(|children| children.iter().map(|c| c.name.len()).sum::<usize>()))
        })
        .collect();
    for other in others {
        assert_eq!(other.join().expect("no panic")?, 4 * "child 0".len());
    }
    drop((session, parent));
    assert_eq!(kept.get()?.len(), 4);
    Ok(())
}

#[tokio::test]
async fn collections_grow_shrink_and_roll_back_under_readers() -> Result<()> {
    let (_db, session, parent) = family(1).await?;
    let reader = {
        let parent = parent.clone();
        std::thread::spawn(move || {
            for _ in 0..2000 {
                let children = parent.children.get().expect("loaded");
                for child in children.iter() {
                    assert!(child.name.starts_with("child"));
                }
            }
        })
    };
    for round in 0..20 {
        for number in 0..10 {
            parent.push(Parent::children, Child::build().name(format!("child {round} {number}")));
        }
        let first = parent.children.entities()?[0].clone();
        parent.remove(Parent::children, &first);
        if round % 2 == 0 {
            session.flush().await?;
        }
        session.rollback().await?;
        assert_eq!(parent.children.get()?.len(), 1);
    }
    reader.join().expect("the reader sees whole rows");
    Ok(())
}

#[tokio::test]
async fn an_arena_of_many_rows_is_freed_with_its_last_handle() -> Result<()> {
    let db = Db::test().await?;
    let session = db.session();
    session.add_all((0..3000).map(|number| Parent::build().name(format!("parent {number}")).count(number)));
    session.commit().await?;
    let reader = db.session();
    let rows = Parent::query().order_by(Parent::id).all(&reader).await?;
    assert_eq!(rows.len(), 3000);
    let last = rows[2999].clone();
    reader.clear();
    drop((rows, reader, session, db));
    assert_eq!(last.name, "parent 2999");
    assert_eq!(last.clone().detach().count, 2999);
    Ok(())
}
