//! The pieces of a group are the group, whatever is chosen of it.

use super::*;
use scim_core::Schemas;
use time::OffsetDateTime;

fn group(display: &str) -> StoredGroup {
    StoredGroup {
        id: "g".into(),
        doc: json!({ "displayName": display, "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"] })
            .to_string(),
        version: 3,
        created_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
    }
}

fn written(lines: &str, attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let schemas = Schemas::builtin();
    let projection = Projection::parse(attributes, excluded, &schemas.group).unwrap();
    let members = MemberText::of(lines.to_owned());
    let text = GroupText::new(
        &group("Crew \u{1}"),
        members,
        "http://x/scim/v2",
        &projection,
        &schemas.group,
    );
    let bytes = text.bytes();
    let text = text.into_text();
    assert_eq!(bytes, text.len() as u64);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn members_are_shown_as_far_as_they_are_wanted() {
    let lines = "Ua\t\"Ada \\u0001\\n\"\nGb";
    let (ada, ben) = ("http://x/scim/v2/Users/a", "http://x/scim/v2/Groups/b");
    assert_eq!(
        written(lines.replace("\t\"Ada \\u0001\\n\"", "").as_str(), None, None)["members"],
        json!([{ "value": "a", "$ref": ada, "type": "User" }, { "value": "b", "$ref": ben, "type": "Group" }])
    );
    assert_eq!(
        written(lines, Some("members.value,members.display"), None)["members"],
        json!([{ "value": "a", "display": "Ada \u{1}\n" }, { "value": "b" }])
    );
    assert_eq!(
        written("Ua\nGb", None, Some("members.$ref"))["members"],
        json!([{ "value": "a", "type": "User" }, { "value": "b", "type": "Group" }])
    );
    assert_eq!(written("Ua", Some("displayName"), None).get("members"), None);
    assert_eq!(written("", None, None).get("members"), None);
    assert_eq!(written("", None, None)["displayName"], "Crew \u{1}");
}

#[test]
fn many_members_come_in_pieces_of_a_bounded_length() {
    let lines: Vec<String> = (0..20_000).map(|n| format!("U{n:036}")).collect();
    let schemas = Schemas::builtin();
    let projection = Projection::parse(None, None, &schemas.group).unwrap();
    let members = MemberText::of(lines.join("\n"));
    let mut text = GroupText::new(&group("Crew"), members, "http://x", &projection, &schemas.group);
    let (mut whole, mut pieces) = (String::new(), 0);
    while let Some(piece) = text.piece() {
        assert!(piece.len() <= PIECE + 1_024, "{}", piece.len());
        whole.push_str(&piece);
        pieces += 1;
    }
    assert!(pieces > 50, "{pieces}");
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let members = whole["members"].as_array().unwrap();
    assert_eq!(members.len(), 20_000);
    assert_eq!(members[19_999]["value"], format!("{:036}", 19_999));
}
