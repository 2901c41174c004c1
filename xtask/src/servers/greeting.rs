//! Whether a server answers, as far as a few bytes tell.

use std::io::{Error, ErrorKind, Read, Result as IoResult, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Kind;

const PATIENCE: Duration = Duration::from_secs(5);

/// Whether something listens where a URL points. The tests say the rest.
pub(super) fn reach(url: &str) -> Result<(), String> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or(authority);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // Sockets and several hosts are left to the tests.
    if host.is_empty() || host.contains(',') || host.contains('%') {
        return Ok(());
    }
    let default = if url.starts_with("postgres") { Kind::Postgres } else { Kind::MariaDb }.default_port();
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let address = if has_port { host.to_owned() } else { format!("{host}:{default}") };
    connect(&address).map(drop).map_err(|error| format!("nobody answers: {error}"))
}

/// Waits until a server that was just started answers.
pub(super) fn wait_for(kind: Kind, port: u16) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match greet(kind, port) {
            Ok(()) => return Ok(()),
            Err(why) if Instant::now() > end => return Err(format!("it was started and does not answer: {why}")),
            Err(_) => sleep(Duration::from_millis(200)),
        }
    }
}

/// Whether a server on this machine lets the tests in as its superuser without a password.
pub(super) fn greet(kind: Kind, port: u16) -> Result<(), String> {
    let greeting = connect(&format!("127.0.0.1:{port}")).and_then(|stream| match kind {
        Kind::Postgres => postgres(stream),
        Kind::MariaDb => mariadb(stream),
    });
    greeting.map_err(|error| error.to_string())
}

fn connect(address: &str) -> IoResult<TcpStream> {
    let address = address.to_socket_addrs()?.next().ok_or_else(|| refused("the host has no address"))?;
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn refused(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::PermissionDenied, why.into())
}

/// A startup message, answered by AuthenticationOk and ReadyForQuery:
/// <https://www.postgresql.org/docs/current/protocol-flow.html>.
fn postgres(mut stream: TcpStream) -> IoResult<()> {
    let body = b"\x00\x03\x00\x00user\0postgres\0database\0test\0\0";
    let length = u32::try_from(body.len() + 4).map_err(Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], body].concat())?;
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]).saturating_sub(4);
        let mut body = vec![0; length.min(65_536) as usize];
        stream.read_exact(&mut body)?;
        match head[0] {
            b'R' if !body.starts_with(&[0; 4]) => return Err(refused("it asks for a password")),
            b'Z' => return Ok(()),
            b'E' => return Err(refused(String::from_utf8_lossy(&body).replace('\0', " "))),
            _ => {}
        }
    }
}

/// The answer to the server's handshake, with an empty password: <https://mariadb.com/kb/en/connection/>.
fn mariadb(mut stream: TcpStream) -> IoResult<()> {
    let handshake = packet(&mut stream)?;
    if !String::from_utf8_lossy(&handshake).contains("MariaDB") {
        return Err(refused("it is no MariaDB"));
    }
    let capabilities: u32 = 0x0000_0200 | 0x0000_8000 | 0x0008_0000;
    let mut body = capabilities.to_le_bytes().to_vec();
    body.extend(0x0100_0000_u32.to_le_bytes());
    body.push(45);
    body.extend([0; 23]);
    body.extend(b"root\0\0mysql_native_password\0");
    send(&mut stream, 1, &body)?;
    let mut answer = packet(&mut stream)?;
    if answer.first() == Some(&0xfe) {
        send(&mut stream, 3, &[])?;
        answer = packet(&mut stream)?;
    }
    match answer.first() {
        Some(0) => Ok(()),
        _ => Err(refused(String::from_utf8_lossy(answer.get(3..).unwrap_or_default()))),
    }
}

fn packet(stream: &mut TcpStream) -> IoResult<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let mut body = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn send(stream: &mut TcpStream, number: u8, body: &[u8]) -> IoResult<()> {
    let length = u32::try_from(body.len()).map_err(Error::other)?.to_le_bytes();
    stream.write_all(&[&[length[0], length[1], length[2], number], body].concat())
}
