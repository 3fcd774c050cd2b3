//! The Group schema (RFC 7643 §4.2, §8.7.1).

use super::{GROUP, kind_of, list, read_only, reference, text};
use crate::schema::{Attribute, Mutability, Returned, Schema, Uniqueness};

/// The Group schema.
pub(super) fn schema() -> Schema {
    Schema {
        id: GROUP.into(),
        name: "Group".into(),
        description: "A group of people".into(),
        attributes: vec![
            // Unique by our rule: Microsoft asks for it (idp-wire row 14), the RFC does not.
            Attribute {
                required: true,
                uniqueness: Uniqueness::Server,
                ..text("displayName", "The name of the group; unique in any case")
            },
            list(
                "members",
                "Who is in the group",
                vec![
                    immutable(text("value", "The id of the member")),
                    immutable(reference("$ref", "The address of the member", &["User", "Group"])),
                    immutable(kind_of(&["User", "Group"])),
                    on_request(read_only(text(
                        "display",
                        "The name of the member; looked up only when it is asked for",
                    ))),
                ],
            ),
        ],
    }
}

fn on_request(mut attribute: Attribute) -> Attribute {
    attribute.returned = Returned::Request;
    attribute
}

fn immutable(mut attribute: Attribute) -> Attribute {
    attribute.mutability = Mutability::Immutable;
    attribute
}
