//! The membership operations of a group's PATCH, folded into steps over rows.
//!
//! **Invariant**: a step costs as much as it names members, however large the group is.

use super::{At, MemberStep, Operation, PatchRequest, Verb};
use crate::document::check::is_unassigned;
use crate::error::{ErrorKind, ScimError};
use crate::filter::{Filter, ValuePath};
use crate::group::{Group, Member, MemberKind};
use crate::path::AttrPath;
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::ResourceType;
use serde_json::{Map, Value};
use std::collections::HashMap;

pub(super) fn split(
    request: PatchRequest,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<(PatchRequest, Vec<MemberStep>), ScimError> {
    let limits = request.limits;
    let mut steps = Steps {
        done: Vec::new(),
        open: Change::default(),
        named: 0,
        limit: limits.members,
        tolerance,
        notes,
    };
    let mut rest = Vec::new();
    for operation in request.operations {
        let number = operation.number;
        let kept =
            steps.take(operation, &limits.filter).map_err(|error| error.in_operation(number))?;
        rest.extend(kept);
    }
    Ok((PatchRequest { operations: rest, limits }, steps.finish()))
}

struct Steps<'a> {
    done: Vec<MemberStep>,
    open: Change,
    named: usize,
    limit: usize,
    tolerance: &'a Tolerance,
    notes: &'a mut Notes,
}

/// A [`MemberStep::Change`] in the making; each id with the place at which it was last named.
#[derive(Default)]
struct Change {
    clear: bool,
    add: HashMap<String, (usize, Option<MemberKind>)>,
    remove: HashMap<String, usize>,
    next: usize,
}

impl Change {
    fn add(&mut self, member: Member) {
        self.remove.remove(&member.id);
        self.next += 1;
        let place = self.next;
        let entry = self.add.entry(member.id).or_insert((place, None));
        entry.1 = member.kind.or(entry.1);
    }

    fn remove(&mut self, id: String) {
        self.add.remove(&id);
        self.next += 1;
        self.remove.entry(id).or_insert(self.next);
    }

    fn clear(&mut self) {
        *self = Self { clear: true, ..Self::default() };
    }

    fn into_step(self) -> Option<MemberStep> {
        let Self { clear, add, remove, .. } = self;
        if !clear && add.is_empty() && remove.is_empty() {
            return None;
        }
        let mut add: Vec<_> = add.into_iter().collect();
        add.sort_unstable_by_key(|(_, (place, _))| *place);
        let add = add.into_iter().map(|(id, (_, kind))| Member { id, kind }).collect();
        // What is cleared need not be removed one by one.
        let mut remove: Vec<_> = if clear { Vec::new() } else { remove.into_iter().collect() };
        remove.sort_unstable_by_key(|(_, place)| *place);
        let remove = remove.into_iter().map(|(id, _)| id).collect();
        Some(MemberStep::Change { clear, add, remove })
    }
}

impl Steps<'_> {
    /// Takes what is about members; gives back what is not.
    fn take(
        &mut self,
        operation: Operation,
        limits: &crate::FilterLimits,
    ) -> Result<Option<Operation>, ScimError> {
        let Operation { number, verb, at } = operation;
        let at = match at {
            At::Path(path, value) if is_members(&path.attr) => {
                self.at(verb, &path, value.as_ref())?;
                return Ok(None);
            }
            At::Path(path, value) => At::Path(path, value),
            At::Resource(mut parts) => {
                self.keys(verb, &mut parts, limits)?;
                // Okta nests nothing, but the core URN is as good a key as any (RFC 7644 §3.10).
                let core = &ResourceType::group().core.id;
                for (key, value) in &mut parts {
                    if let (true, Value::Object(inner)) = (key.eq_ignore_ascii_case(core), value) {
                        self.dotted(key)?;
                        self.keys(verb, inner, limits)?;
                    }
                }
                if parts.is_empty() {
                    return Ok(None);
                }
                At::Resource(parts)
            }
        };
        Ok(Some(Operation { number, verb, at }))
    }

    /// The keys of a path-less value that are about members. idp-wire row 8: without such a key, members stay.
    fn keys(
        &mut self,
        verb: Verb,
        parts: &mut Map<String, Value>,
        limits: &crate::FilterLimits,
    ) -> Result<(), ScimError> {
        let keys: Vec<String> = parts
            .keys()
            .filter(|key| key.to_ascii_lowercase().contains("members"))
            .cloned()
            .collect();
        for key in keys {
            let Ok(path) = ValuePath::parse(&key, limits, self.tolerance, self.notes) else {
                continue;
            };
            if is_members(&path.attr)
                && let Some(value) = parts.remove(&key)
            {
                if path.filter.is_some() || path.attr.urn.is_some() || path.attr.sub.is_some() {
                    self.dotted(&key)?;
                }
                self.at(verb, &path, Some(&value))?;
            }
        }
        Ok(())
    }

    /// A key that is a path rather than a name.
    fn dotted(&mut self, key: &str) -> Result<(), ScimError> {
        self.tolerance.bend(Quirk::DottedKey, self.notes, || {
            let key = crate::document::check::shown(key);
            let detail =
                format!("the key {key} is a path; send it as the path of its own operation.");
            error(ErrorKind::InvalidSyntax, detail)
        })
    }

    fn at(&mut self, verb: Verb, path: &ValuePath, value: Option<&Value>) -> Result<(), ScimError> {
        let part = path.sub.as_deref().or(path.attr.sub.as_deref());
        match part {
            None => {}
            Some(part)
                if part.eq_ignore_ascii_case("value")
                    && verb == Verb::Remove
                    && path.filter.is_none()
                    && value.is_none_or(is_unassigned) =>
            {
                let detail = "members.value cannot be removed from all members; use the path members \
                              to remove all, or members[value eq \"…\"].";
                return Err(error(ErrorKind::InvalidPath, detail.into()));
            }
            Some(part) if part.eq_ignore_ascii_case("value") => {}
            // They follow from the id (idp-wire §6: "members.display changed"). `displayName` is in a sample of
            // RFC 7644 §3.5.2.
            Some(part)
                if ["display", "displayName", "$ref", "type"]
                    .iter()
                    .any(|p| p.eq_ignore_ascii_case(part)) =>
            {
                let name = format!("members.{}", part.to_ascii_lowercase());
                self.tolerance.bend(Quirk::ReadOnlyEcho, self.notes, || {
                    let detail = format!("{name} follows from the id; leave it out.");
                    ScimError::new(ErrorKind::Mutability, detail).about(name.as_str())
                })?;
                self.notes.ignored(name);
                return Ok(());
            }
            Some(part) => {
                let part = crate::document::check::shown(part);
                let detail = format!("the path members.{part} is not an attribute of Group.");
                return Err(error(ErrorKind::InvalidPath, detail));
            }
        }
        match &path.filter {
            Some(filter) => self.selected(verb, filter, value),
            None => self.whole(verb, value),
        }
    }

    /// `members` without a filter.
    fn whole(&mut self, verb: Verb, value: Option<&Value>) -> Result<(), ScimError> {
        match (verb, value) {
            (Verb::Remove, None) => self.open.clear(),
            (Verb::Remove, Some(value)) => {
                // idp-wire row 6: only those named. Seven servers emptied the whole group instead.
                self.no_value()?;
                // null, "" and [] are the same (idp-wire row 19), and name nobody.
                if is_unassigned(value) {
                    return Ok(());
                }
                for member in self.members(value)? {
                    self.open.remove(member.id);
                }
            }
            (Verb::Add | Verb::Replace, value) => {
                let value = value.filter(|value| !value.is_null());
                // RFC 7644 §3.5.2.1: "a new value" may stand without a list around it.
                let members = match value {
                    None => Vec::new(),
                    Some(one @ Value::Object(parts)) if verb == Verb::Add && !parts.is_empty() => {
                        self.members(&Value::Array(vec![one.clone()]))?
                    }
                    Some(value) => self.members(value)?,
                };
                if verb == Verb::Replace {
                    self.open.clear();
                }
                for member in members {
                    self.open.add(member);
                }
            }
        }
        Ok(())
    }

    fn no_value(&mut self) -> Result<(), ScimError> {
        self.tolerance.bend(Quirk::RemoveWithValue, self.notes, || {
            let detail = "members takes no value on remove; use the path members[value eq \"…\"].";
            error(ErrorKind::InvalidValue, detail.into())
        })
    }

    fn members(&mut self, value: &Value) -> Result<Vec<Member>, ScimError> {
        let members = Group::parse_members(value, self.tolerance, self.notes, self.limit)?;
        self.count(members.len())?;
        Ok(members)
    }

    fn count(&mut self, more: usize) -> Result<(), ScimError> {
        self.named += more;
        if self.named > self.limit {
            let detail = format!(
                "the operations name more than {} members, which is the limit of one request; \
                 send them in several.",
                self.limit
            );
            return Err(error(ErrorKind::InvalidValue, detail));
        }
        Ok(())
    }

    /// `members[…]`, or `members[…].value`.
    fn selected(
        &mut self,
        verb: Verb,
        filter: &Filter,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        // Bound in any case, so that a filter is refused for what it says and not for how it is run.
        let condition = match ResourceType::group().attribute("members") {
            Some(list) => filter.bind_element(list, self.tolerance, self.notes)?,
            None => return Err(error(ErrorKind::InvalidPath, "members is not known.".into())),
        };
        if verb == Verb::Remove && value.is_some_and(|value| !value.is_null()) {
            self.no_value()?;
        }
        let ids = filter.ids();
        match (verb, ids) {
            (Verb::Remove, Some(ids)) => {
                self.count(ids.len())?;
                for id in ids {
                    self.open.remove(id);
                }
            }
            (Verb::Remove, None) => {
                self.done.extend(std::mem::take(&mut self.open).into_step());
                self.done.push(MemberStep::RemoveWhere(condition));
            }
            (Verb::Add | Verb::Replace, Some(ids)) => {
                if value.is_some_and(|value| names_other(value, &ids)) {
                    let detail = "members.value cannot be changed; remove the one member and add \
                                  the other.";
                    return Err(error(ErrorKind::Mutability, detail.into()));
                }
                self.count(ids.len())?;
                for id in ids {
                    self.open.add(Member { id, kind: None });
                }
            }
            (Verb::Add | Verb::Replace, None) => {
                let detail = "members can be added by their id only; use the path members and \
                              the value [{\"value\": \"…\"}].";
                return Err(error(ErrorKind::NoTarget, detail.into()));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<MemberStep> {
        self.done.extend(self.open.into_step());
        self.done
    }
}

fn is_members(path: &AttrPath) -> bool {
    let of = ResourceType::group();
    path.name.eq_ignore_ascii_case("members")
        && path.urn.as_deref().is_none_or(|urn| urn.eq_ignore_ascii_case(&of.core.id))
}

/// Whether a value for the members chosen by their ids names somebody else: the id of a member is immutable (RFC 7643
/// §4.2), and a member that is replaced by another would be two changes.
fn names_other(value: &Value, ids: &[String]) -> bool {
    match value {
        value if is_unassigned(value) => false,
        Value::String(id) => !ids.iter().any(|own| own == id),
        Value::Array(items) => items.iter().any(|item| names_other(item, ids)),
        Value::Object(parts) => {
            let part = |name: &str| {
                parts.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, part)| part)
            };
            match part("value").filter(|id| !is_unassigned(id)) {
                Some(id) => names_other(id, ids),
                None => part("$ref").and_then(Value::as_str).is_some_and(|address| {
                    let id = address.rsplit('/').next().unwrap_or_default();
                    !ids.iter().any(|own| own == id)
                }),
            }
        }
        other => !ids.contains(&other.to_string()),
    }
}

fn error(kind: ErrorKind, detail: String) -> ScimError {
    ScimError::new(kind, detail).about("members")
}
