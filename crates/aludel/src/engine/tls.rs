//! TLS, by rustls with the cryptography of ring.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use crate::error::{Error, ErrorKind, Result};

/// Which servers are spoken with.
pub(super) enum Trust {
    /// Whoever answers.
    Anyone,
    /// One with a certificate of these authorities, whatever host it names.
    Certified(RootCertStore),
    /// One with a certificate of these authorities for the host's name.
    Named(RootCertStore),
}

/// Makes connections encrypted.
#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

impl Tls {
    /// # Errors
    /// `Config` when there are no certificates to check the server's with.
    pub(super) fn new(trust: Trust) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let authorities = |roots: RootCertStore| {
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| config("there are no certificates to check the server's with").with_source(error))
        };
        let lenient = |authorities| Arc::new(Lenient { authorities, provider: Arc::clone(&provider) });
        let verifier: Arc<dyn ServerCertVerifier> = match trust {
            Trust::Anyone => lenient(None),
            Trust::Certified(roots) => lenient(Some(authorities(roots)?)),
            Trust::Named(roots) => authorities(roots)?,
        };
        let built = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = built
            .map_err(|error| config("TLS cannot be set up").with_source(error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Makes a connection encrypted.
    ///
    /// # Errors
    /// What went wrong, as a part of a message.
    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| "the host is not a name that TLS knows".to_owned())?;
        self.0.connect(name, stream).await.map_err(|error| format!("TLS failed: {error}"))
    }
}

/// Looks at less than rustls does by itself.
#[derive(Debug)]
struct Lenient {
    /// Whose certificates are good, whatever host they name; any certificate is where there are none.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(authorities) = &self.authorities else { return Ok(ServerCertVerified::assertion()) };
        // The name is looked at last, when all else is good.
        match authorities.verify_server_cert(certificate, chain, name, ocsp, now) {
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn config(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message)
}
