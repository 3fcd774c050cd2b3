//! The history of both schemas, and opening a database.
//!
//! **Invariant**: one source for SQLite and PostgreSQL; a merged migration is never edited; no domain types.

pub mod directory;
pub mod open;
pub mod registry;

pub use directory::DirectoryMigrator;
pub use open::{Database, Engine, Fault, OpenError, PoolOptions, causes};
pub use registry::RegistryMigrator;
