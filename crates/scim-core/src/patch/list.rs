//! One attribute before and after one operation: lists, and elements chosen by a filter.

use super::Verb;
use super::edit::Edit;
use crate::document::check::{coerce, coerce_element, collapse, is_unassigned};
use crate::error::{ErrorKind, ScimError};
use crate::filter::{Filter, Literal};
use crate::normal::comparable;
use crate::quirk::Quirk;
use crate::schema::{Attribute, Kind};
use serde_json::{Map, Value};
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
        match (verb, value) {
            (Verb::Remove, Some(value)) => self.remove_named(list, value).map(some),
            (Verb::Remove, None) => Ok(None),
            (Verb::Replace, value) => {
                let Some(value) = value else { return Ok(None) };
                coerce(self.attribute, self.path, value, self.tolerance, self.notes)
            }
            // Nothing to add: RFC 7643 §2.5 makes null and [] one, and neither is a value.
            (Verb::Add, None) => Ok(some(list)),
            (Verb::Add, Some(value)) => self.append(list, value).map(some),
        }
    }

    /// RFC 7644 §3.5.2.1: values are appended, and one that is there already is left as it is.
    fn append(&mut self, mut list: Vec<Value>, value: &Value) -> Result<Vec<Value>, ScimError> {
        let added = coerce(self.attribute, self.path, value, self.tolerance, self.notes)?;
        let added = elements(added);
        self.effort.spend(list.len() + added.len())?;
        let mut places: HashMap<String, usize> = list
            .iter()
            .enumerate()
            .map(|(place, element)| (self.identity(element), place))
            .collect();
        let mut touched = Vec::with_capacity(added.len());
        for element in added {
            let place = *places.entry(self.identity(&element)).or_insert(list.len());
            touched.push(place);
            match (list.get_mut(place), element) {
                (Some(Value::Object(there)), Value::Object(parts)) => {
                    let news = parts.into_iter().filter(|(key, _)| key != "value" && key != "type");
                    there.extend(news);
                }
                (Some(_), _) => {}
                (None, element) => list.push(element),
            }
        }
        self.settle_primary(&mut list, &touched)?;
        Ok(list)
    }

    /// What makes an element that element: RFC 7643 §2.4 has no pair of `value` and `type` twice.
    fn identity(&self, element: &Value) -> String {
        let mut compared = comparable(self.attribute, element);
        if let Value::Object(parts) = &mut compared {
            if parts.contains_key("value") {
                parts.retain(|key, _| key == "value" || key == "type");
            } else {
                parts.remove("primary");
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
            !named.iter().any(|named| is_named(&element, named))
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
        let value = value.filter(|value| verb != Verb::Remove && !is_unassigned(value));
        if list.is_empty() && value.is_some() {
            self.bend(Quirk::ElementCreated, "has no values; add one with a type")?;
            list.push(Value::Object(Map::new()));
        }
        let all: Vec<usize> = (0..list.len()).collect();
        self.part_of_some(list, &all, sub, value)
    }

    /// Sets or, without a value, removes the part `sub` of the elements `chosen`.
    fn part_of_some(
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
                if value.is_none() && is_hollow(element) {
                    element.clear();
                }
            }
        }
        self.settle_primary(&mut list, chosen)?;
        list.retain(|element| !is_unassigned(element));
        collapse(&mut list);
        Ok(list)
    }

    /// The elements that hold `filter` (RFC 7644 §3.5.2), or the part `sub` of them.
    pub(super) fn selected(
        &mut self,
        current: Option<Value>,
        verb: Verb,
        filter: &Filter,
        sub: Option<&Attribute>,
        value: Option<&Value>,
    ) -> Result<Option<Value>, ScimError> {
        if self.attribute.kind != Kind::Complex {
            let rule = "has no parts, so its path takes no brackets";
            return Err(self.refusal(ErrorKind::InvalidPath, rule));
        }
        let list = self.selected_of(elements(current), verb, filter, sub, value)?;
        if self.attribute.multi_valued {
            return Ok(some(list));
        }
        Ok(list.into_iter().next_back())
    }

    fn selected_of(
        &mut self,
        mut list: Vec<Value>,
        verb: Verb,
        filter: &Filter,
        sub: Option<&Attribute>,
        value: Option<&Value>,
    ) -> Result<Vec<Value>, ScimError> {
        let condition = filter.bind_element(self.attribute, self.tolerance, self.notes)?;
        self.effort.spend(list.len().saturating_mul(1 + filter.terms()))?;
        let holds = |element: &Value| {
            comparable(self.attribute, element)
                .as_object()
                .is_some_and(|map| condition.matches(map))
        };
        let chosen: Vec<usize> = (0..)
            .zip(&list)
            .filter(|(_, element)| holds(element))
            .map(|(place, _)| place)
            .collect();
        let value = match value.filter(|_| verb != Verb::Remove) {
            Some(value) if sub.is_none() => Some(self.only(value)?),
            value => value,
        };
        let Some(value) = value.filter(|value| !is_unassigned(value)) else {
            if chosen.is_empty() {
                self.bend_target("matches no value, so there is nothing to remove")?;
                return Ok(list);
            }
            if let Some(sub) = sub {
                return self.part_of_some(list, &chosen, sub, None);
            }
            list.retain(|element| !holds(element));
            return Ok(list);
        };
        if chosen.is_empty() {
            let Some(element) = self.created(filter, sub, value, !list.is_empty())? else {
                return Ok(list);
            };
            let only_equals = filter.equalities().is_some_and(|(_, only)| only);
            if !only_equals && !holds(&element) {
                return Err(self.no_target());
            }
            // It may be there already when the value said otherwise than the filter, and the PATCH is a repeated one.
            if !list.contains(&element) {
                list.push(element);
                let last = list.len() - 1;
                self.settle_primary(&mut list, &[last])?;
            }
            return Ok(list);
        }
        if let Some(sub) = sub {
            return self.part_of_some(list, &chosen, sub, Some(value));
        }
        for &place in &chosen {
            if let Some(Value::Object(element)) = list.get_mut(place) {
                let was_hollow = is_hollow(element);
                self.overwrite(element, verb, filter, value)?;
                if is_hollow(element) && !was_hollow {
                    element.clear();
                }
            }
        }
        self.settle_primary(&mut list, &chosen)?;
        list.retain(|element| !is_unassigned(element));
        collapse(&mut list);
        Ok(list)
    }

    /// A whole element: `add` merges; `replace` replaces (RFC 7644 §3.5.2.3), but what the filter says of it
    /// stays true unless the value says otherwise.
    fn overwrite(
        &mut self,
        element: &mut Map<String, Value>,
        verb: Verb,
        filter: &Filter,
        value: &Value,
    ) -> Result<(), ScimError> {
        match value {
            Value::Object(parts) => {
                if verb == Verb::Replace {
                    *element = self.said_by(filter)?.unwrap_or_default();
                }
                self.merge(element, parts)
            }
            plain => {
                let Some(Value::Object(parts)) =
                    coerce_element(self.attribute, self.path, plain, self.tolerance, self.notes)?
                else {
                    return Ok(());
                };
                self.merge(element, &parts)
            }
        }
    }

    /// The element that `filter` describes, with the value in it. Entra relies on it, for add and replace
    /// (idp-wire row 5), where RFC 7644 §3.5.2.3 has `noTarget`. Nothing is made when nothing comes of the value:
    /// Microsoft's validator puts made-up text into `primary`.
    fn created(
        &mut self,
        filter: &Filter,
        sub: Option<&Attribute>,
        value: &Value,
        taken: bool,
    ) -> Result<Option<Value>, ScimError> {
        let Some(mut element) = self.said_by(filter)? else { return Err(self.no_target()) };
        if !self.attribute.multi_valued && taken {
            // A filter chooses; the one value that is there was not chosen, and must not be lost.
            return Err(self.no_target());
        }
        self.bend_target("matches no value; add the value first")?;
        match sub {
            Some(sub) => {
                element.remove(&sub.name);
                self.set_part(&mut element, sub, Some(value))?;
                if !element.contains_key(&sub.name) {
                    return Ok(None);
                }
            }
            None => {
                self.overwrite(&mut element, Verb::Add, filter, value)?;
                if is_hollow(&element) {
                    return Ok(None);
                }
            }
        }
        Ok(Some(Value::Object(element)))
    }

    /// What the `eq` terms of a filter say of an element; nothing when it has none.
    fn said_by(&mut self, filter: &Filter) -> Result<Option<Map<String, Value>>, ScimError> {
        let Some((terms, _)) = filter.equalities() else { return Ok(None) };
        let mut element = Map::new();
        for (name, literal) in terms {
            let Some(sub) = self.attribute.sub_attribute(name) else { continue };
            let value = match literal {
                Literal::Text(text) => Value::String(text.clone()),
                Literal::Boolean(truth) => Value::Bool(*truth),
                Literal::Number(number) => Value::Number(number.clone()),
                Literal::Null => continue,
            };
            self.set_part(&mut element, sub, Some(&value))?;
        }
        Ok(Some(element))
    }

    /// The one value for one element; a list of one will do.
    fn only<'v>(&mut self, value: &'v Value) -> Result<&'v Value, ScimError> {
        let Value::Array(items) = value else { return Ok(value) };
        match items.as_slice() {
            [] => Ok(value),
            [only] => {
                self.bend(Quirk::ListShape, "takes one value where a filter chooses the element")?;
                Ok(only)
            }
            _ => {
                let rule = "takes one value where a filter chooses the element, and several came";
                Err(self.refusal(ErrorKind::InvalidValue, rule))
            }
        }
    }

    /// RFC 7644 §3.5.2: when a value becomes primary, the others no longer are.
    fn settle_primary(&mut self, list: &mut [Value], touched: &[usize]) -> Result<(), ScimError> {
        let is_primary = |element: &Value| element.get("primary") == Some(&Value::Bool(true));
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
                && let Some(primary) = element.get_mut("primary")
            {
                *primary = Value::Bool(false);
            }
        }
        Ok(())
    }

    fn bend_target(&mut self, rule: &str) -> Result<(), ScimError> {
        if self.tolerance.allows(Quirk::ElementCreated) {
            self.notes.met(Quirk::ElementCreated);
            return Ok(());
        }
        Err(self.refusal(ErrorKind::NoTarget, &format!("with this filter {rule}")))
    }

    fn no_target(&self) -> ScimError {
        let rule = "has no value that the filter of the path matches; add the value first";
        self.refusal(ErrorKind::NoTarget, rule)
    }
}

fn elements(current: Option<Value>) -> Vec<Value> {
    match current {
        Some(Value::Array(list)) => list,
        Some(single) => vec![single],
        None => Vec::new(),
    }
}

fn some(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then_some(Value::Array(list))
}

/// Whether nothing is left of an element but what describes a value.
fn is_hollow(element: &Map<String, Value>) -> bool {
    element.keys().all(|key| matches!(key.as_str(), "type" | "primary" | "display"))
}

/// Whether `named` names the element: all its parts are the element's, but for those that only describe.
fn is_named(element: &Value, named: &Value) -> bool {
    match (element, named) {
        (Value::Object(element), Value::Object(named)) => named
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "display" | "primary" | "$ref"))
            .all(|(key, part)| element.get(key) == Some(part)),
        (element, named) => element == named,
    }
}
