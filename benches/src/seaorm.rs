//! SeaORM 2 on sqlx, with a pool of one connection and otherwise its defaults.

use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, ConnectOptions, ConnectionTrait as _, DatabaseConnection, EntityTrait as _, LoaderTrait as _,
    QueryFilter as _,
};
use tokio::runtime::Runtime;

use crate::backend::{Backend, Database};
use crate::contender::{Bench, Contender};
use crate::grouping::Tree;
use crate::workload::{ADDED, CHANGED, Case, Workload, changed_name, new_user};

mod users {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
        pub hair_color: Option<String>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::posts::Entity")]
        Posts,
    }

    impl Related<super::posts::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Posts.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod posts {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "posts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub user_id: i32,
        pub title: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub body: Option<String>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::users::Entity", from = "Column::UserId", to = "super::users::Column::Id")]
        Users,
        #[sea_orm(has_many = "super::comments::Entity")]
        Comments,
    }

    impl Related<super::users::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Users.def()
        }
    }

    impl Related<super::comments::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Comments.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod comments {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "comments")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub post_id: i32,
        #[sea_orm(column_type = "Text")]
        pub text: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::posts::Entity", from = "Column::PostId", to = "super::posts::Column::Id")]
        Posts,
    }

    impl Related<super::posts::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Posts.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

crate::check::rows!(users::Model, posts::Model, comments::Model);

struct SeaOrm {
    runtime: Runtime,
    connection: DatabaseConnection,
}

/// Connects to an empty database.
pub fn open(database: &Database) -> Box<dyn Contender> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut options = ConnectOptions::new(match database.backend() {
        Backend::Sqlite => String::from("sqlite::memory:"),
        Backend::Postgres | Backend::MariaDb => database.url(),
    });
    // The database lives as long as its only connection: the pool must never replace it.
    options.min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None);
    let connection = runtime.block_on(sea_orm::Database::connect(options)).unwrap();
    Box::new(SeaOrm { runtime, connection })
}

impl Contender for SeaOrm {
    fn execute(&mut self, sql: &str) {
        self.runtime.block_on(self.connection.execute_unprepared(sql)).unwrap();
    }

    fn run(&mut self, case: Case, bench: &mut Bench) {
        let connection = &self.connection;
        self.runtime.block_on(async {
            match case.workload {
                Workload::TrivialQuery => bench.run_async(async || load_users(connection).await).await,
                Workload::MediumComplexQuery => {
                    bench.run_async(async || load_users_with_posts(connection).await).await;
                }
                Workload::Insert | Workload::InsertMany => {
                    bench.run_async(async || insert_users(connection, case.size).await).await;
                }
                Workload::UnitOfWork => bench.run_async(async || change_users(connection, case.size).await).await,
                Workload::LoadingAssociationsSequentially | Workload::ThreeLevels => {
                    bench.run_async(async || load_tree(connection).await).await;
                }
            }
        });
    }
}

async fn load_users(connection: &DatabaseConnection) -> Vec<users::Model> {
    users::Entity::find().all(connection).await.unwrap()
}

async fn load_users_with_posts(connection: &DatabaseConnection) -> Vec<(users::Model, Option<posts::Model>)> {
    users::Entity::find()
        .find_also_related(posts::Entity)
        .filter(users::Column::HairColor.eq("black"))
        .all(connection)
        .await
        .unwrap()
}

async fn insert_users(connection: &DatabaseConnection, size: usize) {
    let batch = (0..size).map(|index| {
        let (name, hair_color) = new_user(index);
        users::ActiveModel { id: NotSet, name: Set(name), hair_color: Set(hair_color) }
    });
    users::Entity::insert_many(batch).exec(connection).await.unwrap();
}

async fn change_users(connection: &DatabaseConnection, size: usize) {
    let query = users::Entity::find().filter(users::Column::Id.lte(i32::try_from(size).unwrap()));
    for user in query.all(connection).await.unwrap().into_iter().take(CHANGED) {
        let name = changed_name(&user.name);
        let mut user: users::ActiveModel = user.into();
        user.name = Set(name);
        user.update(connection).await.unwrap();
    }
    insert_users(connection, ADDED).await;
}

/// Loads and groups with SeaORM's loader, which needs the posts in one list to load their comments.
async fn load_tree(connection: &DatabaseConnection) -> Tree<users::Model, posts::Model, comments::Model> {
    let users = load_users(connection).await;
    let posts = users.load_many(posts::Entity, connection).await.unwrap();
    let counts: Vec<usize> = posts.iter().map(Vec::len).collect();
    let posts: Vec<posts::Model> = posts.into_iter().flatten().collect();
    let comments = posts.load_many(comments::Entity, connection).await.unwrap();
    let mut posts = posts.into_iter().zip(comments);
    users.into_iter().zip(counts).map(|(user, count)| (user, posts.by_ref().take(count).collect())).collect()
}
