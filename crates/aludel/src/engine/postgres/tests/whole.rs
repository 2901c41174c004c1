//! A session on a database of PostgreSQL's, from the models to the rows.

use super::Schema;
use crate::model::Json;
use crate::prelude::*;

#[derive(Model, Clone, Debug)]
#[model(table = "postgres_author")]
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
#[model(table = "postgres_book")]
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

#[tokio::test]
async fn a_session_stores_finds_changes_and_deletes() -> Result<()> {
    let schema = Schema::new().await;
    let models = (Author::TABLE, Book::TABLE);
    let db = Db::builder().uri(schema.url_text()).models(models).connect().await?;
    db.create_all().await?;
    db.create_all().await?;
    let session = db.session();
    let ann = session.add(author!("ann").books([Book::build().title("one"), Book::build().title("two")]));
    session.commit().await?;
    assert!(ann.id > 0);
    let seen = schema.stranger.query("SELECT title, author_id FROM postgres_book ORDER BY title", &[]).await.unwrap();
    let seen: Vec<(String, i64)> = seen.iter().map(|row| (row.get(0), row.get(1))).collect();
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
    assert_eq!(schema.text("SELECT score::text FROM postgres_author").await.unwrap(), "2.5");

    session.add(author!("ann"));
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    session.rollback().await?;
    session.delete(&found);
    session.commit().await?;
    assert_eq!(schema.text("SELECT count(*)::text FROM postgres_book").await.unwrap(), "0");
    db.drop_all().await?;
    db.close().await;
    schema.drop().await;
    Ok(())
}
