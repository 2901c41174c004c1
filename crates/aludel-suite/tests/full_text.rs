//! The databases' own full-text search.

mod support;

use aludel::model::full_text;
use aludel::prelude::*;
use support::{Backend, TestDb};

#[derive(Model, Clone, Debug)]
struct Article {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(text)]
    body: Option<String>,
}

/// The virtual table of SQLite has the rows' numbers for its key.
#[derive(Model, Clone, Debug)]
struct Page {
    #[column(primary_key, name = "rowid")]
    id: i64,
    title: String,
    body: String,
}

async fn filled() -> TestDb {
    let db = TestDb::of((Article::TABLE, Page::TABLE)).await;
    let rows =
        "(1, 'rust on the web', 'a web framework'), (2, 'Cooking', 'rust has no place in the kitchen, nor has a web'),
        (3, 'Gardening', 'roses and more roses')";
    match Backend::current() {
        Backend::Sqlite => db.change(&format!(
            "DROP TABLE page; CREATE VIRTUAL TABLE page USING fts5(title, body); INSERT INTO page (rowid, title, body) VALUES {rows}"
        )),
        Backend::Postgres => db.change(&format!("INSERT INTO article (id, title, body) VALUES {rows}")),
        Backend::MariaDb => {
            db.change("ALTER TABLE article ADD FULLTEXT INDEX ft_both (title, body), ADD FULLTEXT INDEX ft_title (title)");
            db.change(&format!("INSERT INTO article (id, title, body) VALUES {rows}"));
        }
    }
    db
}

async fn found(db: &TestDb, text: &str, title_only: bool) -> Result<Vec<i64>> {
    let session = &db.session();
    if Backend::current() == Backend::Sqlite {
        let search = if title_only { full_text(Page::title) } else { full_text((Page::title, Page::body)) };
        return Page::query().filter(search.matches(text)).order_by(Page::id).select(Page::id).all(session).await;
    }
    let search = if title_only { full_text(Article::title) } else { full_text((Article::title, Article::body)) };
    Article::query().filter(search.matches(text)).order_by(Article::id).select(Article::id).all(session).await
}

#[tokio::test]
async fn all_words_of_a_text_are_looked_for() -> Result<()> {
    let db = filled().await;
    assert_eq!(found(&db, "rust web", false).await?, [1, 2]);
    assert_eq!(found(&db, "web rust", true).await?, [1]);
    assert_eq!(found(&db, if Backend::current() == Backend::MariaDb { "roses" } else { "ROSES" }, false).await?, [3]);
    assert_eq!(found(&db, "rust roses", false).await?, [0; 0]);
    Ok(())
}

#[tokio::test]
async fn what_a_user_types_has_no_operators() -> Result<()> {
    let db = filled().await;
    assert_eq!(found(&db, "rust -web", false).await?, [1, 2]);
    assert_eq!(found(&db, "\"rust\" (web) +kitchen*", false).await?, [2]);
    assert_eq!(found(&db, "title:rust' {", false).await?, [0; 0]);
    assert_eq!(found(&db, "", false).await?, [0; 0]);
    assert_eq!(found(&db, " - \" ", false).await?, [0; 0]);
    Ok(())
}

#[tokio::test]
async fn the_best_match_comes_first() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let ids: Vec<(i64, f64)> = if Backend::current() == Backend::Sqlite {
        let search = full_text((Page::title, Page::body));
        let query = Page::query().filter(search.matches("web")).order_by(search.rank("web").desc());
        query.select((Page::id, search.rank("web"))).all(session).await?
    } else {
        let search = full_text((Article::title, Article::body)).config("english");
        let query = Article::query().filter(search.matches("web")).order_by(search.rank("web").desc());
        query.select((Article::id, search.rank("web"))).all(session).await?
    };
    assert_eq!(ids.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2]);
    assert!(ids[0].1 > ids[1].1, "{ids:?}");
    Ok(())
}
