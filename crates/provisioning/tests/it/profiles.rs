use provisioning::{Admission, Profile, ProfileId, Reason, Refusal};
use scim_core::{Attributes, ResourceType, Tolerance, User};
use serde_json::{Value, json};

const WORK: &str = r#"emails[type eq "work"].value"#;

fn admit(profile: ProfileId, body: Value) -> Result<Admission, Refusal> {
    let Value::Object(map) = body else { unreachable!("a user is an object") };
    let body = Attributes::from(map);
    let (user, _) = User::parse(&body, ResourceType::user(), &Tolerance::default()).unwrap();
    Profile::of(profile).admit(&user, ResourceType::user())
}

fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@example.com",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "type": "work", "value": "ada@example.com", "primary": true }],
        "externalId": "00u1",
        "active": true
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut body = ada();
    body[name] = value;
    body
}

fn refused(profile: ProfileId, body: Value) -> (Reason, String, String) {
    let refusal = admit(profile, body).unwrap_err();
    (refusal.reason, refusal.attribute.unwrap_or_default(), refusal.detail)
}

#[test]
fn every_profile_admits_a_complete_user_and_ignores_nothing_of_it() {
    for id in ProfileId::ALL {
        assert_eq!(admit(id, ada()), Ok(Admission::default()), "{id}");
        assert_eq!(ProfileId::parse(id.as_str()), Ok(id));
        assert_eq!(Profile::of(id).id(), id);
    }
    assert!(ProfileId::parse("Open").is_err());
}

#[test]
fn open_asks_for_nothing_beyond_the_rfc() {
    let odd = json!({ "userName": "x", "emails": [{ "value": "not an address" }], "preferredLanguage": "Klingon" });
    assert_eq!(admit(ProfileId::Open, odd), Ok(Admission::default()));
}

#[test]
fn oktopost_names_every_missing_attribute_at_once() {
    let (reason, attribute, detail) =
        refused(ProfileId::Oktopost, json!({ "userName": "ada@example.com" }));
    assert_eq!((reason, attribute.as_str()), (Reason::AttributeMissing, "name.givenName"));
    for path in ["name.givenName", "name.familyName", WORK] {
        assert!(detail.contains(path), "{detail}");
    }
}

#[test]
fn a_required_attribute_of_white_space_is_missing() {
    let blank = with("name", json!({ "givenName": " ", "familyName": "Lovelace" }));
    let (reason, attribute, detail) = refused(ProfileId::Oktopost, blank);
    assert_eq!((reason, attribute.as_str()), (Reason::AttributeMissing, "name.givenName"));
    assert!(detail.starts_with("name.givenName is required and has no value."), "{detail}");
}

#[test]
fn oktopost_wants_user_name_and_work_e_mail_equal_in_any_case() {
    for same in ["ada@example.com", "ADA@Example.COM"] {
        assert_eq!(
            admit(ProfileId::Oktopost, with("userName", json!(same))),
            Ok(Admission::default()),
            "{same}"
        );
    }
    let (reason, attribute, detail) =
        refused(ProfileId::Oktopost, with("userName", json!("ada.l@example.com")));
    assert_eq!((reason, attribute.as_str()), (Reason::UserNameNotEmail, "userName"));
    assert!(detail.contains("userName") && detail.contains(WORK), "{detail}");
    assert!(!detail.contains("example.com"), "no values: {detail}");
}

#[test]
fn composed_and_decomposed_accents_are_the_same_address() {
    let mut body = with("userName", json!("\u{e5}sa@example.com"));
    body["emails"] = json!([{ "type": "work", "value": "A\u{30a}sa@example.com" }]);
    assert_eq!(admit(ProfileId::Oktopost, body), Ok(Admission::default()));
}

#[test]
fn the_work_e_mail_is_chosen_leniently() {
    for emails in [
        json!([{ "type": "home", "value": "x@example.org", "primary": true }, { "type": "work", "value": "ada@example.com" }]),
        json!([{ "type": "home", "value": "x@example.org" }, { "value": "ada@example.com", "primary": true }]),
        json!([{ "value": "ada@example.com" }]),
    ] {
        assert_eq!(
            admit(ProfileId::Oktopost, with("emails", emails.clone())),
            Ok(Admission::default()),
            "{emails}"
        );
    }
}

#[test]
fn an_e_mail_must_look_like_one_where_a_profile_reads_it() {
    for id in [ProfileId::Oktopost, ProfileId::Condeco, ProfileId::Deskpro, ProfileId::Outpost] {
        let body =
            with("emails", json!([{ "type": "work", "value": "ada at example", "primary": true }]));
        let (reason, attribute, _) = refused(id, body);
        assert_eq!(reason, Reason::EmailInvalid, "{id}");
        assert!(attribute.starts_with("emails["), "{id}: {attribute}");
    }
}

#[test]
fn condeco_reads_the_primary_e_mail_and_the_language() {
    let mut body = with("userName", json!("ada"));
    body["preferredLanguage"] = json!("en-US");
    assert_eq!(admit(ProfileId::Condeco, body.clone()), Ok(Admission::default()));

    body["preferredLanguage"] = json!("en_US");
    let (reason, attribute, detail) = refused(ProfileId::Condeco, body);
    assert_eq!((reason, attribute.as_str()), (Reason::AttributeInvalid, "preferredLanguage"));
    assert!(detail.contains("en-US"), "{detail}");

    let (reason, attribute, _) = refused(ProfileId::Condeco, with("emails", json!([])));
    assert_eq!(
        (reason, attribute.as_str()),
        (Reason::AttributeMissing, "emails[primary eq true].value")
    );
}

#[test]
fn deskpro_and_outpost_need_no_names() {
    for id in [ProfileId::Deskpro, ProfileId::Outpost] {
        let body = json!({ "userName": "ada", "emails": [{ "type": "work", "value": "ada@example.com" }] });
        assert_eq!(admit(id, body), Ok(Admission::default()), "{id}");
        let (reason, attribute, _) = refused(id, json!({ "userName": "ada" }));
        assert_eq!((reason, attribute.as_str()), (Reason::AttributeMissing, WORK), "{id}");
    }
}

#[test]
fn attributes_outside_the_profile_are_admitted_and_named() {
    let mut body = with("title", json!("Countess"));
    body["name"]["middleName"] = json!("King");
    body["preferredLanguage"] = json!("en");
    body["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"] =
        json!({ "department": "Engines" });
    let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

    assert_eq!(admit(ProfileId::Open, body.clone()).unwrap().ignored, [""; 0]);
    assert_eq!(
        admit(ProfileId::Oktopost, body.clone()).unwrap().ignored,
        ["name.middleName", "preferredLanguage", "title", department]
    );
    assert_eq!(admit(ProfileId::Condeco, body).unwrap().ignored, ["name.middleName", "title"]);
}
