//! Columns that say which rows a statement sees.

use crate::errors::Errors;
use crate::model::spec::Model;

/// Finds the columns of soft deletion and of the tenant.
pub(super) fn criteria(model: &mut Model, errors: &mut Errors) {
    for (position, column) in model.columns.iter().enumerate() {
        if let Some(span) = column.soft_delete {
            let other = column.default.is_some() || column.server_default.is_some() || column.on_update.is_some();
            if column.primary_key.is_some() || column.references.is_some() {
                errors.span(span, "this column says whether the row is deleted, so that it can be no key");
            }
            if other || column.computed.is_some() || column.version.is_some() {
                errors.span(
                    span,
                    "`session.delete` writes this column: it takes no `default`, `server_default`, `on_update`, `computed` \
                     or `version`",
                );
            }
            if model.soft_delete.is_some() {
                errors.span(span, "a model has one column that says whether a row is deleted");
            }
            model.soft_delete = Some(position);
        }
        if let Some(span) = column.tenant {
            let other = column.default.is_some() || column.server_default.is_some() || column.on_update.is_some();
            if other || column.computed.is_some() || column.version.is_some() || column.soft_delete.is_some() {
                errors.span(
                    span,
                    "the session fills this column in: it takes no `default`, `server_default`, `on_update`, `computed`, \
                     `version` or `soft_delete`",
                );
            }
            if column.nullable {
                errors.span(span, "every row has a tenant: the type is no `Option`");
            }
            if model.tenant.is_some() {
                errors.span(span, "a model has one tenant column");
            }
            model.tenant = Some(position);
        }
    }
}
