//! What a gateway believes of another.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use region_router::Region;
use region_router::peer::{Asserted, Bound, NotTrusted, SigningKey, TrustedKeys};
use std::time::Duration;

const NOW: i64 = 1_800_000_000;

fn key(kid: &str) -> (SigningKey, String) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key());
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{kid}","alg":"EdDSA"}}"#);
    (SigningKey::new(kid, pair.to_pkcs8().unwrap().as_ref()).unwrap(), jwk)
}

fn trusting(jwk: &str) -> TrustedKeys {
    TrustedKeys::parse(&format!(r#"{{"keys":[{jwk}]}}"#)).unwrap()
}

fn asserted() -> Asserted {
    Asserted {
        address: "192.0.2.7".parse().unwrap(),
        left: Duration::from_secs(25),
        trace_parent: None,
    }
}

fn bound(region: &Region) -> Bound<'_> {
    Bound {
        region,
        method: "GET",
        target: "/scim/v2/Users?count=1",
        host: "eu-app.localhost",
        key_id: "abc",
    }
}

#[test]
fn an_assertion_says_to_the_peer_what_was_said() {
    let (signing, jwk) = key("k1");
    let eu = Region::parse("eu").unwrap();
    let text = signing.sign(&bound(&eu), &asserted(), 7, NOW).unwrap();
    assert!(!text.contains("Users"));
    let verified = trusting(&jwk).verify(&text, &bound(&eu), NOW).unwrap();
    assert_eq!((verified.asserted, verified.nonce), (asserted(), 7));
}

#[test]
fn an_assertion_is_good_for_no_other_request() {
    let (signing, jwk) = key("k1");
    let (eu, us) = (Region::parse("eu").unwrap(), Region::parse("us").unwrap());
    let text = signing.sign(&bound(&eu), &asserted(), 7, NOW).unwrap();
    let keys = trusting(&jwk);
    let good = bound(&eu);
    for other in [
        Bound { method: "DELETE", ..good },
        Bound { target: "/scim/v2/Users?count=2", ..good },
        Bound { host: "eu-board.localhost", ..good },
        Bound { key_id: "xyz", ..good },
        // Nothing moves from one part into the next.
        Bound { host: "eu-app.localhosta", key_id: "bc", ..good },
    ] {
        assert_eq!(keys.verify(&text, &other, NOW), Err(NotTrusted::OtherRequest), "{other:?}");
    }
    let foreign = keys.verify(&text, &Bound { region: &us, ..good }, NOW);
    assert_eq!(foreign, Err(NotTrusted::Foreign));
}

#[test]
fn an_assertion_is_good_for_its_deadline_and_half_a_minute() {
    let (signing, jwk) = key("k1");
    let eu = Region::parse("eu").unwrap();
    let text = signing.sign(&bound(&eu), &asserted(), 7, NOW).unwrap();
    let keys = trusting(&jwk);
    // Clocks may differ by a minute.
    for (at, is_good) in [(-61, false), (-60, true), (55 + 59, true), (55 + 60, false)] {
        let verified = keys.verify(&text, &bound(&eu), NOW + at);
        assert_eq!(verified.err(), (!is_good).then_some(NotTrusted::Untimely), "{at}");
    }
    let late = Asserted { left: Duration::from_hours(1), ..asserted() };
    let text = signing.sign(&bound(&eu), &late, 7, NOW).unwrap();
    assert_eq!(keys.verify(&text, &bound(&eu), NOW), Err(NotTrusted::Untimely));
}

#[test]
fn what_another_key_signed_counts_for_nothing() {
    let (signing, jwk) = key("k1");
    let (_, same_name) = key("k1");
    let (_, other) = key("k2");
    let eu = Region::parse("eu").unwrap();
    let text = signing.sign(&bound(&eu), &asserted(), 7, NOW).unwrap();
    for (jwk, text, why) in [
        (&same_name, text.clone(), NotTrusted::Forged),
        (&other, text.clone(), NotTrusted::UnknownKey),
        (&jwk, String::new(), NotTrusted::Malformed),
        (&jwk, "a.b.c".to_owned(), NotTrusted::Malformed),
        (&jwk, format!("{text}{}", "a".repeat(5000)), NotTrusted::Malformed),
        (&jwk, unsigned(&text), NotTrusted::Malformed),
    ] {
        assert_eq!(trusting(jwk).verify(&text, &bound(&eu), NOW), Err(why));
    }
    assert!(TrustedKeys::default().verify(&text, &bound(&eu), NOW).is_err());
}

/// The same claims under `alg: none`.
fn unsigned(text: &str) -> String {
    let claims = text.split('.').nth(1).unwrap();
    let header = r#"{"alg":"none","typ":"muster-hop+jwt","kid":"k1"}"#;
    format!("{}.{claims}.", BASE64_URL_SAFE_NO_PAD.encode(header))
}

#[test]
fn keys_of_another_kind_are_passed_over() {
    let (_, jwk) = key("k1");
    let rsa = r#"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"k0"}"#;
    let keys = trusting(&format!("{rsa},{jwk}"));
    assert!(keys.know("k1") && !keys.know("k0"));
    assert!(TrustedKeys::parse("[]").is_err() && TrustedKeys::parse("").is_err());
}
