//! Which role a new person gets.
//!
//! **Invariant**: a role never comes from the client (requirements S1-26); it is the tenant's default, which begins as the
//! population's.

/// The role that a tenant of this population starts with.
#[must_use]
pub fn default_role(population: &str) -> &'static str {
    match population {
        "board" => "advocate",
        _ => "member",
    }
}
