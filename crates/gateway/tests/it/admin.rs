//! The admin API as operators, consoles and attackers see it.

mod api;
mod attacks;
mod clients;
mod document;
mod forms;
mod jwt;
mod life;
mod lists;
mod nodes;
mod oidc;
mod repeat;
mod secrets;
mod switching;
mod versions;
mod walk;
