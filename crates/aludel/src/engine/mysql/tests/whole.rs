//! A session on a database of MariaDB's, from the models to the rows.

use mysql_async::prelude::Queryable as _;

use super::{Database, server_url};
use crate::model::Json;
use crate::prelude::*;

#[derive(Model, Clone, Debug)]
#[model(table = "whole_writer")]
struct Author {
    #[column(primary_key)]
    id: i64,
    #[column(unique, length = 50)]
    name: String,
    admin: bool,
    token: Uuid,
    born: Option<jiff::civil::Date>,
    seen_at: Timestamp,
    score: f64,
    picture: Vec<u8>,
    tags: Json<Vec<String>>,
    #[relationship(back_populates = author, cascade = "all, delete-orphan")]
    books: Many<Book>,
}

#[derive(Model, Clone, Debug)]
#[model(table = "whole_work")]
struct Book {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = Author::id)]
    author_id: i64,
    #[relationship(back_populates = books)]
    author: One<Author>,
}

/// What every author here has.
macro_rules! author {
    ($name:expr) => {
        Author::build()
            .name($name)
            .admin(true)
            .token(Uuid::from_u128(5))
            .seen_at("2024-05-06T07:08:09.123456Z".parse::<Timestamp>().unwrap())
            .score(1.5)
            .picture(vec![0, 255])
            .tags(Json(vec!["a".to_owned()]))
    };
}

async fn database() -> (Database, Db) {
    let database = Database::new().await;
    let models = (Author::TABLE, Book::TABLE);
    let db = Db::builder().uri(server_url(&database.0)).models(models).connect().await.unwrap();
    db.create_all().await.unwrap();
    (database, db)
}

#[tokio::test]
async fn a_session_stores_finds_changes_and_deletes() -> Result<()> {
    let (database, db) = database().await;
    db.create_all().await?;
    let session = db.session();
    let ann = session.add(author!("ann").books([Book::build().title("one"), Book::build().title("two")]));
    session.commit().await?;
    assert!(ann.id > 0);
    let mut stranger = database.stranger().await;
    let seen: Vec<(String, i64)> =
        stranger.query("SELECT title, author_id FROM whole_work ORDER BY title").await.unwrap();
    assert_eq!(seen, [("one".to_owned(), ann.id), ("two".to_owned(), ann.id)]);

    let session = db.session();
    let found: Entity<Author> = Author::query().filter(Author::name.eq("ann")).one(&session).await?;
    assert_eq!((found.admin, found.token, found.score), (true, Uuid::from_u128(5), 1.5));
    assert_eq!(found.seen_at.to_string(), "2024-05-06T07:08:09.123456Z");
    assert_eq!((&found.picture[..], &found.tags.0[..], found.born), (&[0, 255][..], &["a".to_owned()][..], None));
    found.load(Author::books).await?;
    assert_eq!(found.books.get()?.len(), 2);
    found.set(Author::score, 2.5);
    session.commit().await?;
    let score: f64 = stranger.query_first("SELECT score FROM whole_writer").await.unwrap().unwrap();
    assert_eq!(score, 2.5);

    session.add(author!("ann"));
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    session.rollback().await?;
    session.delete(&found);
    session.commit().await?;
    let left: i64 = stranger.query_first("SELECT count(*) FROM whole_work").await.unwrap().unwrap();
    assert_eq!(left, 0);
    db.drop_all().await?;
    Ok(())
}
