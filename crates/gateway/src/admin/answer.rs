//! What a call came to.
//!
//! **Invariant**: a body is JSON; who renders it does not know whether HTTP or the command line asked.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a call came to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON; empty for none.
    pub body: String,
    /// The version of what is shown, for `ETag` and `If-Match`.
    pub version: Option<i64>,
    /// The path of what was made.
    pub location: Option<String>,
    /// Whether the same request was answered so before.
    #[serde(skip)]
    pub is_replayed: bool,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may hold a token that is shown this once.
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// 200 with a body.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(serde_json::to_string(body).unwrap_or_default())
    }

    /// 200 with a body that is JSON already.
    #[must_use]
    pub fn json(body: String) -> Self {
        Self { status: 200, body, version: None, location: None, is_replayed: false }
    }

    /// 201 with a body and where it is.
    #[must_use]
    pub fn created(body: &impl Serialize, location: String) -> Self {
        Self { status: 201, location: Some(location), ..Self::ok(body) }
    }

    /// With the version of what is shown.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// Its bytes, to be kept for a repetition.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What was kept.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let kept: Self = serde_json::from_slice(bytes).ok()?;
        Some(Self { is_replayed: true, ..kept })
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn an_answer_is_not_printed_with_its_body() {
        let answer = Answer::ok(&"mst_eu_pf_secret");
        assert_eq!(format!("{answer:?}"), "Answer { status: 200, bytes: 18, .. }");
    }
}
