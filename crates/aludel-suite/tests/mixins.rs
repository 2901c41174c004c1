//! Mixins: columns that several models have.

mod support;

use aludel::entity::model::Model as _;
use aludel::prelude::*;
use serde::Serialize;
use support::TestDb;

use stamps::Timestamps;

/// Before the mixin, and with a path to another one.
#[derive(Model, Clone, Debug, Serialize)]
#[model(index(columns(created_at, title)), unique(columns(slug)))]
struct Article {
    #[column(primary_key)]
    id: i64,
    #[model(flatten)]
    #[serde(flatten)]
    stamps: Timestamps,
    title: String,
    #[model(flatten)]
    address: owners::Address,
    #[column(default = 0)]
    views: i64,
}

#[derive(Model, Clone, Debug)]
struct Account {
    #[model(flatten)]
    key: Key,
    name: String,
    #[model(flatten)]
    stamps: Timestamps,
}

/// A key from a mixin.
#[derive(Mixin, Clone, Debug)]
struct Key {
    #[column(primary_key)]
    id: i64,
}

mod stamps {
    // Not in scope where the models are.
    use std::cell::Cell;

    use aludel::Mixin;
    use jiff::Timestamp as Moment;
    use serde::Serialize;

    thread_local! {
        static TICKS: Cell<i64> = const { Cell::new(0) };
    }

    fn tick() -> Moment {
        TICKS.set(TICKS.get() + 1);
        Moment::from_second(TICKS.get()).expect("a moment")
    }

    #[derive(Mixin, Clone, Debug, Default, PartialEq, Serialize)]
    pub(crate) struct Timestamps {
        #[column(default = tick())]
        pub(crate) created_at: Moment,
        #[column(on_update = Some(tick()))]
        pub(crate) updated_at: Option<Moment>,
        /// A private field, which the models can have all the same.
        #[column(server_default = "7")]
        priority: i32,
    }

    impl Timestamps {
        pub(crate) fn of(created_at: Moment) -> Self {
            Self { created_at, ..Self::default() }
        }

        pub(crate) fn priority(&self) -> i32 {
            self.priority
        }
    }
}

mod owners {
    use aludel::Mixin;
    use serde::Serialize;

    #[derive(Mixin, Clone, Debug, Serialize)]
    pub(super) struct Address {
        #[column(name = "path", length = 60)]
        pub(super) slug: String,
        #[column(references = crate::Account::id)]
        pub(super) account_id: i64,
    }
}

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).expect("a moment")
}

async fn account(session: &Session) -> Result<Entity<Account>> {
    let account = session.add(Account::build().name("ann"));
    session.commit().await?;
    Ok(account)
}

#[tokio::test]
async fn the_columns_of_a_mixin_are_the_models_own() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = account(&session).await?;
    assert_eq!((ann.key.id, ann.stamps.created_at, ann.stamps.updated_at), (1, second(1), None));
    assert_eq!(ann.stamps.priority(), 7, "the database's default is read back");

    let article = session.add(Article::build().title("one").slug("/one").account_id(ann.key.id));
    session.commit().await?;
    let rows = "SELECT title, path, account_id, priority, views FROM article";
    assert_eq!(db.rows(rows), ["one|/one|1|7|0"]);

    article.set(Article::title, "first");
    session.commit().await?;
    assert_eq!(article.stamps.updated_at, Some(second(3)));
    article.edit(|article| article.stamps.created_at = second(9));
    article.set(Article::slug, "/first");
    session.commit().await?;
    assert_eq!(db.rows("SELECT title, path FROM article"), ["first|/first"]);

    let session = db.session();
    let found = Article::query()
        .filter(Article::created_at.eq(second(9)) & Article::account_id.eq(ann.key.id))
        .order_by(Article::updated_at.desc())
        .one(&session)
        .await?;
    assert_eq!((found.address.slug.as_str(), found.views), ("/first", 0));
    assert_eq!(found.stamps.updated_at, Some(second(4)));
    assert_eq!(Article::column("priority")?.def().name, "priority");
    Ok(())
}

#[tokio::test]
async fn attributes_of_a_mixin_are_seen_by_the_database() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    account(&session).await?;
    session.add(Article::build().title("one").slug("/one").account_id(1));
    session.commit().await?;
    session.add(Article::build().title("two").slug("/one").account_id(1));
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::UniqueViolation);
    session.rollback().await?;
    session.add(Article::build().title("two").slug("/two").account_id(99));
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::ForeignKeyViolation);
    session.rollback().await?;

    let names: Vec<_> = Article::def().columns.iter().map(|column| column.name).collect();
    let expected = ["id", "created_at", "updated_at", "priority", "title", "path", "account_id", "views"];
    assert_eq!(names, expected, "where the mixins stand");
    assert_eq!(db.reflect().await?.table("article").expect("the table").columns.len(), 8);
    Ok(())
}

#[tokio::test]
async fn structs_bulk_writes_and_json_know_mixins() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    account(&session).await?;
    let stamps = Timestamps::of(second(50));
    let address = owners::Address { slug: "/s".into(), account_id: 1 };
    let article = session.add(Article { id: 0, stamps, title: "struct".into(), address, views: 3 });
    session.commit().await?;
    assert_eq!(db.rows("SELECT title, views, priority FROM article"), ["struct|3|0"]);
    let json = serde_json::to_value(&article).expect("JSON");
    assert_eq!(
        (&json["title"], &json["priority"], &json["address"]["slug"]),
        (&"struct".into(), &0.into(), &"/s".into())
    );
    assert!(json["created_at"].is_string() && json.get("stamps").is_none());

    Article::query().update(Article::views.set(Article::views + 1)).execute(&session).await?;
    Article::insert_all([Article::build().title("many").slug("/m").account_id(1)]).execute(&session).await?;
    session.commit().await?;
    let articles = Article::query().order_by(Article::id).all(&session).await?;
    assert!(articles[0].stamps.updated_at.is_some(), "`on_update` of a bulk write");
    assert_eq!((articles[0].views, articles[1].stamps.priority()), (4, 7));
    Ok(())
}
