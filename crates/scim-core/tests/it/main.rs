//! The RFCs' own examples, tables and properties.

mod discovery;
mod document;
mod group;
mod properties;
mod support;
mod user;
