//! The RFCs' own examples, tables and properties.

mod chosen;
mod custom;
mod custom_values;
mod digits;
mod discovery;
mod document;
mod filter;
mod filter_types;
mod fuzz;
mod group;
mod laws;
mod patch;
mod patch_members;
mod patch_properties;
mod patch_refusals;
mod patch_rules;
mod projection;
mod properties;
mod quirks;
mod rfc7643;
mod sort;
mod support;
mod user;
