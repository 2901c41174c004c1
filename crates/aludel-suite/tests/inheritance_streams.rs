//! Rows of a hierarchy one after another and in chunks, each as its own model.

mod support;

use aludel::CursorQuery;
use aludel::prelude::*;
use support::TestDb;

/// In one table.
#[derive(Model, Clone, Debug)]
#[model(identity = "shape")]
struct Shape {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(discriminator, length = 20)]
    kind: String,
}

#[derive(Model, Clone, Debug)]
#[model(inherits = Shape, identity = "circle")]
struct Circle {
    #[column(primary_key)]
    id: i64,
    name: String,
    radius: i64,
}

#[derive(Polymorphic, Clone, Debug, PartialEq)]
#[polymorphic(on = Shape::kind)]
enum AnyShape {
    Shape(Entity<Shape>),
    Circle(Entity<Circle>),
}

#[derive(Polymorphic, Clone, Debug)]
#[polymorphic(on = Shape::kind)]
enum OnlyShape {
    Shape(Entity<Shape>),
}

/// In two tables.
#[derive(Model, Clone, Debug)]
#[model(identity = "asset")]
struct Asset {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(discriminator, length = 20)]
    kind: String,
}

#[derive(Model, Clone, Debug)]
#[model(inherits = Asset, identity = "vehicle")]
struct Vehicle {
    #[column(primary_key, references = Asset::id)]
    vehicle_id: i64,
    name: String,
    wheels: i64,
    #[relationship(back_populates = vehicle)]
    trips: Many<Trip>,
}

#[derive(Model, Clone, Debug)]
struct Trip {
    #[column(primary_key)]
    id: i64,
    #[column(references = Vehicle::vehicle_id)]
    vehicle_id: i64,
    #[relationship(back_populates = trips)]
    vehicle: One<Vehicle>,
}

#[derive(Polymorphic, Clone, Debug, PartialEq)]
#[polymorphic(on = Asset::kind)]
enum AnyAsset {
    Asset(Entity<Asset>),
    Vehicle(Entity<Vehicle>),
}

impl AnyAsset {
    fn shown(&self) -> String {
        match self {
            Self::Asset(row) => format!("asset {} {}", row.id, row.name),
            Self::Vehicle(row) => format!("vehicle {} {} {}", row.vehicle_id, row.name, row.wheels),
        }
    }
}

/// Every third row is of the child.
async fn filled(rows: u32) -> TestDb {
    let db = TestDb::new().await;
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})");
    db.change(&format!(
        "INSERT INTO shape (id, name, kind, radius) {numbers}
         SELECT i, 'row', CASE WHEN i % 3 = 0 THEN 'circle' ELSE 'shape' END, CASE WHEN i % 3 = 0 THEN i END FROM n;"
    ));
    db.change(&format!(
        "INSERT INTO asset (id, name, kind) {numbers}
         SELECT i, 'row', CASE WHEN i % 3 = 0 THEN 'vehicle' ELSE 'asset' END FROM n;"
    ));
    db.change(&format!("INSERT INTO vehicle (vehicle_id, wheels) {numbers} SELECT i, i FROM n WHERE i % 3 = 0;"));
    db.statements();
    db
}

#[tokio::test]
async fn a_stream_yields_each_row_as_its_own_model() -> Result<()> {
    let db = filled(1000).await;
    let session = db.session();
    let mut stream = AnyShape::query().order_by(Shape::id).stream(&session);
    let mut next = 1;
    while let Some(row) = stream.next().await {
        match row? {
            AnyShape::Circle(row) => assert_eq!((row.id, row.radius, next % 3), (next, next, 0)),
            AnyShape::Shape(row) => assert_eq!((row.id, &*row.kind, next % 3 == 0), (next, "shape", false)),
        }
        next += 1;
    }
    assert_eq!((next, db.statements().len()), (1001, 1));

    let mut stream = AnyAsset::query().filter(Vehicle::wheels.is_null() | Vehicle::wheels.gt(990)).stream(&session);
    let (mut assets, mut vehicles) = (0, Vec::new());
    while let Some(row) = stream.next().await {
        match row? {
            AnyAsset::Asset(_) => assets += 1,
            AnyAsset::Vehicle(row) => vehicles.push((row.vehicle_id, row.wheels)),
        }
    }
    vehicles.sort_unstable();
    assert_eq!((assets, vehicles), (667, vec![(993, 993), (996, 996), (999, 999)]));
    assert_eq!(
        db.work(),
        [
            r#"SELECT "asset"."kind", "asset"."id", "asset"."name", "asset"."kind", "vehicle"."vehicle_id", "asset"."name", "vehicle"."wheels" FROM "asset" LEFT JOIN "vehicle" ON "vehicle"."vehicle_id" = "asset"."id" WHERE "vehicle"."wheels" IS NULL OR "vehicle"."wheels" > ?"#
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_stream_holds_few_rows_and_its_session_none() -> Result<()> {
    let db = filled(1000).await;
    let session = db.session();
    let mut stream = AnyAsset::query().order_by(Asset::id).stream(&session);
    let first = stream.next().await.unwrap()?;
    assert!(format!("{stream:?}").contains("buffered: 255"), "{stream:?}");
    drop(stream);

    // Of what was streamed no session knows.
    assert_eq!(first.shown(), "asset 1 row");
    let AnyAsset::Asset(streamed) = &first else { panic!("{first:?}") };
    streamed.set(Asset::name, "lost");
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM asset WHERE id = 1"), ["row"]);
    db.statements();
    let asset = session.get_one::<Asset>(1).await?;
    assert_eq!((db.statements().len(), &*asset.name, asset == *streamed), (1, "row", false));
    session.delete(streamed);
    assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::InvalidStatement);
    session.rollback().await?;

    // A relationship is not loaded, and cannot be.
    let mut stream = AnyAsset::query().filter(Vehicle::wheels.eq(3)).stream(&session);
    let Some(Ok(AnyAsset::Vehicle(vehicle))) = stream.next().await else { panic!("a vehicle") };
    assert_eq!(vehicle.trips.get().unwrap_err().kind(), ErrorKind::NotLoaded);
    assert_eq!(vehicle.load(Vehicle::trips).await.unwrap_err().kind(), ErrorKind::Detached);
    Ok(())
}

#[tokio::test]
async fn a_stream_in_a_transaction_sees_its_changes() -> Result<()> {
    let db = filled(3).await;
    let session = db.session();
    session.add(Vehicle::build().vehicle_id(7).name("new").wheels(2));
    let mut stream = AnyAsset::query().order_by(Asset::id).stream(&session);
    let mut seen = Vec::new();
    while let Some(row) = stream.next().await {
        seen.push(row?.shown());
    }
    assert_eq!(seen, ["asset 1 row", "asset 2 row", "vehicle 3 row 3", "vehicle 7 new 2"]);
    Ok(())
}

#[tokio::test]
async fn a_row_of_no_variant_ends_the_stream() -> Result<()> {
    let db = filled(4).await;
    let session = db.session();
    let mut stream = OnlyShape::query().order_by(Shape::id).stream(&session);
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("add the variant `Circle(Entity<Circle>)`"), "{error}");
    assert!(stream.next().await.is_none());

    let mut stream = OnlyShape::query().filter(Shape::kind.eq("shape")).order_by(Shape::id.desc()).stream(&session);
    let OnlyShape::Shape(row) = stream.next().await.unwrap()?;
    assert_eq!(row.id, 4);
    Ok(())
}

#[tokio::test]
async fn chunks_of_a_hierarchy_are_written_back() -> Result<()> {
    let db = filled(7).await;
    let session = db.session();
    let mut chunks = AnyAsset::query().stream_entities(&session, 3);
    let mut seen = Vec::new();
    while let Some(rows) = chunks.next().await? {
        seen.push(rows.iter().map(AnyAsset::shown).collect::<Vec<_>>().join(", "));
        for row in rows {
            match row {
                AnyAsset::Asset(row) => row.set(Asset::name, "seen"),
                AnyAsset::Vehicle(row) => row.set(Vehicle::wheels, row.wheels + 1),
            }
        }
    }
    session.commit().await?;
    assert_eq!(
        seen,
        ["asset 1 row, asset 2 row, vehicle 3 row 3", "asset 4 row, asset 5 row, vehicle 6 row 6", "asset 7 row"]
    );
    assert_eq!(db.rows("SELECT wheels FROM vehicle ORDER BY vehicle_id"), ["4", "7"]);
    assert_eq!(db.rows("SELECT count(*) FROM asset WHERE name = 'seen'"), ["5"]);
    let selects: Vec<String> = db.work().into_iter().filter(|sql| sql.starts_with("SELECT")).collect();
    assert_eq!(selects.len(), 3);
    // The key of the root's tells the rows apart.
    assert!(selects[1].ends_with(r#"WHERE "asset"."id" > ? ORDER BY "asset"."id" LIMIT ?"#), "{}", selects[1]);
    Ok(())
}

#[tokio::test]
async fn chunks_and_pages_follow_the_columns_of_children() -> Result<()> {
    let db = filled(6).await;
    let session = db.session();
    let id = |row: &AnyShape| match row {
        AnyShape::Shape(row) => row.id,
        AnyShape::Circle(row) => row.id,
    };
    let mut chunks = AnyShape::query().order_by(Circle::radius.desc().nulls_last()).stream_entities(&session, 2);
    let mut seen = Vec::new();
    while let Some(rows) = chunks.next().await? {
        seen.push(rows.iter().map(id).collect::<Vec<_>>());
    }
    assert_eq!(seen, [[6, 3], [5, 4], [2, 1]]);

    // A name that a child has from its parent is a column of the parent's table.
    let mut chunks = AnyAsset::query().order_by(Vehicle::name).stream_entities(&session, 4);
    assert_eq!(chunks.next().await?.unwrap().len(), 4);
    assert_eq!(chunks.next().await?.unwrap().len(), 2);
    Ok(())
}

#[tokio::test]
async fn keyset_pages_have_the_right_variants() -> Result<()> {
    let db = TestDb::connect(Db::builder().secret_key("0123456789abcdef")).await;
    let session = db.session();
    session.add(Asset::build().name("sign"));
    session.flush().await?;
    session.add(Vehicle::build().name("car").wheels(4));
    session.add(Vehicle::build().name("bike").wheels(2));
    session.commit().await?;
    let query = || AnyAsset::query().order_by(Vehicle::wheels.desc().nulls_last());
    let page = query().paginate_by_key(&session, CursorQuery::new().per_page(2)).await?;
    assert_eq!(page.iter().map(AnyAsset::shown).collect::<Vec<_>>(), ["vehicle 2 car 4", "vehicle 3 bike 2"]);
    let page = query().paginate_by_key(&session, CursorQuery::at(page.next.unwrap()).per_page(2)).await?;
    assert_eq!(page.iter().map(AnyAsset::shown).collect::<Vec<_>>(), ["asset 1 sign"]);
    Ok(())
}
