//! The form that a token is asked for with.
//!
//! **Invariant**: no parameter is there twice (RFC 6749 §3.2), and one without a value is not there at all.

use super::error::OauthError;

/// Parameters that one form may have; ours are nine.
const MOST: usize = 32;

/// The parameters.
#[derive(Default)]
pub(super) struct Form(Vec<(String, String)>);

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its values are secrets and assertions, and a name may be one that was sent without a name.
        f.debug_struct("Form").field("parameters", &self.0.len()).finish_non_exhaustive()
    }
}

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded`.
    pub(super) fn parse(body: &[u8]) -> Result<Self, OauthError> {
        let malformed =
            || OauthError::request("The body is not a form: percent-encode its values.");
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut half = || decode(halves.next().unwrap_or_default()).ok_or_else(malformed);
            let (name, value) = (half()?, half()?);
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(OauthError::request("A parameter is there more than once."));
            }
            if pairs.len() >= MOST {
                return Err(OauthError::request("The form has too many parameters."));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Takes the encoding of a form off (RFC 6749 appendix B); `None` when it is none, or not UTF-8.
pub(super) fn decode(text: &[u8]) -> Option<String> {
    let digit =
        |byte: Option<&u8>| char::from(*byte?).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => (digit(rest.next())? << 4) | digit(rest.next())?,
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{Form, decode};

    #[test]
    fn a_form_is_read_as_it_was_written() {
        let form = Form::parse(b"a=1&b=x%20y+z%2B&c=&&d").unwrap();
        assert_eq!(form.get("a"), Some("1"));
        assert_eq!(format!("{form:?}"), "Form { parameters: 4, .. }");
        assert_eq!(form.get("b"), Some("x y z+"));
        // RFC 6749 §3.2: without a value is not there.
        for name in ["c", "d", "e"] {
            assert_eq!(form.get(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_repeated_or_malformed_is_refused() {
        for bad in [
            &b"a=1&a=1"[..],
            b"a=1&%61=2",
            b"a=&a=1",
            b"a=%",
            b"a=%4",
            b"a=%zz",
            b"a=%ff",
            b"%e2%28=1",
        ] {
            assert!(Form::parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        let many = (0..40).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        assert!(Form::parse(many.as_bytes()).is_err());
    }

    #[test]
    fn percent_and_plus_are_taken_off() {
        assert_eq!(decode(b"%41+%c3%a9").as_deref(), Some("A é"));
    }
}
