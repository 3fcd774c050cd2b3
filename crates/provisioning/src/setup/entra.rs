//! Microsoft Entra ID (idp-wire §2, requirements S2).

use super::guide::Entry::{Choose, Empty, Own, Paste, Secret};
use super::guide::{
    EventText, FieldText, Guide, Said, TroubleText, When, event, field, on, on_with_groups, said,
    step, step_when, trouble, trouble_when, when,
};
use super::shared;
use crate::reason::Reason;

const BASE_NOTE: &str = "?aadOptscim062020 at its end is welcome and not needed: both of Entra's PATCH dialects are understood, also mixed.";

const SAML: &[FieldText] = &[
    field(
        "saml_identifier",
        "Identifier (Entity ID)",
        Paste("{origin}"),
        "Entra sends the identifier as audience: this URL is taken as such.",
    ),
    field("saml_acs", "Reply URL (Assertion Consumer Service URL)", Paste(shared::ACS), ""),
    field(
        "saml_login",
        "Sign on URL (Optional)",
        Paste(shared::LOGIN),
        "Only for sign-in that begins at the product.",
    ),
    field(
        "saml_audience",
        "a second Identifier (Optional)",
        Paste("{urn}"),
        "The audience's name, for an application that asks for it.",
    ),
    field("saml_relay_state", "Relay State (Optional)", Empty, ""),
];

const EVENTS: &[EventText] = &[
    event("assigned", "a look-up, then POST", "created, takes a seat"),
    event(
        "attribute changed",
        "PATCH",
        "overwritten: Entra is the source of what is mapped. An emptied attribute is not sent by Entra and stays",
    ),
    event(
        "unassigned, disabled, or deleted for less than 30 days",
        "PATCH active false",
        "deactivated: stays visible to Entra with the same id, frees the seat",
    ),
    event(
        "assigned or enabled again",
        "PATCH active true",
        "reactivated: same id, role and history; takes a seat",
    ),
    event(
        "deleted for good (30 days, or by hand)",
        "DELETE",
        "gone: 404 from then on, the user name is free again",
    ),
    event("group assigned", "POST, then PATCH of members", "created; members set"),
    event("group renamed", "PATCH displayName", "renamed, unless another group has the name"),
];

const TROUBLES: &[TroubleText] = &[
    shared::WRONG_PLACE,
    shared::WRONG_URL,
    shared::HINT_PASTED,
    trouble(
        &[Reason::TokenForeignJwt],
        "Secret Token was empty, and Entra sent a token of its own. Paste yours.",
    ),
    shared::DAMAGED,
    shared::NOT_VALID,
    shared::DIFFER,
    shared::MISSING,
    shared::FORM,
    trouble(
        &[Reason::UserNameTaken],
        "A user with this userName exists. Entra looks again by the matching attribute: see that it is userName. If the text says \
         that they are deactivated, enabling and assigning the person reactivates them.",
    ),
    trouble(
        &[Reason::SeatsExhausted],
        "Every seat is in use; the text says how many there are and whom to ask. Free or buy seats. Entra retries with the next \
         cycles by itself.",
    ),
    trouble(
        &[Reason::GroupPushOff],
        "The tenant takes no groups: Mappings → Provision Microsoft Entra ID Groups → Enabled: No.",
    ),
    trouble_when(
        When::Groups,
        &[Reason::MemberUnknown],
        "A group names somebody who is not here (yet). Entra retries; it solves itself when the person is.",
    ),
    shared::GROUP_TAKEN,
    shared::SUSPENDED,
    shared::PLAN,
    shared::NOT_ALLOWED,
    shared::WAIT,
    shared::CLIENT,
];

const NOTES: &[Said] = &[
    said(
        "A person excluded by a scoping filter is not sent at all. Of a group, its direct members are provisioned, not those of \
         groups within it.",
    ),
    said(
        "Quarantine: wrong credentials, a wrong URL, or failures of more than 40 % (once there are 5,000) put the job into \
         quarantine: it runs once a day, and is switched off after four weeks. Mend the cause, then press \"Restart \
         provisioning\". Before assigning more people than there are seats, buy seats or assign fewer: each refused person is a \
         failure.",
    ),
    said(
        "A tenant that is strict cannot be provisioned by Entra's default dialect; with ?aadOptscim062020 behind the Tenant URL it \
         needs Q-dotted-key and Q-unknown-schema-uri all the same.",
    ),
    said(
        "Microsoft's SCIM validator makes user names that differ from the e-mail. Run it against a tenant with the profile open.",
    ),
    when(
        When::NameIsEmail,
        "If people have no mail, take userPrincipalName for both userName and the work e-mail.",
    ),
];

pub(super) const GUIDE: Guide = Guide {
    revised: "2026-11-22",
    called: "Microsoft Entra ID",
    intro: "People and groups assigned to an Enterprise Application are created, updated and deactivated here by SCIM 2.0.",
    before: &[
        said(
            "In Entra you may create Enterprise Applications: Cloud Application Administrator or higher.",
        ),
        shared::ONE_POPULATION,
        shared::URL_AND_TOKEN,
        shared::OUTBOUND,
    ],
    connection: &[
        shared::base("Tenant URL", BASE_NOTE),
        field(
            "unique_identifier",
            "Matching attribute (Mappings, precedence 1)",
            Choose("userName"),
            "",
        ),
        field(
            "authentication",
            "Authentication Method, where it is asked for",
            Choose("Bearer Authentication"),
            "",
        ),
        field(
            "token",
            "Secret Token",
            Secret,
            "Begins with mst_. Never leave it empty: Entra then sends a token of its own, which is refused.",
        ),
    ],
    oauth: &[
        shared::base("Tenant URL", BASE_NOTE),
        shared::token_endpoint("Token Endpoint"),
        field(
            "client_id",
            "Client Identifier",
            Own,
            "Begins with mcl_; it is shown with the client.",
        ),
        field(
            "client_secret",
            "Client Secret",
            Secret,
            "Begins with mcs_; it is shown once, when it is made.",
        ),
    ],
    oauth_note: "For an application of Entra's gallery, which takes no long-lived token any more: choose OAuth 2 client credentials. Your \
                 operator makes the client (`muster oauth-client create {tenant}`). An application of your own (non-gallery) takes the token.",
    actions: &[
        on("Create", ""),
        on("Update", ""),
        on("Delete", "Entra's Delete is what deactivates."),
        on_with_groups(
            "Provision Microsoft Entra ID Groups",
            "Enabled: Yes only where the tenant takes groups.",
        ),
    ],
    rules: &[
        shared::EMAIL,
        shared::SAME,
        shared::LANGUAGE,
        shared::OTHERS,
        said(
            "Keep Entra's own expression for active. userName stays the matching attribute with precedence 1.",
        ),
        shared::ROLES,
    ],
    own: "Provisioning → Mappings → Provision Microsoft Entra ID Users → Show advanced options → Edit attribute list. The name is \
          schema and attribute with a colon between them; the type is the type. Save, then Add New Mapping. An emptied value is not \
          sent by Entra.",
    saml: SAML,
    saml_returns: &[
        (shared::RETURN_ENDPOINT, "Login URL"),
        (shared::RETURN_ISSUER, "Microsoft Entra Identifier"),
        (shared::RETURN_CERTIFICATE, "Certificate (Base64), as a file"),
    ],
    saml_note: shared::SAML_NOTE,
    steps: &[
        step(
            "Application",
            "Identity → Applications → Enterprise applications → New application → Create your own application → name it → \
             \"Integrate any other application you don't find in the gallery (Non-gallery)\" → Create.",
        ),
        step(
            "Single sign-on, if people sign in with Entra",
            "Single sign-on → SAML → Basic SAML Configuration → Edit: enter the values for single sign-on → Save. Download the \
             Certificate (Base64), and copy Login URL and Microsoft Entra Identifier into the product.",
        ),
        step("Provisioning", "Provisioning → Get started → Provisioning Mode: Automatic."),
        step(
            "Credentials",
            "Admin Credentials: enter Tenant URL and Secret Token → Test Connection → when it succeeds, Save. The test searches for \
             a person that does not exist and expects an empty list.",
        ),
        step(
            "Mapping of people",
            "Mappings → Provision Microsoft Entra ID Users. Compare with the table. Delete what you do not need. Save.",
        ),
        step_when(
            When::Groups,
            "Mapping of groups",
            "Mappings → Provision Microsoft Entra ID Groups: keep displayName, externalId and members.",
        ),
        step_when(
            When::NoGroups,
            "No groups",
            "Mappings → Provision Microsoft Entra ID Groups → Enabled: No.",
        ),
        step("Operations", "In the mapping, Target Object Actions: Create, Update, Delete. Save."),
        step(
            "Assign",
            "Users and groups → Add user/group → select → Assign. Only who is assigned is provisioned.",
        ),
        step(
            "Start",
            "Provisioning → Start provisioning (Provisioning Status: On). \"Provision on demand\" tries one person at once. The \
             first cycle begins at once and may take long; after that Entra looks about every 40 minutes, so that a change is here \
             20 to 40 minutes later, not at once.",
        ),
    ],
    events: EVENTS,
    troubles: TROUBLES,
    notes: NOTES,
    switch: "Provisioning → Overview must say On (Provisioning Status), and not Quarantine. People assigned now are provisioned with the \
             next cycle, 20 to 40 minutes later.",
    log: "Provisioning → Provisioning logs, in the entry's \"Troubleshooting & Recommendations\": status and text of our answer. Every \
          answer has an X-Request-Id, which `muster log {tenant}` shows too.",
    again: "Entra retries by itself, with the next cycle and then ever less often; \"Provision on demand\" tries one person at once, \"Restart \
            provisioning\" everybody.",
};
