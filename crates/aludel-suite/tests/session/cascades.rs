//! What follows a row that is deleted, removed or left alone; one-to-one relationships.

use crate::support::TestDb;
use aludel::prelude::*;

/// Owns its tracks, lends its singles, leaves its reviews to the database, and knows nothing of its plays.
#[derive(Model, Clone, Debug)]
struct Album {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[relationship(back_populates = album, cascade = "all, delete-orphan")]
    tracks: Many<Track>,
    #[relationship(back_populates = album)]
    singles: Many<Single>,
    #[relationship(back_populates = album, cascade = "all", passive_deletes)]
    reviews: Many<Review>,
    #[relationship(back_populates = album)]
    plays: Many<Play>,
    #[relationship(back_populates = album, cascade = "all, delete-orphan")]
    cover: One<Option<Cover>>,
}

#[derive(Model, Clone, Debug)]
struct Track {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Album::id)]
    album_id: i64,
    #[relationship(back_populates = tracks)]
    album: One<Album>,
    #[relationship(back_populates = track, cascade = "all")]
    lyrics: Many<Lyric>,
}

#[derive(Model, Clone, Debug)]
struct Lyric {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(references = Track::id)]
    track_id: i64,
    #[relationship(back_populates = lyrics)]
    track: One<Track>,
}

#[derive(Model, Clone, Debug)]
struct Single {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Album::id)]
    album_id: Option<i64>,
    #[relationship(back_populates = singles)]
    album: One<Option<Album>>,
}

#[derive(Model, Clone, Debug)]
struct Review {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(references = Album::id, on_delete = cascade)]
    album_id: i64,
    #[relationship(back_populates = reviews)]
    album: One<Album>,
}

#[derive(Model, Clone, Debug)]
struct Play {
    #[column(primary_key)]
    id: i64,
    #[column(references = Album::id)]
    album_id: i64,
    #[relationship(back_populates = plays)]
    album: One<Album>,
}

#[derive(Model, Clone, Debug)]
struct Cover {
    #[column(primary_key)]
    id: i64,
    file: String,
    #[column(references = Album::id, unique)]
    album_id: i64,
    #[relationship(back_populates = cover)]
    album: One<Album>,
}

/// An album with two tracks, of which one has lyrics, two singles, a review and a cover.
async fn released() -> Result<(TestDb, Session, Entity<Album>)> {
    let db =
        TestDb::of([Album::TABLE, Track::TABLE, Lyric::TABLE, Single::TABLE, Review::TABLE, Play::TABLE, Cover::TABLE])
            .await;
    let session = db.session();
    let lyrics = [Lyric::build().text("la")];
    let album = session.add(
        Album::build()
            .title("Blue")
            .tracks([Track::build().name("one").lyrics(lyrics), Track::build().name("two")])
            .singles([Single::build().name("s1"), Single::build().name("s2")])
            .reviews([Review::build().text("fine")])
            .cover(Cover::build().file("blue.png")),
    );
    session.commit().await?;
    db.statements();
    Ok((db, session, album))
}

impl TestDb {
    /// How many rows each table has: albums, tracks, lyrics, singles, reviews, covers.
    fn counts(&self) -> String {
        let tables = ["album", "track", "lyric", "single", "review", "cover"];
        let counts = tables.map(|table| format!("(SELECT count(*) FROM {table})"));
        self.rows(&format!("SELECT {}", counts.join(", "))).remove(0)
    }
}

#[tokio::test]
async fn new_rows_are_added_with_what_they_are_linked_to() -> Result<()> {
    let (db, session, _) = released().await?;
    assert_eq!(db.counts(), "1|2|1|2|1|1");
    let play = session.add(Play::build().album(Album::build().title("Red")));
    session.commit().await?;
    assert_eq!(play.album.get()?.title, "Red");
    assert_eq!(db.counts(), "2|2|1|2|1|1");
    Ok(())
}

#[tokio::test]
async fn delete_follows_the_cascades_also_into_what_is_not_loaded() -> Result<()> {
    let (db, _, album) = released().await?;
    let session = db.session();
    let album = session.get_one::<Album>(album.id).await?;
    session.delete(&album);
    session.commit().await?;
    assert_eq!(db.counts(), "0|0|0|2|0|0");
    assert_eq!(db.rows("SELECT name, album_id FROM single ORDER BY name"), ["s1|NULL", "s2|NULL"]);
    Ok(())
}

#[tokio::test]
async fn delete_follows_the_cascades_into_what_is_loaded_and_what_is_new() -> Result<()> {
    let (db, session, album) = released().await?;
    let tracks = album.load(Album::tracks).await?;
    let singles = album.load(Album::singles).await?;
    let cover = album.load(Album::cover).await?.expect("a cover");
    let new = album.push(Album::tracks, Track::build().name("new"));
    session.delete(&album);
    session.flush().await?;
    assert!(tracks.iter().all(Entity::is_deleted) && cover.is_deleted() && album.is_deleted());
    assert!(!new.is_pending() && !new.is_persistent());
    assert!(singles.iter().all(|single| single.album_id.is_none() && single.album.get().is_ok_and(|a| a.is_none())));
    session.commit().await?;
    assert!(!album.is_deleted() && !album.is_persistent());
    assert_eq!(db.counts(), "0|0|0|2|0|0");
    Ok(())
}

#[tokio::test]
async fn a_deletion_that_is_rolled_back_leaves_everything_as_it_was() -> Result<()> {
    let (db, session, album) = released().await?;
    let tracks = album.load(Album::tracks).await?;
    let singles = album.load(Album::singles).await?;
    session.delete(&album);
    session.flush().await?;
    session.rollback().await?;
    assert!(album.is_persistent() && tracks.iter().all(Entity::is_persistent));
    assert!(singles.iter().all(|single| single.album_id == Some(album.id)));
    assert_eq!(db.counts(), "1|2|1|2|1|1");
    assert_eq!(album.load(Album::tracks).await?, tracks);
    album.set(Album::title, "Green");
    session.commit().await?;
    assert_eq!(db.rows("SELECT title FROM album"), ["Green"]);
    Ok(())
}

#[tokio::test]
async fn passive_deletes_leave_the_children_to_the_database() -> Result<()> {
    let (db, session, album) = released().await?;
    session.delete(&album);
    session.commit().await?;
    assert!(db.work().iter().all(|sql| !sql.contains("\"review\"")), "reviews are neither read nor deleted");
    assert_eq!(db.rows("SELECT count(*) FROM review"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn a_parent_whose_children_need_it_cannot_be_deleted() -> Result<()> {
    let (db, session, album) = released().await?;
    session.add(Play::build().album(&album));
    session.commit().await?;
    session.delete(&album);
    let error = session.commit().await.expect_err("it has plays");
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation);
    session.rollback().await?;
    assert_eq!(db.counts(), "1|2|1|2|1|1");
    Ok(())
}

#[tokio::test]
async fn a_child_removed_from_a_collection_that_owns_it_is_deleted() -> Result<()> {
    let (db, session, album) = released().await?;
    let tracks = album.load(Album::tracks).await?;
    album.remove(Album::tracks, &tracks[0]);
    assert_eq!(album.tracks.entities()?, [tracks[1].clone()]);
    session.commit().await?;
    assert_eq!(db.counts(), "1|1|0|2|1|1");
    Ok(())
}

#[tokio::test]
async fn a_child_that_moves_to_another_parent_is_no_orphan() -> Result<()> {
    let (db, session, album) = released().await?;
    let other = session.add(Album::build().title("Red"));
    let tracks = album.load(Album::tracks).await?;
    album.remove(Album::tracks, &tracks[0]);
    other.push(Album::tracks, &tracks[0]);
    tracks[1].set(Track::album, &other);
    session.commit().await?;
    assert_eq!(db.counts(), "2|2|1|2|1|1");
    let moved = "SELECT album.title, name FROM track JOIN album ON album.id = album_id ORDER BY name";
    assert_eq!(db.rows(moved), ["Red|one", "Red|two"]);
    assert_eq!(other.load(Album::tracks).await?.len(), 2);
    assert!(album.load(Album::tracks).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_child_removed_from_a_collection_that_does_not_own_it_loses_its_parent() -> Result<()> {
    let (db, session, album) = released().await?;
    let singles = album.load(Album::singles).await?;
    album.remove(Album::singles, &singles[0]);
    assert_eq!((singles[0].album_id, album.singles.get()?.len()), (None, 1));
    session.commit().await?;
    assert_eq!(db.rows("SELECT name, album_id IS NULL FROM single ORDER BY name"), ["s1|1", "s2|0"]);
    Ok(())
}

#[tokio::test]
async fn a_child_that_needs_a_parent_cannot_be_left_without_one() -> Result<()> {
    let (db, session, album) = released().await?;
    let play = session.add(Play::build().album(&album));
    session.commit().await?;
    album.load(Album::plays).await?;
    album.remove(Album::plays, &play);
    let error = session.commit().await.expect_err("a play without an album");
    assert_eq!((error.kind(), error.table()), (ErrorKind::NotNullViolation, Some("play")));
    session.rollback().await?;
    assert_eq!(db.rows("SELECT count(*) FROM play"), ["1"]);
    Ok(())
}

#[tokio::test]
async fn a_one_to_one_relationship_is_written_and_read_from_both_sides() -> Result<()> {
    let (db, session, album) = released().await?;
    let cover = album.load(Album::cover).await?.expect("a cover");
    assert_eq!(cover.album.get()?.title, "Blue");
    assert_eq!(cover.load(Cover::album).await?, album);

    let red = session.add(Album::build().title("Red"));
    assert!(red.cover.get()?.is_none());
    let new = session.add(Cover::build().file("red.png").album(&red));
    assert_eq!(red.cover.entity()?, Some(new));
    session.commit().await?;
    let sql = "SELECT title, file FROM album LEFT JOIN cover ON album_id = album.id ORDER BY title";
    assert_eq!(db.rows(sql), ["Blue|blue.png", "Red|red.png"]);

    let other = db.session();
    let albums = Album::query().with(Album::cover.joined()).order_by(Album::title).all(&other).await?;
    let files: Vec<_> =
        albums.iter().map(|album| album.cover.get().map(|cover| cover.map(|c| c.file.clone()))).collect();
    assert_eq!(files.into_iter().collect::<Result<Vec<_>>>()?, [Some("blue.png".into()), Some("red.png".into())]);
    let selected = Album::query().with(Album::cover.selectin()).order_by(Album::title).all(&db.session()).await?;
    assert_eq!(selected[1].cover.get()?.expect("a cover").file, "red.png");
    Ok(())
}

#[tokio::test]
async fn an_owned_row_of_a_one_to_one_relationship_goes_when_it_is_replaced_or_unset() -> Result<()> {
    let (db, session, album) = released().await?;
    let old = album.load(Album::cover).await?.expect("a cover");
    // The row goes first: the key is unique.
    album.set(Album::cover, None);
    session.flush().await?;
    assert!(old.is_deleted());
    album.set(Album::cover, session.add(Cover::build().file("new.png").album(&album)));
    session.commit().await?;
    assert_eq!(db.rows("SELECT file, album_id FROM cover"), [format!("new.png|{}", album.id)]);
    album.load(Album::cover).await?;
    album.set(Album::cover, None);
    assert!(album.cover.get()?.is_none());
    session.commit().await?;
    assert_eq!(db.counts(), "1|2|1|2|1|0");
    Ok(())
}

#[tokio::test]
async fn a_bulk_delete_runs_the_cascades_of_the_database_alone() -> Result<()> {
    let (db, _, album) = released().await?;
    let session = db.session();
    session.sql("DELETE FROM cover").execute().await?;
    session.sql("DELETE FROM lyric").execute().await?;
    session.sql("DELETE FROM track").execute().await?;
    Single::query().update(Single::album_id.set(None::<i64>)).execute(&session).await?;
    assert_eq!(Album::query().filter(Album::id.eq(album.id)).delete().execute(&session).await?, 1);
    session.commit().await?;
    assert_eq!(db.counts(), "0|0|0|2|0|0", "the reviews by ON DELETE CASCADE");
    Ok(())
}

#[tokio::test]
async fn a_deleted_row_does_not_take_the_place_of_the_one_that_its_key_came_to_point_at() -> Result<()> {
    let db =
        TestDb::of([Album::TABLE, Track::TABLE, Lyric::TABLE, Single::TABLE, Review::TABLE, Play::TABLE, Cover::TABLE])
            .await;
    db.change(
        "INSERT INTO album VALUES (1, 'one'), (2, 'two');
         INSERT INTO cover (id, file, album_id) VALUES (1, 'a', 1), (2, 'b', 2);",
    );
    let session = db.session();
    let album = Album::query().with(Album::cover).filter(Album::id.eq(2)).one(&session).await?;
    let stray = session.get_one::<Cover>(1).await?;
    stray.set(Cover::album_id, 2);
    session.delete(&stray);
    assert_eq!(album.cover.get()?.map(|cover| cover.id), Some(2));
    session.commit().await?;
    assert_eq!(album.cover.get()?.map(|cover| cover.id), Some(2));
    assert_eq!(db.rows("SELECT id, album_id FROM cover"), ["2|2"]);
    Ok(())
}
