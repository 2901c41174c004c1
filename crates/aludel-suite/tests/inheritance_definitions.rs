//! Models that do not fit those that they inherit from are refused by name, with the cure, before anything is sent.

mod support;

use aludel::Models;
use aludel::prelude::*;

mod missing {
    use super::*;

    #[derive(Model, Clone, Debug)]
    #[model(table = "missing", identity = "a")]
    pub(super) struct Parent {
        #[column(primary_key)]
        pub(super) id: i64,
        pub(super) name: String,
        #[column(discriminator)]
        pub(super) kind: String,
    }

    #[derive(Model, Clone, Debug)]
    #[model(inherits = Parent, identity = "b")]
    pub(super) struct Child {
        #[column(primary_key)]
        pub(super) id: i64,
    }
}

mod twice {
    use super::*;

    #[derive(Model, Clone, Debug)]
    #[model(table = "twice")]
    pub(super) struct Parent {
        #[column(primary_key)]
        pub(super) id: i64,
        #[column(discriminator)]
        pub(super) kind: i64,
    }

    #[derive(Model, Clone, Debug)]
    #[model(inherits = Parent, identity = 7)]
    pub(super) struct One {
        #[column(primary_key)]
        pub(super) id: i64,
    }

    #[derive(Model, Clone, Debug)]
    #[model(inherits = Parent, identity = 7)]
    pub(super) struct Two {
        #[column(primary_key)]
        pub(super) id: i64,
    }
}

mod retyped {
    use super::*;

    #[derive(Model, Clone, Debug)]
    #[model(table = "retyped", identity = "a")]
    pub(super) struct Parent {
        #[column(primary_key)]
        pub(super) id: i64,
        pub(super) size: i64,
        #[column(discriminator)]
        pub(super) kind: String,
    }

    #[derive(Model, Clone, Debug)]
    #[model(table = "retyped_child", inherits = Parent, identity = "b")]
    pub(super) struct Child {
        #[column(primary_key, references = Parent::id)]
        pub(super) id: i64,
        pub(super) size: Option<i64>,
    }
}

mod shared {
    use super::*;

    #[derive(Model, Clone, Debug)]
    #[model(table = "shared", identity = "a")]
    pub(super) struct Parent {
        #[column(primary_key)]
        pub(super) id: i64,
        #[column(discriminator)]
        pub(super) kind: String,
    }

    #[derive(Model, Clone, Debug)]
    #[model(inherits = Parent, identity = "b")]
    pub(super) struct One {
        #[column(primary_key)]
        pub(super) id: i64,
        pub(super) extra: i64,
    }

    #[derive(Model, Clone, Debug)]
    #[model(inherits = Parent, identity = "c")]
    pub(super) struct Two {
        #[column(primary_key)]
        pub(super) id: i64,
        pub(super) extra: String,
    }
}

mod unmarked {
    use super::*;

    #[derive(Model, Clone, Debug)]
    #[model(table = "unmarked", identity = "a")]
    pub(super) struct Parent {
        #[column(primary_key)]
        pub(super) id: i64,
        #[column(discriminator)]
        pub(super) kind: String,
    }

    #[derive(Model, Clone, Debug)]
    #[model(inherits = Parent, identity = "b")]
    pub(super) struct Child {
        #[column(primary_key)]
        pub(super) id: i64,
        pub(super) kind: String,
    }
}

mod undeferred {
    use super::*;

    #[derive(Model, Clone, Debug)]
    #[model(table = "undeferred", identity = "a")]
    pub(super) struct Parent {
        #[column(primary_key)]
        pub(super) id: i64,
        #[column(deferred)]
        pub(super) body: Deferred<String>,
        #[column(discriminator)]
        pub(super) kind: String,
    }

    #[derive(Model, Clone, Debug)]
    #[model(table = "undeferred_child", inherits = Parent, identity = "b")]
    pub(super) struct Child {
        #[column(primary_key, references = Parent::id)]
        pub(super) id: i64,
        pub(super) body: String,
    }
}

mod anonymous {
    use super::*;

    #[derive(Model, Clone, Debug)]
    #[model(table = "anonymous")]
    pub(super) struct Parent {
        #[column(primary_key)]
        pub(super) id: i64,
        #[column(discriminator)]
        pub(super) kind: String,
    }

    #[derive(Model, Clone, Debug)]
    #[model(inherits = Parent, identity = "it's a child")]
    pub(super) struct Child {
        #[column(primary_key)]
        pub(super) id: i64,
        pub(super) note: String,
    }

    #[derive(Polymorphic, Clone, Debug)]
    #[polymorphic(on = Parent::kind)]
    pub(super) enum Any {
        Parent(Entity<Parent>),
        Child(Entity<Child>),
    }
}

async fn refused(models: impl Models) -> String {
    let error = Db::builder().models(models).uri("sqlite://").connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[tokio::test]
async fn a_model_has_the_columns_of_its_parent() {
    let text = refused([missing::Parent::TABLE, missing::Child::TABLE]).await;
    assert_eq!(
        text,
        "`Child` inherits from `Parent` and has no `name`: a model has the columns of its parent too, add the field"
    );
    // Whoever asks for the model alone gets its parents too.
    assert_eq!(refused([missing::Child::TABLE]).await, text);
    assert_eq!(refused([missing::Parent::TABLE]).await, text);
}

#[tokio::test]
async fn two_models_have_two_identities() {
    let text = refused([twice::Parent::TABLE]).await;
    assert!(text.contains("`Two` and `One` have the same identity 7"), "{text}");
}

#[tokio::test]
async fn a_column_is_declared_alike() {
    let text = refused([retyped::Child::TABLE]).await;
    assert_eq!(text, "`Child::size` is the column `Parent::size`, and has another type: declare both alike");
    let text = refused([undeferred::Child::TABLE]).await;
    assert_eq!(text, "`Child::body` is the column `Parent::body`, and has another `deferred`: declare both alike");
    let text = refused([shared::Parent::TABLE]).await;
    assert!(text.contains("are one column of the table `shared`, and are declared differently"), "{text}");
    let text = refused([unmarked::Parent::TABLE]).await;
    assert!(text.contains("mark it `#[column(discriminator)]`, or leave it out"), "{text}");
}

#[tokio::test]
async fn a_variant_has_an_identity() -> Result<()> {
    let db = support::TestDb::of([anonymous::Parent::TABLE, anonymous::Child::TABLE]).await;
    let session = db.session();
    let error = anonymous::Any::query().all(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(
        error.to_string().contains("`Any` has a variant for `Parent`, whose own rows nothing tells from others"),
        "{error}"
    );
    // Without an identity the program gives the discriminator.
    session.add(anonymous::Parent::build().kind("other"));
    session.add(anonymous::Child::build().note("n"));
    session.commit().await?;
    assert_eq!(db.rows("SELECT kind FROM anonymous ORDER BY kind"), ["it's a child", "other"]);
    assert_eq!(anonymous::Child::query().count(&session).await?, 1);
    Ok(())
}
