//! The main job: two related models, a database, four CRUD routes.
//! `cargo run -p quickstart` serves this on http://127.0.0.1:3000 with an embedded SQLite file.
use aludel::prelude::*;
use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    routing::{get, patch},
};
use serde::{Deserialize, Serialize};

#[derive(Model, Clone, Debug, Serialize)]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 80)]
    pub username: String,
    #[column(unique, length = 120)]
    pub email: String,
    #[relationship(back_populates = author)]
    pub posts: Many<Post>,
}

#[derive(Model, Clone, Debug, Serialize)]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    #[column(length = 100, index)]
    pub title: String,
    #[column(text)]
    pub content: String,
    #[column(references = User::id)]
    pub user_id: i64,
    #[relationship(back_populates = posts)]
    pub author: One<User>,
}

#[derive(Deserialize)]
struct NewUser {
    username: String,
    email: String,
}

/// GET /users?page=2&per_page=20
async fn list_users(session: Session, page: PageQuery) -> Result<Json<Page<Entity<User>>>> {
    Ok(Json(User::query().order_by(User::username).paginate(&session, page).await?))
}

/// POST /users
async fn create_user(session: Session, Json(new): Json<NewUser>) -> Result<(StatusCode, Json<Entity<User>>)> {
    let user = session.add(User::build().username(new.username).email(new.email));
    session.commit().await?; // a duplicate username is 409 Conflict, with nothing written
    Ok((StatusCode::CREATED, Json(user)))
}

/// GET /users/{id}: the user with their posts, in two statements however many posts there are
async fn show_user(session: Session, Path(id): Path<i64>) -> Result<Json<Entity<User>>> {
    let user = session.get_or_404::<User>(id).await?;
    user.load(User::posts).await?;
    Ok(Json(user))
}

/// PATCH /users/{id}
async fn update_user(session: Session, Path(id): Path<i64>, Json(email): Json<String>) -> Result<Json<Entity<User>>> {
    let user = session.get_or_404::<User>(id).await?;
    user.set(User::email, email); // the session sees the change; only that column is updated
    session.commit().await?;
    Ok(Json(user))
}

/// DELETE /users/{id}
async fn delete_user(session: Session, Path(id): Path<i64>) -> Result<StatusCode> {
    let user = session.get_or_404::<User>(id).await?;
    session.delete(&user);
    session.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub fn app(db: &Db) -> Router {
    Router::new()
        .route("/users", get(list_users).post(create_user))
        .route("/users/{id}", patch(update_user).get(show_user).delete(delete_user))
        .layer(db.layer()) // one session a request, rolled back and given back at its end
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // aludel's Result has std's second parameter
    let db = Db::connect(Config::from_env()?.uri_or("sqlite:///quickstart.db")).await?;
    db.create_all().await?; // every derived model is known: nothing to import or list

    let session = db.session(); // outside a request: a session of your own
    if !User::query().exists(&session).await? {
        let john = session.add(User::build().username("johndoe").email("john@example.com"));
        session.add(Post::build().title("Hello").content("A first post").author(&john));
        session.commit().await?; // john first, then the post with john's new id
    }
    drop(session);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("serving http://{}", listener.local_addr()?);
    axum::serve(listener, app(&db)).await?;
    Ok(())
}
