//! What the parts of an element say of it, by their roles in the schema (RFC 7643 §2.4).

use super::edit::Edit;
use crate::schema::Role;
use serde_json::{Map, Value};

impl<'a> Edit<'a> {
    /// Tells the part that has this role by its canonical name.
    pub(super) fn is_part(&self, role: Role) -> impl Fn(&str) -> bool + use<'a> {
        let attribute = self.attribute;
        move |name| attribute.part(role).is_some_and(|part| part.name == name)
    }

    /// Whether nothing is left of an element but what describes a value.
    pub(super) fn is_hollow(&self, element: &Map<String, Value>) -> bool {
        let describes = [Role::Type, Role::Primary, Role::Display].map(|role| self.is_part(role));
        element.keys().all(|key| describes.iter().any(|is_it| is_it(key)))
    }

    /// Whether `named` names the element: all its parts are the element's, but for those that only describe.
    pub(super) fn is_named(&self, element: &Value, named: &Value) -> bool {
        let (Value::Object(element), Value::Object(named)) = (element, named) else {
            return element == named;
        };
        let only = [Role::Display, Role::Primary, Role::Reference].map(|role| self.is_part(role));
        named
            .iter()
            .filter(|(key, _)| !only.iter().any(|is_it| is_it(key)))
            .all(|(key, part)| element.get(key) == Some(part))
    }
}
