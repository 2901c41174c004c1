//! What is measured: the workloads, their sizes and their data.

use crate::backend::Backend;

/// One of the workloads; `README.md` describes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// All users, no filter.
    TrivialQuery,
    /// Users left join posts, filtered by hair colour.
    MediumComplexQuery,
    /// One batch of new users.
    Insert,
    /// One large batch of new users: not one of Diesel's.
    InsertMany,
    /// All users, their posts and the comments on these, in three queries.
    LoadingAssociationsSequentially,
    /// Some users changed and some new ones: what a unit of work is for. Not one of Diesel's.
    UnitOfWork,
    /// The same as the associations, of more users. Not one of Diesel's.
    ThreeLevels,
}

/// A workload at one size.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The workload.
    pub workload: Workload,
    /// Users in the table, or in the batch of an insert.
    pub size: usize,
}

/// Posts of each user, and comments on each post.
const CHILDREN: usize = 10;

/// Users that a unit of work changes.
pub const CHANGED: usize = 10;

/// Users that a unit of work adds.
pub const ADDED: usize = 20;

impl Workload {
    /// All workloads, in the order they run.
    pub const ALL: &[Self] = &[
        Self::TrivialQuery,
        Self::MediumComplexQuery,
        Self::Insert,
        Self::InsertMany,
        Self::LoadingAssociationsSequentially,
        Self::UnitOfWork,
        Self::ThreeLevels,
    ];

    /// Those that every contender takes part in.
    pub const COMMON: &[Self] = &[
        Self::TrivialQuery,
        Self::MediumComplexQuery,
        Self::Insert,
        Self::InsertMany,
        Self::LoadingAssociationsSequentially,
    ];

    /// Those that read.
    pub const READS: &[Self] = &[Self::TrivialQuery, Self::MediumComplexQuery, Self::LoadingAssociationsSequentially];

    /// The name on the command line, and in Diesel's suite.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrivialQuery => "trivial_query",
            Self::MediumComplexQuery => "medium_complex_query",
            Self::Insert => "insert",
            Self::InsertMany => "insert_many",
            Self::LoadingAssociationsSequentially => "loading_associations_sequentially",
            Self::UnitOfWork => "unit_of_work",
            Self::ThreeLevels => "three_levels",
        }
    }

    /// Its sizes: those of Diesel's suite on SQLite, where it is one of them.
    pub fn sizes(self) -> &'static [usize] {
        match self {
            Self::TrivialQuery | Self::MediumComplexQuery => &[1, 10, 100, 1_000, 10_000],
            Self::Insert => &[1, 10, 25, 50, 100],
            Self::InsertMany => &[200, 500, 1_000, 10_000],
            Self::LoadingAssociationsSequentially => &[9],
            Self::UnitOfWork => &[100],
            Self::ThreeLevels => &[1, 10, 100],
        }
    }

    /// This workload at one size.
    pub fn case(self, size: usize) -> Case {
        Case { workload: self, size }
    }

    /// Whether a sample runs in a transaction, which is rolled back at its end.
    pub fn in_transaction(self) -> bool {
        matches!(self, Self::Insert | Self::InsertMany | Self::UnitOfWork)
    }
}

impl Case {
    /// The batch of statements that fills empty tables for this case.
    pub fn rows_sql(self) -> String {
        let mut sql = String::new();
        let black_or_brown = |i| if i % 2 == 0 { "'black'" } else { "'brown'" };
        match self.workload {
            Workload::Insert | Workload::InsertMany => {}
            Workload::TrivialQuery | Workload::UnitOfWork => sql += &users_sql(self.size, |_| "NULL"),
            Workload::MediumComplexQuery => sql += &users_sql(self.size, black_or_brown),
            Workload::LoadingAssociationsSequentially | Workload::ThreeLevels => {
                sql += &users_sql(self.size, black_or_brown);
                sql += &posts_sql(self.size);
                sql += &comments_sql(self.size * CHILDREN);
            }
        }
        sql
    }

    /// The rows that one operation must yield, of all tables together.
    pub fn expected_rows(self) -> usize {
        match self.workload {
            Workload::TrivialQuery | Workload::Insert | Workload::InsertMany => self.size,
            // Half of the users have black hair, and nobody has a post: as in Diesel's suite.
            Workload::MediumComplexQuery => self.size.div_ceil(2),
            Workload::LoadingAssociationsSequentially | Workload::ThreeLevels => {
                self.size * (1 + CHILDREN + CHILDREN * CHILDREN)
            }
            Workload::UnitOfWork => self.size + ADDED,
        }
    }

    /// The users that are there before an operation, where it adds some.
    pub fn users_before(self) -> usize {
        if self.workload == Workload::UnitOfWork { self.size } else { 0 }
    }
}

/// The name that a unit of work gives to a user of this name; and back.
pub fn changed_name(name: &str) -> String {
    match name.strip_suffix('*') {
        Some(name) => name.to_owned(),
        None => format!("{name}*"),
    }
}

/// The name and hair colour of a user in the batch of an insert; building them is part
/// of the measured operation.
pub fn new_user(index: usize) -> (String, Option<String>) {
    (format!("User {index}"), Some(String::from("hair_color")))
}

/// The insert of a batch of users, for contenders that are given SQL.
pub fn insert_users_sql(backend: Backend, size: usize) -> String {
    let row = |index: usize| format!("({})", placeholders(backend, 1 + index * 2, 2));
    format!("INSERT INTO users (name, hair_color) VALUES {}", (0..size).map(row).collect::<Vec<_>>().join(", "))
}

/// The query of [`Workload::TrivialQuery`], for contenders that are given SQL.
pub const USERS_SQL: &str = "SELECT id, name, hair_color FROM users";

/// The query of [`Workload::MediumComplexQuery`], for contenders that are given SQL.
pub fn users_with_posts_sql(backend: Backend) -> String {
    let black = backend.placeholder(1);
    format!(
        "SELECT u.id, u.name, u.hair_color, p.id AS post_id, p.user_id, p.title, p.body \
         FROM users AS u LEFT JOIN posts AS p ON u.id = p.user_id WHERE u.hair_color = {black}"
    )
}

/// The posts of so many users, for contenders that are given SQL.
pub fn posts_of_sql(backend: Backend, users: usize) -> String {
    format!("SELECT id, user_id, title, body FROM posts WHERE user_id {}", one_of(backend, users))
}

/// The comments on so many posts, for contenders that are given SQL.
pub fn comments_on_sql(backend: Backend, posts: usize) -> String {
    format!("SELECT id, post_id, text FROM comments WHERE post_id {}", one_of(backend, posts))
}

/// The condition on a key to be one of so many, which PostgreSQL takes as one array.
fn one_of(backend: Backend, count: usize) -> String {
    match backend {
        Backend::Postgres => String::from("= ANY($1)"),
        Backend::Sqlite | Backend::MariaDb => format!("IN ({})", placeholders(backend, 1, count)),
    }
}

fn placeholders(backend: Backend, first: usize, count: usize) -> String {
    (first..first + count).map(|number| backend.placeholder(number)).collect::<Vec<_>>().join(", ")
}

fn users_sql(count: usize, hair_color: impl Fn(usize) -> &'static str) -> String {
    let rows = (0..count).map(|i| format!("('User {i}', {})", hair_color(i)));
    insert_sql("users (name, hair_color)", rows)
}

fn posts_sql(users: usize) -> String {
    let posts = (1..=users).flat_map(|user| (0..CHILDREN).map(move |i| (user, i)));
    let rows = posts.map(|(user, i)| format!("({user}, 'Post {i} by user {user}', NULL)"));
    insert_sql("posts (user_id, title, body)", rows)
}

fn comments_sql(posts: usize) -> String {
    let comments = (1..=posts).flat_map(|post| (0..CHILDREN).map(move |i| (post, i)));
    let rows = comments.map(|(post, i)| format!("({post}, 'Comment {i} on post {post}')"));
    insert_sql("comments (post_id, text)", rows)
}

fn insert_sql(into: &str, rows: impl Iterator<Item = String>) -> String {
    format!("INSERT INTO {into} VALUES {};", rows.collect::<Vec<_>>().join(","))
}
