//! What a tenant has declared beyond the attributes of the RFC, and what it has taken back.
//!
//! **Invariant**: an attribute that was declared once is either declared or retired. Values of it may be stored, so that what
//! it was is not forgotten.

use scim_core::{Custom, CustomAttribute, ScimError};
use serde_json::{Value, json};

/// The attributes of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extension {
    /// Those of now.
    pub declared: Option<Custom>,
    /// Those that were declared and are not any more, by URN: as they were last.
    pub retired: Vec<Custom>,
}

impl Extension {
    /// What an attribute was when it was taken back.
    #[must_use]
    pub fn retired(&self, urn: &str, name: &str) -> Option<&CustomAttribute> {
        let of_urn = self.retired.iter().find(|custom| custom.urn == urn)?;
        of_urn.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// With another declaration: what it leaves out is retired, what it has again is not.
    pub(crate) fn declaring(&self, after: Option<&Custom>) -> Self {
        let mut retired = self.retired.clone();
        if let Some(old) = &self.declared {
            let place = retired.iter().position(|custom| custom.urn == old.urn);
            match place.and_then(|place| retired.get_mut(place)) {
                None => retired.push(old.clone()),
                Some(of_urn) => {
                    of_urn.attributes.retain(|known| !has(old, known));
                    of_urn.attributes.extend(old.attributes.iter().cloned());
                }
            }
        }
        for of_urn in &mut retired {
            let again = |known: &CustomAttribute| {
                after.is_some_and(|after| after.urn == of_urn.urn && has(after, known))
            };
            let left: Vec<_> = of_urn.attributes.iter().filter(|a| !again(a)).cloned().collect();
            of_urn.attributes = left;
        }
        retired.retain(|of_urn| !of_urn.attributes.is_empty());
        Self { declared: after.cloned(), retired }
    }

    /// As the registry keeps it; nothing of a tenant that never declared anything.
    pub(crate) fn to_column(&self) -> String {
        if *self == Self::default() {
            return String::new();
        }
        let value = |custom: &Custom| -> Value {
            serde_json::from_str(&custom.to_json()).unwrap_or_default()
        };
        let retired: Vec<Value> = self.retired.iter().map(value).collect();
        json!({ "declared": self.declared.as_ref().map(value), "retired": retired }).to_string()
    }

    pub(crate) fn from_column(column: &str) -> Result<Self, ExtensionError> {
        if column.is_empty() {
            return Ok(Self::default());
        }
        let kept: Value = serde_json::from_str(column).map_err(ExtensionError::Json)?;
        let read =
            |value: &Value| Custom::parse(&value.to_string()).map_err(ExtensionError::Custom);
        let (Some(declared), Some(Value::Array(retired))) =
            (kept.get("declared"), kept.get("retired"))
        else {
            return Err(ExtensionError::Form);
        };
        Ok(Self {
            declared: Some(declared).filter(|value| !value.is_null()).map(read).transpose()?,
            retired: retired.iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}

fn has(custom: &Custom, attribute: &CustomAttribute) -> bool {
    custom.attributes.iter().any(|other| other.name.eq_ignore_ascii_case(&attribute.name))
}

/// Why a kept declaration cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExtensionError {
    #[error("it is no JSON")]
    Json(#[source] serde_json::Error),
    #[error("it has another form")]
    Form,
    #[error("a declaration is not sound")]
    Custom(#[source] ScimError),
}

#[cfg(test)]
mod tests {
    use super::Extension;
    use scim_core::{Custom, CustomAttribute, Kind};

    fn custom(names: &[(&str, Kind)]) -> Custom {
        let attributes = names.iter().map(|(name, kind)| CustomAttribute::new(*name, *kind));
        Custom { urn: Custom::own_urn("acme"), attributes: attributes.collect() }
    }

    #[test]
    fn what_is_left_out_is_retired_until_it_is_declared_again() {
        let two = custom(&[("vip", Kind::Boolean), ("floor", Kind::Integer)]);
        let one = custom(&[("floor", Kind::Integer)]);
        let first = Extension::default().declaring(Some(&two));
        assert_eq!((first.declared.as_ref(), first.retired.len()), (Some(&two), 0));

        let second = first.declaring(Some(&one));
        assert_eq!(second.retired, [custom(&[("vip", Kind::Boolean)])]);
        assert_eq!(second.retired(&one.urn, "VIP").unwrap().kind, Kind::Boolean);
        assert!(second.retired(&one.urn, "floor").is_none());

        let third = second.declaring(None);
        assert_eq!(third.retired, [custom(&[("vip", Kind::Boolean), ("floor", Kind::Integer)])]);
        assert_eq!(third.declaring(Some(&two)), first);
    }

    #[test]
    fn it_is_read_as_it_was_kept() {
        let declared = Extension::default().declaring(Some(&custom(&[("vip", Kind::Boolean)])));
        for kept in [Extension::default(), declared.declaring(None), declared] {
            assert_eq!(Extension::from_column(&kept.to_column()).unwrap(), kept);
        }
        for wrong in ["{", "{}", "7", r#"{"declared":{"id":"x"},"retired":[]}"#] {
            assert!(Extension::from_column(wrong).is_err(), "{wrong}");
        }
    }
}
