//! TLS, by rustls.

use mysql_async::SslOpts;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::engine::offload;
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
pub(super) async fn options(mode: SslMode, authorities: Option<&str>) -> Result<SslOpts> {
    // The crate asks rustls for the one provider of cryptography of the process, and a program whose dependencies bring
    // several has none until one is chosen.
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, which is as well.
        let _ = ring::default_provider().install_default();
    }
    if !matches!(mode, SslMode::VerifyCa | SslMode::VerifyIdentity) {
        return Ok(SslOpts::default().with_danger_accept_invalid_certs(true));
    }
    let path = authorities.map(str::to_owned);
    let roots = offload::run(move || roots(path.as_deref())).await??;
    Ok(SslOpts::default()
        .with_disable_built_in_roots(true)
        .with_root_certs(roots.into_iter().map(Into::into).collect())
        .with_danger_skip_domain_validation(mode == SslMode::VerifyCa))
}

/// The certificates, each in its binary form.
fn roots(path: Option<&str>) -> Result<Vec<Vec<u8>>> {
    let certificates = match path {
        Some(path) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                config(format!("the certificates of `ssl-ca` cannot be read from `{path}`: {error}"))
            };
            CertificateDer::pem_file_iter(path)
                .map_err(|error| unreadable(&error))?
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| unreadable(&error))?
        }
        // The store of a machine may hold what rustls does not understand.
        None => rustls_native_certs::load_native_certs()
            .certs
            .into_iter()
            .filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok())
            .collect(),
    };
    if certificates.is_empty() {
        return Err(config(
            "`ssl-mode` wants the server's certificate to be checked, and there are none to check it with; name them \
             with `ssl-ca`",
        ));
    }
    Ok(certificates.into_iter().map(|certificate| certificate.to_vec()).collect())
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}
