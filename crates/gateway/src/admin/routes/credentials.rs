//! Tokens and OAuth clients.

use super::boxed;
use crate::admin::access::Access::Tenant;
use crate::admin::access::Right::{TokensRead, TokensWrite};
use crate::admin::clients::{self, shown};
use crate::admin::endpoint::{Endpoint, Form, Param};
use crate::admin::input::{AFTER, LIMIT};
use crate::admin::problem::Code;
use crate::admin::tokens;
use crate::admin::view::Page;

const STATE: Param = Param {
    name: "state",
    about: "Only those in this state.",
    form: Form::Word(&["live", "retiring", "expired", "revoked"]),
};
const ISSUING: &[Code] = &[Code::TooMany, Code::PopulationConflict, Code::StateConflict];

pub(super) static ROWS: &[Endpoint] = &[
    Endpoint::get("/admin/v1/tenants/{tenant}/tokens", "tokens.list", Tenant(TokensRead), |call| {
        boxed(tokens::list(call))
    })
    .does("Tokens, oldest first", "Also those that expired or were revoked.")
    .asks(&[STATE, LIMIT, AFTER])
    .gives::<Page<tokens::TokenView>>(200),
    Endpoint::post(
        "/admin/v1/tenants/{tenant}/tokens",
        "tokens.create",
        Tenant(TokensWrite),
        |call| boxed(tokens::create(call)),
    )
    .does(
        "Issues a token",
        "It is in this answer and in no other. A tenant has at most five that are live.",
    )
    .may_take::<tokens::CreateToken>()
    .gives::<tokens::IssuedTokenView>(201)
    .or(ISSUING),
    Endpoint::get(
        "/admin/v1/tenants/{tenant}/tokens/{token}",
        "tokens.read",
        Tenant(TokensRead),
        |call| boxed(tokens::read(call)),
    )
    .does("One token", "")
    .gives::<tokens::TokenView>(200)
    .versioned(),
    Endpoint::patch(
        "/admin/v1/tenants/{tenant}/tokens/{token}",
        "tokens.change",
        Tenant(TokensWrite),
        |call| boxed(tokens::change(call)),
    )
    .does("Changes a token's name or networks", "")
    .takes::<tokens::ChangeToken>()
    .gives::<tokens::TokenView>(200)
    .versioned()
    .or(&[Code::StateConflict]),
    Endpoint::delete(
        "/admin/v1/tenants/{tenant}/tokens/{token}",
        "tokens.revoke",
        Tenant(TokensWrite),
        |call| boxed(tokens::revoke(call)),
    )
    .does("Revokes a token, for good", "This node refuses it at once, others within 5 s.")
    .gives::<tokens::TokenView>(200)
    .versioned(),
    Endpoint::post(
        "/admin/v1/tenants/{tenant}/tokens/{token}/rotation",
        "tokens.start_rotation",
        Tenant(TokensWrite),
        |call| boxed(tokens::start_rotation(call)),
    )
    .does(
        "Issues the token that takes the place of this one",
        "Both are good until the overlap ends, or the rotation is completed.",
    )
    .may_take::<tokens::StartRotation>()
    .gives::<tokens::IssuedTokenView>(201)
    .versioned()
    .or(ISSUING),
    Endpoint::post(
        "/admin/v1/tenants/{tenant}/tokens/{token}/rotation/complete",
        "tokens.complete_rotation",
        Tenant(TokensWrite),
        |call| boxed(tokens::complete_rotation(call)),
    )
    .does("Ends a rotation: the old token is revoked", "The path names the old token.")
    .gives::<tokens::TokenView>(200)
    .versioned()
    .or(&[Code::StateConflict]),
    Endpoint::post(
        "/admin/v1/tenants/{tenant}/tokens/{token}/rotation/cancel",
        "tokens.cancel_rotation",
        Tenant(TokensWrite),
        |call| boxed(tokens::cancel_rotation(call)),
    )
    .does(
        "Takes a rotation back: the new token is revoked",
        "The path names the old token. To revoke the new token does the same.",
    )
    .gives::<tokens::TokenView>(200)
    .versioned()
    .or(&[Code::StateConflict]),
    Endpoint::get(
        "/admin/v1/tenants/{tenant}/oauth-clients",
        "oauth-clients.list",
        Tenant(TokensRead),
        |call| boxed(clients::list(call)),
    )
    .does("OAuth clients, oldest first", "")
    .asks(&[LIMIT, AFTER])
    .gives::<Page<shown::ClientView>>(200),
    Endpoint::post(
        "/admin/v1/tenants/{tenant}/oauth-clients",
        "oauth-clients.create",
        Tenant(TokensWrite),
        |call| boxed(clients::create(call)),
    )
    .does("Makes an OAuth client", "Its secret is in this answer and in no other.")
    .may_take::<clients::CreateClient>()
    .gives::<shown::IssuedClientView>(201)
    .or(ISSUING),
    Endpoint::get(
        "/admin/v1/tenants/{tenant}/oauth-clients/{client}",
        "oauth-clients.read",
        Tenant(TokensRead),
        |call| boxed(clients::read(call)),
    )
    .does("One OAuth client", "")
    .gives::<shown::ClientView>(200)
    .versioned(),
    Endpoint::patch(
        "/admin/v1/tenants/{tenant}/oauth-clients/{client}",
        "oauth-clients.change",
        Tenant(TokensWrite),
        |call| boxed(clients::change(call)),
    )
    .does("Changes an OAuth client", "")
    .takes::<clients::ChangeClient>()
    .gives::<shown::ClientView>(200)
    .versioned()
    .or(&[Code::StateConflict]),
    Endpoint::delete(
        "/admin/v1/tenants/{tenant}/oauth-clients/{client}",
        "oauth-clients.revoke",
        Tenant(TokensWrite),
        |call| boxed(clients::revoke(call)),
    )
    .does("Revokes an OAuth client and all its tokens, for good", "")
    .gives::<shown::ClientView>(200)
    .versioned(),
    Endpoint::post(
        "/admin/v1/tenants/{tenant}/oauth-clients/{client}/secrets",
        "oauth-clients.add_secret",
        Tenant(TokensWrite),
        |call| boxed(clients::add_secret(call)),
    )
    .does(
        "Makes another secret",
        "It is in this answer and in no other. A client has at most three that are live.",
    )
    .may_take::<clients::CreateSecret>()
    .gives::<shown::IssuedSecretView>(201)
    .or(&[Code::TooMany, Code::StateConflict]),
    Endpoint::delete(
        "/admin/v1/tenants/{tenant}/oauth-clients/{client}/secrets/{secret}",
        "oauth-clients.revoke_secret",
        Tenant(TokensWrite),
        |call| boxed(clients::revoke_secret(call)),
    )
    .does("Revokes a secret, for good", "")
    .gives::<shown::ClientView>(200)
    .versioned(),
];
