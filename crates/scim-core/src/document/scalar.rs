//! Values that are no objects: text, numbers, booleans, instants, base64, URIs.

use super::at::{At, refusal, wrong_type};
use super::check::Check;
use super::format;
use crate::error::ScimError;
use crate::normal::{self, Instant};
use crate::quirk::Quirk;
use crate::schema::{Attribute, Kind};
use serde_json::{Number, Value};

impl Check<'_> {
    pub(super) fn scalar(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Value, ScimError> {
        match attribute.kind {
            Kind::String => self.formatted(attribute, place, value),
            Kind::Reference => self.reference(attribute, place, value),
            Kind::Boolean => self.boolean(attribute, place, value),
            Kind::Integer | Kind::Decimal => self.number(attribute, place, value),
            Kind::DateTime => self.instant(attribute, place, value),
            Kind::Binary => self.binary(attribute, place, value),
            Kind::Complex => Err(wrong_type(attribute, place, value)),
        }
    }

    fn text(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<String, ScimError> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => {
                self.bend(Quirk::TextFromScalar, place, "takes text; put the value into quotes")?;
                digits_kept(place, value)?;
                value.to_string()
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(wrong_type(attribute, place, value));
            }
        };
        let longest = attribute.handling.longest_bytes;
        if text.len() > longest {
            let detail =
                format!("{place} is {} bytes long; at most {longest} are kept.", text.len());
            return Err(refusal(place, detail));
        }
        Ok(text)
    }

    fn formatted(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Value, ScimError> {
        let text = self.text(attribute, place, value)?;
        if !format::fits(attribute.handling.format, &text) {
            self.bend(
                Quirk::TextFormat,
                place,
                "is not of the form that RFC 7643, 4.1.1, has for it, such as en-US or \
                 Europe/Berlin",
            )?;
        }
        Ok(Value::String(text))
    }

    fn reference(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Value, ScimError> {
        let text = self.text(attribute, place, value)?;
        if !format::is_uri(&text) {
            self.bend(Quirk::UriForm, place, "is not a URI (RFC 7643, 2.3.7)")?;
        }
        Ok(Value::String(text))
    }

    fn boolean(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Value, ScimError> {
        let text = match value {
            Value::Bool(_) => return Ok(value.clone()),
            Value::String(text) => text.as_str(),
            _ => return Err(wrong_type(attribute, place, value)),
        };
        let truth = boolean_text(text).ok_or_else(|| wrong_type(attribute, place, value))?;
        // Entra sends `"active": "False"` unless its feature flag is set (RFC 7643 §2.3.2 makes it a type error).
        self.bend(Quirk::StringBool, place, "takes true or false without quotes")?;
        Ok(Value::Bool(truth))
    }

    fn number(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Value, ScimError> {
        let number = match value {
            Value::Number(number) => number.clone(),
            Value::String(text) => {
                let number: Number = serde_json::from_str(text.trim())
                    .map_err(|_not_a_number| wrong_type(attribute, place, value))?;
                self.bend(Quirk::NumberString, place, "takes a number without quotes")?;
                number
            }
            _ => return Err(wrong_type(attribute, place, value)),
        };
        // RFC 7643 §2.3.4: no fraction. 64 bits are what both databases compare exactly.
        if attribute.kind == Kind::Integer && !number.is_i64() {
            return Err(wrong_type(attribute, place, value));
        }
        Ok(Value::Number(normal::number(&number)))
    }

    fn instant(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Value, ScimError> {
        let text = self.text(attribute, place, value)?;
        let rule = "is not a date and time; send it as 2026-01-31T08:00:00Z (RFC 7643, 2.3.5)";
        let Some(instant) = Instant::parse(&text) else {
            return Err(refusal(place, format!("{place} {rule}.")));
        };
        if instant.is_bent {
            self.bend(Quirk::DateTimeForm, place, rule)?;
        }
        Ok(Value::String(instant.text))
    }

    fn binary(
        &mut self,
        attribute: &Attribute,
        place: At<'_>,
        value: &Value,
    ) -> Result<Value, ScimError> {
        let text = self.text(attribute, place, value)?;
        match format::base64(&text) {
            format::Base64::Standard => {}
            format::Base64::Bent => {
                let rule = "is base64 in the URL-safe alphabet or with line breaks; send it plain";
                self.bend(Quirk::Base64Form, place, rule)?;
            }
            format::Base64::None => {
                let detail = format!("{place} is not base64 text (RFC 7643, 2.3.6).");
                return Err(refusal(place, detail));
            }
        }
        Ok(Value::String(text))
    }
}

/// Refuses a number whose digits JSON has lost, before somebody's identifier becomes another one: what is no whole
/// number of 64 bits is read as floating point, which holds 15 digits.
fn digits_kept(place: At<'_>, value: &Value) -> Result<(), ScimError> {
    const MOST: usize = 15;
    let Value::Number(number) = value else { return Ok(()) };
    if !number.is_f64() {
        return Ok(());
    }
    let text = number.to_string();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    // A fraction of zero may have been an exponent: `1E5`.
    if digits <= MOST && !text.contains('e') && !text.ends_with(".0") {
        return Ok(());
    }
    let detail = format!(
        "{place} came as a number whose digits cannot be kept; put the value into quotes, so that it is text."
    );
    Err(refusal(place, detail))
}

pub(super) fn boolean_text(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}
