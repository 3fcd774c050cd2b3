//! Tenants, credentials and audit: the global store, and nothing about people.
