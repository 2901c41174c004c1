//! The preparation of statements.

use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::{backend, frontend};

use super::connection::Connection;
use super::error;
use super::types::Type;
use crate::error::{Error, Result};
use crate::sql::Value;

/// A statement that the server has prepared.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Its name there; empty for the one that the next takes the place of.
    pub(super) name: String,
    pub(super) parameters: Box<[Type]>,
    pub(super) columns: Box<[Type]>,
}

impl Connection {
    /// The prepared statement for a text. Where it was not there the request has begun, and no Sync ends it yet.
    pub(super) async fn prepare(&mut self, sql: &str) -> Result<Arc<Prepared>> {
        if let Some(prepared) = self.cache.get(sql) {
            return Ok(prepared);
        }
        if sql.contains('\0') {
            return Err(error::nul_in_sql());
        }
        let name = if self.cache.is_on() { self.name("s") } else { String::new() };
        if let Some(evicted) = self.cache.make_room() {
            self.closing.push((b'S', evicted.name.clone()));
        }
        self.write_begin()?;
        let output = &mut self.wire.output;
        close(&mut self.closing, output)?;
        frontend::parse(&name, sql, [], output).map_err(|_| error::nul_in_sql())?;
        frontend::describe(b'S', &name, output).map_err(|_| error::nul_in_sql())?;
        self.wire.flush_message();
        if !name.is_empty() {
            // Until it is in the cache.
            self.closing.push((b'S', name.clone()));
        }
        self.wire.send().await?;
        let described = self.description().await;
        self.closing.pop();
        let (parameters, columns) = described?;
        let prepared = Arc::new(Prepared { name, parameters, columns });
        if self.cache.is_on() {
            self.cache.insert(sql, Arc::clone(&prepared));
        }
        Ok(prepared)
    }

    /// The prepared statements of several texts; those that were not there are prepared in one round trip. An error
    /// comes with the place of its text.
    pub(super) async fn prepare_all(
        &mut self,
        statements: &[(&str, &[Value<'_>])],
    ) -> Result<Vec<Arc<Prepared>>, (usize, Error)> {
        let mut all: Vec<Option<Arc<Prepared>>> = statements.iter().map(|(sql, _)| self.cache.get(sql)).collect();
        let mut new: Vec<(usize, &str, String)> = Vec::new();
        for (at, (sql, _)) in statements.iter().enumerate() {
            if all[at].is_none() && !new.iter().any(|(_, known, _)| known == sql) {
                new.push((at, sql, self.name("s")));
            }
        }
        if !new.is_empty() {
            self.ask_for(&new).await?;
            for (at, sql, name) in new {
                let (parameters, columns) = self.description().await.map_err(|error| (at, error))?;
                self.closing.retain(|(_, closing)| *closing != name);
                if let Some(evicted) = self.cache.make_room() {
                    self.closing.push((b'S', evicted.name.clone()));
                }
                self.cache.insert(sql, Arc::new(Prepared { name, parameters, columns }));
            }
            for (prepared, (sql, _)) in all.iter_mut().zip(statements) {
                *prepared = prepared.take().or_else(|| self.cache.get(sql));
            }
        }
        Ok(all.into_iter().flatten().collect())
    }

    /// Sends the texts of statements that are to be prepared.
    async fn ask_for(&mut self, new: &[(usize, &str, String)]) -> Result<(), (usize, Error)> {
        if let Some((at, ..)) = new.iter().find(|(_, sql, _)| sql.contains('\0')) {
            return Err((*at, error::nul_in_sql()));
        }
        self.write_begin().map_err(|error| (0, error))?;
        close(&mut self.closing, &mut self.wire.output).map_err(|error| (0, error))?;
        for (at, sql, name) in new {
            let output = &mut self.wire.output;
            frontend::parse(name, sql, [], output).map_err(|_| (*at, error::nul_in_sql()))?;
            frontend::describe(b'S', name, output).map_err(|_| (*at, error::nul_in_sql()))?;
            // Until it is in the cache.
            self.closing.push((b'S', name.clone()));
        }
        self.wire.flush_message();
        self.wire.send().await.map_err(|error| (0, error))
    }

    /// What the server says of the next statement that it was asked to prepare: its parameters and columns.
    async fn description(&mut self) -> Result<(Box<[Type]>, Box<[Type]>)> {
        let mut parameters: Box<[Type]> = Box::default();
        loop {
            let message = self.wire.message().await?;
            match message.tag {
                backend::PARSE_COMPLETE_TAG | backend::CLOSE_COMPLETE_TAG => {}
                // Of the BEGIN before it.
                backend::BIND_COMPLETE_TAG | backend::COMMAND_COMPLETE_TAG => {}
                backend::PARAMETER_DESCRIPTION_TAG => match parameter_types(self.wire.body(&message)) {
                    Some(types) => parameters = types,
                    None => return Err(self.wire.garbled()),
                },
                backend::NO_DATA_TAG => return Ok((parameters, Box::default())),
                backend::ROW_DESCRIPTION_TAG => match column_types(self.wire.body(&message)) {
                    Some(columns) => return Ok((parameters, columns)),
                    None => return Err(self.wire.garbled()),
                },
                backend::ERROR_RESPONSE_TAG => {
                    let report = self.report(&message)?;
                    self.wire.drain().await?;
                    return Err(self.reported(report));
                }
                _ => return Err(self.wire.garbled()),
            }
        }
    }
}

/// Closes statements and portals; what is not there any more is none the worse for it.
pub(super) fn close(closing: &mut Vec<(u8, String)>, output: &mut BytesMut) -> Result<()> {
    for (variant, name) in closing.drain(..) {
        frontend::close(variant, &name, output).map_err(|_| error::nul_in_sql())?;
    }
    Ok(())
}

/// The types in a ParameterDescription.
pub(super) fn parameter_types(body: &[u8]) -> Option<Box<[Type]>> {
    let (_, oids) = body.split_first_chunk::<2>()?;
    Some(oids.chunks_exact(4).map(|oid| Type::of(u32::from_be_bytes([oid[0], oid[1], oid[2], oid[3]]))).collect())
}

/// Of each column its name up to a NUL, 6 bytes of where it is from, its type, and 8 bytes more.
fn column_types(body: &[u8]) -> Option<Box<[Type]>> {
    let (_, mut rest) = body.split_first_chunk::<2>()?;
    let mut types = Vec::new();
    while !rest.is_empty() {
        let name = rest.iter().position(|&byte| byte == 0)?;
        let (column, after) = rest.get(name + 1..)?.split_first_chunk::<18>()?;
        types.push(Type::of(u32::from_be_bytes([column[6], column[7], column[8], column[9]])));
        rest = after;
    }
    Some(types.into())
}
