//! A filter against a schema: names made canonical, operators checked, operands brought into comparison form.

use super::{Condition, Filter, Literal, Op, Operand, Sub, Target};
use crate::error::{ErrorKind, ScimError};
use crate::normal::{self, Instant};
use crate::path::{AttrPath, Named, resolve};
use crate::quirk::{Notes, Quirk, Tolerance};
use crate::schema::{Attribute, Kind, ResourceType, Returned, Role, Uniqueness};
use serde_json::{Number, Value};

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
        self.bind_or_absent(of, &[], tolerance, notes)
    }

    /// Binds the filter of a query over several resource types to one of them: an attribute that only `others` have is
    /// one that has no value here (RFC 7644 §3.4.2.1).
    ///
    /// # Errors
    /// As [`Filter::bind`], when an attribute is unknown to all of them.
    pub fn bind_or_absent(
        &self,
        of: &ResourceType,
        others: &[&ResourceType],
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Condition, ScimError> {
        Binder { scope: Scope::Resource(of), others, tolerance, notes }.condition(self)
    }

    /// Binds the filter inside of `list[…]`, where names are those of the sub-attributes.
    pub(crate) fn bind_element(
        &self,
        list: &Attribute,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Condition, ScimError> {
        Binder { scope: Scope::Element(list), others: &[], tolerance, notes }.condition(self)
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
    /// Where else a name may be known: it is absent then, and not unknown.
    others: &'a [&'a ResourceType],
    tolerance: &'a Tolerance,
    notes: &'a mut Notes,
}

impl<'a> Binder<'a> {
    fn condition(&mut self, filter: &Filter) -> Result<Condition, ScimError> {
        let path = match filter {
            Filter::And(operands) => return self.all(operands).map(Condition::And),
            Filter::Or(operands) => return self.all(operands).map(Condition::Or),
            Filter::Not(filter) => {
                return Ok(Condition::Not(Box::new(self.condition(filter)?)));
            }
            Filter::Present(path) | Filter::Compare { path, .. } | Filter::Element { path, .. } => {
                path
            }
        };
        match (self.named(path), self.elsewhere(path)) {
            (None, Some(other)) => self.absent(filter, other),
            _ => self.leaf(filter),
        }
    }

    fn leaf(&mut self, filter: &Filter) -> Result<Condition, ScimError> {
        match filter {
            Filter::Present(path) => Ok(Condition::Present(target(self.find(path)?))),
            Filter::Compare { path, op, value } => self.comparison(path, *op, value),
            Filter::Element { path, filter } => self.element(path, filter),
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) => self.condition(filter),
        }
    }

    /// The other resource type that knows the name, where this one does not.
    fn elsewhere(&self, path: &AttrPath) -> Option<&'a ResourceType> {
        let Scope::Resource(_) = self.scope else { return None };
        self.others.iter().copied().find(|other| resolve(path, other).is_some())
    }

    /// What a leaf says of a resource that has no such attribute; it has to be right where there is one.
    fn absent(&mut self, filter: &Filter, other: &'a ResourceType) -> Result<Condition, ScimError> {
        let scope = std::mem::replace(&mut self.scope, Scope::Resource(other));
        let bound = self.leaf(filter);
        self.scope = scope;
        let holds = match bound? {
            Condition::Compare { op, operand, .. } => match operand {
                Operand::Null => op == Op::Eq,
                _ => op == Op::Ne,
            },
            _ => false,
        };
        let Scope::Resource(of) = self.scope else { return Ok(Condition::Or(Vec::new())) };
        Ok(constant(of, holds))
    }

    fn all(&mut self, operands: &[Filter]) -> Result<Vec<Condition>, ScimError> {
        operands.iter().map(|operand| self.condition(operand)).collect()
    }

    fn named(&self, path: &AttrPath) -> Option<Named<'a>> {
        match self.scope {
            Scope::Resource(of) => resolve(path, of),
            Scope::Element(list) if path.urn.is_none() && path.sub.is_none() => {
                let attribute = list.sub_attribute(&path.name)?;
                Some(Named { extension: None, attribute, sub: None, quirk: None })
            }
            Scope::Element(_) => None,
        }
    }

    fn find(&mut self, path: &AttrPath) -> Result<Named<'a>, ScimError> {
        let unknown = |scope: Scope<'_>| {
            let whole = match scope {
                Scope::Resource(_) => path.to_string(),
                Scope::Element(list) => format!("{}.{path}", list.name),
            };
            let whole = crate::document::check::shown(&whole);
            let detail =
                format!("{whole} is not an attribute that can be filtered on; see /Schemas.");
            invalid(&whole, detail)
        };
        let never = |attribute: &Attribute| attribute.returned == Returned::Never;
        match self.named(path) {
            Some(named) if !never(named.attribute) && !named.sub.is_some_and(never) => {
                if let Some(quirk) = named.quirk {
                    let scope = self.scope;
                    self.tolerance.bend(quirk, self.notes, || unknown(scope))?;
                }
                Ok(named)
            }
            _ => Err(unknown(self.scope)),
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
            named.sub = named.attribute.part(Role::Value);
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
                Literal::Number(number) => Ok(Operand::Number(normal::number(number))),
                Literal::Text(text) => self.number(named, op, text).map(Operand::Number),
                Literal::Boolean(_) | Literal::Null => {
                    Err(mismatch(named, op, "it is compared with a number"))
                }
            },
            Kind::DateTime => match value {
                Literal::Text(text) => {
                    let refused = || {
                        let rule = "it is compared with an instant like \"2026-01-31T08:00:00Z\"";
                        mismatch(named, op, rule)
                    };
                    let instant = Instant::parse(text).ok_or_else(refused)?;
                    if instant.is_bent {
                        self.tolerance.bend(Quirk::DateTimeForm, self.notes, refused)?;
                    }
                    Ok(Operand::Instant(instant.utc))
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
        let refusal = || mismatch(named, op, "true and false stand without quotes");
        self.tolerance.bend(Quirk::StringBool, self.notes, refusal)?;
        Ok(truth)
    }

    fn number(&mut self, named: Named<'_>, op: Op, text: &str) -> Result<Number, ScimError> {
        let refusal = || mismatch(named, op, "it is compared with a number without quotes");
        let number: Number = serde_json::from_str(text).map_err(|_not_a_number| refusal())?;
        self.tolerance.bend(Quirk::NumberString, self.notes, refusal)?;
        Ok(normal::number(&number))
    }

    fn text(&mut self, named: Named<'_>, op: Op, value: &Literal) -> Result<String, ScimError> {
        match value {
            Literal::Text(text) => Ok(text.clone()),
            // An employee number without its quotes.
            Literal::Number(number) => {
                let refusal = || mismatch(named, op, "it is compared with text in double quotes");
                self.tolerance.bend(Quirk::UnquotedValue, self.notes, refusal)?;
                Ok(number.to_string())
            }
            Literal::Boolean(_) | Literal::Null => {
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

/// What always holds, or never: every resource has an `id`.
fn constant(of: &ResourceType, holds: bool) -> Condition {
    let id = of.common.iter().find(|attribute| attribute.uniqueness == Uniqueness::Server);
    let always = id.map(|attribute| {
        Condition::Present(target(Named { extension: None, attribute, sub: None, quirk: None }))
    });
    let always = always.unwrap_or_else(|| Condition::And(Vec::new()));
    if holds { always } else { Condition::Not(Box::new(always)) }
}

fn mismatch(named: Named<'_>, op: Op, why: &str) -> ScimError {
    let path = named.path();
    invalid(&path, format!("{path} cannot be filtered with {} so: {why}.", op.keyword()))
}

fn invalid(path: &str, detail: String) -> ScimError {
    ScimError::new(ErrorKind::InvalidFilter, detail).about(path)
}
