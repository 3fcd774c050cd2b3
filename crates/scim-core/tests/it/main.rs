//! The RFCs' own examples, tables and properties.

mod custom;
mod discovery;
mod document;
mod filter;
mod group;
mod patch;
mod patch_members;
mod patch_properties;
mod patch_refusals;
mod patch_rules;
mod projection;
mod properties;
mod support;
mod user;
