//! TLS, as the settings want it.

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::settings::{Settings, SslMode};
use crate::engine::tls::{Tls, Trust};
use crate::error::{Error, ErrorKind, Result};

/// How connections are encrypted.
///
/// # Errors
/// `Config` when there are no certificates to check the server's with.
pub(super) fn of(settings: &Settings) -> Result<Tls> {
    Tls::new(match settings.ssl {
        SslMode::VerifyCa => Trust::Certified(roots(settings)?),
        SslMode::VerifyFull => Trust::Named(roots(settings)?),
        _ => Trust::Anyone,
    })
}

fn roots(settings: &Settings) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    match &settings.root_certificates {
        Some(path) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                config(format!("the certificates of `sslrootcert` cannot be read from `{}`: {error}", path.display()))
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                store.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() {
        return Err(config(
            "`sslmode` wants the server's certificate to be checked, and there are none to check it with; name them \
             with `sslrootcert`",
        ));
    }
    Ok(store)
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}
