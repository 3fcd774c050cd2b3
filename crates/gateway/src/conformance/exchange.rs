//! One request and its answer, and what can be asked of them.

use super::check::{Stop, Unmet, Verdict};
use super::json::{at, lists, text};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// The schema of an error's body.
pub(super) const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// How much of a body a report shows.
const SHOWN_CHARS: usize = 600;

/// What was sent and what came back.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The path below the base URL, with its query.
    pub path: String,
    /// The body that was sent.
    pub sent: Option<String>,
    /// The status.
    pub status: u16,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The body that came back.
    pub received: String,
    /// The same as JSON; null where it is none.
    pub(super) body: Value,
}

impl Exchange {
    /// The first characters of a text, on one line.
    #[must_use]
    pub fn shortened(text: &str) -> String {
        let mut short: String =
            text.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if text.chars().nth(SHOWN_CHARS).is_some() {
            short.push('…');
        }
        short
    }

    pub(super) fn to_json(&self) -> Value {
        let headers: Vec<String> = ["content-type", "location", "etag", "www-authenticate"]
            .iter()
            .filter_map(|name| Some(format!("{name}: {}", self.header(name)?)))
            .collect();
        json!({
            "request": {
                "method": self.method,
                "path": self.path,
                "body": self.sent.as_deref().map(Self::shortened),
            },
            "response": {
                "status": self.status,
                "headers": headers,
                "body": Self::shortened(&self.received),
            },
        })
    }

    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The check fails because of this exchange.
    pub(super) fn unmet<T>(&self, what: impl Into<String>) -> Verdict<T> {
        let unmet = Unmet { what: what.into(), exchange: Some(self.clone()) };
        Err(Stop::Unmet(Box::new(unmet)))
    }

    /// Fails unless it holds.
    pub(super) fn wants(&self, holds: bool, what: impl Into<String>) -> Verdict<&Self> {
        if holds { Ok(self) } else { self.unmet(what) }
    }

    /// Fails unless the status is one of these.
    pub(super) fn status(&self, wanted: &[u16]) -> Verdict<&Self> {
        let listed: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let what = format!("status {} instead of {}", self.status, listed.join(" or "));
        self.wants(wanted.contains(&self.status), what)
    }

    /// Fails unless the status is a success.
    pub(super) fn succeeded(&self) -> Verdict<&Self> {
        let what = format!("status {} instead of a success", self.status);
        self.wants((200..300).contains(&self.status), what)
    }

    /// Fails unless a refusal came: one of the statuses, with the body of RFC 7644 §3.12.
    pub(super) fn refused(&self, wanted: &[u16]) -> Verdict<&Self> {
        self.status(wanted)?;
        self.wants(
            lists(&self.body, "/schemas", ERROR),
            format!("an error body has `schemas` with {ERROR}"),
        )
    }

    /// Fails unless a refusal came with this status and this `scimType`.
    pub(super) fn refused_as(&self, status: u16, scim_type: &str) -> Verdict<&Self> {
        self.refused(&[status])?;
        let got = text(&self.body, "/scimType");
        let what = format!("scimType is {got:?} instead of {scim_type:?}");
        self.wants(got.eq_ignore_ascii_case(scim_type), what)
    }

    /// Fails unless the value is at the path.
    pub(super) fn has(&self, path: &str, wanted: &Value) -> Verdict<&Self> {
        let got = at(&self.body, path);
        let what = format!("{path} is {} instead of {wanted}", Self::shortened(&got.to_string()));
        self.wants(got == wanted, what)
    }

    /// Fails unless nothing is at the path.
    pub(super) fn lacks(&self, path: &str) -> Verdict<&Self> {
        let got = at(&self.body, path);
        let what = format!("{path} is {} and must be absent", Self::shortened(&got.to_string()));
        self.wants(super::json::is_absent(&self.body, path), what)
    }

    /// Fails unless something is at the path.
    pub(super) fn present(&self, path: &str) -> Verdict<&Self> {
        let what = format!("{path} is missing");
        self.wants(!super::json::is_absent(&self.body, path), what)
    }

    /// The text at a path of the body.
    pub(super) fn text(&self, path: &str) -> &str {
        text(&self.body, path)
    }
}
