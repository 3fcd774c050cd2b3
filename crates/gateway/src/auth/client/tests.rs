use super::{FAMILIES, WORDS, recognise};
use scim_core::{Notes, Quirk};

fn notes(ids: &[&str]) -> Notes {
    let mut notes = Notes::default();
    for id in ids {
        notes.met(Quirk::parse(id).unwrap_or_else(|| panic!("{id}")));
    }
    notes
}

#[test]
fn a_client_is_known_by_a_word_of_its_user_agent() {
    for (agent, family) in [
        ("Okta SCIM Client 1.0.0", "okta"),
        ("OKTA SCIM Integration", "okta"),
        ("okta-scim/2", "okta"),
        ("Microsoft-Azure-AD-Provisioning", "entra"),
        ("OneLogin", "onelogin"),
        ("JumpCloud/1.0", "jumpcloud"),
        ("PingFederate SCIM Connector", "ping"),
        ("PingOne", "ping"),
        ("Ping Identity", "ping"),
        ("Google-HTTP-Java-Client/1.42", "google"),
        ("Rippling/1.0", "rippling"),
        ("CyberArk Identity", "cyberark"),
        ("SailPoint IdentityNow", "sailpoint"),
        ("goauthentik.io/2025.10", "authentik"),
        ("authentik/2025.10 (build abc)", "authentik"),
        ("scim-for-keycloak/2.1", "keycloak"),
        ("Keycloak", "keycloak"),
        ("Workday/1", "workday"),
        ("Duo SCIM/1.0", "duo"),
        ("scim2-client/0.6 python-httpx/0.27", "scim2"),
        ("scim2-tester", "scim2"),
        ("muster-conformance/0.1.0", "muster"),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.32", "script"),
        ("Mozilla/5.0 (Windows NT 10.0)", "other"),
        ("Pingdom.com_bot_version_1.4", "other"),
        ("duolingo/1", "other"),
        ("", "none"),
        ("  ", "none"),
    ] {
        assert_eq!(recognise(Some(agent), None, &Notes::default()), family, "{agent}");
    }
    assert_eq!(recognise(None, None, &Notes::default()), "none");
}

/// What it says, its query, the deviations met, whose they are.
type Row = (Option<&'static str>, Option<&'static str>, &'static [&'static str], &'static str);

const GUID: &str = "filter=userName+eq+%22fd0fcc87-1f4e-4d4a-9f0a-0c6f8d8a8e11%22";
const UNKNOWN: Option<&str> = Some("Mozilla/5.0");

const BEHAVIOUR: &[Row] = &[
    // Entra, in both dialects (idp-wire §2.2), whatever it says of itself.
    (None, Some("aadOptscim062020"), &[], "entra"),
    (UNKNOWN, Some("aadOptscim062020=&filter=id+eq+%22x%22"), &[], "entra"),
    (UNKNOWN, Some("AzureAdScimPatch2017"), &[], "entra"),
    (UNKNOWN, None, &["Q-op-case", "Q-bool-string"], "entra"),
    (None, None, &["Q-op-case", "Q-element-created"], "entra"),
    (None, None, &["Q-dotted-key"], "entra"),
    (None, None, &["Q-remove-with-value", "Q-op-case"], "entra"),
    (UNKNOWN, Some(GUID), &[], "entra"),
    // OneLogin says nothing and leaves a separator behind (idp-wire §4).
    (None, Some("filter=userName+eq+%22ada%22&"), &["Q-trailing-separator"], "onelogin"),
    (Some(""), Some(""), &["Q-trailing-separator", "Q-unknown-schema-uri"], "onelogin"),
    // Okta looks a person up before it creates one (idp-wire §3.2).
    (UNKNOWN, Some("filter=userName%20eq%20%22ada%22&startIndex=1&count=100"), &[], "okta"),
    // What several do tells nothing, and neither does what anybody does.
    (UNKNOWN, None, &["Q-read-only-echo"], "other"),
    (None, None, &["Q-remove-with-value"], "none"),
    (UNKNOWN, None, &["Q-list-shape", "Q-text-from-scalar"], "other"),
    (UNKNOWN, Some("filter=userName+eq+%22ada%22"), &[], "other"),
    (UNKNOWN, Some("filter=userName%20eq%20%22ada%22"), &[], "other"),
    // What it says comes first.
    (Some("Okta SCIM Client 1.0.0"), None, &["Q-op-case"], "okta"),
    (Some("curl/8"), Some("aadOptscim062020"), &["Q-bool-string"], "curl"),
];

#[test]
fn a_client_that_says_nothing_is_known_by_what_it_does() {
    for (agent, query, quirks, family) in BEHAVIOUR {
        let found = recognise(*agent, *query, &notes(quirks));
        assert_eq!(found, *family, "{agent:?} {query:?} {quirks:?}");
    }
}

#[test]
fn every_family_is_one_of_the_list() {
    let named = WORDS.iter().map(|(_, family)| *family);
    let ledger = Quirk::ALL.iter().flat_map(|quirk| quirk.clients()).copied();
    for family in named.chain(ledger) {
        assert!(FAMILIES.contains(&family), "{family}");
    }
}
