//! Which attribute of the identity provider goes into which of ours, from the profile.
//!
//! **Invariant**: what the profile requires is in the table of every identity provider, and what it does not take is in none.

use super::Idp;
use crate::profile::Profile;
use scim_core::{Custom, Kind};

/// Whether an attribute has to be mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without it nobody is created.
    Required,
    /// It works without, and better with it.
    Recommended,
    /// As the administrator likes.
    Optional,
}

impl Need {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Recommended => "recommended",
            Self::Optional => "optional",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The SCIM attribute, as it is written in a mapping.
    pub attribute: &'static str,
    /// What it is filled from, in the identity provider's own words.
    pub source: &'static str,
    /// Whether it has to be mapped.
    pub need: Need,
    /// What a value looks like; may be empty.
    pub format: &'static str,
}

/// An attribute that the tenant declared itself: the three facts that an administrator needs (requirements 5.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The URN of its schema.
    pub schema: String,
    /// Its name.
    pub attribute: String,
    /// Its type, with `array` behind it where a person may have several values.
    pub kind: String,
    /// What it is entered as: the two together, in the identity provider's notation.
    pub written: String,
    /// What it is, for people; may be empty.
    pub description: String,
    /// The usual values; others are taken too.
    pub values: Vec<String>,
    /// Whether a user must have it.
    pub required: bool,
}

/// A known attribute and where each identity provider has it. An empty text: it has none.
struct Attribute {
    path: &'static str,
    format: &'static str,
    okta: &'static str,
    entra: &'static str,
    onelogin: &'static str,
    jumpcloud: &'static str,
    ping: &'static str,
    google: &'static str,
    any: &'static str,
}

impl Attribute {
    fn source(&self, idp: Idp) -> &'static str {
        match idp {
            Idp::OktaWizard | Idp::OktaCatalogue => self.okta,
            Idp::Entra => self.entra,
            Idp::OneLogin => self.onelogin,
            Idp::JumpCloud => self.jumpcloud,
            Idp::Ping => self.ping,
            Idp::Google => self.google,
            Idp::Custom => self.any,
        }
    }
}

const ADDRESS: &str = "name@example.com";
const WORK_EMAIL: &str = r#"emails[type eq "work"].value"#;

/// userName where it must be the e-mail address (requirements S1-21, S1-22).
const NAME_IS_EMAIL: Attribute = Attribute {
    path: "userName",
    format: "name@example.com, the same address as the work e-mail; upper and lower case make no difference",
    okta: "user.email (Application username format: Email)",
    entra: "mail, or userPrincipalName: the same source as for the work e-mail",
    onelogin: "{$parameters.scimusername}, with SCIM Username set to Email",
    jumpcloud: "Company Email; where only Username can be sent, it must be the same address",
    ping: "Email Address",
    google: "Primary email",
    any: "e-mail address",
};

/// userName where it may be anything.
const NAME: Attribute = Attribute {
    path: "userName",
    format: "unique in any case of letters; kept as written",
    okta: "user.login (Application username format: Okta username)",
    entra: "userPrincipalName",
    onelogin: "{$parameters.scimusername}",
    jumpcloud: "Username",
    ping: "Username",
    google: "Primary email",
    any: "login name, or e-mail address",
};

const EMAIL: Attribute = Attribute {
    path: WORK_EMAIL,
    format: ADDRESS,
    okta: "user.email",
    entra: "mail",
    onelogin: "{$user.email}",
    jumpcloud: "Company Email",
    ping: "Email Address",
    google: "Primary email",
    any: "e-mail address",
};

const ACTIVE: Attribute = Attribute {
    path: "active",
    format: "true or false; true when absent",
    okta: "set by Okta: assigned or not",
    entra: r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#,
    onelogin: "set by OneLogin",
    jumpcloud: "set by JumpCloud",
    ping: "Enabled",
    google: "set by Google",
    any: "whether the account is enabled",
};

const EXTERNAL_ID: Attribute = Attribute {
    path: "externalId",
    format: "the identity provider's own id of the person; compared exactly",
    okta: "set by Okta: its user id",
    entra: "objectId",
    onelogin: "{$user.id}",
    jumpcloud: "set by JumpCloud: its user id",
    ping: "User ID",
    google: "set by Google",
    any: "the provider's own id",
};

/// Every other attribute that profiles speak of, in the order of the table.
#[rustfmt::skip]
const OTHERS: &[Attribute] = &[
    Attribute { path: "name.givenName", format: "", okta: "user.firstName", entra: "givenName", onelogin: "{$user.firstname}",
        jumpcloud: "First Name", ping: "Given Name", google: "First name", any: "given name" },
    Attribute { path: "name.familyName", format: "", okta: "user.lastName", entra: "surname", onelogin: "{$user.lastname}",
        jumpcloud: "Last Name", ping: "Family Name", google: "Last name", any: "family name" },
    Attribute { path: "displayName", format: "", okta: "user.displayName", entra: "displayName", onelogin: "{$user.display_name}",
        jumpcloud: "Display Name", ping: "", google: "", any: "display name" },
    Attribute { path: "name.formatted", format: "", okta: "", entra: r#"Join(" ", [givenName], [surname])"#, onelogin: "{$user.display_name}",
        jumpcloud: "", ping: "Formatted", google: "", any: "full name" },
    Attribute { path: "nickName", format: "", okta: "user.nickName", entra: "mailNickname", onelogin: "{$parameters.nickname}",
        jumpcloud: "", ping: "Nickname", google: "", any: "nickname" },
    Attribute { path: "preferredLanguage", format: "ISO 639-1: two letters, with or without a region, such as en or en-US",
        okta: "user.preferredLanguage", entra: "preferredLanguage", onelogin: "{$parameters.preferredLanguage}",
        jumpcloud: "", ping: "Preferred Language", google: "", any: "language" },
    Attribute { path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", format: "",
        okta: "user.department", entra: "department", onelogin: "{$user.department}",
        jumpcloud: "Department", ping: "", google: "Department", any: "department" },
    Attribute { path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter", format: "",
        okta: "user.costCenter", entra: "an extension attribute, such as extensionAttribute1", onelogin: "{$parameters.costCenter}",
        jumpcloud: "Cost Center", ping: "", google: "Cost center", any: "cost center" },
    Attribute { path: r#"addresses[type eq "work"].country"#, format: "ISO 3166-1: two letters, such as DE",
        okta: "user.countryCode", entra: "country, as two letters", onelogin: "{$user.country}",
        jumpcloud: "Country", ping: "Country Code", google: "", any: "country" },
    Attribute { path: r#"addresses[type eq "work"].locality"#, format: "", okta: "user.city", entra: "city", onelogin: "{$user.city}",
        jumpcloud: "City", ping: "Locality", google: "", any: "town" },
    Attribute { path: r#"phoneNumbers[type eq "work"].value"#, format: "with country code, such as +49 30 123456",
        okta: "user.primaryPhone", entra: "telephoneNumber", onelogin: "{$user.phone}",
        jumpcloud: "Work Phone", ping: "Primary Phone", google: "Phone", any: "telephone at work" },
    Attribute { path: r#"phoneNumbers[type eq "mobile"].value"#, format: "with country code, such as +49 170 123456",
        okta: "user.mobilePhone", entra: "mobile", onelogin: "{$parameters.mobile}",
        jumpcloud: "Work Mobile", ping: "Mobile Phone", google: "", any: "mobile telephone" },
];

/// The table of one identity provider under one profile: what is required first.
pub(super) fn of(idp: Idp, profile: &Profile) -> Vec<Mapping> {
    let row = |attribute: &Attribute, need: Need| {
        let source = match attribute.source(idp) {
            "" => "none by default",
            source => source,
        };
        Mapping { attribute: attribute.path, source, need, format: attribute.format }
    };
    let name = if profile.wants_email_as_name() { &NAME_IS_EMAIL } else { &NAME };
    let needs_email = profile.required_attributes().contains(&"emails");
    let email = if needs_email { Need::Required } else { Need::Optional };
    let mut rows = vec![row(name, Need::Required), row(&EMAIL, email)];
    for attribute in OTHERS {
        let need = if profile.required_attributes().contains(&attribute.path) {
            Need::Required
        } else if profile.takes(attribute.path) && !attribute.source(idp).is_empty() {
            Need::Optional
        } else {
            continue;
        };
        rows.push(row(attribute, need));
    }
    rows.push(row(&ACTIVE, Need::Recommended));
    rows.push(row(&EXTERNAL_ID, Need::Recommended));
    rows.sort_by_key(|row| match row.need {
        Need::Required => 0,
        Need::Recommended => 1,
        Need::Optional => 2,
    });
    rows
}

/// The table of what the tenant declared itself.
pub(super) fn own(declared: Option<&Custom>, idp: Idp) -> Vec<Own> {
    let Some(declared) = declared else { return Vec::new() };
    let row = |attribute: &scim_core::CustomAttribute| Own {
        schema: declared.urn.clone(),
        attribute: attribute.name.clone(),
        kind: kind(attribute.kind, attribute.multi_valued),
        written: match idp {
            // Two boxes in the profile editor: external name, then external namespace.
            Idp::OktaWizard | Idp::OktaCatalogue => attribute.name.clone(),
            _ => format!("{}:{}", declared.urn, attribute.name),
        },
        description: attribute.description.clone(),
        values: attribute.canonical_values.clone(),
        required: attribute.required,
    };
    declared.attributes.iter().map(row).collect()
}

fn kind(kind: Kind, is_list: bool) -> String {
    let word = kind.keyword();
    if is_list { format!("{word} array") } else { word.to_owned() }
}
