//! What is in the database comes back as tables, and tables made of that come back the same.

mod support;

use aludel::prelude::*;
use aludel::schema::{
    Action, CheckConstraint, Column, ForeignKey, Identity, Index, MetaData, NamingConvention, Sequence, SqlType, Table,
    UniqueConstraint,
};
use support::{Backend, TestDb, needs};

/// Tables with everything that the schema knows.
fn shop() -> MetaData {
    let id = || Column::new("id", SqlType::BigInt).autoincrement();
    let status = SqlType::Enum { name: "status".into(), values: vec!["new".into(), "it's sent".into()].into() };
    let mut metadata = MetaData::new(NamingConvention::default());
    let tables = [
        Table::new("customer")
            .with_column(id())
            .with_column(Column::new("email", SqlType::String(Some(120))))
            .with_column(Column::new("name", SqlType::Text).nullable())
            .with_column(Column::new("vip", SqlType::Boolean).with_server_default("FALSE"))
            .with_column(Column::new("joined", SqlType::DateTime).with_server_default("CURRENT_TIMESTAMP"))
            .with_column(Column::new("born", SqlType::Date).nullable())
            .with_column(Column::new("referrer_id", SqlType::BigInt).nullable())
            .with_primary_key(["id"])
            .with_unique(UniqueConstraint::new(["email"]))
            .with_foreign_key(ForeignKey::new(["referrer_id"], "customer", ["id"]).on_delete(Action::SetNull)),
        Table::new("product")
            .with_column(Column::new("sku", SqlType::String(Some(20))))
            .with_column(Column::new("version", SqlType::BigInt))
            .with_column(Column::new("price", SqlType::Decimal { precision: Some(10), scale: Some(2) }))
            .with_column(Column::new("weight", SqlType::Double).nullable())
            .with_column(Column::new("picture", SqlType::Binary(None)).nullable())
            .with_column(Column::new("details", SqlType::Json).nullable())
            .with_column(Column::new("code", SqlType::Uuid).nullable())
            .with_primary_key(["sku", "version"])
            .with_check(CheckConstraint::new("price >= 0").named("price"))
            .with_index(Index::new(["weight", "price"])),
        Table::new("purchase")
            .with_column(id())
            .with_column(Column::new("customer_id", SqlType::BigInt))
            .with_column(Column::new("sku", SqlType::String(Some(20))))
            .with_column(Column::new("version", SqlType::BigInt))
            .with_column(Column::new("status", status))
            .with_column(Column::new("at", SqlType::Time).nullable())
            .with_primary_key(["id"])
            .with_foreign_key(ForeignKey::new(["customer_id"], "customer", ["id"]).on_delete(Action::Cascade))
            .with_foreign_key(ForeignKey::new(["sku", "version"], "product", ["sku", "version"]))
            .with_unique(UniqueConstraint::new(["customer_id", "sku"]))
            .with_index(Index::new(["status"]))
            .with_index(Index::new(["sku", "at"]).unique()),
    ];
    for table in tables {
        metadata.add_table(table).unwrap();
    }
    metadata
}

async fn create(test: &TestDb, metadata: &MetaData) -> Result<()> {
    let session = test.session();
    for statement in aludel::sql::ddl::create_all::<&str>(test.dialect(), metadata, &[])? {
        session.sql(&statement).execute().await?;
    }
    session.commit().await
}

#[tokio::test]
async fn what_was_created_is_reflected() -> Result<()> {
    let test = TestDb::without_tables(Db::builder()).await;
    create(&test, &shop()).await?;
    let reflected = test.db.reflect().await?;

    let purchase = reflected.table("purchase").expect("the table");
    assert_eq!(purchase.primary_key_columns(), ["id"]);
    assert!(purchase.column("id").unwrap().autoincrement);
    assert!(purchase.column("at").unwrap().nullable && !purchase.column("sku").unwrap().nullable);
    let SqlType::Enum { values, .. } = &purchase.column("status").unwrap().ty else { panic!("an enum") };
    assert_eq!(**values, ["new", "it's sent"]);
    assert_eq!(purchase.column("sku").unwrap().ty, SqlType::String(Some(20)));
    let mut keys: Vec<_> = purchase
        .foreign_keys
        .iter()
        .map(|key| (key.columns.join(","), key.target_table.as_str(), key.target_columns.join(","), key.on_delete))
        .collect();
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        keys,
        [
            ("customer_id".into(), "customer", "id".into(), Action::Cascade),
            ("sku,version".into(), "product", "sku,version".into(), Action::NoAction)
        ]
    );
    assert_eq!(purchase.unique_name(&["sku", "customer_id"]), Some("uq_purchase_customer_id_sku"));
    assert!(purchase.is_unique(&["sku", "at"]));
    assert!(purchase.indexes.iter().any(|index| index.columns() == ["status"] && !index.unique));

    let customer = reflected.table("customer").expect("the table");
    assert_eq!(customer.foreign_keys[0].on_delete, Action::SetNull);
    assert_eq!(customer.column("born").unwrap().ty, SqlType::Date);
    assert_eq!(customer.column("vip").unwrap().ty, SqlType::Boolean);
    assert!(customer.column("joined").unwrap().server_default.is_some());
    assert!(customer.column("email").unwrap().server_default.is_none());

    let product = reflected.table("product").expect("the table");
    assert_eq!(product.primary_key_columns(), ["sku", "version"]);
    assert_eq!(product.column("price").unwrap().ty, SqlType::Decimal { precision: Some(10), scale: Some(2) });
    assert_eq!(product.column("details").unwrap().ty, SqlType::Json);
    assert_eq!(product.column("code").unwrap().ty, SqlType::Uuid);
    assert_eq!(product.checks.len(), 1);
    assert!(product.checks[0].sql.contains("price"), "{}", product.checks[0].sql);
    Ok(())
}

#[tokio::test]
async fn tables_made_of_what_was_reflected_are_reflected_the_same() -> Result<()> {
    let (first, second) = (TestDb::without_tables(Db::builder()).await, TestDb::without_tables(Db::builder()).await);
    create(&first, &shop()).await?;
    let reflected = first.db.reflect().await?;
    create(&second, &reflected).await?;
    let again = second.db.reflect().await?;
    assert_eq!(reflected.tables(), again.tables());
    Ok(())
}

#[tokio::test]
async fn what_was_made_by_hand_is_reflected_too() -> Result<()> {
    let test = TestDb::without_tables(Db::builder()).await;
    let session = test.session();
    session.sql("CREATE TABLE plain (a INTEGER, b VARCHAR(10) DEFAULT 'x' UNIQUE)").execute().await?;
    session.commit().await?;
    let reflected = test.db.reflect().await?;
    let plain = reflected.table("plain").expect("the table");
    assert!(plain.primary_key.is_none());
    assert!(plain.is_unique(&["b"]));
    assert!(plain.column("b").unwrap().server_default.as_deref().is_some_and(|sql| sql.contains("'x'")));
    assert!(plain.column("a").unwrap().nullable);
    Ok(())
}

#[tokio::test]
async fn sequences_and_identities_are_reflected_with_how_they_count() -> Result<()> {
    needs!(Postgres | MariaDb, "SQLite has no sequences");
    let test = TestDb::without_tables(Db::builder()).await;
    let identity =
        Backend::current().pick("", "GENERATED ALWAYS AS IDENTITY (START WITH 500 INCREMENT BY 5)", "AUTO_INCREMENT");
    let sequence =
        |name| Backend::current().pick(String::new(), format!("nextval('{name}')"), format!("nextval({name})"));
    test.change(&format!(
        "CREATE SEQUENCE numbers START WITH 1000 INCREMENT BY 10; CREATE SEQUENCE plain_numbers;
         CREATE TABLE bill (id BIGINT {identity} PRIMARY KEY, number BIGINT NOT NULL DEFAULT {}, line BIGINT DEFAULT {})",
        sequence("numbers"),
        sequence("plain_numbers"),
    ));
    let reflected = test.db.reflect().await?;
    let bill = reflected.table("bill").expect("the table");
    let column = |name| bill.column(name).expect("a column");
    assert_eq!(column("number").sequence, Some(Sequence::new("numbers").starting_at(1000).incremented_by(10)));
    assert_eq!(column("line").sequence, Some(Sequence::new("plain_numbers")));
    assert!(column("number").server_default.is_none() && !column("number").autoincrement);
    assert!(column("id").autoincrement);
    let counted = Backend::current().pick(None, Some(Identity::new(true, Some(500), Some(5))), None);
    assert_eq!(column("id").identity, counted);

    // What is made of it counts on in the same way.
    let second = TestDb::without_tables(Db::builder()).await;
    create(&second, &reflected).await?;
    second.change("INSERT INTO bill (line) VALUES (DEFAULT), (7)");
    let ids = Backend::current().pick(["", ""], ["500|1000|1", "505|1010|7"], ["1|1000|1", "2|1010|7"]);
    assert_eq!(second.rows("SELECT id, number, line FROM bill ORDER BY id"), ids);
    Ok(())
}

#[tokio::test]
async fn what_rust_has_no_type_for_is_reflected_as_what_it_is_and_read_as_text() -> Result<()> {
    needs!(Postgres, "networks and hardware addresses are its own");
    let test = TestDb::without_tables(Db::builder()).await;
    test.change(
        "CREATE TABLE port (id BIGINT PRIMARY KEY, net CIDR, mac MACADDR NOT NULL);
         INSERT INTO port (id, net, mac) VALUES (1, '10.0.0.0/8', '08:00:2b:01:02:03')",
    );
    let reflected = test.db.reflect().await?;
    let port = reflected.table("port").expect("the table");
    assert_eq!(port.column("net").expect("a column").ty, SqlType::Other("cidr".into()));
    assert_eq!(port.column("mac").expect("a column").ty, SqlType::Other("macaddr".into()));
    let session = test.session();
    let row = session.select_from(port).one().await?;
    assert_eq!(
        (row.get::<String>("net")?, row.get::<String>("mac")?),
        ("10.0.0.0/8".into(), "08:00:2b:01:02:03".into())
    );
    let source = aludel::codegen::ModelWriter::new(&reflected, test.dialect()).write()?;
    assert_eq!(
        source.notes,
        ["net: cidr", "mac: macaddr"].map(|column| {
            let (name, ty) = column.split_once(": ").expect("a type");
            format!(
                "column port.{name} is left out: Rust has no type for {ty}; read and write it as text, by a query on the \
                 reflected table or by SQL with CAST(.. AS text)"
            )
        })
    );
    Ok(())
}
