//! The SCIM RFCs as values: parse, check, patch, filter, render.
//!
//! Everything here is a function of its arguments. What an attribute is (its type, whether it is compared exactly,
//! who may write it) is read from [`schema`] data and from nowhere else.
//!
//! **Invariant**: no I/O, no clock, no randomness, no logging; untyped JSON is held by [`attributes`] alone.

pub mod attributes;
pub mod error;
pub mod quirk;
pub mod schema;

pub use attributes::{Attributes, JsonLimits};
pub use error::{ErrorKind, ScimError};
pub use quirk::{Notes, Quirk, Tolerance};
pub use schema::{Attribute, Kind, Mutability, ResourceType, Returned, Schema, Uniqueness};
