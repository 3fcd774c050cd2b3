//! The enterprise extension of User (RFC 7643 §4.3, §8.7.1).

use super::{ENTERPRISE_USER, complex, link, read_only, text};
use crate::schema::Schema;

/// The `EnterpriseUser` schema.
pub(super) fn schema() -> Schema {
    let [value, reference] = link("The id of the manager", "The address of the manager", &["User"]);
    let display_name = read_only(text("displayName", "The display name of the manager"));
    Schema {
        id: ENTERPRISE_USER.into(),
        name: "EnterpriseUser".into(),
        description: "A person's place in the organization".into(),
        attributes: vec![
            text("employeeNumber", "The number the organization gave the person"),
            text("costCenter", "The name of the cost center"),
            text("organization", "The name of the organization"),
            text("division", "The name of the division"),
            text("department", "The name of the department"),
            complex("manager", "The person's manager", vec![value, reference, display_name]),
        ],
    }
}
