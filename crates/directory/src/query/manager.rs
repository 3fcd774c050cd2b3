//! A user's manager in a filter: the id from its index, name and address from the manager's own row.

use super::compare::compare;
use super::leaf::Leaf;
use super::{Place, Rows, Translation};
use crate::users::manager::KEY_BYTES;
use migrations::Engine;
use scim_core::schema::builtin::ENTERPRISE_USER;
use scim_core::{Condition, Op, Operand, Sub, Target};

impl Translation {
    fn is_manager(&self, target: &Target, place: &Place) -> bool {
        self.rows == Rows::Users
            && matches!(place, Place::Row)
            && target.extension.as_deref() == Some(ENTERPRISE_USER)
            && target.attribute == "manager"
    }

    /// What is computed of the manager.
    pub(super) fn manager_leaf(&mut self, target: &Target, place: &Place) -> Option<Leaf> {
        if !self.is_manager(target, place) {
            return None;
        }
        match target.sub.as_ref()?.name.as_str() {
            "displayName" => {
                let name = match self.engine {
                    Engine::Sqlite => "json_extract(mu.search, '$.displayName')",
                    Engine::Postgres => "mu.search->>'displayName'",
                };
                Some(Leaf::nullable(format!(
                    "(SELECT coalesce({name}, mu.user_name_key) FROM users mu WHERE mu.tenant_id = $1 AND mu.id = u.manager_key)"
                )))
            }
            "$ref" => {
                let base = self.base();
                Some(Leaf::nullable(format!(
                    "(SELECT {base} || '/Users/' || mu.id FROM users mu WHERE mu.tenant_id = $1 AND mu.id = u.manager_key)"
                )))
            }
            _ => None,
        }
    }

    /// `manager eq "id"`: by the index of managers. Entra asks so before it removes somebody (idp-wire 2.1).
    pub(super) fn managed_by(
        &mut self,
        target: &Target,
        op: Op,
        operand: &Operand,
        place: &Place,
    ) -> Option<String> {
        let Operand::Text(key) = operand else { return None };
        let is_value = target.sub.as_ref().is_some_and(|sub| sub.name == "value");
        if op != Op::Eq || !is_value || key.len() > KEY_BYTES || !self.is_manager(target, place) {
            return None;
        }
        Some(compare(self, &Leaf::nullable("u.manager_key"), op, operand))
    }

    /// `manager[…]`: what is asked of the one manager, asked by its full names.
    pub(super) fn manager_element(
        &mut self,
        target: &Target,
        condition: &Condition,
        place: &Place,
    ) -> Option<String> {
        if !self.is_manager(target, place) {
            return None;
        }
        let present = self.present(target, place);
        let holds = self.translate(&absolute(condition, target), place);
        Some(format!("({present} AND {holds})"))
    }
}

/// A condition on the parts of a complex attribute, with the attribute named in each target.
fn absolute(condition: &Condition, whole: &Target) -> Condition {
    let all = |conditions: &[Condition]| conditions.iter().map(|c| absolute(c, whole)).collect();
    match condition {
        Condition::And(parts) => Condition::And(all(parts)),
        Condition::Or(parts) => Condition::Or(all(parts)),
        Condition::Not(inner) => Condition::Not(Box::new(absolute(inner, whole))),
        Condition::Present(target) => Condition::Present(part(target, whole)),
        Condition::Compare { target, op, operand } => {
            Condition::Compare { target: part(target, whole), op: *op, operand: operand.clone() }
        }
        // There is no list within the manager.
        Condition::Element { .. } => condition.clone(),
    }
}

fn part(relative: &Target, whole: &Target) -> Target {
    Target {
        sub: Some(Sub { name: relative.attribute.clone(), multi_valued: false }),
        kind: relative.kind,
        ..whole.clone()
    }
}
