//! The nodes that are asked, and for whom.

use anyhow::Context as _;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

#[derive(Debug, Deserialize)]
pub(crate) struct Plan {
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) tenants: Vec<Tenant>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    /// Where it says whether it is ready.
    pub(crate) ops: SocketAddr,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Tenant {
    /// What its figures are summed up under.
    pub(crate) class: String,
    pub(crate) slug: String,
    pub(crate) host: String,
    pub(crate) token: String,
    /// In what is written of it, and in nothing of anybody else.
    pub(crate) canary: String,
    /// The nodes that its requests reach.
    pub(crate) via: Vec<String>,
}

impl Plan {
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        serde_json::from_str(&text).with_context(|| file.display().to_string())
    }
}
