//! Where the database is: the forms of SQLite's URL and the instance folder, as Flask-SQLAlchemy has them.

use crate::support::needs;
use std::path::Path;

use aludel::prelude::*;

use crate::faults_support::{Author, Book};

async fn connect(uri: &str, instance: &Path) -> Result<Db> {
    let models = (Author::TABLE, Book::TABLE);
    let db = Db::builder().uri(uri).instance_path(instance).models(models).connect().await?;
    db.create_all().await?;
    Ok(db)
}

#[tokio::test]
async fn every_form_of_memory_is_one_connection_that_all_sessions_share() {
    needs!(Sqlite, "the URLs of files and the instance folder");
    let folder = tempfile::tempdir().unwrap();
    for uri in [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite+pysqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:anything?mode=memory&cache=shared&uri=true",
    ] {
        let db = connect(uri, folder.path()).await.unwrap();
        assert_eq!(format!("{db:?}"), "<Db sqlite://>", "{uri}");
        let session = db.session();
        session.add(Author::build().name("ann"));
        session.commit().await.unwrap();
        assert_eq!(Author::query().count(&db.session()).await.unwrap(), 1, "{uri}");
        // and each `connect` is a database of its own
        assert_eq!(Author::query().count(&connect(uri, folder.path()).await.unwrap().session()).await.unwrap(), 0);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written");
}

#[tokio::test]
async fn a_relative_path_is_in_the_instance_folder_and_an_absolute_one_is_not() {
    needs!(Sqlite, "the URLs of files and the instance folder");
    let folder = tempfile::tempdir().unwrap();
    let (instance, elsewhere) = (folder.path().join("instance"), folder.path().join("elsewhere"));
    std::fs::create_dir(&elsewhere).unwrap();
    let (abs, abs_uri) = (elsewhere.join("abs.db"), elsewhere.join("uri abs.db"));
    for (uri, file) in [
        ("sqlite:///test.db".to_owned(), instance.join("test.db")),
        ("sqlite+pysqlite:///driver.db".to_owned(), instance.join("driver.db")),
        ("sqlite:///with space & ?mode=rwc".to_owned(), instance.join("with space & ")),
        ("sqlite:///file:uri.db?uri=true".to_owned(), instance.join("uri.db")),
        ("sqlite:///file:uri%20two.db?uri=true".to_owned(), instance.join("uri two.db")),
        (format!("sqlite:///{}", abs.display()), abs.clone()),
        (format!("sqlite:///file:{}?uri=true", abs_uri.display().to_string().replace(' ', "%20")), abs_uri.clone()),
    ] {
        connect(&uri, &instance).await.unwrap();
        assert!(file.is_file(), "{uri} is not {}", file.display());
    }
    // the instance folder is made, those below it are not
    let error = connect("sqlite:///a/b.db", &instance).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(!instance.join("a").exists());
}

#[tokio::test]
async fn a_configuration_can_be_a_text_or_say_more() {
    needs!(Sqlite, "the URLs of files and the instance folder");
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new("sqlite:///app.db").instance_path(folder.path()).engine(EngineOptions::new().pool_size(1));
    let db = Db::connect(config.clone().uri_or("sqlite:///other.db")).await.unwrap();
    assert_eq!(format!("{db:?}"), format!("<Db sqlite:///{}>", folder.path().join("app.db").display()));
    let db = Db::builder().config(config).uri("sqlite://").connect().await.unwrap();
    assert_eq!(format!("{db:?}"), "<Db sqlite://>");
    assert_eq!(format!("{:?}", Db::connect(String::from("sqlite://")).await.unwrap()), "<Db sqlite://>");
}

#[tokio::test]
async fn a_database_has_what_a_web_application_wants_of_sqlite() {
    needs!(Sqlite, "the URLs of files and the instance folder");
    let folder = tempfile::tempdir().unwrap();
    let db = connect("sqlite:///app.db", folder.path()).await.unwrap();
    let session = db.session();
    assert_eq!(session.sql("PRAGMA journal_mode").one::<String>().await.unwrap(), "wal");
    // SQLite takes this pragma for one that may write, so that it began a transaction
    session.rollback().await.unwrap();
    // each connection of the pool, not the first alone
    let holder = db.session();
    holder.begin().await.unwrap();
    for session in [session, holder] {
        assert_eq!(session.sql("PRAGMA foreign_keys").one::<i64>().await.unwrap(), 1);
        assert_eq!(session.sql("PRAGMA synchronous").one::<i64>().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn one_program_can_have_several_databases_with_models_of_their_own() {
    needs!(Sqlite, "the URLs of files and the instance folder");
    let authors = Db::builder().uri("sqlite://").models(Author::TABLE).connect().await.unwrap();
    let both = Db::builder().uri("sqlite://").models(vec![Book::TABLE, Author::TABLE]).connect().await.unwrap();
    authors.create_all().await.unwrap();
    both.create_all().await.unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    assert_eq!(authors.session().sql(tables).all::<String>().await.unwrap(), ["author"]);
    assert_eq!(both.session().sql(tables).all::<String>().await.unwrap(), ["author", "book"]);
    assert_eq!(Book::query().count(&authors.session()).await.unwrap_err().kind(), ErrorKind::MissingTable);
}
