//! The guides of the identity providers.

use provisioning::setup::{Entered, Field, Idp, Need, Setup, Values, setup};
use provisioning::{Profile, ProfileId};
use std::collections::BTreeSet;

fn values(groups: bool) -> Values {
    Values {
        base_url: "https://eu-app.example.com/scim/v2".to_owned(),
        origin: "https://eu-app.example.com".to_owned(),
        token_endpoint: "https://eu-app.example.com/oauth2/token".to_owned(),
        region: "eu".to_owned(),
        population: "platform".to_owned(),
        slug: "acme".to_owned(),
        role: "member".to_owned(),
        groups,
        own: None,
        general: false,
    }
}

fn all() -> impl Iterator<Item = Setup> {
    Idp::ALL.into_iter().flat_map(|idp| {
        let of = move |id| [true, false].map(|groups| setup(idp, Profile::of(id), &values(groups)));
        ProfileId::ALL.into_iter().flat_map(of)
    })
}

/// Every text of a setup.
fn texts(setup: &Setup) -> Vec<String> {
    let mut texts = setup.to_lines();
    texts.extend(setup.troubles.iter().map(|trouble| trouble.text.clone()));
    let events = setup.events.iter();
    texts
        .extend(events.flat_map(|event| [&event.done, &event.sent, &event.here].map(Clone::clone)));
    texts.push(setup.own_note.clone());
    texts
}

fn find<'a>(fields: &'a [Field], key: &str) -> &'a Field {
    fields.iter().find(|field| field.key == key).unwrap()
}

#[test]
fn every_word_leads_back_to_its_identity_provider() {
    for idp in Idp::ALL {
        assert_eq!(Idp::parse(idp.as_str()), Ok(idp));
    }
    for bad in ["", "Okta", "azure", "okta-wizard"] {
        assert!(Idp::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn no_name_in_braces_is_left_in_a_text() {
    for setup in all() {
        for text in texts(&setup) {
            for part in text.split('{').skip(1) {
                let name = part.split('}').next().unwrap();
                // OneLogin's own macros begin with a dollar, its template has JSON, and `/Users/{id}` is a path.
                let is_known = name.starts_with('$') || name.starts_with('"') || name == "id";
                assert!(is_known, "{} {}: {{{name}}} in {text}", setup.idp, setup.profile);
            }
        }
    }
}

#[test]
fn every_guide_has_the_base_url_the_token_and_the_unique_identifier() {
    for setup in all() {
        let base = Entered::Paste("https://eu-app.example.com/scim/v2".to_owned());
        assert_eq!(find(&setup.connection, "base_url").entered, base, "{}", setup.idp);
        assert_eq!(find(&setup.connection, "token").entered, Entered::Secret);
        assert!(setup.connection.iter().any(|field| field.key == "unique_identifier"));
        for fields in [&setup.connection, &setup.oauth, &setup.saml.fields] {
            let keys: BTreeSet<&str> = fields.iter().map(|field| field.key).collect();
            assert_eq!(keys.len(), fields.len(), "{}: a key is there twice", setup.idp);
        }
        for part in [setup.before.len(), setup.steps.len(), setup.events.len(), setup.actions.len()]
        {
            assert!(part > 0, "{}", setup.idp);
        }
    }
}

#[test]
fn every_guide_has_the_values_of_single_sign_on() {
    for setup in all() {
        let paste = |text: &str| Entered::Paste(text.to_owned());
        let of = |key| find(&setup.saml.fields, key).entered.clone();
        assert_eq!(of("saml_acs"), paste("https://eu-app.example.com/auth/acs"));
        assert_eq!(of("saml_login"), paste("https://eu-app.example.com/auth/login"));
        assert_eq!(of("saml_relay_state"), Entered::Empty);
        let product =
            if setup.profile == ProfileId::Open { "muster" } else { setup.profile.as_str() };
        assert_eq!(of("saml_audience"), paste(&format!("urn:{product}:sp")));
        let note = &setup.saml.note;
        assert!(note.contains("identifier is the URL https://eu-app.example.com;"), "{note}");
        assert_eq!(setup.saml.returns.len(), 3);
    }
}

#[test]
fn what_the_profile_requires_is_required_in_every_table_and_nothing_else_is() {
    for setup in all() {
        let wanted = Profile::of(setup.profile).required_attributes();
        let mut wanted: BTreeSet<&str> = wanted
            .into_iter()
            .map(|path| if path == "emails" { r#"emails[type eq "work"].value"# } else { path })
            .collect();
        // The RFC's own (RFC 7643 §4.1.1).
        wanted.insert("userName");
        let required = setup.mapping.iter().filter(|row| row.need == Need::Required);
        let required: BTreeSet<&str> = required.map(|row| row.attribute).collect();
        assert_eq!(required, wanted, "{} {}", setup.idp, setup.profile);
        let rows: BTreeSet<&str> = setup.mapping.iter().map(|row| row.attribute).collect();
        assert_eq!(rows.len(), setup.mapping.len(), "an attribute is there twice");
        assert!(setup.mapping.iter().all(|row| !row.source.is_empty()));
    }
}

#[test]
fn each_question_of_the_seeds_has_its_answer() {
    let of = |idp| setup(idp, Profile::of(ProfileId::Oktopost), &values(true));
    let asked = |setup: &Setup, words: &str| {
        setup.hints.iter().any(|hint| format!("{} {}", hint.question, hint.answer).contains(words))
    };
    for idp in Idp::ALL {
        let setup = of(idp);
        for words in [
            "https://eu-app.example.com/scim/v2: region EU",
            "It is NOT the token",
            "muster token create acme",
            "eu-app.example.com by HTTPS",
            "assigned to this application",
            "muster log acme --user NAME",
            "exist here already",
            "the same address",
        ] {
            assert!(asked(&setup, words), "{idp}: {words}");
        }
        let is_okta = matches!(idp, Idp::OktaWizard | Idp::OktaCatalogue);
        assert_eq!(asked(&setup, "assigned before provisioning"), is_okta);
    }
}

#[test]
fn the_date_of_the_steps_is_a_date() {
    for setup in all() {
        let parts: Vec<usize> = setup.revised.split('-').map(str::len).collect();
        assert_eq!(parts, [4, 2, 2], "{}", setup.idp);
    }
}
