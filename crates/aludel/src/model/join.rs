//! The columns by which a relationship joins two tables.

use crate::entity::def::ModelDef;
use crate::error::{Error, ErrorKind, Result};

/// The columns by which a relationship joins its owner and its target, pairwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JoinColumns {
    /// Positions in the owner's columns.
    pub(crate) local: Vec<usize>,
    /// Positions in the target's columns.
    pub(crate) remote: Vec<usize>,
}

impl JoinColumns {
    /// The same join, seen from the other side.
    pub(crate) fn reversed(self) -> Self {
        Self { local: self.remote, remote: self.local }
    }
}

/// Finds the columns of a relationship: its own foreign key; else the other side's, from `back_populates`; else the
/// only foreign key of the target that references the owner.
///
/// # Errors
/// `Config` when there is no such foreign key, or several.
pub(crate) fn join_columns(owner: &'static ModelDef, index: usize) -> Result<JoinColumns> {
    let relationship = &owner.relationships[index];
    let target = (relationship.target)();
    if let Some(column) = relationship.foreign_key {
        return match &owner.columns[column].references {
            Some(reference) => Ok(JoinColumns { local: vec![column], remote: vec![(reference.target)().1] }),
            None => Err(Error::new(
                ErrorKind::Config,
                format!("`{}::{}` has no `references = ..`", owner.name, owner.columns[column].field),
            )),
        };
    }
    if let Some(inverse) = relationship.inverse {
        let inverse = inverse();
        if target.relationships[inverse].foreign_key.is_some() {
            return join_columns(target, inverse).map(JoinColumns::reversed);
        }
    }
    let candidates: Vec<(usize, usize)> = target
        .columns
        .iter()
        .enumerate()
        .filter_map(|(column, def)| {
            let (model, referenced) = (def.references.as_ref()?.target)();
            model.is(owner).then_some((column, referenced))
        })
        .collect();
    match candidates.as_slice() {
        [(column, referenced)] => Ok(JoinColumns { local: vec![*referenced], remote: vec![*column] }),
        [] => Err(Error::new(
            ErrorKind::Config,
            format!(
                "`{owner}::{name}`: no column of `{target}` is a foreign key to `{owner}`; add `#[column(references = \
                 {owner}::..)]` to one",
                owner = owner.name,
                name = relationship.name,
                target = target.name,
            ),
        )),
        several => Err(Error::new(
            ErrorKind::Config,
            format!(
                "`{owner}::{name}`: several columns of `{target}` are foreign keys to `{owner}` ({columns}); declare the \
                 relationship on the other side with `foreign_key = ..` and name it here with `back_populates = ..`",
                owner = owner.name,
                name = relationship.name,
                target = target.name,
                columns = several
                    .iter()
                    .map(|(column, _)| target.columns[*column].field)
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
        )),
    }
}
