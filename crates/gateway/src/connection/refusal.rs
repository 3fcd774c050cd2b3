//! What is no request: the library has refused it before any of our code has seen it, with a status and nothing else. It
//! gets the answer that every refusal here has (RFC 7644 §3.12).
//!
//! What is refused: whatever `httparse` does not take for a head, and a target that `http::Uri` does not take: one with a raw
//! `"`, `<`, `>`, `` ` `` or a byte beyond ASCII in it, which RFC 3986 §2 wants encoded. A raw space ends the target. RFC 9112
//! §3.2 asks a server not to put this right by itself: what stands before it may have read the line otherwise.
//!
//! **Invariant**: nothing of what was sent is logged or given back.

use crate::clock::Clock;
use crate::scim::error::{Failure, SCIM_JSON};
use crate::telemetry::metrics;
use provisioning::Reason;

const UNREADABLE: &str = "The request cannot be read as HTTP. In the URL a space, \", <, >, ` and every letter beyond ASCII must be percent-encoded, as in filter=userName%20eq%20%22ada%22.";
const LATE: &str = "The head of the request did not arrive in time. Send the request again.";
const LARGE: &str = "The head of the request is too large. Send a shorter URL, and fewer headers.";

/// The answer in place of the library's; none where that is no refusal.
pub(super) fn answer(said: &[u8]) -> Option<String> {
    let said = std::str::from_utf8(said).ok()?;
    let (line, headers) = said.split_once("\r\n")?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let (reason, detail) = match status {
        400 => (Reason::SyntaxInvalid, UNREADABLE),
        408 => (Reason::RequestTimeout, LATE),
        431 => (Reason::SyntaxInvalid, LARGE),
        _ => return None,
    };
    let request_id = Clock.new_id().to_string();
    metrics::count_unreadable(status);
    tracing::debug!(target: "muster::http", status, request_id, "no request");
    let body = Failure::new(reason, detail).status(status).named(&request_id).body();
    let date = headers.lines().find(|line| line.starts_with("date:")).unwrap_or_default();
    let date_end = if date.is_empty() { "" } else { "\r\n" };
    let length = body.len();
    Some(format!(
        "{line}\r\ncontent-length: {length}\r\nconnection: close\r\ncontent-type: {SCIM_JSON}\r\nx-reason: {reason}\r\nx-request-id: {request_id}\r\n{date}{date_end}\r\n{body}"
    ))
}
