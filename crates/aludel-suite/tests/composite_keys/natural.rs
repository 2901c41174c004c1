//! Foreign keys of several columns to primary keys of several columns: trees, one-to-one and many-to-many relationships.
#![allow(clippy::duplicated_attributes, reason = "keys share columns")]

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct Site {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = site, cascade = "all", order_by = Room::number)]
    rooms: Many<Room>,
}

/// Its key has the one that the database makes for its site.
#[derive(Model, Clone, Debug)]
struct Room {
    #[column(primary_key, references = Site::id)]
    site_id: i64,
    #[column(primary_key)]
    number: i32,
    #[column(server_default = "4")]
    seats: i32,
    #[relationship(back_populates = rooms)]
    site: One<Site>,
    #[relationship(back_populates = room, order_by = Booking::id)]
    bookings: Many<Booking>,
    #[relationship(back_populates = room, cascade = "all, delete-orphan")]
    screen: One<Option<Screen>>,
    #[relationship(secondary = RoomGuest, back_populates = rooms, order_by = (Guest::land, Guest::number))]
    guests: Many<Guest>,
}

#[derive(Model, Clone, Debug)]
#[model(foreign_key(columns(site_id, room_number), references(Room::site_id, Room::number)))]
struct Booking {
    #[column(primary_key)]
    id: i64,
    site_id: Option<i64>,
    room_number: Option<i32>,
    #[relationship(back_populates = bookings)]
    room: One<Option<Room>>,
}

#[derive(Model, Clone, Debug)]
#[model(foreign_key(columns(site_id, room_number), references(Room::site_id, Room::number)))]
#[model(unique(columns(site_id, room_number)))]
struct Screen {
    #[column(primary_key)]
    id: i64,
    inches: i32,
    site_id: i64,
    room_number: i32,
    #[relationship(back_populates = screen)]
    room: One<Room>,
}

#[derive(Model, Clone, Debug)]
struct Guest {
    #[column(primary_key, length = 2)]
    land: String,
    #[column(primary_key)]
    number: i32,
    #[relationship(secondary = RoomGuest, back_populates = guests, order_by = Room::number)]
    rooms: Many<Room>,
}

/// Keys of two columns to either side.
#[derive(Model, Clone, Debug)]
#[model(foreign_key(columns(site_id, room_number), references(Room::site_id, Room::number)))]
#[model(foreign_key(columns(land, guest_number), references(Guest::land, Guest::number)))]
struct RoomGuest {
    #[column(primary_key)]
    site_id: i64,
    #[column(primary_key)]
    room_number: i32,
    #[column(primary_key, length = 2)]
    land: String,
    #[column(primary_key)]
    guest_number: i32,
}

/// A tree: a node's parent is of the same tree.
#[derive(Model, Clone, Debug)]
#[model(foreign_key(columns(tree, parent_number), references(Node::tree, Node::number)))]
struct Node {
    #[column(primary_key, length = 10)]
    tree: String,
    #[column(primary_key)]
    number: i32,
    parent_number: Option<i32>,
    #[relationship(foreign_key = parent_number, back_populates = children)]
    parent: One<Option<Node>>,
    #[relationship(foreign_key = (tree, parent_number), back_populates = parent, order_by = Node::number)]
    children: Many<Node>,
}

/// Two kinds of rows of one owner, linked by rows that have the owner once.
#[derive(Model, Clone, Debug)]
struct Note {
    #[column(primary_key)]
    owner: i32,
    #[column(primary_key)]
    number: i32,
    #[relationship(secondary = NoteTag, order_by = Tag::number)]
    tags: Many<Tag>,
}

#[derive(Model, Clone, Debug)]
struct Tag {
    #[column(primary_key)]
    owner: i32,
    #[column(primary_key)]
    number: i32,
}

#[derive(Model, Clone, Debug)]
#[model(foreign_key(columns(owner, note), references(Note::owner, Note::number)))]
#[model(foreign_key(columns(owner, tag), references(Tag::owner, Tag::number)))]
struct NoteTag {
    #[column(primary_key)]
    owner: i32,
    #[column(primary_key)]
    note: i32,
    #[column(primary_key)]
    tag: i32,
}

#[tokio::test]
async fn keys_that_the_database_makes_go_down_all_levels() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let site = session.add(Site::build().name("north").rooms([
        Room::build().number(1).bookings([Booking::build(), Booking::build()]).screen(Screen::build().inches(40)),
        Room::build().number(2).guests([Guest::build().land("de").number(7)]),
    ]));
    session.commit().await?;
    assert_eq!(site.rooms.get()?.iter().map(|room| (room.site_id, room.seats)).collect::<Vec<_>>(), [(site.id, 4); 2]);
    assert_eq!(db.rows("SELECT site_id, room_number FROM booking"), ["1|1", "1|1"]);
    assert_eq!(db.rows("SELECT site_id, room_number, inches FROM screen"), ["1|1|40"]);
    assert_eq!(db.rows("SELECT site_id, room_number, land, guest_number FROM room_guest"), ["1|2|de|7"]);
    // The identity map knows the room by its real key.
    let statements = db.statements().len();
    assert!(statements > 0);
    assert_eq!(session.get_or_404::<Room>((site.id, 2)).await?.guests.get()?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn keys_that_were_linked_before_they_were_known_are_followed() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let site = session.add(Site::build().name("north"));
    let other = session.add(Site::build().name("south"));
    let room = session.add(Room::build().number(1).site(&site));
    let booking = session.add(Booking::build().room(&room));
    room.set(Room::site, &other);
    room.set(Room::number, 9);
    session.commit().await?;
    assert_eq!((booking.site_id, booking.room_number), (Some(other.id), Some(9)));
    assert_eq!(db.rows("SELECT name, room_number FROM booking JOIN site ON site.id = site_id"), ["south|9"]);
    Ok(())
}

#[tokio::test]
async fn a_key_of_which_all_can_be_null_becomes_null() -> Result<()> {
    let db = TestDb::new().await;
    db.change(
        "INSERT INTO site (id, name) VALUES (1, 'x'); INSERT INTO room (site_id, number) VALUES (1, 1), (1, 2);
         INSERT INTO booking (id, site_id, room_number) VALUES (1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 1, NULL);",
    );
    let session = db.session();
    let room = session.get_or_404::<Room>((1, 1)).await?;
    let booking = session.get_or_404::<Booking>(1).await?;
    assert_eq!(booking.load(Booking::room).await?.map(|room| room.number), Some(1));
    booking.set(Booking::room, None);
    session.flush().await?;
    assert_eq!((booking.site_id, booking.room_number), (None, None));
    // A key that is NULL in part leads nowhere.
    let partly = session.get_or_404::<Booking>(4).await?;
    assert!(partly.load(Booking::room).await?.is_none());
    db.work();
    session.delete(&room);
    session.commit().await?;
    assert_eq!(
        db.rows("SELECT id, site_id, room_number FROM booking ORDER BY id"),
        ["1|NULL|NULL", "2|NULL|NULL", "3|1|2", "4|1|NULL"]
    );
    Ok(())
}

#[tokio::test]
async fn one_to_one_from_either_side() -> Result<()> {
    let db = TestDb::new().await;
    db.change(
        "INSERT INTO site (id, name) VALUES (1, 'x'); INSERT INTO room (site_id, number) VALUES (1, 1), (1, 2);
         INSERT INTO screen (id, inches, site_id, room_number) VALUES (1, 40, 1, 1);",
    );
    let session = db.session();
    let rooms = Room::query().with(Room::screen).order_by(Room::number).all(&session).await?;
    assert_eq!(rooms[0].screen.get()?.map(|screen| screen.inches), Some(40));
    assert!(rooms[1].screen.get()?.is_none());
    let old = session.get_or_404::<Screen>(1).await?;
    rooms[1].set(Room::screen, &old);
    assert!(rooms[0].screen.get()?.is_none());
    session.add(Screen::build().inches(55).room(&rooms[0]));
    session.commit().await?;
    assert_eq!(db.rows("SELECT inches, room_number FROM screen ORDER BY 1"), ["40|2", "55|1"]);
    rooms[0].load(Room::screen).await?;
    rooms[0].set(Room::screen, None);
    session.commit().await?;
    assert_eq!(db.rows("SELECT inches FROM screen"), ["40"], "an orphan is deleted");
    Ok(())
}

#[tokio::test]
async fn a_tree_is_written_parents_first_and_deleted_children_first() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let node = |number| Node::build().tree("oak").number(number);
    let leaf = session.add(node(3).parent(node(2).parent(node(1))));
    session.commit().await?;
    assert_eq!((leaf.tree.as_str(), leaf.parent_number), ("oak", Some(2)));
    assert_eq!(db.rows("SELECT number, parent_number FROM node ORDER BY 1"), ["1|NULL", "2|1", "3|2"]);

    let session = db.session();
    let nodes = Node::query().with(Node::children).order_by(Node::number).all(&session).await?;
    assert_eq!(nodes[0].children.get()?[0].children.get()?[0].number, 3);
    // To the root, and back: the tree's name is part of the key and of the parent's too.
    nodes[2].set(Node::parent, &nodes[0]);
    assert_eq!(nodes[0].children.get()?.len(), 2);
    nodes[1].set(Node::parent, None);
    session.commit().await?;
    assert_eq!(
        db.rows("SELECT tree, number, parent_number FROM node ORDER BY 2"),
        ["oak|1|NULL", "oak|2|NULL", "oak|3|1"]
    );
    for node in &nodes {
        session.delete(node);
    }
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM node"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn nodes_in_a_circle_are_inserted_and_deleted() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let one = session.add(Node::build().tree("oak").number(1));
    let two = session.add(Node::build().tree("oak").number(2).parent(&one));
    one.set(Node::parent, &two);
    session.commit().await?;
    assert_eq!(db.rows("SELECT number, parent_number FROM node ORDER BY 1"), ["1|2", "2|1"]);
    session.delete(&one);
    session.delete(&two);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM node"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn link_models_have_keys_of_several_columns_to_both_sides() -> Result<()> {
    let db = TestDb::new().await;
    db.change(
        "INSERT INTO site (id, name) VALUES (1, 'x'); INSERT INTO room (site_id, number) VALUES (1, 1), (1, 2);
         INSERT INTO guest (land, number) VALUES ('at', 1), ('de', 1), ('de', 2);
         INSERT INTO room_guest (site_id, room_number, land, guest_number) VALUES (1, 1, 'de', 1), (1, 1, 'de', 2), (1, 2, 'de', 1);",
    );
    let session = db.session();
    let rooms = Room::query().with(Room::guests).order_by(Room::number).all(&session).await?;
    assert_eq!(db.statements().len(), 2);
    let numbers = |room: &Entity<Room>| -> Result<Vec<String>> {
        Ok(room.guests.get()?.iter().map(|guest| format!("{}{}", guest.land, guest.number)).collect())
    };
    assert_eq!((numbers(&rooms[0])?, numbers(&rooms[1])?), (vec!["de1".into(), "de2".into()], vec!["de1".into()]));
    let at = session.get_or_404::<Guest>(("at".to_owned(), 1)).await?;
    let de1 = session.get_or_404::<Guest>(("de".to_owned(), 1)).await?;
    rooms[1].push(Room::guests, &at);
    rooms[0].remove(Room::guests, &de1);
    assert_eq!(at.load(Guest::rooms).await?.len(), 1);
    session.commit().await?;
    assert_eq!(
        db.rows("SELECT room_number, land, guest_number FROM room_guest ORDER BY 1, 2, 3"),
        ["1|de|2", "2|at|1", "2|de|1"]
    );
    let found = Room::query().filter(Room::guests.any(Guest::land.eq("at"))).all(&session).await?;
    assert_eq!(found.len(), 1);
    let joined =
        Guest::query().join(Guest::rooms).filter(Room::number.eq(2)).order_by(Guest::land).all(&session).await?;
    assert_eq!(joined.len(), 2);
    // A deleted row's links go by its key.
    session.delete(&rooms[1]);
    session.commit().await?;
    assert_eq!(db.rows("SELECT room_number, land, guest_number FROM room_guest"), ["1|de|2"]);
    Ok(())
}

#[tokio::test]
async fn a_link_that_has_a_column_for_both_keys_links_what_agrees() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let note = session.add(Note::build().owner(1).number(1).tags([Tag::build().owner(1).number(9)]));
    session.commit().await?;
    assert_eq!(db.rows("SELECT owner, note, tag FROM note_tag"), ["1|1|9"]);
    session.clear();
    let note = session.get_or_404::<Note>((note.owner, note.number)).await?;
    assert_eq!(note.load(Note::tags).await?[0].number, 9);
    note.push(Note::tags, Tag::build().owner(2).number(9));
    let error = session.flush().await.expect_err("another owner");
    assert!(error.to_string().contains("`NoteTag` has one `owner` for both, and theirs differ"), "{error}");
    Ok(())
}

#[tokio::test]
async fn thousands_of_keys_are_asked_for_at_once() -> Result<()> {
    let db = TestDb::new().await;
    db.change(
        "INSERT INTO node (tree, number) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
         SELECT 'a', i FROM n;
         INSERT INTO node (tree, number, parent_number) SELECT tree, number + 1000, number FROM node;
         INSERT INTO node (tree, number, parent_number) SELECT tree, number + 2000, number FROM node WHERE number > 1000;
         INSERT INTO node (tree, number) SELECT tree, number + 5000 FROM node WHERE parent_number IS NOT NULL;",
    );
    let session = db.session();
    let nodes = Node::query().with(Node::children).order_by(Node::number).all(&session).await?;
    assert_eq!(nodes.len(), 4_500);
    // At most 2048 keys of two columns in one statement.
    assert_eq!(db.statements().len(), 1 + 3);
    assert_eq!(
        nodes.iter().map(|node| node.children.get().map(|children| children.len())).sum::<Result<usize>>()?,
        1_800
    );
    session.clear();
    let leaves =
        Node::query().filter(Node::number.between(3_001, 4_999)).with(Node::parent.selectin()).all(&session).await?;
    assert_eq!(leaves.len(), 900);
    assert_eq!(db.statements().len(), 2);
    assert!(
        leaves
            .iter()
            .all(|leaf| leaf.parent.get().is_ok_and(|parent| parent.map(|parent| parent.number) == leaf.parent_number))
    );
    Ok(())
}
