//! What a list costs: whether an index leads to its rows, or all of a tenant may have to be looked at.

use super::{Start, Want};
use crate::error::DirectoryError;
use crate::query::Order;
use crate::scope::Scoped;
use scim_core::schema::builtin::ENTERPRISE_USER;
use scim_core::{Condition, Op, Operand};

/// A tenant with no more resources than this is read through in a moment.
pub(super) const FEW: u64 = 10_000;
/// Rows that an index skips in a moment.
pub(super) const SHALLOW: u64 = 10_000;

/// What a list may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// An index leads to the rows, or there are few.
    Little,
    /// All rows of the tenant may have to be looked at.
    Much,
}

impl Scoped {
    /// What a list may cost.
    pub(super) async fn cost(
        &self,
        want: &Want<'_>,
        order: &Order,
    ) -> Result<Cost, DirectoryError> {
        let deep = matches!(want.start, Start::Offset(offset) if offset > SHALLOW);
        let little = match want.condition {
            Some(condition) => is_served(condition),
            None => order.is_indexed() && !deep,
        };
        if little {
            return Ok(Cost::Little);
        }
        if want.condition.is_some_and(asks_memberships) {
            return Ok(Cost::Much);
        }
        let totals = self.totals().await?;
        let few = totals.users.max(totals.groups) <= FEW;
        Ok(if few { Cost::Little } else { Cost::Much })
    }
}

/// Whether a filter can hold of one resource only: it asks for a unique name or an id. Such a look-up needs no order, and
/// without one the planner can take no other index than that of the name.
pub(super) fn at_most_one(condition: &Condition) -> bool {
    match condition {
        Condition::And(all) => all.iter().any(at_most_one),
        Condition::Compare { target, op: Op::Eq, operand: Operand::Text(_) } => {
            target.extension.is_none()
                && target.sub.is_none()
                && matches!(target.attribute.as_str(), "userName" | "id")
        }
        _ => false,
    }
}

/// Whether an index leads to the few resources that a filter can hold of.
pub(super) fn is_served(condition: &Condition) -> bool {
    match condition {
        Condition::And(all) => all.iter().any(is_served),
        Condition::Or(any) => any.iter().all(is_served),
        Condition::Compare { target, op: Op::Eq, operand: Operand::Text(_) } => {
            let part = target.sub.as_ref().map(|sub| sub.name.as_str());
            match (&target.extension, target.attribute.as_str(), part) {
                (None, "userName" | "id" | "externalId", None) => true,
                (None, "emails" | "members", part) => part == Some("value"),
                (Some(urn), "manager", part) => urn == ENTERPRISE_USER && part == Some("value"),
                _ => false,
            }
        }
        Condition::Element { target, condition } => {
            target.extension.is_none()
                && matches!(target.attribute.as_str(), "emails" | "members")
                && has_value(condition)
        }
        // Every resource has an id: this is what never holds, as an attribute of the other type of resource.
        Condition::Not(inner) => {
            matches!(&**inner, Condition::Present(target) if target.attribute == "id")
        }
        _ => false,
    }
}

/// Whether the filter of an element asks for its `value`.
fn has_value(condition: &Condition) -> bool {
    match condition {
        Condition::And(all) => all.iter().any(has_value),
        Condition::Compare { target, op: Op::Eq, operand: Operand::Text(_) } => {
            target.attribute == "value"
        }
        _ => false,
    }
}

/// Whether a filter reads memberships, of which there may be far more than resources.
pub(super) fn asks_memberships(condition: &Condition) -> bool {
    match condition {
        Condition::And(all) | Condition::Or(all) => all.iter().any(asks_memberships),
        Condition::Not(inner) => asks_memberships(inner),
        Condition::Present(target)
        | Condition::Compare { target, .. }
        | Condition::Element { target, .. } => {
            target.extension.is_none() && matches!(target.attribute.as_str(), "groups" | "members")
        }
    }
}
