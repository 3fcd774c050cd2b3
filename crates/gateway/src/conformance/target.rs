//! What the server says about itself.

use super::check::Need;
use super::json::{at, items, text};
use serde_json::Value;

/// The URN of the User schema.
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the Group schema.
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The URN of the enterprise extension.
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The discovery documents, as far as they could be read; and which features were found by trying.
#[derive(Debug, Default)]
pub(super) struct Target {
    pub(super) config: Value,
    pub(super) types: Vec<Value>,
    pub(super) schemas: Vec<Value>,
    pub(super) has_search: bool,
    pub(super) has_token: bool,
}

impl Target {
    /// Why a check that needs this is not run.
    pub(super) fn lacks(&self, need: &Need) -> Option<String> {
        let unless = |there: bool, reason: &str| (!there).then(|| reason.to_owned());
        match need {
            Need::User => unless(self.serves("User"), "there is no resource type User"),
            Need::Group => unless(self.serves("Group"), "there is no resource type Group"),
            Need::Enterprise => {
                unless(self.has_enterprise(), "User has no enterprise extension here")
            }
            Need::Attribute(name) => {
                unless(self.has_attribute(name), &format!("the User schema has no {name} here"))
            }
            Need::Folded(name) => {
                let exact = self.attribute(USER, name).map(|one| at(one, "/caseExact"));
                let there = self.schema(USER).is_none() || exact.is_some();
                let folded = exact != Some(&Value::Bool(true));
                unless(
                    there && folded,
                    &format!("{name} is not there, or is announced as caseExact"),
                )
            }
            Need::Patch => self.announced("patch", true),
            Need::Filter => self.announced("filter", true),
            Need::Sort => self.announced("sort", false),
            Need::Etag => self.announced("etag", false),
            Need::Bulk => self.announced("bulk", false),
            Need::Cursor => unless(
                at(&self.config, "/pagination/cursor") == &Value::Bool(true),
                "ServiceProviderConfig announces no cursors (pagination.cursor)",
            ),
            Need::Search => unless(self.has_search, "POST /.search is not there"),
            Need::Token => unless(self.has_token, "no token was given"),
        }
    }

    /// Where nothing is announced, what every server is expected to have is tried.
    fn announced(&self, feature: &str, expected: bool) -> Option<String> {
        let path = format!("/{feature}/supported");
        match at(&self.config, &path) {
            Value::Bool(true) => None,
            Value::Bool(false) => {
                Some(format!("ServiceProviderConfig announces {feature} as unsupported"))
            }
            _ if expected => None,
            _ => Some(format!("ServiceProviderConfig does not announce {feature}")),
        }
    }

    fn serves(&self, name: &str) -> bool {
        self.types.is_empty() || self.kind(name).is_some()
    }

    fn kind(&self, name: &str) -> Option<&Value> {
        self.types.iter().find(|kind| text(kind, "/name").eq_ignore_ascii_case(name))
    }

    /// The path of a resource type, such as `/Users`.
    pub(super) fn endpoint(&self, name: &str) -> String {
        let announced = self.kind(name).map(|kind| text(kind, "/endpoint")).unwrap_or_default();
        if announced.is_empty() {
            return format!("/{name}s");
        }
        // Some servers announce a whole URL; its last segment is the endpoint.
        let last = announced.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        format!("/{last}")
    }

    /// A schema by its URN.
    pub(super) fn schema(&self, urn: &str) -> Option<&Value> {
        self.schemas.iter().find(|schema| text(schema, "/id").eq_ignore_ascii_case(urn))
    }

    /// An attribute of a schema, as it is announced.
    pub(super) fn attribute(&self, urn: &str, name: &str) -> Option<&Value> {
        let mut steps = name.split('.');
        let first = steps.next()?;
        let attributes = items(self.schema(urn)?, "/attributes");
        let named = |list: &'_ [Value], wanted: &str| {
            list.iter().position(|one| text(one, "/name").eq_ignore_ascii_case(wanted))
        };
        let found = attributes.get(named(attributes, first)?)?;
        let Some(second) = steps.next() else { return Some(found) };
        let inner = items(found, "/subAttributes");
        inner.get(named(inner, second)?)
    }

    /// Whether the User schema has the attribute; where no schema could be read, it is expected to.
    pub(super) fn has_attribute(&self, name: &str) -> bool {
        self.schema(USER).is_none() || self.attribute(USER, name).is_some()
    }

    fn has_enterprise(&self) -> bool {
        let Some(kind) = self.kind("User") else { return self.types.is_empty() };
        items(kind, "/schemaExtensions")
            .iter()
            .any(|extension| text(extension, "/schema").eq_ignore_ascii_case(ENTERPRISE))
    }

    /// A characteristic of a User attribute, if it is announced.
    pub(super) fn characteristic(&self, name: &str, which: &str) -> Option<&str> {
        at(self.attribute(USER, name)?, &format!("/{which}")).as_str()
    }
}
