//! Which identity provider a client says it is: its family, for the log and the metrics.
//!
//! **Invariant**: one of a few words, never the header itself, so that it can be a metric's label.

/// Families by what their `User-Agent` contains, in lower case.
const FAMILIES: &[(&str, &str)] = &[
    ("okta", "okta"),
    ("azure", "entra"),
    ("entra", "entra"),
    ("microsoft", "entra"),
    ("onelogin", "onelogin"),
    ("jumpcloud", "jumpcloud"),
    ("ping", "ping"),
    ("google", "google"),
    ("rippling", "rippling"),
    ("cyberark", "cyberark"),
    ("sailpoint", "sailpoint"),
    ("authentik", "authentik"),
    ("keycloak", "keycloak"),
    ("scim-for-keycloak", "keycloak"),
    ("curl", "curl"),
    ("python", "script"),
];

/// The family of a `User-Agent`; `none` when there is none (OneLogin sends an empty one).
#[must_use]
pub fn family(user_agent: Option<&str>) -> &'static str {
    let Some(text) = user_agent.filter(|text| !text.is_empty()) else { return "none" };
    let text = text.to_ascii_lowercase();
    FAMILIES.iter().find(|(part, _)| text.contains(part)).map_or("other", |(_, family)| family)
}

#[cfg(test)]
mod tests {
    use super::family;

    #[test]
    fn a_client_is_known_by_a_word_of_its_user_agent() {
        assert_eq!(family(Some("Okta SCIM Client 1.0.0")), "okta");
        assert_eq!(family(Some("OKTA SCIM Integration")), "okta");
        assert_eq!(family(Some("Mozilla/5.0")), "other");
        assert_eq!(family(Some("")), "none");
        assert_eq!(family(None), "none");
    }
}
