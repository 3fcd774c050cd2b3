//! JumpCloud (idp-wire §4).

use super::guide::Entry::{Choose, Empty, Own, Paste, Secret};
use super::guide::{
    EventText, FieldText, Guide, TroubleText, When, event, field, on, on_with_groups, said, step,
    trouble, when,
};
use super::shared;
use crate::reason::Reason;

const SAML: &[FieldText] = &[
    field(
        "saml_audience",
        "SP Entity ID",
        Paste("{urn}"),
        "The audience. The identifier, {origin}, is taken here too.",
    ),
    field("saml_acs", "ACS URL", Paste(shared::ACS), ""),
    field(
        "saml_login",
        "Login URL",
        Paste(shared::LOGIN),
        "Only for sign-in that begins at the product.",
    ),
    field("saml_relay_state", "Default RelayState", Empty, ""),
    field("saml_name_id", "SAMLSubject NameID", Choose("email"), ""),
];

const EVENTS: &[EventText] = &[
    event(
        "activated",
        "a test person and a test group: POST, then DELETE",
        "both made and deleted; one seat must be free meanwhile",
    ),
    event(
        "user group connected with the application",
        "a look-up, then POST for each person",
        "created, each takes a seat",
    ),
    event(
        "attribute changed",
        "PUT or PATCH",
        "overwritten: JumpCloud is the source of what is mapped",
    ),
    event(
        "removed from the group, suspended or deleted",
        "active: false, or DELETE",
        "deactivated, or gone; frees the seat",
    ),
    event(
        "connected again",
        "active: true",
        "reactivated: same id, role and history; takes a seat",
    ),
    event("group or its members changed", "PATCH", "members added and removed"),
];

const TROUBLES: &[TroubleText] = &[
    shared::WRONG_PLACE,
    shared::WRONG_URL,
    shared::HINT_PASTED,
    shared::DAMAGED,
    shared::NOT_VALID,
    trouble(
        &[Reason::SeatsExhausted],
        "Every seat is in use. Activation makes a test person, so that one seat must be free for it. Free or buy seats, then try \
         again.",
    ),
    trouble(
        &[Reason::GroupPushOff],
        "The tenant takes no groups, and activation makes a test group: ask your operator to switch groups on, at least while you \
         activate.",
    ),
    shared::DIFFER,
    shared::MISSING,
    shared::FORM,
    shared::TAKEN,
    shared::MEMBER,
    shared::GROUP_TAKEN,
    shared::SUSPENDED,
    shared::PLAN,
    shared::NOT_ALLOWED,
    shared::WAIT,
];

pub(super) const GUIDE: Guide = Guide {
    revised: "2026-11-22",
    called: "JumpCloud",
    intro: "People in the user groups that you connect with the application are created, updated and deactivated here by SCIM 2.0.",
    before: &[
        said("You are an administrator in JumpCloud, and your plan includes custom SCIM."),
        said("One seat is free: activation creates a test person and deletes it."),
        when(
            When::NoGroups,
            "This tenant takes no groups. Activation creates a test group, which would be refused: ask your operator first.",
        ),
        shared::ONE_POPULATION,
        shared::URL_AND_TOKEN,
        shared::OUTBOUND,
    ],
    connection: &[
        field("api_type", "API Type", Choose("SCIM API"), ""),
        field("scim_version", "SCIM Version", Choose("SCIM 2.0"), ""),
        shared::base("Base URL", ""),
        field("token", "Token Key", Secret, "Begins with mst_."),
        field(
            "test_user",
            "Test User Email",
            Own,
            "An address at one of your domains that nobody has; a person with it is made and deleted.",
        ),
        field("unique_identifier", "Matching", Paste("userName"), "Built in."),
    ],
    oauth: &[],
    oauth_note: "JumpCloud's custom SCIM takes a token, no OAuth client credentials.",
    actions: &[
        on("Create, update, deactivate users", "Not to be switched one by one."),
        on_with_groups(
            "Enable management of User Groups and Group Membership in this application",
            "Only where the tenant takes groups.",
        ),
    ],
    rules: &[shared::EMAIL, shared::SAME, shared::LANGUAGE, shared::OTHERS, shared::ROLES],
    own: "JumpCloud's custom SCIM maps no schemas of others: attributes of your own cannot be filled from it.",
    saml: SAML,
    saml_returns: &[
        (shared::RETURN_ENDPOINT, "IDP URL"),
        (shared::RETURN_ISSUER, "IdP Entity ID"),
        (shared::RETURN_CERTIFICATE, "IDP Certificate Valid → Download certificate"),
    ],
    saml_note: shared::SAML_NOTE,
    steps: &[
        step(
            "Application",
            "User Authentication → SSO Applications → open the application that you have for SAML, or + Add New Application → Custom \
             Application, with \"Manage Single Sign-On (SSO)\" and \"Export users to this app (Identity Management)\".",
        ),
        step(
            "Connection",
            "Identity Management → enter the values of the connection → Test Connection.",
        ),
        step("Activate", "When the test succeeds: Activate, then Save."),
        step(
            "Assign",
            "User Groups → tick the groups whose people are provisioned → Save. People are here within minutes.",
        ),
    ],
    events: EVENTS,
    troubles: TROUBLES,
    notes: &[
        said(
            "A group that is not connected any more stays as it is, and people who are in no other connected group are deactivated.",
        ),
        said("Empty groups are not created."),
    ],
    switch: "Identity Management must show the integration as active, and the person must be in a user group that is connected with the \
             application.",
    log: "Insights → Directory Insights, events of the application.",
    again: "JumpCloud tries again with the next change; Identity Management → deactivate and activate sends everybody again.",
};
