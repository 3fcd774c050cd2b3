//! How a client says who it is: by Basic, in the form, or by an assertion.
//!
//! **Invariant**: one way, and one only (RFC 6749 §2.3).

use super::error::{Code, OauthError};
use super::form::{Form, decode};
use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;
use std::fmt;

/// The one kind of assertion that stands for a client (RFC 7523 §2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client presents.
pub(super) enum Presented {
    /// An id and a secret.
    Secret {
        /// The id.
        client_id: String,
        /// The secret.
        secret: SecretString,
    },
    /// A signed assertion, and the id if it is given beside it.
    Assertion {
        /// The id.
        client_id: Option<String>,
        /// The JWT.
        assertion: String,
    },
    /// Nothing but perhaps an id.
    Nothing {
        /// The id.
        client_id: Option<String>,
    },
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is what was sent as one, and may be anything.
        f.write_str(match self {
            Self::Secret { .. } => "Secret(…)",
            Self::Assertion { .. } => "Assertion(…)",
            Self::Nothing { .. } => "Nothing(…)",
        })
    }
}

impl Presented {
    /// Reads the header and the form.
    pub(super) fn read(request: &HttpRequest, form: &Form) -> Result<Self, OauthError> {
        let mut headers = request.headers().get_all(header::AUTHORIZATION);
        let header = headers.next();
        if headers.next().is_some() {
            return Err(OauthError::request("The request has two Authorization headers."));
        }
        let basic = header.map(basic).transpose()?;
        let client_id = form.get("client_id").map(str::to_owned);
        let secret = form.get("client_secret");
        let assertion = assertion(form)?;
        let ways = [basic.is_some(), secret.is_some(), assertion.is_some()];
        if ways.into_iter().filter(|is_there| *is_there).count() > 1 {
            return Err(OauthError::request(
                "The client says in more than one way who it is: use Basic, client_secret or client_assertion, and one of them only.",
            ));
        }
        match (basic, secret, assertion) {
            (Some((id, secret)), _, _) => {
                if client_id.is_some_and(|other| other != id) {
                    return Err(OauthError::request(
                        "The client_id of the form is not the one of the Authorization header.",
                    ));
                }
                Ok(Self::Secret { client_id: id, secret })
            }
            (None, Some(secret), _) => {
                let client_id = client_id
                    .ok_or_else(|| OauthError::request("The parameter client_id is missing."))?;
                Ok(Self::Secret { client_id, secret: SecretString::from(secret) })
            }
            (None, None, Some(assertion)) => Ok(Self::Assertion { client_id, assertion }),
            (None, None, None) => Ok(Self::Nothing { client_id }),
        }
    }
}

fn assertion(form: &Form) -> Result<Option<String>, OauthError> {
    match (form.get("client_assertion_type"), form.get("client_assertion")) {
        (None, None) => Ok(None),
        (Some(JWT_BEARER), Some(assertion)) => Ok(Some(assertion.to_owned())),
        (Some(JWT_BEARER), None) => {
            Err(OauthError::request("The parameter client_assertion is missing."))
        }
        (_, _) => {
            Err(OauthError::request(format!("The client_assertion_type must be {JWT_BEARER}.")))
        }
    }
}

/// RFC 6749 §2.3.1: id and secret in a form's encoding, then as RFC 7617 has it.
fn basic(header: &HeaderValue) -> Result<(String, SecretString), OauthError> {
    let malformed = || {
        OauthError::new(
            Code::InvalidClient,
            "The Authorization header is not Basic with the client's id and secret.",
        )
    };
    let text = header.to_str().map_err(|_binary| malformed())?;
    let (scheme, rest) = text.trim().split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let bytes = BASE64_STANDARD.decode(rest.trim()).map_err(|_other| malformed())?;
    let mut halves = bytes.splitn(2, |byte| *byte == b':');
    let mut half = || decode(halves.next()?).filter(|half| !half.is_empty());
    let (id, secret) = half().zip(half()).ok_or_else(malformed)?;
    Ok((id, SecretString::from(secret)))
}

#[cfg(test)]
mod tests {
    use super::{Code, Form, JWT_BEARER, Presented};
    use actix_web::http::header;
    use actix_web::test::TestRequest;
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use secrecy::ExposeSecret;

    fn basic(text: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(text))
    }

    fn read(headers: &[&str], form: &str) -> Result<Presented, Code> {
        let mut request = TestRequest::post();
        for header in headers {
            request = request.append_header((header::AUTHORIZATION, *header));
        }
        let form = Form::parse(form.as_bytes()).unwrap();
        Presented::read(&request.to_http_request(), &form).map_err(|error| error.code)
    }

    #[test]
    fn a_secret_is_read_from_the_header_or_the_form() {
        let plain = basic("mcl_us_pf_a:mcs_b");
        let encoded = basic("mcl%5Fus%5Fpf%5Fa:mcs%5Fb");
        for (headers, form) in [
            (vec![plain.as_str()], ""),
            (vec![encoded.as_str()], "client_id=mcl_us_pf_a"),
            (vec![], "client_id=mcl_us_pf_a&client_secret=mcs_b"),
        ] {
            let Ok(Presented::Secret { client_id, secret }) = read(&headers, form) else {
                panic!("{headers:?} {form}")
            };
            assert_eq!((client_id.as_str(), secret.expose_secret()), ("mcl_us_pf_a", "mcs_b"));
            assert_eq!(format!("{:?}", read(&headers, form).unwrap()), "Secret(…)");
        }
    }

    #[test]
    fn two_ways_at_once_are_refused() {
        let header = basic("a:b");
        let assertion = format!("client_assertion_type={JWT_BEARER}&client_assertion=x");
        for (headers, form) in [
            (vec![header.as_str()], "client_secret=b".to_owned()),
            (vec![header.as_str()], "client_id=other".to_owned()),
            (vec![header.as_str(), header.as_str()], String::new()),
            (vec![header.as_str()], assertion.clone()),
            (vec![], format!("client_id=a&client_secret=b&{assertion}")),
            (vec![], "client_secret=b".to_owned()),
            (vec![], "client_assertion=x".to_owned()),
            (vec![], "client_assertion_type=saml2&client_assertion=x".to_owned()),
            (vec![], format!("client_assertion_type={JWT_BEARER}")),
        ] {
            assert_eq!(read(&headers, &form).unwrap_err(), Code::InvalidRequest, "{form}");
        }
    }

    #[test]
    fn a_header_that_is_not_basic_is_no_client() {
        let without_colon = basic("ab");
        for header in ["Bearer x", "Basic", "Basic !", "Basic Og==", without_colon.as_str()] {
            assert_eq!(read(&[header], "").unwrap_err(), Code::InvalidClient, "{header}");
        }
    }
}
