//! How many statements a cascade takes: one SELECT for each relationship, whatever the number of parents.

use crate::support::TestDb;
use aludel::prelude::*;

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

/// Twenty albums, each with three tracks of two lyrics, a single and a review.
async fn released() -> Result<TestDb> {
    let db = TestDb::new().await;
    let session = db.session();
    for album in 0..20 {
        let lyrics = || [Lyric::build().text("la"), Lyric::build().text("lo")];
        let tracks = (0..3).map(|track| Track::build().name(format!("{album}.{track}")).lyrics(lyrics()));
        session.add(
            Album::build()
                .title(format!("album {album}"))
                .tracks(tracks)
                .singles([Single::build().name(format!("s{album}"))])
                .reviews([Review::build().text("fine")]),
        );
    }
    session.commit().await?;
    db.statements();
    Ok(db)
}

const COUNTS: &str = "SELECT (SELECT count(*) FROM album), (SELECT count(*) FROM track), (SELECT count(*) FROM lyric), \
    (SELECT count(*) FROM single WHERE album_id IS NULL), (SELECT count(*) FROM review)";

fn starting_with(work: &[String], word: &str) -> usize {
    work.iter().filter(|sql| sql.starts_with(word)).count()
}

#[tokio::test]
async fn the_children_of_all_deleted_parents_are_one_select_for_each_relationship() -> Result<()> {
    let db = released().await?;
    let session = db.session();
    let albums = Album::query().order_by(Album::id).limit(15).all(&session).await?;
    albums.iter().for_each(|album| session.delete(album));
    db.statements();
    session.commit().await?;
    let work = db.work();
    assert_eq!(starting_with(&work, "SELECT"), 3, "tracks, singles, lyrics: {work:#?}");
    assert_eq!(starting_with(&work, "DELETE"), 3, "lyrics, tracks, albums: {work:#?}");
    assert_eq!(starting_with(&work, "UPDATE"), 15, "singles: {work:#?}");
    assert_eq!(db.rows(COUNTS), ["5|15|30|15|5"]);
    Ok(())
}

#[tokio::test]
async fn children_that_are_loaded_are_not_asked_for_again() -> Result<()> {
    let db = released().await?;
    let session = db.session();
    let albums = Album::query()
        .with(Album::tracks.with(Track::lyrics))
        .with(Album::singles)
        .with(Album::reviews)
        .order_by(Album::id)
        .limit(2)
        .all(&session)
        .await?;
    albums.iter().for_each(|album| session.delete(album));
    db.statements();
    session.flush().await?;
    let work = db.work();
    assert_eq!(starting_with(&work, "SELECT"), 0, "{work:#?}");
    assert_eq!(starting_with(&work, "DELETE"), 4, "lyrics, tracks, the loaded reviews, albums: {work:#?}");
    session.commit().await?;
    assert_eq!(db.rows(COUNTS), ["18|54|108|2|18"]);
    Ok(())
}

#[tokio::test]
async fn a_child_that_came_after_the_collection_was_loaded_is_found_all_the_same() -> Result<()> {
    let db = released().await?;
    let session = db.session();
    let album = Album::query().with(Album::tracks).order_by(Album::id).first(&session).await?.expect("an album");
    session.add(Track::build().name("late").album_id(album.id));
    session.flush().await?;
    session.delete(&album);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM track WHERE name = 'late'"), ["0"]);
    assert_eq!(db.rows(COUNTS), ["19|57|114|1|19"]);
    Ok(())
}

#[tokio::test]
async fn passive_deletes_leave_what_is_not_loaded_to_the_database_and_delete_what_is() -> Result<()> {
    let db = released().await?;
    let session = db.session();
    let albums = Album::query().order_by(Album::id).limit(2).all(&session).await?;
    let reviews = albums[0].load_one(Album::reviews).await?;
    albums.iter().for_each(|album| session.delete(album));
    db.statements();
    session.flush().await?;
    let work = db.work();
    let of_reviews: Vec<&String> = work.iter().filter(|sql| sql.contains("\"review\"")).collect();
    assert_eq!(of_reviews.len(), 1, "{work:#?}");
    assert!(of_reviews[0].starts_with("DELETE"), "{work:#?}");
    assert!(reviews[0].is_deleted());
    session.commit().await?;
    assert_eq!(db.rows(COUNTS), ["18|54|108|2|18"]);
    Ok(())
}

#[tokio::test]
async fn orphans_of_several_parents_are_one_delete() -> Result<()> {
    let db = released().await?;
    let session = db.session();
    let albums =
        Album::query().with(Album::tracks.with(Track::lyrics)).order_by(Album::id).limit(3).all(&session).await?;
    for album in &albums {
        let tracks = album.tracks.entities()?;
        album.remove(Album::tracks, &tracks[0]);
    }
    db.statements();
    session.commit().await?;
    let work = db.work();
    assert_eq!((starting_with(&work, "DELETE"), work.len()), (2, 2), "lyrics and tracks: {work:#?}");
    assert_eq!(db.rows(COUNTS), ["20|57|114|0|20"]);
    Ok(())
}

#[tokio::test]
async fn a_list_that_is_set_makes_orphans_and_new_rows() -> Result<()> {
    let db = released().await?;
    let session = db.session();
    let album = Album::query()
        .with(Album::tracks)
        .with(Album::singles)
        .order_by(Album::id)
        .first(&session)
        .await?
        .expect("one");
    let tracks = album.tracks.entities()?;
    let new = session.add(Track::build().name("new").album(&album));
    album.set(Album::tracks, [&new, &tracks[1]]);
    album.set(Album::singles, Vec::<Entity<Single>>::new());
    assert_eq!(album.tracks.entities()?, [new, tracks[1].clone()]);
    session.commit().await?;
    let left = db.rows(&format!("SELECT name FROM track WHERE album_id = {} ORDER BY name", album.id));
    assert_eq!(left, ["0.1", "new"]);
    assert_eq!(db.rows("SELECT name FROM single WHERE album_id IS NULL"), ["s0"]);
    Ok(())
}
