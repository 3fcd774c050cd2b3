//! Google Workspace (idp-wire §4).

use super::guide::Entry::{Choose, Empty, Paste, Secret};
use super::guide::{EventText, FieldText, Guide, TroubleText, event, field, on, said, step};
use super::shared;

const SAML: &[FieldText] = &[
    field("saml_acs", "ACS URL", Paste(shared::ACS), ""),
    field(
        "saml_audience",
        "Entity ID",
        Paste("{urn}"),
        "The audience. The identifier, {origin}, is taken here too.",
    ),
    field("saml_relay_state", "Start URL (optional)", Empty, "Google sends it as relay state."),
    field(
        "saml_name_id",
        "Name ID format",
        Choose("EMAIL"),
        "Name ID: Basic Information > Primary email. Tick Signed response.",
    ),
    field(
        "saml_login",
        "Login page, where one is asked for",
        Paste(shared::LOGIN),
        "Only for sign-in that begins at the product.",
    ),
];

const EVENTS: &[EventText] = &[
    event("comes within the scope", "a look-up, then POST", "created, takes a seat"),
    event(
        "attribute changed",
        "PUT or PATCH, with the next synchronization",
        "overwritten: Google is the source of what is mapped",
    ),
    event(
        "suspended, or out of scope, with \"Suspend\" chosen",
        "active: false",
        "deactivated: same id, frees the seat",
    ),
    event(
        "deleted, or out of scope, with \"Delete\" chosen",
        "DELETE",
        "gone; whoever comes back is a new person",
    ),
    event("active again", "active: true", "reactivated: same id, role and history; takes a seat"),
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
    shared::SUSPENDED,
    shared::PLAN,
    shared::NOT_ALLOWED,
    shared::WAIT,
];

pub(super) const GUIDE: Guide = Guide {
    revised: "2026-11-22",
    called: "Google Workspace",
    intro: "Google Workspace provisions only to applications of its own catalogue. One of them can be pointed at another SCIM server, \
            here: its name stays in Google's console, and its attribute names are those of that application.",
    before: &[
        said(
            "You are a super administrator in Google Workspace. Smaller editions allow three applications with provisioning.",
        ),
        said(
            "Automatic provisioning needs single sign-on to be set up for the same application first.",
        ),
        shared::ONE_POPULATION,
        shared::URL_AND_TOKEN,
        shared::OUTBOUND,
    ],
    connection: &[
        field("token", "Access token (App authorization)", Secret, "Begins with mst_."),
        shared::base("Endpoint URL", ""),
        field(
            "unique_identifier",
            "userName (Attribute mapping)",
            Choose("Basic Information > Primary email"),
            "",
        ),
    ],
    oauth: &[],
    oauth_note: "Google takes a token, no OAuth client credentials.",
    actions: &[
        on("Autoprovisioning", ""),
        on(
            "Deprovisioning: when a user is suspended, deleted, or loses the app",
            "Choose Suspend, not Delete, if people come back.",
        ),
    ],
    rules: &[shared::EMAIL, shared::SAME, shared::LANGUAGE, shared::OTHERS, shared::ROLES],
    own: "The catalogue's applications have fixed attributes: attributes of your own cannot be filled from Google.",
    saml: SAML,
    saml_returns: &[
        (shared::RETURN_ENDPOINT, "SSO URL"),
        (shared::RETURN_ISSUER, "Entity ID"),
        (shared::RETURN_CERTIFICATE, "Certificate"),
    ],
    saml_note: shared::SAML_NOTE,
    steps: &[
        step(
            "Application",
            "Admin console → Apps → Web and mobile apps → Add app → Search for apps → choose one that lets you enter a SCIM endpoint, \
             such as Keeper Web (SAML).",
        ),
        step(
            "Single sign-on",
            "Download the metadata → Service provider details: enter the values for single sign-on → Attribute mapping → Finish. User \
             access → ON for everyone, or for an organizational unit.",
        ),
        step(
            "Provisioning",
            "In the application: Autoprovisioning → Configure autoprovisioning → enter token and endpoint → Continue.",
        ),
        step(
            "Mapping",
            "Compare with the table, as far as the application has the attributes → Continue.",
        ),
        step(
            "Scope",
            "Choose the groups whose people are provisioned, or none for everybody with access → Continue.",
        ),
        step(
            "Deprovisioning",
            "Choose what happens after how many days → Finish. Then switch Autoprovisioning to Active.",
        ),
    ],
    events: EVENTS,
    troubles: TROUBLES,
    notes: &[
        said("Google synchronizes every few hours. It provisions people, no groups."),
        said("A person deleted by Google who comes back is a new one here, with another id."),
    ],
    switch: "Autoprovisioning must be Active, the application ON for the person's organizational unit, and the person within the scope.",
    log: "The application's page → Autoprovisioning, and Reporting → Audit and investigation → Admin log events.",
    again: "Google tries again with the next synchronization, after some hours.",
};
