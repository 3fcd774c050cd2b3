//! Regions, populations and hosts: here, elsewhere or refused.
//!
//! A host names a [`Place`] (a region and a population), and so does a token. [`decide`] compares the two before a
//! body is read or a store is asked.
//!
//! **Invariant**: no SQL, no tenants, no clock; a base URL comes from [`Hosts`], which knows configuration alone,
//! and never from a header.

pub mod decision;
pub mod hosts;
pub mod population;
pub mod region;

pub use decision::{Decision, Node, Why, decide};
pub use hosts::{Hosts, HostsError, Place};
pub use population::{Population, PopulationError};
pub use region::{Region, RegionError};
