use super::*;
use crate::error::ErrorKind;
use crate::schema::{Action, CheckConstraint, Column, ForeignKey, Index, NamingConvention, SqlType, UniqueConstraint};

use SqlType::{
    BigInt, Boolean, Date, DateTime, Double, Float, Integer, Json, SmallInt, Text, Time, Timestamp, TinyInt,
};

fn metadata(tables: impl IntoIterator<Item = Table>) -> MetaData {
    let mut metadata = MetaData::default();
    for table in tables {
        metadata.add_table(table).unwrap();
    }
    metadata
}

fn all(tables: impl IntoIterator<Item = Table>) -> String {
    create_all::<&str>(Dialect::Sqlite, &metadata(tables), &[]).unwrap().join(";\n")
}

fn user() -> Table {
    Table::new("user")
        .with_column(Column::new("id", BigInt).autoincrement())
        .with_column(Column::new("username", SqlType::String(Some(80))))
        .with_column(Column::new("bio", Text).nullable())
        .with_primary_key(["id"])
        .with_unique(UniqueConstraint::new(["username"]))
}

fn post() -> Table {
    Table::new("post")
        .with_column(Column::new("id", BigInt).autoincrement())
        .with_column(Column::new("title", SqlType::String(Some(100))))
        .with_column(Column::new("user_id", BigInt))
        .with_primary_key(["id"])
        .with_foreign_key(ForeignKey::new(["user_id"], "user", ["id"]).on_delete(Action::Cascade))
        .with_index(Index::new(["title"]))
}

#[test]
fn tables_come_with_their_constraints_and_indexes_targets_first() {
    insta::assert_snapshot!(all([post(), user()]), @r#"
    CREATE TABLE "user" (
        "id" INTEGER NOT NULL,
        "username" VARCHAR(80) NOT NULL,
        "bio" TEXT,
        CONSTRAINT "pk_user" PRIMARY KEY ("id"),
        CONSTRAINT "uq_user_username" UNIQUE ("username")
    );
    CREATE TABLE "post" (
        "id" INTEGER NOT NULL,
        "title" VARCHAR(100) NOT NULL,
        "user_id" INTEGER NOT NULL,
        CONSTRAINT "pk_post" PRIMARY KEY ("id"),
        CONSTRAINT "fk_post_user_id_user" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE
    );
    CREATE INDEX "ix_post_title" ON "post" ("title")
    "#);
}

#[test]
fn every_type_has_the_affinity_that_its_values_need() {
    let decimal = |precision, scale| SqlType::Decimal { precision, scale };
    let types = [
        Boolean,
        TinyInt,
        SmallInt,
        Integer,
        BigInt,
        SqlType::UnsignedTinyInt,
        SqlType::UnsignedSmallInt,
        SqlType::UnsignedInteger,
        SqlType::UnsignedBigInt,
        Float,
        Double,
        decimal(Some(10), Some(2)),
        decimal(Some(10), None),
        decimal(None, None),
        SqlType::String(Some(80)),
        SqlType::String(None),
        Text,
        SqlType::Binary(Some(16)),
        SqlType::Binary(None),
        Date,
        Time,
        DateTime,
        Timestamp,
        SqlType::Uuid,
        Json,
        SqlType::Other("GEOMETRY".into()),
    ];
    let columns = types.into_iter().enumerate().map(|(at, ty)| Column::new(format!("c{at}"), ty));
    insta::assert_snapshot!(all([columns.fold(Table::new("t"), Table::with_column)]), @r#"
    CREATE TABLE "t" (
        "c0" BOOLEAN NOT NULL,
        "c1" INTEGER NOT NULL,
        "c2" INTEGER NOT NULL,
        "c3" INTEGER NOT NULL,
        "c4" INTEGER NOT NULL,
        "c5" INTEGER NOT NULL,
        "c6" INTEGER NOT NULL,
        "c7" INTEGER NOT NULL,
        "c8" INTEGER NOT NULL,
        "c9" FLOAT NOT NULL,
        "c10" DOUBLE NOT NULL,
        "c11" NUMERIC(10, 2) NOT NULL,
        "c12" NUMERIC(10) NOT NULL,
        "c13" NUMERIC NOT NULL,
        "c14" VARCHAR(80) NOT NULL,
        "c15" VARCHAR NOT NULL,
        "c16" TEXT NOT NULL,
        "c17" BLOB NOT NULL,
        "c18" BLOB NOT NULL,
        "c19" DATE NOT NULL,
        "c20" TIME NOT NULL,
        "c21" DATETIME NOT NULL,
        "c22" TIMESTAMP NOT NULL,
        "c23" CHAR(36) NOT NULL,
        "c24" JSON TEXT NOT NULL,
        "c25" GEOMETRY NOT NULL
    )
    "#);
}

#[test]
fn an_enum_is_text_with_a_named_check() {
    let values = vec!["draft".into(), "it's élevé".into()];
    let mood = SqlType::Enum { name: "state".into(), values: values.into() };
    insta::assert_snapshot!(all([Table::new("post").with_column(Column::new("state", mood).nullable())]), @r#"
    CREATE TABLE "post" (
        "state" VARCHAR(10),
        CONSTRAINT "ck_post_state" CHECK ("state" IN ('draft', 'it''s élevé'))
    )
    "#);
}

#[test]
fn composite_keys_defaults_and_checks() {
    let target = Table::new("pair")
        .with_column(Column::new("x", Integer))
        .with_column(Column::new("y", Integer))
        .with_primary_key(["y", "x"]);
    let table = Table::new("part")
        .with_column(Column::new("code", Text).nullable())
        .with_column(Column::new("at", DateTime).with_server_default("datetime('now')"))
        .with_column(Column::new("x", Integer).nullable().with_server_default("0"))
        .with_column(Column::new("y", Integer).nullable().with_comment("not written on SQLite"))
        .with_primary_key(["code"])
        .with_foreign_key(
            ForeignKey::new(["x", "y"], "pair", ["x", "y"]).on_delete(Action::SetNull).on_update(Action::Restrict),
        )
        .with_check(CheckConstraint::new("x <> y").named("differ"))
        .with_index(Index::new(["x", "y"]).unique().named("own"))
        .with_comment("neither is this");
    insta::assert_snapshot!(all([target, table]), @r#"
    CREATE TABLE "pair" (
        "x" INTEGER NOT NULL,
        "y" INTEGER NOT NULL,
        CONSTRAINT "pk_pair" PRIMARY KEY ("y", "x")
    );
    CREATE TABLE "part" (
        "code" TEXT NOT NULL,
        "at" DATETIME DEFAULT (datetime('now')) NOT NULL,
        "x" INTEGER DEFAULT 0,
        "y" INTEGER,
        CONSTRAINT "pk_part" PRIMARY KEY ("code"),
        CONSTRAINT "fk_part_x_y_pair" FOREIGN KEY ("x", "y") REFERENCES "pair" ("x", "y") ON DELETE SET NULL ON UPDATE RESTRICT,
        CONSTRAINT "ck_part_differ" CHECK (x <> y)
    );
    CREATE UNIQUE INDEX "own" ON "part" ("x", "y")
    "#);
}

#[test]
fn identifiers_are_quoted_whatever_is_in_them() {
    let table = Table::new("or\"der").with_column(Column::new("group by", Text)).with_index(Index::new(["group by"]));
    insta::assert_snapshot!(all([table]), @r#"
    CREATE TABLE "or""der" (
        "group by" TEXT NOT NULL
    );
    CREATE INDEX "ix_or""der_group by" ON "or""der" ("group by")
    "#);
}

#[test]
fn constraints_without_a_name_stay_without() {
    let mut metadata = MetaData::new(NamingConvention::none());
    metadata.add_table(user()).unwrap();
    metadata.add_table(post()).unwrap();
    insta::assert_snapshot!(create_all::<&str>(Dialect::Sqlite, &metadata, &[]).unwrap().join(";\n"), @r#"
    CREATE TABLE "user" (
        "id" INTEGER NOT NULL,
        "username" VARCHAR(80) NOT NULL,
        "bio" TEXT,
        PRIMARY KEY ("id"),
        UNIQUE ("username")
    );
    CREATE TABLE "post" (
        "id" INTEGER NOT NULL,
        "title" VARCHAR(100) NOT NULL,
        "user_id" INTEGER NOT NULL,
        PRIMARY KEY ("id"),
        FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE
    );
    CREATE INDEX "ix_post_title" ON "post" ("title")
    "#);
}

#[test]
fn tables_that_are_there_are_left_alone_with_their_indexes() {
    let metadata = metadata([user(), post()]);
    let created = |existing: &[&str]| create_all(Dialect::Sqlite, &metadata, existing).unwrap();
    assert_eq!(created(&["user"]), all_but_first(&created(&[])));
    assert_eq!(created(&["POST", "other"]).len(), 1, "SQLite takes POST and post for one name");
    assert_eq!(created(&["post", "user"]), Vec::<String>::new());
}

fn all_but_first(statements: &[String]) -> Vec<String> {
    statements[1..].to_vec()
}

fn ring() -> [Table; 2] {
    let favourite = Column::new("favourite_id", BigInt).nullable();
    let user = user().with_column(favourite).with_foreign_key(ForeignKey::new(["favourite_id"], "post", ["id"]));
    [post(), user]
}

#[test]
fn a_key_that_closes_a_cycle_stands_in_its_table() {
    let statements = create_all::<&str>(Dialect::Sqlite, &metadata(ring()), &[]).unwrap();
    assert!(statements[0].starts_with("CREATE TABLE \"user\""));
    assert!(statements[0].contains("CONSTRAINT \"fk_user_favourite_id_post\" FOREIGN KEY (\"favourite_id\")"));
    assert!(statements[1].starts_with("CREATE TABLE \"post\""));
}

#[test]
fn drop_all_puts_the_checks_off_and_drops_holders_before_targets() {
    let expected = ["PRAGMA defer_foreign_keys = ON", "DROP TABLE IF EXISTS \"post\"", "DROP TABLE IF EXISTS \"user\""];
    assert_eq!(drop_all(Dialect::Sqlite, &metadata([user(), post()])).unwrap(), expected);
    assert_eq!(drop_all(Dialect::Sqlite, &metadata(ring())).unwrap(), expected);
}

#[test]
fn only_an_integer_that_is_the_whole_key_autoincrements_on_sqlite() {
    let table = |ty, key: &[&str]| {
        Table::new("t")
            .with_column(Column::new("id", ty).autoincrement())
            .with_column(Column::new("n", BigInt))
            .with_primary_key(key.iter().copied())
    };
    for wrong in [table(BigInt, &["id", "n"]), table(BigInt, &["n"]), table(Text, &["id"])] {
        let error = create_table(Dialect::Sqlite, &wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.table(), Some("t"));
        assert_eq!(
            error.to_string(),
            "column t.id cannot autoincrement: SQLite counts up only an integer that is the whole primary key"
        );
    }
    for right in [TinyInt, SmallInt, Integer, BigInt, SqlType::UnsignedInteger] {
        create_table(Dialect::Sqlite, &table(right, &["id"])).unwrap();
    }
}

#[test]
fn an_index_without_a_name_is_an_error() {
    let error = create_index(Dialect::Sqlite, &post(), &post().indexes[0]).unwrap_err();
    assert_eq!(error.to_string(), "the index on post.title has no name: name it, or add its table to a MetaData");
}

#[test]
fn a_schema_with_an_error_creates_nothing() {
    let error = create_all::<&str>(Dialect::Sqlite, &metadata([post()]), &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().starts_with("foreign key post.user_id references table `user`"), "{error}");
}
