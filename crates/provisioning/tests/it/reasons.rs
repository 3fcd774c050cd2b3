use provisioning::{Class, Reason, Refusal};
use scim_core::{ErrorKind, ScimError};
use std::collections::BTreeSet;

#[test]
fn every_reason_has_a_code_of_its_own_that_leads_back_to_it() {
    let codes: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(codes.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        let code = reason.as_str();
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
        assert_eq!(Reason::parse(code), Some(*reason));
    }
    assert_eq!(Reason::parse("User_Created"), None);
}

#[test]
fn class_and_status_go_together() {
    for reason in Reason::ALL {
        let expected: &[u16] = match reason.class() {
            Class::Ok => &[200, 201, 204, 304],
            Class::Mapping => &[400],
            Class::Conflict => &[404, 409, 412],
            Class::Licence => &[403],
            Class::Policy => &[400, 403, 413, 429, 501],
            // A warning, of what is not so yet.
            Class::Connection if *reason == Reason::TokenExpiring => &[200],
            Class::Connection => &[401, 404, 405, 415, 421],
            // 508 is ours to set right as well.
            Class::Store => &[503, 508],
        };
        assert!(expected.contains(&reason.status()), "{reason}");
        // RFC 7644 §3.12: a scimType belongs to 400 and to the 409 of uniqueness. That of §3.7.1 has none.
        let is_taken = reason.status() == 409 && *reason != Reason::BulkReferenceFailed;
        assert_eq!(reason.scim_type().is_some(), reason.status() == 400 || is_taken, "{reason}");
    }
}

#[test]
fn every_fault_of_a_token_is_a_401() {
    let of_token = |reason: &&Reason| reason.as_str().starts_with("token_");
    for reason in Reason::ALL.iter().filter(of_token) {
        if *reason == Reason::TokenExpiring {
            continue;
        }
        assert_eq!(
            (reason.status(), reason.class(), reason.scim_type()),
            (401, Class::Connection, None)
        );
    }
}

#[test]
fn an_error_of_the_rfc_keeps_its_status_scim_type_attribute_and_text() {
    for kind in [
        ErrorKind::InvalidSyntax,
        ErrorKind::InvalidFilter,
        ErrorKind::InvalidPath,
        ErrorKind::NoTarget,
        ErrorKind::InvalidValue,
        ErrorKind::Mutability,
        ErrorKind::Uniqueness,
        ErrorKind::TooMany,
        ErrorKind::TooLarge,
        ErrorKind::NotFound,
        ErrorKind::PreconditionFailed,
    ] {
        let refusal = Refusal::from(&ScimError::new(kind, "Text.").about("displayName"));
        assert_eq!(refusal.reason.status(), kind.status(), "{kind:?}");
        assert_eq!(refusal.reason.scim_type(), kind.scim_type(), "{kind:?}");
        assert_eq!(refusal.attribute.as_deref(), Some("displayName"));
        assert_eq!(refusal.detail, "Text.");
    }
}
