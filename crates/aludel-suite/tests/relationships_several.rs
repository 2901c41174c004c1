//! Several relationships between the same two models, one-to-one from either side, trees and graphs, and link models
//! with columns of their own.

mod support;

use aludel::prelude::*;
use support::TestDb;

/// Two collections of one model, each by a key of its own.
#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(foreign_key = sender_id, back_populates = sender, order_by = Letter::id)]
    sent: Many<Letter>,
    #[relationship(foreign_key = recipient_id, back_populates = recipient, order_by = Letter::id)]
    received: Many<Letter>,
    #[relationship(back_populates = user)]
    profile: One<Option<Profile>>,
    #[relationship(back_populates = user, cascade = "all, delete-orphan", order_by = Membership::role)]
    memberships: Many<Membership>,
}

#[derive(Model, Clone, Debug)]
struct Letter {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(references = User::id)]
    sender_id: i64,
    #[column(references = User::id)]
    recipient_id: Option<i64>,
    #[relationship(foreign_key = sender_id, back_populates = sent)]
    sender: One<User>,
    #[relationship(foreign_key = recipient_id, back_populates = received)]
    recipient: One<Option<User>>,
}

/// The side of a one-to-one relationship that has the key.
#[derive(Model, Clone, Debug)]
struct Profile {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(references = User::id, unique)]
    user_id: Option<i64>,
    #[relationship(back_populates = profile)]
    user: One<Option<User>>,
}

/// A link with a column of its own: a model in its own right.
#[derive(Model, Clone, Debug)]
struct Membership {
    #[column(primary_key, references = User::id)]
    user_id: i64,
    #[column(primary_key, references = Team::id)]
    team_id: i64,
    role: String,
    #[relationship(back_populates = memberships)]
    user: One<User>,
    #[relationship(back_populates = memberships)]
    team: One<Team>,
}

#[derive(Model, Clone, Debug)]
struct Team {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = team, cascade = "all, delete-orphan")]
    memberships: Many<Membership>,
}

/// A tree.
#[derive(Model, Clone, Debug)]
struct Folder {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Folder::id)]
    parent_id: Option<i64>,
    #[relationship(back_populates = children)]
    parent: One<Option<Folder>>,
    #[relationship(back_populates = parent, cascade = "all, delete-orphan", order_by = Folder::name)]
    children: Many<Folder>,
}

/// A graph whose edges have a length.
#[derive(Model, Clone, Debug)]
struct Place {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(foreign_key = from_id, back_populates = from, cascade = "all")]
    roads_out: Many<Road>,
    #[relationship(foreign_key = to_id, back_populates = to, cascade = "all")]
    roads_in: Many<Road>,
}

#[derive(Model, Clone, Debug)]
struct Road {
    #[column(primary_key)]
    id: i64,
    length: i64,
    #[column(references = Place::id)]
    from_id: i64,
    #[column(references = Place::id)]
    to_id: i64,
    #[relationship(foreign_key = from_id, back_populates = roads_out)]
    from: One<Place>,
    #[relationship(foreign_key = to_id, back_populates = roads_in)]
    to: One<Place>,
}

const LETTERS: &str = "SELECT text, a.name, b.name FROM letter JOIN user a ON a.id = sender_id \
    LEFT JOIN user b ON b.id = recipient_id ORDER BY letter.id";

#[tokio::test]
async fn each_relationship_keeps_to_its_own_key() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(User::build().name("Ann"));
    let bob = session.add(User::build().name("Bob"));
    let first = session.add(Letter::build().text("first").sender(&ann).recipient(&bob));
    let second = bob.push(User::sent, Letter::build().text("second"));
    ann.push(User::received, &second);
    assert_eq!(ann.sent.entities()?, [first.clone()]);
    assert_eq!(ann.received.entities()?, [second.clone()]);
    assert_eq!(bob.received.entities()?, [first.clone()]);
    session.commit().await?;
    assert_eq!(db.rows(LETTERS), ["first|Ann|Bob", "second|Bob|Ann"]);

    first.set(Letter::recipient, &ann);
    assert_eq!(ann.received.entities()?.len(), 2);
    assert!(bob.received.get()?.is_empty());
    bob.remove(User::sent, &second);
    ann.push(User::sent, &second);
    let error = session.commit().await;
    assert_eq!(error.expect_err("the sender may not be NULL").kind(), ErrorKind::NotNullViolation);
    session.rollback().await?;
    first.set(Letter::recipient, &ann);
    second.set(Letter::sender, &ann);
    second.set(Letter::recipient, None);
    session.commit().await?;
    assert_eq!(db.rows(LETTERS), ["first|Ann|Ann", "second|Ann|NULL"]);
    Ok(())
}

#[tokio::test]
async fn several_relationships_load_by_one_query() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(User::build().name("Ann"));
    let bob = session.add(User::build().name("Bob"));
    session.add(Letter::build().text("first").sender(&ann).recipient(&bob));
    session.add(Letter::build().text("second").sender(&bob).recipient(&ann));
    session.commit().await?;
    for joined in [false, true] {
        let session = db.session();
        db.statements();
        let users = User::query().order_by(User::id);
        let users = if joined {
            users.with(User::sent.joined()).with(User::received.joined())
        } else {
            users.with(User::sent).with(User::received)
        };
        let users = users.all(&session).await?;
        assert_eq!(db.statements().len(), if joined { 1 } else { 3 });
        assert_eq!(users[0].sent.get()?[0].text, "first");
        assert_eq!(users[0].received.get()?[0].text, "second");
        let wrote_to_bob = User::query().filter(User::sent.any(Letter::text.eq("first"))).all(&session).await?;
        assert_eq!(wrote_to_bob[0].name, "Ann");
    }
    Ok(())
}

#[tokio::test]
async fn a_one_to_one_relationship_is_set_from_the_side_without_the_key() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(User::build().name("Ann").profile(Profile::build().text("old")));
    session.commit().await?;
    let old = ann.load(User::profile).await?.expect("a profile");
    let new = session.add(Profile::build().text("new"));
    ann.set(User::profile, &new);
    assert!(old.user.get()?.is_none());
    session.commit().await?;
    assert_eq!(
        db.rows("SELECT text, user_id FROM profile ORDER BY text"),
        [format!("new|{}", ann.id), "old|NULL".into()]
    );

    session.delete(&ann);
    session.commit().await?;
    assert_eq!(db.rows("SELECT text, user_id FROM profile ORDER BY text"), ["new|NULL", "old|NULL"]);
    Ok(())
}

#[tokio::test]
async fn a_link_with_columns_of_its_own_is_a_model_with_two_relationships() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let team = session.add(Team::build().name("red"));
    let ann = session.add(User::build().name("Ann").memberships([Membership::build().role("lead").team(&team)]));
    let bob = session.add(User::build().name("Bob"));
    session.add(Membership::build().role("guest").user(&bob).team(&team));
    session.commit().await?;
    let members = "SELECT user.name, team.name, role FROM membership JOIN user ON user.id = user_id \
        JOIN team ON team.id = team_id ORDER BY user.name";
    assert_eq!(db.rows(members), ["Ann|red|lead", "Bob|red|guest"]);
    assert_eq!(db.work().len(), 3, "one INSERT for each table");

    let session = db.session();
    db.statements();
    let users = User::query().with(User::memberships.with(Membership::team)).order_by(User::name).all(&session).await?;
    assert_eq!(db.statements().len(), 3);
    let membership = &users[0].memberships.entities()?[0];
    assert_eq!((membership.role.as_str(), membership.team.get()?.name.as_str()), ("lead", "red"));
    membership.set(Membership::role, "coach");
    users[1].remove(User::memberships, &users[1].memberships.entities()?[0]);
    session.commit().await?;
    assert_eq!(db.rows(members), ["Ann|red|coach"]);
    let leads =
        User::query().filter(User::memberships.any(Membership::team.has(Team::name.eq("red")))).all(&session).await?;
    assert_eq!(leads.len(), 1);
    let _ = (ann, team);
    Ok(())
}

#[tokio::test]
async fn a_tree_is_written_read_and_deleted_as_a_whole() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let leaf = |name: &str| Folder::build().name(name);
    let root =
        session.add(Folder::build().name("root").children([leaf("a").children([leaf("a1"), leaf("a2")]), leaf("b")]));
    session.commit().await?;
    let tree = "SELECT f.name, p.name FROM folder f LEFT JOIN folder p ON p.id = f.parent_id ORDER BY 1";
    assert_eq!(db.rows(tree), ["a|root", "a1|a", "a2|a", "b|root", "root|NULL"]);

    let session = db.session();
    let load = Folder::children.with(Folder::children);
    db.statements();
    let found = Folder::query().filter(Folder::parent_id.is_null()).with(load).one(&session).await?;
    assert_eq!(db.statements().len(), 3);
    let names: Vec<_> = found.children.get()?[0].children.get()?.iter().map(|child| child.name.clone()).collect();
    assert_eq!(names, ["a1", "a2"]);

    // one SELECT for each level that is not loaded
    let session = db.session();
    let root = session.get_one::<Folder>(root.id).await?;
    db.statements();
    session.delete(&root);
    session.flush().await?;
    let selects = db.work().iter().filter(|sql| sql.starts_with("SELECT")).count();
    assert_eq!(selects, 3, "below the root, below a and b, below a1 and a2");
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM folder"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn a_graph_with_edges_of_their_own() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let [a, b, c] = ["a", "b", "c"].map(|name| session.add(Place::build().name(name)));
    for (from, to, length) in [(&a, &b, 1), (&b, &c, 2), (&c, &a, 3), (&a, &a, 4)] {
        session.add(Road::build().length(length).from(from).to(to));
    }
    session.commit().await?;
    let roads = "SELECT f.name, t.name, length FROM road JOIN place f ON f.id = from_id JOIN place t ON t.id = to_id ORDER BY length";
    assert_eq!(db.rows(roads), ["a|b|1", "b|c|2", "c|a|3", "a|a|4"]);

    let session = db.session();
    let places = Place::query().order_by(Place::name).with(Place::roads_out.with(Road::to)).all(&session).await?;
    let mut ends: Vec<_> = places[0]
        .roads_out
        .entities()?
        .iter()
        .map(|road| road.to.entity().map(|to| to.name.clone()))
        .collect::<Result<_>>()?;
    ends.sort();
    assert_eq!(ends, ["a", "b"]);
    session.delete(&places[0]);
    session.commit().await?;
    assert_eq!(db.rows(roads), ["b|c|2"]);
    Ok(())
}
