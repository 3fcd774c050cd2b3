//! The schemas of RFC 7643 as data: User, EnterpriseUser, Group.

use super::{ResourceType, Schema};

fn empty(id: &str) -> Schema {
    Schema { id: id.into(), name: String::new(), description: String::new(), attributes: vec![] }
}

/// The User resource type.
pub(crate) fn user() -> ResourceType {
    ResourceType {
        name: "User".into(),
        endpoint: "/Users".into(),
        description: String::new(),
        common: vec![],
        core: empty("urn:ietf:params:scim:schemas:core:2.0:User"),
        extensions: vec![],
    }
}

/// The Group resource type.
pub(crate) fn group() -> ResourceType {
    ResourceType {
        name: "Group".into(),
        endpoint: "/Groups".into(),
        description: String::new(),
        common: vec![],
        core: empty("urn:ietf:params:scim:schemas:core:2.0:Group"),
        extensions: vec![],
    }
}
