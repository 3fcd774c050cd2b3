//! A client with a token at work, and how an answer is judged.

use super::remedy;
use super::report::{Check, Finding};
use super::wire::{Call, Reply, Silence, Wire};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// One client with one token.
pub(super) struct Visit<'a> {
    pub(super) wire: &'a Wire,
    pub(super) token: &'a SecretString,
}

impl Visit<'_> {
    /// A call with the token.
    pub(super) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let text = format!("Bearer {}", self.token.expose_secret());
        self.wire.call(method, path).authorization(&text)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Reply, Silence> {
        self.call(Method::GET, path).send().await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Reply, Silence> {
        self.call(method, path).json(body).send().await
    }

    /// Judges an answer: what is wrong with it, in words, or nothing.
    pub(super) fn judge(
        &self,
        check: Check<'_>,
        reply: &Result<Reply, Silence>,
        fault: impl FnOnce(&Reply) -> Option<String>,
    ) -> Finding {
        let reply = match reply {
            Ok(reply) => reply,
            Err(Silence(why)) => return check.fail(why.clone(), BROKEN),
        };
        match fault(reply) {
            None => check.pass(reply.in_short()),
            Some(what) => {
                let found = format!("{what} ({}): {}", reply.in_short(), reply.detail());
                let fix = if reply.reason().is_empty() {
                    STRANGE.to_owned()
                } else {
                    remedy::of(reply, &self.wire.base)
                };
                check.fail(found, fix)
            }
        }
    }
}

const BROKEN: &str = "The connection ended without an answer. See the server's log, and the time limits of the proxy in front of it: \
     identity providers wait up to 60 s.";
const STRANGE: &str = "This is not how the server answers: something between changes it. Compare with the same request to the server itself \
     (--connect), and see the server's log under the request's X-Request-Id.";

/// Wants a status.
pub(super) fn status(reply: &Reply, wanted: &[u16]) -> Option<String> {
    if wanted.contains(&reply.status) {
        return None;
    }
    let listed: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    Some(format!("{} instead of {}", reply.status, listed.join(" or ")))
}

/// Wants a list whose head has numbers.
pub(super) fn list(reply: &Reply) -> Option<String> {
    if let Some(what) = status(reply, &[200]) {
        return Some(what);
    }
    if !reply.is_message("ListResponse") {
        return Some("no ListResponse".to_owned());
    }
    if !reply.is_scim() {
        return Some(format!("the media type is {:?}", reply.header("content-type")));
    }
    reply.number("totalResults").is_none().then(|| "totalResults is no number".to_owned())
}

/// Wants a list of nobody.
pub(super) fn nobody(reply: &Reply) -> Option<String> {
    list(reply).or_else(|| {
        let total = reply.number("totalResults");
        (total != Some(0)).then(|| "somebody is found whom nobody has made".to_owned())
    })
}

/// Wants a refusal with SCIM's body.
pub(super) fn refusal(reply: &Reply, wanted: u16) -> Option<String> {
    if let Some(what) = status(reply, &[wanted]) {
        return Some(what);
    }
    let text = reply.body.get("status").and_then(Value::as_str);
    let is_whole = reply.is_message("Error")
        && text == Some(wanted.to_string().as_str())
        && reply.body.get("detail").is_some_and(Value::is_string);
    (!is_whole).then(|| "the body is not a whole SCIM error".to_owned())
}
