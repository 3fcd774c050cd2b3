//! Which identity provider a client is: its family, for the log, the metrics and the tenant's own report.
//!
//! What it says of itself comes first. Entra says nothing that tells it from others, and OneLogin nothing at all
//! (idp-wire §4), so that what they do decides: flags in the query, and deviations that only one family is known for.
//!
//! **Invariant**: one of [`FAMILIES`], never the header itself, so that it can be a metric's label.

use directory::Asked;
use scim_core::{Notes, Quirk};

/// Every family. `none` sends no `User-Agent`, `other` one that says nothing, and neither does anything telling.
pub const FAMILIES: &[&str] = &[
    "entra",
    "okta",
    "onelogin",
    "jumpcloud",
    "ping",
    "google",
    "rippling",
    "cyberark",
    "sailpoint",
    "authentik",
    "keycloak",
    "workday",
    "duo",
    "scim2",
    "muster",
    "curl",
    "script",
    "other",
    "none",
];

/// What a word of a `User-Agent` begins with, in lower case, and whose word it is. The first that fits, since
/// "scim2-client python-httpx" is both.
const WORDS: &[(&str, &str)] = &[
    ("okta", "okta"),
    ("azure", "entra"),
    ("entra", "entra"),
    ("microsoft", "entra"),
    ("onelogin", "onelogin"),
    ("jumpcloud", "jumpcloud"),
    ("pingone", "ping"),
    ("pingfederate", "ping"),
    ("pingidentity", "ping"),
    ("pingdirectory", "ping"),
    ("ping", "ping"),
    ("google", "google"),
    ("rippling", "rippling"),
    ("cyberark", "cyberark"),
    ("idaptive", "cyberark"),
    ("sailpoint", "sailpoint"),
    ("identitynow", "sailpoint"),
    ("identityiq", "sailpoint"),
    ("goauthentik", "authentik"),
    ("authentik", "authentik"),
    ("keycloak", "keycloak"),
    ("workday", "workday"),
    ("duo", "duo"),
    ("muster", "muster"),
    ("scim2", "scim2"),
    ("curl", "curl"),
    ("python", "script"),
    ("httpx", "script"),
    ("httpie", "script"),
    ("wget", "script"),
    ("postmanruntime", "script"),
    ("insomnia", "script"),
    ("powershell", "script"),
];

/// Words of [`WORDS`] that are the beginning of others and have to be there whole: `pingdom` is not Ping.
const WHOLE: &[&str] = &["ping", "duo"];

/// What Entra puts into the query when its administrator puts it into the tenant's URL (idp-wire §2.2).
const ENTRA_FLAGS: &[&str] = &["aadoptscim", "azureadscimpatch"];

/// What the head of a request tells of its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    says: Option<&'static str>,
    is_silent: bool,
    asks: Asks,
}

/// What the query tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// With a flag of Entra's.
    WithEntraFlag,
    /// For somebody who has a random GUID for a name, in a form's encoding: Entra's *Test Connection*.
    ForNobody,
    /// For a person or a group, percent-encoded and with a page of 100: Okta before a create.
    WithOktaPage,
    /// Nothing telling.
    Other,
}

impl Client {
    /// Reads the head of a request.
    #[must_use]
    pub fn of(user_agent: Option<&str>, query: Option<&str>) -> Self {
        let agent = user_agent.map(str::trim).filter(|text| !text.is_empty());
        Self {
            says: agent.and_then(family_of),
            is_silent: agent.is_none(),
            asks: query.map_or(Asks::Other, Asks::of),
        }
    }

    /// Puts the family into what a decision carries, by the deviations that it has met.
    pub fn sign(self, asked: &mut Asked) {
        let family = self.family(&asked.notes);
        if asked.client != family {
            family.clone_into(&mut asked.client);
        }
    }

    /// The family, by all that is known when the request ends.
    #[must_use]
    pub fn family(self, notes: &Notes) -> &'static str {
        if let Some(family) = self.says {
            return family;
        }
        let met = |quirk| notes.quirks().any(|met| met == quirk);
        match self.asks {
            Asks::WithEntraFlag => "entra",
            _ if self.is_silent && met(Quirk::TrailingSeparator) => "onelogin",
            Asks::ForNobody => "entra",
            Asks::WithOktaPage => "okta",
            Asks::Other => {
                known_for(notes).unwrap_or(if self.is_silent { "none" } else { "other" })
            }
        }
    }
}

/// The family of a client, by what it says and by what it did.
#[must_use]
pub fn recognise(user_agent: Option<&str>, query: Option<&str>, notes: &Notes) -> &'static str {
    Client::of(user_agent, query).family(notes)
}

fn family_of(user_agent: &str) -> Option<&'static str> {
    let text = user_agent.to_ascii_lowercase();
    let fits = |start: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word == start || (!WHOLE.contains(&start) && word.starts_with(start)))
    };
    WORDS.iter().find(|(start, _)| fits(start)).map(|(_, family)| *family)
}

/// The one family that is known for every deviation met. `other` stands for anybody.
fn known_for(notes: &Notes) -> Option<&'static str> {
    let mut candidates: Option<Vec<&'static str>> = None;
    for quirk in notes.quirks().filter(|quirk| !quirk.clients().contains(&"other")) {
        let clients = quirk.clients();
        candidates = Some(match candidates {
            None => clients.to_vec(),
            Some(known) => known.into_iter().filter(|family| clients.contains(family)).collect(),
        });
    }
    match candidates?.as_slice() {
        [family] => Some(family),
        _ => None,
    }
}

impl Asks {
    fn of(query: &str) -> Self {
        let pairs = || query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let has_flag = |name: &str| {
            let name = name.to_ascii_lowercase();
            ENTRA_FLAGS.iter().any(|flag| name.starts_with(flag))
        };
        if pairs().any(|(name, _)| has_flag(name)) {
            return Self::WithEntraFlag;
        }
        let value = |wanted| pairs().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let Some(filter) = value("filter") else { return Self::Other };
        if filter.contains("+eq+") && quoted(filter).is_some_and(is_guid) {
            return Self::ForNobody;
        }
        let is_page = value("startIndex") == Some("1") && value("count") == Some("100");
        if is_page && filter.contains("%20eq%20") { Self::WithOktaPage } else { Self::Other }
    }
}

/// What stands between the quotes of an encoded filter.
fn quoted(filter: &str) -> Option<&str> {
    filter.split("%22").nth(1)
}

/// The form of RFC 9562 §4.
fn is_guid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
