//! The schemas of RFC 7643 as data: the common attributes, User, its enterprise extension and Group.
//!
//! Where §8.7.1 and the text differ, the text is followed: references and binaries are case exact (§2.3.6, §2.3.7),
//! a group needs a `displayName` (§4.2). `password` is taken and dropped, so it is here and not announced. The `$ref`
//! of a manager and of a member follows from its `value`, so both are readOnly.
//!
//! **Invariant**: what is announced is what is stored and returned.

pub mod discovery;
mod enterprise;
mod group;
mod user;

use super::{
    Attribute, Handling, Kind, Mutability, ResourceType, Returned, Role, Sent, Uniqueness,
};

/// The URN of the User schema (RFC 7643 §4.1).
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the enterprise extension of User (RFC 7643 §4.3).
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The URN of the Group schema (RFC 7643 §4.2).
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The User resource type.
pub(crate) fn user() -> ResourceType {
    ResourceType {
        name: "User".into(),
        endpoint: "/Users".into(),
        description: "People who use the product".into(),
        common: common(),
        core: user::schema(),
        extensions: vec![enterprise::schema()],
        hides: false,
    }
}

/// The Group resource type.
pub(crate) fn group() -> ResourceType {
    ResourceType {
        name: "Group".into(),
        endpoint: "/Groups".into(),
        description: "Groups of people".into(),
        common: common(),
        core: group::schema(),
        extensions: vec![],
        hides: false,
    }
}

/// What every resource has (RFC 7643 §3.1), and `schemas` (§3).
fn common() -> Vec<Attribute> {
    vec![
        // URNs are compared in any case (RFC 8141 §3.1 for "urn" and the namespace; RFC 7644 §3.10 for the rest).
        Attribute {
            multi_valued: true,
            required: true,
            case_exact: false,
            mutability: Mutability::ReadOnly,
            returned: Returned::Always,
            handling: echoed(),
            ..reference("schemas", "The URNs of the schemas of this resource", &["uri"])
        },
        Attribute {
            case_exact: true,
            mutability: Mutability::ReadOnly,
            returned: Returned::Always,
            uniqueness: Uniqueness::Server,
            handling: echoed(),
            ..text("id", "The identifier of the resource, given by the service")
        },
        Attribute {
            case_exact: true,
            handling: key(),
            ..text("externalId", "The identifier of the resource at the identity provider")
        },
        read_only(complex(
            "meta",
            "Facts about the resource, kept by the service",
            vec![
                Attribute {
                    case_exact: true,
                    ..text("resourceType", "The name of the resource type")
                },
                date_time("created", "When the resource was made"),
                date_time("lastModified", "When the resource last changed"),
                reference("location", "The address of the resource", &["uri"]),
                Attribute {
                    case_exact: true,
                    ..text("version", "The version of the resource, as in the ETag")
                },
            ],
        )),
    ]
}

/// A text attribute with the defaults of RFC 7643 §2.2.
fn text(name: &str, description: &str) -> Attribute {
    Attribute {
        name: name.into(),
        kind: Kind::String,
        multi_valued: false,
        description: description.into(),
        required: false,
        case_exact: false,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        uniqueness: Uniqueness::None,
        canonical_values: vec![],
        reference_types: vec![],
        sub_attributes: vec![],
        handling: Handling::default(),
    }
}

/// A text that is the key of an index, whose rows have a limit.
fn key() -> Handling {
    Handling { longest_bytes: 1024, ..Handling::default() }
}

fn echoed() -> Handling {
    Handling { sent: Sent::Echoed, ..Handling::default() }
}

/// The same attribute, as a part with this role.
fn of_role(role: Role, mut attribute: Attribute) -> Attribute {
    attribute.handling.role = role;
    attribute
}

fn boolean(name: &str, description: &str) -> Attribute {
    Attribute { kind: Kind::Boolean, ..text(name, description) }
}

fn date_time(name: &str, description: &str) -> Attribute {
    Attribute { kind: Kind::DateTime, ..text(name, description) }
}

/// Binaries are case exact (RFC 7643 §2.3.6).
fn binary(name: &str, description: &str) -> Attribute {
    Attribute { kind: Kind::Binary, case_exact: true, ..text(name, description) }
}

/// References are case exact (RFC 7643 §2.3.7).
fn reference(name: &str, description: &str, types: &[&str]) -> Attribute {
    Attribute {
        kind: Kind::Reference,
        case_exact: true,
        reference_types: owned(types),
        ..text(name, description)
    }
}

fn complex(name: &str, description: &str, sub_attributes: Vec<Attribute>) -> Attribute {
    Attribute { kind: Kind::Complex, sub_attributes, ..text(name, description) }
}

fn list(name: &str, description: &str, sub_attributes: Vec<Attribute>) -> Attribute {
    Attribute { multi_valued: true, ..complex(name, description, sub_attributes) }
}

/// The `type` of an element, with the values that RFC 7643 suggests.
fn kind_of(values: &[&str]) -> Attribute {
    let kind = text("type", "What the value is for");
    of_role(Role::Type, Attribute { canonical_values: owned(values), ..kind })
}

fn display() -> Attribute {
    of_role(Role::Display, text("display", "The value as people read it"))
}

fn primary() -> Attribute {
    let primary = boolean("primary", "Whether this is the preferred value; true once at most");
    of_role(Role::Primary, primary)
}

fn read_only(mut attribute: Attribute) -> Attribute {
    attribute.mutability = Mutability::ReadOnly;
    attribute.sub_attributes = attribute.sub_attributes.into_iter().map(read_only).collect();
    attribute
}

/// The id of another resource, and its address, which follows from the id.
fn link(value: &str, reference_to: &str, types: &[&str]) -> [Attribute; 2] {
    [
        of_role(Role::Value, text("value", value)),
        of_role(Role::Reference, read_only(reference("$ref", reference_to, types))),
    ]
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|&value| value.into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk<'a>(attributes: &'a [Attribute], visit: &mut impl FnMut(&'a Attribute)) {
        for attribute in attributes {
            visit(attribute);
            walk(&attribute.sub_attributes, visit);
        }
    }

    #[test]
    fn an_attribute_is_complex_exactly_when_it_has_parts() {
        for of in [ResourceType::user(), ResourceType::group()] {
            let schemas = of.extensions.iter().chain([&of.core]);
            for attributes in schemas.map(|s| &s.attributes).chain([&of.common]) {
                walk(attributes, &mut |a| {
                    assert_eq!(a.kind == Kind::Complex, !a.sub_attributes.is_empty(), "{}", a.name);
                    assert_eq!(
                        a.kind == Kind::Reference,
                        !a.reference_types.is_empty(),
                        "{}",
                        a.name
                    );
                    assert!(!a.description.is_empty(), "{}", a.name);
                });
            }
        }
    }

    #[test]
    fn no_name_occurs_twice_in_any_case() {
        for of in [ResourceType::user(), ResourceType::group()] {
            let mut names: Vec<String> = of
                .common
                .iter()
                .chain(&of.core.attributes)
                .map(|a| a.name.to_lowercase())
                .collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }

    #[test]
    fn the_user_schema_has_every_attribute_of_rfc_7643() {
        let names: Vec<&str> =
            ResourceType::user().core.attributes.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "userName",
                "name",
                "displayName",
                "nickName",
                "profileUrl",
                "title",
                "userType",
                "preferredLanguage",
                "locale",
                "timezone",
                "active",
                "password",
                "emails",
                "phoneNumbers",
                "ims",
                "photos",
                "addresses",
                "groups",
                "entitlements",
                "roles",
                "x509Certificates"
            ]
        );
    }

    #[test]
    fn the_groups_of_a_user_are_read_only_in_every_part() {
        let groups = ResourceType::user().attribute("GROUPS").unwrap();
        walk(std::slice::from_ref(groups), &mut |a| {
            assert_eq!(a.mutability, Mutability::ReadOnly, "{}", a.name);
        });
    }
}
