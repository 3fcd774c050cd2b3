//! A group: a document that has a `displayName`, and its members beside it.
//!
//! **Invariant**: the document holds no members. They are rows of their own, so that a change of one does not cost
//! as much as the group is large.

use crate::attributes::Attributes;
use crate::document::Document;
use crate::document::check::{coerce, is_unassigned};
use crate::document::parts::parts;
use crate::error::{ErrorKind, ScimError};
use crate::normal::fold;
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Attribute, ResourceType, Role};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The longest key, in bytes: an index row must hold it, and folding may lengthen a name.
const KEY_BYTES: usize = 2048;
/// The longest id that a member can be named by, in bytes.
const ID_BYTES: usize = 255;

/// A group as the identity provider wants it (RFC 7643 §4.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    document: Document,
    display_key: String,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberKind {
    /// A person.
    User,
    /// Another group.
    Group,
}

/// One member as the identity provider names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id of the resource.
    pub id: String,
    /// What it is, when the identity provider says so.
    pub kind: Option<MemberKind>,
}

impl Group {
    /// Reads the body of a POST or PUT. No list means that the body has no `members` at all; `[]` and null give an
    /// empty list. Each member is listed once, in the order of the body.
    ///
    /// # Errors
    /// As [`Document::parse`] and [`Document::check_required`]; `invalidValue` when there are too many members.
    pub fn parse(
        body: &Attributes,
        of: &ResourceType,
        tolerance: &Tolerance,
        member_limit: usize,
    ) -> Result<(Group, Option<Vec<Member>>, Notes), ScimError> {
        let mut notes = Notes::default();
        let (document, members) =
            Document::parse_without("members", body, of, tolerance, &mut notes)?;
        document.check_required(of)?;
        let group = Self::from_document(document, tolerance, &mut notes)?;
        let members = members
            .map(|value| Self::parse_members(value, tolerance, &mut notes, member_limit))
            .transpose()?;
        Ok((group, members, notes))
    }

    /// The result of a PATCH, or a stored document; members in it are dropped.
    ///
    /// # Errors
    /// `invalidValue` when `displayName` is missing or blank.
    pub fn from_document(
        mut document: Document,
        _tolerance: &Tolerance,
        _notes: &mut Notes,
    ) -> Result<Group, ScimError> {
        let display_name = document.text("displayName").unwrap_or_default();
        if display_name.trim().is_empty() {
            return Err(ScimError::missing(&["displayName".to_owned()]));
        }
        let display_key = fold(display_name);
        if display_key.len() > KEY_BYTES {
            let detail = "displayName is too long; at most 1024 bytes are kept.";
            return Err(refused("displayName", detail.into()));
        }
        document.set("members", Value::Null);
        Ok(Self { document, display_key })
    }

    /// Reads a list of members, a single one, or plain ids. `display` and `$ref` are not kept: they follow from the id.
    ///
    /// # Errors
    /// `invalidValue` when one has no id, or there are more than `limit`.
    pub fn parse_members(
        value: &Value,
        tolerance: &Tolerance,
        notes: &mut Notes,
        limit: usize,
    ) -> Result<Vec<Member>, ScimError> {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            Value::Null => &[],
            value if is_unassigned(value) => {
                let rule = "members has an empty value; send null or an empty list.";
                allow(Quirk::EmptyValue, rule, tolerance, notes)?;
                &[]
            }
            one => {
                allow(Quirk::ListShape, "members takes a list of values.", tolerance, notes)?;
                std::slice::from_ref(one)
            }
        };
        if items.len() > limit {
            let detail = format!(
                "members has {} values; one request may name {limit}. Send them in several.",
                items.len()
            );
            return Err(refused("members", detail));
        }
        let mut seen = HashSet::with_capacity(items.len());
        let mut members = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let member = member(item, index + 1, tolerance, notes)?;
            // RFC 7643 §2.4 has no value twice; Entra and Okta send some so (idp-wire row 7).
            if seen.insert(member.id.clone()) {
                members.push(member);
            } else {
                let rule = "members has the same member twice.";
                allow(Quirk::DuplicateValue, rule, tolerance, notes)?;
            }
        }
        Ok(members)
    }

    /// The group that a PUT of this one leaves where `old` was, as [`Document::replacing`] says.
    ///
    /// # Errors
    /// `mutability` when an immutable attribute has another value already.
    pub fn replacing(self, old: &Document, of: &ResourceType) -> Result<Group, ScimError> {
        // The name is readWrite, so it is the new one.
        Ok(Self { document: self.document.replacing(old, of)?, display_key: self.display_key })
    }

    /// The attributes, without the members.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The name as it was sent.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.document.text("displayName").unwrap_or_default()
    }

    /// The name as it is compared and indexed.
    #[must_use]
    pub fn display_key(&self) -> &str {
        &self.display_key
    }

    /// The identity provider's own id.
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.document.text("externalId")
    }
}

/// The member that the list's value of this number (counted from 1) names.
fn member(
    item: &Value,
    number: usize,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Member, ScimError> {
    let schema = ResourceType::group().attribute("members");
    let (mut id, mut kind) = (None, None);
    match (item, schema) {
        // The usual one, without a look at the schema: there may be a hundred thousand.
        (Value::Object(parts), _) if is_plain(parts) => {
            id = parts.get("value").and_then(Value::as_str).map(str::to_owned);
            kind = parts.get("type").and_then(|part| member_kind(part, notes));
        }
        (Value::Object(object), Some(schema)) => {
            for (sub, part) in parts(schema, "members", object, tolerance, notes)? {
                match sub.handling.role {
                    Role::Value => id = id_of(sub, &part, tolerance, notes)?,
                    Role::Type => kind = member_kind(&part, notes),
                    // They follow from the id.
                    Role::Display | Role::Reference | Role::Primary | Role::None => {}
                }
            }
        }
        (Value::String(_) | Value::Number(_) | Value::Bool(_), Some(schema)) => {
            let rule = "members takes objects; send {\"value\": …}.";
            allow(Quirk::PlainElement, rule, tolerance, notes)?;
            if let Some(sub) = schema.part(Role::Value) {
                id = id_of(sub, item, tolerance, notes)?;
            }
        }
        _ => {}
    }
    let Some(id) = id else {
        let detail = format!("members: value number {number} has no id in its \"value\".");
        return Err(refused("members.value", detail));
    };
    if id.len() > ID_BYTES {
        let detail = format!("members: value number {number} is too long for an id.");
        return Err(refused("members.value", detail));
    }
    Ok(Member { id, kind })
}

/// Whether the schema's own names are there alone, and the id is text.
fn is_plain(parts: &Map<String, Value>) -> bool {
    let has_id = parts.get("value").and_then(Value::as_str).is_some_and(|id| !id.is_empty());
    let is_known = |name: &String| matches!(name.as_str(), "value" | "type" | "display" | "$ref");
    has_id && parts.keys().all(is_known)
}

/// Coerced as any other text, so that a number or a list of one is taken where the tenant tolerates it.
fn id_of(
    sub: &Attribute,
    value: &Value,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Option<String>, ScimError> {
    match coerce(sub, "members.value", value, tolerance, notes)? {
        Some(Value::String(id)) => Ok(Some(id)),
        _ => Ok(None),
    }
}

/// RFC 7643 §4.2 knows `User` and `Group`; anything else says nothing, and the id alone decides.
fn member_kind(value: &Value, notes: &mut Notes) -> Option<MemberKind> {
    match value.as_str() {
        Some(kind) if kind.eq_ignore_ascii_case("User") => Some(MemberKind::User),
        Some(kind) if kind.eq_ignore_ascii_case("Group") => Some(MemberKind::Group),
        _ if is_unassigned(value) => None,
        _ => {
            notes.ignored("members.type");
            None
        }
    }
}

fn allow(
    quirk: Quirk,
    rule: &str,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    tolerance.bend(quirk, notes, || refused("members", rule.to_owned()))
}

fn refused(attribute: &str, detail: String) -> ScimError {
    ScimError::new(ErrorKind::InvalidValue, detail).about(attribute)
}
