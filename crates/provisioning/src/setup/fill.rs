//! Putting a tenant's values into texts.
//!
//! **Invariant**: a name in braces that is not in the table stays, and a test fails.

use super::Values;
use crate::profile::{Profile, ProfileId};

/// The table of names and what is put in their place.
pub(super) struct Fill(Vec<(&'static str, String)>);

impl Fill {
    pub(super) fn new(values: &Values, profile: &Profile, called: &str) -> Self {
        Self(vec![
            ("{base}", values.base_url.clone()),
            ("{origin}", values.origin.clone()),
            ("{host}", host(&values.origin).to_owned()),
            ("{token_endpoint}", values.token_endpoint.clone()),
            ("{region}", values.region.to_ascii_uppercase()),
            ("{people}", people(&values.population).to_owned()),
            ("{others}", others(&values.population).to_owned()),
            ("{tenant}", values.slug.clone()),
            ("{role}", values.role.clone()),
            ("{profile}", profile.id().to_string()),
            ("{urn}", audience(profile.id())),
            ("{idp}", called.to_owned()),
            ("{email}", profile.email_in_words().to_owned()),
        ])
    }

    pub(super) fn text(&self, template: &str) -> String {
        self.0.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// The name of a host, without scheme and port.
fn host(origin: &str) -> &str {
    let rest = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    rest.split(':').next().unwrap_or(rest)
}

/// Who is provisioned, in a sentence.
fn people(population: &str) -> &'static str {
    match population {
        "platform" => "platform users",
        "board" => "board users",
        _ => "platform users or board users",
    }
}

/// Who is not.
fn others(population: &str) -> &'static str {
    match population {
        "platform" => "board users",
        "board" => "platform users",
        _ => "the others",
    }
}

/// The audience of assertions (requirements S1-13): a name for the product, the same at every host.
fn audience(profile: ProfileId) -> String {
    let product = match profile {
        ProfileId::Open => "muster",
        named => named.as_str(),
    };
    format!("urn:{product}:sp")
}
