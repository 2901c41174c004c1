//! Hooks of models: when they are called, what they change, and what is left when one fails.

use std::cell::{Cell, RefCell};

use crate::support::TestDb;
use aludel::prelude::*;

thread_local! {
    /// The calls of the test that runs on this thread.
    static CALLS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// The hook that fails.
    static FAILS: Cell<Option<&'static str>> = const { Cell::new(None) };
}

fn called(hook: &'static str, row: &str) -> Result<()> {
    CALLS.with_borrow_mut(|calls| calls.push(format!("{hook} {row}")));
    if FAILS.get() == Some(hook) { Err(Error::abort(hook)) } else { Ok(()) }
}

fn calls() -> Vec<String> {
    CALLS.take()
}

#[derive(Model, Clone, Debug)]
#[model(hooks)]
struct Author {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[column(default = 0)]
    revision: i32,
    #[relationship(back_populates = author, cascade = "all, delete")]
    books: Many<Book>,
}

#[derive(Model, Clone, Debug)]
#[model(hooks)]
struct Book {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(default = String::new())]
    seen: String,
    #[column(references = Author::id)]
    author_id: i64,
    #[relationship(back_populates = books)]
    author: One<Author>,
}

/// A model with nothing to it.
#[derive(Model, Clone, Debug)]
struct Note {
    #[column(primary_key)]
    id: i64,
    text: String,
}

impl Hooks for Author {
    fn validate(&self) -> Result<()> {
        called("validate", &self.name)?;
        match self.name.as_str() {
            "nobody" => Err(Author::name.invalid("is nobody's name")),
            "twice" => Err(Error::validation("an author is one person")),
            _ => Ok(()),
        }
    }

    fn before_insert(&mut self, _session: &Session) -> Result<()> {
        called("before_insert", &self.name)?;
        self.name.make_ascii_lowercase();
        Ok(())
    }

    fn before_update(&mut self, stored: &Self, _session: &Session) -> Result<()> {
        called("before_update", &format!("{} -> {}", stored.name, self.name))?;
        self.revision += 1;
        Ok(())
    }

    fn before_delete(&self, session: &Session) -> Result<()> {
        called("before_delete", &self.name)?;
        session.add(Note::build().text(format!("{} goes", self.name)));
        Ok(())
    }

    fn after_insert(&self, _session: &Session) -> Result<()> {
        assert!(self.id > 0, "the key is there");
        called("after_insert", &self.name)
    }

    fn after_update(&self, stored: &Self, _session: &Session) -> Result<()> {
        called("after_update", &format!("{} -> {}", stored.name, self.name))
    }

    fn after_delete(&self, _session: &Session) -> Result<()> {
        called("after_delete", &self.name)
    }
}

impl Hooks for Book {
    fn before_insert(&mut self, session: &Session) -> Result<()> {
        called("before_insert", &self.title)?;
        if self.title == "announced" {
            session.add(Note::build().text("a book"));
        }
        if self.title == "first of two" {
            session.add(Book::build().title("second of two").author_id(self.author_id));
        }
        Ok(())
    }

    fn before_delete(&self, _session: &Session) -> Result<()> {
        called("before_delete", &self.title)
    }

    fn after_insert(&self, session: &Session) -> Result<()> {
        called("after_insert", &self.title)?;
        if self.title == "followed" {
            session.add(Note::build().text(format!("book {}", self.id)));
        }
        if self.title == "with an author" {
            session.add(Author::build().name("nobody"));
        }
        if self.title == "endless" {
            session.add(Book::build().title("endless").author_id(self.author_id));
        }
        Ok(())
    }

    fn after_delete(&self, _session: &Session) -> Result<()> {
        called("after_delete", &self.title)
    }

    fn after_load(&mut self) -> Result<()> {
        called("after_load", &self.title)?;
        self.seen = format!("{}!", self.title);
        Ok(())
    }
}

#[tokio::test]
async fn what_a_before_hook_changes_is_part_of_the_statement() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Author::build().name("Ann"));
    session.commit().await?;
    assert_eq!(ann.name, "ann");
    assert_eq!(db.rows("SELECT name, revision FROM author"), ["ann|0"]);

    db.statements();
    ann.set(Author::name, "anna");
    session.commit().await?;
    assert_eq!((ann.name.as_str(), ann.revision), ("anna", 1));
    assert_eq!(db.rows("SELECT name, revision FROM author"), ["anna|1"]);
    assert_eq!(db.work().len(), 1);
    Ok(())
}

#[tokio::test]
async fn hooks_are_called_before_and_after_all_statements() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let old = session.add(Author::build().name("old"));
    let gone = session.add(Author::build().name("gone"));
    session.commit().await?;
    calls();
    session.add(Author::build().name("new").books([Book::build().title("novel")]));
    old.set(Author::name, "older");
    session.delete(&gone);
    session.commit().await?;
    let calls = calls();
    // A row's children are added before the row is complete.
    let mut inserts = calls[..2].to_vec();
    inserts.sort();
    assert_eq!(inserts, ["before_insert new", "before_insert novel"]);
    assert_eq!(calls[2..4], ["before_update old -> older", "before_delete gone"]);
    assert_eq!(calls[4..6], ["validate new", "validate older"]);
    let mut inserts = calls[6..8].to_vec();
    inserts.sort();
    assert_eq!(inserts, ["after_insert new", "after_insert novel"]);
    assert_eq!(calls[8..], ["after_update old -> older", "after_delete gone"]);
    assert_eq!(db.rows("SELECT name FROM author ORDER BY id"), ["older", "new"]);
    assert_eq!(db.rows("SELECT text FROM note"), ["gone goes"]);
    Ok(())
}

#[tokio::test]
async fn a_row_that_was_changed_back_gets_no_hook() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Author::build().name("ann"));
    session.commit().await?;
    calls();
    ann.set(Author::name, "bob");
    ann.set(Author::name, "ann");
    db.statements();
    session.commit().await?;
    assert_eq!((calls(), db.work()), (vec![], vec![]));
    Ok(())
}

#[tokio::test]
async fn all_rows_are_validated_before_the_first_statement_and_may_be_mended() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    session.add(Note::build().text("kept"));
    session.add(Author::build().name("ann"));
    let nobody = session.add(Author::build().name("nobody"));
    db.statements();
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert_eq!(error.to_string(), "author.name: is nobody's name (`Author::name`)");
    assert_eq!((error.table(), error.columns()), (Some("author"), &["name".to_owned()][..]));
    assert!(db.statements().is_empty(), "nothing was sent");
    assert_eq!(session.new().len(), 3);

    nobody.set(Author::name, "bob");
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM author ORDER BY name"), ["ann", "bob"]);
    assert_eq!(db.rows("SELECT text FROM note"), ["kept"]);

    nobody.set(Author::name, "twice");
    let error = session.flush().await.unwrap_err();
    assert_eq!(nobody.revision, 0, "what `before_update` has counted is undone");
    assert_eq!((error.kind(), error.table()), (ErrorKind::Validation, Some("author")));
    session.rollback().await?;
    assert_eq!(nobody.name, "bob");
    Ok(())
}

#[tokio::test]
async fn a_before_hook_that_fails_sends_nothing_and_leaves_the_session_as_it_was() -> Result<()> {
    for hook in ["before_insert", "before_update", "before_delete", "validate"] {
        let db = TestDb::new().await;
        let session = db.session();
        let (old, gone) = (session.add(Author::build().name("old")), session.add(Author::build().name("gone")));
        session.commit().await?;
        gone.load(Author::books).await?;
        session.add(Note::build().text("first"));
        session.add(Author::build().name("New"));
        old.set(Author::name, "older");
        session.delete(&gone);
        db.statements();
        FAILS.set(Some(hook));
        let error = session.flush().await.unwrap_err();
        FAILS.set(None);
        assert_eq!(error.downcast::<&str>().unwrap(), hook);
        assert!(db.statements().is_empty(), "{hook}");
        if hook == "validate" {
            // `before_delete` has added a row, which it would add once more.
            assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
            session.rollback().await?;
            assert_eq!((old.name.as_str(), session.new().len()), ("old", 0));
            session.commit().await?;
            assert_eq!(db.rows("SELECT name FROM author ORDER BY name"), ["gone", "old"]);
            continue;
        }
        assert_eq!((old.revision, session.new().len()), (0, 2), "{hook}: undone");
        session.commit().await?;
        assert_eq!(db.rows("SELECT name, revision FROM author ORDER BY name"), ["new|0", "older|1"], "{hook}");
        assert_eq!(db.rows("SELECT text FROM note ORDER BY text"), ["first", "gone goes"], "{hook}");
    }
    Ok(())
}

#[tokio::test]
async fn an_after_hook_that_fails_takes_a_rollback() -> Result<()> {
    for hook in ["after_insert", "after_update", "after_delete"] {
        let db = TestDb::new().await;
        let session = db.session();
        let (old, gone) = (session.add(Author::build().name("old")), session.add(Author::build().name("gone")));
        session.commit().await?;
        session.add(Author::build().name("new"));
        old.set(Author::name, "older");
        session.delete(&gone);
        FAILS.set(Some(hook));
        let error = session.commit().await.unwrap_err();
        FAILS.set(None);
        assert_eq!(error.downcast::<&str>().unwrap(), hook);
        assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback, "{hook}");
        session.rollback().await?;
        assert_eq!((old.name.as_str(), gone.is_persistent()), ("old", true));
        session.commit().await?;
        assert_eq!(db.rows("SELECT name FROM author ORDER BY name"), ["gone", "old"], "{hook}");
    }
    Ok(())
}

#[tokio::test]
async fn rows_that_a_cascade_deletes_get_their_hooks() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    session.add(Author::build().name("ann").books([Book::build().title("one"), Book::build().title("two")]));
    session.commit().await?;
    calls();
    let session = db.session();
    let ann = Author::query().one(&session).await?;
    session.delete(&ann);
    session.commit().await?;
    let calls = calls();
    let of = |hook: &str| {
        let mut rows: Vec<_> = calls.iter().filter_map(|call| call.strip_prefix(hook)).map(str::trim).collect();
        rows.sort_unstable();
        rows.join(" ")
    };
    assert_eq!((of("before_delete"), of("after_delete")), ("ann one two".into(), "ann one two".into()));
    assert_eq!(db.rows("SELECT count(*) FROM book"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn rows_that_hooks_add_are_flushed_too() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Author::build().name("ann"));
    session.flush().await?;
    calls();
    session.add(Book::build().title("announced").author_id(ann.id));
    session.add(Book::build().title("followed").author_id(ann.id));
    session.add(Book::build().title("first of two").author_id(ann.id));
    session.flush().await?;
    assert!(session.new().is_empty());
    assert!(calls().contains(&"before_insert second of two".to_owned()), "with its own hooks");
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM book"), ["4"]);
    let id = &db.rows("SELECT id FROM book WHERE title = 'followed'")[0];
    assert_eq!(db.rows("SELECT text FROM note ORDER BY text"), ["a book".to_owned(), format!("book {id}")]);
    Ok(())
}

#[tokio::test]
async fn a_hook_that_fails_for_what_an_after_hook_has_added_takes_a_rollback() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Author::build().name("ann"));
    session.commit().await?;
    session.add(Book::build().title("with an author").author_id(ann.id));
    let error = session.flush().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
    session.rollback().await?;
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM book"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn hooks_that_find_no_end_are_an_error() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Author::build().name("ann"));
    session.commit().await?;
    session.add(Book::build().title("endless").author_id(ann.id));
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("100 times over"), "{error}");
    session.rollback().await?;
    assert_eq!(db.rows("SELECT count(*) FROM book"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn what_after_load_changes_counts_as_read() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Author::build().name("ann"));
    let book = session.add(Book::build().title("novel").author(&ann));
    session.commit().await?;
    assert_eq!(book.seen, "", "it was written, not read");

    calls();
    let session = db.session();
    let book = Book::query().with(Book::author.joined()).one(&session).await?;
    assert_eq!((book.seen.as_str(), calls()), ("novel!", vec!["after_load novel".to_owned()]));
    assert!(!session.is_modified(&book));
    db.change("UPDATE book SET title = 'tale'");
    session.refresh(&book).await?;
    assert_eq!(book.seen, "tale!");
    session.commit().await?;
    assert_eq!(db.rows("SELECT title, seen FROM book"), ["tale|"]);

    FAILS.set(Some("after_load"));
    let error = Book::query().all(&db.session()).await.unwrap_err();
    FAILS.set(None);
    assert_eq!(error.downcast::<&str>().unwrap(), "after_load");
    Ok(())
}

#[tokio::test]
async fn a_row_that_takes_anothers_place_gets_the_hooks_of_an_insert() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Author::build().name("ann"));
    session.commit().await?;
    calls();
    let id = ann.id;
    session.delete(&ann);
    session.add(Author::build().id(id).name("Bob"));
    session.commit().await?;
    assert_eq!(calls(), ["before_insert Bob", "validate bob", "after_insert bob"]);
    assert_eq!(db.rows("SELECT name FROM author"), ["bob"]);
    Ok(())
}

#[tokio::test]
async fn a_savepoint_takes_back_what_hooks_have_written() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Author::build().name("ann"));
    let savepoint = session.begin_nested().await?;
    session.add(Book::build().title("followed").author(&ann));
    ann.set(Author::name, "anna");
    session.flush().await?;
    assert_eq!(ann.revision, 1);
    savepoint.rollback().await?;
    assert_eq!((ann.name.as_str(), ann.revision), ("ann", 0));

    let savepoint = session.begin_nested().await?;
    session.add(Author::build().name("nobody"));
    assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::Validation);
    savepoint.rollback().await?;
    let savepoint = session.begin_nested().await?;
    session.add(Book::build().title("announced").author(&ann));
    savepoint.release().await?;
    session.commit().await?;
    assert_eq!(db.rows("SELECT name, revision FROM author"), ["ann|0"]);
    assert_eq!(db.rows("SELECT text FROM note"), ["a book"]);
    Ok(())
}

#[tokio::test]
async fn bulk_writes_call_no_hooks() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    Author::insert_all([Author::build().name("Ann"), Author::build().name("nobody")]).execute(&session).await?;
    Author::query().filter(Author::name.eq("Ann")).update(Author::name.set("Eve")).execute(&session).await?;
    Author::query().filter(Author::name.eq("nobody")).delete().execute(&session).await?;
    session.commit().await?;
    assert!(calls().is_empty());
    assert_eq!(db.rows("SELECT name, revision FROM author"), ["Eve|0"]);
    Ok(())
}

#[tokio::test]
async fn a_session_without_hooked_models_sends_what_it_did() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let note = session.add(Note::build().text("one"));
    session.commit().await?;
    note.set(Note::text, "two");
    session.commit().await?;
    session.delete(&note);
    session.commit().await?;
    assert_eq!(db.work().len(), 3);
    assert!(calls().is_empty());
    Ok(())
}
