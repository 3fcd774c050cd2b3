//! A condition on a comparison form in memory.

use super::{Condition, Op, Operand, Target};
use serde_json::{Map, Number, Value};
use std::cmp::Ordering;

impl Condition {
    /// Whether the condition holds for a resource in comparison form, or for one element inside of `Element`.
    #[must_use]
    pub fn matches(&self, search: &Map<String, Value>) -> bool {
        match self {
            Self::And(conditions) => conditions.iter().all(|condition| condition.matches(search)),
            Self::Or(conditions) => conditions.iter().any(|condition| condition.matches(search)),
            Self::Not(condition) => !condition.matches(search),
            Self::Present(target) => target.is_present(search),
            Self::Compare { target, op, operand } => target.compares(search, *op, operand),
            Self::Element { target, condition } => target
                .values(search)
                .into_iter()
                .filter_map(Value::as_object)
                .any(|element| condition.matches(element)),
        }
    }
}

impl Target {
    /// The values it names; elements of lists one by one.
    fn values<'v>(&self, search: &'v Map<String, Value>) -> Vec<&'v Value> {
        let home = match &self.extension {
            Some(urn) => search.get(urn).and_then(Value::as_object),
            None => Some(search),
        };
        let whole = home.and_then(|home| home.get(&self.attribute));
        let values = whole.into_iter().flat_map(each);
        match &self.sub {
            None => values.collect(),
            Some(sub) => values.filter_map(|value| value.get(&sub.name)).flat_map(each).collect(),
        }
    }

    fn is_present(&self, search: &Map<String, Value>) -> bool {
        self.values(search).into_iter().any(has_value)
    }

    fn compares(&self, search: &Map<String, Value>, op: Op, operand: &Operand) -> bool {
        if *operand == Operand::Null {
            return self.is_present(search) == (op == Op::Ne);
        }
        let values = self.values(search);
        if op == Op::Ne && !values.iter().any(|value| has_value(value)) {
            return true;
        }
        values.into_iter().filter(|value| has_value(value)).any(|value| holds(value, op, operand))
    }
}

fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}

/// RFC 7643 §2.5: null and the empty list are no value; so are `""` and `{}` in this service.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(has_value),
        Value::Object(map) => map.values().any(has_value),
    }
}

fn holds(value: &Value, op: Op, operand: &Operand) -> bool {
    match (value, operand) {
        (Value::String(value), Operand::Text(operand) | Operand::Instant(operand)) => match op {
            Op::Co => value.contains(operand.as_str()),
            Op::Sw => value.starts_with(operand.as_str()),
            Op::Ew => value.ends_with(operand.as_str()),
            _ => ordered(op, value.as_str().cmp(operand.as_str())),
        },
        (Value::Bool(value), Operand::Boolean(operand)) => ordered(op, value.cmp(operand)),
        (Value::Number(value), Operand::Number(operand)) => {
            numbers(value, operand).is_some_and(|ordering| ordered(op, ordering))
        }
        // A value of another type than its attribute's equals nothing.
        _ => op == Op::Ne,
    }
}

fn ordered(op: Op, ordering: Ordering) -> bool {
    match op {
        Op::Eq => ordering.is_eq(),
        Op::Ne => ordering.is_ne(),
        Op::Gt => ordering.is_gt(),
        Op::Ge => ordering.is_ge(),
        Op::Lt => ordering.is_lt(),
        Op::Le => ordering.is_le(),
        Op::Co | Op::Sw | Op::Ew => false,
    }
}

/// Compares as both databases do: a whole number is not rounded to be compared with a fraction.
fn numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (Some(left), None) => Some(whole_with(left, right.as_f64()?)),
        (None, Some(right)) => Some(whole_with(right, left.as_f64()?).reverse()),
        (None, None) => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn whole_with(whole: i64, float: f64) -> Ordering {
    // 2^63: what is not below it in size is beyond every i64.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float >= BEYOND {
        return Ordering::Less;
    }
    if float < -BEYOND {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the whole part is within i64")]
    let floor = float.floor() as i64;
    match whole.cmp(&floor) {
        Ordering::Equal if float > float.floor() => Ordering::Less,
        ordering => ordering,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_fractions_compare_exactly() {
        for (whole, float, expected) in [
            (3, 3.0, Ordering::Equal),
            (3, 3.5, Ordering::Less),
            (4, 3.5, Ordering::Greater),
            (-4, -3.5, Ordering::Less),
            (-3, -3.5, Ordering::Greater),
            (9_007_199_254_740_993, 9_007_199_254_740_992.0, Ordering::Greater),
            (i64::MAX, 9.3e18, Ordering::Less),
            (i64::MIN, -9.3e18, Ordering::Greater),
            (0, -0.0, Ordering::Equal),
        ] {
            assert_eq!(whole_with(whole, float), expected, "{whole} {float}");
        }
    }
}
