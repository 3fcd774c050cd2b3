//! A filter against a schema: names made canonical, operators checked, operands brought into comparison form.

use super::{Condition, Filter, Literal, Op, Operand, Sub, Target};
use crate::error::{ErrorKind, ScimError};
use crate::normal;
use crate::path::{AttrPath, Named, resolve};
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Attribute, Kind, ResourceType, Returned};
use serde_json::Value;

impl Filter {
    /// Binds the filter to a resource type.
    ///
    /// # Errors
    /// `invalidFilter` when an attribute is unknown or never returned, or operator, value and type do not go together.
    pub fn bind(
        &self,
        of: &ResourceType,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Condition, ScimError> {
        Binder { scope: Scope::Resource(of), tolerance, notes }.condition(self)
    }

    /// Binds the filter inside of `list[…]`, where names are those of the sub-attributes.
    pub(crate) fn bind_element(
        &self,
        list: &Attribute,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Condition, ScimError> {
        Binder { scope: Scope::Element(list), tolerance, notes }.condition(self)
    }
}

/// Where names are looked up.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Resource(&'a ResourceType),
    Element(&'a Attribute),
}

struct Binder<'a> {
    scope: Scope<'a>,
    tolerance: &'a Tolerance,
    notes: &'a mut Notes,
}

impl<'a> Binder<'a> {
    fn condition(&mut self, filter: &Filter) -> Result<Condition, ScimError> {
        match filter {
            Filter::And(operands) => self.all(operands).map(Condition::And),
            Filter::Or(operands) => self.all(operands).map(Condition::Or),
            Filter::Not(filter) => Ok(Condition::Not(Box::new(self.condition(filter)?))),
            Filter::Present(path) => Ok(Condition::Present(target(self.find(path)?))),
            Filter::Compare { path, op, value } => self.comparison(path, *op, value),
            Filter::Element { path, filter } => self.element(path, filter),
        }
    }

    fn all(&mut self, operands: &[Filter]) -> Result<Vec<Condition>, ScimError> {
        operands.iter().map(|operand| self.condition(operand)).collect()
    }

    fn find(&mut self, path: &AttrPath) -> Result<Named<'a>, ScimError> {
        let named = match self.scope {
            Scope::Resource(of) => resolve(path, of, self.tolerance, self.notes),
            Scope::Element(list) if path.urn.is_none() && path.sub.is_none() => list
                .sub_attribute(&path.name)
                .map(|attribute| Named { extension: None, attribute, sub: None }),
            Scope::Element(_) => None,
        };
        let never = |attribute: &Attribute| attribute.returned == Returned::Never;
        match named {
            Some(named) if !never(named.attribute) && !named.sub.is_some_and(never) => Ok(named),
            _ => {
                let whole = match self.scope {
                    Scope::Resource(_) => path.to_string(),
                    Scope::Element(list) => format!("{}.{path}", list.name),
                };
                let whole = crate::document::check::shown(&whole);
                Err(invalid(
                    &whole,
                    format!("{whole} is not an attribute that can be filtered on; see /Schemas."),
                ))
            }
        }
    }

    fn element(&mut self, path: &AttrPath, filter: &Filter) -> Result<Condition, ScimError> {
        let named = self.find(path)?;
        if named.attribute.kind != Kind::Complex || named.sub.is_some() {
            return Err(invalid(
                &named.path(),
                format!(
                    "{path} has no parts, so it takes no brackets in a filter; compare {path} itself."
                ),
            ));
        }
        let scope = std::mem::replace(&mut self.scope, Scope::Element(named.attribute));
        let condition = self.condition(filter);
        self.scope = scope;
        Ok(Condition::Element { target: target(named), condition: Box::new(condition?) })
    }

    fn comparison(
        &mut self,
        path: &AttrPath,
        op: Op,
        value: &Literal,
    ) -> Result<Condition, ScimError> {
        let mut named = self.find(path)?;
        if *value == Literal::Null {
            if !matches!(op, Op::Eq | Op::Ne) {
                return Err(mismatch(named, op, "null can be compared with eq and ne only"));
            }
            return Ok(Condition::Compare { target: target(named), op, operand: Operand::Null });
        }
        // RFC 7643 §2.4: `value` is the significant part of a complex attribute, so `emails eq "x"` means it.
        if named.attribute.kind == Kind::Complex && named.sub.is_none() {
            named.sub = named.attribute.sub_attribute("value");
        }
        let operand = self.operand(named, op, value)?;
        Ok(Condition::Compare { target: target(named), op, operand })
    }

    fn operand(&mut self, named: Named<'_>, op: Op, value: &Literal) -> Result<Operand, ScimError> {
        let compared = named.sub.unwrap_or(named.attribute);
        let is_fragment = matches!(op, Op::Co | Op::Sw | Op::Ew);
        let is_equality = matches!(op, Op::Eq | Op::Ne);
        match compared.kind {
            Kind::Complex => {
                Err(mismatch(named, op, "it has parts; compare one of them, or use pr"))
            }
            // RFC 7644 §3.4.2.2: order on booleans and binaries is invalidFilter.
            Kind::Boolean | Kind::Binary if !is_equality && !is_fragment => {
                Err(mismatch(named, op, "values of its type have no order; use eq or ne"))
            }
            Kind::Boolean | Kind::DateTime | Kind::Integer | Kind::Decimal if is_fragment => {
                Err(mismatch(named, op, "it is not text; use eq, ne, or an order if it has one"))
            }
            Kind::Boolean => self.boolean(named, op, value).map(Operand::Boolean),
            Kind::Integer | Kind::Decimal => match value {
                Literal::Number(number) => Ok(Operand::Number(number.clone())),
                _ => Err(mismatch(named, op, "it is compared with a number")),
            },
            Kind::DateTime => match value {
                Literal::Text(text) => {
                    normal::instant(text).map(Operand::Instant).ok_or_else(|| {
                        mismatch(
                            named,
                            op,
                            "it is compared with an instant like \"2026-01-31T08:00:00Z\"",
                        )
                    })
                }
                _ => Err(mismatch(named, op, "it is compared with an instant in double quotes")),
            },
            Kind::String | Kind::Reference | Kind::Binary => {
                let text = self.text(named, op, value)?;
                match normal::comparable(compared, &Value::String(text)) {
                    Value::String(text) => Ok(Operand::Text(text)),
                    _ => Err(mismatch(named, op, "it is compared with text")),
                }
            }
        }
    }

    fn boolean(&mut self, named: Named<'_>, op: Op, value: &Literal) -> Result<bool, ScimError> {
        let truth = match value {
            Literal::Boolean(truth) => return Ok(*truth),
            Literal::Text(text) if text.eq_ignore_ascii_case("true") => true,
            Literal::Text(text) if text.eq_ignore_ascii_case("false") => false,
            _ => return Err(mismatch(named, op, "it is compared with true or false")),
        };
        // Entra writes `roles[primary eq "True"]` (idp-wire 2.2).
        if !self.tolerance.allows(Quirk::StringBool) {
            return Err(mismatch(named, op, "true and false stand without quotes"));
        }
        self.notes.met(Quirk::StringBool);
        Ok(truth)
    }

    fn text(&mut self, named: Named<'_>, op: Op, value: &Literal) -> Result<String, ScimError> {
        match value {
            Literal::Text(text) => Ok(text.clone()),
            // An employee number without its quotes.
            Literal::Number(number) if self.tolerance.allows(Quirk::UnquotedValue) => {
                self.notes.met(Quirk::UnquotedValue);
                Ok(number.to_string())
            }
            Literal::Number(_) | Literal::Boolean(_) | Literal::Null => {
                Err(mismatch(named, op, "it is compared with text in double quotes"))
            }
        }
    }
}

fn target(named: Named<'_>) -> Target {
    Target {
        extension: named.extension.map(|schema| schema.id.clone()),
        attribute: named.attribute.name.clone(),
        multi_valued: named.attribute.multi_valued,
        sub: named.sub.map(|sub| Sub { name: sub.name.clone(), multi_valued: sub.multi_valued }),
        kind: named.sub.unwrap_or(named.attribute).kind,
    }
}

fn mismatch(named: Named<'_>, op: Op, why: &str) -> ScimError {
    let path = named.path();
    invalid(&path, format!("{path} cannot be filtered with {} so: {why}.", op.keyword()))
}

fn invalid(path: &str, detail: String) -> ScimError {
    ScimError::new(ErrorKind::InvalidFilter, detail).about(path)
}
