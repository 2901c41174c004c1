//! Tenants in the statements of a flush: what it writes is the session's own.

use super::Flush;
use super::updates::Version;
use crate::entity::def::ModelDef;
use crate::entity::slot::SlotPtr;
use crate::error::Result;
use crate::session::links::write_column;
use crate::sql::Value;

impl Flush<'_, '_> {
    /// Gives new rows the tenant of the session.
    ///
    /// # Errors
    /// `InvalidStatement` when one was given another, or the session has none.
    pub(super) fn stamp(&self, new: &[SlotPtr]) -> Result<()> {
        for &slot in new {
            let Some(column) = slot.def().options.tenant() else { continue };
            let is_given = self.arena.tracker().given.get(&slot).is_some_and(|given| given.contains(column.position));
            let value = is_given.then(|| self.tenant_in(slot, Version(slot.head()), column.position));
            if let Some((position, tenant)) = self.session.tenant_of_new(slot.def(), value)? {
                write_column(&self.arena, slot, position, tenant)?;
            }
        }
        Ok(())
    }

    /// A changed row stays its tenant's.
    ///
    /// # Errors
    /// `InvalidStatement` when it was given another, or the session has none.
    pub(super) fn check_tenant(&self, slot: SlotPtr, version: Version, columns: &[usize]) -> Result<()> {
        match slot.def().options.tenant() {
            Some(column) if columns.contains(&column.position) => {
                let value = self.tenant_in(slot, version, column.position);
                self.session.tenant_of_new(slot.def(), Some(value)).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn tenant_in(&self, slot: SlotPtr, version: Version, position: usize) -> Value<'_> {
        self.value_to_send(slot, self.arena.value_in(slot, version.0, position), position)
    }

    /// `AND "tenant_id" = ?`, and its value; nothing for models without tenants.
    pub(super) fn confine(&mut self, def: &'static ModelDef) -> Result<Option<Value<'static>>> {
        let Some((column, tenant)) = self.session.tenant_of(def)? else { return Ok(None) };
        let tenant = tenant.clone();
        self.sql.push_str(" AND ");
        self.assign(column.column);
        Ok(Some(tenant))
    }

    /// The same where a statement writes one of several tables that rows are in: the tenant is in the root's.
    pub(super) fn confine_part(&mut self, table: &'static ModelDef) -> Result<Option<Value<'static>>> {
        if table.joined_inheritance().is_none() {
            return self.confine(table);
        }
        let Some((column, tenant)) = self.session.tenant_of(table)? else { return Ok(None) };
        let (root, tenant) = (table.root(), tenant.clone());
        self.sql.push_str(" AND EXISTS (SELECT 1 FROM ");
        self.quote_table(root);
        self.sql.push_str(" WHERE ");
        for (&above, &own) in root.primary_key.iter().zip(table.primary_key) {
            self.quote_table(root);
            self.sql.push('.');
            self.quote(root.columns[above].name);
            self.sql.push_str(" = ");
            self.quote_table(table);
            self.sql.push('.');
            self.quote(table.columns[own].name);
            self.sql.push_str(" AND ");
        }
        self.assign(column.column);
        self.sql.push(')');
        Ok(Some(tenant))
    }
}
