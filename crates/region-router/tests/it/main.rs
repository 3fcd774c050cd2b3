//! What the router decides, from the outside.
#![expect(
    clippy::unwrap_used,
    reason = "clippy knows #[test] functions, not the helpers beside them"
)]

mod assertion;
mod decision;
mod hosts;
mod tls;
