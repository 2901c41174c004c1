use mysql_common::constants::{CapabilityFlags, StatusFlags};
use mysql_common::packets::HandshakePacket;
use mysql_common::proto::MySerialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::error::{Error, ErrorKind};

#[tokio::test]
async fn a_user_with_a_password_is_let_in_with_it_alone() {
    let database = Database::new().await;
    let mut stranger = database.stranger().await;
    let user = format!("u{}", &database.0[7..19]);
    stranger.query_drop(format!("CREATE USER {user} IDENTIFIED BY 's3cret:/@'")).await.unwrap();
    stranger.query_drop(format!("GRANT ALL ON {}.* TO {user}", database.0)).await.unwrap();
    let url = server_url(&database.0);
    let (_, address) = url.split_once("://").unwrap();
    let address = address.rsplit_once('@').map_or(address, |(_, address)| address);
    let connect = async |login: &str| {
        let url = DatabaseUrl::parse(&format!("mysql://{login}@{address}")).unwrap();
        Engine::connect(&url, &EngineOptions::new()).await
    };
    let engine = connect(&format!("{user}:s3cret%3A%2F%40")).await.unwrap();
    let seen =
        rows(&mut acquire(&engine).await, "SELECT USER()", &[], |row| Ok(row.text(0)?.to_owned())).await.unwrap();
    assert!(seen[0].starts_with(&user), "{seen:?}");
    for wrong in [user.clone(), format!("{user}:secret")] {
        let error = connect(&wrong).await.map(drop).unwrap_err();
        assert!(error.to_string().contains("the password is wrong"), "{error}");
    }
    engine.close().await;
    stranger.query_drop(format!("DROP USER {user}")).await.unwrap();
}

/// A server that says what a test has it say.
struct Script {
    stream: TcpStream,
    number: u8,
    /// It ends columns and rows with packets of their own, as servers did before MySQL 5.7 and MariaDB 10.2.
    is_old: bool,
}

impl Script {
    async fn say(&mut self, body: &[u8]) {
        let [a, b, c, ..] = (body.len() as u32).to_le_bytes();
        self.stream.write_all(&[&[a, b, c, self.number], body].concat()).await.unwrap();
        self.number += 1;
    }

    async fn hear(&mut self) -> Vec<u8> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header).await.unwrap();
        self.number = header[3] + 1;
        let mut body = vec![0; u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize];
        self.stream.read_exact(&mut body).await.unwrap();
        body
    }

    async fn greet(&mut self, plugin: &str) {
        let mut capabilities = CapabilityFlags::all() - CapabilityFlags::CLIENT_SSL;
        capabilities.set(CapabilityFlags::CLIENT_DEPRECATE_EOF, !self.is_old);
        let hello = HandshakePacket::new(
            10,
            &b"8.0.30"[..],
            7,
            *b"01234567",
            Some(&b"890123456789\0"[..]),
            capabilities,
            45,
            StatusFlags::SERVER_STATUS_AUTOCOMMIT,
            Some(plugin.as_bytes()),
        );
        let mut body = Vec::new();
        hello.serialize(&mut body);
        self.say(&body).await;
    }

    /// The answer to what a new session asks for.
    async fn answer_session(&mut self) {
        let asked = self.hear().await;
        assert!(asked.starts_with(b"\x03SET NAMES utf8mb4"));
        // SET is done, and there is more: two columns of text, and a row.
        self.say(&[0, 0, 0, 10, 0, 0, 0]).await;
        self.say(&[2]).await;
        for name in ["v", "m"] {
            let mut column = b"\x03def\0\0\0\x01".to_vec();
            column.extend_from_slice(name.as_bytes());
            column.extend_from_slice(&[0, 12, 45, 0, 0, 1, 0, 0, 253, 0, 0, 0, 0, 0]);
            self.say(&column).await;
        }
        let end: &[u8] = if self.is_old { &[0xFE, 0, 0, 2, 0] } else { &[0xFE, 0, 0, 2, 0, 0, 0] };
        if self.is_old {
            self.say(end).await;
        }
        self.say(b"\x068.0.30\x0816777216").await;
        self.say(end).await;
    }
}

/// What becomes of connecting, as a user with a password, to a server that follows a script.
async fn meet<F: Future<Output = ()> + Send + 'static>(
    script: impl FnOnce(Script) -> F,
) -> (Result<Engine>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mysql://ann:s3cret@{}/test?connect_timeout=5", listener.local_addr().unwrap());
    let url = DatabaseUrl::parse(&url).unwrap();
    let connecting = tokio::spawn(async move { Engine::connect(&url, &EngineOptions::new()).await });
    let (stream, _) = listener.accept().await.unwrap();
    let server = tokio::spawn(script(Script { stream, number: 0, is_old: false }));
    let outcome = connecting.await.unwrap();
    (outcome, server)
}

fn refusal(outcome: Result<Engine>) -> Error {
    outcome.map(drop).unwrap_err()
}

/// The public half of a key that was made for this test.
const KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0UnJB+iMQ7TGLk70yXO4\n\
    aJ1TvAZXtNB5bRiffJTNnDecfFYITq1wqZHLdturf6AulScUrfG66a+VbkGYMuu/\n\
    AweUxel3/GZlFZMAwUOp5FFedbRSRi7Dbl8HhhvKZlsWSWJ3aLzpVya9HufGRAmp\n\
    8zASzFNexua5GYYSj13xUiT8BtLRGsjV2YMLOgZcbn/lOOgRRuf4SO78CAN3vil1\n\
    YS2Rp9u1h6NaPB/vXyqCS91DFRUXZS+o20MVtB9QuMjOZTmV+ryYFi/pWbfNpro+\n\
    K6zD6Ofb1cQUEigpCCmat1i9nJEU2uvOqJbQ99lY5FFB1K+stCKyh1uO7cOqaSZ3\n\
    EwIDAQAB\n\
    -----END PUBLIC KEY-----";

#[tokio::test]
async fn a_password_that_the_server_wants_whole_goes_encrypted_with_its_key() {
    let (outcome, server) = meet(async |mut server: Script| {
        server.greet("caching_sha2_password").await;
        let response = server.hear().await;
        let proof = mysql_common::scramble::scramble_sha256(b"01234567890123456789", b"s3cret").unwrap();
        assert!(response.windows(32).any(|window| window == proof));
        server.say(&[1, 4]).await;
        assert_eq!(server.hear().await, [2]);
        server.say(&[b"\x01", KEY.as_bytes()].concat()).await;
        assert_eq!(server.hear().await.len(), 256);
        server.say(&[0, 0, 0, 2, 0, 0, 0]).await;
        server.answer_session().await;
    })
    .await;
    server.await.unwrap();
    assert_eq!(outcome.unwrap().dialect(), crate::sql::Dialect::MySql);
}

#[tokio::test]
async fn what_is_no_key_is_an_error_and_no_panic() {
    let (outcome, server) = meet(async |mut server: Script| {
        server.greet("caching_sha2_password").await;
        server.hear().await;
        server.say(&[1, 4]).await;
        server.hear().await;
        server.say(b"\x01no key").await;
    })
    .await;
    server.await.unwrap();
    assert!(refusal(outcome).to_string().contains("does not speak MySQL's protocol"));
}

#[tokio::test]
async fn another_way_to_prove_the_password_is_taken_if_it_is_known() {
    let (outcome, server) = meet(async |mut server: Script| {
        server.greet("caching_sha2_password").await;
        server.hear().await;
        server.say(b"\xFEmysql_native_password\0abcdefghijabcdefghij\0").await;
        let proof = mysql_common::scramble::scramble_native(b"abcdefghijabcdefghij", b"s3cret").unwrap();
        assert_eq!(server.hear().await, proof);
        server.say(&[0, 0, 0, 2, 0, 0, 0]).await;
        server.answer_session().await;
    })
    .await;
    server.await.unwrap();
    outcome.unwrap();
    for (request, name) in [(&b"\xFEclient_ed25519\0abc"[..], "client_ed25519"), (b"\xFE", "mysql_old_password")] {
        let (outcome, server) = meet(async move |mut server: Script| {
            server.greet("mysql_native_password").await;
            server.hear().await;
            server.say(request).await;
        })
        .await;
        server.await.unwrap();
        let error = refusal(outcome);
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(error.to_string().contains(&format!("the kind of authentication `{name}`")), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_server_of_this_protocol_is_told_from_one() {
    let (outcome, server) = meet(async |mut server: Script| {
        server.stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
    })
    .await;
    server.await.unwrap();
    let error = refusal(outcome);
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
}

#[tokio::test]
async fn a_server_that_is_old_ends_columns_and_rows_with_packets_of_their_own() {
    let (outcome, server) = meet(async |mut server: Script| {
        server.is_old = true;
        server.greet("mysql_native_password").await;
        server.hear().await;
        server.say(&[0, 0, 0, 2, 0, 0, 0]).await;
        server.answer_session().await;
        // One parameter and one column, each with its end, and then the row of the statement.
        assert_eq!(server.hear().await, b"\x16SELECT ?");
        let end = [0xFE, 0, 0, 2, 0];
        let column = b"\x03def\0\0\0\x01n\0\x0c\x3f\0\0\0\0\0\x08\0\0\0\0\0";
        server.say(&[0, 9, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]).await;
        for _ in 0..2 {
            server.say(column).await;
            server.say(&end).await;
        }
        assert_eq!(server.hear().await, b"\x17\x09\0\0\0\0\x01\0\0\0\0\x01\x08\0\x2a\0\0\0\0\0\0\0");
        server.say(&[1]).await;
        server.say(column).await;
        server.say(&end).await;
        server.say(&[0, 0, 42, 0, 0, 0, 0, 0, 0, 0]).await;
        server.say(&[0xFE, 0, 0, 3, 0]).await;
        assert_eq!(server.hear().await, [1], "good-bye");
    })
    .await;
    let engine = outcome.unwrap();
    let mut c = acquire(&engine).await;
    let seen = rows(&mut c, "SELECT ?", &[Value::Int(42)], |row| row.integer(0)).await.unwrap();
    assert_eq!(seen, [42]);
    assert!(c.in_transaction(), "as the last packet says");
    drop((c, engine));
    server.await.unwrap();
}
