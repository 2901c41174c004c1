//! Entities as JSON: what is loaded is written, once, and nothing without end.

mod support;

use std::collections::BTreeMap;

use aludel::model::Json;
use aludel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use support::TestDb;

#[derive(Model, Clone, Debug, Serialize, Deserialize)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
    #[relationship(back_populates = user, serialize = never)]
    #[serde(default)]
    secrets: Many<Secret>,
}

#[derive(Model, Clone, Debug, Serialize, Deserialize)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id)]
    user_id: i64,
    #[column(references = User::id)]
    editor_id: Option<i64>,
    #[relationship(foreign_key = user_id, back_populates = posts)]
    author: One<User>,
    #[relationship(foreign_key = editor_id)]
    editor: One<Option<User>>,
}

#[derive(Model, Clone, Debug, Serialize, Deserialize)]
struct Secret {
    #[column(primary_key)]
    id: i64,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = secrets)]
    user: One<User>,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Student {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = student)]
    enrollments: Many<Enrollment>,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Course {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[relationship(back_populates = course)]
    enrollments: Many<Enrollment>,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Enrollment {
    #[column(primary_key, references = Student::id)]
    student_id: i64,
    #[column(primary_key, references = Course::id)]
    course_id: i64,
    #[relationship(back_populates = enrollments)]
    student: One<Student>,
    #[relationship(back_populates = enrollments)]
    course: One<Course>,
}

/// Leads to its members, who do not say that they lead back.
#[derive(Model, Clone, Debug, Serialize)]
struct Club {
    #[column(primary_key)]
    id: i64,
    #[relationship]
    memberships: Many<Membership>,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Person {
    #[column(primary_key)]
    id: i64,
    #[relationship]
    memberships: Many<Membership>,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Membership {
    #[column(primary_key, references = Club::id)]
    club_id: i64,
    #[column(primary_key, references = Person::id)]
    person_id: i64,
    #[relationship]
    club: One<Club>,
    #[relationship]
    person: One<Person>,
}

/// Renamed, flattened, skipped.
#[derive(Model, Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[column(primary_key)]
    id: i64,
    page_title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_title: Option<String>,
    #[serde(skip)]
    internal: i64,
    #[serde(flatten)]
    extra: Json<BTreeMap<String, i64>>,
    #[column(references = Page::id)]
    next_id: Option<i64>,
    #[serde(rename = "following")]
    #[relationship(foreign_key = next_id)]
    next: One<Option<Page>>,
}

async fn filled() -> TestDb {
    let db = TestDb::new().await;
    db.change(
        "INSERT INTO user VALUES (1, 'ann'), (2, 'bob');
         INSERT INTO post VALUES (1, 'one', 1, NULL), (2, 'two', 1, 2), (3, 'three', 1, 1);
         INSERT INTO secret VALUES (1, 1);",
    );
    db
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("serializable")
}

#[tokio::test]
async fn the_key_of_a_relationship_that_is_not_loaded_is_left_out() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    assert_eq!(json(&ann), json!({ "id": 1, "username": "ann" }));
    let post = session.get_one::<Post>(1).await?;
    assert_eq!(json(&post), json!({ "id": 1, "title": "one", "user_id": 1, "editor_id": null }));
    Ok(())
}

#[tokio::test]
async fn a_loaded_relationship_is_written_also_when_it_is_empty() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let bob = session.get_one::<User>(2).await?;
    bob.load(User::posts).await?;
    assert_eq!(json(&bob), json!({ "id": 2, "username": "bob", "posts": [] }));
    let post = session.get_one::<Post>(1).await?;
    post.load(Post::editor).await?;
    let expected = json!({ "id": 1, "title": "one", "user_id": 1, "editor_id": null, "editor": null });
    assert_eq!(json(&post), expected);
    Ok(())
}

#[tokio::test]
async fn the_way_back_is_left_out() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    let posts = ann.load(User::posts).await?;
    assert!(posts[0].author.is_loaded());
    let one = json!({ "id": 1, "title": "one", "user_id": 1, "editor_id": null });
    assert_eq!(json(&ann)["posts"][0], one);
    // The other way round: the author's posts lead back to this one.
    assert_eq!(json(&posts[0])["author"], json!({ "id": 1, "username": "ann" }));
    // A post edited by its author: that key leads to a row that is being written.
    posts[2].load(Post::editor).await?;
    assert_eq!(json(&ann)["posts"][2].get("editor"), None);
    assert_eq!(json(&ann)["posts"][1]["editor"]["username"], "bob");
    Ok(())
}

#[tokio::test]
async fn a_relationship_may_be_declared_never_to_be_written() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    ann.load(User::secrets).await?;
    assert_eq!(json(&ann), json!({ "id": 1, "username": "ann" }));
    Ok(())
}

#[tokio::test]
async fn pages_and_tuples_of_entities_are_written() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let page = User::query().order_by(User::id).paginate(&session, PageQuery::new(1).per_page(1)).await?;
    let page = json(&page);
    assert_eq!(page["items"], json!([{ "id": 1, "username": "ann" }]));
    assert_eq!((&page["total"], &page["pages"], &page["has_next"]), (&json!(2), &json!(2), &json!(true)));
    let pairs = Post::query().join(Post::author).select((Post::title, User::entity)).order_by(Post::id).limit(1);
    assert_eq!(json(&pairs.all(&session).await?), json!([["one", { "id": 1, "username": "ann" }]]));
    Ok(())
}

#[tokio::test]
async fn six_students_in_six_courses_loaded_in_both_directions_are_a_few_kilobytes() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let students: Vec<_> = (0..6).map(|i| session.add(Student::build().name(format!("student {i}")))).collect();
    let courses: Vec<_> = (0..6).map(|i| session.add(Course::build().title(format!("course {i}")))).collect();
    for student in &students {
        for course in &courses {
            session.add(Enrollment::build().student(student).course(course));
        }
    }
    session.commit().await?;
    session.clear();
    let load = Student::enrollments.with(Enrollment::course.with(Course::enrollments.with(Enrollment::student)));
    let students = Student::query().with(load).order_by(Student::id).all(&session).await?;
    let enrollments = students[0].enrollments.entities()?;
    let course = enrollments[0].course.get()?;
    assert!(course.enrollments.get()?.len() == 6 && course.enrollments.get()?[0].student.is_loaded());

    let one = serde_json::to_string(&students[0]).expect("serializable");
    assert_eq!(one.matches('{').count(), 1 + 6 + 6, "{one}");
    let all = serde_json::to_string(&students).expect("serializable");
    assert!(all.len() < 20_000, "{} bytes", all.len());
    assert_eq!(all.matches('{').count(), 6 * (1 + 6 + 6));
    Ok(())
}

#[tokio::test]
async fn what_has_no_way_back_and_grows_without_measure_is_an_error() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let clubs = session.add_all((0..6).map(|_| Club::build()));
    let people = session.add_all((0..6).map(|_| Person::build()));
    for club in &clubs {
        people.iter().for_each(|person| drop(session.add(Membership::build().club(club).person(person))));
    }
    session.commit().await?;
    session.clear();
    let load = Club::memberships.with(Membership::person.with(Person::memberships.with(Membership::club)));
    let clubs = Club::query().with(load).all(&session).await?;
    let error = serde_json::to_string(&clubs[0]).expect_err("hundreds of thousands of objects");
    assert!(error.to_string().contains("serialize = never"), "{error}");
    Ok(())
}

#[tokio::test]
async fn renamed_and_flattened_fields_are_written_as_serde_says() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let extra = BTreeMap::from([("depth".to_owned(), 3)]);
    let page = || Page::build().page_title("t").internal(9).extra(Json(extra.clone()));
    let last = session.add(page().page_title("last"));
    let first = session.add(page().next(&last).sub_title("s"));
    session.commit().await?;
    session.clear();
    let (first, last) = (session.get_one::<Page>(first.id).await?, last.id);
    let mut expected = json!({ "id": first.id, "pageTitle": "t", "subTitle": "s", "depth": 3, "nextId": last });
    assert_eq!(json(&first), expected);
    first.load(Page::next).await?;
    expected["following"] = json!({ "id": last, "pageTitle": "last", "depth": 3, "nextId": null });
    assert_eq!(json(&first), expected);
    Ok(())
}

/// A ring of pages, each of which leads to the next.
async fn ring(session: &Session, len: usize) -> Result<Vec<Entity<Page>>> {
    let page = || Page::build().page_title("t").internal(0).extra(Json(BTreeMap::new()));
    let pages: Vec<_> = (0..len).map(|_| session.add(page())).collect();
    for (at, page) in pages.iter().enumerate() {
        page.set(Page::next, &pages[(at + 1) % len]);
    }
    session.flush().await?;
    Ok(pages)
}

#[tokio::test]
async fn a_cycle_ends_where_it_comes_back() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let own = &ring(&session, 1).await?[0];
    assert_eq!(own.next.entity()?.as_ref(), Some(own));
    assert_eq!(json(own).get("following"), None);
    let three = ring(&session, 3).await?;
    let written = json(&three[0]);
    assert_eq!(written["following"]["following"]["id"], three[2].id);
    assert_eq!(written["following"]["following"].get("following"), None);
    Ok(())
}

#[tokio::test]
async fn what_is_nested_too_deeply_is_an_error_and_no_overflow() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let pages = ring(&session, 1000).await?;
    let error = serde_json::to_string(&pages[0]).expect_err("too deep");
    assert!(error.to_string().contains("rows deep"), "{error}");
    assert!(error.to_string().contains("serialize = never"), "{error}");
    assert!(serde_json::to_string(&ring(&session, 20).await?[0]).is_ok(), "the next one begins anew");
    Ok(())
}

#[tokio::test]
async fn debug_is_never_deep() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    let unloaded = "User { id: 1, username: \"ann\", posts: <not loaded>, secrets: <not loaded> }";
    assert_eq!(format!("{ann:?}"), unloaded);
    let posts = ann.load(User::posts).await?;
    assert_eq!(format!("{ann:?}"), unloaded.replacen("<not loaded>", "<3 loaded>", 1));
    let expected =
        "Post { id: 1, title: \"one\", user_id: 1, editor_id: None, author: <User 1>, editor: <not loaded> }";
    assert_eq!(format!("{:?}", posts[0]), expected);
    posts[0].load(Post::editor).await?;
    assert!(format!("{:?}", posts[0]).ends_with("editor: <none> }"));
    Ok(())
}

#[tokio::test]
async fn links_are_not_taken_from_input() {
    let user: User = serde_json::from_value(json!({ "id": 1, "username": "ann" })).expect("a missing relationship");
    assert!(!user.posts.is_loaded());
    let null = json!({ "id": 1, "username": "ann", "posts": null });
    assert!(serde_json::from_value::<User>(null).is_ok());
    for posts in [json!([]), json!([{ "id": 7 }]), json!({}), json!(1), json!("x")] {
        let input = json!({ "id": 1, "username": "ann", "posts": posts });
        let error = serde_json::from_value::<User>(input).expect_err("a link from outside");
        assert!(error.to_string().contains("relationship"), "{error}");
    }
    let input = json!({ "id": 1, "title": "t", "user_id": 1, "editor_id": null, "author": { "id": 1 } });
    assert!(serde_json::from_value::<Post>(input).is_err());
}

#[tokio::test]
async fn a_row_read_from_input_can_be_added() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user: User = serde_json::from_value(json!({ "id": 0, "username": "new" })).expect("a user");
    let user = session.add(user);
    session.commit().await?;
    assert_eq!(json(&user), json!({ "id": 3, "username": "new", "posts": [] }));
    assert_eq!(db.rows("SELECT username FROM user WHERE id = 3"), ["new"]);
    Ok(())
}

#[tokio::test]
async fn a_plain_value_outside_of_a_session_writes_null() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    ann.load(User::posts).await?;
    assert_eq!(json(&ann.detach()), json!({ "id": 1, "username": "ann", "posts": null, "secrets": null }));
    Ok(())
}
