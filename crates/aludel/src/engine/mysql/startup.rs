//! The way to a server and into a database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mysql_common::constants::{CapabilityFlags, MariadbCapabilities, UTF8_GENERAL_CI, UTF8MB4_GENERAL_CI};
use mysql_common::io::ParseBuf;
use mysql_common::packets::{AuthPlugin, HandshakePacket, HandshakeResponse, SslRequest};
use mysql_common::proto::{MyDeserialize, MySerialize};
use tokio::net::TcpStream;

use super::link::{Link, Told};
use super::report::ServerError;
use super::settings::{Login, Place};
use super::wire::{Wire, WireError};
use super::words::Words;
use crate::engine::stream::Stream;
#[cfg(unix)]
use crate::engine::stream::UnixSocket;
use crate::engine::tls::Tls;

/// How long the longest packet is that either side may send: what the protocol allows. Longer statements are refused
/// before they are sent.
const MAX_PACKET: u32 = 1 << 30;

/// The oldest server that knows all of Unicode.
const KNOWS_UTF8MB4: (u16, u16, u16) = (5, 5, 3);

/// Where a server is, and how it is entered.
pub(super) struct Door {
    pub(super) place: Place,
    pub(super) login: Arc<Login>,
    /// None where the connection is not to be encrypted.
    pub(super) tls: Option<Tls>,
}

/// What is asked of a server. What it has not is left out.
const WANTED: CapabilityFlags = CapabilityFlags::CLIENT_PROTOCOL_41
    .union(CapabilityFlags::CLIENT_SECURE_CONNECTION)
    // MariaDB leaves it out where it has extensions.
    .union(CapabilityFlags::CLIENT_LONG_PASSWORD)
    .union(CapabilityFlags::CLIENT_TRANSACTIONS)
    .union(CapabilityFlags::CLIENT_MULTI_STATEMENTS)
    .union(CapabilityFlags::CLIENT_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_PS_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_DEPRECATE_EOF)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH)
    // An UPDATE counts the rows that it finds.
    .union(CapabilityFlags::CLIENT_FOUND_ROWS);

/// What the server says first.
struct Greeting {
    told: Told,
    version: (u16, u16, u16),
    plugin: AuthPlugin<'static>,
    nonce: Vec<u8>,
}

/// Connects to a server and enters its database.
///
/// # Errors
/// What the server reports, or what became of the connection; `Refused` when it does not encrypt, and is to.
pub(super) async fn enter(door: &Door) -> Result<Link, WireError> {
    let mut wire = Wire::new(connect(&door.place).await?);
    let greeting = greet(&mut wire, &door.login, door.tls.is_some()).await?;
    if let Some(tls) = &door.tls {
        if !greeting.told.capabilities.contains(CapabilityFlags::CLIENT_SSL) {
            return Err(WireError::Unencrypted);
        }
        wire = encrypt(wire, tls, door.place.host(), &greeting).await?;
    }
    let plugin = greeting.plugin.borrow();
    let proof = plugin.gen_data(door.login.password.as_deref(), &greeting.nonce);
    let Login { user, database, .. } = &*door.login;
    let response = HandshakeResponse::new(
        proof.as_deref(),
        greeting.version,
        user.as_deref().map(str::as_bytes),
        database.as_deref().map(str::as_bytes),
        Some(plugin.borrow()),
        greeting.told.capabilities,
        None,
        MAX_PACKET,
    )
    .with_mariadb_ext_capabilities(greeting.told.extensions);
    say(&mut wire, |out| response.serialize(out)).await?;
    prove(&mut wire, &door.login, greeting.plugin, greeting.nonce).await?;
    Ok(Link::new(wire, &greeting.told, door.login.statements))
}

async fn connect(place: &Place) -> Result<Stream, WireError> {
    match place {
        Place::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(WireError::Broken)?;
            // Only a delay more where it fails.
            let _ = stream.set_nodelay(true);
            Ok(Stream::Tcp(stream))
        }
        #[cfg(unix)]
        Place::Unix(path) => Ok(Stream::Unix(UnixSocket::connect(path).await.map_err(WireError::Broken)?)),
        #[cfg(not(unix))]
        Place::Unix(_) => Err(WireError::Refused("this system has no Unix sockets".to_owned())),
    }
}

async fn greet(wire: &mut Wire, login: &Login, encrypted: bool) -> Result<Greeting, WireError> {
    let packet = wire.next().await?;
    let body = wire.body(&packet);
    if let Some(error) = ServerError::read(body) {
        return Err(WireError::Server(error));
    }
    let Ok(hello) = HandshakePacket::deserialize((), &mut ParseBuf(body)) else { return Err(wire.garbled()) };
    let mut wanted = WANTED;
    wanted.set(CapabilityFlags::CLIENT_CONNECT_WITH_DB, login.database.is_some());
    wanted.set(CapabilityFlags::CLIENT_SSL, encrypted);
    let capabilities = hello.capabilities() & wanted;
    let mariadb = hello.maria_db_server_version_parsed();
    let has_extensions = mariadb.is_some() && !capabilities.contains(CapabilityFlags::CLIENT_LONG_PASSWORD);
    let extensions = if has_extensions {
        hello.mariadb_ext_capabilities() & MariadbCapabilities::MARIADB_CLIENT_CACHE_METADATA
    } else {
        MariadbCapabilities::empty()
    };
    // Twenty bytes, and a NUL after them.
    let mut nonce = hello.scramble_1_ref().to_vec();
    nonce.extend_from_slice(hello.scramble_2_ref().unwrap_or_default());
    nonce.resize(20, 0);
    let plugin = match hello.auth_plugin() {
        Some(AuthPlugin::CachingSha2Password) => AuthPlugin::CachingSha2Password,
        // The server asks for another one afterwards.
        _ => AuthPlugin::MysqlNativePassword,
    };
    Ok(Greeting {
        told: Told { id: hello.connection_id(), capabilities, extensions },
        version: mariadb.or_else(|| hello.server_version_parsed()).unwrap_or_default(),
        plugin,
        nonce,
    })
}

async fn encrypt(mut wire: Wire, tls: &Tls, host: &str, greeting: &Greeting) -> Result<Wire, WireError> {
    let charset = if greeting.version >= KNOWS_UTF8MB4 { UTF8MB4_GENERAL_CI } else { UTF8_GENERAL_CI };
    let request = SslRequest::new(greeting.told.capabilities, MAX_PACKET, charset as u8)
        .with_mariadb_capabilities(greeting.told.extensions);
    say(&mut wire, |out| request.serialize(out)).await?;
    let (stream, number) = wire.into_stream()?;
    let Stream::Tcp(stream) = stream else { return Err(WireError::Unencrypted) };
    let stream = tls.connect(host, stream).await.map_err(WireError::Refused)?;
    Ok(Wire::new(Stream::Tls(Box::new(stream))).go_on(number))
}

/// Proves that the password is known, in the way that the server asks for.
async fn prove(
    wire: &mut Wire,
    login: &Login,
    mut plugin: AuthPlugin<'static>,
    mut nonce: Vec<u8>,
) -> Result<(), WireError> {
    let password = login.password.as_deref();
    loop {
        let packet = wire.next().await?;
        let body = wire.body(&packet).to_vec();
        match *body.as_slice() {
            // It is in.
            [0, ..] => return Ok(()),
            // It knows another way.
            [0xFE, ref request @ ..] => {
                let mut words = Words(request);
                // A server of before there were plugins does not name the only one that it has.
                let name = if request.is_empty() { b"mysql_old_password" } else { words.name() };
                plugin = AuthPlugin::from_bytes(name).into_owned();
                nonce = words.0.strip_suffix(&[0]).unwrap_or(words.0).to_vec();
                let proof = match plugin {
                    AuthPlugin::MysqlNativePassword | AuthPlugin::CachingSha2Password => {
                        plugin.gen_data(password, &nonce)
                    }
                    _ => return Err(unsupported(&plugin)),
                };
                say(wire, |out| proof.iter().for_each(|proof| proof.serialize(out))).await?;
            }
            // The server remembers the password; it says so, and then that it lets in.
            [1, 3] if plugin == AuthPlugin::CachingSha2Password => {}
            // It does not, and wants it whole.
            [1, 4] if plugin == AuthPlugin::CachingSha2Password => tell(wire, password, &nonce).await?,
            _ => {
                return Err(match ServerError::read(&body) {
                    Some(error) => WireError::Server(error),
                    None => wire.garbled(),
                });
            }
        }
    }
}

/// Tells the password where nobody else hears it; else encrypted with the server's key.
async fn tell(wire: &mut Wire, password: Option<&str>, nonce: &[u8]) -> Result<(), WireError> {
    let mut secret = password.unwrap_or_default().as_bytes().to_vec();
    secret.push(0);
    if !wire.is_private() {
        // The question for the key.
        say(wire, |out| out.push(2)).await?;
        let packet = wire.next().await?;
        let [1, key @ ..] = wire.body(&packet) else { return Err(wire.garbled()) };
        for (byte, salt) in secret.iter_mut().zip(nonce.iter().cycle()) {
            *byte ^= salt;
        }
        // The crate panics over what is no key.
        let Ok(encrypted) = catch_unwind(AssertUnwindSafe(|| mysql_common::crypto::encrypt(&secret, key))) else {
            return Err(wire.garbled());
        };
        secret = encrypted;
    }
    say(wire, |out| out.extend_from_slice(&secret)).await
}

async fn say(wire: &mut Wire, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), WireError> {
    let written = wire.packet(|out| {
        write(out);
        Ok::<_, std::convert::Infallible>(())
    });
    written.unwrap_or_else(|never| match never {});
    wire.send().await
}

fn unsupported(plugin: &AuthPlugin<'_>) -> WireError {
    WireError::Refused(format!(
        "it asks for the kind of authentication `{}`, which is not supported; `mysql_native_password` and \
         `caching_sha2_password` are",
        String::from_utf8_lossy(plugin.as_bytes())
    ))
}
