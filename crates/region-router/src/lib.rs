//! Regions, populations and hosts: here, elsewhere or refused.
//!
//! A host names a [`Place`] (a region and a population), and so does a token. [`decide`] compares the two before a
//! body is read or a store is asked.
//!
//! What is elsewhere is sent there by a [`peer::Link`].
//!
//! **Invariant**: no SQL, no tenants; no I/O outside of `peer/`. A base URL comes from [`Hosts`], which knows configuration
//! alone, and never from a header.

pub mod decision;
pub mod hosts;
pub mod peer;
pub mod population;
pub mod region;

pub use decision::{Decision, Node, Why, decide};
pub use hosts::{Hosts, HostsError, Place};
pub use population::{Population, PopulationError};
pub use region::{Region, RegionError};
