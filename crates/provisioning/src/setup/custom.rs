//! Any other identity provider.

use super::guide::Entry::{Choose, Empty, Own, Paste, Secret};
use super::guide::{
    EventText, FieldText, Guide, TroubleText, When, event, field, on, on_with_groups, said, step,
    step_when,
};
use super::shared;

const SAML: &[FieldText] = &[
    field("saml_identifier", "Identifier", Paste("{origin}"), "Who the product is."),
    field("saml_acs", "Reply URL, Assertion Consumer Service URL", Paste(shared::ACS), ""),
    field(
        "saml_login",
        "Sign-on URL (optional)",
        Paste(shared::LOGIN),
        "Only for sign-in that begins at the product.",
    ),
    field(
        "saml_audience",
        "Audience URI, SP Entity ID",
        Paste("{urn}"),
        "Whom an assertion is for.",
    ),
    field("saml_relay_state", "Default relay state", Empty, ""),
];

const EVENTS: &[EventText] = &[
    event(
        "somebody is new",
        "POST /Users",
        "created, takes a seat. 409 if the userName exists, also if that person is deactivated",
    ),
    event(
        "somebody leaves",
        "PUT or PATCH with active: false",
        "deactivated: stays visible in look-ups and lists with the same id, frees the seat",
    ),
    event(
        "somebody comes back",
        "PUT or PATCH with active: true",
        "reactivated: same id, role and history; takes a seat",
    ),
    event(
        "somebody is written whole",
        "PUT",
        "replaces all that the client may write; absent attributes are taken away",
    ),
    event(
        "somebody is deleted",
        "DELETE /Users/{id}",
        "gone: 404 from then on, out of every list and group, the user name is free",
    ),
    event("a group is deleted", "DELETE /Groups/{id}", "gone; its members stay"),
    event("a group is changed", "PATCH without members", "never touches members"),
    event("a member is added who is there, or removed who is not", "PATCH", "no change, no error"),
];

const TROUBLES: &[TroubleText] = &[
    shared::WRONG_PLACE,
    shared::WRONG_URL,
    shared::HINT_PASTED,
    shared::DAMAGED,
    shared::NOT_VALID,
    shared::DIFFER,
    shared::MISSING,
    shared::FORM,
    shared::TAKEN,
    shared::SEATS,
    shared::GROUPS_OFF,
    shared::MEMBER,
    shared::GROUP_TAKEN,
    shared::SUSPENDED,
    shared::PLAN,
    shared::NOT_ALLOWED,
    shared::WAIT,
    shared::CLIENT,
];

pub(super) const GUIDE: Guide = Guide {
    revised: "2026-11-22",
    called: "your identity provider",
    intro: "Everything that speaks SCIM 2.0 (RFC 7643, 7644) can provision. The words for it differ from client to client.",
    before: &[
        said(
            "You are an administrator in the identity provider and may make a custom or generic SCIM application.",
        ),
        shared::ONE_POPULATION,
        shared::URL_AND_TOKEN,
        shared::OUTBOUND,
    ],
    connection: &[
        shared::base("Base URL, Tenant URL, SCIM endpoint", "{base}/t/{tenant} works as well."),
        field("unique_identifier", "Unique identifier, matching attribute", Paste("userName"), ""),
        field(
            "authentication",
            "Authentication",
            Choose("Bearer token, or HTTP header Authorization"),
            "",
        ),
        field("token", "Token", Secret, "Begins with mst_. With or without Bearer in front of it."),
        field("update_method", "Update method", Choose("PATCH, or PUT"), ""),
        field(
            "content_type",
            "Content type",
            Choose("application/scim+json"),
            "application/json is taken too.",
        ),
    ],
    oauth: &[
        shared::base("Base URL", ""),
        shared::token_endpoint("Token endpoint"),
        field(
            "grant_type",
            "Grant type",
            Choose("client_credentials"),
            "Client id and secret in the Basic header, or in the form.",
        ),
        field("client_id", "Client id", Own, "Begins with mcl_; it is shown with the client."),
        field(
            "client_secret",
            "Client secret",
            Secret,
            "Begins with mcs_; it is shown once, when it is made.",
        ),
    ],
    oauth_note: "In place of a token, where the client knows OAuth 2 client credentials: your operator makes the client (`muster oauth-client create {tenant}`).",
    actions: &[
        on("Create", ""),
        on("Update", ""),
        on("Deactivate", ""),
        on_with_groups("Groups", "Only where the tenant takes groups."),
    ],
    rules: &[
        shared::EMAIL,
        shared::SAME,
        shared::LANGUAGE,
        shared::OTHERS,
        said(
            "userName is unique in any case of letters and kept as written. A password is accepted and not stored.",
        ),
        shared::ROLES,
    ],
    own: "In a body the attribute stands in an object under the schema's URN, which \"schemas\" names as well. In a filter, a path or \
          a mapping it is schema and attribute with a colon between them.",
    saml: SAML,
    saml_returns: &[
        (shared::RETURN_ENDPOINT, "login URL, single sign-on URL"),
        (shared::RETURN_ISSUER, "issuer, entity id of the identity provider"),
        (shared::RETURN_CERTIFICATE, "signing certificate (PEM or Base64)"),
    ],
    saml_note: shared::SAML_NOTE,
    steps: &[
        step("Application", "Make an application, or open the one that you have for SAML."),
        step("Connection", "Switch provisioning (SCIM) on and enter the values of the connection."),
        step(
            "Test",
            "Most clients search for a person that is not there, or read /ServiceProviderConfig; both are answered without anything \
             in the tenant.",
        ),
        step(
            "Operations",
            "Switch on, as far as the client has switches: create, update, deactivate.",
        ),
        step_when(When::Groups, "Groups", "Switch them on if you want groups here."),
        step_when(When::NoGroups, "Groups", "Leave them off: this tenant takes none."),
        step("Mapping", "Compare with the table, and remove the others if you like."),
        step("Assign", "Assign people or groups."),
    ],
    events: EVENTS,
    troubles: TROUBLES,
    notes: &[said(
        "To bring back a deactivated person, find them by userName and send active: true to their id; do not POST again.",
    )],
    switch: "The application and its provisioning must be switched on, and the person assigned to it.",
    log: "In your identity provider's own provisioning log. Every answer has an X-Request-Id, which `muster log {tenant}` shows too.",
    again: "As your identity provider does it; here nothing has to be pressed.",
};
