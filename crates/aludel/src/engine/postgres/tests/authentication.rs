//! Passwords, asked for by a server of the test's own: the real one may trust everybody.

use postgres_protocol::authentication::md5_hash;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::error::{Error, ErrorKind};

/// A message of the server's.
fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// A question for a proof of the client's.
fn question(kind: u32, rest: &[u8]) -> Vec<u8> {
    message(b'R', &[&kind.to_be_bytes(), rest].concat())
}

/// The client is let in.
fn welcome() -> Vec<u8> {
    [question(0, b""), message(b'S', b"server_version\x0015\0"), message(b'K', &[0; 8]), message(b'Z', b"I")].concat()
}

async fn body(stream: &mut TcpStream) -> Vec<u8> {
    let length = stream.read_u32().await.unwrap() as usize - 4;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    body
}

async fn answer(stream: &mut TcpStream) -> Vec<u8> {
    assert_eq!(stream.read_u8().await.unwrap(), b'p');
    body(stream).await
}

/// Serves one client, and what became of it.
async fn served<F>(login: &str, serve: impl FnOnce(TcpStream) -> F) -> Result<(), Error>
where
    F: Future<Output = TcpStream>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgresql://{login}@{}/test?sslmode=disable", listener.local_addr().unwrap());
    let url = DatabaseUrl::parse(&url).unwrap();
    let options = EngineOptions::new();
    let (outcome, _stream) = tokio::join!(Engine::connect(&url, &options), async {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream).await
    });
    outcome.map(drop)
}

#[tokio::test]
async fn a_password_is_sent_as_the_server_asks_for_it() {
    served("ann:right%20one", async |mut stream: TcpStream| {
        let startup = body(&mut stream).await;
        assert!(startup.starts_with(&[0, 3, 0, 0]), "version 3.0 of the protocol");
        let startup = String::from_utf8_lossy(&startup[4..]).into_owned();
        assert!(startup.starts_with("user\0ann\0database\0test\0client_encoding\0UTF8\0"), "{startup:?}");
        stream.write_all(&question(3, b"")).await.unwrap();
        assert_eq!(answer(&mut stream).await, b"right one\0");
        stream.write_all(&welcome()).await.unwrap();
        stream
    })
    .await
    .unwrap();
    served("ann:right%20one", async |mut stream: TcpStream| {
        body(&mut stream).await;
        stream.write_all(&question(5, b"salt")).await.unwrap();
        let expected = md5_hash(b"ann", b"right one", *b"salt");
        assert_eq!(answer(&mut stream).await, format!("{expected}\0").as_bytes());
        stream.write_all(&welcome()).await.unwrap();
        stream
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let error = served("ann:secret", async |mut stream: TcpStream| {
        body(&mut stream).await;
        stream.write_all(&question(3, b"")).await.unwrap();
        answer(&mut stream).await;
        let report = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"ann\"\0\0";
        stream.write_all(&message(b'E', report)).await.unwrap();
        stream
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().starts_with("the password of the user `ann` is wrong on 127.0.0.1:"), "{error}");
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn a_password_that_the_url_does_not_have_is_missed() {
    let error = served("ann", async |mut stream: TcpStream| {
        body(&mut stream).await;
        stream.write_all(&question(10, b"SCRAM-SHA-256\0\0")).await.unwrap();
        stream
    })
    .await
    .unwrap_err();
    assert_eq!(error.to_string(), "the server asks for a password of the user `ann`, and the database URL has none");
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_itself_is_refused() {
    let wrong = question(12, b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    for proof in [wrong.as_slice(), b""] {
        let error = served("ann:secret", async |mut stream: TcpStream| {
            body(&mut stream).await;
            stream.write_all(&question(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")).await.unwrap();
            let first = String::from_utf8(answer(&mut stream).await[18..].to_vec()).unwrap();
            let nonce = first.strip_prefix("n,,n=,r=").unwrap();
            let salted = format!("r={nonce}more,s=c2FsdA==,i=4096");
            stream.write_all(&question(11, salted.as_bytes())).await.unwrap();
            let last = String::from_utf8(answer(&mut stream).await).unwrap();
            assert!(last.starts_with(&format!("c=biws,r={nonce}more,p=")), "{last}");
            stream.write_all(&[proof, &welcome()].concat()).await.unwrap();
            stream
        })
        .await
        .unwrap_err();
        assert_eq!(error.to_string(), "the server did not prove that it knows the password");
    }
}

#[tokio::test]
async fn a_kind_of_proof_that_is_not_known_is_an_error() {
    for asked in [question(7, b""), question(10, b"SCRAM-SHA-512\0\0")] {
        let error = served("ann:secret", async |mut stream: TcpStream| {
            body(&mut stream).await;
            stream.write_all(&asked).await.unwrap();
            stream
        })
        .await
        .unwrap_err();
        assert!(error.to_string().contains("a kind of authentication that is not supported"), "{error}");
    }
}
