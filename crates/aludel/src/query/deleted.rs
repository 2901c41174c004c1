//! Softly deleted rows, which a query sees only where it says so.

use super::Query;
use super::draft::Draft;
use super::source::Root;
use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::model::RelationLoad;
use crate::sql::Node;

impl<M: Model, R> Query<M, R> {
    /// Softly deleted rows too: those of the query's own model, of all that it joins and loads along, and of what its
    /// conditions ask in `any`, `has` and subqueries. Queries that it uses under a name (`cte`, `subquery`) say it for
    /// themselves. Of several queries in a union this is said of the whole, or of each before.
    ///
    /// An UPDATE or DELETE of such a query writes these rows too.
    pub fn with_deleted(mut self) -> Self {
        self.draft.edit().lift();
        self
    }

    /// Only softly deleted rows of the query's model; of the others that it names all, as with
    /// [`with_deleted`](Query::with_deleted). For a list of what can be restored, and to empty the bin:
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct Post {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     #[column(soft_delete)]
    ///     deleted: bool,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// session.add_all([Post::build(), Post::build()]);
    /// Post::query().filter(Post::id.eq(1)).delete().execute(&session).await?;
    /// assert_eq!(Post::query().with_deleted().count(&session).await?, 2);
    /// assert_eq!(Post::query().only_deleted().delete_hard().execute(&session).await?, 1);
    /// assert_eq!(Post::query().with_deleted().count(&session).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A model without `#[column(soft_delete)]` makes the query an error of the kind `InvalidStatement`.
    pub fn only_deleted(mut self) -> Self {
        let draft = self.draft.edit();
        draft.lift();
        let table = draft.root_name();
        draft.filter.push(match M::def().options.soft_delete() {
            Some(column) => column.condition(table, true),
            None => Node::Invalid(no_soft_delete(M::def(), "only_deleted()").into()),
        });
        self
    }
}

impl Draft {
    /// Shows softly deleted rows.
    fn lift(&mut self) {
        self.with_deleted = true;
        if let Some(Root::Compound(compound)) = self.rare.as_mut().map(|rare| &mut rare.root) {
            compound.first.lift();
            compound.rest.iter_mut().for_each(|(_, draft)| draft.lift());
        }
    }
}

/// Loads softly deleted rows along, where the query sees them.
pub(super) fn lift_loads(owner: &'static ModelDef, loads: &mut [RelationLoad]) {
    for load in loads {
        let relationship = &owner.relationships[load.relationship];
        let target = (relationship.target)();
        let link = relationship.secondary.map(|link| link());
        load.with_deleted |= [Some(target), link].into_iter().flatten().any(|def| def.options.soft_delete().is_some());
        lift_loads(target, &mut load.nested);
    }
}

pub(super) fn no_soft_delete(def: &ModelDef, word: &str) -> String {
    format!(
        "{word}: `{}` has no column that says whether a row is deleted; mark one `#[column(soft_delete)]`",
        def.name
    )
}
