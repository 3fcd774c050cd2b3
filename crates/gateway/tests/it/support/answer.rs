//! An answer, read whole.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The body as JSON; null when there is none.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}, no JSON: {text}"))
        };
        let answer = Self { status, headers, text, body };
        answer.check();
        answer
    }

    /// What every answer of the listener holds to.
    fn check(&self) {
        assert_ne!(self.status, 500, "{}", self.text);
        if !self.text.is_empty() {
            assert_eq!(self.header("content-type"), Some("application/scim+json"), "{self:?}");
        }
        assert!(self.header("x-request-id").is_some(), "{self:?}");
        // An answer to HEAD has the length of a body that is not there.
        let is_head = self.text.is_empty() && self.header("content-length") != Some("0");
        if self.status < 400 || is_head {
            return;
        }
        let members: Vec<&str> =
            self.body.as_object().unwrap().keys().map(String::as_str).collect();
        let known = ["detail", "schemas", "scimType", "status"];
        assert!(members.iter().all(|name| known.contains(name)), "{}", self.text);
        assert_eq!(self.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(self.body["status"], json!(self.status.to_string()));
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn assert(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Checks status, reason code and scimType of a refusal, and gives its sentence.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, reason: &str, scim_type: Option<&str>) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("x-reason"), Some(reason), "{}", self.text);
        assert_eq!(self.body["scimType"].as_str(), scim_type, "{}", self.text);
        let detail = self.body["detail"].as_str().unwrap();
        let request = self.header("x-request-id").unwrap();
        let end = format!(" (reason {reason}, request {request})");
        detail
            .strip_suffix(&end)
            .unwrap_or_else(|| panic!("{detail} does not end in {end}"))
            .to_owned()
    }

    #[track_caller]
    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("{}", self.text)).to_owned()
    }

    pub(crate) fn version(&self) -> String {
        self.header("etag").unwrap().to_owned()
    }

    /// How many resources a list says it has.
    #[track_caller]
    pub(crate) fn total(&self) -> u64 {
        assert_eq!(self.status, 200, "{}", self.text);
        self.body["totalResults"].as_u64().unwrap()
    }

    /// One attribute of each resource of a list, as text.
    #[track_caller]
    pub(crate) fn each(&self, name: &str) -> Vec<String> {
        assert_eq!(self.status, 200, "{}", self.text);
        let resources = self.body["Resources"].as_array().unwrap();
        resources.iter().map(|one| one[name].as_str().unwrap().to_owned()).collect()
    }

    /// The body with what differs from run to run replaced: ids, instants, the base URL.
    pub(crate) fn redacted(&self) -> Value {
        let mut body = self.body.clone();
        let base = body["meta"]["location"]
            .as_str()
            .and_then(|l| l.find("/scim/v2").map(|end| l[..end + 8].to_owned()));
        let id = body["id"].as_str().map(str::to_owned);
        redact(&mut body, base.as_deref(), id.as_deref());
        body
    }
}

fn redact(value: &mut Value, base: Option<&str>, id: Option<&str>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match name.as_str() {
                    "created" | "lastModified" => *value = json!("[at]"),
                    _ => redact(value, base, id),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, base, id)),
        Value::String(text) => {
            if let Some(base) = base {
                *text = text.replace(base, "[base]");
            }
            if let Some(id) = id {
                *text = text.replace(id, "[id]");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
