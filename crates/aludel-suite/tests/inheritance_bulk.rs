//! Statements on many rows of models with several tables: each table gets its own, and they succeed or fail together.

mod support;

use aludel::prelude::*;
use support::{Backend, TestDb, one_of};

#[derive(Model, Clone, Debug)]
#[model(identity = "asset")]
struct Asset {
    #[column(primary_key)]
    id: i64,
    #[column(length = 40)]
    name: String,
    #[column(discriminator, length = 20)]
    kind: String,
    #[column(version)]
    version: i64,
    #[column(references = Site::id)]
    site_id: Option<i64>,
    #[column(server_default = "5")]
    rank: i64,
}

#[derive(Model, Clone, Debug)]
#[model(inherits = Asset, identity = "vehicle")]
struct Vehicle {
    #[column(primary_key, references = Asset::id)]
    id: i64,
    name: String,
    #[column(version)]
    version: i64,
    #[column(references = Site::id)]
    site_id: Option<i64>,
    #[column(server_default = "5")]
    rank: i64,
    #[relationship]
    site: One<Option<Site>>,
    wheels: i64,
    #[column(unique, length = 20)]
    plate: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[model(inherits = Vehicle, identity = "truck")]
struct Truck {
    #[column(primary_key, references = Vehicle::id)]
    vehicle_id: i64,
    name: String,
    #[column(version)]
    version: i64,
    #[column(references = Site::id)]
    site_id: Option<i64>,
    #[column(server_default = "5")]
    rank: i64,
    wheels: i64,
    plate: Option<String>,
    tons: i64,
    #[column(server_default = "7")]
    axles: i64,
}

/// In the table of the root.
#[derive(Model, Clone, Debug)]
#[model(inherits = Asset, identity = "sign")]
struct Sign {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(version)]
    version: i64,
    #[column(references = Site::id)]
    site_id: Option<i64>,
    #[column(server_default = "5")]
    rank: i64,
    size: i64,
}

/// In that table, and in one of its own.
#[derive(Model, Clone, Debug)]
#[model(inherits = Sign, identity = "neon")]
struct Neon {
    #[column(primary_key, references = Sign::id)]
    id: i64,
    name: String,
    #[column(version)]
    version: i64,
    #[column(references = Site::id)]
    site_id: Option<i64>,
    #[column(server_default = "5")]
    rank: i64,
    size: i64,
    watts: i64,
}

#[derive(Model, Clone, Debug)]
struct Site {
    #[column(primary_key)]
    id: i64,
    #[column(length = 40)]
    title: String,
}

#[derive(Model, Clone, Debug)]
struct Trip {
    #[column(primary_key)]
    id: i64,
    #[column(references = Asset::id)]
    asset_id: i64,
}

/// With a key of two columns, and a child that goes with it.
#[derive(Model, Clone, Debug)]
#[model(identity = 1)]
struct Place {
    #[column(primary_key)]
    row: i64,
    #[column(primary_key)]
    seat: i64,
    #[column(discriminator)]
    kind: i64,
}

#[derive(Model, Clone, Debug)]
#[model(inherits = Place, identity = 2, foreign_key(columns(row, seat), references(Place::row, Place::seat)))]
struct Couch {
    #[column(primary_key)]
    row: i64,
    #[column(primary_key)]
    seat: i64,
    length: i64,
}

const ASSETS: &str = "SELECT id, name, kind, version, rank FROM asset ORDER BY id";
const VEHICLES: &str = "SELECT id, wheels, plate FROM vehicle ORDER BY id";
const TRUCKS: &str = "SELECT vehicle_id, tons, axles FROM truck ORDER BY vehicle_id";

async fn yard() -> Result<(TestDb, Session)> {
    let db = TestDb::new().await;
    let session = db.session();
    let site = session.add(Site::build().title("north"));
    session.add(Asset::build().name("sign"));
    session.flush().await?;
    session.add(Vehicle::build().name("bike").wheels(2));
    session.add(Vehicle::build().name("car").wheels(4).plate("X-1").site(&site));
    session.flush().await?;
    session.add(Truck::build().name("mule").wheels(6).tons(900));
    session.commit().await?;
    db.statements();
    Ok((db, session))
}

#[tokio::test]
async fn rows_are_inserted_into_each_table() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let rows = [("a", 1), ("b", 2), ("c", 3)].map(|(name, tons)| Truck::build().name(name).wheels(6).tons(tons));
    assert_eq!(Truck::insert_all(rows).execute(&session).await?, 3);
    let work = db.work();
    if Backend::current() != Backend::MariaDb {
        assert_eq!(work.len(), 3);
    }
    assert_eq!(
        work[0],
        r#"INSERT INTO "asset" ("name", "version", "site_id", "kind") VALUES (?, ?, ?, 'truck'), (?, ?, ?, 'truck'), (?, ?, ?, 'truck') RETURNING "id", "rank""#
    );
    assert_eq!(work[1], r#"INSERT INTO "vehicle" ("id", "wheels", "plate") VALUES (?, ?, ?), (?, ?, ?), (?, ?, ?)"#);
    assert!(work[2].starts_with(r#"INSERT INTO "truck" ("vehicle_id", "tons") VALUES (?, ?), (?, ?), (?, ?)"#));
    session.commit().await?;
    assert_eq!(db.rows(ASSETS), ["1|a|truck|1|5", "2|b|truck|1|5", "3|c|truck|1|5"]);
    assert_eq!(db.rows(VEHICLES), ["1|6|NULL", "2|6|NULL", "3|6|NULL"]);
    assert_eq!(db.rows(TRUCKS), ["1|1|7", "2|2|7", "3|3|7"]);
    assert_eq!(session.new().len(), 0);
    db.statements();
    assert_eq!(session.get_one::<Truck>(2).await?.tons, 2);
    assert_eq!(db.work().len(), 1, "the session keeps nothing of them");
    assert_eq!(Truck::insert_all(Vec::<Truck>::new()).execute(&session).await?, 0);
    Ok(())
}

#[tokio::test]
async fn rows_that_give_other_columns_and_keys_are_inserted_too() -> Result<()> {
    let (db, session) = yard().await?;
    let site = Site::query().one(&session).await?;
    let rows = vec![
        Vehicle::build().name("key").wheels(1).id(70),
        Vehicle::build().name("site").wheels(1).site(&site),
        Vehicle::build().name("rank").wheels(1).rank(9).plate("P"),
    ];
    assert_eq!(Vehicle::insert_all(rows).execute(&session).await?, 3);
    session.commit().await?;
    let found = Vehicle::query().filter(Vehicle::wheels.eq(1)).order_by(Vehicle::name).all(&session).await?;
    let shown: Vec<_> = found.iter().map(|row| (&*row.name, row.rank, row.site_id, row.plate.as_deref())).collect();
    assert_eq!(shown, [("key", 5, None, None), ("rank", 9, None, Some("P")), ("site", 5, Some(site.id), None)]);
    assert_eq!(found[0].id, 70);

    let places = [(1, 1), (1, 2)].map(|(row, seat)| Couch::build().row(row).seat(seat).length(row + seat));
    assert_eq!(Couch::insert_all(places).execute(&session).await?, 2);
    session.commit().await?;
    assert_eq!(db.rows(r#"SELECT place.kind, couch.length FROM place JOIN couch ON couch."row" = place."row" AND couch.seat = place.seat ORDER BY couch.seat"#), ["2|2", "2|3"]);
    Ok(())
}

#[tokio::test]
async fn what_was_inserted_is_returned_of_all_tables() -> Result<()> {
    let (db, session) = yard().await?;
    let rows = || ["a", "b"].map(|name| Truck::build().name(name).wheels(8).tons(1));
    let mut given =
        Truck::insert_all(rows()).returning((Truck::vehicle_id, Truck::name, Truck::axles)).execute(&session).await?;
    given.sort_unstable();
    assert_eq!(given, [(5, "a".to_owned(), 7), (6, "b".to_owned(), 7)]);
    let trucks: Vec<Entity<Truck>> = Truck::insert_all(rows()).returning(Truck::entity).execute(&session).await?;
    assert_eq!(trucks.iter().map(|row| (row.rank, row.wheels)).collect::<Vec<_>>(), [(5, 8), (5, 8)]);
    db.statements();
    let error = Truck::insert_all(rows()).returning(Site::title).execute(&session).await.unwrap_err();
    assert_eq!((error.kind(), db.work().len()), (ErrorKind::InvalidStatement, 0));
    trucks[0].set(Truck::tons, 3);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM truck WHERE tons = 3"), ["1"]);
    Ok(())
}

#[tokio::test]
async fn an_insert_that_fails_leaves_no_parts() -> Result<()> {
    let (db, session) = yard().await?;
    let rows = [Vehicle::build().name("new").wheels(4), Vehicle::build().name("twin").wheels(4).plate("X-1")];
    let error = Vehicle::insert_all(rows).execute(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    // The first table has rows that the second has not.
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
    session.rollback().await?;
    assert_eq!(db.rows(ASSETS).len(), 4);
    assert_eq!(Vehicle::insert_all([Vehicle::build().name("new").wheels(4)]).execute(&session).await?, 1);
    session.commit().await?;
    assert_eq!((db.rows(ASSETS).len(), db.rows(VEHICLES).len()), (5, 4));
    Ok(())
}

#[tokio::test]
async fn rows_are_deleted_from_each_table() -> Result<()> {
    let (db, session) = yard().await?;
    let mule = Truck::query().one(&session).await?;
    db.statements();
    // By columns of both tables, and by a relationship whose key is the root's.
    let north = Vehicle::site.has(Site::title.eq("north"));
    let query = Vehicle::query().filter(Vehicle::wheels.gt(2) & (Vehicle::name.eq("mule") | north));
    assert_eq!(query.delete().execute(&session).await?, 2);
    let lock = Backend::current().pick("", " FOR UPDATE", " FOR UPDATE");
    let two = one_of(2);
    assert_eq!(
        db.work(),
        [
            format!(
                r#"SELECT "asset"."id" FROM "asset" JOIN "vehicle" ON "vehicle"."id" = "asset"."id" WHERE "vehicle"."wheels" > ? AND ("asset"."name" = ? OR EXISTS (SELECT 1 FROM "site" WHERE "site"."id" = "asset"."site_id" AND "site"."title" = ?)){lock}"#
            ),
            format!(r#"DELETE FROM "truck" WHERE "truck"."vehicle_id" {two}"#),
            format!(r#"DELETE FROM "vehicle" WHERE "vehicle"."id" {two}"#),
            format!(r#"DELETE FROM "asset" WHERE "asset"."id" {two}"#),
        ]
    );
    assert!(session.get::<Truck>(mule.vehicle_id).await?.is_none());
    session.commit().await?;
    assert_eq!(db.rows(ASSETS), ["1|sign|asset|1|5", "2|bike|vehicle|1|5"]);
    assert_eq!((db.rows(VEHICLES), db.rows(TRUCKS).len()), (vec!["2|2|NULL".to_owned()], 0));
    db.statements();
    assert_eq!(Truck::query().delete().execute(&session).await?, 0);
    assert_eq!(db.work().len(), 1, "nothing was found");
    Ok(())
}

#[tokio::test]
async fn rows_of_the_root_are_deleted_with_their_parts() -> Result<()> {
    let (db, session) = yard().await?;
    assert_eq!(Asset::query().filter(Asset::name.in_(["sign", "mule"])).delete().execute(&session).await?, 2);
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM asset ORDER BY id"), ["bike", "car"]);
    assert_eq!((db.rows(VEHICLES).len(), db.rows(TRUCKS).len()), (2, 0));
    session.rollback().await?;

    session.add_all([1, 2].map(|seat| Couch::build().row(1).seat(seat).length(seat)));
    session.flush().await?;
    session.add(Place::build().row(2).seat(1));
    session.commit().await?;
    assert_eq!(Couch::query().filter(Couch::length.eq(2)).delete().execute(&session).await?, 1);
    assert_eq!(Place::query().filter(Place::kind.ne(5)).delete().execute(&session).await?, 2);
    session.commit().await?;
    assert_eq!(db.rows("SELECT seat FROM place").len() + db.rows("SELECT seat FROM couch").len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_child_in_the_roots_table_is_deleted_with_its_own_children_alone() -> Result<()> {
    let (db, session) = yard().await?;
    Sign::insert_all([Sign::build().name("stop").size(3)]).execute(&session).await?;
    Neon::insert_all([("bar", 1), ("inn", 2)].map(|(name, size)| Neon::build().name(name).size(size).watts(9)))
        .execute(&session)
        .await?;
    session.commit().await?;
    assert_eq!(
        db.rows("SELECT name, kind, size FROM asset WHERE size > 0 ORDER BY id"),
        ["stop|sign|3", "bar|neon|1", "inn|neon|2"]
    );
    assert_eq!(Sign::query().filter(Sign::size.ge(2)).delete().execute(&session).await?, 2);
    session.commit().await?;
    assert_eq!(db.rows("SELECT asset.name, neon.watts FROM asset JOIN neon ON neon.id = asset.id"), ["bar|9"]);
    assert_eq!(Sign::query().delete().execute(&session).await?, 1);
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM asset ORDER BY id"), ["sign", "bike", "car", "mule"]);
    assert_eq!(db.rows("SELECT id FROM neon").len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_delete_that_fails_leaves_no_parts() -> Result<()> {
    let (db, session) = yard().await?;
    session.add(Trip::build().asset_id(3));
    session.commit().await?;
    let error = Vehicle::query().filter(Vehicle::wheels.gt(0)).delete().execute(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
    session.rollback().await?;
    assert_eq!((db.rows(ASSETS).len(), db.rows(VEHICLES).len(), db.rows(TRUCKS).len()), (4, 3, 1));
    // A savepoint is enough.
    let savepoint = session.begin_nested().await?;
    assert!(Vehicle::query().delete().execute(&session).await.is_err());
    savepoint.rollback().await?;
    assert_eq!(Truck::query().delete().execute(&session).await?, 1);
    session.commit().await?;
    assert_eq!((db.rows(ASSETS).len(), db.rows(VEHICLES).len(), db.rows(TRUCKS).len()), (3, 2, 0));
    Ok(())
}

#[tokio::test]
async fn a_delete_of_many_rows_is_in_several_statements() -> Result<()> {
    let db = TestDb::new().await;
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)";
    let mut many = String::new();
    for part in 0..6 {
        let id = format!("i + {}", part * 900);
        many +=
            &format!("INSERT INTO asset (id, name, kind, version) {numbers} SELECT {id}, 'x', 'vehicle', 1 FROM n;");
        many += &format!("INSERT INTO vehicle (id, wheels) {numbers} SELECT {id}, i % 2 FROM n;");
    }
    db.change(&many);
    db.statements();
    let session = db.session();
    assert_eq!(Vehicle::query().filter(Vehicle::id.gt(100)).delete().execute(&session).await?, 5300);
    session.commit().await?;
    assert_eq!(db.work().len(), 1 + 2 * 3);
    assert_eq!(
        db.rows("SELECT count(*), max(asset.id), max(vehicle.id) FROM asset, vehicle WHERE asset.id = vehicle.id"),
        ["100|100|100"]
    );
    Ok(())
}
