//! The way to a server and into a database.

use std::net::SocketAddr;

use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::{backend, frontend};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

use super::cancel::{Canceller, Peer};
use super::error::{self, Report};
use super::settings::{Place, Settings, SslMode, Wanted};
use super::tls;
use super::wire::Wire;
use crate::engine::stream::Stream;
#[cfg(unix)]
use crate::engine::stream::UnixSocket;
use crate::engine::tls::Tls;
use crate::error::{Error, ErrorKind, Result};

/// Why a server was not the right one.
enum Failure {
    /// It does not answer, in whatever way it is asked; another may.
    Unreachable(String),
    /// Asked in another way, or another server, it may be.
    Next(String),
    /// It does not let this user in, in this way.
    Refused(Error),
    /// It says no, and another would.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Connection => Self::Next(error.to_string()),
            _ => Self::Final(error),
        }
    }
}

/// Finds the right server of those that the settings name, and enters its database.
pub(super) async fn connect(settings: &Settings) -> Result<(Wire, Canceller)> {
    let passes: &[Wanted] = match settings.wanted {
        Wanted::PreferStandby => &[Wanted::Standby, Wanted::Any],
        _ => &[settings.wanted],
    };
    let tls = if settings.ssl == SslMode::Disable { None } else { Some(tls::of(settings)?) };
    let mut reasons: Vec<String> = Vec::new();
    for &wanted in passes {
        reasons.clear();
        for place in &settings.places {
            let mut refused = None;
            for &door in doors(place, settings.ssl) {
                let entered = enter(settings, place, door, tls.as_ref(), wanted);
                let outcome = match settings.connect_timeout {
                    Some(limit) => tokio::time::timeout(limit, entered)
                        .await
                        .unwrap_or_else(|_| Err(Failure::Unreachable(format!("no answer within {limit:?}")))),
                    None => entered.await,
                };
                match outcome {
                    Ok(connection) => return Ok(connection),
                    Err(Failure::Final(error)) => return Err(error),
                    Err(Failure::Refused(error)) => {
                        refused.get_or_insert(error);
                    }
                    Err(Failure::Next(reason)) => reasons.push(format!("{place}: {reason}")),
                    Err(Failure::Unreachable(reason)) => {
                        reasons.push(format!("{place}: {reason}"));
                        break;
                    }
                }
            }
            if let Some(error) = refused {
                return Err(error);
            }
        }
    }
    let reasons = reasons.join("; ");
    Err(Error::new(ErrorKind::Connection, format!("the PostgreSQL server cannot be reached: {reasons}")))
}

/// Whether a connection is asked for encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Plain,
    /// If the server can.
    Maybe,
    Encrypted,
}

/// The ways to try, one after the other.
fn doors(place: &Place, ssl: SslMode) -> &'static [Door] {
    match (place, ssl) {
        (Place::Unix(_), _) | (_, SslMode::Disable) => &[Door::Plain],
        (_, SslMode::Allow) => &[Door::Plain, Door::Encrypted],
        (_, SslMode::Prefer) => &[Door::Maybe, Door::Plain],
        (_, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull) => &[Door::Encrypted],
    }
}

async fn enter(
    settings: &Settings,
    place: &Place,
    door: Door,
    tls: Option<&Tls>,
    wanted: Wanted,
) -> Result<(Wire, Canceller), Failure> {
    let (stream, peer) = match place {
        Place::Tcp(host, port) => {
            let (stream, address) = open_tcp(host, *port).await.map_err(Failure::Unreachable)?;
            let stream = encrypt(stream, host, door, tls).await.map_err(Failure::Next)?;
            (stream, Peer::Tcp(address))
        }
        #[cfg(unix)]
        Place::Unix(path) => {
            let socket = UnixSocket::connect(path).await;
            (Stream::Unix(socket.map_err(|error| Failure::Next(error.to_string()))?), Peer::Unix(path.clone()))
        }
        #[cfg(not(unix))]
        Place::Unix(_) => return Err(Failure::Next("this system has no Unix sockets".to_owned())),
    };
    let mut wire = Wire::new(stream);
    let (process, key) = log_in(&mut wire, settings, place).await?;
    wire.entered();
    if let Some(reason) = refuses(&mut wire, wanted).await? {
        return Err(Failure::Next(reason.to_owned()));
    }
    Ok((wire, Canceller { peer, process, key }))
}

/// A connection to one of a host's addresses.
async fn open_tcp(host: &str, port: u16) -> Result<(TcpStream, SocketAddr), String> {
    let mut reason = "the name has no address".to_owned();
    for address in lookup_host((host, port)).await.map_err(|error| error.to_string())? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Only a delay more where it fails.
                let _ = stream.set_nodelay(true);
                return Ok((stream, address));
            }
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}

async fn encrypt(mut stream: TcpStream, host: &str, door: Door, tls: Option<&Tls>) -> Result<Stream, String> {
    let Some(tls) = tls.filter(|_| door != Door::Plain) else { return Ok(Stream::Tcp(stream)) };
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    let asked = async {
        stream.write_all(&request).await?;
        // One byte and no more: what follows it unencrypted is not the server's.
        stream.read_u8().await
    };
    match asked.await.map_err(|error| error.to_string())? {
        b'S' => Ok(Stream::Tls(Box::new(tls.connect(host, stream).await?))),
        _ if door == Door::Maybe => Ok(Stream::Tcp(stream)),
        _ => Err("the server does not offer TLS, which `sslmode` wants".to_owned()),
    }
}

/// Says who is there, proves it, and waits until the server is ready; its process and the key to end its statements.
async fn log_in(wire: &mut Wire, settings: &Settings, place: &Place) -> Result<(i32, i32), Failure> {
    let mut parameters = vec![
        ("user", settings.user.as_str()),
        ("database", settings.database.as_str()),
        ("client_encoding", "UTF8"),
        ("application_name", settings.application_name.as_str()),
    ];
    parameters.extend(settings.options.as_deref().map(|options| ("options", options)));
    frontend::startup_message(parameters, &mut wire.output).map_err(|error| Failure::Next(error.to_string()))?;
    let mut scram = None;
    let mut keys = (0, 0);
    while wire.is_owed() {
        wire.send().await?;
        let message = wire.message().await?;
        match message.tag {
            backend::AUTHENTICATION_TAG => {
                let body = wire.body(&message).to_vec();
                authenticate(wire, settings, &body, &mut scram)?;
            }
            backend::BACKEND_KEY_DATA_TAG => match wire.body(&message).first_chunk::<8>() {
                Some(&[a, b, c, d, e, f, g, h]) => {
                    keys = (i32::from_be_bytes([a, b, c, d]), i32::from_be_bytes([e, f, g, h]));
                }
                None => return Err(wire.garbled().into()),
            },
            backend::ERROR_RESPONSE_TAG => {
                let report = Report::parse(wire.body(&message));
                wire.goodbye(&message);
                return Err(refusal(report, settings, place));
            }
            backend::READY_FOR_QUERY_TAG => {}
            // NegotiateProtocolVersion: the server knows an older minor version, which is ours.
            b'v' => {}
            _ => return Err(wire.garbled().into()),
        }
    }
    Ok(keys)
}

/// Answers a question of the server's for a proof.
fn authenticate(
    wire: &mut Wire,
    settings: &Settings,
    body: &[u8],
    scram: &mut Option<ScramSha256>,
) -> Result<(), Failure> {
    let Some((&kind, rest)) = body.split_first_chunk::<4>() else { return Err(wire.garbled().into()) };
    let password = || {
        settings.password.as_deref().map(str::as_bytes).ok_or_else(|| {
            Failure::Final(Error::new(
                ErrorKind::Connection,
                format!(
                    "the server asks for a password of the user `{}`, and the database URL has none",
                    settings.user
                ),
            ))
        })
    };
    let out = &mut wire.output;
    let written = match u32::from_be_bytes(kind) {
        0 if scram.is_some() => Err(std::io::Error::other("the server left its own proof out")),
        0 => Ok(()),
        3 => frontend::password_message(password()?, out),
        5 => match rest.first_chunk::<4>() {
            Some(&salt) => {
                let hash = md5_hash(settings.user.as_bytes(), password()?, salt);
                frontend::password_message(hash.as_bytes(), out)
            }
            None => return Err(wire.garbled().into()),
        },
        10 => {
            if !rest.split(|&byte| byte == 0).any(|name| name == SCRAM_SHA_256.as_bytes()) {
                return Err(unknown_proof());
            }
            let scram = scram.insert(ScramSha256::new(password()?, ChannelBinding::unsupported()));
            frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), out)
        }
        11 => match scram {
            Some(scram) => match scram.update(rest) {
                Ok(()) => frontend::sasl_response(scram.message(), out),
                Err(error) => Err(error),
            },
            None => return Err(wire.garbled().into()),
        },
        // The server's own proof that it knows the password.
        12 => match scram.take() {
            Some(mut scram) => scram.finish(rest),
            None => return Err(wire.garbled().into()),
        },
        _ => return Err(unknown_proof()),
    };
    written.map_err(|error| {
        Failure::Final(
            Error::new(ErrorKind::Connection, "the server did not prove that it knows the password").with_source(error),
        )
    })
}

fn unknown_proof() -> Failure {
    Failure::Final(Error::new(
        ErrorKind::Connection,
        "the server asks for a kind of authentication that is not supported; passwords by SCRAM-SHA-256, MD5 and in \
         clear are",
    ))
}

/// What the server says at the door.
fn refusal(report: Report, settings: &Settings, place: &Place) -> Failure {
    // Whether connections are encrypted decides over who is let in.
    let other_way = report.code == "28000";
    let message = match report.code.as_str() {
        "28P01" => {
            format!("the password of the user `{}` is wrong on {place}, or there is no such user", settings.user)
        }
        "3D000" => {
            format!("the database `{}` does not exist on {place}; create it first", settings.database)
        }
        code if code.starts_with("28") => {
            format!("{place} does not let the user `{}` in: {}", settings.user, report.message())
        }
        _ => return Failure::Next(report.message().to_owned()),
    };
    let error = Error::new(ErrorKind::Connection, message).with_source(report);
    if other_way { Failure::Refused(error) } else { Failure::Final(error) }
}

/// Why a server is not one that is wanted.
async fn refuses(wire: &mut Wire, wanted: Wanted) -> Result<Option<&'static str>> {
    const READ_ONLY: &str = "SHOW transaction_read_only";
    const RECOVERING: &str = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'on' ELSE 'off' END";
    let (sql, good, reason) = match wanted {
        Wanted::Any | Wanted::PreferStandby => return Ok(None),
        Wanted::ReadWrite => (READ_ONLY, "off", "the server is read-only"),
        Wanted::ReadOnly => (READ_ONLY, "on", "the server is not read-only"),
        Wanted::Primary => (RECOVERING, "off", "the server is a standby"),
        Wanted::Standby => (RECOVERING, "on", "the server is not a standby"),
    };
    wire.query(sql)?;
    wire.send().await?;
    let mut answer = false;
    while wire.is_owed() {
        let message = wire.message().await?;
        match message.tag {
            // The number of fields, the length of the first, and its text.
            backend::DATA_ROW_TAG => answer = wire.body(&message).get(6..) == Some(good.as_bytes()),
            backend::ERROR_RESPONSE_TAG => return Err(error::classify(Report::parse(wire.body(&message)))),
            _ => {}
        }
    }
    Ok((!answer).then_some(reason))
}
