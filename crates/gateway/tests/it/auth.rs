//! Which token is good at which host, and what an administrator is told when it is not.

mod places;
mod tokens;
