//! PingOne, and `PingFederate` with its SCIM connector (idp-wire §4).

use super::guide::Entry::{Choose, Empty, Own, Paste, Secret};
use super::guide::{
    EventText, FieldText, Guide, TroubleText, When, event, field, on, on_with_groups, said, step,
    step_when,
};
use super::shared;

const SAML: &[FieldText] = &[
    field("saml_acs", "ACS URLs", Paste(shared::ACS), ""),
    field(
        "saml_audience",
        "Entity ID",
        Paste("{urn}"),
        "The audience. The identifier, {origin}, is taken here too.",
    ),
    field(
        "saml_login",
        "Initiate Single Sign-On URL",
        Paste(shared::LOGIN),
        "Only for sign-in that begins at the product.",
    ),
    field("saml_relay_state", "Target Application URL (relay state)", Empty, ""),
];

const EVENTS: &[EventText] = &[
    event("comes within the rule", "a look-up by userName, then POST", "created, takes a seat"),
    event("attribute changed", "PUT or PATCH", "overwritten: Ping is the source of what is mapped"),
    event(
        "disabled, or outside the rule with \"Disable\" chosen",
        "active: false",
        "deactivated: same id, frees the seat",
    ),
    event(
        "outside the rule with \"Delete\" chosen",
        "DELETE",
        "gone; whoever comes back is a new person",
    ),
    event("enabled again", "active: true", "reactivated: same id, role and history; takes a seat"),
    event("group or its members changed", "PATCH", "members added and removed"),
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
    called: "Ping",
    intro: "People within a provisioning rule of PingOne are created, updated and deactivated here by SCIM 2.0. PingFederate's SCIM \
            connector has the same fields under slightly other names.",
    before: &[
        said("You are an administrator of the PingOne environment, or of PingFederate."),
        shared::ONE_POPULATION,
        shared::URL_AND_TOKEN,
        shared::OUTBOUND,
    ],
    connection: &[
        shared::base("SCIM Base URL", "PingFederate: SCIM URL."),
        field("users_resource", "Users Resource", Paste("/Users"), ""),
        field(
            "groups_resource",
            "Groups Resource",
            Paste("/Groups"),
            "Leave it empty where the tenant takes no groups.",
        ),
        field("scim_version", "SCIM Version", Choose("2.0"), ""),
        field("authentication", "Authentication Method", Choose("OAuth 2 Bearer Token"), ""),
        field(
            "token",
            "OAuth Access Token",
            Secret,
            "Begins with mst_. PingFederate: Access Token.",
        ),
        field("authorization_type", "Auth Type Header", Choose("Bearer"), ""),
        field(
            "filter",
            "User Filter Expression",
            Paste(r#"userName Eq "%s""#),
            "Any other unique attribute works too; userName is best.",
        ),
        field(
            "unique_identifier",
            "User Identifier",
            Choose("userName"),
            "PingFederate: Unique User Identifier.",
        ),
    ],
    oauth: &[
        shared::base("SCIM Base URL", ""),
        field("authentication", "Authentication Method", Choose("OAuth 2 Client Credentials"), ""),
        shared::token_endpoint("OAuth Token Request"),
        field(
            "client_id",
            "OAuth Client ID",
            Own,
            "Begins with mcl_; it is shown with the client.",
        ),
        field(
            "client_secret",
            "OAuth Client Secret",
            Secret,
            "Begins with mcs_; it is shown once, when it is made.",
        ),
        field("authorization_type", "Auth Type Header", Choose("Bearer"), ""),
    ],
    oauth_note: "In place of a token, if you like: your operator makes the client (`muster oauth-client create {tenant}`).",
    actions: &[
        on("Allow users to be created", ""),
        on("Allow users to be updated", ""),
        on("Allow users to be disabled", ""),
        on(
            "Allow users to be deprovisioned",
            "Remove action: Disable, not Delete, if people come back.",
        ),
        on_with_groups("Group provisioning", "Only where the tenant takes groups."),
    ],
    rules: &[shared::EMAIL, shared::SAME, shared::LANGUAGE, shared::OTHERS, shared::ROLES],
    own: "Add the attribute to the target's attributes of the rule's mapping, as schema and attribute with a colon between them.",
    saml: SAML,
    saml_returns: &[
        (shared::RETURN_ENDPOINT, "Single Signon Service"),
        (shared::RETURN_ISSUER, "Issuer ID"),
        (shared::RETURN_CERTIFICATE, "Download Signing Certificate (X509 PEM)"),
    ],
    saml_note: shared::SAML_NOTE,
    steps: &[
        step(
            "Connection",
            "Integrations → Provisioning → + → New Connection → Identity Store → SCIM Outbound → name it → enter the values of the \
             connection → Test Connection.",
        ),
        step(
            "Preferences",
            "Tick what may be done, and Remove action: Disable. Save, and switch the connection on.",
        ),
        step(
            "Rule",
            "Integrations → Provisioning → + → New Rule → name it → add the connection as target → Save.",
        ),
        step(
            "Who",
            "Configuration → User Filter: choose who is provisioned, by population, group or attribute.",
        ),
        step(
            "Mapping",
            "Configuration → Attribute Mapping. Compare with the table. Save, and switch the rule on.",
        ),
        step_when(
            When::Groups,
            "Groups",
            "Configuration → Group Provisioning → choose the groups.",
        ),
    ],
    events: EVENTS,
    troubles: TROUBLES,
    notes: &[said(
        "Disabled accounts can be provisioned too (\"Provision disabled users\"); they are made deactivated and take no seat.",
    )],
    switch: "Both the connection and the rule must be switched on, and the person must be within the rule's User Filter.",
    log: "Integrations → Provisioning → the rule → Sync Status; and Monitoring → Audit.",
    again: "PingOne retries by itself with the next synchronization; a change of the person starts one.",
};
