//! `[node]`: how the nodes know each other.

use super::values::Values;
use std::path::{Path, PathBuf};

/// How the nodes know each other.
#[derive(Debug, Clone)]
pub struct NodeSettings {
    /// The folder of the keys with which this node signs what it forwards.
    pub keys: PathBuf,
    /// The key set of the nodes whose word is believed; without it nobody's is.
    pub peer_jwks: Option<PathBuf>,
}

pub(super) fn read(values: &mut Values, data_dir: &Path) -> NodeSettings {
    NodeSettings {
        keys: values.text("node.keys").map_or_else(|| data_dir.join("node-keys"), PathBuf::from),
        peer_jwks: values.text("node.peer_jwks").map(PathBuf::from),
    }
}
