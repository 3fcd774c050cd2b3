//! Who is calling.

pub mod address;
pub mod caller;
pub mod client;
pub(crate) mod gates;
pub(crate) mod rejected;

pub use address::client_address;
pub use caller::Caller;
pub use client::Client;
