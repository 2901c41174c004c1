//! Foreign keys that lead around in a circle: a key is written after its row, and given up before its row goes.

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct Country {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = City::id)]
    capital_id: Option<i64>,
    #[relationship(foreign_key = capital_id)]
    capital: One<Option<City>>,
    #[relationship(back_populates = country, cascade = "all, delete-orphan")]
    cities: Many<City>,
}

#[derive(Model, Clone, Debug)]
struct City {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Country::id)]
    country_id: i64,
    #[relationship(back_populates = cities)]
    country: One<Country>,
}

/// Two that may point at each other.
#[derive(Model, Clone, Debug)]
struct Glove {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Mitten::id)]
    mitten_id: Option<i64>,
    #[relationship(foreign_key = mitten_id)]
    mitten: One<Option<Mitten>>,
}

#[derive(Model, Clone, Debug)]
struct Mitten {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Glove::id)]
    glove_id: Option<i64>,
    #[relationship(foreign_key = glove_id)]
    glove: One<Option<Glove>>,
}

#[derive(Model, Clone, Debug)]
struct Dancer {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Dancer::id)]
    partner_id: Option<i64>,
    #[relationship(foreign_key = partner_id)]
    partner: One<Option<Dancer>>,
}

const COUNTRIES: &str =
    "SELECT country.name, city.name FROM country LEFT JOIN city ON city.id = capital_id ORDER BY country.name";

fn count(work: &[String], word: &str) -> usize {
    work.iter().filter(|sql| sql.starts_with(word)).count()
}

/// Three countries with their capitals and one more city each.
async fn mapped() -> Result<(TestDb, Session, Vec<Entity<Country>>)> {
    let db = TestDb::new().await;
    let session = db.session();
    let mut countries = Vec::new();
    for name in ["a", "b", "c"] {
        let country = session.add(Country::build().name(name).cities([City::build().name(format!("{name}2"))]));
        let capital = country.push(Country::cities, City::build().name(format!("{name}1")));
        country.set(Country::capital, &capital);
        countries.push(country);
    }
    session.commit().await?;
    Ok((db, session, countries))
}

#[tokio::test]
async fn rows_that_point_at_each_other_are_inserted_in_one_flush() -> Result<()> {
    let (db, _, countries) = mapped().await?;
    assert_eq!(db.rows(COUNTRIES), ["a|a1", "b|b1", "c|c1"]);
    let work = db.work();
    assert_eq!((count(&work, "INSERT"), count(&work, "UPDATE")), (2, 3), "{work:#?}");
    assert_eq!(countries[0].capital.get()?.map(|city| city.name.clone()), Some("a1".to_owned()));
    assert_eq!(countries[0].capital_id, countries[0].capital.get()?.map(|city| city.id));
    Ok(())
}

#[tokio::test]
async fn rows_that_point_at_each_other_are_deleted_in_one_flush() -> Result<()> {
    let (db, session, countries) = mapped().await?;
    session.delete(&countries[0]);
    session.delete(&countries[2]);
    db.statements();
    session.commit().await?;
    let work = db.work();
    let counts = (count(&work, "SELECT"), count(&work, "UPDATE"), count(&work, "DELETE"));
    assert_eq!(counts, (1, 1, 2), "the cities, the capitals given up, cities and countries: {work:#?}");
    assert_eq!(db.rows(COUNTRIES), ["b|b1"]);
    assert_eq!(db.rows("SELECT name FROM city ORDER BY name"), ["b1", "b2"]);
    Ok(())
}

#[tokio::test]
async fn the_order_in_which_they_were_deleted_does_not_matter() -> Result<()> {
    let (db, _, countries) = mapped().await?;
    let session = db.session();
    let country = session.get_one::<Country>(countries[0].id).await?;
    let cities = country.load(Country::cities).await?;
    cities.iter().for_each(|city| session.delete(city));
    session.delete(&country);
    session.commit().await?;
    assert_eq!(db.rows(COUNTRIES), ["b|b1", "c|c1"]);
    Ok(())
}

#[tokio::test]
async fn a_row_that_another_points_at_is_deleted_once_the_key_is_given_up() -> Result<()> {
    let (db, session, countries) = mapped().await?;
    let capital = countries[0].load(Country::capital).await?.expect("a capital");
    countries[0].set(Country::capital, None);
    session.delete(&capital);
    session.commit().await?;
    assert_eq!(db.rows(COUNTRIES), ["a|NULL", "b|b1", "c|c1"]);
    Ok(())
}

#[tokio::test]
async fn where_both_keys_can_be_null_one_is_given_up() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let left = session.add(Glove::build().name("left"));
    let right = session.add(Mitten::build().name("right").glove(&left));
    left.set(Glove::mitten, &right);
    session.commit().await?;
    let work = db.work();
    assert_eq!((count(&work, "INSERT"), count(&work, "UPDATE")), (2, 1), "{work:#?}");
    let both = "SELECT glove.name, mitten.name FROM glove JOIN mitten ON mitten.id = mitten_id AND glove_id = glove.id";
    assert_eq!(db.rows(both), ["left|right"]);

    session.delete(&left);
    session.delete(&right);
    session.commit().await?;
    let work = db.work();
    assert_eq!((count(&work, "UPDATE"), count(&work, "DELETE")), (1, 2), "{work:#?}");
    assert_eq!(db.rows("SELECT (SELECT count(*) FROM glove), (SELECT count(*) FROM mitten)"), ["0|0"]);
    Ok(())
}

#[tokio::test]
async fn rows_of_one_table_point_at_each_other() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Dancer::build().name("Ann"));
    let bob = session.add(Dancer::build().name("Bob").partner(&ann));
    ann.set(Dancer::partner, &bob);
    let cas = session.add(Dancer::build().name("Cas"));
    cas.set(Dancer::partner, &cas);
    session.commit().await?;
    let pairs = "SELECT a.name, b.name FROM dancer a JOIN dancer b ON b.id = a.partner_id ORDER BY 1";
    assert_eq!(db.rows(pairs), ["Ann|Bob", "Bob|Ann", "Cas|Cas"]);
    for dancer in [&ann, &bob, &cas] {
        session.delete(dancer);
    }
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM dancer"), ["0"]);
    Ok(())
}
