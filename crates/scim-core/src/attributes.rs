//! A JSON object whose names ignore case: the only holder of untyped values.
//!
//! **Invariant**: what was parsed is within [`JsonLimits`], has no name twice in any case, and holds no U+0000.

use crate::document::check::shown;
use crate::error::{ErrorKind, ScimError};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

/// How much nesting and how many values one request may hold.
#[derive(Debug, Clone, Copy)]
pub struct JsonLimits {
    /// Objects and arrays inside each other, at most.
    pub depth: usize,
    /// Values in one array, at most.
    pub array_values: usize,
}

/// A JSON object whose names are compared in any case (RFC 7643 §2.1).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes {
    map: Map<String, Value>,
}

impl Attributes {
    /// The value under a name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).or_else(|| {
            self.map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
    }

    /// The names and values, as sent.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.map
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(map: Map<String, Value>) -> Self {
        Self { map }
    }
}

impl Attributes {
    /// Parses a request body.
    ///
    /// # Errors
    /// `invalidSyntax` when it is not a JSON object or has a name twice; `invalidValue` when it passes a limit or
    /// holds U+0000.
    pub fn parse(json: &[u8], limits: &JsonLimits) -> Result<Self, ScimError> {
        let why = Cell::new(None);
        let mut input = serde_json::Deserializer::from_slice(json);
        let walk = Walk { limits: *limits, why: &why, depth: 0 };
        let value = walk
            .deserialize(&mut input)
            .and_then(|value| input.end().map(|()| value))
            .map_err(|error| why.take().map_or_else(|| not_json(&error), Why::into_error))?;
        match value {
            Value::Object(map) => Ok(Self { map }),
            _ => Err(ScimError::new(
                ErrorKind::InvalidSyntax,
                "The body must be a JSON object, and is another kind of JSON value.",
            )),
        }
    }
}

/// `serde_json`'s own message is left out: it may quote the body.
fn not_json(error: &serde_json::Error) -> ScimError {
    let (line, column) = (error.line(), error.column());
    let detail = if error.is_eof() {
        format!("The body ends in the middle of the JSON (line {line}, column {column}).")
    } else {
        format!("The body is not JSON; the mistake is at line {line}, column {column}.")
    };
    ScimError::new(ErrorKind::InvalidSyntax, detail)
}

/// Why a body that may be JSON is refused.
enum Why {
    TooDeep(usize),
    TooManyValues(usize),
    Twice(String),
    Nul,
}

impl Why {
    fn into_error(self) -> ScimError {
        match self {
            Self::TooDeep(limit) => ScimError::new(
                ErrorKind::InvalidValue,
                format!("Objects and lists are nested deeper than {limit} levels."),
            ),
            Self::TooManyValues(limit) => ScimError::new(
                ErrorKind::InvalidValue,
                format!("A list has more than {limit} values; send them in several requests."),
            ),
            // RFC 7643 §2.1: names differ in more than case. A parser that picks one of two picks the wrong one.
            Self::Twice(name) => {
                let name = shown(&name);
                let detail = format!("{name} occurs twice in one object, in one case or two.");
                ScimError::new(ErrorKind::InvalidSyntax, detail).about(name)
            }
            // PostgreSQL's text cannot hold it, so it is refused everywhere.
            Self::Nul => ScimError::new(
                ErrorKind::InvalidValue,
                "A text holds the character U+0000, which cannot be stored.",
            ),
        }
    }
}

/// Builds a [`Value`] under the limits, while `serde_json` reads.
#[derive(Clone, Copy)]
struct Walk<'a> {
    limits: JsonLimits,
    why: &'a Cell<Option<Why>>,
    depth: usize,
}

impl Walk<'_> {
    fn refuse<E: de::Error>(self, why: Why) -> E {
        self.why.set(Some(why));
        E::custom("refused")
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= self.limits.depth {
            return Err(self.refuse(Why::TooDeep(self.limits.depth)));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn clean<E: de::Error>(self, text: &str) -> Result<(), E> {
        if text.as_bytes().contains(&0) { Err(self.refuse(Why::Nul)) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.clean(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            if list.len() == self.limits.array_values {
                return Err(self.refuse(Why::TooManyValues(self.limits.array_values)));
            }
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        let mut names = Names::default();
        while let Some(name) = entries.next_key::<String>()? {
            self.clean(&name)?;
            if !names.insert(&map, &name) {
                return Err(self.refuse(Why::Twice(name)));
            }
            let value = entries.next_value_seed(inner)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// The names of one object. A set is made only for large ones: most have less than ten.
#[derive(Default)]
struct Names {
    lower: HashSet<String>,
}

impl Names {
    const FEW: usize = 16;

    fn insert(&mut self, map: &Map<String, Value>, name: &str) -> bool {
        if map.len() < Self::FEW {
            return !map.keys().any(|key| key.eq_ignore_ascii_case(name));
        }
        if self.lower.is_empty() {
            self.lower = map.keys().map(|key| key.to_ascii_lowercase()).collect();
        }
        self.lower.insert(name.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: JsonLimits = JsonLimits { depth: 4, array_values: 3 };

    fn refused(json: &str) -> ScimError {
        Attributes::parse(json.as_bytes(), &LIMITS).unwrap_err()
    }

    #[test]
    fn names_are_found_in_any_case() {
        let body = Attributes::parse(br#"{"UserName":"ada"}"#, &LIMITS).unwrap();
        assert_eq!(body.get("userName"), Some(&Value::String("ada".into())));
        assert_eq!(body.get("name"), None);
    }

    #[test]
    fn what_is_not_one_json_object_is_invalid_syntax() {
        for json in [
            "",
            "{",
            "[]",
            "\"a\"",
            "{} {}",
            "{}x",
            "{'a':1}",
            "{\"a\":1e999}",
            r#"{"a":"\ud800"}"#,
        ] {
            assert_eq!(refused(json).kind(), ErrorKind::InvalidSyntax, "{json}");
        }
        let not_utf8 = Attributes::parse(b"{\"a\":\"\xff\"}", &LIMITS).unwrap_err();
        assert_eq!(not_utf8.kind(), ErrorKind::InvalidSyntax);
    }

    #[test]
    fn a_name_twice_in_any_case_is_invalid_syntax() {
        for json in [
            r#"{"active":true,"active":false}"#,
            r#"{"active":true,"Active":false}"#,
            r#"{"a":[{"value":1,"VALUE":2}]}"#,
        ] {
            assert_eq!(refused(json).kind(), ErrorKind::InvalidSyntax, "{json}");
        }
    }

    #[test]
    fn a_name_twice_among_many_is_found() {
        let names: Vec<String> = (0..40).map(|n| format!("\"name{n}\":{n}")).collect();
        let once = format!("{{{}}}", names.join(","));
        assert!(Attributes::parse(once.as_bytes(), &LIMITS).is_ok());
        let twice = format!("{{{},\"NAME3\":0}}", names.join(","));
        assert_eq!(refused(&twice).attribute(), Some("NAME3"));
    }

    #[test]
    fn the_limits_are_the_last_values_allowed() {
        for (json, allowed) in [
            (r#"{"a":[[[1]]]}"#, true),
            (r#"{"a":[[[[]]]]}"#, false),
            (r#"{"a":[1,2,3]}"#, true),
            (r#"{"a":[1,2,3,4]}"#, false),
        ] {
            let parsed = Attributes::parse(json.as_bytes(), &LIMITS);
            assert_eq!(parsed.is_ok(), allowed, "{json}");
            assert!(parsed.is_ok() || refused(json).kind() == ErrorKind::InvalidValue);
        }
    }

    #[test]
    fn u_0000_is_refused_in_texts_and_in_names() {
        for json in [r#"{"a":"x\u0000"}"#, r#"{"a\u0000":1}"#, r#"{"a":["\u0000"]}"#] {
            assert_eq!(refused(json).kind(), ErrorKind::InvalidValue, "{json}");
        }
    }

    #[test]
    fn a_hundred_thousand_brackets_are_refused_and_nothing_else_happens() {
        let json = "{\"a\":".to_owned() + &"[".repeat(100_000);
        assert_eq!(refused(&json).kind(), ErrorKind::InvalidValue);
    }
}
