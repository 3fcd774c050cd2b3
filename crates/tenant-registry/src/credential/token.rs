//! The token: `mst_{region}_{population}_{key id}_{secret}{checksum}`.
//!
//! An access token of an OAuth client has the same form and begins with `mat`; a client's secret begins with `mcs`.
//!
//! Key id: 16 digits. Secret: 43 digits, which are 32 random bytes. Checksum: 6 digits, the CRC-32 of everything before it.
//! Digits are base 62.
//!
//! **Invariant**: a [`BearerToken`] is well formed and its checksum fits; its text is never printed. Region and population are
//! known from the header alone, before a store is asked.

use super::base62;
use super::fault::TokenFault;
use region_router::{Place, Population, Region};
use scim_core::{Notes, Quirk};
use secrecy::{ExposeSecret, SecretString};

/// How a credential's token begins.
pub(crate) const PREFIX: &str = "mst";
/// How an access token of an OAuth client begins.
pub(crate) const ACCESS_PREFIX: &str = "mat";
/// How the secret of an OAuth client begins.
pub(crate) const SECRET_PREFIX: &str = "mcs";
/// What is taken for a token.
const PREFIXES: [&str; 2] = [PREFIX, ACCESS_PREFIX];
/// Digits of a key id.
pub(crate) const KEY_ID_DIGITS: usize = 16;
/// Digits of 32 bytes.
pub(crate) const SECRET_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
/// Digits behind the key id.
pub(crate) const TAIL_DIGITS: usize = SECRET_DIGITS + CHECKSUM_DIGITS;
/// What an operator may see of a key id in a list of tokens.
const KEY_ID_PREFIX: &str = "tok_";

/// A well-formed token as it was presented.
#[derive(Debug, Clone)]
pub struct BearerToken {
    text: SecretString,
    place: Place,
    key_id: String,
    notes: Notes,
}

impl BearerToken {
    /// Parses an `Authorization` header: `Bearer T`, `bearer T` and the bare `T` (idp-wire §1 row 17).
    ///
    /// # Errors
    /// With the one fault that explains best what was sent instead.
    pub fn parse(authorization: &str) -> Result<Self, TokenFault> {
        let mut notes = Notes::default();
        let text = without_scheme(authorization.trim_matches([' ', '\t']), &mut notes)?;
        check_wrapping(text)?;
        let (place, key_id) = read(text)?;
        Ok(Self { text: SecretString::from(text), place, key_id: key_id.to_owned(), notes })
    }

    /// Parses the bytes of an `Authorization` header. Those that are not UTF-8 are read as ISO 8859-1, in which a pasted
    /// no-break space arrives.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_bytes(authorization: &[u8]) -> Result<Self, TokenFault> {
        match std::str::from_utf8(authorization) {
            Ok(text) => Self::parse(text),
            Err(_latin) => {
                Self::parse(&authorization.iter().copied().map(char::from).collect::<String>())
            }
        }
    }

    /// The region and population that the token is for.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The visible part by which the token is found.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Whether it is an access token, of which nothing is kept.
    pub(crate) fn is_access(&self) -> bool {
        self.expose().starts_with(ACCESS_PREFIX)
    }

    /// How the header deviated from `Bearer T`.
    #[must_use]
    pub fn quirks(&self) -> Notes {
        self.notes.clone()
    }

    pub(crate) fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

/// A token that was just made.
pub(crate) struct MintedToken {
    pub(crate) text: SecretString,
    pub(crate) key_id: String,
    pub(crate) hint: String,
}

/// Makes a token for a place, from the process's secure random numbers.
pub(crate) fn mint(place: &Place) -> MintedToken {
    mint_as(PREFIX, place)
}

/// The same with another beginning.
pub(crate) fn mint_as(prefix: &str, place: &Place) -> MintedToken {
    let mut secret = [0_u8; 32];
    rand::fill(&mut secret);
    let key_id = base62::random(KEY_ID_DIGITS);
    let front = format!("{prefix}_{}_{}", place.region, place.population.code());
    let body = format!("{front}_{key_id}_{}", base62::encode(&secret, SECRET_DIGITS));
    let checksum = checksum(&body);
    // The end of the checksum, not of the secret, is what a person may see.
    let last_four: String = checksum.chars().skip(CHECKSUM_DIGITS - 4).collect();
    MintedToken {
        text: SecretString::from(format!("{body}{checksum}")),
        key_id,
        hint: format!("{front}_****{last_four}"),
    }
}

pub(crate) fn checksum(body: &str) -> String {
    base62::encode(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM_DIGITS)
}

/// The key id of a text that is whole and begins so.
pub(crate) fn key_id_of<'a>(prefix: &str, text: &'a str) -> Option<&'a str> {
    let parts: Vec<&str> = text.split('_').collect();
    let [first, _, _, key_id, tail] = parts.as_slice() else { return None };
    (*first == prefix && is_end(key_id, tail) && check_sum(text).is_ok()).then_some(key_id)
}

/// Takes the scheme off (RFC 9110 §11.4: a scheme, spaces, the credentials).
fn without_scheme<'a>(header: &'a str, notes: &mut Notes) -> Result<&'a str, TokenFault> {
    if header.is_empty() || is_bearer(header) {
        return Err(TokenFault::Missing);
    }
    let Some((first, rest)) = header.split_once([' ', '\t']) else {
        notes.met(Quirk::BareToken);
        return Ok(header);
    };
    if is_bearer(first) {
        let rest = rest.trim_start_matches([' ', '\t']);
        let mut words = rest.split(|c: char| c.is_whitespace() || c == ':');
        return if words.next().is_some_and(is_bearer) {
            Err(TokenFault::DoubledBearer)
        } else {
            Ok(rest)
        };
    }
    // No scheme has an underscore or is as long as a key id with its prefix, so this is a bare token with a space in it.
    let is_scheme = first.len() < 20
        && first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b':');
    if is_scheme { Err(TokenFault::SchemeUnsupported) } else { Ok(header) }
}

fn is_bearer(word: &str) -> bool {
    word.eq_ignore_ascii_case("bearer")
}

/// Refuses what copying and pasting leaves around or inside a token.
fn check_wrapping(text: &str) -> Result<(), TokenFault> {
    const QUOTES: [char; 13] = ['"', '\'', '`', '“', '”', '„', '‘', '’', '‚', '«', '»', '‹', '›'];
    const INVISIBLE: [char; 6] =
        ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];
    let lower = text.to_ascii_lowercase();
    let has = |escapes: &[&str]| escapes.iter().any(|escape| lower.contains(escape));

    if text.contains(QUOTES) || has(&["%22", "%27", "&quot;"]) {
        return Err(TokenFault::Quoted);
    }
    if text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        || has(&["\\n", "\\r", "%0a", "%0d", "&#10;", "&#13;"])
    {
        return Err(TokenFault::LineBreak);
    }
    if text.contains(char::is_whitespace)
        || text.contains(INVISIBLE)
        || has(&["\\t", "%20", "%09", "%a0", "&nbsp;", "&#160;", "&#32;"])
    {
        return Err(TokenFault::Whitespace);
    }
    Ok(())
}

/// Reads place and key id of one word, or says what the word is instead.
fn read(text: &str) -> Result<(Place, &str), TokenFault> {
    if text.contains("**") || text.contains(['•', '…', '●', '∙']) || text.contains("...") {
        return Err(TokenFault::IsHint);
    }
    let is_key_id = base62::is_base62(text) && text.len() == KEY_ID_DIGITS;
    if is_key_id || text.starts_with(KEY_ID_PREFIX) {
        return Err(TokenFault::IsKeyId);
    }
    if is_jwt(text) {
        return Err(TokenFault::ForeignJwt);
    }
    let parts: Vec<&str> = text.split('_').collect();
    match parts.as_slice() {
        [prefix, region, population, key_id, tail] => {
            check_lengths(prefix, key_id, tail)?;
            check_sum(text)?;
            // The checksum fits, so what does not parse now was not made by us.
            let region = Region::parse(region).ok();
            let place = region.zip(Population::from_code(population));
            match place {
                Some((region, population)) if PREFIXES.contains(prefix) && is_end(key_id, tail) => {
                    Ok((Place { region, population }, key_id))
                }
                _ => Err(TokenFault::Unrecognised),
            }
        }
        [PREFIX | ACCESS_PREFIX, rest @ ..] if rest.len() < 4 => Err(TokenFault::Truncated),
        [PREFIX | ACCESS_PREFIX, ..] => Err(TokenFault::Overlong),
        [.., key_id, tail] if is_end(key_id, tail) => Err(TokenFault::Truncated),
        _ => Err(TokenFault::Unrecognised),
    }
}

fn check_lengths(prefix: &str, key_id: &str, tail: &str) -> Result<(), TokenFault> {
    let key_id_digits = key_id.chars().count();
    let tail_digits = tail.chars().count();
    let is_cut = |whole: &&str| prefix.len() < whole.len() && whole.ends_with(prefix);
    if PREFIXES.iter().any(is_cut) && is_end(key_id, tail) {
        return Err(TokenFault::Truncated);
    }
    if !PREFIXES.contains(&prefix)
        && (prefix.chars().count() != PREFIX.len() || !is_end(key_id, tail))
    {
        return Err(TokenFault::Unrecognised);
    }
    if key_id_digits < KEY_ID_DIGITS || tail_digits < TAIL_DIGITS {
        return Err(TokenFault::Truncated);
    }
    if key_id_digits > KEY_ID_DIGITS || tail_digits > TAIL_DIGITS {
        return Err(TokenFault::Overlong);
    }
    Ok(())
}

/// Whether two parts have the form in which every token ends.
fn is_end(key_id: &str, tail: &str) -> bool {
    key_id.len() == KEY_ID_DIGITS
        && tail.len() == TAIL_DIGITS
        && base62::is_base62(key_id)
        && base62::is_base62(tail)
}

fn check_sum(text: &str) -> Result<(), TokenFault> {
    let fits = text
        .len()
        .checked_sub(CHECKSUM_DIGITS)
        .and_then(|end| text.split_at_checked(end))
        .is_some_and(|(body, sum)| checksum(body) == sum);
    if fits { Ok(()) } else { Err(TokenFault::Checksum) }
}

/// Whether the text is a JWS of RFC 7515 §7.1 (three parts) or a JWE of RFC 7516 §7.1 (five) with a JSON header.
fn is_jwt(text: &str) -> bool {
    let parts = text.split('.').count();
    let is_base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    text.starts_with("eyJ") && matches!(parts, 3 | 5) && text.bytes().all(is_base64url)
}

#[cfg(test)]
mod tests;
