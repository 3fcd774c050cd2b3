//! One attribute before and after one operation: elements chosen by a filter.

use super::Verb;
use super::edit::{Edit, refusal};
use super::list::{elements, some};
use crate::document::check::{coerce_element, collapse, is_empty, is_unassigned};
use crate::error::{ErrorKind, ScimError};
use crate::filter::{Filter, Literal};
use crate::normal::comparable;
use crate::quirk::Quirk;
use crate::schema::{Attribute, Handling, Kind, Role};
use serde_json::{Map, Value};

impl Edit<'_> {
    /// The elements that hold `filter` (RFC 7644 §3.5.2), or the part `sub` of them.
    pub(super) fn selected(
        &mut self,
        current: Option<Value>,
        verb: Verb,
        filter: &Filter,
        sub: Option<&Attribute>,
        value: Option<&Value>,
    ) -> Result<Option<Value>, ScimError> {
        if verb == Verb::Remove {
            self.no_value(value)?;
        }
        if self.attribute.kind != Kind::Complex {
            if self.attribute.multi_valued {
                return self.selected_plain(current, verb, filter, value);
            }
            let rule = "has no parts, so its path takes no brackets";
            return Err(self.refusal(ErrorKind::InvalidPath, rule));
        }
        let list = self.selected_of(elements(current), verb, filter, sub, value)?;
        if self.attribute.multi_valued {
            return Ok(some(list));
        }
        Ok(list.into_iter().next_back())
    }

    /// `tags[value eq "x"]` of a list of plain values: as of a list of objects with that one part (RFC 7643 §2.4).
    fn selected_plain(
        &mut self,
        current: Option<Value>,
        verb: Verb,
        filter: &Filter,
        value: Option<&Value>,
    ) -> Result<Option<Value>, ScimError> {
        const VALUE: &str = "value";
        let value_part = Attribute {
            name: VALUE.into(),
            multi_valued: false,
            handling: Handling { role: Role::Value, ..self.attribute.handling.clone() },
            ..self.attribute.clone()
        };
        let attribute = Attribute {
            kind: Kind::Complex,
            sub_attributes: vec![value_part.clone()],
            ..self.attribute.clone()
        };
        let list = elements(current)
            .into_iter()
            .map(|plain| Value::Object(Map::from_iter([(VALUE.to_owned(), plain)])))
            .collect();
        let mut edit = Edit {
            attribute: &attribute,
            path: self.path,
            tolerance: self.tolerance,
            notes: self.notes,
            effort: self.effort,
        };
        let is_whole = value.is_none_or(|value| value.is_object() || value.is_array());
        let sub = (verb != Verb::Remove && !is_whole).then_some(&value_part);
        let list = edit.selected_of(list, verb, filter, sub, value)?;
        let plain = list.into_iter().filter_map(|mut element| {
            element.as_object_mut().and_then(|element| element.remove(VALUE))
        });
        Ok(some(plain.collect()))
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
        let Some(value) = self.assigned(sub, value)? else {
            if chosen.is_empty() {
                let rule = "matches no value, so there is nothing to remove";
                self.bend_target(Quirk::RemoveWithoutMatch, rule)?;
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
                collapse(&mut list);
            }
            return Ok(list);
        }
        if let Some(sub) = sub {
            return self.part_of_some(list, &chosen, sub, Some(value));
        }
        for &place in &chosen {
            if let Some(Value::Object(element)) = list.get_mut(place) {
                let was_hollow = self.is_hollow(element);
                self.overwrite(element, verb, filter, value)?;
                if self.is_hollow(element) && !was_hollow {
                    element.clear();
                }
            }
        }
        self.settle_primary(&mut list, &chosen)?;
        list.retain(|element| !is_unassigned(element));
        collapse(&mut list);
        Ok(list)
    }

    /// The value, unless it is none.
    fn assigned<'v>(
        &mut self,
        sub: Option<&Attribute>,
        value: Option<&'v Value>,
    ) -> Result<Option<&'v Value>, ScimError> {
        let Some(value) = value else { return Ok(None) };
        let of = sub.unwrap_or(self.attribute);
        let is_empty = is_empty(of, self.path, value, self.tolerance, self.notes)?;
        Ok((!is_empty).then_some(value))
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
        self.bend_target(Quirk::ElementCreated, "matches no value; add the value first")?;
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
                if self.is_hollow(&element) {
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

    fn bend_target(&mut self, quirk: Quirk, rule: &str) -> Result<(), ScimError> {
        let path = self.path;
        self.tolerance.bend(quirk, self.notes, || {
            refusal(path, ErrorKind::NoTarget, &format!("with this filter {rule}"))
        })
    }

    fn no_target(&self) -> ScimError {
        let rule = "has no value that the filter of the path matches; add the value first";
        self.refusal(ErrorKind::NoTarget, rule)
    }
}
