//! What is the same for every identity provider.

use super::guide::Entry::Paste;
use super::guide::{FieldText, Said, TroubleText, When, field, said, trouble, trouble_when, when};
use crate::reason::Reason;

pub(super) const ONE_POPULATION: Said = said(
    "One connection provisions one population. This one is for {people}; for {others} it takes another application with a \
     token of its own, if your operator allows both.",
);
pub(super) const URL_AND_TOKEN: Said = said(
    "You have the base URL and a token: from your operator, or from `muster setup {tenant}` and `muster token create {tenant}`. \
     The token is shown once.",
);
pub(super) const OUTBOUND: Said =
    said("{idp} reaches {host} by HTTPS. There is nothing to install on your side.");

pub(super) const EMAIL: Said = said("The work e-mail is {email}.");
pub(super) const SAME: Said = when(
    When::NameIsEmail,
    "userName and the work e-mail must be the same address, in any case of letters, and remain so. Map both to one source. It \
     is checked on the person that would result: a change of both in one request is fine, in any order; a change of one alone is \
     refused.",
);
pub(super) const LANGUAGE: Said = when(
    When::Language,
    "preferredLanguage must be a two-letter ISO 639-1 language, with or without a region: en, en-US. Remove the mapping if your \
     values are others.",
);
pub(super) const OTHERS: Said = said(
    "What is not required may be left out. Whatever else is mapped is kept and returned; what the product does not take is \
     listed as ignored in the log.",
);
pub(super) const ROLES: Said =
    said("Roles do not come by SCIM: everybody gets the tenant's default role, {role}.");

pub(super) const ACS: &str = "{origin}/auth/acs";
pub(super) const LOGIN: &str = "{origin}/auth/login";
pub(super) const SAML_NOTE: &str = "Signing in belongs to the same application, by SAML 2.0, and is served by the product. \
     The identifier is the URL {origin}; the audience is the name {urn}. The product takes either of them as the audience of an \
     assertion. Provisioning works without SAML; where people sign in with {idp}, set that up first.";
pub(super) const RETURN_ENDPOINT: &str = "SAML endpoint";
pub(super) const RETURN_ISSUER: &str = "Issuer URL";
pub(super) const RETURN_CERTIFICATE: &str = "X.509 certificate";

/// The base URL as it is.
pub(super) const fn base(label: &'static str, note: &'static str) -> FieldText {
    field("base_url", label, Paste("{base}"), note)
}

/// Where access tokens are had.
pub(super) const fn token_endpoint(label: &'static str) -> FieldText {
    field("token_endpoint", label, Paste("{token_endpoint}"), "")
}

pub(super) const WRONG_PLACE: TroubleText = trouble(
    &[Reason::TokenWrongRegion, Reason::TokenWrongPopulation, Reason::TokenWrongPlace],
    "The URL is that of another region or population than the token. The text names the right one; it is {base}.",
);
pub(super) const WRONG_URL: TroubleText = trouble(
    &[Reason::PathUnknown, Reason::PathDoubled, Reason::HostUnknown],
    "The URL must be {base}, with /scim/v2 once.",
);
pub(super) const HINT_PASTED: TroubleText = trouble(
    &[Reason::TokenIsHint, Reason::TokenIsKeyId],
    "What lists show was pasted, not the token. Make a new token.",
);
pub(super) const DAMAGED: TroubleText = trouble(
    &[
        Reason::TokenTruncated,
        Reason::TokenOverlong,
        Reason::TokenChecksum,
        Reason::TokenWhitespace,
        Reason::TokenLineBreak,
        Reason::TokenQuoted,
        Reason::TokenDoubledBearer,
    ],
    "The token was damaged on its way through the clipboard; the text says how. Paste it again, or make a new one.",
);
pub(super) const NOT_VALID: TroubleText = trouble(
    &[Reason::TokenUnknown, Reason::TokenRevoked, Reason::TokenExpired],
    "Well formed, but not valid (any more). Make a new one and paste it.",
);
pub(super) const MISSING: TroubleText = trouble(
    &[Reason::AttributeMissing],
    "The text names every attribute without a value. Map it, and give the person a value in {idp}.",
);
pub(super) const FORM: TroubleText = trouble(
    &[Reason::EmailInvalid, Reason::AttributeInvalid],
    "A value has not the form of its attribute; the text names it.",
);
pub(super) const DIFFER: TroubleText = trouble_when(
    When::NameIsEmail,
    &[Reason::UserNameNotEmail],
    "userName and the work e-mail differ. Map both to one source.",
);
pub(super) const TAKEN: TroubleText = trouble(
    &[Reason::UserNameTaken],
    "A user with this userName exists. If the text says that they are deactivated, unassign and assign the person: they are \
     found by userName and reactivated.",
);
pub(super) const GROUP_TAKEN: TroubleText = trouble_when(
    When::Groups,
    &[Reason::DisplayNameTaken],
    "A group of that name exists, in any case of letters. Rename one.",
);
pub(super) const GROUPS_OFF: TroubleText = trouble(
    &[Reason::GroupPushOff],
    "The tenant takes no groups. Switch them off in {idp}, or ask your operator.",
);
pub(super) const MEMBER: TroubleText = trouble_when(
    When::Groups,
    &[Reason::MemberUnknown],
    "A group names somebody who is not here. Assign the person to the application first.",
);
pub(super) const SEATS: TroubleText = trouble(
    &[Reason::SeatsExhausted],
    "Every seat is in use; the text says how many there are and whom to ask. Free or buy seats, then try again. Deactivated \
     people hold none.",
);
pub(super) const SUSPENDED: TroubleText = trouble(
    &[Reason::TenantSuspended, Reason::TenantClosed, Reason::ProvisioningOff],
    "Provisioning is suspended, closed or switched off for this account; nothing was changed. The text says which, and whom to ask.",
);
pub(super) const PLAN: TroubleText = trouble(
    &[Reason::PlanWithoutSync, Reason::PlanWithoutGroups],
    "The plan does not hold directory sync, or groups. The text says what to do.",
);
pub(super) const NOT_ALLOWED: TroubleText = trouble(
    &[Reason::OperationNotAllowed, Reason::ScopeMissing, Reason::NetworkNotAllowed],
    "The connection, or the token, may not do this, or not from there: the text names the setting. Ask your operator to allow it, or switch \
     the operation off in {idp}.",
);
pub(super) const WAIT: TroubleText = trouble(
    &[Reason::RateLimited, Reason::TenantFrozen, Reason::TenantMoving, Reason::StoreUnavailable],
    "Nothing to do at first: the same is tried again later. If it lasts, ask your operator.",
);
pub(super) const CLIENT: TroubleText = trouble(
    &[Reason::ClientSecretInvalid, Reason::ClientAssertionInvalid],
    "No access token was given out: client secret or assertion is not right. Enter the secret again, or have another one made.",
);
