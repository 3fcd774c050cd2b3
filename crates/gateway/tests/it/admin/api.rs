//! Calling the admin API: as whom, and what every answer holds to.

use super::jwt::{Jwt, SigningKey};
use crate::support::TestGateway;
use crate::support::tenant::TestTenant;
use gateway::admin::dispatch::{Found, find};
use gateway::admin::keys::Keys;
use gateway::admin::problem::Code;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::net::SocketAddr;

/// The admin API of a gateway, called with one token.
#[derive(Clone)]
pub(super) struct Api {
    http: reqwest::Client,
    address: SocketAddr,
    pub(super) host: String,
    pub(super) key: SigningKey,
    token: Option<String>,
}

/// An answer of the admin API, read whole.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    /// The body as JSON; null when there is none.
    pub(super) body: Value,
}

/// One call in the making.
pub(super) struct Asked {
    request: reqwest::RequestBuilder,
    method: String,
    path: String,
}

impl Api {
    /// An operator with every scope.
    pub(super) fn of(gateway: &TestGateway) -> Self {
        let state = &gateway.state;
        let key = Keys::within(&state.config.operator.keys).signing().unwrap();
        let key = SigningKey::ed25519(&key.kid, key.private());
        let base = state.hosts.admin_base_url();
        let host = base.split("://").nth(1).unwrap().to_owned();
        let (http, address) = (gateway.http.clone(), gateway.address);
        let nobody = Self { http, address, host, key, token: None };
        nobody.with(&Jwt::operator("*"))
    }

    /// The same API as another node serves it.
    pub(super) fn on(&self, node: &TestTenant) -> Self {
        Self { address: node.address, ..self.clone() }
    }

    /// The same API without a token.
    pub(super) fn nobody(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same API with this token.
    pub(super) fn bearer(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same API with this token, signed by the built-in issuer's key.
    pub(super) fn with(&self, jwt: &Jwt) -> Self {
        self.bearer(&jwt.signed(&self.key))
    }

    pub(super) fn token(&self) -> &str {
        self.token.as_deref().unwrap()
    }

    /// A call; `path` may have a query.
    pub(super) fn call(&self, method: &str, path: &str) -> Asked {
        let verb = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(verb, format!("http://{}{path}", self.address));
        let mut request = request.header("host", &self.host);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let path = path.split('?').next().unwrap().to_owned();
        Asked { request, method: method.to_owned(), path }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path).json(body).send().await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.call("PUT", path).json(body).send().await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.call("PATCH", path).json(body).send().await
    }

    /// A POST without a body: an action.
    pub(super) async fn act(&self, path: &str) -> Reply {
        self.call("POST", path).send().await
    }

    pub(super) async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path).send().await
    }
}

impl Asked {
    pub(super) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    /// A header that is no text.
    pub(super) fn bytes(self, name: &str, value: &[u8]) -> Self {
        let value = reqwest::header::HeaderValue::from_bytes(value).unwrap();
        Self { request: self.request.header(name, value), ..self }
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub(super) fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self { request: self.request.body(body), ..self }
    }

    /// Sends it, and checks the answer against the table of endpoints.
    pub(super) async fn send(self) -> Reply {
        let response = self.request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let reply = Reply { status, headers, text, body };
        if self.method != "HEAD" {
            reply.check(&self.method, &self.path);
        }
        reply
    }
}

impl Reply {
    /// What every answer holds to: its form, and that the document knows of it.
    fn check(&self, method: &str, path: &str) {
        assert_ne!(self.status, 500, "{}", self.text);
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{self:?}");
        let endpoint = match find(method, path) {
            Found::Endpoint(endpoint, _) => Some(endpoint),
            Found::Others(_) | Found::Nothing => None,
        };
        if self.status < 400 {
            assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
            let endpoint = endpoint.unwrap_or_else(|| panic!("{method} {path}: {}", self.text));
            assert_eq!(self.status, endpoint.gives.0, "{method} {path}");
            return;
        }
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let members: Vec<&str> = self.object().keys().map(String::as_str).collect();
        let known = ["code", "detail", "errors", "request_id", "status", "title", "type"];
        assert!(members.iter().all(|name| known.contains(name)), "{}", self.text);
        let said = self.body["code"].as_str().unwrap();
        let code = *Code::ALL.iter().find(|code| code.as_str() == said).unwrap();
        assert_eq!(
            (code.status(), code.title()),
            (self.status, self.body["title"].as_str().unwrap())
        );
        assert_eq!(self.body["status"], self.status);
        assert!(self.body["type"].as_str().unwrap().ends_with(&format!("/docs#problem-{said}")));
        assert_eq!(self.body["request_id"].as_str(), self.header("x-request-id"));
        assert_eq!(
            self.status == 401,
            self.header("www-authenticate").is_some_and(|c| !c.contains("scope"))
        );
        assert_eq!(self.status == 405, self.header("allow").is_some());
        if matches!(self.status, 429 | 503) {
            let seconds: u32 = self.header("retry-after").unwrap().parse().unwrap();
            assert!(seconds < 60, "{seconds}");
        }
        if let Some(endpoint) = endpoint {
            assert!(
                endpoint.all_problems().contains(&code),
                "{method} {path}: {said} is not documented"
            );
        }
    }

    fn object(&self) -> &serde_json::Map<String, Value> {
        self.body.as_object().unwrap_or_else(|| panic!("{} {:?}", self.status, self.text))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The code of a problem.
    pub(super) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub(super) fn assert(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Checks status and code of a problem, and gives its sentence.
    #[track_caller]
    pub(super) fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        self.body["detail"].as_str().unwrap().to_owned()
    }

    /// Checks that a problem is with one field, and gives what is said of it.
    #[track_caller]
    pub(super) fn refused_field(&self, status: u16, code: &str, field: &str) -> String {
        self.refused(status, code);
        assert_eq!(self.body["errors"][0]["field"], field, "{}", self.text);
        self.body["errors"][0]["detail"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(super) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.text)).to_owned()
    }

    #[track_caller]
    pub(super) fn id(&self) -> String {
        self.text("id")
    }

    pub(super) fn version(&self) -> String {
        self.header("etag").unwrap().to_owned()
    }

    /// A list's things.
    #[track_caller]
    pub(super) fn data(&self) -> &Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.body["data"].as_array().unwrap()
    }

    /// The body without what is another one in each answer: the id of the request.
    pub(super) fn comparable(&self) -> Value {
        let mut body = self.body.clone();
        if let Some(id) = body.get_mut("request_id") {
            *id = Value::Null;
        }
        body
    }
}
