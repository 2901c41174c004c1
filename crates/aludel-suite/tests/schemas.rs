//! Tables in schemas, and sessions that call a schema otherwise.

mod support;

use std::sync::atomic::{AtomicU32, Ordering};

use aludel::ErrorKind;
use aludel::prelude::*;
use aludel::schema::SqlType;
use support::{Backend, TestDb, needs, neutral};

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
enum Mood {
    Glad,
    Sad,
}

#[derive(Model, Clone, Debug)]
#[model(schema = "tenant")]
struct Person {
    #[column(primary_key)]
    id: i64,
    #[column(unique, length = 40)]
    name: String,
    mood: Mood,
    #[column(references = Country::id)]
    country_id: Option<i64>,
    #[relationship(back_populates = author)]
    notes: Many<Note>,
}

#[derive(Model, Clone, Debug)]
#[model(schema = "tenant", index(columns(title)))]
struct Note {
    #[column(primary_key)]
    id: i64,
    #[column(length = 40)]
    title: String,
    #[column(references = Person::id)]
    person_id: i64,
    #[column(references = Note::id)]
    parent_id: Option<i64>,
    #[relationship(back_populates = notes)]
    author: One<Person>,
}

#[derive(Model, Clone, Debug)]
#[model(schema = "shared")]
struct Country {
    #[column(primary_key)]
    id: i64,
    #[column(length = 40)]
    name: String,
}

/// A table of the same name in the connection's own schema.
mod own {
    use aludel::prelude::*;

    #[derive(Model, Clone, Debug)]
    pub(super) struct Note {
        #[column(primary_key)]
        pub(super) id: i64,
        #[column(length = 40)]
        pub(super) title: String,
        #[column(references = super::Person::id)]
        pub(super) person_id: Option<i64>,
    }
}

/// Two tenants and what they share, which are schemas of the server; on SQLite nothing is in a schema.
struct Tenants {
    test: TestDb,
    names: [String; 3],
}

impl Tenants {
    async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let test = TestDb::without_tables(Db::builder().models((Person::TABLE, Note::TABLE, Country::TABLE))).await;
        let name = |what: &str| format!("aludel_{what}_{}_{number}", std::process::id());
        Self { test, names: [name("acme"), name("Globex"), name("shared")] }
    }

    /// The database with its schemas named as those of one tenant.
    fn db(&self, tenant: usize) -> Db {
        match Backend::current() {
            Backend::Sqlite => self.test.db.translate_schemas([("tenant", None), ("shared", None)]),
            _ => self.test.db.translate_schemas(self.translation(tenant)),
        }
    }

    fn translation(&self, tenant: usize) -> [(&'static str, String); 2] {
        [("tenant", self.names[tenant].clone()), ("shared", self.names[2].clone())]
    }

    /// How SQL names a table of a tenant.
    fn table(&self, tenant: usize, table: &str) -> String {
        match Backend::current() {
            Backend::Sqlite => table.to_owned(),
            _ => format!("\"{}\".{table}", self.names[tenant]),
        }
    }
}

impl Drop for Tenants {
    fn drop(&mut self) {
        let cascade = Backend::current().pick("", " CASCADE", "");
        if Backend::current() != Backend::Sqlite {
            // Those that hold keys to what is shared go first.
            for name in &self.names {
                self.test.change(&format!("DROP SCHEMA IF EXISTS \"{name}\"{cascade}"));
            }
        }
    }
}

#[tokio::test]
async fn a_unit_of_work_reads_and_writes_the_tables_of_its_schema() {
    let tenants = Tenants::new().await;
    let db = tenants.db(0);
    db.create_all().await.unwrap();
    db.create_all().await.unwrap();
    let session = db.session();
    let france = session.add(Country::build().name("France"));
    session.flush().await.unwrap();
    let ann = session.add(Person::build().name("ann").mood(Mood::Glad).country_id(france.id));
    session.add(Note::build().title("one").author(&ann));
    session.add(Note::build().title("two").author(&ann));
    session.commit().await.unwrap();
    let (people, notes) = (tenants.table(0, "person"), tenants.table(0, "note"));
    assert_eq!(tenants.test.rows(&format!("SELECT name, mood FROM {people}")), ["ann|glad"]);

    let session = db.session();
    let ann = session.get_one::<Person>(1).await.unwrap();
    ann.set(Person::mood, Mood::Sad);
    session.commit().await.unwrap();
    assert_eq!(tenants.test.rows(&format!("SELECT name, mood FROM {people}")), ["ann|sad"]);

    let loaded = Person::query().with(Person::notes).all(&session).await.unwrap();
    assert_eq!(loaded[0].notes.get().unwrap().len(), 2);
    let found = Note::query().with(Note::author).filter(Note::title.eq("two")).all(&session).await.unwrap();
    assert_eq!(found[0].author.get().unwrap().name, "ann");
    let joined = Note::query().join(Note::author).filter(Person::name.eq("ann")).order_by(Note::title);
    let titles: Vec<String> = joined.select(Note::title).all(&session).await.unwrap();
    assert_eq!(titles, ["one", "two"]);
    let any = Person::query().filter(Person::notes.any(Note::title.eq("one")));
    assert_eq!(any.count(&session).await.unwrap(), 1);

    let changed = Note::query().filter(Note::title.eq("one")).update(Note::title.set("1"));
    assert_eq!(changed.execute(&session).await.unwrap(), 1);
    let gone = Note::query().filter(Note::title.eq("two")).delete();
    assert_eq!(gone.execute(&session).await.unwrap(), 1);
    Note::insert_all([Note::build().title("3").person_id(1)]).execute(&session).await.unwrap();
    session.commit().await.unwrap();
    let rows = format!("SELECT title FROM {notes} ORDER BY title");
    assert_eq!(tenants.test.rows(&rows), ["1", "3"]);

    let first = Note::query().filter(Note::title.eq("1")).first(&session).await.unwrap().unwrap();
    session.delete(&first);
    session.commit().await.unwrap();
    assert_eq!(tenants.test.rows(&rows), ["3"]);
    let twice = session.add(Person::build().name("ann").mood(Mood::Glad));
    let error = session.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.constraint()), (ErrorKind::UniqueViolation, Some("uq_person_name")));
    drop(twice);
    session.rollback().await.unwrap();
    db.drop_all().await.unwrap();
    assert_eq!(Note::query().all(&session).await.unwrap_err().kind(), ErrorKind::MissingTable);
}

#[tokio::test]
async fn each_tenant_has_its_own_rows_and_all_share_some() {
    needs!(Postgres | MariaDb, "SQLite has no schemas");
    let tenants = Tenants::new().await;
    for tenant in 0..2 {
        tenants.db(tenant).create_all().await.unwrap();
    }
    let add = async |tenant: usize, name: &str| {
        let session = tenants.test.session();
        session.translate_schemas(tenants.translation(tenant)).unwrap();
        let country = session.add(Country::build().name(format!("land of {name}")));
        session.flush().await.unwrap();
        session.add(Person::build().name(name).mood(Mood::Glad).country_id(country.id));
        session.commit().await.unwrap();
    };
    add(0, "ann").await;
    add(1, "bob").await;
    for (tenant, name) in [(0, "ann"), (1, "bob")] {
        let session = tenants.db(tenant).session();
        let people = Person::query().all(&session).await.unwrap();
        assert_eq!(people.iter().map(|person| &*person.name).collect::<Vec<_>>(), [name]);
        assert_eq!(Country::query().count(&session).await.unwrap(), 2);
        let table = tenants.table(tenant, "person");
        assert_eq!(tenants.test.rows(&format!("SELECT name FROM {table}")), [name]);
    }
}

#[derive(Projection, Debug, PartialEq)]
struct Titles {
    person_id: i64,
    notes: i64,
}

#[tokio::test]
async fn composed_queries_name_the_tables_of_their_schema() {
    let tenants = Tenants::new().await;
    let db = tenants.db(0);
    db.create_all().await.unwrap();
    let session = db.session();
    let ann = session.add(Person::build().name("ann").mood(Mood::Glad));
    let bob = session.add(Person::build().name("bob").mood(Mood::Sad));
    let one = session.add(Note::build().title("one").author(&ann));
    session.add(Note::build().title("two").author(&bob));
    session.flush().await.unwrap();
    session.add(Note::build().title("three").author(&ann).parent_id(one.id));
    session.commit().await.unwrap();

    let parent = Note::alias("parent");
    let pairs = Note::query().join_on(&parent, parent.col(Note::id).eq(Note::parent_id)).select((
        Note::title,
        parent.col(Note::title),
        parent.col(Note::id) + 1,
    ));
    let pairs: Vec<(String, String, i64)> = pairs.all(&session).await.unwrap();
    assert_eq!(pairs, [("three".to_owned(), "one".to_owned(), one.id + 1)]);
    let writer = Person::alias("writer");
    let by_alias = Note::query().join(Note::author.to(&writer)).filter(writer.col(Person::name).eq("bob"));
    assert_eq!(by_alias.one(&session).await.unwrap().title, "two");
    let wrote = writer.query().filter(writer.rel(Person::notes).any(Note::title.eq("two")));
    assert_eq!(wrote.one(&session).await.unwrap().name, "bob");

    let counted = Note::query()
        .group_by(Note::person_id)
        .select(TitlesColumns { person_id: Note::person_id, notes: count(Note::id) });
    for table in [counted.clone().cte("counted"), counted.subquery("counted")] {
        let busy = Person::query()
            .join_on(&table, table.columns().person_id.eq(Person::id))
            .filter(table.columns().notes.gt(1));
        assert_eq!(busy.one(&session).await.unwrap().name, "ann");
    }
    let of_bob = Note::query().filter(Note::person_id.eq(bob.id)).select(max(Note::id)).scalar();
    assert_eq!(Note::query().filter(Note::id.eq(of_bob)).one(&session).await.unwrap().title, "two");
    let either = Note::query().filter(Note::title.eq("one")).union(Note::query().filter(Note::title.eq("two")));
    let titles: Vec<String> =
        either.order_by(Note::title).all(&session).await.unwrap().iter().map(|note| note.title.clone()).collect();
    assert_eq!(titles, ["one", "two"]);
    assert!(!Note::query().explain(&session).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_translation_is_in_the_statements_text() {
    needs!(Postgres | MariaDb, "SQLite has no schemas");
    let tenants = Tenants::new().await;
    tenants.db(0).create_all().await.unwrap();
    tenants.test.statements();
    let session = tenants.db(0).session();
    Note::query().all(&session).await.unwrap();
    Note::query().filter(Note::id.eq(1)).delete().execute(&session).await.unwrap();
    let acme = &tenants.names[0];
    let alias = if Backend::current() == Backend::MariaDb { "\"tenant.note\" " } else { "" };
    assert_eq!(
        tenants.test.work(),
        [
            format!(
                "SELECT \"tenant.note\".\"id\", \"tenant.note\".\"title\", \"tenant.note\".\"person_id\", \
                 \"tenant.note\".\"parent_id\" FROM \"{acme}\".\"note\" AS \"tenant.note\""
            ),
            format!("DELETE {alias}FROM \"{acme}\".\"note\" AS \"tenant.note\" WHERE \"tenant.note\".\"id\" = ?"),
        ]
    );
    let plain = Note::query().filter(Note::id.eq(1)).to_sql(tenants.test.dialect()).unwrap();
    assert!(neutral(&plain).contains("FROM \"tenant\".\"note\" AS \"tenant.note\" WHERE"), "{plain}");
}

#[tokio::test]
async fn a_session_that_has_done_something_keeps_its_schemas() {
    let tenants = Tenants::new().await;
    let db = tenants.db(0);
    db.create_all().await.unwrap();
    let session = db.session();
    Country::query().all(&session).await.unwrap();
    session.add(Country::build().name("France"));
    let error = session.translate_schemas([("tenant", "other")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("a session for each translation"), "{error}");
}

#[tokio::test]
async fn a_schema_that_sqlite_does_not_have_is_an_error_with_the_cure() {
    needs!(Sqlite, "servers have schemas");
    let tenants = Tenants::new().await;
    let error = tenants.test.db.create_all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("db.translate_schemas([(\"shared\", None)])"), "{error}");
    assert!(tenants.test.rows("SELECT name FROM sqlite_schema").is_empty());
    let error = tenants.test.db.reflect_schema("tenant").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_schema_is_reflected_as_it_was_created() {
    needs!(Postgres | MariaDb, "SQLite has no schemas");
    let tenants = Tenants::new().await;
    let db = tenants.db(0);
    db.create_all().await.unwrap();
    let acme = &*tenants.names[0];
    let reflected = db.reflect_schema(acme).await.unwrap();
    let names: Vec<String> = reflected.tables().iter().map(|table| table.key().into_owned()).collect();
    assert_eq!(names, [format!("{acme}.note"), format!("{acme}.person")]);
    let person = reflected.table(&format!("{acme}.person")).unwrap();
    assert_eq!(person.foreign_keys[0].target_key(), format!("{}.country", tenants.names[2]));
    assert_eq!(person.foreign_keys[0].name.as_deref(), Some("fk_person_country_id_country"));
    assert_eq!(person.uniques[0].name.as_deref(), Some("uq_person_name"));
    assert!(matches!(&person.column("mood").unwrap().ty, SqlType::Enum { values, .. } if values.len() == 2));
    let note = reflected.table(&format!("{acme}.note")).unwrap();
    assert_eq!(note.indexes[0].name.as_deref(), Some("ix_note_title"));
    let mut targets: Vec<_> = note.foreign_keys.iter().map(|key| key.target_key().into_owned()).collect();
    targets.sort();
    assert_eq!(targets, [format!("{acme}.note"), format!("{acme}.person")]);
    // The connection is at home again.
    assert!(db.reflect().await.unwrap().tables().is_empty());
    assert!(db.reflect_schema("aludel_no_such_schema").await.unwrap().tables().is_empty());
}

#[tokio::test]
async fn tables_of_one_name_in_two_schemas_are_two() {
    needs!(Postgres | MariaDb, "SQLite has no schemas");
    let tenants = Tenants::new().await;
    let models = (Person::TABLE, Note::TABLE, Country::TABLE, own::Note::TABLE);
    let test = TestDb::without_tables(Db::builder().models(models)).await;
    let db = test.db.translate_schemas(tenants.translation(0));
    db.create_all().await.unwrap();
    let session = db.session();
    let ann = session.add(Person::build().name("ann").mood(Mood::Glad));
    session.add(Note::build().title("in the schema").author(&ann));
    session.flush().await.unwrap();
    session.add(own::Note::build().title("outside").person_id(ann.id));
    session.commit().await.unwrap();
    assert_eq!(test.rows("SELECT title, person_id FROM note"), ["outside|1"]);
    let pairs: Vec<(String, String)> = Note::query()
        .join(Note::author)
        .filter(
            Note::title.ne("x") & Person::id.in_(own::Note::query().filter(own::Note::id.eq(1)).select(own::Note::id)),
        )
        .select((Note::title, Person::name))
        .all(&session)
        .await
        .unwrap();
    assert_eq!(pairs, [("in the schema".to_owned(), "ann".to_owned())]);
    let reflected = db.reflect().await.unwrap();
    let own = reflected.table("note").unwrap();
    assert_eq!(own.foreign_keys[0].target_key(), format!("{}.person", tenants.names[0]));
    session.rollback().await.unwrap();
    db.drop_all().await.unwrap();
}
