//! One attribute before and after one operation: lists as a whole.

use super::Verb;
use super::edit::Edit;
use crate::document::check::{coerce, coerce_element, collapse, is_unassigned};
use crate::error::ScimError;
use crate::normal::comparable;
use crate::quirk::Quirk;
use crate::schema::{Attribute, Kind, Role};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

impl Edit<'_> {
    /// A list, or the part `sub` of all its elements.
    pub(super) fn list(
        &mut self,
        current: Option<Value>,
        verb: Verb,
        sub: Option<&Attribute>,
        value: Option<&Value>,
    ) -> Result<Option<Value>, ScimError> {
        let list = elements(current);
        if let Some(sub) = sub {
            return self.part_of_all(list, verb, sub, value).map(some);
        }
        let value = value.filter(|value| !value.is_null());
        let value = match value {
            Some(value) if self.attribute.kind != Kind::Complex => Some(self.unwrapped(value)?),
            value => value.map(Cow::Borrowed),
        };
        match (verb, value) {
            (Verb::Remove, Some(value)) => self.remove_named(list, &value).map(some),
            (Verb::Remove, None) => Ok(None),
            (Verb::Replace, value) => {
                let Some(value) = value else { return Ok(None) };
                coerce(self.attribute, self.path, &value, self.tolerance, self.notes)
            }
            // Nothing to add: RFC 7643 §2.5 makes null and [] one, and neither is a value.
            (Verb::Add, None) => Ok(some(list)),
            (Verb::Add, Some(value)) => self.append(list, &value).map(some),
        }
    }

    /// RFC 7644 §3.5.2.1: values are appended, and one that is there already is left as it is. "A new value" may also
    /// stand without a list around it.
    fn append(&mut self, mut list: Vec<Value>, value: &Value) -> Result<Vec<Value>, ScimError> {
        let (of, path) = (self.attribute, self.path);
        let added = if value.is_array() || is_unassigned(value) {
            elements(coerce(of, path, value, self.tolerance, self.notes)?)
        } else {
            Vec::from_iter(coerce_element(of, path, value, self.tolerance, self.notes)?)
        };
        self.effort.spend(list.len() + added.len())?;
        let mut places: HashMap<String, usize> = list
            .iter()
            .enumerate()
            .map(|(place, element)| (self.identity(element), place))
            .collect();
        let (is_value, is_type) = (self.is_part(Role::Value), self.is_part(Role::Type));
        let mut touched = Vec::with_capacity(added.len());
        for element in added {
            let place = *places.entry(self.identity(&element)).or_insert(list.len());
            touched.push(place);
            match (list.get_mut(place), element) {
                (Some(Value::Object(there)), Value::Object(parts)) => {
                    let news = parts.into_iter().filter(|(key, _)| !is_value(key) && !is_type(key));
                    there.extend(news);
                }
                (Some(_), _) => {}
                (None, element) => list.push(element),
            }
        }
        self.settle_primary(&mut list, &touched)?;
        // Two values may have differed in `primary` alone.
        collapse(&mut list);
        Ok(list)
    }

    /// What makes an element that element: RFC 7643 §2.4 has no pair of `value` and `type` twice.
    fn identity(&self, element: &Value) -> String {
        let mut compared = comparable(self.attribute, element);
        if let Value::Object(parts) = &mut compared {
            let (is_value, is_type) = (self.is_part(Role::Value), self.is_part(Role::Type));
            if parts.keys().any(|key| is_value(key)) {
                parts.retain(|key, _| is_value(key) || is_type(key));
            } else {
                let is_primary = self.is_part(Role::Primary);
                parts.retain(|key, _| !is_primary(key));
            }
        }
        compared.to_string()
    }

    /// Entra and others remove with a list of values (idp-wire row 6). Removing everything instead lost whole lists.
    fn remove_named(
        &mut self,
        mut list: Vec<Value>,
        value: &Value,
    ) -> Result<Vec<Value>, ScimError> {
        self.bend(
            Quirk::RemoveWithValue,
            "takes no value on remove; name the values in a filter, as in [value eq \"…\"]",
        )?;
        let named = coerce(self.attribute, self.path, value, self.tolerance, self.notes)?;
        let named: Vec<Value> =
            elements(named).iter().map(|named| comparable(self.attribute, named)).collect();
        self.effort.spend(list.len().saturating_mul(named.len()))?;
        list.retain(|element| {
            let element = comparable(self.attribute, element);
            !named.iter().any(|named| self.is_named(&element, named))
        });
        Ok(list)
    }

    fn part_of_all(
        &mut self,
        mut list: Vec<Value>,
        verb: Verb,
        sub: &Attribute,
        value: Option<&Value>,
    ) -> Result<Vec<Value>, ScimError> {
        if verb == Verb::Remove {
            self.no_value(value)?;
        }
        let value = value.filter(|value| verb != Verb::Remove && !is_unassigned(value));
        if list.is_empty() && value.is_some() {
            self.bend(Quirk::ElementCreated, "has no values; add one with a type")?;
            list.push(Value::Object(Map::new()));
        }
        let all: Vec<usize> = (0..list.len()).collect();
        self.part_of_some(list, &all, sub, value)
    }

    /// Sets or, without a value, removes the part `sub` of the elements `chosen`.
    pub(super) fn part_of_some(
        &mut self,
        mut list: Vec<Value>,
        chosen: &[usize],
        sub: &Attribute,
        value: Option<&Value>,
    ) -> Result<Vec<Value>, ScimError> {
        self.effort.spend(list.len())?;
        for &place in chosen {
            if let Some(Value::Object(element)) = list.get_mut(place) {
                self.set_part(element, sub, value)?;
                if value.is_none() && self.is_hollow(element) {
                    element.clear();
                }
            }
        }
        self.settle_primary(&mut list, chosen)?;
        list.retain(|element| !is_unassigned(element));
        collapse(&mut list);
        Ok(list)
    }

    /// RFC 7644 §3.5.2: when a value becomes primary, the others no longer are.
    pub(super) fn settle_primary(
        &mut self,
        list: &mut [Value],
        touched: &[usize],
    ) -> Result<(), ScimError> {
        let Some(primary) = self.attribute.part(Role::Primary) else { return Ok(()) };
        let is_primary = |element: &Value| element.get(&primary.name) == Some(&Value::Bool(true));
        let mut new = touched.iter().copied().filter(|&p| list.get(p).is_some_and(is_primary));
        let Some(first) = new.next() else { return Ok(()) };
        let keeps = match new.next_back() {
            Some(last) if last != first => {
                self.bend(Quirk::ManyPrimaries, "may have one value with primary true only")?;
                last
            }
            _ => first,
        };
        for (place, element) in list.iter_mut().enumerate() {
            if place != keeps
                && is_primary(element)
                && let Some(truth) = element.get_mut(&primary.name)
            {
                *truth = Value::Bool(false);
            }
        }
        Ok(())
    }
}

pub(super) fn elements(current: Option<Value>) -> Vec<Value> {
    match current {
        Some(Value::Array(list)) => list,
        Some(single) => vec![single],
        None => Vec::new(),
    }
}

pub(super) fn some(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then_some(Value::Array(list))
}
