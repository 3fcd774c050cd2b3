//! `/scim/v2`: what identity providers call.
//!
//! **Invariant**: every answer is SCIM JSON or has no body; every request of a known tenant leaves a decision; a write
//! that was begun is finished, whoever waits for it.

pub mod answer;
pub mod body;
pub mod bulk;
mod cursor;
pub mod discovery;
pub mod error;
pub mod exchange;
pub mod fallback;
pub mod groups;
mod list;
pub mod members;
pub mod operation;
pub mod precondition;
pub mod query;
pub mod response;
pub mod search;
pub mod users;
