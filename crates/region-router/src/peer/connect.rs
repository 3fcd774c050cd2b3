//! Making a connection to a peer.
//!
//! **Invariant**: a peer that accepts and says nothing is given up as soon as one that does not accept.

use super::tls::{PeerTls, TlsError};
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;
use tower_service::Service;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_millis(300);
/// How long that may take with the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_millis(800);

type Inner = HttpsConnector<HttpConnector>;

/// Makes connections, in a short time or not at all.
#[derive(Clone)]
pub(super) struct Connector(Inner);

impl Connector {
    pub(super) fn new(is_tls: bool, tls: &PeerTls) -> Result<Self, TlsError> {
        let tls = if is_tls {
            tls.config()?
        } else {
            ClientConfig::builder()
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()
        };
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self(connector))
    }
}

type Failure = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Connector {
    type Response = <Inner as Service<Uri>>::Response;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move { timeout(HANDSHAKE, connecting).await? })
    }
}
