//! The SCIM RFCs as values: parse, check, patch, filter, render.
//!
//! Everything here is a function of its arguments. What an attribute is (its type, whether it is compared exactly,
//! who may write it) is read from [`schema`] data and from nowhere else.
//!
//! **Invariant**: no I/O, no clock, no randomness, no logging; untyped JSON is held by [`attributes`] alone.

pub mod attributes;
pub mod bulk;
pub mod document;
pub mod error;
pub mod etag;
pub mod filter;
pub mod group;
pub mod list;
mod message;
pub mod meta;
pub mod normal;
pub mod patch;
pub mod path;
pub mod projection;
pub mod quirk;
pub mod schema;
pub mod search;
pub mod service_provider;
pub mod sort;
pub mod user;
pub mod user_name;

pub use attributes::{Attributes, JsonLimits};
pub use bulk::{BulkLimits, BulkRequest};
pub use document::Document;
pub use error::{ErrorKind, ScimError};
pub use etag::ETag;
pub use filter::{Condition, Filter, FilterLimits, Literal, Op, Operand, Sub, Target};
pub use group::{Group, Member, MemberKind};
pub use list::ListQuery;
pub use meta::Meta;
pub use normal::fold;
pub use patch::{MemberStep, PatchLimits, PatchRequest};
pub use path::AttrPath;
pub use projection::Projection;
pub use quirk::{Notes, Quirk, Tolerance};
pub use schema::builtin::ENTERPRISE_USER;
pub use schema::custom::{Custom, CustomAttribute};
pub use schema::{
    Attribute, Format, Handling, Kind, Mutability, ResourceType, Returned, Role, Schema, Schemas,
    Sent, Uniqueness,
};
pub use search::SearchRequest;
pub use service_provider::Announced;
pub use sort::{Sort, SortValue};
pub use user::User;
pub use user_name::UserName;
