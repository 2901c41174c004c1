//! Tenants and soft deletion in a hierarchy: the root says which rows are seen, and it holds for each model of it, in
//! whatever table its columns are.

mod support;

use aludel::CursorQuery;
use aludel::prelude::*;
use support::{Backend, TestDb, one_of};

/// The root of models with tables of their own.
#[derive(Model, Clone, Debug)]
#[model(identity = "asset")]
struct Asset {
    #[column(primary_key)]
    id: i64,
    #[column(length = 40)]
    name: String,
    #[column(discriminator, length = 20)]
    kind: String,
    #[column(tenant, index, name = "shop_id")]
    shop: i64,
    #[column(soft_delete)]
    deleted_at: Option<Timestamp>,
    #[column(references = Garage::id)]
    garage_id: Option<i64>,
    #[relationship(back_populates = assets)]
    garage: One<Option<Garage>>,
}

#[derive(Model, Clone, Debug)]
#[model(inherits = Asset, identity = "vehicle")]
struct Vehicle {
    #[column(primary_key, references = Asset::id)]
    id: i64,
    name: String,
    #[column(tenant, name = "shop_id")]
    shop: i64,
    #[column(soft_delete)]
    deleted_at: Option<Timestamp>,
    #[column(references = Garage::id)]
    garage_id: Option<i64>,
    #[relationship(back_populates = vehicles)]
    garage: One<Option<Garage>>,
    wheels: i64,
    #[relationship(back_populates = vehicle, order_by = Trip::id)]
    trips: Many<Trip>,
}

/// Three tables deep.
#[derive(Model, Clone, Debug)]
#[model(inherits = Vehicle, identity = "truck")]
struct Truck {
    #[column(primary_key, references = Vehicle::id)]
    vehicle_id: i64,
    name: String,
    #[column(tenant, name = "shop_id")]
    shop: i64,
    #[column(soft_delete)]
    deleted_at: Option<Timestamp>,
    #[column(references = Garage::id)]
    garage_id: Option<i64>,
    wheels: i64,
    tons: i64,
}

/// In the table of its parent, which has one beside the root's.
#[derive(Model, Clone, Debug)]
#[model(inherits = Vehicle, identity = "van")]
struct Van {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(tenant, name = "shop_id")]
    shop: i64,
    #[column(soft_delete)]
    deleted_at: Option<Timestamp>,
    #[column(references = Garage::id)]
    garage_id: Option<i64>,
    wheels: i64,
    seats: i64,
}

/// Known to all tenants.
#[derive(Model, Clone, Debug)]
struct Garage {
    #[column(primary_key)]
    id: i64,
    #[column(length = 40)]
    title: String,
    #[relationship(back_populates = garage, order_by = Asset::id)]
    assets: Many<Asset>,
    #[relationship(back_populates = garage, order_by = Vehicle::id)]
    vehicles: Many<Vehicle>,
}

/// Of no tenant, so that it may lead to the vehicles of all.
#[derive(Model, Clone, Debug)]
struct Trip {
    #[column(primary_key)]
    id: i64,
    #[column(references = Vehicle::id)]
    vehicle_id: i64,
    #[relationship(back_populates = trips)]
    vehicle: One<Vehicle>,
    #[column(references = Engineer::id)]
    driver_id: Option<i64>,
    #[relationship(back_populates = trips)]
    driver: One<Option<Engineer>>,
}

#[derive(Polymorphic, Clone, Debug)]
#[polymorphic(on = Asset::kind)]
enum AnyAsset {
    Asset(Entity<Asset>),
    Vehicle(Entity<Vehicle>),
    Truck(Entity<Truck>),
    Van(Entity<Van>),
}

impl AnyAsset {
    fn name(&self) -> String {
        match self {
            Self::Asset(row) => row.name.clone(),
            Self::Vehicle(row) => row.name.clone(),
            Self::Truck(row) => row.name.clone(),
            Self::Van(row) => row.name.clone(),
        }
    }
}

/// The root of models in one table.
#[derive(Model, Clone, Debug)]
#[model(identity = "employee")]
struct Employee {
    #[column(primary_key)]
    id: i64,
    #[column(length = 40)]
    name: String,
    #[column(discriminator, length = 20)]
    kind: String,
    #[column(tenant)]
    shop: i64,
    #[column(soft_delete)]
    gone: bool,
}

#[derive(Model, Clone, Debug)]
#[model(inherits = Employee, identity = "engineer")]
struct Engineer {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(tenant)]
    shop: i64,
    #[column(soft_delete)]
    gone: bool,
    level: i64,
    #[relationship(back_populates = driver)]
    trips: Many<Trip>,
}

#[derive(Projection, Debug, PartialEq)]
struct Named {
    name: String,
}

const ASSETS: &str = "SELECT name FROM asset ORDER BY id";
const WHEELS: &str =
    "SELECT asset.name, vehicle.wheels FROM asset JOIN vehicle ON vehicle.id = asset.id ORDER BY asset.id";
const STAFF: &str = "SELECT name, level, gone FROM employee ORDER BY id";

/// Two shops with a row of each model; what the second has begins with `2`.
async fn two_shops() -> Result<TestDb> {
    let db = TestDb::connect(Db::builder().secret_key("a secret of thirty-two characters!")).await;
    let session = db.session();
    session.add(Garage::build().title("all"));
    session.commit().await?;
    for shop in [1, 2] {
        let session = db.session_for(shop)?;
        let named = |name: &str| format!("{shop} {name}");
        session.add(Asset::build().name(named("sign")).garage_id(1));
        session.flush().await?;
        let car = session.add(Vehicle::build().name(named("car")).wheels(4).garage_id(1));
        session.flush().await?;
        session.add(Truck::build().name(named("mule")).wheels(6).tons(9));
        session.flush().await?;
        session.add(Van::build().name(named("bus")).wheels(4).seats(8));
        session.add(Employee::build().name(named("ann")));
        let bob = session.add(Engineer::build().name(named("bob")).level(shop));
        session.flush().await?;
        session.add(Trip::build().vehicle_id(car.id).driver_id(bob.id));
        session.commit().await?;
    }
    db.statements();
    Ok(db)
}

#[track_caller]
fn first_shops<T: AsRef<str>>(names: impl IntoIterator<Item = T>, expected: &[&str]) {
    let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    let expected: Vec<String> = expected.iter().map(|name| format!("1 {name}")).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_query_of_each_model_is_confined() -> Result<()> {
    let db = two_shops().await?;
    let session = db.session_for(1)?;
    let names = Asset::query().order_by(Asset::id).select(Asset::name).all(&session).await?;
    first_shops(names, &["sign", "car", "mule", "bus"]);
    let vehicles = Vehicle::query().order_by(Vehicle::id).all(&session).await?;
    first_shops(vehicles.iter().map(|row| &row.name), &["car", "mule", "bus"]);
    first_shops(Truck::query().all(&session).await?.iter().map(|row| &row.name), &["mule"]);
    first_shops(Van::query().all(&session).await?.iter().map(|row| &row.name), &["bus"]);
    first_shops(
        Employee::query().order_by(Employee::id).all(&session).await?.iter().map(|row| &row.name),
        &["ann", "bob"],
    );
    first_shops(Engineer::query().all(&session).await?.iter().map(|row| &row.name), &["bob"]);
    let work = db.work();
    assert_eq!(
        work[1],
        r#"SELECT "vehicle"."id", "vehicle"."name", "vehicle"."shop_id", "vehicle"."deleted_at", "vehicle"."garage_id", "vehicle"."wheels" FROM (SELECT "vehicle"."id", "asset"."name", "asset"."shop_id", "asset"."deleted_at", "asset"."garage_id", "vehicle"."wheels" FROM "asset" JOIN "vehicle" ON "vehicle"."id" = "asset"."id") AS "vehicle" WHERE "vehicle"."shop_id" = ? AND "vehicle"."deleted_at" IS NULL ORDER BY "vehicle"."id""#
    );
    assert!(
        work[3].ends_with(
            r#"WHERE "asset"."kind" IN ('van')) AS "vehicle" WHERE "vehicle"."shop_id" = ? AND "vehicle"."deleted_at" IS NULL"#
        ),
        "{}",
        work[3]
    );
    assert_eq!(
        work[5],
        r#"SELECT "employee"."id", "employee"."name", "employee"."shop", "employee"."gone", "employee"."level" FROM "employee" WHERE "employee"."kind" IN ('engineer') AND "employee"."shop" = ? AND "employee"."gone" = ?"#
    );
    Ok(())
}

#[tokio::test]
async fn no_form_of_a_query_leads_out_of_the_tenant() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    assert_eq!(Vehicle::query().count(&s).await?, 3);
    assert_eq!(Vehicle::query().filter(Vehicle::wheels.eq(6)).count(&s).await?, 1);
    assert!(!Truck::query().filter(Truck::name.eq("2 mule")).exists(&s).await?);
    assert!(!Engineer::query().filter(Engineer::level.eq(2)).exists(&s).await?);
    let page = Vehicle::query().order_by(Vehicle::id).paginate(&s, PageQuery::new(1).per_page(2)).await?;
    assert_eq!((page.items.len(), page.total), (2, Some(3)));
    let page = Truck::query().paginate_by_key(&s, CursorQuery::new().per_page(1)).await?;
    assert_eq!((page.items.len(), page.next), (1, None));
    let mut stream = Vehicle::query().order_by(Vehicle::id).stream(&s);
    let mut names = Vec::new();
    while let Some(row) = stream.next().await {
        names.push(row?.name);
    }
    first_shops(names, &["car", "mule", "bus"]);
    let mut chunks = Vehicle::query().stream_entities(&s, 2);
    let mut names = Vec::new();
    while let Some(rows) = chunks.next().await? {
        names.extend(rows.iter().map(|row| row.name.clone()));
    }
    first_shops(names, &["car", "mule", "bus"]);
    // Under other names, in subqueries and beside others.
    let other = Vehicle::alias("other");
    assert_eq!(other.query().count(&s).await?, 3);
    let more = Truck::query().join_on(&other, other.col(Vehicle::wheels).lt(Truck::wheels)).count(&s).await?;
    assert_eq!(more, 2);
    let inner = Vehicle::query().filter(Vehicle::wheels.eq(4)).select(Vehicle::id);
    assert_eq!(Asset::query().filter(Asset::id.in_(inner)).count(&s).await?, 2);
    let named = Vehicle::query().select(NamedColumns { name: Vehicle::name }).cte("named");
    assert_eq!(named.query().count(&s).await?, 3);
    let union = Vehicle::query().select(Vehicle::name).union(Truck::query().select(Truck::name));
    assert_eq!(union.all(&s).await?.len(), 3);

    // All variants of a polymorphic query.
    let all = AnyAsset::query().order_by(Asset::id).all(&s).await?;
    first_shops(all.iter().map(AnyAsset::name), &["sign", "car", "mule", "bus"]);
    assert!(matches!(all[3], AnyAsset::Van(ref row) if row.seats == 8));
    let mut stream = AnyAsset::query().filter(Vehicle::wheels.eq(4)).order_by(Asset::id).stream(&s);
    let mut names = Vec::new();
    while let Some(row) = stream.next().await {
        names.push(row?.name());
    }
    first_shops(names, &["car", "bus"]);
    let roots = Asset::query().order_by(Asset::id).all(&s).await?;
    assert_eq!(AnyAsset::of(&s, roots).await?.len(), 4);
    Ok(())
}

#[tokio::test]
async fn relationships_lead_to_rows_of_the_tenant() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    for query in [
        Garage::query().with(Garage::vehicles).with(Garage::assets),
        Garage::query().with(Garage::vehicles.joined()).with(Garage::assets.joined()),
    ] {
        let garage = query.one(&db.session_for(1)?).await?;
        first_shops(garage.vehicles.get()?.iter().map(|row| &row.name), &["car"]);
        first_shops(garage.assets.get()?.iter().map(|row| &row.name), &["sign", "car"]);
    }
    let garage = Garage::query().one(&s).await?;
    first_shops(garage.load(Garage::vehicles).await?.iter().map(|row| &row.name), &["car"]);
    assert_eq!(Garage::query().filter(Garage::vehicles.any(Vehicle::name.eq("2 car"))).count(&s).await?, 0);
    assert_eq!(Garage::query().filter(Garage::vehicles.any(Vehicle::name.eq("1 car"))).count(&s).await?, 1);
    let pairs = Garage::query().join(Garage::vehicles).select((Garage::title, Vehicle::name)).all(&s).await?;
    assert_eq!(pairs, [("all".to_owned(), "1 car".to_owned())]);

    // The outer join keeps its left side, and shows nothing of others.
    let pairs = Trip::query()
        .left_join(Trip::vehicle)
        .left_join(Trip::driver)
        .order_by(Trip::id)
        .select((Trip::id, Vehicle::name.optional(), Engineer::name.optional()))
        .all(&s)
        .await?;
    assert_eq!(pairs, [(1, Some("1 car".into()), Some("1 bob".into())), (2, None, None)]);
    db.statements();
    let trips = Trip::query().order_by(Trip::id).with(Trip::driver).all(&s).await?;
    assert_eq!(
        db.work(),
        [
            r#"SELECT "trip"."id", "trip"."vehicle_id", "trip"."driver_id", "employee_1"."id", "employee_1"."name", "employee_1"."shop", "employee_1"."gone", "employee_1"."level" FROM "trip" LEFT JOIN "employee" AS "employee_1" ON "employee_1"."id" = "trip"."driver_id" AND "employee_1"."kind" IN ('engineer') AND "employee_1"."shop" = ? AND "employee_1"."gone" = ? ORDER BY "trip"."id""#
        ]
    );
    assert_eq!(trips[0].driver.get()?.unwrap().name, "1 bob");
    assert!(trips[1].driver.get()?.is_none());
    assert_eq!(trips[0].load(Trip::vehicle).await?.name, "1 car");
    assert!(trips[1].load(Trip::vehicle).await.is_err());
    assert_eq!(Trip::query().filter(Trip::vehicle.has(Vehicle::wheels.gt(0))).count(&s).await?, 1);
    assert_eq!(Trip::query().filter(Trip::driver.has(Engineer::level.gt(0))).count(&s).await?, 1);
    Ok(())
}

#[tokio::test]
async fn one_row_is_found_by_its_own_tenant_alone() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    let ids = db.rows("SELECT id FROM asset WHERE shop_id = 2 ORDER BY id");
    let ids: Vec<i64> = ids.iter().map(|id| id.parse().unwrap()).collect();
    let [sign, car, mule, bus] = ids[..] else { panic!("{ids:?}") };
    assert!(s.get::<Asset>(sign).await?.is_none() && s.get::<Asset>(car).await?.is_none());
    assert!(s.get::<Vehicle>(car).await?.is_none() && s.get::<Truck>(mule).await?.is_none());
    assert!(s.get::<Van>(bus).await?.is_none() && s.get::<Engineer>(4).await?.is_none());
    let all = db.session();
    all.all_tenants()?;
    assert_eq!(all.get_one::<Truck>(mule).await?.name, "2 mule");
    assert_eq!(all.get_one::<Engineer>(4).await?.name, "2 bob");
    assert_eq!((Vehicle::query().count(&all).await?, AnyAsset::query().count(&all).await?), (6, 8));

    // What it has not seen it cannot merge into.
    let theirs = all.get_one::<Vehicle>(car).await?.detach();
    assert!(s.merge(theirs.clone()).await.is_err() || s.flush().await.is_err());
    s.rollback().await?;
    assert_eq!(db.rows("SELECT shop_id FROM asset WHERE name = '2 car'"), ["2"]);

    // A row that went to another tenant meanwhile is gone.
    let own = Vehicle::query().filter(Vehicle::name.eq("1 car")).one(&s).await?;
    let boss = Engineer::query().one(&s).await?;
    db.change("UPDATE asset SET shop_id = 2; UPDATE employee SET shop = 2;");
    assert_eq!(s.refresh(&own).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(s.refresh(&boss).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(s.refresh_columns(&own, Vehicle::wheels).await.unwrap_err().kind(), ErrorKind::NotFound);

    // Without a tenant nothing is asked.
    let nobody = db.session();
    db.statements();
    for error in [
        Vehicle::query().all(&nobody).await.unwrap_err(),
        AnyAsset::query().all(&nobody).await.unwrap_err(),
        Engineer::query().count(&nobody).await.map(drop).unwrap_err(),
        nobody.get::<Truck>(3).await.map(drop).unwrap_err(),
        Vehicle::query().update(Vehicle::wheels.set(1)).execute(&nobody).await.map(drop).unwrap_err(),
        Vehicle::query().delete().execute(&nobody).await.map(drop).unwrap_err(),
        Vehicle::insert_all([Vehicle::build().name("x").wheels(1)]).execute(&nobody).await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidStatement);
        assert!(error.to_string().contains("and this session has none"), "{error}");
    }
    assert_eq!(db.work(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_flush_writes_rows_of_its_tenant() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    let car = Vehicle::query().filter(Vehicle::name.eq("1 car")).one(&s).await?;
    db.statements();
    car.set(Vehicle::wheels, 3);
    s.commit().await?;
    assert_eq!(
        db.work(),
        [
            r#"UPDATE "vehicle" SET "wheels" = ? WHERE "id" = ? AND EXISTS (SELECT 1 FROM "asset" WHERE "asset"."id" = "vehicle"."id" AND "shop_id" = ?)"#
        ]
    );
    car.set(Vehicle::name, "1 cart");
    s.commit().await?;
    assert_eq!(db.work(), [r#"UPDATE "asset" SET "name" = ? WHERE "id" = ? AND "shop_id" = ?"#]);

    // It has become another's, so that nothing is written.
    db.change("UPDATE asset SET shop_id = 2 WHERE name = '1 cart'");
    car.set(Vehicle::wheels, 5);
    assert_eq!(s.commit().await.unwrap_err().kind(), ErrorKind::StaleData);
    s.rollback().await?;
    s.delete_hard(&car);
    s.commit().await?;
    assert_eq!(db.rows("SELECT wheels FROM vehicle WHERE id = 2"), ["3"]);
    assert_eq!(db.rows("SELECT name FROM asset WHERE id = 2"), ["1 cart"]);

    let mule = Truck::query().one(&s).await?;
    mule.set(Truck::shop, 2);
    assert_eq!(s.flush().await.unwrap_err().kind(), ErrorKind::InvalidStatement);
    s.rollback().await?;
    s.add(Van::build().name("x").wheels(4).seats(2).shop(2));
    let error = s.flush().await.unwrap_err();
    assert!(error.to_string().contains("no business of this session"), "{error}");
    Ok(())
}

#[tokio::test]
async fn statements_on_many_rows_are_confined() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    assert_eq!(Vehicle::query().update(Vehicle::wheels.set(5)).execute(&s).await?, 3);
    assert_eq!(
        db.work(),
        [
            r#"UPDATE "vehicle" SET "wheels" = ? WHERE EXISTS (SELECT 1 FROM "asset" WHERE "vehicle"."id" = "asset"."id" AND "asset"."shop_id" = ? AND "asset"."deleted_at" IS NULL)"#
        ]
    );
    assert_eq!(Truck::query().update(Truck::tons.set(1)).execute(&s).await?, 1);
    assert_eq!(Van::query().filter(Van::id.gt(0)).update(Van::seats.set(1)).execute(&s).await?, 1);
    assert_eq!(Engineer::query().update(Engineer::level.set(9)).execute(&s).await?, 1);
    s.commit().await?;
    assert_eq!(db.rows(WHEELS), ["1 car|5", "1 mule|5", "1 bus|5", "2 car|4", "2 mule|6", "2 bus|4"]);
    assert_eq!(db.rows("SELECT tons FROM truck ORDER BY vehicle_id"), ["1", "9"]);
    assert_eq!(db.rows("SELECT seats FROM vehicle WHERE seats IS NOT NULL ORDER BY id"), ["1", "8"]);

    let rows = [Vehicle::build().name("1 new").wheels(2), Vehicle::build().name("1 old").wheels(2)];
    assert_eq!(Vehicle::insert_all(rows).execute(&s).await?, 2);
    let theirs = Vehicle::insert_all([Vehicle::build().name("x").wheels(2).shop(2)]).execute(&s).await;
    assert_eq!(theirs.unwrap_err().kind(), ErrorKind::InvalidStatement);
    s.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM asset WHERE shop_id = 1"), ["6"]);

    // New values from the rows of a model with several tables.
    let drivers = Trip::query().filter(Trip::vehicle_id.eq(Vehicle::id) & Vehicle::wheels.lt(9));
    assert_eq!(drivers.update(Trip::driver_id.set(None)).from::<Vehicle>().execute(&s).await?, 1);
    s.rollback().await?;

    db.change("DELETE FROM trip");
    assert_eq!(Vehicle::query().delete_hard().execute(&s).await?, 5);
    assert_eq!(Engineer::query().delete_hard().execute(&s).await?, 1);
    s.commit().await?;
    assert_eq!(db.rows(ASSETS), ["1 sign", "2 sign", "2 car", "2 mule", "2 bus"]);
    assert_eq!(db.rows("SELECT name FROM employee ORDER BY id"), ["1 ann", "2 ann", "2 bob"]);
    Ok(())
}

#[tokio::test]
async fn a_row_is_softly_deleted_in_the_table_of_the_root() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    let mule = Truck::query().one(&s).await?;
    let seen = s.get_one::<Asset>(mule.vehicle_id).await?;
    db.statements();
    s.delete(&mule);
    s.commit().await?;
    assert_eq!(db.work(), [r#"UPDATE "asset" SET "deleted_at" = ? WHERE "id" = ? AND "shop_id" = ?"#]);
    assert!(mule.deleted_at.is_some() && seen.deleted_at == mule.deleted_at, "as the root it is the same row");
    assert_eq!(db.rows(ASSETS).len(), 8);
    assert!(s.get::<Truck>(mule.vehicle_id).await?.is_none() && s.get::<Asset>(mule.vehicle_id).await?.is_none());
    assert_eq!((Truck::query().count(&s).await?, Vehicle::query().count(&s).await?), (0, 2));
    assert_eq!(AnyAsset::query().count(&s).await?, 3);
    // Wherever it is looked for, and in each form.
    assert_eq!(Truck::query().with_deleted().count(&s).await?, 1);
    assert_eq!(Vehicle::query().only_deleted().one(&s).await?.name, "1 mule");
    assert_eq!(AnyAsset::query().with_deleted().all(&s).await?.len(), 4);
    // What is at hand is given as what it is, deleted or not.
    assert!(matches!(&AnyAsset::of(&s, [seen.clone()]).await?[..], [AnyAsset::Truck(row)] if *row == mule));
    let tons = || Truck::tons.set(10);
    assert_eq!(Truck::query().update(tons()).execute(&s).await?, 0);
    assert_eq!(Truck::query().with_deleted().update(tons()).execute(&s).await?, 1);
    let garage = Garage::query().with_deleted().with(Garage::vehicles).one(&s).await?;
    assert_eq!(garage.vehicles.get()?.len(), 1);
    assert_eq!(Trip::query().filter(Trip::vehicle.has(Vehicle::wheels.gt(0))).count(&s).await?, 1);
    s.restore(&mule);
    s.commit().await?;
    assert_eq!(Truck::query().count(&s).await?, 1);

    let bob = Engineer::query().one(&s).await?;
    s.delete(&bob);
    s.commit().await?;
    assert_eq!((Engineer::query().count(&s).await?, Employee::query().count(&s).await?), (0, 1));
    assert_eq!(Engineer::query().only_deleted().count(&s).await?, 1);
    Ok(())
}

#[tokio::test]
async fn many_rows_are_softly_deleted_at_once() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    let held = Vehicle::query().order_by(Vehicle::id).all(&s).await?;
    db.statements();
    assert_eq!(Vehicle::query().filter(Vehicle::wheels.eq(4) & Vehicle::name.ne("x")).delete().execute(&s).await?, 2);
    let lock = Backend::current().pick("", " FOR UPDATE", " FOR UPDATE");
    assert_eq!(
        db.work(),
        [
            format!(
                r#"SELECT "asset"."id" FROM "asset" JOIN "vehicle" ON "vehicle"."id" = "asset"."id" WHERE "vehicle"."wheels" = ? AND "asset"."name" <> ? AND "asset"."shop_id" = ? AND "asset"."deleted_at" IS NULL{lock}"#
            ),
            format!(
                r#"UPDATE "asset" SET "deleted_at" = ? WHERE "asset"."id" {} AND "asset"."shop_id" = ? AND "asset"."deleted_at" IS NULL"#,
                one_of(2)
            ),
        ]
    );
    s.commit().await?;
    assert_eq!(db.rows("SELECT name FROM asset WHERE deleted_at IS NOT NULL ORDER BY id"), ["1 car", "1 bus"]);
    assert_eq!(Vehicle::query().count(&s).await?, 1);
    s.refresh(&held[0]).await?;
    assert!(held[0].deleted_at.is_some());

    assert_eq!(Engineer::query().delete().execute(&s).await?, 1);
    s.commit().await?;
    assert_eq!(db.rows(STAFF), ["1 ann|NULL|0", "1 bob|1|1", "2 ann|NULL|0", "2 bob|2|0"]);

    // The bin is emptied of the tenant's rows alone; the trip holds one of them.
    assert_eq!(
        Vehicle::query().only_deleted().delete_hard().execute(&s).await.unwrap_err().kind(),
        ErrorKind::ForeignKeyViolation
    );
    s.rollback().await?;
    db.change("DELETE FROM trip");
    assert_eq!(Vehicle::query().only_deleted().delete_hard().execute(&s).await?, 2);
    s.commit().await?;
    assert_eq!(db.rows(ASSETS), ["1 sign", "1 mule", "2 sign", "2 car", "2 mule", "2 bus"]);
    assert_eq!(db.rows(WHEELS), ["1 mule|6", "2 car|4", "2 mule|6", "2 bus|4"]);
    Ok(())
}
