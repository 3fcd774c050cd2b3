//! Here, at a peer, or refused: decided from the host and the token alone.
//!
//! **Invariant**: pure, and total over hosts and tokens. Nothing is looked up, so a request in the wrong region leaves
//! no trace there.

use crate::hosts::Place;
use crate::region::Region;
use std::collections::{BTreeMap, BTreeSet};

/// What this node can reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// The regions whose stores are open on this node.
    pub serves: BTreeSet<Region>,
    /// The regions whose gateway is reached by its base URL.
    pub peers: BTreeMap<Region, String>,
}

/// What to do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The region's store is on this node.
    Here,
    /// The region's store is behind its own gateway.
    Peer(Region),
    /// Neither, or the token is not for this host.
    Refuse(Why),
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The token names another place than the host.
    WrongPlace {
        /// The place that the token is for.
        correct: Place,
    },
    /// Host and token agree, but this node neither holds the region's store nor knows a gateway that does.
    NotHere(Region),
}

/// Decides where a request is served.
#[must_use]
pub fn decide(node: &Node, host: &Place, token: &Place) -> Decision {
    if host != token {
        return Decision::Refuse(Why::WrongPlace { correct: token.clone() });
    }
    let region = &token.region;
    if node.serves.contains(region) {
        Decision::Here
    } else if node.peers.contains_key(region) {
        Decision::Peer(region.clone())
    } else {
        Decision::Refuse(Why::NotHere(region.clone()))
    }
}
