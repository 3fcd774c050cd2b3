//! Attribute profiles: what a product asks of a user beyond the RFC.
//!
//! **Invariant**: a profile is data, judged on the result of a POST, PUT or PATCH and never on the request: Entra sends
//! e-mail and userName as two operations of one PATCH, in any order (idp-wire §1 row 1).

mod check;

use crate::reason::Reason;
use crate::refusal::Refusal;
use scim_core::{ResourceType, User, UserName};
use std::fmt;

/// The products that have a profile, and `open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProfileId {
    /// No rule beyond the RFC.
    Open,
    /// Oktopost: names and work e-mail, which is the userName.
    Oktopost,
    /// Eptura Condeco: names and primary e-mail.
    Condeco,
    /// Deskpro: work e-mail.
    Deskpro,
    /// Outpost: work e-mail.
    Outpost,
}

impl ProfileId {
    /// Every profile.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Oktopost, Self::Condeco, Self::Deskpro, Self::Outpost];

    /// Parses the word used on the command line and in the registry.
    ///
    /// # Errors
    /// When the word names no profile.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(ProfileError)
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Oktopost => "oktopost",
            Self::Condeco => "condeco",
            Self::Deskpro => "deskpro",
            Self::Outpost => "outpost",
        }
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a profile is open, oktopost, condeco, deskpro or outpost")]
pub struct ProfileError;

/// Which of a user's e-mail addresses a product means (requirements T4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Email {
    Work,
    Primary,
}

impl Email {
    fn of(self, user: &User) -> Option<&str> {
        match self {
            Self::Work => user.work_email(),
            Self::Primary => user.primary_email(),
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Work => r#"emails[type eq "work"].value"#,
            Self::Primary => "emails[primary eq true].value",
        }
    }
}

/// What a product asks of a user.
#[derive(Debug)]
pub struct Profile {
    id: ProfileId,
    /// Required text attributes, dotted.
    required: &'static [&'static str],
    email: Option<Email>,
    user_name_is_email: bool,
    language_checked: bool,
    /// Attributes that the product takes; `None`: all.
    taken: Option<&'static [&'static str]>,
}

/// What every profile takes besides its own: what SCIM itself lives on.
const PROTOCOL: &[&str] = &["schemas", "userName", "externalId", "active", "emails"];

const OPEN: Profile = Profile {
    id: ProfileId::Open,
    required: &[],
    email: None,
    user_name_is_email: false,
    language_checked: false,
    taken: None,
};

// requirements S1-20, S1-22, S2-23 and S2-24.
const OKTOPOST: Profile = Profile {
    id: ProfileId::Oktopost,
    required: &["userName", "name.givenName", "name.familyName"],
    email: Some(Email::Work),
    user_name_is_email: true,
    language_checked: false,
    taken: Some(&["name.givenName", "name.familyName"]),
};

// requirements S3-08 to S3-10.
const CONDECO: Profile = Profile {
    id: ProfileId::Condeco,
    required: &["userName", "name.givenName", "name.familyName"],
    email: Some(Email::Primary),
    user_name_is_email: false,
    language_checked: true,
    taken: Some(&[
        "name.givenName",
        "name.familyName",
        "preferredLanguage",
        "addresses",
        "phoneNumbers",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter",
    ]),
};

const NAMES: &[&str] =
    &["name.formatted", "name.givenName", "name.familyName", "displayName", "nickName"];

const DESKPRO: Profile = Profile {
    id: ProfileId::Deskpro,
    required: &["userName"],
    email: Some(Email::Work),
    user_name_is_email: false,
    language_checked: false,
    taken: Some(NAMES),
};

const OUTPOST: Profile = Profile { id: ProfileId::Outpost, ..DESKPRO };

/// What a profile found in a user that it admits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// Attributes outside the profile, sorted: kept and returned, and not delivered to the product.
    pub ignored: Vec<String>,
}

impl Profile {
    /// The profile with this id.
    #[must_use]
    pub fn of(id: ProfileId) -> &'static Self {
        match id {
            ProfileId::Open => &OPEN,
            ProfileId::Oktopost => &OKTOPOST,
            ProfileId::Condeco => &CONDECO,
            ProfileId::Deskpro => &DESKPRO,
            ProfileId::Outpost => &OUTPOST,
        }
    }

    /// Which profile this is.
    #[must_use]
    pub fn id(&self) -> ProfileId {
        self.id
    }

    /// The attributes without which no user is admitted, dotted: what `/Schemas` says is required.
    #[must_use]
    pub fn required_attributes(&self) -> Vec<&'static str> {
        self.required.iter().copied().chain(self.email.map(|_| "emails")).collect()
    }

    /// Whether userName must be the e-mail address.
    pub(crate) fn wants_email_as_name(&self) -> bool {
        self.user_name_is_email
    }

    /// Which of several e-mail addresses is meant.
    pub(crate) fn email_in_words(&self) -> &'static str {
        match self.email {
            Some(Email::Primary) => "the primary one, else the one of type work, else the only one",
            Some(Email::Work) | None => {
                "the one of type work, else the primary one, else the only one"
            }
        }
    }

    /// Whether languages are checked.
    pub(crate) fn checks_language(&self) -> bool {
        self.language_checked
    }

    /// Whether the product takes an attribute: by its name, or as a part of one that it takes.
    pub(crate) fn takes(&self, path: &str) -> bool {
        let whole = path.split('[').next().unwrap_or(path);
        self.taken.is_none_or(|taken| taken.contains(&path) || taken.contains(&whole))
    }

    /// Whether userName and e-mail must be the same.
    #[must_use]
    pub fn user_name_is_email(&self) -> bool {
        self.user_name_is_email
    }

    /// The attributes that the product takes besides those that it requires; `None`: all.
    #[must_use]
    pub fn taken_attributes(&self) -> Option<Vec<&'static str>> {
        self.taken.map(<[_]>::to_vec)
    }

    /// Admits the user that a request would lead to.
    ///
    /// # Errors
    /// A refusal of class mapping that names the attribute and the remedy.
    pub fn admit(&self, user: &User, of: &ResourceType) -> Result<Admission, Refusal> {
        self.check_required(user)?;
        self.check_email(user)?;
        if self.language_checked {
            check_language(user)?;
        }
        Ok(Admission { ignored: self.outside(user, of) })
    }

    /// Names everything that is missing at once: an administrator fixes a mapping in one go, not in one go per sync cycle.
    fn check_required(&self, user: &User) -> Result<(), Refusal> {
        let mut missing: Vec<&str> =
            self.required.iter().copied().filter(|path| !has_text(user, path)).collect();
        if let Some(email) = self.email
            && email.of(user).is_none_or(|address| address.trim().is_empty())
        {
            missing.push(email.path());
        }
        let Some(first) = missing.first() else { return Ok(()) };
        let (subject, pronoun) = match missing.len() {
            1 => ("is required and has no value", "it"),
            _ => ("are required and have no value", "each of them"),
        };
        let detail = format!(
            "{} {subject}. Map {pronoun} in the attribute mapping of your identity provider, make sure that this user has \
             a value there, then retry.",
            missing.join(", ")
        );
        Err(Refusal::new(Reason::AttributeMissing, detail).about(*first))
    }

    fn check_email(&self, user: &User) -> Result<(), Refusal> {
        let Some(selector) = self.email else { return Ok(()) };
        let Some(address) = selector.of(user) else { return Ok(()) };
        let path = selector.path();
        if !check::is_email(address) {
            let detail = format!(
                "{path} is not an e-mail address. It must have the form name@example.com, without spaces. Correct the value \
                 or the mapping in your identity provider, then retry."
            );
            return Err(Refusal::new(Reason::EmailInvalid, detail).about(path));
        }
        if self.user_name_is_email && user.name().key() != UserName::key_of(address) {
            let detail = format!(
                "userName and {path} must be the same address, and they differ (upper and lower case make no difference). Map \
                 both to the same source attribute in your identity provider, then retry."
            );
            return Err(Refusal::new(Reason::UserNameNotEmail, detail).about("userName"));
        }
        Ok(())
    }

    fn outside(&self, user: &User, of: &ResourceType) -> Vec<String> {
        let Some(taken) = self.taken else { return Vec::new() };
        let mut names = user.document().attribute_names(of);
        names.retain(|name| !PROTOCOL.contains(&name.as_str()) && !taken.contains(&name.as_str()));
        names.sort_unstable();
        names
    }
}

fn check_language(user: &User) -> Result<(), Refusal> {
    match user.document().text("preferredLanguage") {
        Some(language) if !check::is_language(language) => Err(Refusal::new(
            Reason::AttributeInvalid,
            "preferredLanguage must be a two-letter ISO 639-1 language, with or without a region, such as en or en-US. Change \
             the mapping in your identity provider or remove it, then retry.",
        )
        .about("preferredLanguage")),
        _ => Ok(()),
    }
}

fn has_text(user: &User, path: &str) -> bool {
    user.document().text(path).is_some_and(|text| !text.trim().is_empty())
}
