//! UUIDs.

use uuid::Uuid;

use super::{mismatch, plain};
use crate::engine::row::Row;
use crate::entity::def::Generated;
use crate::error::Result;
use crate::model::{ColumnType, KeyType, Set};
use crate::schema::SqlType;
use crate::sql::Value;

plain! {
    Uuid: SqlType::Uuid, Uuid, uuid, "a UUID";
}

impl KeyType for Uuid {
    type Slot = Set;
    const GENERATED: Generated = Generated::Uuid;

    fn placeholder() -> Self {
        Self::nil()
    }
}
