//! Who is calling.

pub mod address;
pub mod caller;
pub mod client;
mod gates;

pub use address::client_address;
pub use caller::Caller;
pub use client::Client;
