use super::*;
use crate::schema::{CheckConstraint, Column, ForeignKey, Index, PrimaryKey, UniqueConstraint};

fn enumeration() -> SqlType {
    SqlType::Enum { name: "mood".into(), values: vec!["ok".into(), "sad".into()].into() }
}

/// A table with one nameless constraint of each kind, two of each that can have several columns.
fn post() -> Table {
    Table::new("post")
        .with_column(Column::new("id", SqlType::BigInt))
        .with_column(Column::new("mood", enumeration()))
        .with_primary_key(["id"])
        .with_foreign_key(ForeignKey::new(["user_id"], "user", ["id"]))
        .with_foreign_key(ForeignKey::new(["a", "b"], "pair", ["x", "y"]))
        .with_unique(UniqueConstraint::new(["title"]))
        .with_unique(UniqueConstraint::new(["title", "user_id"]))
        .with_check(CheckConstraint::new("id > 0"))
        .with_index(Index::new(["title"]))
        .with_index(Index::new(["title", "id"]))
}

fn names(mut table: Table, naming: &NamingConvention) -> Vec<String> {
    naming.name_constraints(&mut table).unwrap();
    let mut names = vec![table.primary_key.and_then(|key| key.name)];
    names.extend(table.foreign_keys.into_iter().map(|key| key.name));
    names.extend(table.uniques.into_iter().map(|unique| unique.name));
    names.extend(table.checks.into_iter().map(|check| check.name));
    names.extend(table.columns.into_iter().filter(|c| c.name == "mood").map(|column| column.enum_check));
    names.extend(table.indexes.into_iter().map(|index| index.name));
    names.into_iter().map(|name| name.unwrap_or_default()).collect()
}

#[test]
fn by_default_every_constraint_has_a_name_that_can_be_foreseen() {
    assert_eq!(
        names(post(), &NamingConvention::default()),
        [
            "pk_post",
            "fk_post_user_id_user",
            "fk_post_a_b_pair",
            "uq_post_title",
            "uq_post_title_user_id",
            "ck_post_19298f56",
            "ck_post_mood",
            "ix_post_title",
            "ix_post_title_id",
        ]
    );
}

#[test]
fn without_a_convention_only_indexes_get_names() {
    let names = names(post(), &NamingConvention::none());
    assert_eq!(names, ["", "", "", "", "", "", "", "ix_post_title", "ix_post_title_id"]);
}

#[test]
fn a_given_name_stays() {
    let mut table = post();
    table.primary_key = Some(PrimaryKey::new(["id"]).named("own_pk"));
    table.foreign_keys = vec![ForeignKey::new(["user_id"], "user", ["id"]).named("own_fk")];
    table.uniques = vec![UniqueConstraint::new(["title"]).named("own_uq")];
    table.indexes = vec![Index::new(["title"]).named("own_ix")];
    table.checks.clear();
    table.columns.clear();
    assert_eq!(names(table, &NamingConvention::default()), ["own_pk", "own_fk", "own_uq", "own_ix"]);
}

fn check_name(naming: &NamingConvention, given: &str) -> String {
    let mut table = Table::new("item").with_check(CheckConstraint::new("n > 0").named(given));
    naming.name_constraints(&mut table).unwrap();
    table.checks.remove(0).name.unwrap()
}

#[test]
fn the_name_given_to_a_check_is_wrapped_once() {
    let naming = NamingConvention::default();
    assert_eq!(check_name(&naming, "positive"), "ck_item_positive");
    assert_eq!(check_name(&naming, "ck_item_positive"), "ck_item_positive");
    assert_eq!(check_name(&naming, "ck_item_"), "ck_item_ck_item_", "the template alone is no name");
    let suffix = NamingConvention::default().check("%(constraint_name)s_of_%(table_name)s");
    assert_eq!(check_name(&suffix, "positive"), "positive_of_item");
    assert_eq!(check_name(&suffix, "positive_of_item"), "positive_of_item");
}

#[test]
fn every_token_has_its_meaning() {
    let key = |template: &str| {
        let naming = NamingConvention::none().foreign_key(template);
        let mut table = Table::new("t").with_foreign_key(ForeignKey::new(["a", "b"], "u", ["x", "y"]));
        naming.name_constraints(&mut table).map(|()| table.foreign_keys.remove(0).name.unwrap())
    };
    for (template, expected) in [
        ("%(table_name)s", "t"),
        ("%(column_0_name)s-%(column_1_name)s", "a-b"),
        ("%(column_0_N_name)s-%(column_0N_name)s", "a_b-ab"),
        ("%(column_0_label)s-%(column_0_N_label)s", "t_a-t_a_t_b"),
        ("%(referred_table_name)s-%(referred_column_0_name)s", "u-x"),
        ("%(referred_column_0_N_name)s-%(referred_column_1_label)s", "x_y-u_y"),
        ("100%%-%-%(", "100%-%-%("),
    ] {
        assert_eq!(key(template).unwrap(), expected, "{template}");
    }
    for template in ["%(tabel_name)s", "%(column_2_name)s", "%(column_0_nam)s", "%(constraint_name)s", "%()s"] {
        assert_eq!(key(template).unwrap_err().kind(), ErrorKind::Config, "{template}");
    }
}

#[test]
fn an_unknown_token_is_an_error_that_names_it_and_the_known_ones() {
    let naming = NamingConvention::default().unique("uq_%(referred_table_name)s");
    let mut table = Table::new("t").with_unique(UniqueConstraint::new(["a"]));
    let error = naming.name_constraints(&mut table).unwrap_err();
    assert_eq!(error.table(), Some("t"));
    assert_eq!(
        error.to_string(),
        "the naming convention `uq_%(referred_table_name)s` has the token `%(referred_table_name)s`, which means \
         nothing for a constraint of table `t`: use %(table_name)s, %(column_0_name)s, %(column_0_N_name)s, for foreign \
         keys %(referred_table_name)s, for checks %(constraint_name)s"
    );
}

#[test]
fn a_long_name_keeps_its_beginning_and_differs_in_its_end() {
    assert_eq!(shorten("x".repeat(63)), "x".repeat(63));
    // Fixed values: these names are in databases, so that the hash may never change.
    assert_eq!(shorten("x".repeat(64)), format!("{}_0c07e2ee", "x".repeat(54)));
    assert_eq!(shorten("x".repeat(65)), format!("{}_3400e322", "x".repeat(54)));
    assert_eq!(hash(""), 0xcbf2_9ce4 ^ 0x8422_2325);
}

#[test]
fn a_long_name_is_cut_between_characters() {
    let short = shorten("é".repeat(40));
    assert!(short.len() <= 63 && short.starts_with(&format!("{}_", "é".repeat(27))), "{short}");
    let odd = shorten(format!("a{}", "é".repeat(40)));
    assert!(odd.len() <= 63 && odd.starts_with(&format!("a{}_", "é".repeat(26))), "{odd}");
}
