//! TLS, as a URL wants it.

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::engine::offload;
use crate::engine::tls::{Tls, Trust};
use crate::error::{Error, ErrorKind, Result};

/// Whether a connection is encrypted, and what the server has to prove: `ssl-mode` of MySQL's own clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SslMode {
    Disabled,
    /// Where the server can.
    Preferred,
    /// Always, whoever answers.
    Required,
    /// Always, with a certificate of a known authority.
    VerifyCa,
    /// Always, with a certificate of a known authority for the host's name.
    VerifyIdentity,
}

/// The words of the URL, those of libpq too.
const MODES: &[(&str, SslMode)] = &[
    ("disabled", SslMode::Disabled),
    ("preferred", SslMode::Preferred),
    ("required", SslMode::Required),
    ("verify_ca", SslMode::VerifyCa),
    ("verify_identity", SslMode::VerifyIdentity),
    ("disable", SslMode::Disabled),
    ("prefer", SslMode::Preferred),
    ("require", SslMode::Required),
    ("verify_full", SslMode::VerifyIdentity),
];

impl SslMode {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase().replace('-', "_");
        MODES.iter().find(|(word, _)| *word == text).map(|(_, mode)| *mode)
    }

    /// Whether the connection is refused where it cannot be encrypted.
    pub(super) fn insists(self) -> bool {
        !matches!(self, Self::Disabled | Self::Preferred)
    }
}

/// How connections are encrypted; `authorities` names a file of the certificates to check the server's with, else they
/// are those of this machine.
///
/// # Errors
/// `Config` when there are no certificates to check the server's with.
pub(super) async fn of(mode: SslMode, authorities: Option<&str>) -> Result<Tls> {
    let path = authorities.map(str::to_owned);
    let roots = async || offload::run(move || roots(path.as_deref())).await?;
    Tls::new(match mode {
        SslMode::VerifyCa => Trust::Certified(roots().await?),
        SslMode::VerifyIdentity => Trust::Named(roots().await?),
        _ => Trust::Anyone,
    })
}

fn roots(path: Option<&str>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    match path {
        Some(path) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                config(format!("the certificates of `ssl-ca` cannot be read from `{path}`: {error}"))
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                store.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
        // The store of a machine may hold what rustls does not understand.
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() {
        return Err(config(
            "`ssl-mode` wants the server's certificate to be checked, and there are none to check it with; name them \
             with `ssl-ca`",
        ));
    }
    Ok(store)
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}
