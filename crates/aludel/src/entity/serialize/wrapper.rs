//! A serializer that leaves out of a struct the relationships that are not to be written.
#![allow(unsafe_code, reason = "asks the model where its relationship fields lie")]

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::super::def::ModelDef;
use super::super::model::Model;
use super::super::relation_field::RelationField;
use super::super::slot::SlotPtr;
use super::context;

/// Where the relationship fields of the row being written lie.
#[derive(Clone, Copy)]
pub(super) struct Relations {
    def: &'static ModelDef,
    value: *const (),
    /// Whether a deferred column of the value that is not loaded lies at an address.
    is_unloaded: unsafe fn(*const (), *const ()) -> bool,
}

/// What becomes of a field.
enum Fate {
    Write,
    Follow(usize),
    LeaveOut,
}

impl Relations {
    pub(super) fn of<T: Model>(value: &T, _slot: SlotPtr) -> Self {
        /// # Safety
        /// `value` points at a value of `T`.
        unsafe fn is_unloaded<T: Model>(value: *const (), address: *const ()) -> bool {
            // SAFETY: as the caller says.
            unsafe { &*value.cast::<T>() }.is_unloaded(address)
        }
        Self { def: T::def(), value: std::ptr::from_ref(value).cast(), is_unloaded: is_unloaded::<T> }
    }

    /// Fields are recognised by their address, so that renaming them for serde changes nothing.
    fn fate<V: ?Sized>(self, value: &V) -> Fate {
        let address = std::ptr::from_ref(value).cast::<()>();
        // SAFETY: the value that is being serialized, of the model whose function this is.
        if !self.def.options.deferred.is_empty() && unsafe { (self.is_unloaded)(self.value, address) } {
            return Fate::LeaveOut;
        }
        if size_of_val(value) != size_of::<RelationField>() {
            return Fate::Write;
        }
        for (index, relationship) in self.def.relationships.iter().enumerate() {
            // SAFETY: the value that is being serialized, which is borrowed as long as its serializer runs.
            let field = unsafe { &*(self.def.vtable.relation)(self.value, index) };
            if !std::ptr::eq(std::ptr::from_ref(field).cast(), address) {
                continue;
            }
            let leads_back = || match (relationship.kind, field.one()) {
                (super::super::def::RelationshipKind::Many, _) => false,
                (_, Some(Some(target))) => context::is_being_written(target),
                _ => false,
            };
            let leave_out =
                !field.is_loaded() || !relationship.serialize || context::way_back() == Some(index) || leads_back();
            return if leave_out { Fate::LeaveOut } else { Fate::Follow(index) };
        }
        Fate::Write
    }

    fn follow(self, index: usize) {
        context::set_via(Some(&self.def.relationships[index]));
    }
}

/// The serializer given to the model's own `Serialize`.
pub(super) struct LeaveOut<S> {
    pub(super) inner: S,
    pub(super) relations: Relations,
}

/// The struct or map that it writes.
pub(super) struct Fields<S> {
    inner: S,
    relations: Relations,
}

impl<S: SerializeStruct> SerializeStruct for Fields<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<V: ?Sized + Serialize>(&mut self, key: &'static str, value: &V) -> Result<(), S::Error> {
        match self.relations.fate(value) {
            Fate::LeaveOut => return self.inner.skip_field(key),
            Fate::Follow(index) => self.relations.follow(index),
            Fate::Write => {}
        }
        self.inner.serialize_field(key, value)
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
        self.inner.skip_field(key)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

/// What serde writes instead of a struct that has a flattened field.
impl<S: SerializeMap> SerializeMap for Fields<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<K: ?Sized + Serialize>(&mut self, key: &K) -> Result<(), S::Error> {
        self.inner.serialize_key(key)
    }

    fn serialize_value<V: ?Sized + Serialize>(&mut self, value: &V) -> Result<(), S::Error> {
        self.inner.serialize_value(value)
    }

    fn serialize_entry<K: ?Sized + Serialize, V: ?Sized + Serialize>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), S::Error> {
        match self.relations.fate(value) {
            Fate::LeaveOut => return Ok(()),
            Fate::Follow(index) => self.relations.follow(index),
            Fate::Write => {}
        }
        self.inner.serialize_entry(key, value)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

/// Passes a call on to the wrapped serializer.
macro_rules! pass_on {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        $(fn $name(self, $($arg: $ty),*) -> Result<$out, S::Error> {
            self.inner.$name($($arg),*)
        })*
    };
}

impl<S: Serializer> Serializer for LeaveOut<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = S::SerializeSeq;
    type SerializeTuple = S::SerializeTuple;
    type SerializeTupleStruct = S::SerializeTupleStruct;
    type SerializeTupleVariant = S::SerializeTupleVariant;
    type SerializeMap = Fields<S::SerializeMap>;
    type SerializeStruct = Fields<S::SerializeStruct>;
    type SerializeStructVariant = S::SerializeStructVariant;

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        Ok(Fields { inner: self.inner.serialize_struct(name, len)?, relations: self.relations })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Fields { inner: self.inner.serialize_map(len)?, relations: self.relations })
    }

    fn serialize_some<V: ?Sized + Serialize>(self, value: &V) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(value)
    }

    fn serialize_newtype_struct<V: ?Sized + Serialize>(self, name: &'static str, value: &V) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, value)
    }

    fn serialize_newtype_variant<V: ?Sized + Serialize>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &V,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_variant(name, index, variant, value)
    }

    pass_on! {
        serialize_bool(value: bool) -> S::Ok;
        serialize_i8(value: i8) -> S::Ok;
        serialize_i16(value: i16) -> S::Ok;
        serialize_i32(value: i32) -> S::Ok;
        serialize_i64(value: i64) -> S::Ok;
        serialize_i128(value: i128) -> S::Ok;
        serialize_u8(value: u8) -> S::Ok;
        serialize_u16(value: u16) -> S::Ok;
        serialize_u32(value: u32) -> S::Ok;
        serialize_u64(value: u64) -> S::Ok;
        serialize_u128(value: u128) -> S::Ok;
        serialize_f32(value: f32) -> S::Ok;
        serialize_f64(value: f64) -> S::Ok;
        serialize_char(value: char) -> S::Ok;
        serialize_str(value: &str) -> S::Ok;
        serialize_bytes(value: &[u8]) -> S::Ok;
        serialize_none() -> S::Ok;
        serialize_unit() -> S::Ok;
        serialize_unit_struct(name: &'static str) -> S::Ok;
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str) -> S::Ok;
        serialize_seq(len: Option<usize>) -> S::SerializeSeq;
        serialize_tuple(len: usize) -> S::SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> S::SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> S::SerializeTupleVariant;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> S::SerializeStructVariant;
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}
