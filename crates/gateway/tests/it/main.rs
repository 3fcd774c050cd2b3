//! The process as its users see it.

mod cli;
mod config;
