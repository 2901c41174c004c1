//! Keys: placeholders, UUIDs, composite keys, and the order in which new rows are inserted.

use crate::support::{Backend, TestDb, needs};
use aludel::prelude::*;

#[derive(Model, Clone, Debug, Default)]
struct Node {
    #[column(primary_key)]
    id: i32,
    name: String,
    #[column(references = Node::id)]
    parent_id: Option<i32>,
    #[relationship(back_populates = children)]
    parent: One<Option<Node>>,
    #[relationship(back_populates = parent, cascade = "all")]
    children: Many<Node>,
}

#[derive(Model, Clone, Debug)]
struct Student {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = student, cascade = "all, delete-orphan")]
    enrollments: Many<Enrollment>,
}

#[derive(Model, Clone, Debug)]
struct Course {
    #[column(primary_key)]
    id: Uuid,
    title: String,
    #[relationship(back_populates = course)]
    enrollments: Many<Enrollment>,
}

#[derive(Model, Clone, Debug)]
struct Enrollment {
    #[column(primary_key, references = Student::id)]
    student_id: i64,
    #[column(primary_key, references = Course::id)]
    course_id: Uuid,
    grade: Option<String>,
    #[relationship(back_populates = enrollments)]
    student: One<Student>,
    #[relationship(back_populates = enrollments)]
    course: One<Course>,
}

#[derive(Model, Clone, Debug)]
struct Team {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Player::id)]
    captain_id: Option<i64>,
    #[relationship(foreign_key = captain_id)]
    captain: One<Option<Player>>,
    #[relationship(back_populates = team)]
    players: Many<Player>,
}

#[derive(Model, Clone, Debug)]
struct Player {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Team::id)]
    team_id: i64,
    #[relationship(foreign_key = team_id, back_populates = players)]
    team: One<Team>,
}

/// A key that counts to 127.
#[derive(Model, Clone, Debug)]
struct Small {
    #[column(primary_key)]
    id: i8,
}

#[derive(Model, Clone, Debug)]
struct Hen {
    #[column(primary_key)]
    id: i64,
    #[column(references = Egg::id)]
    egg_id: i64,
    #[relationship]
    egg: One<Egg>,
}

#[derive(Model, Clone, Debug)]
struct Egg {
    #[column(primary_key)]
    id: i64,
    #[column(references = Hen::id)]
    hen_id: i64,
    #[relationship]
    hen: One<Hen>,
}

const TREE: &str = "SELECT n.name, p.name FROM node n LEFT JOIN node p ON p.id = n.parent_id ORDER BY n.name";

async fn database() -> TestDb {
    TestDb::of([
        Node::TABLE,
        Student::TABLE,
        Course::TABLE,
        Enrollment::TABLE,
        Team::TABLE,
        Player::TABLE,
        Small::TABLE,
        Hen::TABLE,
        Egg::TABLE,
    ])
    .await
}

#[tokio::test]
async fn keys_that_are_drawn_because_the_greatest_is_taken_belong_to_their_rows() -> Result<()> {
    needs!(Sqlite, "keys that are drawn");
    let db = database().await;
    db.change("INSERT INTO student VALUES (9223372036854775807, 'last')");
    let session = db.session();
    let added = session.add_all((0..20).map(|number| Student::build().name(format!("s{number}"))));
    session.commit().await?;
    for student in &added {
        let found = db.rows(&format!("SELECT name FROM student WHERE id = {}", student.id));
        assert_eq!(found, [student.name.clone()]);
    }
    Ok(())
}

#[tokio::test]
async fn a_generated_key_is_a_placeholder_of_its_own_until_the_flush() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let (a, b) = (session.add(Node::build().name("a")), session.add(Node::build().name("b")));
    assert!(a.is_pending() && a.id < 0 && b.id < 0 && a.id != b.id);
    session.flush().await?;
    assert!(a.is_persistent() && a.id > 0 && b.id > 0 && a.id != b.id);
    session.commit().await?;
    assert_eq!(db.rows("SELECT id, name FROM node ORDER BY name"), [format!("{}|a", a.id), format!("{}|b", b.id)]);
    Ok(())
}

#[tokio::test]
async fn a_placeholder_used_as_a_foreign_key_becomes_the_real_key() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let root = session.add(Node::build().name("root"));
    let child = session.add(Node::build().name("child").parent_id(root.id));
    let literal = session.add(Node { name: "literal".into(), parent_id: Some(child.id), ..Default::default() });
    let later = session.add(Node::build().name("later"));
    later.set(Node::parent_id, root.id);
    session.commit().await?;
    assert_eq!(db.rows(TREE), ["child|root", "later|root", "literal|child", "root|NULL"]);
    assert_eq!((child.parent_id, later.parent_id, literal.parent_id), (Some(root.id), Some(root.id), Some(child.id)));
    Ok(())
}

#[tokio::test]
async fn a_placeholder_set_on_a_row_that_is_there_becomes_the_real_key() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let old = session.add(Node::build().name("old"));
    session.commit().await?;
    let new = session.add(Node::build().name("new"));
    old.set(Node::parent_id, new.id);
    session.commit().await?;
    assert_eq!(old.parent_id, Some(new.id));
    assert_eq!(db.rows(TREE), ["new|NULL", "old|new"]);
    Ok(())
}

#[tokio::test]
async fn a_row_whose_insert_was_rolled_back_can_be_added_again() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let (node, pending) = (session.add(Node::build().name("a")), session.add(Node::build().name("b")));
    session.flush().await?;
    session.rollback().await?;
    assert_eq!((node.detach().id, pending.detach().id), (0, 0), "no placeholder is left");
    let again = session.add(node.detach());
    assert_eq!(session.add(Node::build().name("c")).detach().id, 0);
    session.commit().await?;
    // Servers do not give a key again.
    let id = Backend::current().pick(1, 3, 3);
    assert_eq!((again.id, again.detach().id), (id, id));
    assert_eq!(db.rows("SELECT id, name FROM node ORDER BY id"), [format!("{id}|a"), format!("{}|c", id + 1)]);
    Ok(())
}

#[tokio::test]
async fn a_small_key_type_holds_as_many_new_rows_as_half_of_its_values() -> Result<()> {
    let db = database().await;
    let session = db.session();
    session.add_all((0..200).map(|_| Node::build().name("n")));
    let few = session.add_all((0..127).map(|_| Small::build()));
    session.flush().await?;
    let mut keys: Vec<i8> = few.iter().map(|row| row.id).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((keys.len(), keys[0]), (127, 1));
    session.add_all([Small::build(), Small::build()]);
    let error = session.flush().await.expect_err("one too many");
    assert!(error.to_string().contains("small type"), "{error}");
    Ok(())
}

#[tokio::test]
async fn given_and_generated_keys_may_be_mixed_in_one_flush() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let nodes = [
        session.add(Node::build().name("a")),
        session.add(Node::build().id(50).name("b")),
        session.add(Node { id: 40, name: "c".into(), ..Default::default() }),
        session.add(Node::build().name("d")),
    ];
    session.commit().await?;
    assert_eq!((nodes[1].id, nodes[2].id), (50, 40));
    for node in &nodes {
        assert_eq!(db.rows(&format!("SELECT name FROM node WHERE id = {}", node.id)), [node.name.as_str()]);
    }
    Ok(())
}

#[tokio::test]
async fn a_uuid_key_is_made_when_the_row_is_added_and_stays() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let course = session.add(Course::build().title("glass"));
    let made = course.id;
    assert_eq!(made.get_version_num(), 7);
    let given = session.add(Course::build().id(Uuid::from_u128(1)).title("heat"));
    session.commit().await?;
    assert_eq!((course.id, given.id), (made, Uuid::from_u128(1)));
    session.clear();
    assert_eq!(session.get_one::<Course>(made).await?.title, "glass");
    Ok(())
}

/// What is set while the INSERT is under way stays on top of what it sends, and is the next flush's, whether the INSERT brings
/// something back or not.
#[tokio::test]
async fn what_is_set_while_a_row_is_being_inserted_is_written_by_the_next_flush() -> Result<()> {
    let db = database().await;
    let (session, other) = (db.session(), db.session());
    let student = session.add(Student::build().name("ann"));
    while_it_flushes(&session, &other, || student.set(Student::name, "anna")).await?;
    session.commit().await?;
    let course = session.add(Course::build().title("glass"));
    while_it_flushes(&session, &other, || course.set(Course::title, "glass and heat")).await?;
    assert_eq!((student.name.as_str(), course.title.as_str()), ("anna", "glass and heat"));
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM student"), ["anna"]);
    assert_eq!(db.rows("SELECT title FROM course"), ["glass and heat"]);
    // And so is what is set later.
    course.set(Course::title, "heat");
    session.commit().await?;
    assert_eq!(db.rows("SELECT title FROM course"), ["heat"]);
    Ok(())
}

/// Does something while a flush is under way, which on SQLite waits for the other session.
async fn while_it_flushes(session: &Session, other: &Session, act: impl FnOnce()) -> Result<()> {
    other.begin().await?;
    let mut flush = std::pin::pin!(session.flush());
    let waker = std::task::Waker::noop();
    assert!(flush.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    act();
    other.rollback().await?;
    flush.await
}

#[tokio::test]
async fn a_composite_key_of_two_new_rows_is_filled_in_and_found() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let (ann, bob) = (session.add(Student::build().name("ann")), session.add(Student::build().name("bob")));
    let glass = session.add(Course::build().title("glass"));
    let linked = session.add(Enrollment::build().student(&ann).course(&glass));
    let by_key = session.add(Enrollment::build().student_id(bob.id).course_id(glass.id).grade("A"));
    session.commit().await?;
    let sql = "SELECT name, title, grade FROM enrollment JOIN student ON student.id = student_id \
               JOIN course ON course.id = course_id ORDER BY name";
    assert_eq!(db.rows(sql), ["ann|glass|NULL", "bob|glass|A"]);
    assert_eq!(session.get::<Enrollment>((ann.id, glass.id)).await?, Some(linked));
    db.statements();
    assert_eq!(session.get::<Enrollment>((bob.id, glass.id)).await?, Some(by_key.clone()));

    by_key.set(Enrollment::grade, "B");
    session.commit().await?;
    session.delete(&by_key);
    session.commit().await?;
    assert_eq!(db.rows(sql), ["ann|glass|NULL"]);
    Ok(())
}

#[tokio::test]
async fn rows_with_composite_keys_are_deleted_with_their_parent() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let ann = session.add(Student::build().name("ann"));
    for title in ["glass", "heat", "salt"] {
        let course = session.add(Course::build().title(title));
        ann.push(Student::enrollments, Enrollment::build().course(&course));
    }
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM enrollment"), ["3"]);
    let first = ann.load(Student::enrollments).await?[0].clone();
    ann.remove(Student::enrollments, &first);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM enrollment"), ["2"]);
    session.delete(&ann);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM enrollment"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn a_tree_is_inserted_in_one_flush_whatever_the_order_of_its_rows() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let names: Vec<String> = (0..15).map(|i| format!("{i:02}")).collect();
    // Leaves first; the parent of i is (i - 1) / 2.
    let nodes: Vec<_> = names.iter().rev().map(|name| session.add(Node::build().name(name.as_str()))).collect();
    let node = |i: usize| &nodes[14 - i];
    for i in 1..15 {
        match i % 3 {
            0 => node(i).set(Node::parent, node((i - 1) / 2)),
            1 => node(i).set(Node::parent_id, node((i - 1) / 2).id),
            _ => drop(node((i - 1) / 2).push(Node::children, node(i))),
        }
    }
    db.statements();
    session.commit().await?;
    let inserts = db.work();
    assert!(inserts.len() <= 4, "one for each level: {inserts:#?}");
    let expected: Vec<String> =
        (0..15).map(|i: usize| format!("{}|{}", names[i], if i == 0 { "NULL" } else { &names[(i - 1) / 2] })).collect();
    assert_eq!(db.rows(TREE), expected);

    session.delete(node(0));
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM node"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn a_tree_of_nested_builders_is_inserted_whole() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let leaves = [Node::build().name("b1"), Node::build().name("b2")];
    session.add(Node::build().name("a").children([Node::build().name("b").children(leaves)]));
    session.commit().await?;
    assert_eq!(db.rows(TREE), ["a|NULL", "b|a", "b1|b", "b2|b"]);
    Ok(())
}

#[tokio::test]
async fn rows_that_point_at_each_other_are_inserted_by_way_of_the_nullable_key() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let team = session.add(Team::build().name("red"));
    let captain = team.push(Team::players, Player::build().name("ann"));
    team.push(Team::players, Player::build().name("bob"));
    team.set(Team::captain, &captain);
    session.commit().await?;
    assert_eq!(team.captain_id, Some(captain.id));
    let work = db.work();
    let updates: Vec<_> = work.iter().filter(|sql| sql.starts_with("UPDATE")).collect();
    assert_eq!(updates, [r#"UPDATE "team" SET "captain_id" = ? WHERE "id" = ?"#]);
    let sql =
        "SELECT team.name, player.name, captain_id = player.id FROM player JOIN team ON team.id = team_id ORDER BY 2";
    assert_eq!(db.rows(sql), ["red|ann|1", "red|bob|0"]);

    let players = team.load(Team::players).await?;
    session.delete(&team);
    players.iter().for_each(|player| session.delete(player));
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM team UNION ALL SELECT count(*) FROM player"), ["0", "0"]);
    Ok(())
}

#[tokio::test]
async fn rows_that_need_each_other_first_are_an_error_that_names_them() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let hen = session.add(Hen::build().egg_id(0));
    let egg = session.add(Egg::build().hen(&hen));
    hen.set(Hen::egg, &egg);
    let error = session.flush().await.expect_err("neither can be first");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("Hen") && error.to_string().contains("Egg"), "{error}");
    Ok(())
}
