//! How a peer behind TLS is known, and how this node is known to it.
//!
//! **Invariant**: a peer that does not prove itself gets no byte of a request, and a connection is never made without TLS instead.

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Certificates for the ways to peers, as PEM files.
#[derive(Debug, Clone, Default)]
pub struct PeerTls {
    /// Who signs the peers' certificates; without it the system's authorities are believed.
    pub authorities: Option<PathBuf>,
    /// What this node shows when it is asked who it is: its certificate with those in between, and the private key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why a way to peers behind TLS cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of the kind.
    #[error("the file {0} cannot be read as PEM")]
    Unreadable(PathBuf, #[source] PemError),
    /// There is no certificate in a file.
    #[error("the file {0} holds no certificate")]
    Empty(PathBuf),
    /// The certificates or the key cannot be used.
    #[error("the certificates cannot be used")]
    Unusable(#[source] rustls::Error),
}

impl PeerTls {
    /// What the connections to peers are made with.
    ///
    /// # Errors
    /// When a file cannot be read or used, or the system's authorities cannot.
    pub(super) fn config(&self) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?;
        let builder = match &self.authorities {
            None => builder.with_platform_verifier().map_err(TlsError::Unusable)?,
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path)? {
                    roots.add(certificate).map_err(TlsError::Unusable)?;
                }
                builder.with_root_certificates(roots)
            }
        };
        let Some((chain, key)) = &self.identity else { return Ok(builder.with_no_client_auth()) };
        let identity = Identity {
            chain: chain.clone(),
            key: key.clone(),
            held: Mutex::new(read(chain, key, &provider)?),
            provider,
        };
        Ok(builder.with_client_cert_resolver(Arc::new(identity)))
    }
}

/// This node's certificate. It is read again for every handshake, of which there are few, so that it can be renewed
/// without a restart; what was last good stays in use.
#[derive(Debug)]
struct Identity {
    chain: PathBuf,
    key: PathBuf,
    held: Mutex<Arc<CertifiedKey>>,
    provider: Arc<CryptoProvider>,
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // A file that is being written is as good as the one before in a moment, and tells nothing until then.
        if let Ok(read) = read(&self.chain, &self.key, &self.provider) {
            *held = read;
        }
        Some(Arc::clone(&held))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn read(
    chain: &PathBuf,
    key: &PathBuf,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| TlsError::Unreadable(key.clone(), error))?;
    let identity = CertifiedKey::from_der(certificates(chain)?, private, provider);
    Ok(Arc::new(identity.map_err(TlsError::Unusable)?))
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error| TlsError::Unreadable(path.clone(), error);
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if all.is_empty() { Err(TlsError::Empty(path.clone())) } else { Ok(all) }
}
