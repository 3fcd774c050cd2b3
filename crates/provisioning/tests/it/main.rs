//! The product's rules, from the outside.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy knows #[test] functions, not the helpers beside them"
)]

mod profiles;
mod reasons;
mod setup;
mod texts;
