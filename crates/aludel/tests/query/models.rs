//! A blog, and the rows that the tests ask for.

use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
pub(crate) struct User {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(unique)]
    pub(crate) username: String,
    pub(crate) email: Option<String>,
    pub(crate) karma: i32,
    #[relationship(back_populates = author)]
    pub(crate) posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Post {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) content: Option<String>,
    #[column(default = false)]
    pub(crate) draft: bool,
    #[column(default = 0)]
    pub(crate) views: i64,
    #[column(references = User::id)]
    pub(crate) user_id: i64,
    #[column(references = User::id)]
    pub(crate) editor_id: Option<i64>,
    #[relationship(foreign_key = user_id, back_populates = posts)]
    pub(crate) author: One<User>,
    #[relationship(foreign_key = editor_id)]
    pub(crate) editor: One<Option<User>>,
    #[relationship(back_populates = post, order_by = Comment::id)]
    pub(crate) comments: Many<Comment>,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Comment {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) body: String,
    #[column(references = Post::id)]
    pub(crate) post_id: i64,
    #[relationship(back_populates = comments)]
    pub(crate) post: One<Post>,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Employee {
    #[column(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    #[column(references = Employee::id)]
    pub(crate) boss_id: Option<i64>,
    #[relationship(back_populates = reports)]
    pub(crate) boss: One<Option<Employee>>,
    #[relationship(back_populates = boss)]
    pub(crate) reports: Many<Employee>,
}

/// Three users; ann has three posts, bob one, cid none. The posts have 2, 1, 0 and 1 comments.
pub(crate) async fn blog() -> Result<(Db, Session)> {
    let db = Db::builder().engine(EngineOptions::new().echo(true)).test().await?;
    let session = db.session();
    let ann = session.add(User::build().username("ann").email("ann@example.com").karma(30));
    let bob = session.add(User::build().username("bob").karma(20));
    session.add(User::build().username("cid").karma(10));
    let flask = session.add(Post::build().title("Flask in Rust").content("first").views(7).author(&ann));
    let rust = session.add(Post::build().title("Rust alone").author(&ann).editor(&bob));
    session.add(Post::build().title("100% draft").draft(true).author(&ann));
    let reply = session.add(Post::build().title("A reply").content("to ann").author(&bob));
    for (post, body) in [(&flask, "one"), (&flask, "two"), (&rust, "three"), (&reply, "four")] {
        session.add(Comment::build().body(body).post(post));
    }
    session.commit().await?;
    Ok((db.clone(), db.session()))
}
