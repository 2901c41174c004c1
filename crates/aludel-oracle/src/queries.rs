//! The queries of the programs.

use aludel::prelude::*;

use crate::models::{Article, Category, Comment, Person, Tag};
use crate::program::{Filter, How, Kind, Path, Rel};
use crate::rows::{Row, Shown, no_such, sorted};

/// `$body` for the model of a kind.
macro_rules! with_model {
    ($kind:expr, $model:ident => $body:expr) => {
        match $kind {
            Kind::Person => with_model!(@ Person, $model, $body),
            Kind::Category => with_model!(@ Category, $model, $body),
            Kind::Article => with_model!(@ Article, $model, $body),
            Kind::Comment => with_model!(@ Comment, $model, $body),
            Kind::Tag => with_model!(@ Tag, $model, $body),
        }
    };
    (@ $type:ident, $model:ident, $body:expr) => {{
        type $model = $type;
        $body
    }};
}

macro_rules! filtered {
    ($model:ident, $filter:expr) => {
        match $filter {
            Filter::All => $model::query(),
            Filter::Above(n) => $model::query().filter($model::n.gt(*n)),
            Filter::NoNumber => $model::query().filter($model::n.is_null()),
            Filter::NameBelow(name) => $model::query().filter($model::name.lt(name.as_str())),
        }
    };
}

/// The rows of a query, in its order.
pub(crate) async fn select(
    session: &Session,
    kind: Kind,
    filter: &Filter,
    descending: bool,
    limit: Option<u64>,
) -> Result<String> {
    with_model!(kind, M => {
        let mut query = filtered!(M, filter);
        query = if descending {
            query.order_by((M::name.desc(), M::label.desc()))
        } else {
            query.order_by((M::name, M::label))
        };
        if let Some(limit) = limit {
            query = query.limit(limit);
        }
        let rows = query.all(session).await?;
        Ok(rows.iter().map(|row| row.shown()).collect::<Vec<_>>().join(", "))
    })
}

/// A row by its label.
pub(crate) async fn find(session: &Session, kind: Kind, label: &str) -> Result<Option<Row>> {
    Ok(match kind {
        Kind::Person => Person::query().filter(Person::label.eq(label)).first(session).await?.map(Row::Person),
        Kind::Category => Category::query().filter(Category::label.eq(label)).first(session).await?.map(Row::Category),
        Kind::Article => Article::query().filter(Article::label.eq(label)).first(session).await?.map(Row::Article),
        Kind::Comment => Comment::query().filter(Comment::label.eq(label)).first(session).await?.map(Row::Comment),
        Kind::Tag => Tag::query().filter(Tag::label.eq(label)).first(session).await?.map(Row::Tag),
    })
}

pub(crate) async fn bulk_update(session: &Session, kind: Kind, filter: &Filter, n: Option<i64>) -> Result<u64> {
    with_model!(kind, M => filtered!(M, filter).update(M::n.set(n)).execute(session).await)
}

pub(crate) async fn bulk_delete(session: &Session, filter: &Filter) -> Result<u64> {
    filtered!(Comment, filter).delete().execute(session).await
}

/// All rows of a kind with what a relationship of theirs leads to, read without another statement.
pub(crate) async fn eager(session: &Session, kind: Kind, rel: Rel, how: How) -> Result<String> {
    macro_rules! many {
        ($model:ident . $rel:ident) => {{
            let load = if how == How::Joined { $model::$rel.joined() } else { $model::$rel.selectin() };
            let rows = $model::query().with(load).order_by($model::label).all(session).await?;
            let rows = rows.iter().map(|row| Ok(format!("{} [{}]", row.shown(), sorted(&row.$rel.entities()?))));
            rows.collect::<Result<Vec<_>>>()?.join("; ")
        }};
    }
    macro_rules! maybe {
        ($model:ident . $rel:ident) => {{
            let load = if how == How::Joined { $model::$rel.joined() } else { $model::$rel.selectin() };
            let rows = $model::query().with(load).order_by($model::label).all(session).await?;
            let rows = rows.iter().map(|row| {
                let to = row.$rel.entity()?.map_or_else(|| "none".to_owned(), |to| to.shown());
                Ok(format!("{} [{to}]", row.shown()))
            });
            rows.collect::<Result<Vec<_>>>()?.join("; ")
        }};
    }
    Ok(match (kind, rel) {
        (Kind::Person, Rel::Articles) => many!(Person.articles),
        (Kind::Person, Rel::Comments) => many!(Person.comments),
        (Kind::Category, Rel::Children) => many!(Category.children),
        (Kind::Category, Rel::Articles) => many!(Category.articles),
        (Kind::Category, Rel::Parent) => maybe!(Category.parent),
        (Kind::Article, Rel::Author) => maybe!(Article.author),
        (Kind::Article, Rel::Category) => maybe!(Article.category),
        (Kind::Article, Rel::Comments) => many!(Article.comments),
        (Kind::Article, Rel::Tags) => many!(Article.tags),
        (Kind::Comment, Rel::Writer) => maybe!(Comment.writer),
        (Kind::Comment, Rel::Article) => {
            let load = if how == How::Joined { Comment::article.joined() } else { Comment::article.selectin() };
            let rows = Comment::query().with(load).order_by(Comment::label).all(session).await?;
            let rows = rows.iter().map(|row| Ok(format!("{} [{}]", row.shown(), row.article.entity()?.shown())));
            rows.collect::<Result<Vec<_>>>()?.join("; ")
        }
        (Kind::Tag, Rel::Articles) => many!(Tag.articles),
        _ => return Err(no_such(rel)),
    })
}

/// All rows of a kind, with what a relationship of each leads to, loaded from the first on.
pub(crate) async fn load_all(session: &Session, kind: Kind, rel: Rel) -> Result<String> {
    let rows: Vec<Row> = match kind {
        Kind::Person => {
            Person::query().order_by(Person::label).all(session).await?.into_iter().map(Row::Person).collect()
        }
        Kind::Category => {
            Category::query().order_by(Category::label).all(session).await?.into_iter().map(Row::Category).collect()
        }
        Kind::Article => {
            Article::query().order_by(Article::label).all(session).await?.into_iter().map(Row::Article).collect()
        }
        Kind::Comment => {
            Comment::query().order_by(Comment::label).all(session).await?.into_iter().map(Row::Comment).collect()
        }
        Kind::Tag => Tag::query().order_by(Tag::label).all(session).await?.into_iter().map(Row::Tag).collect(),
    };
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        shown.push(format!("{} [{}]", row.shown(), row.load(rel).await?));
    }
    Ok(shown.join("; "))
}

/// A query with relationships of relationships, read without another statement.
pub(crate) async fn nested(session: &Session, path: Path, how: How) -> Result<String> {
    /// `$leaf` shows what the second relationship leads to.
    macro_rules! nested {
        ($model:ident . $first:ident, $middle:ident . $second:ident, $row:ident => $leaf:expr) => {{
            let load = if how == How::Joined {
                $model::$first.joined().with($middle::$second.joined())
            } else {
                $model::$first.selectin().with($middle::$second.selectin())
            };
            let rows = $model::query().with(load).order_by($model::label).all(session).await?;
            let mut shown = Vec::with_capacity(rows.len());
            for row in &rows {
                let mut inner = Vec::new();
                for $row in row.$first.entities()? {
                    inner.push(format!("{} [{}]", $row.shown(), $leaf));
                }
                inner.sort();
                shown.push(format!("{} [{}]", row.shown(), inner.join(", ")));
            }
            shown.join("; ")
        }};
    }
    let maybe = |to: Option<Entity<Person>>| to.map_or_else(|| "none".to_owned(), |to| to.shown());
    Ok(match path {
        Path::PersonArticlesComments => {
            nested!(Person.articles, Article.comments, row => sorted(&row.comments.entities()?))
        }
        Path::CategoryChildrenArticles => {
            nested!(Category.children, Category.articles, row => sorted(&row.articles.entities()?))
        }
        Path::ArticleCommentsWriter => nested!(Article.comments, Comment.writer, row => maybe(row.writer.entity()?)),
        Path::TagArticlesAuthor => nested!(Tag.articles, Article.author, row => maybe(row.author.entity()?)),
    })
}
