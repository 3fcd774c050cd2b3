//! The whole URL space of the admin API.
//!
//! **Invariant**: a row has a class, and its problems are all that its handler can answer with; tests walk the rows.

mod credentials;
mod people;
mod tenants;

use super::about;
use super::access::Access;
use super::endpoint::{Endpoint, Handled};
use std::future::Future;

/// The nouns, as the document groups them.
pub const NOUNS: &[(&str, &str)] = &[
    ("about", "What the API says of itself and of its caller"),
    ("tenants", "Customers: their life, plan, seats and limits"),
    ("settings", "What a tenant's own administrator decides"),
    ("connections", "A tenant's one set-up with its identity provider, and what to type there"),
    ("attributes", "What a tenant's people hold beyond the RFC"),
    ("population-switch", "The guided way from one population to the other"),
    ("moves", "The way of a tenant's data from one store to another"),
    ("plans", "What a plan holds"),
    ("profiles", "What a product asks of a person"),
    ("tokens", "Bearer tokens of SCIM"),
    ("oauth-clients", "Clients that fetch their tokens themselves (RFC 6749)"),
    ("users", "People, in their region"),
    ("groups", "Groups, in their region"),
    ("decisions", "The provisioning log, in its region"),
    ("audit", "Who changed what"),
    ("residency", "Which stores hold a tenant's data"),
];

/// The parts of paths: name, meaning, form, example.
pub const PATH_PARTS: &[(&str, &str, &str, &str)] = &[
    (
        "tenant",
        "The tenant's id or slug.",
        "^(ten_[a-z2-7]{16}|[a-z0-9-]{1,63})$",
        "ten_a2b3c4d5e6f7g2h3",
    ),
    ("connection", "The connection's id.", "^conn_[a-z2-7]{16}$", "conn_a2b3c4d5e6f7g2h3"),
    ("token", "The token's id.", "^tok_[0-9A-Za-z]{16}$", "tok_4fGh7Jk2Lm9Np3Qr"),
    (
        "client",
        "The client's id.",
        "^mcl_[a-z][a-z0-9]{0,7}_[a-z]{2}_[0-9A-Za-z]{16}$",
        "mcl_eu_pf_4fGh7Jk2Lm9Np3Qr",
    ),
    ("secret", "The secret's id.", "^sec_[0-9A-Za-z]{16}$", "sec_4fGh7Jk2Lm9Np3Qr"),
    ("user", "The person's id.", "^[0-9A-Za-z-]{1,64}$", "019376f2-7b1c-7c3e-9d5a-0a4b1c2d3e4f"),
    ("group", "The group's id.", "^[0-9A-Za-z-]{1,64}$", "019376f2-7b1c-7c3e-9d5a-0a4b1c2d3e4f"),
    ("plan", "The plan's name.", "^[a-z0-9-]{1,63}$", "starter"),
    ("profile", "The profile's name.", "^[a-z]{1,20}$", "oktopost"),
    ("attribute", "The attribute's name.", "^[A-Za-z][A-Za-z0-9_-]{0,63}$", "costCentre"),
];

static ABOUT: &[Endpoint] = &[
    Endpoint::get("/openapi.json", "about.document", Access::Public, |call| {
        ready(about::document(&call))
    })
    .does("This document", "")
    .gives::<about::OpenApiView>(200),
    Endpoint::get("/.well-known/jwks.json", "about.keys", Access::Public, |call| {
        ready(about::keys(&call))
    })
    .does("The public keys of the built-in issuer", "")
    .gives::<about::KeySetView>(200)
    .or(&[super::Code::RegistryUnavailable]),
    Endpoint::get("/admin/v1/me", "about.me", Access::Caller, |call| ready(about::me(&call)))
        .does("Who calls", "")
        .gives::<about::MeView>(200),
];

/// Every row.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    [ABOUT, tenants::ROWS, credentials::ROWS, people::ROWS].into_iter().flatten()
}

/// A handler's future, as the table holds it.
fn boxed(
    handler: impl Future<Output = Result<super::Answer, super::Problem>> + Send + 'static,
) -> Handled {
    Box::pin(handler)
}

/// The same of one that waits for nothing.
fn ready(result: Result<super::Answer, super::Problem>) -> Handled {
    Box::pin(std::future::ready(result))
}
