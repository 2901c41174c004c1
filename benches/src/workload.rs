//! What is measured: the workloads, their sizes, their tables and data.

/// One of the four workloads; `README.md` describes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// All users, no filter.
    TrivialQuery,
    /// Users left join posts, filtered by hair colour.
    MediumComplexQuery,
    /// One batch of new users.
    Insert,
    /// All users, their posts and the comments on these, in three queries.
    LoadingAssociationsSequentially,
}

/// A workload at one size.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The workload.
    pub workload: Workload,
    /// Users in the table, or in the batch of [`Workload::Insert`].
    pub size: usize,
}

/// The tables of Diesel's suite: no foreign keys, no index besides the primary keys.
const TABLES: &str = "
    CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
        name VARCHAR NOT NULL,
        hair_color VARCHAR
    );
    CREATE TABLE posts (
        id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
        user_id INTEGER NOT NULL,
        title VARCHAR NOT NULL,
        body TEXT
    );
    CREATE TABLE comments (
        id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
        post_id INTEGER NOT NULL,
        text TEXT NOT NULL
    );";

/// Posts of each user, and comments on each post.
const CHILDREN: usize = 10;

impl Workload {
    /// All workloads, in the order they run.
    pub const ALL: [Self; 4] =
        [Self::TrivialQuery, Self::MediumComplexQuery, Self::Insert, Self::LoadingAssociationsSequentially];

    /// The name, as in Diesel's suite and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrivialQuery => "trivial_query",
            Self::MediumComplexQuery => "medium_complex_query",
            Self::Insert => "insert",
            Self::LoadingAssociationsSequentially => "loading_associations_sequentially",
        }
    }

    /// The sizes Diesel's suite runs on SQLite.
    pub fn sizes(self) -> &'static [usize] {
        match self {
            Self::TrivialQuery | Self::MediumComplexQuery => &[1, 10, 100, 1_000, 10_000],
            Self::Insert => &[1, 10, 25, 50, 100],
            Self::LoadingAssociationsSequentially => &[9],
        }
    }

    /// This workload at one size.
    pub fn case(self, size: usize) -> Case {
        Case { workload: self, size }
    }

    /// Whether a sample runs in a transaction, which is rolled back at its end.
    pub fn in_transaction(self) -> bool {
        self == Self::Insert
    }
}

impl Case {
    /// The batch of statements that fills an empty database for this case.
    pub fn setup_sql(self) -> String {
        let mut sql = String::from(TABLES);
        let black_or_brown = |i| if i % 2 == 0 { "'black'" } else { "'brown'" };
        match self.workload {
            Workload::Insert => {}
            Workload::TrivialQuery => sql += &users_sql(self.size, |_| "NULL"),
            Workload::MediumComplexQuery => sql += &users_sql(self.size, black_or_brown),
            Workload::LoadingAssociationsSequentially => {
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
            Workload::TrivialQuery | Workload::Insert => self.size,
            // Half of the users have black hair, and nobody has a post: as in Diesel's suite.
            Workload::MediumComplexQuery => self.size.div_ceil(2),
            Workload::LoadingAssociationsSequentially => self.size * (1 + CHILDREN + CHILDREN * CHILDREN),
        }
    }
}

/// The name and hair colour of a user in the batch of [`Workload::Insert`]; building them is part
/// of the measured operation.
pub fn new_user(index: usize) -> (String, Option<String>) {
    (format!("User {index}"), Some(String::from("hair_color")))
}

/// The insert of a batch of users, for contenders that are given SQL.
pub fn insert_users_sql(size: usize) -> String {
    format!("INSERT INTO users (name, hair_color) VALUES {}", vec!["(?, ?)"; size].join(", "))
}

/// The placeholders of an `IN (..)` list, for contenders that are given SQL.
pub fn placeholders(count: usize) -> String {
    vec!["?"; count].join(", ")
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
