//! The admin API as operators, consoles and attackers see it.

mod api;
mod attacks;
mod document;
mod jwt;
mod oidc;
mod walk;
