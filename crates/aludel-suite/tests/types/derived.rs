//! Newtypes and enums as column types.

use crate::support::{Backend, TestDb, native};
use aludel::prelude::*;
use serde::Serialize;

#[derive(DbType, Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct UserId(i64);

#[derive(DbType, Clone, Debug, PartialEq)]
struct Email(String);

#[derive(DbType, Clone, Copy, Debug, PartialEq)]
struct Token(Uuid);

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
enum Role {
    Reader,
    ChiefEditor,
    #[db_enum(rename = "root")]
    Administrator,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct User {
    #[column(primary_key)]
    id: UserId,
    #[column(unique, length = 120)]
    email: Email,
    token: Option<Token>,
    #[column(default = Role::Reader)]
    role: Role,
    former: Option<Role>,
    #[relationship(back_populates = user)]
    logins: Many<Login>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Login {
    #[column(primary_key)]
    id: i64,
    #[column(references = User::id)]
    user_id: UserId,
    #[relationship(back_populates = logins)]
    user: One<User>,
}

async fn database() -> TestDb {
    TestDb::of([User::TABLE, Login::TABLE]).await
}

fn email(text: &str) -> Email {
    Email(text.to_owned())
}

#[tokio::test]
async fn a_newtype_of_an_integer_is_a_generated_key_and_a_foreign_key() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let user = session.add(User::build().email(email("a@x")).logins([Login::build(), Login::build()]));
    let by_key = session.add(Login::build().user_id(user.id));
    session.commit().await?;
    assert_eq!((user.id, by_key.user_id), (UserId(1), UserId(1)));
    assert_eq!(db.rows("SELECT user_id, count(*) FROM login GROUP BY user_id"), ["1|3"]);
    assert_eq!(session.get::<User>(UserId(1)).await?, Some(user.clone()));
    assert_eq!(user.load(User::logins).await?.len(), 3);
    assert_eq!(by_key.load(Login::user).await?, user);
    assert_eq!(User::query().filter(User::id.in_([UserId(1), UserId(2)])).count(&session).await?, 1);
    Ok(())
}

#[tokio::test]
async fn newtypes_and_enums_come_back_and_are_compared() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let token = Token(Uuid::from_u128(7));
    session.add(User::build().email(email("a@x")).token(token));
    session.add(User::build().email(email("b@x")).role(Role::ChiefEditor).former(Role::Administrator));
    session.commit().await?;
    let rows = db.rows("SELECT email, token, role, former FROM user ORDER BY id");
    assert_eq!(rows, ["a@x|00000000-0000-0000-0000-000000000007|reader|NULL", "b@x|NULL|chief_editor|root"]);
    let there = db.session();
    let users = User::query().order_by(User::id).all(&there).await?;
    assert_eq!((users[0].role, users[0].token, users[1].role), (Role::Reader, Some(token), Role::ChiefEditor));
    assert_eq!(users[1].former, Some(Role::Administrator));
    let count = |condition: Expr<bool>| User::query().filter(condition).count(&there);
    assert_eq!(count(User::role.eq(Role::ChiefEditor)).await?, 1);
    assert_eq!(count(User::former.in_([Role::Reader, Role::Administrator])).await?, 1);
    assert_eq!(count(User::token.eq(token)).await?, 1);
    assert_eq!(count(User::email.eq(email("b@x"))).await?, 1);

    users[0].set(User::former, users[0].role);
    users[0].set(User::role, Role::Administrator);
    users[1].set(User::former, None);
    there.commit().await?;
    assert_eq!(db.rows("SELECT role, former FROM user ORDER BY id"), ["root|reader", "chief_editor|NULL"]);
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_no_variant_is_refused_by_the_database_and_by_the_program() -> Result<()> {
    let db = database().await;
    let session = db.session();
    session.add(User::build().email(email("a@x")));
    session.commit().await?;
    let error = session.sql(&native("UPDATE user SET role = 'king'")).execute().await.expect_err("no variant");
    // Servers have a type for it, of which the value is none.
    let (kind, constraint) = Backend::current().pick(
        (ErrorKind::CheckViolation, Some("ck_user_role")),
        (ErrorKind::Decode, None),
        (ErrorKind::Decode, None),
    );
    assert_eq!((error.kind(), error.constraint()), (kind, constraint), "{error}");
    session.rollback().await?;
    if Backend::current() != Backend::Sqlite {
        return Ok(());
    }
    db.change("PRAGMA ignore_check_constraints = ON; UPDATE user SET role = 'king'");
    let error = User::query().one(&db.session()).await.expect_err("no variant");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("king") && error.to_string().contains("User::role"), "{error}");
    Ok(())
}
