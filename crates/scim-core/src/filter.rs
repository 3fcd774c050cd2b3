//! Filters (RFC 7644 §3.4.2.2): as written ([`Filter`]) and bound to a schema ([`Condition`]).
//!
//! **Invariant**: a [`Condition`] names canonical attributes only, each with an operator that its type allows and an
//! operand in comparison form. SQL and memory read the same one.
//!
//! ```
//! use scim_core::{Filter, FilterLimits, Notes, ResourceType, Tolerance};
//!
//! let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
//! let text = r#"emails[TYPE eq "work" and value co "@example.com"] and active eq true"#;
//! let filter = Filter::parse(text, &FilterLimits::default(), &tolerance, &mut notes)?;
//! let condition = filter.bind(ResourceType::user(), &tolerance, &mut notes)?;
//!
//! let ada = serde_json::json!({
//!     "active": true,
//!     "emails": [{"type": "work", "value": "ada@example.com"}]
//! });
//! assert!(condition.matches(ada.as_object().unwrap()));
//! # Ok::<(), scim_core::ScimError>(())
//! ```

mod bind;
mod eval;
mod lexer;
mod parser;

use crate::path::AttrPath;
use crate::schema::Kind;
use serde_json::Number;
use std::fmt;

pub(crate) use parser::ValuePath;

/// A comparison operator (RFC 7644 §3.4.2.2, table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

impl Op {
    const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// The keyword.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    fn from_keyword(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.keyword().eq_ignore_ascii_case(text))
    }
}

/// The value in a comparison: a JSON scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// `null`.
    Null,
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => {
                f.write_str(&serde_json::to_string(text).map_err(|_not_possible| fmt::Error)?)
            }
            Self::Boolean(truth) => write!(f, "{truth}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Null => f.write_str("null"),
        }
    }
}

/// How large a filter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterLimits {
    /// Length of the text.
    pub bytes: usize,
    /// Brackets of either kind inside each other.
    pub depth: usize,
    /// Comparisons.
    pub terms: usize,
}

impl Default for FilterLimits {
    fn default() -> Self {
        Self { bytes: 4096, depth: 32, terms: 100 }
    }
}

/// A filter as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All hold.
    And(Vec<Filter>),
    /// Any holds.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// `pr`: the attribute has a value.
    Present(AttrPath),
    /// A comparison.
    Compare {
        /// The attribute compared.
        path: AttrPath,
        /// How.
        op: Op,
        /// With what.
        value: Literal,
    },
    /// `emails[…]`: one element holds the inner filter.
    Element {
        /// The list.
        path: AttrPath,
        /// What one of its elements must hold.
        filter: Box<Filter>,
    },
}

impl Filter {
    fn fmt_operands(f: &mut fmt::Formatter<'_>, operands: &[Filter], between: &str) -> fmt::Result {
        for (i, operand) in operands.iter().enumerate() {
            if i > 0 {
                write!(f, " {between} ")?;
            }
            match operand {
                Self::And(_) | Self::Or(_) => write!(f, "({operand})")?,
                _ => write!(f, "{operand}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(operands) => Self::fmt_operands(f, operands, "and"),
            Self::Or(operands) => Self::fmt_operands(f, operands, "or"),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare { path, op, value } => write!(f, "{path} {} {value}", op.keyword()),
            Self::Element { path, filter } => write!(f, "{path}[{filter}]"),
        }
    }
}

/// A filter bound to a schema: types checked, operands in comparison form.
///
/// Logic has two values: a comparison with what is absent is false, except `ne`, so `Not` is plain negation.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All hold.
    And(Vec<Condition>),
    /// Any holds.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The attribute has a value; a list or an object one that is not empty.
    Present(Target),
    /// A comparison; on a list it holds when it holds for any value.
    Compare {
        /// What is compared.
        target: Target,
        /// How.
        op: Op,
        /// With what.
        operand: Operand,
    },
    /// One element of the list holds the inner condition, whose targets are relative to the element.
    Element {
        /// The list.
        target: Target,
        /// What one of its elements must hold.
        condition: Box<Condition>,
    },
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The canonical URN, when the attribute lives in an extension object.
    pub extension: Option<String>,
    /// The canonical name; inside of [`Condition::Element`], of the sub-attribute.
    pub attribute: String,
    /// Whether `attribute` is a list.
    pub multi_valued: bool,
    /// The sub-attribute; `value` where a comparison names a complex attribute alone.
    pub sub: Option<Sub>,
    /// The type of what is compared.
    pub kind: Kind,
}

/// A sub-attribute in a [`Target`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sub {
    /// The canonical name.
    pub name: String,
    /// Whether it is a list.
    pub multi_valued: bool,
}

/// What a target is compared with, in comparison form.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Text, folded as its attribute says.
    Text(String),
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// An instant as UTC with nine digits of fraction and `Z`, so that text order is time order.
    Instant(String),
    /// Nothing: `eq` holds when the target is absent, `ne` when it is present.
    Null,
}
