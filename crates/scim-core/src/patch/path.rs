//! What the filter inside of a path says of the elements that it chooses.

use crate::filter::{Filter, Literal, Op};

impl Filter {
    /// How many comparisons it has.
    pub(super) fn terms(&self) -> usize {
        match self {
            Self::And(operands) | Self::Or(operands) => operands.iter().map(Self::terms).sum(),
            Self::Not(filter) | Self::Element { filter, .. } => filter.terms(),
            Self::Present(_) | Self::Compare { .. } => 1,
        }
    }

    /// The names and values of the `eq` terms that must all hold, and whether there are no other terms.
    pub(super) fn equalities(&self) -> Option<(Vec<(&str, &Literal)>, bool)> {
        match self {
            Self::Compare { path, op: Op::Eq, value } if *value != Literal::Null => {
                Some((vec![(path.name.as_str(), value)], true))
            }
            Self::And(operands) => {
                let mut terms = Vec::new();
                let mut only = true;
                for operand in operands {
                    match operand.equalities() {
                        Some((inner, inner_only)) => {
                            terms.extend(inner);
                            only &= inner_only;
                        }
                        None => only = false,
                    }
                }
                (!terms.is_empty()).then_some((terms, only))
            }
            _ => None,
        }
    }

    /// The ids of `value eq "x"`, or of an `or` of such.
    pub(super) fn ids(&self) -> Option<Vec<String>> {
        match self {
            Self::Compare { path, op: Op::Eq, value }
                if path.name.eq_ignore_ascii_case("value") =>
            {
                match value {
                    Literal::Text(id) => Some(vec![id.clone()]),
                    Literal::Number(id) => Some(vec![id.to_string()]),
                    Literal::Boolean(_) | Literal::Null => None,
                }
            }
            Self::Or(operands) => {
                let ids: Option<Vec<Vec<String>>> = operands.iter().map(Self::ids).collect();
                ids.map(|ids| ids.into_iter().flatten().collect())
            }
            _ => None,
        }
    }
}
