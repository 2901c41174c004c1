//! What a program can do wrong that its types do not show: each is an error of its kind that says what, where and the
//! cure, and the session can be used afterwards.

use aludel::prelude::*;
use support::needs;

mod faults_support;
mod support;
use faults_support::{Author, Book, Shelf, long_query, memory, poll_once, says};

#[derive(Model, Clone, Debug)]
struct Team {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = team)]
    players: Many<Player>,
}

#[derive(Model, Clone, Debug)]
struct Player {
    #[column(primary_key)]
    id: i64,
    name: String,
    nick: Option<String>,
    #[column(references = Team::id)]
    team_id: Option<i64>,
    #[relationship(back_populates = players)]
    team: One<Option<Team>>,
}

#[derive(Model, Clone, Debug)]
struct Stranger {
    #[column(primary_key)]
    id: i64,
    name: String,
}

async fn teams() -> Db {
    let models = (Team::TABLE, Player::TABLE, Stranger::TABLE);
    let db = Db::builder().uri("sqlite://").models(models).connect().await.unwrap();
    db.create_all().await.unwrap();
    let session = db.session();
    let reds = session.add(Team::build().name("reds"));
    session.add(Player::build().name("ann").team(&reds));
    session.add(Player::build().name("bob"));
    session.commit().await.unwrap();
    db
}

mod first {
    use aludel::prelude::*;

    #[derive(Model, Clone)]
    pub(crate) struct Account {
        #[column(primary_key)]
        id: i64,
    }
}

mod second {
    use aludel::prelude::*;

    #[derive(Model, Clone)]
    pub(crate) struct Account {
        #[column(primary_key)]
        id: i64,
    }
}

#[tokio::test]
async fn two_models_of_one_table_are_both_named() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let models = (first::Account::TABLE, second::Account::TABLE);
    let error = Db::builder().uri("sqlite://").models(models).connect().await.unwrap_err();
    says(
        &error,
        ErrorKind::Config,
        "table `account` is declared twice, by `bad_input_program::first::Account` and by `bad_input_program::second::Account`: give one of them another name with #[model(table = \"..\")]",
    );
    // chosen by hand, each is good
    for model in [first::Account::TABLE, second::Account::TABLE] {
        Db::builder().uri("sqlite://").models(model).connect().await.unwrap().create_all().await.unwrap();
    }
}

#[tokio::test]
async fn a_model_whose_parent_is_not_among_the_models_names_it() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = Db::builder().uri("sqlite://").models(Book::TABLE).connect().await.unwrap();
    says(
        &db.create_all().await.unwrap_err(),
        ErrorKind::Config,
        "foreign key book.author_id references table `author`, which does not exist: add the model of that table, or correct the name",
    );
}

#[tokio::test]
async fn a_column_of_a_table_that_is_not_selected_from_names_the_join() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    let filter = Player::query().filter(Team::name.eq("reds")).all(&session).await.unwrap_err();
    let order = Player::query().order_by(Team::name).first(&session).await.unwrap_err();
    let select = Player::query().select((Player::name, Team::name)).all(&session).await.unwrap_err();
    let count = Player::query().filter(Team::name.eq("reds")).count(&session).await.unwrap_err();
    let exists = Player::query().filter(Stranger::id.eq(1)).exists(&session).await.unwrap_err();
    let page = Player::query().filter(Team::id.eq(1)).paginate(&session, PageQuery::new(1)).await.unwrap_err();
    let stream = Player::query().filter(Team::id.eq(1)).stream(&session).next().await.unwrap().unwrap_err();
    let update = Player::query().filter(Team::id.eq(1)).delete().execute(&session).await.unwrap_err();
    for (error, expected) in [
        (filter, "filter(team.name): this query selects from player; add .join(Player::team)"),
        (order, "order_by(team.name): this query selects from player; add .join(Player::team)"),
        (select, "select(team.name): this query selects from player; add .join(Player::team)"),
        (count, "filter(team.name): this query selects from player; add .join(Player::team)"),
        (
            exists,
            "filter(stranger.id): this query selects from player; no relationship leads from there to stranger: join it with `.join_on(..)`",
        ),
        (page, "filter(team.id): this query selects from player; add .join(Player::team)"),
        (stream, "filter(team.id): this query selects from player; add .join(Player::team)"),
        (
            update,
            "delete of player: team.id is a column of another table; choose the rows by related ones with `.any(..)` or `.has(..)`",
        ),
    ] {
        says(&error, ErrorKind::InvalidStatement, expected);
    }
}

#[tokio::test]
async fn what_an_outer_join_can_make_null_is_to_be_optional() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    let joined = || Player::query().left_join(Player::team);
    let column = joined().select((Player::name, Team::name)).all(&session).await.unwrap_err();
    let entity = joined().select((Player::name, Team::entity)).all(&session).await.unwrap_err();
    let lowered = joined().select(lower(Team::name)).all(&session).await.unwrap_err();
    for (error, expected) in [
        (column, "select(team.name): `team` is outer-joined, so that the value may be NULL: use `.optional()`"),
        (
            entity,
            "select(Team::entity): `team` is outer-joined, so that there may be no row: use `Team::entity.optional()`",
        ),
        (lowered, "select(team.name): `team` is outer-joined, so that the value may be NULL: use `.optional()`"),
    ] {
        says(&error, ErrorKind::InvalidStatement, expected);
    }
    let rows = joined().order_by(Player::id).select((Player::name, Team::name.optional())).all(&session).await.unwrap();
    assert_eq!(rows, [("ann".to_owned(), Some("reds".to_owned())), ("bob".to_owned(), None)]);
}

#[tokio::test]
async fn a_join_that_cannot_be_made_says_why() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    let twice = Player::query().join(Player::team).join(Team::players).all(&session).await.unwrap_err();
    says(
        &twice,
        ErrorKind::InvalidStatement,
        "join(Team::players): this query selects from player already, and a table can be in it once under one name; join it under another, `Team::players.to(&alias)`, or filter by the related rows with `Team::players.any(..)`",
    );
    let missing = Stranger::query().join(Player::team).all(&session).await.unwrap_err();
    says(
        &missing,
        ErrorKind::InvalidStatement,
        "join(Player::team): this query selects from stranger; join `Player` first, or begin with `Player::query()`",
    );
}

#[tokio::test]
async fn a_bulk_statement_takes_filters_alone() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    let limited = Player::query().limit(1).delete().execute(&session).await.unwrap_err();
    says(
        &limited,
        ErrorKind::InvalidStatement,
        "delete of player: it takes the query's filters alone, and this query has a limit or offset; choose the rows with `.filter(..)`, related ones with `.any(..)` or `.has(..)`",
    );
    let joined = Player::query().join(Player::team).update(Player::name.set("x")).execute(&session).await.unwrap_err();
    says(
        &joined,
        ErrorKind::InvalidStatement,
        "update of player: it takes the query's filters alone, and this query has a join; choose the rows with `.filter(..)`, related ones with `.any(..)` or `.has(..)`",
    );
    assert_eq!(Player::query().filter(Player::name.eq("x")).count(&session).await.unwrap(), 0);
}

#[tokio::test]
async fn an_unknown_column_name_is_bad_input_and_the_known_ones_are_named() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let error = Player::column("nickname").unwrap_err();
    says(&error, ErrorKind::BadRequest, "`Player` has no column `nickname`; it has id, name, nick, team_id");
    for name in ["", "id; DROP TABLE player", "team", "NAME"] {
        assert_eq!(Player::column(name).unwrap_err().kind(), ErrorKind::BadRequest, "{name}");
    }
    assert!(Player::column("nick").is_ok());
}

#[tokio::test]
async fn too_many_values_are_refused_before_anything_is_sent() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    let keys: Vec<i64> = (0..40_000).collect();
    let error = Player::query().filter(Player::id.in_(&keys)).all(&session).await.unwrap_err();
    says(
        &error,
        ErrorKind::InvalidStatement,
        "the statement has 40000 values, and this database takes 32766 at most: ask for the rows of a long `in_` list in parts",
    );
}

#[tokio::test]
async fn an_entity_of_another_session_is_refused_by_the_next_flush() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let shelf = Shelf::new().await;
    let (one, other) = (shelf.db.session(), shelf.db.session());
    let theirs = other.add(Author::build().name("theirs"));
    other.commit().await.unwrap();
    let expected = "an entity of `Author` belongs to another session (or to this one before `clear`); get it by its key in this session first";
    // on a new row, on one that is there, in a collection, to be deleted
    let book = one.add(Book::build().title("x").author(&theirs));
    let added = one.flush().await.unwrap_err();
    one.rollback().await.unwrap();
    assert!(!book.is_pending() && !book.is_persistent());
    let book = one.add(Book::build().title("x").author(Author::build().name("ours")));
    one.commit().await.unwrap();
    book.set(Book::author, &theirs);
    let set = one.flush().await.unwrap_err();
    one.rollback().await.unwrap();
    theirs.push(Author::books, &book);
    let pushed = other.flush().await.unwrap_err();
    other.rollback().await.unwrap();
    one.delete(&theirs);
    let deleted = one.flush().await.unwrap_err();
    one.rollback().await.unwrap();
    let refreshed = one.refresh(&theirs).await.unwrap_err();
    for error in [added, set, deleted, refreshed] {
        says(&error, ErrorKind::InvalidStatement, expected);
    }
    assert_eq!(pushed.to_string(), expected.replace("Author", "Book"));
    assert_eq!(shelf.names(), ["ours", "theirs"]);
    assert_eq!(book.load(Book::author).await.unwrap().name, "ours");
}

#[tokio::test]
async fn an_edit_that_assigns_a_relationship_is_refused_by_the_next_flush() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    let ann = Player::query().with(Player::team).order_by(Player::id).first(&session).await.unwrap().unwrap();
    ann.edit(|player| {
        player.name = "anna".into();
        player.team = One::default();
    });
    let error = session.commit().await.unwrap_err();
    says(
        &error,
        ErrorKind::InvalidStatement,
        "`edit` assigned the relationship `Player::team`; use `set`, `push` or `remove` for it",
    );
    session.rollback().await.unwrap();
    assert_eq!(ann.name, "ann");
    assert_eq!(ann.load(Player::team).await.unwrap().unwrap().name, "reds");
}

#[tokio::test]
async fn a_required_column_that_was_not_given_is_named() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    // a child that is taken from its parent, whose key it may not be without
    let shelf = Shelf::new().await;
    let books = shelf.db.session();
    let ann = books.add(Author::build().name("ann"));
    let book = books.add(Book::build().title("x").author(&ann));
    books.commit().await.unwrap();
    ann.load(Author::books).await.unwrap();
    ann.remove(Author::books, &book);
    let error = books.flush().await.unwrap_err();
    says(
        &error,
        ErrorKind::NotNullViolation,
        "book.author_id may not be NULL, so that a row of `Book` cannot be left without its parent; delete the row, give it another parent, or declare the parent's relationship with cascade = \"all, delete-orphan\"",
    );
    assert_eq!((error.table(), error.columns()), (Some("book"), &["author_id".to_owned()][..]));
    books.rollback().await.unwrap();
    assert_eq!(ann.load(Author::books).await.unwrap(), [book]);
    drop(session);
}

#[tokio::test]
async fn a_session_whose_flush_failed_wants_a_rollback_and_nothing_else() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let shelf = Shelf::new().await;
    let session = shelf.db.session();
    let ann = session.add(Author::build().name("ann"));
    session.commit().await.unwrap();
    ann.set(Author::name, "anna");
    session.add(Author::build().name("anna"));
    // The query flushes first, and says where it stands.
    let error = Author::query().all(&session).await.unwrap_err();
    let line = line!() - 1;
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    let expected =
        format!("`author` has a row with the same `name` already (flushed by the query at {}:{line})", file!());
    assert_eq!(error.to_string(), expected);
    for error in [
        Author::query().all(&session).await.unwrap_err(),
        session.get::<Author>(7).await.unwrap_err(),
        session.flush().await.unwrap_err(),
        session.commit().await.unwrap_err(),
        session.begin().await.unwrap_err(),
        session.begin_nested().await.map(drop).unwrap_err(),
        session.sql("SELECT 1").all::<i64>().await.unwrap_err(),
        session.sql("DELETE FROM author").execute().await.unwrap_err(),
        Author::query().stream(&session).next().await.unwrap().unwrap_err(),
        ann.load(Author::books).await.unwrap_err(),
        session.refresh(&ann).await.unwrap_err(),
    ] {
        says(
            &error,
            ErrorKind::NeedsRollback,
            "a flush of this session failed or was cut short, or the database ended its transaction, so that what was done since the last commit is not known; call `session.rollback().await` first",
        );
    }
    session.rollback().await.unwrap();
    assert_eq!(ann.name, "ann");
    ann.set(Author::name, "anne");
    session.commit().await.unwrap();
    assert_eq!(shelf.names(), ["anne"]);
}

#[tokio::test]
async fn a_savepoint_s_rollback_mends_the_failed_flush_within_it() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let shelf = Shelf::new().await;
    let session = shelf.db.session();
    session.add(Author::build().name("ann"));
    let savepoint = session.begin_nested().await.unwrap();
    let twin = session.add(Author::build().name("ann"));
    assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::UniqueViolation);
    savepoint.rollback().await.unwrap();
    assert!(!twin.is_pending());
    session.add(Author::build().name("bob"));
    session.commit().await.unwrap();
    assert_eq!(shelf.names(), ["ann", "bob"]);
}

#[tokio::test]
async fn a_savepoint_or_stream_whose_transaction_has_ended_says_so() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let shelf = Shelf::new().await;
    let session = shelf.db.session();
    let names = (0..600).map(|number| Author::build().name(format!("{number:03}")));
    Author::insert_all(names).execute(&session).await.unwrap();
    let released = session.begin_nested().await.unwrap();
    let rolled_back = session.begin_nested().await.unwrap();
    let mut stream = Author::query().stream(&session);
    stream.next().await.unwrap().unwrap();
    session.commit().await.unwrap();
    says(
        &rolled_back.rollback().await.unwrap_err(),
        ErrorKind::InvalidStatement,
        "the savepoint's transaction has ended; a savepoint is released or rolled back before `commit`",
    );
    says(
        &released.release().await.unwrap_err(),
        ErrorKind::InvalidStatement,
        "the savepoint's transaction has ended; a savepoint is released or rolled back before `commit`",
    );
    let mut rows = 1;
    let error = loop {
        match stream.next().await.unwrap() {
            Ok(_) => rows += 1,
            Err(error) => break error,
        }
    };
    says(
        &error,
        ErrorKind::InvalidStatement,
        "the transaction that this stream reads in was committed or rolled back before its end; read it to its end first, or begin it outside a transaction",
    );
    assert!(rows < 600);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_transaction_within_a_transaction_names_the_savepoint() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = memory(EngineOptions::new()).await;
    let session = db.session();
    session.begin().await.unwrap();
    says(
        &session.begin().await.unwrap_err(),
        ErrorKind::InvalidStatement,
        "the session's transaction is open already; `begin_nested` makes a savepoint in it",
    );
    session.commit().await.unwrap();
    session.begin().await.unwrap();
}

#[tokio::test]
async fn a_relationship_that_is_not_loaded_names_itself_and_the_cures() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    let ann = Player::query().order_by(Player::id).first(&session).await.unwrap().unwrap();
    says(
        &ann.team.get().unwrap_err(),
        ErrorKind::NotLoaded,
        "the relationship `Player::team` is not loaded; add `.with(Player::team)` to the query, or call `.load(Player::team).await` on the entity",
    );
    let reds = Team::query().one(&session).await.unwrap();
    says(
        &reds.players.get().unwrap_err(),
        ErrorKind::NotLoaded,
        "the relationship `Team::players` is not loaded; add `.with(Team::players)` to the query, or call `.load(Team::players).await` on the entity",
    );
    let raised = db.session();
    let reds = Team::query().with(Team::players.raise()).one(&raised).await.unwrap();
    says(
        &reds.players.get().unwrap_err(),
        ErrorKind::NotLoaded,
        "the query that brought the row asked with `.with(Team::players.raise())` that `Team::players` is not loaded; load it with the query, or leave out `.raise()`",
    );
    says(
        &reds.load(Team::players).await.unwrap_err(),
        ErrorKind::NotLoaded,
        "the query that brought the row asked with `.with(Team::players.raise())` that `Team::players` is not loaded; load it with the query, or leave out `.raise()`",
    );
    // a value that was never in a session
    says(
        &reds.detach().players.get().unwrap_err(),
        ErrorKind::NotLoaded,
        "the collection of this relationship is not loaded: the value was never in a session",
    );
}

#[tokio::test]
async fn an_entity_of_a_session_that_is_gone_is_readable_and_detached() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    let ann = Player::query().order_by(Player::id).first(&session).await.unwrap().unwrap();
    let expected = "the session is closed; what it had loaded stays readable, but nothing more can be loaded or written: take `db.session()` or `db.scope(..)` for work that outlives the request";
    session.close().await;
    says(&ann.load(Player::team).await.unwrap_err(), ErrorKind::Detached, expected);
    drop(session);
    says(&ann.load(Player::team).await.unwrap_err(), ErrorKind::Detached, expected);
    assert_eq!((ann.name.as_str(), ann.team_id), ("ann", Some(1)));
}

#[tokio::test]
async fn one_row_where_there_is_none_or_more_is_an_error_of_its_own() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    let none = Player::query().filter(Player::name.eq("zoe")).one(&session).await.unwrap_err();
    says(&none, ErrorKind::NotFound, "no row of `player` where one was asked for");
    let many = Player::query().one(&session).await.unwrap_err();
    says(&many, ErrorKind::MultipleFound, "more than one row of `player` where one was asked for");
    let key = session.get_one::<Player>(99).await.unwrap_err();
    says(&key, ErrorKind::NotFound, "no row of `player` has the key 99");
    assert!(![&none, &many, &key].iter().any(|error| error.is_404()));
    for error in [
        Player::query().one_or_404(&session).await.unwrap_err(),
        Player::query().filter(Player::id.eq(99)).one_or_404(&session).await.unwrap_err(),
        Player::query().filter(Player::id.eq(99)).first_or_404(&session).await.unwrap_err(),
        session.get_or_404::<Player>(99).await.unwrap_err(),
        Player::query().paginate(&session, PageQuery::new(2)).await.unwrap_err(),
    ] {
        assert!(error.is_404() && error.kind() == ErrorKind::NotFound, "{error:?}");
    }
    says(
        &session.sql("SELECT 1 WHERE 0").one::<i64>().await.unwrap_err(),
        ErrorKind::NotFound,
        "the statement gave no row where one was asked for",
    );
    let many = session.sql("SELECT id FROM player").one::<i64>().await.unwrap_err();
    says(&many, ErrorKind::MultipleFound, "the statement gave more than one row where one was asked for");
}

#[tokio::test]
async fn raw_sql_that_cannot_be_sent_says_why() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = teams().await;
    let session = db.session();
    for (sql, expected) in [
        ("SELEC 1", "SQLite refuses the statement: near \"SELEC\": syntax error"),
        ("", "the statement is empty"),
        ("-- nothing", "the statement is empty"),
        (
            "SELECT 1; DELETE FROM player",
            "these are several statements, and only one can be sent with values; send them one by one",
        ),
        ("SELECT ?", "the statement has 1 placeholders, and 0 values were given"),
        ("SELECT 1 WHERE", "SQLite refuses the statement: incomplete input"),
        ("SELECT 1, 2", "the statement gives 2 columns, and `i64` takes 1"),
        ("SELECT no_such_function(1)", "SQLite refuses the statement: no such function: no_such_function"),
        ("SELECT \"reds\" FROM team", "the column `reds` does not exist in the database; is a migration missing?"),
    ] {
        let error = session.sql(sql).all::<i64>().await.unwrap_err();
        let kind = if sql.contains("reds") { ErrorKind::MissingTable } else { ErrorKind::InvalidStatement };
        says(&error, kind, expected);
        assert_eq!(session.sql("SELECT count(*) FROM player").one::<i64>().await.unwrap(), 2);
    }
    says(
        &session.sql("SELECT 1").bind(1).all::<i64>().await.unwrap_err(),
        ErrorKind::InvalidStatement,
        "the statement has 0 placeholders, and 1 values were given",
    );
    says(
        &session.sql("DELETE FROM player WHERE id = ?").execute().await.unwrap_err(),
        ErrorKind::InvalidStatement,
        "the statement has 1 placeholders, and 0 values were given",
    );
    session.rollback().await.unwrap();
    assert_eq!(Player::query().count(&session).await.unwrap(), 2);
}

#[tokio::test]
async fn transactions_are_not_begun_or_ended_by_raw_sql() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let shelf = Shelf::new().await;
    let session = shelf.db.session();
    session.add(Author::build().name("ann"));
    session.flush().await.unwrap();
    for (sql, word, call) in [
        ("BEGIN", "BEGIN", "begin"),
        ("begin immediate", "begin", "begin"),
        ("COMMIT", "COMMIT", "commit"),
        (" /* now */ -- or never\n ;; End", "End", "commit"),
        ("ROLLBACK", "ROLLBACK", "rollback"),
        ("ROLLBACK TO x", "ROLLBACK", "rollback"),
        ("SAVEPOINT x", "SAVEPOINT", "begin_nested"),
        ("RELEASE x", "RELEASE", "begin_nested"),
    ] {
        let expected =
            format!("`{word}` would change the session's transaction behind its back; call `session.{call}()` instead");
        says(&session.sql(sql).execute().await.unwrap_err(), ErrorKind::InvalidStatement, &expected);
        says(&session.sql(sql).all::<i64>().await.unwrap_err(), ErrorKind::InvalidStatement, &expected);
    }
    assert_eq!(session.sql("SELECT count(*) AS \"begin\" FROM author").one::<i64>().await.unwrap(), 1);
    session.rollback().await.unwrap();
    assert_eq!(shelf.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_session_that_waits_for_itself_names_the_statement_and_the_reason() {
    needs!(Sqlite, "mistakes that are found before a database is asked, and SQLite's errors");
    let db = memory(EngineOptions::new().pool_timeout(Duration::from_millis(20))).await;
    let session = db.session();
    // A future that is polled once and then no longer, as `select!` leaves one.
    let mut paused = Box::pin(long_query(&session));
    assert!(poll_once(paused.as_mut()).is_pending());
    let error = Author::query().count(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    let text = error.to_string();
    let begin = "this session is still busy with the statement begun at ";
    let end = "; a future of it that is no longer polled (as in `select!`) keeps its turn until it is dropped";
    assert!(text.starts_with(begin) && text.ends_with(end) && text.contains("faults_support/mod.rs:"), "{text}");
    drop(paused);
    assert_eq!(Author::query().count(&session).await.unwrap(), 0);
}
