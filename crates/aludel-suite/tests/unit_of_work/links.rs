//! Random sequences of links made and parted from either side end with the same pairs as the same on plain data.

use std::collections::BTreeSet;

use crate::support::{Backend, TestDb};
use aludel::prelude::*;
use proptest::prelude::*;

#[derive(Model, Clone, Debug)]
struct Article {
    #[column(primary_key)]
    id: Uuid,
    name: String,
    #[relationship(secondary = ArticleTag, back_populates = articles)]
    tags: Many<Tag>,
}

#[derive(Model, Clone, Debug)]
struct ArticleTag {
    #[column(primary_key, references = Article::id)]
    article_id: Uuid,
    #[column(primary_key, references = Tag::id)]
    tag_id: i64,
}

#[derive(Model, Clone, Debug)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(secondary = ArticleTag, back_populates = tags)]
    articles: Many<Article>,
}

/// One step; numbers choose among the rows that are alive.
#[derive(Clone, Debug)]
enum Step {
    AddArticle(Option<usize>),
    AddTag,
    Link(usize, usize, bool),
    Part(usize, bool),
    SetTags(usize, Vec<usize>),
    DeleteArticle(usize),
    DeleteTag(usize),
    LoadTags(usize),
    LoadArticles(usize),
    Flush,
    Savepoint,
    RollbackSavepoint,
    ReleaseSavepoint,
    Rollback,
    Commit,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0usize..1000;
    prop_oneof![
        3 => prop::option::of(n.clone()).prop_map(Step::AddArticle),
        3 => Just(Step::AddTag),
        8 => (n.clone(), n.clone(), any::<bool>()).prop_map(|(a, t, side)| Step::Link(a, t, side)),
        4 => (n.clone(), any::<bool>()).prop_map(|(link, side)| Step::Part(link, side)),
        2 => (n.clone(), prop::collection::vec(n.clone(), 0..4)).prop_map(|(a, tags)| Step::SetTags(a, tags)),
        1 => n.clone().prop_map(Step::DeleteArticle),
        1 => n.clone().prop_map(Step::DeleteTag),
        3 => n.clone().prop_map(Step::LoadTags),
        3 => n.prop_map(Step::LoadArticles),
        2 => Just(Step::Flush),
        2 => Just(Step::Savepoint),
        1 => Just(Step::RollbackSavepoint),
        1 => Just(Step::ReleaseSavepoint),
        1 => Just(Step::Rollback),
        2 => Just(Step::Commit),
        1 => Just(Step::Clear),
    ]
}

/// The plain data: rows by a number of their own, and pairs of an article and a tag.
#[derive(Clone, Debug, Default)]
struct Plain {
    articles: Vec<usize>,
    tags: Vec<usize>,
    links: BTreeSet<(usize, usize)>,
}

struct Subject {
    session: Session,
    articles: Vec<(usize, Entity<Article>)>,
    tags: Vec<(usize, Entity<Tag>)>,
    savepoints: Vec<(Savepoint, Plain)>,
    committed: Plain,
    plain: Plain,
    counter: usize,
}

fn pick<T: Clone>(rows: &[T], choice: usize) -> Option<T> {
    (!rows.is_empty()).then(|| rows[choice % rows.len()].clone())
}

impl Subject {
    fn article(&self, number: usize) -> Entity<Article> {
        self.articles.iter().find(|row| row.0 == number).map(|row| row.1.clone()).expect("a live article")
    }

    fn tag(&self, number: usize) -> Entity<Tag> {
        self.tags.iter().find(|row| row.0 == number).map(|row| row.1.clone()).expect("a live tag")
    }

    fn next(&mut self) -> (usize, String) {
        self.counter += 1;
        (self.counter, format!("n{}", self.counter))
    }

    async fn run(&mut self, step: Step) -> Result<()> {
        match step {
            Step::AddArticle(tag) => {
                let (number, name) = self.next();
                let tag = tag.and_then(|choice| pick(&self.plain.tags, choice));
                let tags: Vec<_> = tag.iter().map(|&tag| self.tag(tag)).collect();
                let article = self.session.add(Article::build().name(name).tags(tags));
                self.articles.push((number, article));
                self.plain.articles.push(number);
                self.plain.links.extend(tag.map(|tag| (number, tag)));
            }
            Step::AddTag => {
                let (number, name) = self.next();
                self.tags.push((number, self.session.add(Tag::build().name(name))));
                self.plain.tags.push(number);
            }
            Step::Link(article, tag, from_tag) => {
                if let (Some(article), Some(tag)) = (pick(&self.plain.articles, article), pick(&self.plain.tags, tag)) {
                    if from_tag {
                        self.tag(tag).push(Tag::articles, self.article(article));
                    } else {
                        self.article(article).push(Article::tags, self.tag(tag));
                    }
                    self.plain.links.insert((article, tag));
                }
            }
            Step::Part(choice, from_tag) => {
                let links: Vec<_> = self.plain.links.iter().copied().collect();
                if let Some((article, tag)) = pick(&links, choice) {
                    if from_tag {
                        self.tag(tag).remove(Tag::articles, &self.article(article));
                    } else {
                        self.article(article).remove(Article::tags, &self.tag(tag));
                    }
                    self.plain.links.remove(&(article, tag));
                }
            }
            Step::SetTags(choice, tags) => {
                if let Some(article) = pick(&self.plain.articles, choice) {
                    let tags: BTreeSet<usize> = tags.iter().filter_map(|&tag| pick(&self.plain.tags, tag)).collect();
                    let entity = self.article(article);
                    entity.load(Article::tags).await?;
                    entity.set(Article::tags, tags.iter().map(|&tag| self.tag(tag)).collect::<Vec<_>>());
                    self.plain.links.retain(|link| link.0 != article);
                    self.plain.links.extend(tags.into_iter().map(|tag| (article, tag)));
                }
            }
            Step::DeleteArticle(choice) => {
                if let Some(article) = pick(&self.plain.articles, choice) {
                    self.session.delete(&self.article(article));
                    self.plain.articles.retain(|&other| other != article);
                    self.plain.links.retain(|link| link.0 != article);
                }
            }
            Step::DeleteTag(choice) => {
                if let Some(tag) = pick(&self.plain.tags, choice) {
                    self.session.delete(&self.tag(tag));
                    self.plain.tags.retain(|&other| other != tag);
                    self.plain.links.retain(|link| link.1 != tag);
                }
            }
            Step::LoadTags(choice) => {
                if let Some(article) = pick(&self.plain.articles, choice) {
                    let loaded = self.article(article).load(Article::tags).await?;
                    let found: BTreeSet<String> = loaded.iter().map(|tag| tag.name.clone()).collect();
                    let links = self.plain.links.iter().filter(|link| link.0 == article);
                    assert_eq!(found, links.map(|link| format!("n{}", link.1)).collect());
                    assert_eq!(found.len(), loaded.len(), "no row comes twice");
                }
            }
            Step::LoadArticles(choice) => {
                if let Some(tag) = pick(&self.plain.tags, choice) {
                    let loaded = self.tag(tag).load(Tag::articles).await?;
                    let found: BTreeSet<String> = loaded.iter().map(|article| article.name.clone()).collect();
                    let links = self.plain.links.iter().filter(|link| link.1 == tag);
                    assert_eq!(found, links.map(|link| format!("n{}", link.0)).collect());
                    assert_eq!(found.len(), loaded.len(), "no row comes twice");
                }
            }
            Step::Flush => self.session.flush().await?,
            Step::Savepoint => {
                if self.savepoints.len() < 3 {
                    let savepoint = self.session.begin_nested().await?;
                    self.savepoints.push((savepoint, self.plain.clone()));
                }
            }
            Step::RollbackSavepoint => {
                if let Some((savepoint, plain)) = self.savepoints.pop() {
                    savepoint.rollback().await?;
                    self.plain = plain;
                }
            }
            Step::ReleaseSavepoint => {
                if let Some((savepoint, _)) = self.savepoints.pop() {
                    savepoint.release().await?;
                }
            }
            Step::Rollback => {
                self.savepoints.clear();
                self.session.rollback().await?;
                self.plain = self.committed.clone();
            }
            Step::Commit => {
                self.savepoints.clear();
                self.session.commit().await?;
                self.committed = self.plain.clone();
            }
            Step::Clear => self.reload().await?,
        }
        Ok(())
    }

    /// Commits, forgets all entities and gets those again that are alive.
    async fn reload(&mut self) -> Result<()> {
        Box::pin(self.run(Step::Commit)).await?;
        let articles: Vec<_> = self.plain.articles.iter().map(|&number| (number, self.article(number).id)).collect();
        let tags: Vec<_> = self.plain.tags.iter().map(|&number| (number, self.tag(number).id)).collect();
        self.articles.clear();
        self.tags.clear();
        self.session.clear();
        for (number, key) in articles {
            self.articles.push((number, self.session.get_one(key).await?));
        }
        for (number, key) in tags {
            self.tags.push((number, self.session.get_one(key).await?));
        }
        Ok(())
    }
}

/// Each has tables of its own, which take a server longer than a file.
fn cases() -> u32 {
    Backend::current().pick(300, 40, 40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_session_ends_with_the_pairs_of_plain_data(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let db = TestDb::new().await;
            let mut subject = Subject {
                session: db.session(),
                articles: Vec::new(),
                tags: Vec::new(),
                savepoints: Vec::new(),
                committed: Plain::default(),
                plain: Plain::default(),
                counter: 0,
            };
            for step in steps {
                subject.run(step).await.expect("each step is allowed");
            }
            subject.savepoints.clear();
            subject.session.commit().await.expect("a commit");
            let pairs = db.rows(
                "SELECT article.name, tag.name FROM article_tag JOIN article ON article.id = article_id \
                 JOIN tag ON tag.id = tag_id",
            );
            let expected = subject.plain.links.iter().map(|(article, tag)| format!("n{article}|n{tag}"));
            assert_eq!(pairs.into_iter().collect::<BTreeSet<_>>(), expected.collect());
            let counts = "SELECT (SELECT count(*) FROM article), (SELECT count(*) FROM tag), (SELECT count(*) FROM article_tag)";
            let plain = &subject.plain;
            let expected = format!("{}|{}|{}", plain.articles.len(), plain.tags.len(), plain.links.len());
            assert_eq!(db.rows(counts), [expected]);
        });
    }
}
