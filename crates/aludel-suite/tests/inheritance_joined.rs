//! Joined inheritance: models with tables of their own beside their parent's, joined by the key.

mod support;

use aludel::prelude::*;
use serde::Serialize;
use support::{Backend, TestDb};

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Serialize)]
enum Kind {
    Asset,
    Vehicle,
    Truck,
    House,
}

#[derive(Model, Clone, Debug, Serialize)]
#[model(identity = Kind::Asset)]
struct Asset {
    #[column(primary_key)]
    id: i64,
    #[column(length = 60)]
    name: String,
    #[column(discriminator)]
    kind: Kind,
    #[column(version)]
    version: i64,
    #[column(references = Site::id)]
    site_id: Option<i64>,
    #[relationship(back_populates = assets)]
    site: One<Option<Site>>,
    #[relationship(back_populates = asset, cascade = "all")]
    notes: Many<Note>,
}

#[derive(Model, Clone, Debug, Serialize)]
#[model(inherits = Asset, identity = Kind::Vehicle)]
struct Vehicle {
    #[column(primary_key, references = Asset::id)]
    id: i64,
    name: String,
    #[column(version)]
    version: i64,
    #[column(references = Site::id)]
    site_id: Option<i64>,
    #[relationship(back_populates = vehicles)]
    site: One<Option<Site>>,
    wheels: i64,
    #[column(unique, length = 20)]
    plate: Option<String>,
}

/// Its key has a name of its own.
#[derive(Model, Clone, Debug, Serialize)]
#[model(inherits = Vehicle, identity = Kind::Truck)]
struct Truck {
    #[column(primary_key, references = Vehicle::id)]
    vehicle_id: i64,
    name: String,
    #[column(version)]
    version: i64,
    #[column(references = Site::id)]
    site_id: Option<i64>,
    wheels: i64,
    plate: Option<String>,
    tons: i64,
    #[column(server_default = "7")]
    rank: i64,
}

#[derive(Model, Clone, Debug, Serialize)]
#[model(inherits = Asset, identity = Kind::House, table = "home")]
struct House {
    #[column(primary_key, references = Asset::id)]
    id: i64,
    name: String,
    #[column(discriminator)]
    kind: Kind,
    #[column(version)]
    version: i64,
    #[column(references = Site::id)]
    site_id: Option<i64>,
    rooms: i64,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Site {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[relationship(back_populates = site)]
    assets: Many<Asset>,
    #[relationship(back_populates = site, order_by = Vehicle::wheels)]
    vehicles: Many<Vehicle>,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Note {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(references = Asset::id)]
    asset_id: i64,
    #[relationship(back_populates = notes)]
    asset: One<Asset>,
}

#[derive(Polymorphic, Clone, Debug, PartialEq, Serialize)]
#[polymorphic(on = Asset::kind)]
#[serde(tag = "type", rename_all = "snake_case")]
enum AnyAsset {
    Asset(Entity<Asset>),
    Vehicle(Entity<Vehicle>),
    Truck(Entity<Truck>),
    House(Entity<House>),
}

const ASSETS: &str = "SELECT id, name, kind, version FROM asset ORDER BY id";
const VEHICLES: &str = "SELECT id, wheels, plate FROM vehicle ORDER BY id";
const TRUCKS: &str = "SELECT vehicle_id, tons, rank FROM truck ORDER BY vehicle_id";

async fn yard() -> Result<(TestDb, Session)> {
    let db = TestDb::new().await;
    let session = db.session();
    let site = session.add(Site::build().title("north"));
    session.add(Asset::build().name("sign").site(&site));
    session.flush().await?;
    session.add(Vehicle::build().name("bike").wheels(2));
    session.add(Vehicle::build().name("car").wheels(4).plate("X-1").site(&site));
    session.flush().await?;
    session.add(Truck::build().name("mule").wheels(6).tons(900));
    session.flush().await?;
    session.add(House::build().name("hut").rooms(1));
    session.commit().await?;
    Ok((db, session))
}

#[tokio::test]
async fn each_model_has_a_table_of_its_own_columns() -> Result<()> {
    let db = TestDb::new().await;
    let columns = |name: &str| {
        let table = db.metadata().table(name).unwrap();
        table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(columns("asset"), "id name kind version site_id");
    assert_eq!(columns("vehicle"), "id wheels plate");
    assert_eq!(columns("truck"), "vehicle_id tons rank");
    assert_eq!(columns("home"), "id rooms");
    let vehicle = db.metadata().table("vehicle").unwrap();
    assert!(!vehicle.column("id").unwrap().autoincrement && !vehicle.column("wheels").unwrap().nullable);
    assert_eq!(vehicle.foreign_keys[0].target_table, "asset");
    db.drop_all().await?;
    db.create_all().await?;
    Ok(())
}

#[tokio::test]
async fn a_row_is_inserted_into_its_tables_from_the_root_on() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let rows =
        session.add_all([Vehicle::build().name("bike").wheels(2), Vehicle::build().name("car").wheels(4).plate("X-1")]);
    let mule = session.add(Truck::build().name("mule").wheels(6).tons(900));
    session.commit().await?;
    assert_eq!(
        db.work(),
        [
            r#"INSERT INTO "asset" ("name", "version", "site_id", "kind") VALUES (?, ?, ?, 'vehicle'), (?, ?, ?, 'vehicle') RETURNING "id""#,
            r#"INSERT INTO "vehicle" ("id", "wheels", "plate") VALUES (?, ?, ?), (?, ?, ?)"#,
            r#"INSERT INTO "asset" ("name", "version", "site_id", "kind") VALUES (?, ?, ?, 'truck') RETURNING "id""#,
            r#"INSERT INTO "vehicle" ("id", "wheels", "plate") VALUES (?, ?, ?)"#,
            r#"INSERT INTO "truck" ("vehicle_id", "tons") VALUES (?, ?) RETURNING "vehicle_id", "rank""#,
        ]
    );
    assert_eq!((rows[0].id, rows[1].id, mule.vehicle_id, mule.rank), (1, 2, 3, 7));
    assert_eq!(db.rows(ASSETS), ["1|bike|vehicle|1", "2|car|vehicle|1", "3|mule|truck|1"]);
    assert_eq!(db.rows(VEHICLES), ["1|2|NULL", "2|4|X-1", "3|6|NULL"]);
    assert_eq!(db.rows(TRUCKS), ["3|900|7"]);
    Ok(())
}

#[tokio::test]
async fn a_query_of_a_model_joins_its_tables() -> Result<()> {
    let (db, _) = yard().await?;
    let session = db.session();
    db.statements();
    let vehicles = Vehicle::query().filter(Vehicle::name.ne("car")).order_by(Vehicle::wheels).all(&session).await?;
    assert_eq!(vehicles.iter().map(|row| (&*row.name, row.wheels)).collect::<Vec<_>>(), [("bike", 2), ("mule", 6)]);
    assert_eq!(
        db.work(),
        [
            r#"SELECT "vehicle"."id", "vehicle"."name", "vehicle"."version", "vehicle"."site_id", "vehicle"."wheels", "vehicle"."plate" FROM (SELECT "vehicle"."id", "asset"."name", "asset"."version", "asset"."site_id", "vehicle"."wheels", "vehicle"."plate" FROM "asset" JOIN "vehicle" ON "vehicle"."id" = "asset"."id") AS "vehicle" WHERE "vehicle"."name" <> ? ORDER BY "vehicle"."wheels""#
        ]
    );
    assert_eq!(Truck::query().one(&session).await?.wheels, 6);
    assert_eq!(
        House::query().select((House::name, House::kind, House::rooms)).one(&session).await?,
        ("hut".into(), Kind::House, 1)
    );
    let mule = session.get::<Truck>(4).await?.unwrap();
    assert_eq!((&*mule.name, mule.tons), ("mule", 900));
    assert!(session.get::<House>(4).await?.is_none());
    session.refresh(&mule).await?;
    session.refresh_columns(&mule, (Truck::name, Truck::tons)).await?;

    // Relationships, with a join and without.
    let car = Vehicle::query().with(Vehicle::site).filter(Vehicle::plate.eq("X-1")).one(&session).await?;
    assert_eq!(car.site.get()?.unwrap().title, "north");
    let sites = Vehicle::query().join(Vehicle::site).select((Vehicle::name, Site::title)).all(&session).await?;
    assert_eq!(sites, [("car".to_owned(), "north".to_owned())]);
    let other = Vehicle::alias("other");
    let more = Vehicle::query().join_on(&other, other.col(Vehicle::wheels).gt(Vehicle::wheels)).count(&session).await?;
    assert_eq!(more, 3);
    let site = Site::query().with(Site::assets).one(&session).await?;
    assert_eq!(site.assets.get()?.len(), 2);
    let mut stream = Truck::query().stream(&session);
    assert_eq!(stream.next().await.unwrap()?.tons, 900);
    Ok(())
}

#[tokio::test]
async fn an_update_writes_the_tables_that_have_changed_columns() -> Result<()> {
    let (db, session) = yard().await?;
    let mule = Truck::query().one(&session).await?;
    db.statements();
    mule.set(Truck::tons, 1000);
    session.commit().await?;
    assert_eq!(
        db.work(),
        [
            r#"UPDATE "asset" SET "version" = ? WHERE "id" = ? AND "version" = ?"#,
            r#"UPDATE "truck" SET "tons" = ? WHERE "vehicle_id" = ?"#,
        ]
    );
    mule.edit(|mule| {
        mule.name.push_str("teer");
        mule.wheels = 8;
    });
    session.commit().await?;
    assert_eq!(
        db.work(),
        [
            r#"UPDATE "asset" SET "name" = ?, "version" = ? WHERE "id" = ? AND "version" = ?"#,
            r#"UPDATE "vehicle" SET "wheels" = ? WHERE "id" = ?"#,
        ]
    );
    assert_eq!(mule.version, 3);
    assert_eq!(db.rows(ASSETS)[3], "4|muleteer|truck|3");
    assert_eq!((&*db.rows(VEHICLES)[2], &*db.rows(TRUCKS)[0]), ("4|8|NULL", "4|1000|7"));

    db.change("UPDATE asset SET version = 9 WHERE id = 4");
    mule.set(Truck::tons, 1);
    assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::StaleData);
    session.rollback().await?;
    assert_eq!(mule.tons, 1000);
    mule.set(Truck::vehicle_id, 70);
    let error = session.flush().await.unwrap_err();
    assert!(error.to_string().contains("a row keeps its key"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_delete_is_of_all_tables_whatever_the_row_is_seen_as() -> Result<()> {
    let (db, session) = yard().await?;
    let mule = Truck::query().one(&session).await?;
    session.delete(&mule);
    db.statements();
    session.commit().await?;
    assert_eq!(
        db.work(),
        [
            r#"DELETE FROM "truck" WHERE ("vehicle_id" = ?)"#,
            r#"DELETE FROM "vehicle" WHERE ("id" = ?)"#,
            r#"DELETE FROM "asset" WHERE "id" = ? AND "version" = ?"#,
        ]
    );
    let car = Vehicle::query().filter(Vehicle::name.eq("car")).one(&session).await?;
    let asset = session.get_one::<Asset>(car.id).await?;
    asset.push(Asset::notes, Note::build().text("old"));
    session.flush().await?;
    session.delete(&asset);
    session.commit().await?;
    assert_eq!((db.rows(TRUCKS).len(), db.rows(VEHICLES).len(), db.rows(ASSETS).len()), (0, 1, 3));
    assert_eq!(db.rows("SELECT * FROM note").len(), 0);
    assert!(session.get::<Vehicle>(car.id).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_rollback_takes_back_all_parts() -> Result<()> {
    let (db, session) = yard().await?;
    let new = session.add(Truck::build().name("ox").wheels(10).tons(1));
    session.flush().await?;
    assert_eq!(Truck::query().count(&session).await?, 2);
    session.rollback().await?;
    assert_eq!((db.rows(TRUCKS).len(), db.rows(ASSETS).len()), (1, 5));
    drop(new);
    // The second table refuses: nothing is left in the first.
    session.add(Vehicle::build().name("copy").wheels(4).plate("X-1"));
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::UniqueViolation);
    session.rollback().await?;
    assert_eq!(db.rows(ASSETS).len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_polymorphic_query_joins_all_tables_in_one_statement() -> Result<()> {
    let (db, _) = yard().await?;
    let session = db.session();
    db.statements();
    let all = AnyAsset::query().order_by(Asset::id).all(&session).await?;
    let work = db.work();
    assert_eq!(work.len(), 1);
    assert!(
        work[0].contains(r#" FROM "asset" LEFT JOIN "vehicle" ON "vehicle"."id" = "asset"."id" LEFT JOIN "truck" ON "truck"."vehicle_id" = "asset"."id" LEFT JOIN "home" ON "home"."id" = "asset"."id" ORDER BY"#),
        "{}",
        work[0]
    );
    let seen: Vec<String> = all
        .iter()
        .map(|row| match row {
            AnyAsset::Asset(row) => format!("asset {}", row.name),
            AnyAsset::Vehicle(row) => format!("vehicle {} {}", row.name, row.wheels),
            AnyAsset::Truck(row) => format!("truck {} {} {}", row.name, row.wheels, row.tons),
            AnyAsset::House(row) => format!("house {} {}", row.name, row.rooms),
        })
        .collect();
    assert_eq!(seen, ["asset sign", "vehicle bike 2", "vehicle car 4", "truck mule 6 900", "house hut 1"]);
    let AnyAsset::Truck(mule) = &all[3] else { panic!("{:?}", all[3]) };
    assert_eq!(session.get::<Truck>(mule.vehicle_id).await?.as_ref(), Some(mule));
    assert_eq!(
        serde_json::to_value(&all[3]).unwrap(),
        serde_json::json!({
            "type": "truck", "vehicle_id": 4, "name": "mule", "version": 1, "site_id": null, "wheels": 6, "plate": null,
            "tons": 900, "rank": 7
        })
    );
    let found = AnyAsset::query().filter(Vehicle::wheels.gt(3) | House::rooms.eq(1)).order_by(Asset::name);
    assert_eq!(found.clone().count(&session).await?, 3);
    let names: Vec<String> = found.select(Asset::name).all(&session).await?;
    assert_eq!(names, ["car", "hut", "mule"]);
    // What a model has from its parent is the parent's, whichever of the two names it.
    let named = AnyAsset::query().filter(Vehicle::name.eq("car") & Truck::vehicle_id.is_null()).order_by(Truck::name);
    assert!(matches!(&named.all(&session).await?[..], [AnyAsset::Vehicle(row)] if row.name == "car"));
    let at_north = AnyAsset::query().join(Asset::site).filter(Site::title.eq("north")).all(&session).await?;
    assert_eq!(at_north.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_row_seen_as_three_models_is_kept_in_step() -> Result<()> {
    let (db, session) = yard().await?;
    let mule = Truck::query().one(&session).await?;
    let vehicle = session.get_one::<Vehicle>(mule.vehicle_id).await?;
    let asset = session.get_one::<Asset>(mule.vehicle_id).await?;
    asset.set(Asset::name, "jenny");
    vehicle.set(Vehicle::wheels, 12);
    mule.set(Truck::tons, 5);
    session.commit().await?;
    assert_eq!((&*mule.name, mule.wheels, &*vehicle.name, mule.version, asset.version), ("jenny", 12, "jenny", 4, 4));
    assert_eq!(db.rows(ASSETS)[3], "4|jenny|truck|4");
    assert_eq!((&*db.rows(VEHICLES)[2], &*db.rows(TRUCKS)[0]), ("4|12|NULL", "4|5|7"));
    Ok(())
}

#[tokio::test]
async fn statements_on_many_rows_say_what_they_cannot_do() -> Result<()> {
    let (db, session) = yard().await?;
    let ids = || Vehicle::id.in_([2, 3]);
    assert!(
        Truck::query()
            .filter(Truck::tons.gt(1))
            .update(Truck::rank.set(8))
            .execute(&session)
            .await
            .map_err(|error| error.to_string())
            .unwrap_err()
            .contains("version")
    );
    let text = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::InvalidStatement);
        error.to_string()
    };
    let error = Vehicle::query().filter(ids()).update(Vehicle::name.set("x")).execute(&session).await;
    assert!(text(error.unwrap_err()).contains("update `Asset`"));
    let new = Vehicle::insert_all([Vehicle::build().name("x").wheels(1)]).on_conflict(Vehicle::id).do_nothing();
    assert!(text(new.execute(&session).await.unwrap_err()).contains("on_conflict would leave parts of rows"));
    if Backend::current() != Backend::MariaDb {
        let error = Vehicle::query().filter(ids()).delete().returning(Vehicle::id).execute(&session).await;
        assert!(text(error.unwrap_err()).contains("select the rows before"));
    }
    assert_eq!(db.rows(ASSETS).len(), 5);
    Ok(())
}

#[tokio::test]
async fn rows_are_locked_where_the_backend_locks_rows() -> Result<()> {
    let (db, session) = yard().await?;
    let found = Vehicle::query().filter(Vehicle::plate.eq("X-1")).for_update().all(&session).await;
    if Backend::current() == Backend::Sqlite {
        assert_eq!(found.unwrap_err().kind(), ErrorKind::Unsupported);
        return Ok(());
    }
    if Backend::current() == Backend::MariaDb {
        let error = found.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("lock the rows of `Asset`"), "{error}");
        return Ok(());
    }
    assert_eq!(found?.len(), 1);
    let other = db.session();
    let error = Asset::query().filter(Asset::name.eq("car")).for_update().nowait().all(&other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    Ok(())
}

#[tokio::test]
async fn relationships_lead_to_models_with_several_tables() -> Result<()> {
    let (db, session) = yard().await?;
    let site = Site::query().one(&session).await?;
    let mule = Truck::query().one(&session).await?;
    mule.set(Truck::site_id, site.id);
    session.commit().await?;
    let session = db.session();
    db.statements();
    let site = Site::query().with(Site::vehicles).one(&session).await?;
    assert_eq!(db.work().len(), 2);
    assert_eq!(site.vehicles.get()?.iter().map(|row| &*row.name).collect::<Vec<_>>(), ["car", "mule"]);
    let first = Site::query().with(Site::vehicles.filter(Vehicle::wheels.gt(4)).limit(1)).one(&db.session()).await?;
    assert_eq!(first.vehicles.get()?.len(), 1);
    let joined = Site::query().with(Site::vehicles.joined()).one(&db.session()).await?;
    assert_eq!(joined.vehicles.get()?.len(), 2);
    assert_eq!(Site::query().filter(Site::vehicles.any(Vehicle::name.eq("car"))).count(&session).await?, 1);

    // What a relationship to the root leads to, as what it is.
    let assets = site.load(Site::assets).await?;
    db.statements();
    let all = AnyAsset::of(&session, assets.iter().cloned()).await?;
    assert_eq!(db.work().len(), 1);
    assert_eq!(all.len(), assets.len());
    assert!(all.iter().zip(&assets).all(|(any, asset)| match any {
        AnyAsset::Asset(row) => row == asset,
        AnyAsset::Vehicle(row) => row.id == asset.id,
        AnyAsset::Truck(row) => row.vehicle_id == asset.id,
        AnyAsset::House(_) => false,
    }));

    // Their keys are let go of in the table that has them.
    session.delete(&site);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM asset WHERE site_id IS NULL"), ["5"]);
    assert_eq!((db.rows(VEHICLES).len(), db.rows(TRUCKS).len()), (3, 1));
    Ok(())
}

#[tokio::test]
async fn a_literal_and_a_merged_value_are_of_their_model() -> Result<()> {
    let (db, session) = yard().await?;
    let mut hut = House::query().one(&session).await?.detach();
    hut.rooms = 4;
    session.clear();
    let merged = session.merge(hut).await?;
    assert_eq!((merged.kind, merged.rooms), (Kind::House, 4));
    session.commit().await?;
    assert_eq!(db.rows("SELECT id, rooms FROM home"), ["5|4"]);
    Ok(())
}
