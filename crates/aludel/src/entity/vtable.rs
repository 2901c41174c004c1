//! A model's layout and functions behind one pointer, so that the arena and the unit of work are compiled once.

use std::alloc::Layout;
use std::fmt;

use crate::engine::row::Row;
use crate::error::Result;
use crate::sql::Value;

use super::chunk::SlotLayout;
use super::model::Model;
use super::relation_field::RelationField;

/// The functions that know a model's layout. Each pointer given to them points at a valid value of that model.
pub struct VTable {
    /// Size and alignment of the struct.
    pub(crate) layout: Layout,
    pub(super) slot: SlotLayout,
    pub(crate) decode: unsafe fn(&Row<'_>, usize, *mut ()) -> Result<()>,
    pub(crate) value: unsafe fn(*const (), usize) -> Value<'static>,
    pub(crate) put: unsafe fn(*mut (), usize, Value<'_>) -> Result<()>,
    pub(crate) relation: unsafe fn(*const (), usize) -> *const RelationField,
    pub(crate) relation_mut: unsafe fn(*mut (), usize) -> *mut RelationField,
    pub(crate) clone_to: unsafe fn(*const (), *mut ()),
    /// Cuts the relationships first: the value's own Drop finds none of them loaded.
    pub(crate) drop: unsafe fn(*mut ()),
}

impl fmt::Debug for VTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VTable").field("layout", &self.layout).finish_non_exhaustive()
    }
}

#[allow(unsafe_code, reason = "the erased functions of a model; the arena upholds their contract")]
impl VTable {
    /// The table of a model.
    pub const fn of<T: Model>() -> Self {
        /// SAFETY for all: the caller passes pointers to a valid `T` (for `decode` and `clone_to`'s target: to
        /// memory of its layout), and borrows what comes back no longer than the value lives unchanged.
        unsafe fn decode<T: Model>(row: &Row<'_>, at: usize, to: *mut ()) -> Result<()> {
            let value = T::decode(row, at)?;
            // SAFETY: see above.
            unsafe { to.cast::<T>().write(value) };
            Ok(())
        }
        unsafe fn value<T: Model>(from: *const (), column: usize) -> Value<'static> {
            // SAFETY: see above.
            unsafe { (*from.cast::<T>()).value(column) }
        }
        unsafe fn put<T: Model>(to: *mut (), column: usize, value: Value<'_>) -> Result<()> {
            // SAFETY: see above.
            unsafe { (*to.cast::<T>()).put(column, value) }
        }
        unsafe fn relation<T: Model>(from: *const (), index: usize) -> *const RelationField {
            // SAFETY: see above.
            unsafe { (*from.cast::<T>()).relation(index) }
        }
        unsafe fn relation_mut<T: Model>(from: *mut (), index: usize) -> *mut RelationField {
            // SAFETY: see above.
            unsafe { (*from.cast::<T>()).relation_mut(index) }
        }
        unsafe fn clone_to<T: Model>(from: *const (), to: *mut ()) {
            // SAFETY: see above.
            unsafe { to.cast::<T>().write((*from.cast::<T>()).clone()) }
        }
        unsafe fn drop<T: Model>(value: *mut ()) {
            for index in 0..T::def().relationships.len() {
                // SAFETY: see above.
                unsafe { (*value.cast::<T>()).relation_mut(index) }.clear();
            }
            // SAFETY: see above.
            unsafe { value.cast::<T>().drop_in_place() }
        }
        Self {
            layout: Layout::new::<T>(),
            slot: SlotLayout::of(Layout::new::<T>()),
            decode: decode::<T>,
            value: value::<T>,
            put: put::<T>,
            relation: relation::<T>,
            relation_mut: relation_mut::<T>,
            clone_to: clone_to::<T>,
            drop: drop::<T>,
        }
    }
}
