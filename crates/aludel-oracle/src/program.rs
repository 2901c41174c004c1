//! What a program does: operations as data, which both sides read.

use serde::{Deserialize, Serialize};

/// A row, by the number of the operation that made it.
pub(crate) type Handle = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Person,
    Category,
    Article,
    Comment,
    Tag,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Person, Self::Category, Self::Article, Self::Comment, Self::Tag];

    /// The relationships to one row.
    pub(crate) fn to_one(self) -> &'static [(Rel, Self)] {
        match self {
            Self::Person | Self::Tag => &[],
            Self::Category => &[(Rel::Parent, Self::Category)],
            Self::Article => &[(Rel::Author, Self::Person), (Rel::Category, Self::Category)],
            Self::Comment => &[(Rel::Article, Self::Article), (Rel::Writer, Self::Person)],
        }
    }

    /// The collections.
    pub(crate) fn to_many(self) -> &'static [(Rel, Self)] {
        match self {
            Self::Person => &[(Rel::Articles, Self::Article), (Rel::Comments, Self::Comment)],
            Self::Category => &[(Rel::Children, Self::Category), (Rel::Articles, Self::Article)],
            Self::Article => &[(Rel::Comments, Self::Comment), (Rel::Tags, Self::Tag)],
            Self::Comment => &[],
            Self::Tag => &[(Rel::Articles, Self::Article)],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rel {
    Parent,
    Author,
    Category,
    Article,
    Writer,
    Articles,
    Comments,
    Children,
    Tags,
}

/// A value of one of the two columns that programs change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Set {
    Name(String),
    N(Option<i64>),
}

/// What a query keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Filter {
    All,
    /// `n > ?`
    Above(i64),
    /// `n IS NULL`
    NoNumber,
    /// `name < ?`
    NameBelow(String),
}

/// How a relationship is loaded along.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    Joined,
    Selectin,
}

/// The two relationships of a nested load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Path {
    PersonArticlesComments,
    CategoryChildrenArticles,
    ArticleCommentsWriter,
    TagArticlesAuthor,
}

impl Path {
    pub(crate) const ALL: [Self; 4] = [
        Self::PersonArticlesComments,
        Self::CategoryChildrenArticles,
        Self::ArticleCommentsWriter,
        Self::TagArticlesAuthor,
    ];
}

/// One operation. Rows that a program has no more (they were deleted or rolled back) make it do nothing, on both sides
/// alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Op {
    /// A new row, with what it is linked to; through a parent's collection where `into` names one.
    Add {
        h: Handle,
        kind: Kind,
        label: String,
        name: String,
        n: Option<i64>,
        one: Vec<(Rel, Handle)>,
        many: Vec<(Rel, Vec<Handle>)>,
        into: Option<(Handle, Rel)>,
    },
    Set {
        h: Handle,
        set: Set,
    },
    SetOne {
        h: Handle,
        rel: Rel,
        to: Option<Handle>,
    },
    /// Loads the collection and makes it these rows.
    SetMany {
        h: Handle,
        rel: Rel,
        to: Vec<Handle>,
    },
    /// Loads the collection first where `load` says so.
    Push {
        h: Handle,
        rel: Rel,
        child: Handle,
        load: bool,
    },
    /// Loads the collection and removes a row that is in it.
    Remove {
        h: Handle,
        rel: Rel,
        child: Handle,
    },
    Delete {
        h: Handle,
    },
    Flush,
    Commit,
    Rollback,
    Savepoint,
    Release,
    RollbackTo,
    Load {
        h: Handle,
        rel: Rel,
    },
    Get {
        h: Handle,
    },
    Refresh {
        h: Handle,
    },
    ExpireAll,
    /// Forgets all rows.
    Clear,
    /// Finds a row again by its label.
    Find {
        h: Handle,
        kind: Kind,
        label: String,
    },
    Query {
        kind: Kind,
        filter: Filter,
        descending: bool,
        limit: Option<u64>,
    },
    Eager {
        kind: Kind,
        rel: Rel,
        how: How,
    },
    /// Merges a row with the key of this one.
    Merge {
        h: Handle,
        name: String,
        n: Option<i64>,
    },
    /// Merges a tag of this key, which may be there or not.
    MergeTag {
        h: Handle,
        label: String,
        name: String,
        n: Option<i64>,
    },
    /// Changes a copy of an article in another session, with its comments and tags, and merges it. `drop` takes a
    /// comment out, `comment` is a new one's label.
    MergeCopy {
        h: Handle,
        name: String,
        drop: bool,
        comment: Option<String>,
        tag: Option<Handle>,
    },
    /// Commits, lets somebody else change an article or delete a comment, and changes it too.
    Conflict {
        h: Handle,
    },
    /// All rows of a kind, and then what a relationship of each leads to.
    LoadAll {
        kind: Kind,
        rel: Rel,
    },
    /// A query that loads relationships of relationships.
    Nested {
        path: Path,
        how: How,
    },
    BulkUpdate {
        kind: Kind,
        filter: Filter,
        n: Option<i64>,
    },
    BulkDelete {
        filter: Filter,
    },
}

/// What both sides run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Program {
    /// Whether queries are left to flush by themselves; otherwise there is a flush before each.
    pub(crate) autoflush: bool,
    pub(crate) ops: Vec<Op>,
}
