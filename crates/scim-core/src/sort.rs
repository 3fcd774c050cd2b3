//! Sorting (RFC 7644 §3.4.2.3): what a list is ordered by, and the order itself.
//!
//! **Invariant**: order is that of the comparison form: text by bytes, which is by code point; numbers by size;
//! `false` before `true`; instants by time. What has no value is last when ascending and first when descending.
//!
//! ```
//! use scim_core::{Notes, ResourceType, Sort, SortValue, Tolerance};
//!
//! let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
//! let sort = Sort::parse("emails", Some("Descending"), ResourceType::user(), &tolerance, &mut notes)?;
//!
//! let ada = serde_json::json!({
//!     "emails": [{"value": "ada@home.example"}, {"value": "ada@work.example", "primary": true}]
//! });
//! assert_eq!(sort.value(ada.as_object().unwrap()), Some(SortValue::Text("ada@work.example".into())));
//! # Ok::<(), scim_core::ScimError>(())
//! ```

use crate::document::check::shown;
use crate::error::{ErrorKind, ScimError};
use crate::filter::{Sub, Target};
use crate::path::{AttrPath, Named, resolve};
use crate::quirk::{Notes, Tolerance};
use crate::schema::{Attribute, Kind, ResourceType, Returned};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// What a list is ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The attribute, bound to a schema; its name is empty where the type of resource has no such attribute.
    pub target: Target,
    /// Whether the largest is first.
    pub descending: bool,
}

/// The value by which a resource takes its place in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SortValue {
    /// A boolean.
    Boolean(bool),
    /// A number, in digits.
    Number(String),
    /// Text in comparison form; an instant as UTC with nine digits of fraction.
    Text(String),
}

impl Sort {
    /// Reads `sortBy` and `sortOrder` for one type of resource.
    ///
    /// # Errors
    /// `invalidValue` when the attribute is unknown or never returned, has parts of which none is meant, or when the
    /// order is neither `ascending` nor `descending`.
    pub fn parse(
        sort_by: &str,
        sort_order: Option<&str>,
        of: &ResourceType,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Self, ScimError> {
        let descending = is_descending(sort_order)?;
        match find(sort_by, of, tolerance, notes)? {
            Some(target) => Ok(Self { target, descending }),
            None => Err(unknown(sort_by)),
        }
    }

    /// Reads `sortBy` and `sortOrder` for a list of several types: an order for each, in which those of a type without
    /// the attribute have no value.
    ///
    /// # Errors
    /// As [`Sort::parse`]; the attribute is unknown when no type has it.
    pub fn parse_each(
        sort_by: &str,
        sort_order: Option<&str>,
        of: &[&ResourceType],
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Vec<Self>, ScimError> {
        let descending = is_descending(sort_order)?;
        let found: Vec<Option<Target>> =
            of.iter().map(|of| find(sort_by, of, tolerance, notes)).collect::<Result<_, _>>()?;
        let kinds: Vec<Kind> = found.iter().flatten().map(|target| target.kind).collect();
        let Some(kind) = kinds.first().copied() else { return Err(unknown(sort_by)) };
        if kinds.iter().any(|other| *other != kind) {
            return Err(invalid(format!(
                "{} is of another type in each kind of resource, so the two have no common order; list one kind.",
                shown(sort_by)
            )));
        }
        let targets = found.into_iter().map(|target| target.unwrap_or_else(|| nothing(kind)));
        Ok(targets.map(|target| Self { target, descending }).collect())
    }

    /// The value by which a resource in comparison form takes its place: of a list that of the primary element, else of
    /// the first, among those that have the value.
    #[must_use]
    pub fn value(&self, search: &Map<String, Value>) -> Option<SortValue> {
        let home = match &self.target.extension {
            Some(urn) => search.get(urn).and_then(Value::as_object)?,
            None => search,
        };
        match home.get(&self.target.attribute)? {
            Value::Array(items) => {
                let is_primary =
                    |item: &&Value| item.get("primary").and_then(Value::as_bool) == Some(true);
                let primary = items.iter().filter(is_primary).find_map(|item| self.of_one(item));
                primary.or_else(|| items.iter().find_map(|item| self.of_one(item)))
            }
            single => self.of_one(single),
        }
    }

    fn of_one(&self, value: &Value) -> Option<SortValue> {
        match &self.target.sub {
            Some(sub) => SortValue::of(value.get(&sub.name)?),
            None => SortValue::of(value),
        }
    }

    /// Which of two values is first in the list.
    #[must_use]
    pub fn compare(&self, left: Option<&SortValue>, right: Option<&SortValue>) -> Ordering {
        let ascending = match (left, right) {
            (Some(left), Some(right)) => left.ascending(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if self.descending { ascending.reverse() } else { ascending }
    }
}

impl SortValue {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(truth) => Some(Self::Boolean(*truth)),
            Value::Number(number) => Some(Self::Number(number.to_string())),
            Value::String(text) => (!text.is_empty()).then(|| Self::Text(text.clone())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn ascending(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(left), Self::Boolean(right)) => left.cmp(right),
            (Self::Number(left), Self::Number(right)) => numbers(left, right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            // One attribute has values of one type.
            _ => Ordering::Equal,
        }
    }
}

fn numbers(left: &str, right: &str) -> Ordering {
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return left.cmp(&right);
    }
    let real = |text: &str| text.parse::<f64>().unwrap_or_default();
    real(left).total_cmp(&real(right))
}

fn is_descending(sort_order: Option<&str>) -> Result<bool, ScimError> {
    match sort_order.map(str::trim) {
        None => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("ascending") => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("descending") => Ok(true),
        Some(order) => Err(ScimError::new(
            ErrorKind::InvalidValue,
            format!("sortOrder is {}; it may be ascending or descending.", shown(order)),
        )
        .about("sortOrder")),
    }
}

/// What `sortBy` names in a type of resource; `None` when it has no such attribute.
fn find(
    sort_by: &str,
    of: &ResourceType,
    tolerance: &Tolerance,
    notes: &mut Notes,
) -> Result<Option<Target>, ScimError> {
    let Some(path) = AttrPath::parse(sort_by.trim()) else {
        return Err(invalid(format!(
            "sortBy is {}; it is the path of one attribute, as in userName or name.familyName.",
            shown(sort_by)
        )));
    };
    let never = |attribute: &Attribute| attribute.returned == Returned::Never;
    let Some(named) =
        resolve(&path, of).filter(|named| !never(named.attribute) && !named.sub.is_some_and(never))
    else {
        return Ok(None);
    };
    if let Some(quirk) = named.quirk {
        tolerance.bend(quirk, notes, || unknown(sort_by))?;
    }
    let sub = match (named.attribute.kind, named.sub) {
        // RFC 7643 §2.4: `value` is the significant part of a complex attribute.
        (Kind::Complex, None) => match named.attribute.sub_attribute("value") {
            Some(value) => Some(value),
            None => return Err(in_parts(&named)),
        },
        (_, sub) => sub,
    };
    Ok(Some(Target {
        extension: named.extension.map(|schema| schema.id.clone()),
        attribute: named.attribute.name.clone(),
        multi_valued: named.attribute.multi_valued,
        sub: sub.map(|sub| Sub { name: sub.name.clone(), multi_valued: sub.multi_valued }),
        kind: sub.unwrap_or(named.attribute).kind,
    }))
}

/// A target that no resource has.
fn nothing(kind: Kind) -> Target {
    Target { extension: None, attribute: String::new(), multi_valued: false, sub: None, kind }
}

fn unknown(sort_by: &str) -> ScimError {
    invalid(format!("{} is not an attribute that can be sorted by; see /Schemas.", shown(sort_by)))
}

fn in_parts(named: &Named<'_>) -> ScimError {
    let path = named.path();
    let parts: Vec<String> = named
        .attribute
        .sub_attributes
        .iter()
        .filter(|part| part.returned != Returned::Never)
        .map(|part| format!("{path}.{}", part.name))
        .collect();
    invalid(format!("{path} has parts; sort by one of them: {}.", parts.join(", ")))
}

fn invalid(detail: String) -> ScimError {
    ScimError::new(ErrorKind::InvalidValue, detail).about("sortBy")
}
