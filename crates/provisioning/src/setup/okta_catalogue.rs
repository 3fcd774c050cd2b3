//! Okta, with an application of its catalogue (requirements S3).

use super::guide::Entry::{Own, Paste, Secret};
use super::guide::{
    EventText, Guide, When, event, field, on, on_with_groups, said, step, step_when,
};
use super::{okta, shared};

const EVENTS: &[EventText] = &[
    event("assigned", "a look-up by userName, then POST", "created, takes a seat"),
    event(
        "attribute changed",
        "PUT of the whole person",
        "overwritten: Okta is the source of what is mapped",
    ),
    event(
        "unassigned, suspended or deactivated",
        "PATCH with active: false",
        "deactivated: stays visible to Okta with the same id, frees the seat",
    ),
    event(
        "assigned again",
        "PATCH with active: true",
        "reactivated: same id, role and history; takes a seat",
    ),
    event(
        "deleted in Okta",
        "nothing more",
        "stays deactivated; Okta never sends DELETE for people",
    ),
    event(
        "group pushed or renamed, members changed",
        "POST, then PATCH",
        "created; renamed; members added and removed",
    ),
    event("group unlinked and deleted", "DELETE", "the group is gone, its members stay people"),
];

pub(super) const GUIDE: Guide = Guide {
    revised: "2026-11-22",
    called: "Okta",
    intro: "People and groups that you assign in Okta are created, updated and deactivated here by SCIM 2.0. The steps are for an \
            application that is added from Okta's catalogue. If your product is not in the catalogue, take the steps for an \
            application made with the wizard.",
    before: &[
        said("You are an administrator in Okta."),
        said(
            "Your licence with Okta includes Lifecycle Management; without it there is no Provisioning tab.",
        ),
        shared::ONE_POPULATION,
        shared::URL_AND_TOKEN,
        shared::OUTBOUND,
    ],
    connection: &[
        shared::base("Base URL", "Some applications ask for it in parts, or have it built in."),
        field(
            "unique_identifier",
            "Unique identifier field for users",
            Paste("userName"),
            "Built in; shown where it can be chosen.",
        ),
        field("token", "API Token", Secret, okta::TOKEN_NOTE),
        field("label", "Application label", Own, "What your people see."),
    ],
    oauth: &[],
    oauth_note: "Okta offers no OAuth client credentials for SCIM: take a token.",
    actions: &[
        on("Create Users", ""),
        on("Update User Attributes", ""),
        on("Deactivate Users", ""),
        on_with_groups("Push Groups", "Only where the tenant takes groups."),
    ],
    rules: okta::RULES,
    own: okta::OWN,
    saml: okta::SAML,
    saml_returns: okta::RETURNS,
    saml_note: shared::SAML_NOTE,
    steps: &[
        step(
            "Application",
            "Applications → Applications → Browse App Catalog → search for your product → Add Integration.",
        ),
        step("General settings", "Enter the label, and base URL if it is asked for → Done."),
        step_when(
            When::NameIsEmail,
            "User name",
            "Sign On → Settings → Edit → Application username format: Email → Save. userName and the work e-mail must be the same \
             address.",
        ),
        step(
            "Connection",
            "Provisioning → Configure API Integration → tick \"Enable API integration\" → enter the values.",
        ),
        step("Test", "Press \"Test API Credentials\". When it succeeds, Save."),
        step(
            "What to push",
            "Provisioning → To App → Edit: tick Create Users, Update User Attributes, Deactivate Users → Save.",
        ),
        step(
            "Mapping",
            "Provisioning → To App → Attribute Mappings. Compare with the table, and remove what you do not need with the X.",
        ),
        step(
            "Assign",
            "Assignments → Assign → people or groups → Save and Go Back. People who were assigned before provisioning was on are \
             not pushed by themselves: press \"Provision User\" next to them, or \"Force Sync\" under Provisioning → To App.",
        ),
        step_when(
            When::Groups,
            "Groups",
            "Push Groups → Find groups by name or by rule. Members must also be assigned to the application.",
        ),
    ],
    events: EVENTS,
    troubles: okta::TROUBLES,
    notes: okta::NOTES,
    switch: okta::SWITCH,
    log: okta::LOG,
    again: okta::AGAIN,
};
