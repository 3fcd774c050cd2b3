//! Filters of queries over several resource types (RFC 7644 §3.4.2.1).

use crate::patch::document;
use scim_core::{ErrorKind, Filter, FilterLimits, Notes, ResourceType, ScimError, Tolerance};
use serde_json::json;

fn matches(text: &str) -> Result<(bool, bool), ScimError> {
    let (user, group) = (ResourceType::user(), ResourceType::group());
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let filter = Filter::parse(text, &FilterLimits::default(), &tolerance, &mut notes)?;
    let with_id = |value, of| {
        let mut search = document(&value, of).search(of);
        search.insert("id".into(), json!("7"));
        search
    };
    let ada = with_id(json!({"userName": "ada", "displayName": "Ada", "active": true}), user);
    let crew = with_id(json!({"displayName": "Crew", "externalId": "x"}), group);
    let of_user = filter.bind_or_absent(user, &[group], &tolerance, &mut notes)?;
    let of_group = filter.bind_or_absent(group, &[user], &tolerance, &mut notes)?;
    Ok((of_user.matches(&ada), of_group.matches(&crew)))
}

#[test]
fn what_only_the_other_type_has_is_absent() {
    for (text, expected) in [
        (r#"displayName co "a""#, (true, false)),
        (r#"userName eq "ada""#, (true, false)),
        (r#"userName ne "ada""#, (false, true)),
        ("userName pr", (true, false)),
        ("not (userName pr)", (false, true)),
        ("userName eq null", (false, true)),
        ("userName ne null", (true, false)),
        ("active eq true or externalId pr", (true, true)),
        (r#"emails[type eq "work"]"#, (false, false)),
        (r#"not (emails[type eq "work"])"#, (true, true)),
        (r#"members.value eq "1""#, (false, false)),
        (
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department ne "x""#,
            (true, true),
        ),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ada""#, (true, false)),
        (r#"id eq "7""#, (true, true)),
    ] {
        assert_eq!(matches(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_for_its_own_type_or_unknown_to_all_is_refused() {
    for text in [
        r#"shoeSize eq 7"#,
        r#"active co "x""#,
        r#"emails[shoe eq "x"]"#,
        r#"userName.part eq "x""#,
        r#"password eq "x""#,
        r#"userName eq "x" or shoeSize pr"#,
    ] {
        assert_eq!(matches(text).unwrap_err().kind(), ErrorKind::InvalidFilter, "{text}");
    }
}
