//! Who is calling.

pub mod caller;
pub mod client;

pub use caller::Caller;
pub use client::Client;
