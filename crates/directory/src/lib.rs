//! People and groups of one region: users, memberships, seats, decisions, changes.
//!
//! [`Directory::within`] gives a [`Scoped`], which is one tenant's view; every statement begins in [`scope`] and names
//! its tenant first. A write is one transaction that holds the resource, its change, its outbox row and its decision.
//!
//! **Invariant**: no HTTP, no Redis, no query without a tenant, no entity outside this crate.

mod change;
mod decisions;
mod error;
mod groups;
mod listing;
mod members;
mod purge;
mod query;
mod scope;
mod script;
mod seats;
mod users;
mod writer;

pub use decisions::{Asked, DecisionRow, LogQuery, Part, QuirkCount, Refused};
pub use error::DirectoryError;
pub use groups::{GroupAnswer, GroupChange, StoredGroup};
pub use listing::{Found, Key, Listing, Narrowed, Start, Want, WantAll};
pub use members::{MemberLine, MemberNames, MemberText, StoredMember};
pub use scope::{Directory, PoolState, Scoped, new_id};
pub use users::{StoredManager, StoredUser, UserAnswer};
