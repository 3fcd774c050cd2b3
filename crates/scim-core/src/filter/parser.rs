//! The grammar of RFC 7644 §3.4.2.2: `or` binds least, then `and`, then `not ( … )`.

use super::lexer::{BadText, Placed, Token, is_spaced, tokens};
use super::{Filter, FilterLimits, Literal, Op};
use crate::document::check::shown;
use crate::error::{ErrorKind, ScimError};
use crate::path::{AttrPath, is_name};
use crate::quirk::{Notes, Quirk, Tolerance};
use serde_json::Number;
use std::iter::Peekable;

/// A PATCH path (RFC 7644 §3.5.2, figure 7): `attr`, `attr[filter]` or `attr[filter].sub`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValuePath {
    pub(crate) attr: AttrPath,
    pub(crate) filter: Option<Filter>,
    /// The name behind the bracket; without a bracket it is in `attr`.
    pub(crate) sub: Option<String>,
}

impl Filter {
    /// Parses a filter.
    ///
    /// # Errors
    /// `invalidFilter`, saying where and why it is not one, or which limit it passes.
    pub fn parse(
        text: &str,
        limits: &FilterLimits,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Self, ScimError> {
        let mut parser = Parser::new(text, *limits, tolerance, notes)?;
        let filter = parser.or(0, Scope::Resource)?;
        match parser.tokens.next() {
            None => parser.spacing().map(|()| filter),
            Some(placed) => Err(unexpected(&placed, "`and`, `or` or the end")),
        }
    }
}

impl ValuePath {
    /// Parses a PATCH path.
    pub(crate) fn parse(
        text: &str,
        limits: &FilterLimits,
        tolerance: &Tolerance,
        notes: &mut Notes,
    ) -> Result<Self, ScimError> {
        // The usual path, without a filter.
        if let Some(attr) = AttrPath::parse(text) {
            return Ok(Self { attr, filter: None, sub: None });
        }
        let bad_path = || {
            ScimError::new(
                ErrorKind::InvalidPath,
                format!(
                    "The path `{}` is not of the form name, name.part, name[filter] or \
                     name[filter].part.",
                    shown(text)
                ),
            )
        };
        let mut parser = Parser::new(text, *limits, tolerance, notes)?;
        let Some(Placed { token: Token::Word(word), .. }) = parser.tokens.next() else {
            return Err(bad_path());
        };
        let attr = AttrPath::parse(word).filter(|attr| attr.sub.is_none()).ok_or_else(bad_path)?;
        if parser.tokens.next_if(|placed| placed.token == Token::BracketOpen).is_none() {
            return Err(bad_path());
        }
        let filter = parser.bracketed(0)?;
        let sub = parser.word_after_bracket();
        if parser.tokens.next().is_some() {
            return Err(bad_path());
        }
        parser.spacing()?;
        Ok(Self { attr, filter: Some(filter), sub })
    }
}

/// Whether names are those of a resource, or of an element inside of brackets.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    Resource,
    Element,
}

struct Parser<'a, 'n> {
    tokens: Peekable<std::vec::IntoIter<Placed<'a>>>,
    limits: FilterLimits,
    tolerance: &'n Tolerance,
    notes: &'n mut Notes,
    terms: usize,
    is_spaced: bool,
}

impl<'a, 'n> Parser<'a, 'n> {
    fn new(
        text: &'a str,
        limits: FilterLimits,
        tolerance: &'n Tolerance,
        notes: &'n mut Notes,
    ) -> Result<Self, ScimError> {
        if text.len() > limits.bytes {
            return Err(invalid(format!(
                "The filter is {} bytes long; at most {} are allowed.",
                text.len(),
                limits.bytes
            )));
        }
        let tokens = tokens(text).map_err(|BadText { at, why }| {
            invalid(format!("The filter is not understood at character {at}: {why}."))
        })?;
        let is_spaced = is_spaced(text, &tokens);
        let tokens = tokens.into_iter().peekable();
        Ok(Self { tokens, limits, tolerance, notes, terms: 0, is_spaced })
    }

    /// Notes white space that the grammar does not have.
    fn spacing(&mut self) -> Result<(), ScimError> {
        if self.is_spaced {
            return Ok(());
        }
        self.tolerance.bend(Quirk::FilterSpacing, self.notes, || {
            invalid("Between the words of a filter stands one space, and none else.".to_owned())
        })
    }

    fn or(&mut self, depth: usize, scope: Scope) -> Result<Filter, ScimError> {
        let mut operands = vec![self.and(depth, scope)?];
        while self.keyword("or") {
            operands.push(self.and(depth, scope)?);
        }
        Ok(one_or(operands, Filter::Or))
    }

    fn and(&mut self, depth: usize, scope: Scope) -> Result<Filter, ScimError> {
        let mut operands = vec![self.operand(depth, scope)?];
        while self.keyword("and") {
            operands.push(self.operand(depth, scope)?);
        }
        Ok(one_or(operands, Filter::And))
    }

    fn operand(&mut self, depth: usize, scope: Scope) -> Result<Filter, ScimError> {
        let expected = "an attribute, `not (` or `(`";
        let placed = self.tokens.next().ok_or_else(|| ended(expected))?;
        match placed.token {
            Token::Open => self.grouped(depth, scope),
            Token::Word(word) if word.eq_ignore_ascii_case("not") => {
                match self.tokens.next() {
                    Some(Placed { token: Token::Open, .. }) => {}
                    Some(other) => return Err(unexpected(&other, "`(` after `not`")),
                    None => return Err(ended("`(` after `not`")),
                }
                Ok(Filter::Not(Box::new(self.grouped(depth, scope)?)))
            }
            Token::Word(word) => {
                let path = AttrPath::parse(word).ok_or_else(|| unexpected(&placed, expected))?;
                if self.tokens.next_if(|next| next.token == Token::BracketOpen).is_some() {
                    if scope == Scope::Element {
                        return Err(invalid(format!(
                            "`{path}[` stands inside of another pair of brackets; RFC 7644 \
                             allows one level."
                        )));
                    }
                    return self.element(path, depth);
                }
                self.comparison(path)
            }
            _ => Err(unexpected(&placed, expected)),
        }
    }

    /// What stands between `(` and `)`.
    fn grouped(&mut self, depth: usize, scope: Scope) -> Result<Filter, ScimError> {
        let filter = self.or(self.deeper(depth)?, scope)?;
        self.expect(&Token::Close, "`)`")?;
        Ok(filter)
    }

    /// What stands between `[` and `]`.
    fn bracketed(&mut self, depth: usize) -> Result<Filter, ScimError> {
        let filter = self.or(self.deeper(depth)?, Scope::Element)?;
        self.expect(&Token::BracketClose, "`]`")?;
        Ok(filter)
    }

    fn element(&mut self, path: AttrPath, depth: usize) -> Result<Filter, ScimError> {
        let filter = self.bracketed(depth)?;
        let Some(name) = self.word_after_bracket() else {
            return Ok(Filter::Element { path, filter: Box::new(filter) });
        };
        // Entra matches users with `emails[type eq "work"].value eq "…"`, which the grammar does not have.
        self.tolerance.bend(Quirk::FilterAfterValuePath, self.notes, || {
            invalid(format!(
                "`{path}[…].{name}` is not allowed in a filter; write the comparison of `{name}` \
                 inside of the brackets."
            ))
        })?;
        let after = self.comparison(AttrPath { urn: None, name, sub: None })?;
        let filter = match filter {
            Filter::And(mut operands) => {
                operands.push(after);
                Filter::And(operands)
            }
            other => Filter::And(vec![other, after]),
        };
        Ok(Filter::Element { path, filter: Box::new(filter) })
    }

    /// The `.value` of `emails[…].value`.
    fn word_after_bracket(&mut self) -> Option<String> {
        let name_of = |token: &Token<'a>| match token {
            Token::Word(word) => word.strip_prefix('.').filter(|name| is_name(name)),
            _ => None,
        };
        let placed = self.tokens.next_if(|next| name_of(&next.token).is_some())?;
        name_of(&placed.token).map(str::to_owned)
    }

    /// The operator and the value behind an attribute.
    fn comparison(&mut self, path: AttrPath) -> Result<Filter, ScimError> {
        self.terms += 1;
        if self.terms > self.limits.terms {
            return Err(invalid(format!(
                "The filter has more than {} comparisons; that many are allowed.",
                self.limits.terms
            )));
        }
        let expected = "an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr)";
        let placed = self.tokens.next().ok_or_else(|| ended(expected))?;
        let Token::Word(word) = placed.token else { return Err(unexpected(&placed, expected)) };
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let op = Op::from_keyword(word).ok_or_else(|| unexpected(&placed, expected))?;
        let value = self.literal()?;
        Ok(Filter::Compare { path, op, value })
    }

    fn literal(&mut self) -> Result<Literal, ScimError> {
        let expected = "a value";
        let placed = self.tokens.next().ok_or_else(|| ended(expected))?;
        let word = match placed.token {
            Token::Text(text) => return Ok(Literal::Text(text)),
            Token::Word(word) => word,
            _ => return Err(unexpected(&placed, expected)),
        };
        for (keyword, literal) in [
            ("true", Literal::Boolean(true)),
            ("false", Literal::Boolean(false)),
            ("null", Literal::Null),
        ] {
            if word.eq_ignore_ascii_case(keyword) {
                if word != keyword {
                    self.tolerance.bend(Quirk::LiteralCase, self.notes, || {
                        unexpected(&placed, &format!("`{keyword}`"))
                    })?;
                }
                return Ok(literal);
            }
        }
        if let Ok(number) = serde_json::from_str::<Number>(word) {
            return Ok(Literal::Number(number));
        }
        // Entra's guide has `externalId eq jyoung`. An apostrophe is a mistake of another kind: the text would
        // be looked for with it, and never found.
        let refusal = || unexpected(&placed, "a value; put text into double quotes");
        if word.starts_with('\'') {
            return Err(refusal());
        }
        self.tolerance.bend(Quirk::UnquotedValue, self.notes, refusal)?;
        Ok(Literal::Text(word.to_owned()))
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        self.tokens
            .next_if(|next| {
                matches!(next.token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
            })
            .is_some()
    }

    fn expect(&mut self, token: &Token<'_>, name: &str) -> Result<(), ScimError> {
        match self.tokens.next() {
            Some(placed) if placed.token == *token => Ok(()),
            Some(placed) => Err(unexpected(&placed, &format!("`and`, `or` or {name}"))),
            None => Err(ended(name)),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, ScimError> {
        if depth >= self.limits.depth {
            return Err(invalid(format!(
                "The filter has more than {} brackets inside each other; that many are allowed.",
                self.limits.depth
            )));
        }
        Ok(depth + 1)
    }
}

fn one_or(mut operands: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match operands.pop() {
        Some(only) if operands.is_empty() => only,
        Some(last) => {
            operands.push(last);
            join(operands)
        }
        None => join(operands),
    }
}

fn unexpected(placed: &Placed<'_>, expected: &str) -> ScimError {
    invalid(format!(
        "The filter is not understood at character {}: {} stands where {expected} is due.",
        placed.at,
        placed.token.shown()
    ))
}

fn ended(expected: &str) -> ScimError {
    invalid(format!("The filter ends where {expected} is due."))
}

fn invalid(detail: String) -> ScimError {
    ScimError::new(ErrorKind::InvalidFilter, detail)
}
