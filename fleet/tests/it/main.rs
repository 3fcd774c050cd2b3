//! The program as the scripts use it: its links, and its verdicts.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in the scenes of tests, where clippy.toml does not reach"
)]

mod check;
mod proxy;
