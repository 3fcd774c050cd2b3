//! OneLogin (idp-wire §4).

use super::guide::Entry::{Choose, Empty, Paste, Secret};
use super::guide::{
    EventText, FieldText, Guide, TroubleText, When, event, field, on, on_with_groups, said, step,
    step_when,
};
use super::shared;

/// What OneLogin sends of a person. The other parameters are added beside them.
const TEMPLATE: &str = r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "{$parameters.scimusername}", "externalId": "{$user.id}", "name": {"givenName": "{$user.firstname}", "familyName": "{$user.lastname}"}, "emails": [{"value": "{$user.email}", "type": "work", "primary": true}]}"#;

const SAML: &[FieldText] = &[
    field(
        "saml_audience",
        "SAML Audience URL",
        Paste("{urn}"),
        "The audience. The identifier, {origin}, is taken here too.",
    ),
    field("saml_acs", "SAML Consumer URL", Paste(shared::ACS), ""),
    field(
        "saml_login",
        "Login URL, where one is asked for",
        Paste(shared::LOGIN),
        "Only for sign-in that begins at the product.",
    ),
    field("saml_relay_state", "RelayState", Empty, ""),
];

const EVENTS: &[EventText] = &[
    event(
        "assigned (by role or by hand)",
        "a look-up by userName, then POST",
        "created, takes a seat",
    ),
    event(
        "attribute changed",
        "PUT of the whole person",
        "overwritten: OneLogin is the source of what is in the template",
    ),
    event(
        "access removed or suspended, with \"Suspend\" chosen",
        "PUT with active: false",
        "deactivated: found again by userName, frees the seat",
    ),
    event(
        "access removed, with \"Delete\" chosen",
        "DELETE",
        "gone; whoever comes back is a new person",
    ),
    event(
        "assigned again",
        "a look-up, then PUT with active: true",
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
];

pub(super) const GUIDE: Guide = Guide {
    revised: "2026-11-22",
    called: "OneLogin",
    intro: "People whom OneLogin gives access to the application are created, updated and deactivated here by SCIM 2.0.",
    before: &[
        said("You are an administrator in OneLogin, and your plan includes provisioning."),
        shared::ONE_POPULATION,
        shared::URL_AND_TOKEN,
        shared::OUTBOUND,
    ],
    connection: &[
        shared::base("SCIM Base URL", ""),
        field("token", "SCIM Bearer Token", Secret, "Begins with mst_."),
        field(
            "unique_identifier",
            "SCIM Username (Parameters)",
            Choose("Email"),
            "What userName is filled with, and people are looked up by.",
        ),
        field(
            "template",
            "SCIM JSON Template",
            Paste(TEMPLATE),
            "More attributes are added to it by hand, as in the table.",
        ),
        field("custom_headers", "Custom Headers", Empty, ""),
    ],
    oauth: &[],
    oauth_note: "OneLogin's generic application takes a token, no OAuth client credentials.",
    actions: &[
        on("Enable provisioning", ""),
        on("Create user", "\"Require admin approval\" as you like."),
        on("Update user", ""),
        on(
            "Delete user",
            "When users are deleted in OneLogin, or the user's app access is removed: choose Suspend.",
        ),
        on_with_groups("Groups (Parameters, Rules)", "Only where the tenant takes groups."),
    ],
    rules: &[shared::EMAIL, shared::SAME, shared::LANGUAGE, shared::OTHERS, shared::ROLES],
    own: "Add a parameter (Parameters → +, tick \"Include in User Provisioning\"), and put it into the SCIM JSON Template in an object \
          under the schema's URN, which \"schemas\" names as well.",
    saml: SAML,
    saml_returns: &[
        (shared::RETURN_ENDPOINT, "SAML 2.0 Endpoint (HTTP)"),
        (shared::RETURN_ISSUER, "Issuer URL"),
        (shared::RETURN_CERTIFICATE, "X.509 Certificate → View Details → X.509 PEM"),
    ],
    saml_note: shared::SAML_NOTE,
    steps: &[
        step(
            "Application",
            "Applications → Applications → Add App → search for \"SCIM Provisioner with SAML (SCIM v2 Enterprise)\" → name it → Save.",
        ),
        step(
            "Connection",
            "Configuration: enter the values of the connection, and those for single sign-on → API Status: Enable → Save. OneLogin \
             tries the connection at once.",
        ),
        step("User name", "Parameters → SCIM Username → Email → Save."),
        step(
            "Provisioning",
            "Provisioning → tick Enable provisioning. \"When users are deleted in OneLogin, or the user's app access is removed\": \
             Suspend. The same for suspended accounts. Save.",
        ),
        step_when(
            When::Groups,
            "Groups",
            "Parameters → Groups → tick \"Include in User Provisioning\". Rules → Add Rule → Set Groups. Provisioning → Refresh \
             reads the groups that are here.",
        ),
        step(
            "Assign",
            "Access → Roles, or a person's Applications → +. With approval on, press Pending → Approve under Users.",
        ),
    ],
    events: EVENTS,
    troubles: TROUBLES,
    notes: &[
        said(
            "A bare ? or & at the end of OneLogin's URLs and older schema names in its template are tolerated.",
        ),
        said("Choose Suspend, not Delete: a deleted person who comes back is somebody new here."),
    ],
    switch: "Configuration → API Status must be Enabled, Provisioning → Enable provisioning ticked, and no task pending approval under \
             Users → Provisioning.",
    log: "Users → Provisioning, and Activity → Events.",
    again: "Users → Provisioning → open the task → Retry; or Sync Logins under More Actions of the application.",
};
