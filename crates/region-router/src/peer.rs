//! Reaching the gateway of another region: once, streamed both ways, signed.
//!
//! [`Link`] is the way there: connections, a limit and a breaker of its own for each region. [`assertion`] is what the
//! other side believes.
//!
//! **Invariant**: of a body nothing is kept but the pieces that are on their way. What one region does not answer takes
//! nothing from another.

pub mod assertion;
pub mod breaker;
mod connect;
mod gateway;
pub mod link;
pub mod nonces;
mod places;
pub mod tls;
pub mod upload;

pub use assertion::{Asserted, Bound, NotTrusted, SigningKey, TrustedKeys, Verified};
pub use breaker::Breaker;
pub use gateway::{Gateway, GatewayError};
pub use link::{Answer, Interrupted, Link, Outgoing, Turn, Unreachable};
pub use nonces::Nonces;
pub use tls::{PeerTls, TlsError};
pub use upload::{Feed, Upload};

/// The one header in which a gateway speaks to another.
pub const HOP_HEADER: &str = "x-muster-hop";
