//! Rows of the five models, whichever it is: what the operations do with one.

use aludel::prelude::*;

use crate::models::{Article, Category, Comment, Person, Tag};
use crate::program::{Kind, Rel, Set};

/// An entity of one of the models.
#[derive(Clone)]
pub(crate) enum Row {
    Person(Entity<Person>),
    Category(Entity<Category>),
    Article(Entity<Article>),
    Comment(Entity<Comment>),
    Tag(Entity<Tag>),
}

/// Does the same with the entity, of whatever model it is.
macro_rules! with_entity {
    ($row:expr, $entity:ident => $body:expr) => {
        match $row {
            Row::Person($entity) => $body,
            Row::Category($entity) => $body,
            Row::Article($entity) => $body,
            Row::Comment($entity) => $body,
            Row::Tag($entity) => $body,
        }
    };
}

/// How a row reads, for the comparison with the other side.
pub(crate) trait Shown {
    fn shown(&self) -> String;
}

fn text(label: &str, name: &str, n: Option<i64>) -> String {
    n.map_or_else(|| format!("{label} {name} -"), |n| format!("{label} {name} {n}"))
}

macro_rules! shown {
    ($($model:ident)+) => {
        $(impl Shown for $model {
            fn shown(&self) -> String {
                text(&self.label, &self.name, self.n)
            }
        })+
    };
}

shown! { Person Category Comment Tag }

impl Shown for Article {
    fn shown(&self) -> String {
        format!("{} v{}", text(&self.label, &self.name, self.n), self.version)
    }
}

/// What several rows read like, in no order of their own.
pub(crate) fn sorted<T: Queryable + Shown>(rows: &[Entity<T>]) -> String {
    let mut rows: Vec<String> = rows.iter().map(|row| row.shown()).collect();
    rows.sort();
    rows.join(", ")
}

fn maybe<T: Queryable + Shown>(row: Option<Entity<T>>) -> String {
    row.map_or_else(|| "none".to_owned(), |row| row.shown())
}

/// What no program says: a relationship that the model does not have, or rows of the wrong model.
pub(crate) fn no_such(rel: Rel) -> Error {
    Error::abort(format!("the program names a relationship that is not there: {rel:?}"))
}

impl Row {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Person(_) => Kind::Person,
            Self::Category(_) => Kind::Category,
            Self::Article(_) => Kind::Article,
            Self::Comment(_) => Kind::Comment,
            Self::Tag(_) => Kind::Tag,
        }
    }

    pub(crate) fn shown(&self) -> String {
        with_entity!(self, row => row.shown())
    }

    pub(crate) fn is_pending(&self) -> bool {
        with_entity!(self, row => row.is_pending())
    }

    /// Whether the session writes it: it is new, or a row of the database.
    pub(crate) fn is_alive(&self) -> bool {
        with_entity!(self, row => row.is_pending() || row.is_persistent())
    }

    pub(crate) fn delete(&self, session: &Session) {
        with_entity!(self, row => session.delete(row));
    }

    pub(crate) fn set(&self, set: &Set) {
        match set {
            Set::Name(name) => match self {
                Self::Person(row) => row.set(Person::name, name.as_str()),
                Self::Category(row) => row.set(Category::name, name.as_str()),
                Self::Article(row) => row.set(Article::name, name.as_str()),
                Self::Comment(row) => row.set(Comment::name, name.as_str()),
                Self::Tag(row) => row.set(Tag::name, name.as_str()),
            },
            &Set::N(n) => match self {
                Self::Person(row) => row.set(Person::n, n),
                Self::Category(row) => row.set(Category::n, n),
                Self::Article(row) => row.set(Article::n, n),
                Self::Comment(row) => row.set(Comment::n, n),
                Self::Tag(row) => row.set(Tag::n, n),
            },
        }
    }

    pub(crate) fn set_one(&self, rel: Rel, to: Option<&Self>) -> Result<()> {
        match (self, rel, to) {
            (Self::Category(row), Rel::Parent, Some(Self::Category(to))) => row.set(Category::parent, to),
            (Self::Category(row), Rel::Parent, None) => row.set(Category::parent, None),
            (Self::Article(row), Rel::Author, Some(Self::Person(to))) => row.set(Article::author, to),
            (Self::Article(row), Rel::Author, None) => row.set(Article::author, None),
            (Self::Article(row), Rel::Category, Some(Self::Category(to))) => row.set(Article::category, to),
            (Self::Article(row), Rel::Category, None) => row.set(Article::category, None),
            (Self::Comment(row), Rel::Article, Some(Self::Article(to))) => row.set(Comment::article, to),
            (Self::Comment(row), Rel::Writer, Some(Self::Person(to))) => row.set(Comment::writer, to),
            (Self::Comment(row), Rel::Writer, None) => row.set(Comment::writer, None),
            _ => return Err(no_such(rel)),
        }
        Ok(())
    }

    pub(crate) fn push(&self, rel: Rel, child: &Self) -> Result<()> {
        match (self, rel, child) {
            (Self::Person(row), Rel::Articles, Self::Article(child)) => drop(row.push(Person::articles, child)),
            (Self::Person(row), Rel::Comments, Self::Comment(child)) => drop(row.push(Person::comments, child)),
            (Self::Category(row), Rel::Children, Self::Category(child)) => drop(row.push(Category::children, child)),
            (Self::Category(row), Rel::Articles, Self::Article(child)) => drop(row.push(Category::articles, child)),
            (Self::Article(row), Rel::Comments, Self::Comment(child)) => drop(row.push(Article::comments, child)),
            (Self::Article(row), Rel::Tags, Self::Tag(child)) => drop(row.push(Article::tags, child)),
            (Self::Tag(row), Rel::Articles, Self::Article(child)) => drop(row.push(Tag::articles, child)),
            _ => return Err(no_such(rel)),
        }
        Ok(())
    }

    /// Removes a row, if it is in the collection, which is loaded; whether it was.
    pub(crate) fn remove(&self, rel: Rel, child: &Self) -> Result<bool> {
        macro_rules! remove {
            ($($model:ident . $rel:ident = $variant:ident : $child:ident;)+) => {
                match (self, rel, child) {
                    $((Self::$model(row), Rel::$variant, Self::$child(child)) => {
                        let there = row.$rel.entities()?.contains(child);
                        if there {
                            row.remove($model::$rel, child);
                        }
                        Ok(there)
                    })+
                    _ => Err(no_such(rel)),
                }
            };
        }
        remove! {
            Person.articles = Articles: Article;
            Person.comments = Comments: Comment;
            Category.children = Children: Category;
            Category.articles = Articles: Article;
            Article.comments = Comments: Comment;
            Article.tags = Tags: Tag;
            Tag.articles = Articles: Article;
        }
    }

    /// Makes a collection, which is loaded, these rows.
    pub(crate) fn set_many(&self, rel: Rel, to: &[Self]) -> Result<()> {
        macro_rules! set_many {
            ($($model:ident . $rel:ident = $variant:ident : $child:ident;)+) => {
                match (self, rel) {
                    $((Self::$model(row), Rel::$variant) => {
                        let to = to.iter().filter_map(|to| if let Self::$child(to) = to { Some(to) } else { None });
                        row.set($model::$rel, to.collect::<Vec<_>>());
                        Ok(())
                    })+
                    _ => Err(no_such(rel)),
                }
            };
        }
        set_many! {
            Person.articles = Articles: Article;
            Person.comments = Comments: Comment;
            Category.children = Children: Category;
            Category.articles = Articles: Article;
            Article.comments = Comments: Comment;
            Article.tags = Tags: Tag;
            Tag.articles = Articles: Article;
        }
    }

    /// Loads a relationship, and says what it leads to.
    pub(crate) async fn load(&self, rel: Rel) -> Result<String> {
        Ok(match (self, rel) {
            (Self::Person(row), Rel::Articles) => sorted(&row.load(Person::articles).await?),
            (Self::Person(row), Rel::Comments) => sorted(&row.load(Person::comments).await?),
            (Self::Category(row), Rel::Parent) => maybe(row.load(Category::parent).await?),
            (Self::Category(row), Rel::Children) => sorted(&row.load(Category::children).await?),
            (Self::Category(row), Rel::Articles) => sorted(&row.load(Category::articles).await?),
            (Self::Article(row), Rel::Author) => maybe(row.load(Article::author).await?),
            (Self::Article(row), Rel::Category) => maybe(row.load(Article::category).await?),
            (Self::Article(row), Rel::Comments) => sorted(&row.load(Article::comments).await?),
            (Self::Article(row), Rel::Tags) => sorted(&row.load(Article::tags).await?),
            (Self::Comment(row), Rel::Article) => row.load(Comment::article).await?.shown(),
            (Self::Comment(row), Rel::Writer) => maybe(row.load(Comment::writer).await?),
            (Self::Tag(row), Rel::Articles) => sorted(&row.load(Tag::articles).await?),
            _ => return Err(no_such(rel)),
        })
    }

    /// The row that the session has or gets by this one's key.
    pub(crate) async fn get(&self, session: &Session) -> Result<Option<Self>> {
        Ok(match self {
            Self::Person(row) => session.get::<Person>(row.id).await?.map(Self::Person),
            Self::Category(row) => session.get::<Category>(row.id).await?.map(Self::Category),
            Self::Article(row) => session.get::<Article>(row.id).await?.map(Self::Article),
            Self::Comment(row) => session.get::<Comment>(row.id).await?.map(Self::Comment),
            Self::Tag(row) => session.get::<Tag>(row.label.as_str()).await?.map(Self::Tag),
        })
    }

    pub(crate) async fn refresh(&self, session: &Session) -> Result<()> {
        with_entity!(self, row => session.refresh(row).await)
    }

    pub(crate) fn expunge(&self, session: &Session) -> Result<()> {
        with_entity!(self, row => session.expunge(row))
    }

    /// Merges a copy of this row with other values.
    pub(crate) async fn merge(&self, session: &Session, name: &str, n: Option<i64>) -> Result<Self> {
        macro_rules! merge {
            ($model:ident, $row:ident . $key:ident) => {{
                let copy = $model::build().$key($row.$key.clone()).name(name).n(n);
                Ok(Self::$model(session.merge(copy.label($row.label.as_str())).await?))
            }};
        }
        match self {
            Self::Person(row) => merge!(Person, row.id),
            Self::Category(row) => merge!(Category, row.id),
            Self::Article(row) => merge!(Article, row.id),
            Self::Comment(row) => {
                let copy = Comment::build().id(row.id).name(name).n(n).label(row.label.as_str());
                Ok(Self::Comment(session.merge(copy.article_id(row.article_id)).await?))
            }
            Self::Tag(row) => {
                let copy = Tag::build().label(row.label.as_str()).name(name).n(n);
                Ok(Self::Tag(session.merge(copy).await?))
            }
        }
    }
}
