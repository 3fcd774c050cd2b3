//! People and groups of one region: users, memberships, seats, decisions, changes.
//!
//! [`Directory::within`] gives a [`Scoped`], which is one tenant's view; every statement begins in [`scope`] and names
//! its tenant first. A write is one transaction that holds the resource, its change, its outbox row and its decision.
//!
//! **Invariant**: no HTTP, no Redis, no query without a tenant, no entity outside this crate.

mod change;
mod commit;
mod decisions;
mod error;
mod fence;
mod groups;
mod listing;
mod members;
mod moving;
mod once;
mod purge;
mod query;
mod replica;
mod residency;
mod scope;
mod script;
mod seats;
mod store;
mod users;
mod writer;

pub use decisions::{Asked, DecisionQuery, DecisionRow, Part, QuirkCount, Refused};
pub use error::DirectoryError;
pub use groups::{GroupAnswer, GroupChange, StoredGroup};
pub use listing::{Found, Key, Listing, Narrowed, Start, Want, WantAll};
pub use members::{MemberLine, MemberNames, MemberText, StoredMember};
pub use moving::{
    Comparison, Difference, Differs, MoveError, Purged, Side, TableCount, Told, Transfer,
};
pub use once::Once;
pub use residency::Residency;
pub use scope::{Scoped, new_id};
pub use seats::Tally;
pub use store::{Directory, PoolState};
pub use users::{Action, Run, StoredManager, StoredUser, UserAnswer};
