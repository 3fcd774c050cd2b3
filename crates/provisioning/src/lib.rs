//! The product's rules as pure decisions.
