//! Okta, with an application made with the App Integration Wizard (idp-wire §3, requirements S4 and S5).

use super::guide::Entry::{Choose, Empty, Paste, Secret};
use super::guide::{
    EventText, FieldText, Guide, Said, TroubleText, When, event, field, on, on_with_groups, said,
    step, step_when, trouble, trouble_when,
};
use super::shared;
use crate::reason::Reason;

pub(super) const TOKEN_NOTE: &str = "Begins with mst_. Bare or with Bearer in front of it: both are taken. Bearer twice is refused with a text that says so.";

/// Single sign-on in Okta's words (requirements S1-10 to S1-14).
pub(super) const SAML: &[FieldText] = &[
    field(
        "saml_acs",
        "Single sign-on URL",
        Paste(shared::ACS),
        "Tick \"Use this for Recipient URL and Destination URL\".",
    ),
    field(
        "saml_audience",
        "Audience URI (SP Entity ID)",
        Paste("{urn}"),
        "The audience. The identifier, {origin}, is taken here too.",
    ),
    field("saml_relay_state", "Default RelayState", Empty, ""),
    field("saml_name_id", "Name ID format", Choose("EmailAddress"), "Application username: Email."),
    field(
        "saml_login",
        "Login page, where one is asked for",
        Paste(shared::LOGIN),
        "Only for sign-in that begins at the product.",
    ),
];

pub(super) const RETURNS: &[(&str, &str)] = &[
    (shared::RETURN_ENDPOINT, "Sign on URL (Sign On → View SAML setup instructions)"),
    (shared::RETURN_ISSUER, "Issuer"),
    (shared::RETURN_CERTIFICATE, "X.509 Certificate"),
];

pub(super) const OWN: &str = "Directory → Profile Editor → the application's profile → Add Attribute: Data type is the type (string array for a \
     list), External name the attribute, External namespace the schema. Then Mappings, from Okta to the application.";

pub(super) const RULES: &[Said] = &[
    shared::EMAIL,
    shared::SAME,
    shared::LANGUAGE,
    shared::OTHERS,
    said("A password, which Okta always sends, is accepted and not stored."),
    shared::ROLES,
];

pub(super) const TROUBLES: &[TroubleText] = &[
    shared::WRONG_PLACE,
    shared::HINT_PASTED,
    shared::DAMAGED,
    shared::NOT_VALID,
    shared::WRONG_URL,
    trouble_when(
        When::NameIsEmail,
        &[Reason::UserNameNotEmail],
        "userName and the work e-mail differ. Sign On → Settings → Application username format: Email.",
    ),
    shared::MISSING,
    shared::FORM,
    shared::TAKEN,
    trouble_when(
        When::Groups,
        &[Reason::DisplayNameTaken],
        "A group of that name exists, in any case of letters. Link the pushed group to it, or rename one.",
    ),
    trouble(
        &[Reason::SeatsExhausted],
        "Every seat is in use; the text says how many there are and whom to ask. Free or buy seats, then Dashboard → Tasks → \
         Retry selected.",
    ),
    trouble(
        &[Reason::GroupPushOff],
        "The tenant takes no groups. Untick \"Push Groups\", or ask your operator.",
    ),
    shared::MEMBER,
    shared::SUSPENDED,
    shared::PLAN,
    shared::NOT_ALLOWED,
    shared::WAIT,
];

pub(super) const NOTES: &[Said] = &[
    said(
        "A tenant that is strict refuses what deviates from the RFCs; Okta needs Q-read-only-echo for group push.",
    ),
    said(
        "Okta waits when it is told to slow down (429 with Retry-After), and tries a task that failed for another reason only \
         when somebody presses \"Retry selected\".",
    ),
];

pub(super) const LOG: &str = "Dashboard → Tasks, and the assignment of the person: \"… Errors reported by remote server:\" and our text. Every answer has \
     an X-Request-Id, which `muster log {tenant}` shows too.";
pub(super) const AGAIN: &str =
    "Okta does not retry failed tasks by itself: Dashboard → Tasks → Retry selected.";
pub(super) const SWITCH: &str = "The application must be active, and Provisioning → To App must have \"Create Users\", \"Update User Attributes\" and \
     \"Deactivate Users\" ticked.";

const EVENTS: &[EventText] = &[
    event("assigned", "a look-up by userName, then POST", "created, takes a seat"),
    event(
        "attribute changed",
        "PUT of the whole person",
        "overwritten: Okta is the source of what is mapped",
    ),
    event(
        "unassigned, suspended or deactivated",
        "PUT with active: false",
        "deactivated: stays visible to Okta with the same id, frees the seat",
    ),
    event(
        "assigned again",
        "the same with active: true",
        "reactivated: same id, role and history; takes a seat",
    ),
    event(
        "deleted in Okta",
        "nothing more",
        "stays deactivated; Okta never sends DELETE for people",
    ),
    event("group pushed", "POST, then PUT with all members", "created; members set"),
    event("group unlinked and deleted", "DELETE", "the group is gone, its members stay people"),
];

pub(super) const GUIDE: Guide = Guide {
    revised: "2026-11-22",
    called: "Okta",
    intro: "People and groups that you assign in Okta are created, updated and deactivated here by SCIM 2.0. The steps are for an \
            application made with Okta's App Integration Wizard, the usual way.",
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
        shared::base("SCIM connector base URL", "A slash at the end does no harm."),
        field("unique_identifier", "Unique identifier field for users", Paste("userName"), ""),
        field("authentication", "Authentication Mode", Choose("HTTP Header"), ""),
        field("token", "Authorization (token)", Secret, TOKEN_NOTE),
    ],
    oauth: &[],
    oauth_note: "Okta offers no OAuth client credentials for SCIM: take a token.",
    actions: &[
        on("Import New Users and Profile Updates", "Okta can then read who is here; optional."),
        on("Push New Users", ""),
        on("Push Profile Updates", ""),
        on_with_groups("Push Groups", "Only where the tenant takes groups."),
    ],
    rules: RULES,
    own: OWN,
    saml: SAML,
    saml_returns: RETURNS,
    saml_note: shared::SAML_NOTE,
    steps: &[
        step(
            "Application",
            "Open the application that you have for SAML. If there is none: Applications → Applications → Create App Integration → \
             SAML 2.0 → name it → enter the values for single sign-on → Finish.",
        ),
        step(
            "Switch SCIM on",
            "General → App Settings → Edit → Provisioning: SCIM (in some versions a box \"Enable SCIM provisioning\") → Save. A \
             Provisioning tab appears.",
        ),
        step_when(
            When::NameIsEmail,
            "User name",
            "Sign On → Settings → Edit → Application username format: Email → Save. userName and the work e-mail must be the same \
             address.",
        ),
        step(
            "Connection",
            "Provisioning → Integration → Edit. Enter the values of the connection, and tick the supported provisioning actions.",
        ),
        step(
            "Test",
            "Press \"Test Connector Configuration\". Okta asks for a page of users; an empty tenant answers with an empty list. Then \
             Save.",
        ),
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
            "Push Groups → Find groups by name or by rule. Members must also be assigned to the application; a group cannot push \
             people that it does not know.",
        ),
    ],
    events: EVENTS,
    troubles: TROUBLES,
    notes: NOTES,
    switch: SWITCH,
    log: LOG,
    again: AGAIN,
};
