//! The Group schema (RFC 7643 §4.2, §8.7.1).

use super::{GROUP, display, key, kind_of, link, list, read_only, text};
use crate::schema::{Attribute, Mutability, Returned, Schema, Uniqueness};

/// The Group schema.
pub(super) fn schema() -> Schema {
    let [value, reference] =
        link("The id of the member", "The address of the member", &["User", "Group"]);
    let shown = "The name of the member; looked up only when it is asked for";
    let display = Attribute { description: shown.into(), ..display() };
    Schema {
        id: GROUP.into(),
        name: "Group".into(),
        description: "A group of people".into(),
        attributes: vec![
            // Unique by our rule: Microsoft asks for it (idp-wire row 14), the RFC does not.
            Attribute {
                required: true,
                uniqueness: Uniqueness::Server,
                handling: key(),
                ..text("displayName", "The name of the group; unique in any case")
            },
            list(
                "members",
                "Who is in the group",
                vec![
                    // RFC 7643 §4.2 leaves it open; a member without an id is nobody.
                    Attribute { required: true, ..immutable(value) },
                    announced_immutable(reference),
                    immutable(kind_of(&["User", "Group"])),
                    on_request(read_only(display)),
                ],
            ),
        ],
    }
}

fn on_request(mut attribute: Attribute) -> Attribute {
    attribute.returned = Returned::Request;
    attribute
}

/// RFC 7643 §8.7.1 has it so, and clients make members of the parts that they may write.
fn announced_immutable(mut attribute: Attribute) -> Attribute {
    attribute.handling.announced = Some(Mutability::Immutable);
    attribute
}

fn immutable(mut attribute: Attribute) -> Attribute {
    attribute.mutability = Mutability::Immutable;
    attribute
}
