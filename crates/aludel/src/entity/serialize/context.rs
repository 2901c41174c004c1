//! What is being serialized on this thread: the rows from the outermost to the current one.

use std::cell::RefCell;

use super::super::def::RelationshipDef;
use super::super::slot::SlotPtr;

/// How deeply rows may be nested in one serialized value.
pub const MAX_DEPTH: usize = 64;

/// How many rows one serialized entity may contain.
pub const MAX_ROWS: usize = 100_000;

#[derive(Default)]
struct Context {
    /// The rows being written, the outermost first, each with the position of the relationship that leads back.
    stack: Vec<(SlotPtr, Option<usize>)>,
    /// The relationship that is about to be followed.
    via: Option<&'static RelationshipDef>,
    rows: usize,
}

thread_local! {
    static CONTEXT: RefCell<Context> = RefCell::default();
}

/// Ends the writing of a row when it goes, also by a panic.
pub(super) struct Written(());

impl Drop for Written {
    fn drop(&mut self) {
        CONTEXT.with_borrow_mut(|context| {
            context.stack.pop();
            if context.stack.is_empty() {
                *context = Context::default();
            }
        });
    }
}

/// Begins the writing of a row.
pub(super) fn enter(slot: SlotPtr) -> Result<Written, String> {
    CONTEXT.with_borrow_mut(|context| {
        let via = context.via.take();
        if context.stack.len() == MAX_DEPTH {
            return Err(format!(
                "`{}` is nested more than {MAX_DEPTH} rows deep; serialize a projection, or mark a relationship \
                 #[relationship(serialize = never)]",
                slot.def().name
            ));
        }
        context.rows += 1;
        if context.rows > MAX_ROWS {
            return Err(format!(
                "one entity would be serialized with more than {MAX_ROWS} related rows; serialize a projection, or \
                 mark a relationship #[relationship(serialize = never)]"
            ));
        }
        context.stack.push((slot, via.and_then(|via| via.inverse).map(|inverse| inverse())));
        Ok(Written(()))
    })
}

/// Whether a row is among those being written.
pub(super) fn is_being_written(slot: SlotPtr) -> bool {
    CONTEXT.with_borrow(|context| context.stack.iter().any(|&(written, _)| written == slot))
}

/// The relationship of the current row that leads back to where it was reached from.
pub(super) fn way_back() -> Option<usize> {
    CONTEXT.with_borrow(|context| context.stack.last().and_then(|&(_, back)| back))
}

pub(super) fn set_via(via: Option<&'static RelationshipDef>) {
    CONTEXT.with_borrow_mut(|context| context.via = via);
}

pub(super) fn take_via() -> Option<&'static RelationshipDef> {
    CONTEXT.with_borrow_mut(|context| context.via.take())
}
