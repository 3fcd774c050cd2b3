//! A bound filter as SQL, for both engines.
//!
//! Names that the store keeps in columns (userName, externalId, active, `meta`, e-mails, memberships) are read there;
//! all others are read from the comparison document, in which Rust has folded what is compared in any case. What SQL
//! compares is bytes, so both engines and the evaluation in memory agree.
//!
//! **Invariant**: every leaf is true or false and never null, so that `not` is plain negation.

mod compare;
mod leaf;
mod manager;
mod order;

use crate::users::emails::EMAIL_KEY_BYTES;
use compare::{compare, present};
use leaf::Leaf;
use migrations::Engine;
pub(crate) use order::Order;
use scim_core::{Condition, Op, Operand, Target};
use sea_orm::Value;

/// Which rows a filter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// Rows of `users u`.
    Users,
    /// Rows of `groups g`.
    Groups,
    /// Rows of `members m`.
    Members,
}

/// Where the sub-attributes of a target are found.
#[derive(Debug, Clone)]
enum Place {
    /// The row itself.
    Row,
    /// A JSON value: an element of a list in the comparison document.
    Element(String),
    /// A row of `members m` seen from its group.
    Member,
    /// A group `mg` seen from one who is in it; whether it lists the member itself is `k.near`.
    Membership,
    /// The `meta` of the row itself.
    Meta,
}

/// A filter being turned into SQL; collects the values to bind after the tenant's `$1`.
#[derive(Debug, Clone)]
pub(crate) struct Translation {
    engine: Engine,
    rows: Rows,
    values: Vec<Value>,
    base: String,
    base_place: Option<String>,
    aliases: usize,
}

impl Translation {
    /// For a filter over users.
    pub(crate) fn users(engine: Engine, base: &str) -> Self {
        Self::new(engine, Rows::Users, base, Vec::new())
    }

    /// For a filter over groups.
    pub(crate) fn groups(engine: Engine, base: &str) -> Self {
        Self::new(engine, Rows::Groups, base, Vec::new())
    }

    /// For a filter over a group's members; `values` are bound already.
    pub(crate) fn members(engine: Engine, values: Vec<Value>) -> Self {
        Self::new(engine, Rows::Members, "", values)
    }

    fn new(engine: Engine, rows: Rows, base: &str, values: Vec<Value>) -> Self {
        Self { engine, rows, values, base: base.to_owned(), base_place: None, aliases: 0 }
    }

    /// Goes on with a filter over groups, in the same statement.
    pub(crate) fn turn_to_groups(&mut self) {
        self.rows = Rows::Groups;
    }

    /// Binds a value and gives its place.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len() + 1)
    }

    /// The place of the base URL.
    pub(crate) fn base(&mut self) -> String {
        if let Some(place) = &self.base_place {
            return place.clone();
        }
        let place = self.bind(self.base.clone());
        self.base_place = Some(place.clone());
        place
    }

    /// The values bound, in order.
    pub(crate) fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The SQL of a condition.
    pub(crate) fn condition(&mut self, condition: &Condition) -> String {
        let place = if self.rows == Rows::Members { Place::Member } else { Place::Row };
        self.translate(condition, &place)
    }

    fn translate(&mut self, condition: &Condition, place: &Place) -> String {
        match condition {
            Condition::And(all) => self.join(all, place, " AND ", "TRUE"),
            Condition::Or(any) => self.join(any, place, " OR ", "FALSE"),
            Condition::Not(inner) => format!("NOT {}", self.translate(inner, place)),
            Condition::Present(target) => self.present(target, place),
            Condition::Compare { target, op, operand } => self.compare(target, *op, operand, place),
            Condition::Element { target, condition } => self.element(target, condition, place),
        }
    }

    fn join(&mut self, parts: &[Condition], place: &Place, word: &str, none: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.translate(part, place)).collect();
        if parts.is_empty() { none.to_owned() } else { format!("({})", parts.join(word)) }
    }

    fn present(&mut self, target: &Target, place: &Place) -> String {
        if let Some(exists) = self.membership(target, place, None, "TRUE") {
            return exists;
        }
        if let Some(leaf) = self.leaf(target, place) {
            return present(&leaf);
        }
        let document = self.document(target, place);
        match &target.sub {
            Some(sub) if target.multi_valued => {
                let (from, element) = self.elements(&document);
                let leaf = Leaf::json(self.engine, &element, &sub.name, target.kind);
                format!("EXISTS (SELECT 1 FROM {from} WHERE {})", present(&leaf))
            }
            Some(sub) => present(&Leaf::json(
                self.engine,
                &document.value(self.engine),
                &sub.name,
                target.kind,
            )),
            None => format!("({} IS NOT NULL)", document.value(self.engine)),
        }
    }

    fn compare(&mut self, target: &Target, op: Op, operand: &Operand, place: &Place) -> String {
        if *operand == Operand::Null {
            let present = self.present(target, place);
            return if op == Op::Ne { present } else { format!("NOT {present}") };
        }
        if let Some(sql) = self.compare_membership(target, op, operand, place) {
            return sql;
        }
        if let Some(sql) = self.email(target, op, operand, place) {
            return sql;
        }
        if let Some(leaf) = self.leaf(target, place) {
            return compare(self, &leaf, op, operand);
        }
        let document = self.document(target, place);
        if !target.multi_valued {
            let leaf = match &target.sub {
                Some(sub) => {
                    Leaf::json(self.engine, &document.value(self.engine), &sub.name, target.kind)
                }
                None => document.leaf(self.engine, target.kind),
            };
            return compare(self, &leaf, op, operand);
        }
        let (from, element) = self.elements(&document);
        let leaf = match &target.sub {
            Some(sub) => Leaf::json(self.engine, &element, &sub.name, target.kind),
            None => Leaf::element(self.engine, &element, target.kind),
        };
        let there = present(&leaf);
        let holds = compare(self, &leaf, op, operand);
        let some = format!("EXISTS (SELECT 1 FROM {from} WHERE {there} AND {holds})");
        if op == Op::Ne {
            // One that differs, or none at all.
            let none = format!("NOT EXISTS (SELECT 1 FROM {from} WHERE {there})");
            return format!("({some} OR {none})");
        }
        some
    }

    fn element(&mut self, target: &Target, condition: &Condition, place: &Place) -> String {
        if self.rows == Rows::Members {
            return self.translate(condition, &Place::Member);
        }
        if let Some(exists) = self.membership(target, place, Some(condition), "") {
            let narrow = value_of(condition).and_then(|id| self.groups_of(target, id, place));
            return narrow.map_or(exists.clone(), |narrow| format!("({narrow} AND {exists})"));
        }
        if matches!(place, Place::Row) && target.extension.is_none() && target.attribute == "meta" {
            // Columns hold it, and every row has it.
            return self.translate(condition, &Place::Meta);
        }
        let narrow = self.email_of(target, condition, place);
        let document = self.document(target, place);
        if !target.multi_valued {
            let inner = Place::Element(document.value(self.engine));
            let holds = self.translate(condition, &inner);
            return format!("({} IS NOT NULL AND {holds})", document.value(self.engine));
        }
        let (from, element) = self.elements(&document);
        let holds = self.translate(condition, &Place::Element(element));
        let exists = format!("EXISTS (SELECT 1 FROM {from} WHERE {holds})");
        match narrow {
            Some(narrow) => format!("({narrow} AND {exists})"),
            None => exists,
        }
    }

    /// `groups` of a user and `members` of a group, over membership rows.
    fn membership(
        &mut self,
        target: &Target,
        place: &Place,
        condition: Option<&Condition>,
        holds: &str,
    ) -> Option<String> {
        if let Some(condition) = condition
            && let Some(holds) = self.manager_element(target, condition, place)
        {
            return Some(holds);
        }
        if !matches!(place, Place::Row) || target.extension.is_some() {
            return None;
        }
        match (self.rows, target.attribute.as_str()) {
            (Rows::Users, "groups") => Some(self.belongs(condition)),
            (Rows::Groups, "members") => {
                let holds = match condition {
                    Some(condition) => self.translate(condition, &Place::Member),
                    // Of a membership every sub-attribute is there.
                    None => holds.to_owned(),
                };
                Some(format!(
                    "EXISTS (SELECT 1 FROM members m WHERE m.tenant_id = $1 AND m.group_id = g.id AND {holds})"
                ))
            }
            _ => None,
        }
    }

    /// That the user is in a group, directly or not, of which the condition holds.
    fn belongs(&mut self, condition: Option<&Condition>) -> String {
        let Some(condition) = condition else {
            // Nobody is in a group indirectly without being in one directly.
            return "EXISTS (SELECT 1 FROM members m WHERE m.tenant_id = $1 AND m.member_id = u.id)"
                .into();
        };
        let holds = self.translate(condition, &Place::Membership);
        if !names_type(condition) {
            // From the groups down to their people: by indexes, however many people there are.
            return format!(
                "u.id IN (WITH RECURSIVE down(id) AS (
                     SELECT mg.id FROM groups mg WHERE mg.tenant_id = $1 AND {holds}
                     UNION
                     SELECT n.member_id FROM down JOIN members n ON n.tenant_id = $1 AND n.group_id = down.id AND n.kind = 'Group')
                 SELECT m.member_id FROM down JOIN members m ON m.tenant_id = $1 AND m.group_id = down.id)"
            );
        }
        format!(
            "EXISTS (WITH RECURSIVE up(id, near) AS (
                 SELECT m.group_id, 1 FROM members m WHERE m.tenant_id = $1 AND m.member_id = u.id
                 UNION
                 SELECT n.group_id, 0 FROM up JOIN members n ON n.tenant_id = $1 AND n.member_id = up.id AND n.kind = 'Group')
             SELECT 1 FROM (SELECT up.id, max(up.near) AS near FROM up GROUP BY up.id) k
             JOIN groups mg ON mg.tenant_id = $1 AND mg.id = k.id WHERE {holds})"
        )
    }

    fn compare_membership(
        &mut self,
        target: &Target,
        op: Op,
        operand: &Operand,
        place: &Place,
    ) -> Option<String> {
        if target.extension.is_some() {
            return self.managed_by(target, op, operand, place);
        }
        let sub = target.sub.as_ref()?;
        if let (Op::Eq, "value", Operand::Text(id)) = (op, sub.name.as_str(), operand)
            && let Some(sql) = self.groups_of(target, id, place)
        {
            return Some(sql);
        }
        let relative = Target {
            extension: None,
            attribute: sub.name.clone(),
            multi_valued: false,
            sub: None,
            kind: target.kind,
        };
        let inner = Condition::Compare { target: relative, op, operand: operand.clone() };
        let some = self.membership(target, place, Some(&inner), "")?;
        if op != Op::Ne {
            return Some(some);
        }
        let any = self.membership(target, place, None, "TRUE")?;
        Some(format!("({some} OR NOT {any})"))
    }

    /// `members eq "id"` of groups: by the index of memberships, one group after the other.
    fn groups_of(&mut self, target: &Target, id: &str, place: &Place) -> Option<String> {
        let is_members = target.attribute == "members" && target.extension.is_none();
        if self.rows != Rows::Groups || !is_members || !matches!(place, Place::Row) {
            return None;
        }
        let id = self.bind(id);
        Some(format!(
            "g.id IN (SELECT m.group_id FROM members m WHERE m.tenant_id = $1 AND m.member_id = {id})"
        ))
    }

    /// `emails eq "x"`: by the index of e-mails.
    fn email(
        &mut self,
        target: &Target,
        op: Op,
        operand: &Operand,
        place: &Place,
    ) -> Option<String> {
        let is_value = target.sub.as_ref().is_some_and(|sub| sub.name == "value");
        let Operand::Text(key) = operand else { return None };
        if !is_value || op != Op::Eq {
            return None;
        }
        self.email_index(target, key, place)
    }

    /// `emails[… value eq "x" …]`: the users that the index of e-mails leaves to be looked at.
    fn email_of(
        &mut self,
        target: &Target,
        condition: &Condition,
        place: &Place,
    ) -> Option<String> {
        let key = value_of(condition)?;
        self.email_index(target, key, place)
    }

    fn email_index(&mut self, target: &Target, key: &str, place: &Place) -> Option<String> {
        let is_emails = target.attribute == "emails" && target.extension.is_none();
        if self.rows != Rows::Users || !is_emails || !matches!(place, Place::Row) {
            return None;
        }
        if key.len() > EMAIL_KEY_BYTES {
            return None;
        }
        let key = self.bind(key);
        Some(format!(
            "u.id IN (SELECT user_id FROM user_emails WHERE tenant_id = $1 AND email_key = {key})"
        ))
    }
}

/// The `value` that an element must have.
fn value_of(condition: &Condition) -> Option<&str> {
    match condition {
        Condition::And(all) => all.iter().find_map(value_of),
        Condition::Compare { target, op: Op::Eq, operand: Operand::Text(value) }
            if target.attribute == "value" =>
        {
            Some(value)
        }
        _ => None,
    }
}

/// Whether a condition on a membership asks if it is direct.
fn names_type(condition: &Condition) -> bool {
    match condition {
        Condition::And(all) | Condition::Or(all) => all.iter().any(names_type),
        Condition::Not(inner) => names_type(inner),
        Condition::Present(_) => false,
        Condition::Compare { target, .. } => target.attribute == "type",
        Condition::Element { condition, .. } => names_type(condition),
    }
}
