//! Entities written: columns and links.

use crate::entity::Entity;
use crate::entity::model::Model;
use crate::entity::new::{LinkTarget, Target};
use crate::entity::slot::{SlotPtr, State};
use crate::model::{ChildOf, FieldWrite, IntoValue, Settable, ToMany};
use crate::sql::Value;

use super::links::{note, push, remove, set_many, set_one, write_column};

impl<T: Model> Entity<T> {
    /// Writes one column, or makes a relationship lead to another row or, with a list, to other rows. The session's next
    /// flush sends it.
    ///
    /// A foreign key follows its relationship, and the other side's collection, where it is loaded, follows too. For
    /// several columns at once use [`edit`](Entity::edit). A list is what the collection holds then: what is not in it
    /// is taken out as by [`remove`](Entity::remove), for which the collection has to be loaded.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     username: String,
    ///     #[relationship(back_populates = author)]
    ///     posts: Many<Post>,
    /// }
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct Post {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     title: String,
    ///     #[column(references = User::id)]
    ///     user_id: Option<i64>,
    ///     #[relationship(back_populates = posts)]
    ///     author: One<Option<User>>,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// let user = session.add(User::build().username("ann"));
    /// let post = session.add(Post::build().title("Hello"));
    /// post.set(Post::title, "Good morning");
    /// post.set(Post::author, &user);
    /// assert_eq!(user.posts.get()?[0].title, "Good morning");
    /// session.commit().await?;
    /// assert_eq!(post.user_id, Some(user.id));
    ///
    /// post.set(Post::author, None);
    /// assert_eq!(post.user_id, None);
    /// assert!(user.posts.get()?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn set<F: Settable<T>>(&self, field: F, value: impl IntoValue<F::Value>) {
        match field.write(value.into_value()) {
            FieldWrite::Column(column, value) => self.set_column(column, value),
            FieldWrite::Link(index, target) => {
                if let Some(target) = self.link_target(target) {
                    set_one(self.arena(), self.slot(), index, target);
                }
            }
            FieldWrite::Links(index, targets) => {
                let members: Vec<_> =
                    targets.into_iter().map_while(|target| self.link_target(target)).flatten().collect();
                set_many(self.arena(), self.slot(), index, &members);
            }
        }
    }

    fn set_column(&self, column: usize, value: Value<'static>) {
        let (arena, slot) = (self.arena(), self.slot());
        warn_if_lost(self);
        note(arena, write_column(arena, slot, column, value));
        // The relationship leads to where the key points now; it is looked up when it is asked for.
        for (index, relationship) in T::def().relationships.iter().enumerate() {
            if relationship.foreign_key.contains(&column) {
                arena.tracker().unload(arena, slot, index);
            }
        }
    }

    /// Adds a row to a collection: an entity, or a new row, which is added to the session too. Returns its entity.
    ///
    /// A builder needs no key to this row: it gets it here. Another required key to the same model has to be given; the
    /// next flush fails if it is not. In a many-to-many relationship a row of the link model is written; one that is
    /// there already is not written twice.
    pub fn push<U: Model, K>(&self, relationship: ToMany<T, U, K>, row: impl ChildOf<T, U, K>) -> Entity<U> {
        let child = match row.into_link().0 {
            Target::New(row) => super::add::add_row(self.arena(), row),
            Target::Entity(entity) => {
                let child = Entity::new(entity.arena, entity.slot);
                if !self.shares_session(&child) {
                    return child;
                }
                child.slot()
            }
            Target::None => unreachable!("`ChildOf` gives an entity or a new row"),
        };
        push(self.arena(), self.slot(), relationship.index(), child);
        Entity::new(self.arena().clone(), child)
    }

    /// Takes a row out of a collection: its foreign key becomes NULL, or, where the collection cascades
    /// `delete-orphan`, the row is deleted. A foreign key that may not be NULL makes the next flush fail. In a
    /// many-to-many relationship the row of the link model is deleted.
    pub fn remove<U: Model, K>(&self, relationship: ToMany<T, U, K>, row: &Entity<U>) {
        if self.shares_session(row) {
            remove(self.arena(), self.slot(), relationship.index(), row.slot());
        }
    }

    /// The row that a link leads to, added to the session if it is new. `None` when it is of another session.
    fn link_target(&self, target: LinkTarget) -> Option<Option<SlotPtr>> {
        match target.0 {
            Target::None => Some(None),
            Target::New(row) => Some(Some(super::add::add_row(self.arena(), row))),
            Target::Entity(entity) if entity.slot.is_in(self.arena()) => Some(Some(entity.slot)),
            Target::Entity(entity) => {
                note(self.arena(), Err(super::add::foreign(entity.slot.def())));
                None
            }
        }
    }
}

/// A change that no flush will ever send is worth a word in the log: it cannot fail here.
fn warn_if_lost<T: Model>(entity: &Entity<T>) {
    let lost = match entity.slot().state() {
        State::Deleted | State::Detached => Some("the row is deleted or was rolled back"),
        _ if super::Session::of(entity.arena()).map_or(true, |session| session.is_closed()) => {
            Some("its session is closed")
        }
        _ => None,
    };
    if let Some(why) = lost {
        tracing::warn!(target: "aludel::session", model = T::def().name, "a change of an entity is lost: {why}");
    }
}
