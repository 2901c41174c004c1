//! Tables created and dropped, and what their constraints are called.
#![allow(
    clippy::duplicated_attributes,
    reason = "clippy takes the columns of two constraints for one attribute given twice"
)]

mod support;

use aludel::prelude::*;
use support::{Backend, TestDb, needs};

#[derive(Model, Clone, Debug)]
struct Author {
    #[column(primary_key)]
    id: i64,
    #[column(unique, length = 80)]
    name: String,
    #[column(references = Book::id)]
    best_id: Option<i64>,
    #[relationship(foreign_key = best_id)]
    best: One<Option<Book>>,
}

#[derive(Model, Clone, Debug)]
#[model(
    unique(columns(author_id, title)),
    index(columns(title, pages)),
    index(columns(pages), name = "by_pages"),
    check(sql = "pages > 0", name = "has_pages")
)]
struct Book {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(index)]
    pages: i32,
    #[column(references = Author::id, on_delete = cascade)]
    author_id: i64,
    #[relationship(foreign_key = author_id)]
    author: One<Author>,
}

/// A reserved word as the table's name, a column's name of its own, a key of two columns.
#[derive(Model, Clone, Debug)]
#[model(table = "order")]
struct OrderLine {
    #[column(primary_key)]
    number: i64,
    #[column(primary_key, name = "select")]
    line: i64,
    #[column(server_default = "'it''s'")]
    text: String,
}

/// Points at itself.
#[derive(Model, Clone, Debug)]
struct HTTPRoute {
    #[column(primary_key)]
    id: i64,
    #[column(references = HTTPRoute::id)]
    parent_id: Option<i64>,
}

/// A name of its own.
#[derive(Model, Clone, Debug)]
#[model(table = "other_author")]
struct OtherAuthor {
    #[column(primary_key)]
    id: i64,
}

/// The names of the database's tables.
fn tables(db: &TestDb) -> Vec<String> {
    db.rows(Backend::current().pick(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name",
        "SELECT table_name FROM information_schema.tables WHERE table_schema = database() ORDER BY table_name",
    ))
}

/// The names of a table's constraints on a server, beside those that the server gives by itself.
fn constraints(db: &TestDb, table: &str) -> Vec<String> {
    let schema = Backend::current().pick("", "current_schema()", "database()");
    db.rows(&format!(
        "SELECT constraint_name FROM information_schema.table_constraints \
         WHERE table_schema = {schema} AND table_name = '{table}' \
         AND constraint_name <> 'PRIMARY' AND constraint_name NOT LIKE '%_not_null' ORDER BY constraint_name"
    ))
}

/// The names of the indexes of all tables on a server, beside those of the constraints.
fn indexes(db: &TestDb) -> Vec<String> {
    let mut names = db.rows(Backend::current().pick(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
        "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() ORDER BY indexname",
        "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = database() ORDER BY index_name",
    ));
    names.retain(|name| name.starts_with("ix_") || name.starts_with("by_"));
    names
}

fn definition(db: &TestDb, table: &str) -> String {
    let rows = db.rows(&format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'"));
    rows[0].split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_derived_model_has_a_table_named_in_snake_case() -> Result<()> {
    let db = TestDb::new().await;
    assert_eq!(tables(&db), ["author", "book", "http_route", "order", "other_author"]);
    Ok(())
}

#[tokio::test]
async fn constraints_and_indexes_are_named_by_the_convention() -> Result<()> {
    let db = TestDb::new().await;
    assert_eq!(indexes(&db), ["by_pages", "ix_book_pages", "ix_book_title_pages"]);
    if Backend::current() != Backend::Sqlite {
        let own = ["ck_book_has_pages", "fk_book_author_id_author", "uq_book_author_id_title"];
        let mut found = constraints(&db, "book");
        found.retain(|name| name != "pk_book");
        assert_eq!(found, own);
        return Ok(());
    }
    let book = definition(&db, "book");
    for part in [
        r#"CONSTRAINT "pk_book" PRIMARY KEY"#,
        r#"CONSTRAINT "uq_book_author_id_title" UNIQUE ("author_id", "title")"#,
        r#"CONSTRAINT "fk_book_author_id_author" FOREIGN KEY"#,
        r#"CONSTRAINT "ck_book_has_pages" CHECK (pages > 0)"#,
        "ON DELETE CASCADE",
    ] {
        assert!(book.contains(part), "{part} in {book}");
    }
    assert!(definition(&db, "author").contains(r#"CONSTRAINT "uq_author_name" UNIQUE"#));
    Ok(())
}

#[tokio::test]
async fn another_convention_gives_other_names() -> Result<()> {
    let convention = NamingConvention::default().primary_key("spk_%(table_name)s").unique("u_%(column_0_name)s");
    let db = TestDb::without_tables(Db::builder().naming_convention(convention)).await;
    db.db.create_all().await?;
    // MariaDB calls each primary key PRIMARY.
    let author = match Backend::current() {
        Backend::Sqlite => definition(&db, "author"),
        Backend::Postgres => format!("{:?}", constraints(&db, "author")),
        Backend::MariaDb => format!("\"spk_author\" {:?}", constraints(&db, "author")),
    };
    assert!(author.contains(r#""spk_author""#) && author.contains(r#""u_name""#), "{author}");
    let session = db.session();
    session.add(Author::build().name("a"));
    session.add(Author::build().name("a"));
    assert_eq!(session.commit().await.expect_err("a twice").constraint(), Some("u_name"));
    Ok(())
}

#[tokio::test]
async fn constraints_are_kept_and_reported_by_name() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let author = session.add(Author::build().name("a"));
    session.commit().await?;
    let id = author.id;
    // SQLite does not say which key it was.
    let key = Backend::current().pick(None, Some("fk_book_author_id_author"), Some("fk_book_author_id_author"));
    let cases = [
        (Book::build().title("t").pages(0).author_id(id), ErrorKind::CheckViolation, Some("ck_book_has_pages")),
        (Book::build().title("t").pages(1).author_id(99), ErrorKind::ForeignKeyViolation, key),
    ];
    for (book, kind, constraint) in cases {
        session.add(book);
        let error = session.commit().await.expect_err("refused");
        assert_eq!((error.kind(), error.constraint()), (kind, constraint), "{error}");
        session.rollback().await?;
    }
    session.add_all([(); 2].map(|()| Book::build().title("t").pages(1).author_id(id)));
    let error = session.commit().await.expect_err("refused");
    assert_eq!((error.kind(), error.constraint()), (ErrorKind::UniqueViolation, Some("uq_book_author_id_title")));
    assert_eq!(error.columns(), ["author_id", "title"]);
    Ok(())
}

#[tokio::test]
async fn creating_again_changes_nothing_that_is_there() -> Result<()> {
    let db = TestDb::of((Author::TABLE, Book::TABLE)).await;
    let session = db.session();
    session.add(Author::build().name("a"));
    session.commit().await?;
    db.change(Backend::current().pick("DROP INDEX by_pages", "DROP INDEX by_pages", "DROP INDEX by_pages ON book"));
    let before = (tables(&db), indexes(&db));
    db.db.create_all().await?;
    assert_eq!((tables(&db), indexes(&db)), before, "a table that is there is left as it is");
    assert_eq!(db.rows("SELECT name FROM author"), ["a"]);
    Ok(())
}

#[tokio::test]
async fn a_table_that_exists_with_other_columns_is_not_altered() -> Result<()> {
    let db = TestDb::without_tables(Db::builder().models((Author::TABLE, Book::TABLE))).await;
    db.change("CREATE TABLE author (id BIGINT PRIMARY KEY, first_name TEXT); INSERT INTO author VALUES (1, 'a')");
    db.db.create_all().await?;
    assert_eq!(db.rows("SELECT * FROM author"), ["1|a"]);
    assert_eq!(tables(&db), ["author", "book"]);
    Ok(())
}

#[tokio::test]
async fn only_the_missing_tables_are_created() -> Result<()> {
    let db = TestDb::new().await;
    db.change("DROP TABLE http_route");
    db.db.create_all().await?;
    let work = db.work();
    let created: Vec<_> = work.iter().filter(|sql| sql.starts_with("CREATE")).collect();
    assert!(created.len() == 1 && created[0].contains("http_route"), "{created:?}");
    Ok(())
}

#[tokio::test]
async fn tables_that_refer_to_each_other_are_created_and_dropped() -> Result<()> {
    let db = TestDb::of((Author::TABLE, Book::TABLE)).await;
    let session = db.session();
    let author = session.add(Author::build().name("a"));
    let book = session.add(Book::build().title("t").pages(1).author(&author));
    author.set(Author::best, &book);
    session.commit().await?;
    assert_eq!(db.rows("SELECT best_id FROM author"), ["1"]);
    db.change("CREATE TABLE foreigner (id INTEGER)");
    db.db.drop_all().await?;
    assert_eq!(tables(&db), ["foreigner"], "another program's table is left alone");
    db.db.drop_all().await?;
    db.db.create_all().await?;
    assert_eq!(tables(&db), ["author", "book", "foreigner"]);
    Ok(())
}

#[tokio::test]
async fn names_that_are_words_of_sql_are_quoted_everywhere() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let line = session.add(OrderLine::build().number(1).line(2));
    session.commit().await?;
    assert_eq!(line.text, "it's");
    line.set(OrderLine::text, "changed");
    session.commit().await?;
    assert_eq!(db.rows(r#"SELECT number, "select", text FROM "order""#), ["1|2|changed"]);
    assert_eq!(
        OrderLine::query().filter(OrderLine::line.eq(2)).order_by(OrderLine::column("line")?).count(&session).await?,
        1
    );
    session.delete(&line);
    session.commit().await?;
    assert!(session.get::<OrderLine>((1, 2)).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn the_tables_are_created_all_or_none() -> Result<()> {
    needs!(Sqlite | Postgres, "MariaDB commits each table by itself");
    let db = TestDb::without_tables(Db::builder()).await;
    // It has the name of an index.
    db.change("CREATE TABLE by_pages (id INTEGER)");
    assert!(db.db.create_all().await.is_err());
    assert_eq!(tables(&db), ["by_pages"]);
    Ok(())
}

#[tokio::test]
async fn a_relative_file_is_in_the_instance_folder_which_is_created() -> Result<()> {
    needs!(Sqlite, "files in the instance folder");
    let folder = tempfile::tempdir().expect("a folder");
    let instance = folder.path().join("instance");
    let db = Db::builder().uri("sqlite:///relative.db").instance_path(&instance).connect().await?;
    db.create_all().await?;
    assert!(instance.join("relative.db").exists());
    Ok(())
}
