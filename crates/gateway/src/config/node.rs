//! `[node]`: how the nodes know each other.

use super::values::Values;
use region_router::peer::PeerTls;
use std::path::{Path, PathBuf};

/// How the nodes know each other.
#[derive(Debug, Clone)]
pub struct NodeSettings {
    /// The folder of the keys with which this node signs what it forwards.
    pub keys: PathBuf,
    /// The key set of the nodes whose word is believed; without it nobody's is.
    pub peer_jwks: Option<PathBuf>,
    /// Certificates for the ways to the gateways of other regions.
    pub tls: PeerTls,
}

pub(super) fn read(values: &mut Values, data_dir: &Path) -> NodeSettings {
    NodeSettings {
        keys: values.text("node.keys").map_or_else(|| data_dir.join("node-keys"), PathBuf::from),
        peer_jwks: values.text("node.peer_jwks").map(PathBuf::from),
        tls: tls(values),
    }
}

fn tls(values: &mut Values) -> PeerTls {
    let mut path = |key| values.text(key).map(PathBuf::from);
    let (authorities, certificate, key) =
        (path("node.peer_ca"), path("node.certificate"), path("node.certificate_key"));
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => {
            values.problem(
                "node.certificate",
                "is given without its private key: give node.certificate_key too",
            );
            None
        }
        (None, Some(_)) => {
            values.problem(
                "node.certificate_key",
                "is given without a certificate: give node.certificate too",
            );
            None
        }
    };
    PeerTls { authorities, identity }
}
