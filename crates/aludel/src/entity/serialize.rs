//! Entities as JSON and its like: what is loaded, without end guarded.

mod context;
mod wrapper;

use std::fmt;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serialize, SerializeSeq, Serializer};

use super::handle::head_of;
use super::model::Model;
use super::slot::SlotPtr;

pub use context::{MAX_DEPTH, MAX_ROWS};

/// Serializes a row, leaving out the relationships that are not loaded or lead back.
///
/// Formats that are not for people (bincode and its like) have a fixed shape: there the field stays, as none.
pub(super) fn row<T: Model + Serialize, S: Serializer>(slot: SlotPtr, serializer: S) -> Result<S::Ok, S::Error> {
    let _written = context::enter(slot).map_err(S::Error::custom)?;
    let value: &T = head_of(slot);
    if serializer.is_human_readable() {
        value.serialize(wrapper::LeaveOut { inner: serializer, relations: wrapper::Relations::of(value, slot) })
    } else {
        value.serialize(serializer)
    }
}

/// Serializes the rows of a collection, but for those that are being written already.
pub(super) fn rows<T: Model + Serialize, S: Serializer>(
    slots: impl ExactSizeIterator<Item = SlotPtr>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    /// A row that serializes as itself.
    struct Row<T>(SlotPtr, std::marker::PhantomData<fn() -> T>);
    impl<T: Model + Serialize> Serialize for Row<T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            row::<T, S>(self.0, serializer)
        }
    }
    let via = context::take_via();
    let slots: Vec<SlotPtr> = slots.filter(|&slot| !context::is_being_written(slot)).collect();
    let mut sequence = serializer.serialize_seq(Some(slots.len()))?;
    for slot in slots {
        context::set_via(via);
        sequence.serialize_element(&Row::<T>(slot, std::marker::PhantomData))?;
    }
    sequence.end()
}

/// Accepts null for a relationship and refuses everything else.
pub(super) fn refuse_input<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    struct Nothing;
    impl<'de> Visitor<'de> for Nothing {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no relationship: links are set by the program, not taken from input")
        }

        fn visit_none<E>(self) -> Result<(), E> {
            Ok(())
        }

        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }

        fn visit_some<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
            Err(D::Error::custom("a relationship is not taken from input: set it in the program"))
        }
    }
    deserializer.deserialize_option(Nothing)
}
