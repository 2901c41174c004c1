//! Deferred columns of a hierarchy: of the root, which hold for all, and of a child.

mod support;

use aludel::prelude::*;
use support::TestDb;

#[derive(Model, Clone, Debug)]
#[model(identity = "page")]
struct Page {
    #[column(primary_key)]
    id: i64,
    #[column(length = 40)]
    title: String,
    #[column(discriminator, length = 20)]
    kind: String,
    #[column(deferred, text)]
    body: Deferred<String>,
}

/// In the same table.
#[derive(Model, Clone, Debug)]
#[model(inherits = Page, identity = "story")]
struct Story {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(deferred, text)]
    body: Deferred<String>,
    #[column(deferred, text)]
    notes: Deferred<String>,
}

/// In a table of its own.
#[derive(Model, Clone, Debug)]
#[model(inherits = Page, identity = "report")]
struct Report {
    #[column(primary_key, references = Page::id)]
    page_id: i64,
    title: String,
    #[column(deferred, text)]
    body: Deferred<String>,
    #[column(deferred, text)]
    annex: Deferred<Option<String>>,
    pages: i64,
}

#[derive(Polymorphic, Clone, Debug)]
#[polymorphic(on = Page::kind)]
enum AnyPage {
    Page(Entity<Page>),
    Story(Entity<Story>),
    Report(Entity<Report>),
}

async fn shelf() -> Result<TestDb> {
    let db = TestDb::new().await;
    let session = db.session();
    session.add(Page::build().title("p").body("pb"));
    session.flush().await?;
    session.add_all(["1", "2"].map(|n| Story::build().title(n).body(format!("sb{n}")).notes(format!("sn{n}"))));
    session.flush().await?;
    session
        .add_all(["3", "4"].map(|n| Report::build().title(n).body(format!("rb{n}")).annex(format!("ra{n}")).pages(7)));
    session.commit().await?;
    db.statements();
    Ok(db)
}

#[tokio::test]
async fn they_are_left_out_and_loaded_for_all_at_once() -> Result<()> {
    let db = shelf().await?;
    let session = db.session();
    let reports = Report::query().order_by(Report::page_id).all(&session).await?;
    let work = db.work();
    assert!(
        work[0].starts_with(
            r#"SELECT "report"."page_id", "report"."title", NULL AS "body", NULL AS "annex", "report"."pages" FROM (SELECT"#
        ),
        "{}",
        work[0]
    );
    assert_eq!(reports[0].annex.get().unwrap_err().kind(), ErrorKind::NotLoaded);
    assert_eq!(reports[0].load(Report::annex).await?.as_deref(), Some("ra3"));
    assert_eq!((reports[1].annex.get()?.as_deref(), db.statements().len()), (Some("ra4"), 1));
    // A column that is in the root's table.
    assert_eq!(reports[1].load(Report::body).await?, "rb4");
    assert_eq!((&**reports[0].body.get()?, db.statements().len()), ("rb3", 1));

    let stories = Story::query().with(Story::notes).order_by(Story::id).all(&session).await?;
    assert_eq!((&**stories[1].notes.get()?, stories[1].body.is_loaded(), db.statements().len()), ("sn2", false, 1));
    assert_eq!(stories[0].load(Story::body).await?, "sb1");
    assert_eq!(
        Report::query().filter(Report::annex.eq("ra4") & Report::body.eq("rb4")).one(&session).await?.title,
        "4"
    );
    let page = session.get_one::<Page>(4).await?;
    assert!(!page.body.is_loaded());
    assert_eq!(page.load(Page::body).await?, "rb3");
    Ok(())
}

#[tokio::test]
async fn a_polymorphic_query_does_not_read_them() -> Result<()> {
    let db = shelf().await?;
    let session = db.session();
    let all = AnyPage::query().order_by(Page::id).all(&session).await?;
    assert_eq!(
        db.work(),
        [
            r#"SELECT "page"."kind", "page"."id", "page"."title", "page"."kind", NULL, "page"."id", "page"."title", NULL, NULL, "report"."page_id", "page"."title", NULL, NULL, "report"."pages" FROM "page" LEFT JOIN "report" ON "report"."page_id" = "page"."id" ORDER BY "page"."id""#
        ]
    );
    let AnyPage::Story(story) = &all[1] else { panic!("{all:?}") };
    let AnyPage::Report(report) = &all[4] else { panic!("{all:?}") };
    assert!(!story.body.is_loaded() && !report.annex.is_loaded());
    assert_eq!(report.load(Report::annex).await?.as_deref(), Some("ra4"));
    assert_eq!(db.work().len(), 1, "for the other one too");
    let AnyPage::Report(other) = &all[3] else { panic!("{all:?}") };
    assert!(other.annex.is_loaded());

    let mut stream = AnyPage::query().order_by(Page::id.desc()).stream(&session);
    let Some(Ok(AnyPage::Report(report))) = stream.next().await else { panic!("a report") };
    assert_eq!((report.pages, report.annex.get().unwrap_err().kind()), (7, ErrorKind::NotLoaded));
    Ok(())
}

#[tokio::test]
async fn they_are_written_and_kept_in_step() -> Result<()> {
    let db = shelf().await?;
    let session = db.session();
    let report = session.get_one::<Report>(4).await?;
    let page = session.get_one::<Page>(4).await?;
    report.set(Report::body, "new");
    report.set(Report::annex, "more");
    session.commit().await?;
    assert_eq!(
        db.work()[2..],
        [r#"UPDATE "page" SET "body" = ? WHERE "id" = ?"#, r#"UPDATE "report" SET "annex" = ? WHERE "page_id" = ?"#]
    );
    assert_eq!(page.load(Page::body).await?, "new");
    report.set(Report::title, "t");
    page.set(Page::body, "by the page");
    session.commit().await?;
    assert_eq!(report.load(Report::body).await?, "by the page");
    assert_eq!(
        db.rows("SELECT page.title, page.body, report.annex FROM page JOIN report ON page_id = id ORDER BY id"),
        ["t|by the page|more", "4|rb4|ra4"]
    );
    Ok(())
}
