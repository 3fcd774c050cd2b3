//! Numbers for text: an identifier is kept digit by digit, or refused.

use crate::support::LIMITS;
use scim_core::{Attributes, ErrorKind, Notes, Quirk, ResourceType, Tolerance, User};

fn parse(number: &str) -> Result<(User, Notes), scim_core::ScimError> {
    let text = format!(
        r#"{{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "externalId": {number}}}"#
    );
    let body = Attributes::parse(text.as_bytes(), &LIMITS)?;
    User::parse(&body, ResourceType::user(), &Tolerance::default())
}

#[test]
fn a_number_whose_digits_are_known_becomes_text() {
    for number in
        ["7", "-7", "0", "9007199254740993", "-9223372036854775808", "18446744073709551615", "1.5"]
    {
        let (user, notes) = parse(number).unwrap();
        assert_eq!(user.external_id(), Some(number));
        assert_eq!(notes.quirks().collect::<Vec<_>>(), [Quirk::TextFromScalar]);
    }
}

#[test]
fn a_number_whose_digits_are_lost_is_refused() {
    for number in [
        "103456789012345678901",
        "-9223372036854775809",
        "1E5",
        "1e300",
        "1.0",
        "0.12345678901234567",
        "1e-7",
    ] {
        let error = parse(number).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{number}");
        assert_eq!(error.attribute(), Some("externalId"));
        assert!(error.detail().contains("put the value into quotes"), "{error}");
    }
}
