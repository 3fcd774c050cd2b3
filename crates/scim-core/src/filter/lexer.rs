//! A filter or PATCH path cut into words, JSON texts and brackets.

use std::iter::Peekable;
use std::str::CharIndices;

/// One piece.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// A run of anything but white space, quotes and brackets: names, operators, numbers, `.value`.
    Word(&'a str),
    /// A JSON string, unescaped.
    Text(String),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    BracketOpen,
    /// `]`
    BracketClose,
}

impl Token<'_> {
    /// How the piece is shown in an error. Texts are personal data and are not shown.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("`{}`", crate::document::check::shown(word)),
            Self::Text(_) => "a quoted text".to_owned(),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::BracketOpen => "`[`".to_owned(),
            Self::BracketClose => "`]`".to_owned(),
        }
    }
}

/// A piece and where it starts, counted in characters from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed<'a> {
    pub(super) token: Token<'a>,
    pub(super) at: usize,
    /// The characters of white space in front of it.
    gap: Gap,
}

/// The white space between two pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    None,
    Space,
    Other,
}

/// Whether the white space is where the grammar of RFC 7644 §3.4.2.2 has it, and nowhere else.
pub(super) fn is_spaced(text: &str, pieces: &[Placed<'_>]) -> bool {
    let Some(first) = pieces.first() else { return true };
    if first.gap != Gap::None || text.ends_with(char::is_whitespace) {
        return false;
    }
    pieces.iter().zip(pieces.iter().skip(1)).all(|(before, after)| {
        let is_not = matches!(before.token, Token::Word(word) if word.eq_ignore_ascii_case("not"));
        match (&before.token, &after.token) {
            (Token::Open | Token::BracketOpen, _) | (_, Token::Close | Token::BracketClose) => {
                after.gap == Gap::None
            }
            // The grammar has no space behind `not`, and its examples have one.
            (_, Token::Open) if is_not => after.gap != Gap::Other,
            (Token::Word(_), Token::BracketOpen) => after.gap == Gap::None,
            (Token::BracketClose, Token::Word(word)) if word.starts_with('.') => {
                after.gap == Gap::None
            }
            _ => after.gap == Gap::Space,
        }
    })
}

/// Why the text cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadText {
    pub(super) at: usize,
    pub(super) why: &'static str,
}

/// Cuts `text` into pieces.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed<'_>>, BadText> {
    let mut pieces = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut at = 0;
    let mut gap = Gap::None;
    while let Some((start, c)) = chars.next() {
        at += 1;
        let placed_at = at;
        let token = match c {
            c if c.is_whitespace() => {
                gap = if gap == Gap::None && c == ' ' { Gap::Space } else { Gap::Other };
                continue;
            }
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::BracketOpen,
            ']' => Token::BracketClose,
            '"' => {
                let end = end_of_text(&mut chars, &mut at)
                    .ok_or(BadText { at: placed_at, why: "the quoted text has no end" })?;
                Token::Text(unquoted(text.get(start..=end), placed_at)?)
            }
            c if c.is_control() => {
                return Err(BadText { at, why: "control characters are not allowed" });
            }
            c => {
                let mut end = start + c.len_utf8();
                while let Some((next, c)) = chars.next_if(|(_, c)| is_word(*c)) {
                    at += 1;
                    end = next + c.len_utf8();
                }
                Token::Word(text.get(start..end).unwrap_or_default())
            }
        };
        pieces.push(Placed { token, at: placed_at, gap: std::mem::replace(&mut gap, Gap::None) });
    }
    Ok(pieces)
}

fn is_word(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !matches!(c, '(' | ')' | '[' | ']' | '"')
}

/// Moves behind the closing quote and gives its place in bytes.
fn end_of_text(chars: &mut Peekable<CharIndices<'_>>, at: &mut usize) -> Option<usize> {
    loop {
        let (place, c) = chars.next()?;
        *at += 1;
        match c {
            '"' => return Some(place),
            '\\' => {
                chars.next()?;
                *at += 1;
            }
            _ => {}
        }
    }
}

/// RFC 7644 §3.4.2.2: a text in a filter is a JSON string, escapes and surrogate pairs included.
fn unquoted(quoted: Option<&str>, at: usize) -> Result<String, BadText> {
    let unescaped: Option<String> = quoted.and_then(|text| serde_json::from_str(text).ok());
    match unescaped {
        // No store holds U+0000 in text, so nothing can equal it.
        Some(text) if text.contains('\0') => Err(BadText { at, why: "the text holds U+0000" }),
        Some(text) => Ok(text),
        None => Err(BadText { at, why: "the quoted text is not a JSON string" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<Token<'_>> {
        tokens(text).unwrap().into_iter().map(|placed| placed.token).collect()
    }

    #[test]
    fn words_texts_and_brackets_need_no_space_between_them() {
        use Token::{BracketClose, BracketOpen, Close, Open, Text, Word};
        assert_eq!(
            cut(r#"a[b eq"x"].value eq"y"and(c pr)"#),
            [
                Word("a"),
                BracketOpen,
                Word("b"),
                Word("eq"),
                Text("x".into()),
                BracketClose,
                Word(".value"),
                Word("eq"),
                Text("y".into()),
                Word("and"),
                Open,
                Word("c"),
                Word("pr"),
                Close,
            ]
        );
    }

    #[test]
    fn white_space_stands_where_the_grammar_has_it() {
        for (text, expected) in [
            (r#"a eq "x""#, true),
            (r#"a[b eq "x" and c pr].d eq 1"#, true),
            (r#"not (a pr) and (b pr or not(c pr))"#, true),
            (r#" a pr"#, false),
            (r#"a pr "#, false),
            (r#"a  pr"#, false),
            ("a	pr", false),
            (r#"a eq"x""#, false),
            (r#"( a pr)"#, false),
            (r#"(a pr )"#, false),
            (r#"a [b pr]"#, false),
            (r#"(a pr)and (b pr)"#, false),
        ] {
            assert_eq!(is_spaced(text, &tokens(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn escapes_are_those_of_json() {
        assert_eq!(cut(r#""a\"b\\c\n\u00e5\ud83d\ude00""#), [Token::Text("a\"b\\c\nå😀".into())]);
    }

    #[test]
    fn broken_texts_are_named_with_their_place() {
        for (text, at) in [
            (r#"a eq "x"#, 6),
            (r#"a eq "\ud83d""#, 6),
            (r#"é eq "\q""#, 6),
            (r#"a eq "\u0000""#, 6),
            ("a\u{7}b", 2),
        ] {
            assert_eq!(tokens(text).unwrap_err().at, at, "{text}");
        }
    }
}
