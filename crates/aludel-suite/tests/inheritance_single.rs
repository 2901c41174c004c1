//! Single-table inheritance: models that share one table, told apart by a discriminator.

mod support;

use aludel::prelude::*;
use serde::Serialize;
use support::{Backend, TestDb};

#[derive(Model, Clone, Debug, Serialize)]
#[model(identity = "employee")]
struct Employee {
    #[column(primary_key)]
    id: i64,
    #[column(length = 80, unique)]
    name: String,
    #[column(discriminator, length = 20)]
    kind: String,
    #[column(references = Employee::id)]
    boss_id: Option<i64>,
    #[relationship(back_populates = owner)]
    tasks: Many<Task>,
}

#[derive(Model, Clone, Debug, Serialize)]
#[model(inherits = Employee, identity = "engineer")]
struct Engineer {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Employee::id)]
    boss_id: Option<i64>,
    #[column(length = 40)]
    language: String,
    level: Option<i64>,
}

#[derive(Model, Clone, Debug, Default, Serialize)]
#[model(inherits = Employee, identity = "manager")]
struct Manager {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(discriminator)]
    kind: String,
    #[column(references = Employee::id)]
    boss_id: Option<i64>,
    #[column(index)]
    level: Option<i64>,
    #[column(references = Team::id)]
    team_id: Option<i64>,
    #[relationship(back_populates = managers)]
    team: One<Option<Team>>,
}

#[derive(Model, Clone, Debug, Serialize)]
#[model(inherits = Manager, identity = "director")]
struct Director {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Employee::id)]
    boss_id: Option<i64>,
    level: Option<i64>,
    #[column(references = Team::id)]
    team_id: Option<i64>,
    bonus: i64,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Team {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[relationship(back_populates = team)]
    managers: Many<Manager>,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Task {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = Employee::id)]
    owner_id: i64,
    #[relationship(back_populates = tasks)]
    owner: One<Employee>,
}

#[derive(Polymorphic, Clone, Debug, PartialEq, Serialize)]
#[polymorphic(on = Employee::kind)]
#[serde(untagged)]
enum AnyEmployee {
    Employee(Entity<Employee>),
    Engineer(Entity<Engineer>),
    Manager(Entity<Manager>),
    Director(Entity<Director>),
}

#[derive(Polymorphic, Clone, Debug)]
#[polymorphic(on = Employee::kind)]
enum Few {
    Employee(Entity<Employee>),
    Engineer(Entity<Engineer>),
}

const ROWS: &str = "SELECT name, kind, language, level, bonus FROM employee ORDER BY name";

async fn staff() -> Result<(TestDb, Session)> {
    let db = TestDb::new().await;
    let session = db.session();
    session.add(Employee::build().name("ann"));
    session.add_all([
        Engineer::build().name("bob").language("Rust").level(3),
        Engineer::build().name("cas").language("C"),
    ]);
    session.add(Manager::build().name("dan").level(7).team(Team::build().title("tools")));
    session.add(Director::build().name("eve").bonus(100));
    session.commit().await?;
    Ok((db, session))
}

#[tokio::test]
async fn there_is_one_table_with_the_columns_of_all() -> Result<()> {
    let db = TestDb::new().await;
    let table = db.metadata().table("employee").unwrap();
    let columns: Vec<(&str, bool)> = table.columns.iter().map(|column| (&*column.name, column.nullable)).collect();
    assert_eq!(
        columns,
        [
            ("id", false),
            ("name", false),
            ("kind", false),
            ("boss_id", true),
            ("language", true),
            ("level", true),
            ("team_id", true),
            ("bonus", true),
        ]
    );
    assert_eq!(db.metadata().tables().len(), 3);
    assert_eq!((table.uniques.len(), table.foreign_keys.len(), table.indexes.len()), (1, 2, 1));
    db.drop_all().await?;
    db.create_all().await?;
    assert!(Engineer::TABLE.name() == "employee" && Director::TABLE.name() == "employee");
    Ok(())
}

#[tokio::test]
async fn new_rows_get_their_identity() -> Result<()> {
    let (db, _session) = staff().await?;
    let work = db.work();
    assert!(work.contains(&r#"INSERT INTO "employee" ("name", "boss_id", "language", "level", "kind") VALUES (?, ?, ?, ?, 'engineer'), (?, ?, ?, ?, 'engineer') RETURNING "id""#.to_owned()), "{work:#?}");
    assert_eq!(work.iter().filter(|sql| sql.starts_with("INSERT INTO \"employee\"")).count(), 4);
    assert_eq!(
        db.rows(ROWS),
        [
            "ann|employee|NULL|NULL|NULL",
            "bob|engineer|Rust|3|NULL",
            "cas|engineer|C|NULL|NULL",
            "dan|manager|NULL|7|NULL",
            "eve|director|NULL|NULL|100"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_query_of_a_model_finds_its_rows_and_those_of_its_heirs() -> Result<()> {
    let (db, _) = staff().await?;
    let session = db.session();
    db.statements();
    let engineers = Engineer::query().order_by(Engineer::name).all(&session).await?;
    assert_eq!(
        engineers.iter().map(|row| (&*row.name, &*row.language)).collect::<Vec<_>>(),
        [("bob", "Rust"), ("cas", "C")]
    );
    assert_eq!(
        db.work(),
        [
            r#"SELECT "employee"."id", "employee"."name", "employee"."boss_id", "employee"."language", "employee"."level" FROM "employee" WHERE "employee"."kind" IN ('engineer') ORDER BY "employee"."name""#
        ]
    );
    assert_eq!(Engineer::query().all(&session).await?.len(), 2);
    // Columns of the parent are named as the model's own or as the parent's.
    assert_eq!(
        Engineer::query().filter(Employee::name.eq("bob") & Engineer::language.eq("Rust")).count(&session).await?,
        1
    );
    assert!(!Engineer::query().filter(Engineer::name.eq("dan")).exists(&session).await?);
    let managers =
        Manager::query().order_by(Manager::name.desc()).select((Manager::name, Manager::kind)).all(&session).await?;
    assert_eq!(managers, [("eve".to_owned(), "director".to_owned()), ("dan".to_owned(), "manager".to_owned())]);
    assert_eq!(Director::query().one(&session).await?.bonus, 100);
    assert_eq!(Employee::query().count(&session).await?, 5);
    let page = Manager::query().order_by(Manager::name).paginate(&session, PageQuery::new(1).per_page(1)).await?;
    assert_eq!((page.total, page.items.len()), (Some(2), 1));
    let mut stream = Engineer::query().order_by(Engineer::id).stream(&session);
    assert_eq!(stream.next().await.unwrap()?.name, "bob");
    Ok(())
}

#[tokio::test]
async fn a_table_brings_the_condition_of_its_model_wherever_it_is_named() -> Result<()> {
    let (db, session) = staff().await?;
    let names = |level: i64| {
        Team::query().join(Team::managers).filter(Manager::level.gt(level)).select((Team::title, Manager::name))
    };
    db.statements();
    assert_eq!(names(5).all(&session).await?, [("tools".to_owned(), "dan".to_owned())]);
    assert_eq!(names(8).all(&session).await?, []);
    let text = r#"SELECT "team"."title", "employee"."name" FROM "team" JOIN "employee" ON ("employee"."team_id" = "team"."id") AND "employee"."kind" IN ('manager', 'director') WHERE "employee"."level" > ?"#;
    assert_eq!(db.work(), [text, text]);

    // A row of another model with the key would not be one of them.
    db.change("UPDATE employee SET team_id = 1 WHERE name = 'bob'");
    let with = Team::query().left_join(Team::managers).select(Manager::name.optional()).all(&session).await?;
    assert_eq!(with, [Some("dan".to_owned())]);
    assert_eq!(Team::query().filter(Team::managers.any(Manager::name.eq("bob"))).count(&session).await?, 0);
    let team = Team::query().with(Team::managers.joined()).one(&session).await?;
    assert_eq!(team.managers.get()?.len(), 1);
    let boss = Manager::alias("boss");
    assert_eq!(boss.query().filter(boss.col(Manager::name).ne("eve")).count(&session).await?, 1);

    // Also where an UPDATE takes values of it.
    let dan = Manager::query().filter(Manager::name.eq("dan")).one(&session).await?;
    session.add(Task::build().title("write").owner_id(dan.id));
    let titles = |query: aludel::query::Query<Task>| query.update(Task::title.set("x"));
    let engineers = Task::query().filter(Task::owner_id.eq(Engineer::id));
    assert_eq!(titles(engineers).from::<Engineer>().execute(&session).await?, 0);
    let managers = Task::query().filter(Task::owner_id.eq(Manager::id));
    assert_eq!(titles(managers).from::<Manager>().execute(&session).await?, 1);
    session.commit().await?;
    if Backend::current() != Backend::Sqlite {
        let locked = Team::query().join(Team::managers).for_update().all(&session).await?;
        assert_eq!(locked.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_key_of_another_model_is_not_found() -> Result<()> {
    let (db, _) = staff().await?;
    let session = db.session();
    let dan = Manager::query().filter(Manager::name.eq("dan")).one(&session).await?;
    assert!(session.get::<Engineer>(dan.id).await?.is_none());
    assert_eq!(session.get::<Manager>(dan.id).await?, Some(dan.clone()));
    assert_eq!(session.get_one::<Employee>(dan.id).await?.kind, "manager");
    session.refresh(&dan).await?;
    session.refresh_columns(&dan, Manager::level).await?;
    assert_eq!(dan.level, Some(7));
    Ok(())
}

#[tokio::test]
async fn joins_aliases_and_subqueries_see_the_models_rows_alone() -> Result<()> {
    let (db, session) = staff().await?;
    let bob = Engineer::query().filter(Engineer::name.eq("bob")).one(&session).await?;
    let dan = Manager::query().filter(Manager::name.eq("dan")).one(&session).await?;
    bob.set(Engineer::boss_id, dan.id);
    session.commit().await?;
    let session = db.session();
    let peer = Engineer::alias("peer");
    let pairs = Engineer::query()
        .join_on(&peer, peer.col(Engineer::id).ne(Engineer::id))
        .order_by(Engineer::name)
        .select((Engineer::name, peer.col(Engineer::name)))
        .all(&session)
        .await?;
    assert_eq!(pairs, [("bob".to_owned(), "cas".to_owned()), ("cas".to_owned(), "bob".to_owned())]);
    let led = Engineer::query()
        .filter(Engineer::boss_id.in_(Manager::query().filter(Manager::level.gt(5)).select(Manager::id)))
        .all(&session)
        .await?;
    assert_eq!(led.len(), 1);
    let team = Team::query().with(Team::managers).one(&session).await?;
    assert_eq!(team.managers.get()?.iter().map(|row| &*row.name).collect::<Vec<_>>(), ["dan"]);
    let titles =
        Team::query().join(Team::managers).filter(Manager::name.eq("dan")).select(Team::title).all(&session).await?;
    assert_eq!(titles, ["tools"]);
    assert_eq!(Team::query().filter(Team::managers.any(Manager::level.eq(7))).count(&session).await?, 1);
    let dan = Manager::query().filter(Manager::name.eq("dan")).with(Manager::team).one(&session).await?;
    assert_eq!(dan.team.get()?.unwrap().title, "tools");
    Ok(())
}

#[tokio::test]
async fn a_polymorphic_query_gives_each_row_as_its_model_in_one_statement() -> Result<()> {
    let (db, _) = staff().await?;
    let session = db.session();
    db.statements();
    let all = AnyEmployee::query().order_by(Employee::name).all(&session).await?;
    assert_eq!(db.work().len(), 1);
    let seen: Vec<String> = all
        .iter()
        .map(|row| match row {
            AnyEmployee::Employee(row) => format!("employee {}", row.name),
            AnyEmployee::Engineer(row) => format!("engineer {} {}", row.name, row.language),
            AnyEmployee::Manager(row) => format!("manager {} {:?}", row.name, row.level),
            AnyEmployee::Director(row) => format!("director {} {}", row.name, row.bonus),
        })
        .collect();
    assert_eq!(
        seen,
        ["employee ann", "engineer bob Rust", "engineer cas C", "manager dan Some(7)", "director eve 100"]
    );
    // The entities are those of the session.
    let cas = Engineer::query().filter(Engineer::name.eq("cas")).one(&session).await?;
    assert_eq!(all[2], cas.clone().into());
    cas.set(Engineer::language, "Zig");
    assert_eq!(all[2].entity().model_name(), "Engineer");
    session.commit().await?;
    assert_eq!(db.rows(ROWS)[2], "cas|engineer|Zig|NULL|NULL");

    let query =
        || AnyEmployee::query().filter(Engineer::language.eq("Zig") | Manager::level.gt(5)).order_by(Employee::id);
    assert_eq!(query().count(&session).await?, 2);
    let page = query().paginate(&session, PageQuery::new(2).per_page(1)).await?;
    assert!(matches!(&page.items[..], [AnyEmployee::Manager(_)]));
    let json = serde_json::to_value(query().first(&session).await?.unwrap()).unwrap();
    assert_eq!(json["language"], "Zig");
    let mut stream = query().stream(&session);
    assert!(matches!(stream.next().await.unwrap()?, AnyEmployee::Engineer(row) if row.language == "Zig"));
    Ok(())
}

#[tokio::test]
async fn a_discriminator_without_a_variant_is_an_error_that_names_it() -> Result<()> {
    let (db, session) = staff().await?;
    let error = Few::query().order_by(Employee::id).all(&session).await.unwrap_err();
    assert_eq!((error.kind(), error.table()), (ErrorKind::Decode, Some("employee")));
    assert_eq!(
        error.to_string(),
        "employee.kind: 'manager' is the discriminator of no variant of `Few`, which knows 'employee', 'engineer' (`Employee::kind`); \
         add the variant `Manager(Entity<Manager>)`, or leave these rows out with a filter"
    );
    assert_eq!(Few::query().filter(Employee::kind.in_(["employee", "engineer"])).all(&session).await?.len(), 3);
    db.change("UPDATE employee SET kind = 'gone' WHERE name = 'ann'");
    let error = AnyEmployee::query().all(&session).await.unwrap_err().to_string();
    assert!(
        error.contains("'gone' is the discriminator of no variant") && error.contains("no model of the program"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_row_seen_as_two_models_is_kept_in_step() -> Result<()> {
    let (db, _) = staff().await?;
    let session = db.session();
    let bob = Engineer::query().filter(Engineer::name.eq("bob")).one(&session).await?;
    let same = session.get_one::<Employee>(bob.id).await?;
    same.set(Employee::name, "rob");
    bob.set(Engineer::language, "Go");
    db.statements();
    session.flush().await?;
    assert_eq!(db.work().len(), 2);
    assert_eq!((&*bob.name, &*bob.language), ("rob", "Go"));
    session.commit().await?;
    assert!(session.dirty().is_empty());
    assert_eq!(db.rows(ROWS)[4], "rob|engineer|Go|3|NULL");

    // Two values for one column are refused.
    same.set(Employee::name, "x");
    bob.set(Engineer::name, "y");
    let error = session.flush().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(
        error.to_string().contains("as `Employee` and as `Engineer`")
            || error.to_string().contains("as `Engineer` and as `Employee`"),
        "{error}"
    );
    session.rollback().await?;
    assert_eq!((&*bob.name, &*same.name), ("rob", "rob"));

    // One value is one.
    same.set(Employee::name, "z");
    bob.set(Engineer::name, "z");
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM employee WHERE kind = 'engineer' ORDER BY name"), ["cas", "z"]);

    session.delete(&same);
    session.flush().await?;
    assert!(session.get::<Engineer>(bob.id).await?.is_none());
    assert_eq!(Engineer::query().count(&session).await?, 1);
    session.rollback().await?;
    assert_eq!(session.get::<Engineer>(bob.id).await?, Some(bob.clone()));
    session.delete(&same);
    session.delete(&bob);
    db.statements();
    session.commit().await?;
    assert_eq!(db.work().iter().filter(|sql| sql.starts_with("DELETE")).count(), 1);
    assert_eq!(db.rows("SELECT count(*) FROM employee"), ["4"]);
    Ok(())
}

#[tokio::test]
async fn keys_of_new_rows_are_those_of_the_hierarchy() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Employee::build().name("ann"));
    let dan = session.add(Manager::build().name("dan"));
    let bob = session.add(Engineer::build().name("bob").language("Rust").boss_id(dan.id));
    assert_ne!(ann.id, dan.id);
    session.add(Task::build().title("write").owner_id(bob.id));
    session.add(Task::build().title("rest").owner(&ann));
    session.commit().await?;
    assert_eq!(bob.boss_id, Some(dan.id));
    assert_eq!(
        db.rows("SELECT task.title, employee.name FROM task JOIN employee ON employee.id = owner_id ORDER BY title"),
        ["rest|ann", "write|bob"]
    );
    assert_eq!(db.rows("SELECT e.name, b.name FROM employee e JOIN employee b ON b.id = e.boss_id"), ["bob|dan"]);

    let session = db.session();
    let write = Task::query().filter(Task::title.eq("write")).with(Task::owner).one(&session).await?;
    assert_eq!((&*write.owner.get()?.name, &*write.owner.get()?.kind), ("bob", "engineer"));
    let owners = AnyEmployee::query().join(Employee::tasks).filter(Task::title.eq("write")).all(&session).await?;
    assert!(matches!(&owners[..], [AnyEmployee::Engineer(row)] if row.name == "bob"), "{owners:?}");
    // Rows that lead to each other are deleted in an order that works.
    let bob = Engineer::query().one(&session).await?;
    let dan = Manager::query().one(&session).await?;
    session.delete(&write);
    session.delete(&dan);
    session.delete(&bob);
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM employee"), ["ann"]);
    Ok(())
}

#[tokio::test]
async fn statements_on_many_rows_touch_the_models_rows_alone() -> Result<()> {
    let (db, session) = staff().await?;
    db.statements();
    assert_eq!(Engineer::query().update(Engineer::level.set(9)).execute(&session).await?, 2);
    assert_eq!(db.work(), [r#"UPDATE "employee" SET "level" = ? WHERE "employee"."kind" IN ('engineer')"#]);
    session.commit().await?;
    Engineer::insert_all([Engineer::build().name("fay").language("Ada"), Engineer::build().name("gus").language("ML")])
        .execute(&session)
        .await?;
    Director::insert_all([Director::build().name("hal").bonus(1)]).execute(&session).await?;
    assert_eq!(Engineer::query().filter(Engineer::language.eq("C")).delete().execute(&session).await?, 1);
    session.commit().await?;
    assert_eq!(
        db.rows(ROWS),
        [
            "ann|employee|NULL|NULL|NULL",
            "bob|engineer|Rust|9|NULL",
            "dan|manager|NULL|7|NULL",
            "eve|director|NULL|NULL|100",
            "fay|engineer|Ada|NULL|NULL",
            "gus|engineer|ML|NULL|NULL",
            "hal|director|NULL|NULL|1",
        ]
    );
    Ok(())
}

#[tokio::test]
async fn entities_of_the_parent_learn_of_what_was_written_past_them() -> Result<()> {
    let (_db, session) = staff().await?;
    let bob = Engineer::query().filter(Engineer::name.eq("bob")).one(&session).await?;
    Employee::query().filter(Employee::name.eq("bob")).update(Employee::name.set("rob")).execute(&session).await?;
    assert_eq!(session.get_one::<Engineer>(bob.id).await?.name, "rob");
    assert_eq!(bob.name, "rob");
    Ok(())
}

#[tokio::test]
async fn an_identity_is_not_another_models() -> Result<()> {
    let (db, session) = staff().await?;
    session.add(Employee::build().name("x").kind("manager"));
    let error = session.flush().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert_eq!(
        error.to_string(),
        "`Employee::kind` is manager, by which the rows of `Manager` are told apart: add a `Manager`"
    );
    session.rollback().await?;
    let dan = Manager::query().filter(Manager::name.eq("dan")).one(&session).await?;
    dan.set(Manager::kind, "engineer");
    let error = session.flush().await.unwrap_err().to_string();
    assert!(error.contains("a `Manager` has an identity of its own"), "{error}");
    session.rollback().await?;
    assert_eq!(db.rows(ROWS)[3], "dan|manager|NULL|7|NULL");
    Ok(())
}

#[tokio::test]
async fn rows_are_locked_where_the_backend_locks_rows() -> Result<()> {
    let (db, session) = staff().await?;
    let found = Engineer::query().filter(Engineer::name.eq("bob")).for_update().all(&session).await;
    if Backend::current() == Backend::Sqlite {
        assert_eq!(found.unwrap_err().kind(), ErrorKind::Unsupported);
        return Ok(());
    }
    assert_eq!(found?.len(), 1);
    let other = db.session();
    let error = Employee::query().filter(Employee::name.eq("bob")).for_update().nowait().all(&other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    Ok(())
}

#[tokio::test]
async fn a_literal_gets_its_identity_and_a_new_row_takes_a_deleted_ones_place() -> Result<()> {
    let (db, session) = staff().await?;
    session.add(Manager { name: "ida".into(), ..Manager::default() });
    session.commit().await?;
    assert_eq!(db.rows("SELECT kind FROM employee WHERE name = 'ida'"), ["manager"]);
    let bob = Engineer::query().filter(Engineer::name.eq("bob")).one(&session).await?;
    session.delete(&bob);
    session.add(Engineer::build().id(bob.id).name("kim").language("Go"));
    db.statements();
    session.commit().await?;
    assert_eq!(db.work().len(), 1);
    assert_eq!(
        db.rows(&format!("SELECT name, kind, level FROM employee WHERE id = {}", bob.id)),
        ["kim|engineer|NULL"]
    );
    Ok(())
}
