//! Talking to the server: one client, and the list of what was made.

use super::check::{Stop, Unmet, Verdict};
use super::exchange::Exchange;
use super::json::items;
use super::target::Target;
use super::{Options, Trouble, people};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

/// The media type of RFC 7644 §8.1.
pub(super) const SCIM: &str = "application/scim+json";

/// The most bytes that are read of an answer.
const RECEIVED_BYTES_MAX: usize = 16 << 20;

/// A client at work.
pub(super) struct Session {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    target: Target,
    /// Paths of what was made and not deleted yet.
    made: RefCell<Vec<String>>,
    /// Tells this run's people from all others.
    tag: String,
    counter: Cell<u32>,
    crowd: tokio::sync::OnceCell<people::Crowd>,
}

/// A request in the making.
pub(super) struct Call<'a> {
    session: &'a Session,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<String>,
    anonymous: bool,
}

impl Session {
    pub(super) fn new(options: &Options) -> Result<Self, Trouble> {
        let base = options.base.trim_end_matches('/').to_owned();
        let wrong = || Trouble::BaseUrl(options.base.clone());
        let url = Url::parse(&base).map_err(|_none| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?.to_owned();
        let meant = options.insecure_hosts.iter().any(|one| one.eq_ignore_ascii_case(&host));
        let here = ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str())
            || host.ends_with(".localhost");
        match url.scheme() {
            "https" => {}
            "http" if here || meant || options.token.is_none() => {}
            "http" => return Err(Trouble::Clear(host)),
            _ => return Err(wrong()),
        }
        let mut http = reqwest::Client::builder()
            .timeout(options.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("muster-conformance/", env!("CARGO_PKG_VERSION")))
            .tls_danger_accept_invalid_certs(meant);
        if host.ends_with(".localhost") {
            // Names below localhost are this machine's own (RFC 6761 §6.3); not every resolver knows.
            http = http.no_proxy().resolve(&host, SocketAddr::from(([127, 0, 0, 1], 0)));
        } else if here {
            http = http.no_proxy();
        }
        let number = uuid::Uuid::new_v4().simple().to_string();
        Ok(Self {
            http: http.build()?,
            base,
            token: options.token.clone(),
            target: Target { has_token: options.token.is_some(), ..Target::default() },
            made: RefCell::default(),
            tag: format!("conformance-{}", number.get(..10).unwrap_or(&number)),
            counter: Cell::new(0),
            crowd: tokio::sync::OnceCell::new(),
        })
    }

    /// Reads the discovery documents. What cannot be read is a finding of the checks about them, not of this; only a
    /// server that does not answer at all is no server.
    pub(super) async fn discover(&mut self) -> Result<(), Trouble> {
        match self.get("/ServiceProviderConfig").await {
            Ok(answer) if answer.status == 200 => self.target.config = answer.body,
            Ok(_) => {}
            Err(Stop::Unmet(unmet)) => return Err(Trouble::Silent(self.base.clone(), unmet.what)),
            Err(Stop::Skip(reason)) => return Err(Trouble::Silent(self.base.clone(), reason)),
        }
        for (path, kinds) in [("/ResourceTypes", true), ("/Schemas", false)] {
            let Ok(answer) = self.get(path).await else { continue };
            let listed = match &answer.body {
                Value::Array(bare) => bare.clone(),
                body => items(body, "/Resources").to_vec(),
            };
            let listed: Vec<Value> = listed.into_iter().filter(Value::is_object).collect();
            if kinds {
                self.target.types = listed;
            } else {
                self.target.schemas = listed;
            }
        }
        let asked = json!({ "schemas": [super::search::REQUEST], "count": 1 });
        let path = format!("{}/.search", self.users());
        if let Ok(answer) = self.post(&path, &asked).await {
            self.target.has_search = ![404, 405, 501].contains(&answer.status);
        }
        Ok(())
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Whether a text has the token in it.
    pub(super) fn is_secret_in(&self, text: &str) -> bool {
        self.token.as_deref().is_some_and(|token| !token.is_empty() && text.contains(token))
    }

    /// The name that all of this run's people begin with.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// A name that nobody has had in this run.
    pub(super) fn fresh(&self, word: &str) -> String {
        let number = self.counter.get() + 1;
        self.counter.set(number);
        format!("{}-{word}-{number}", self.tag)
    }

    /// Waits until the server's clock, as it writes the time, has moved on from an instant.
    pub(super) async fn next_tick(&self, instant: &str) {
        let millis = if instant.contains('.') { 20 } else { 1_050 };
        tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
    }

    pub(super) fn users(&self) -> String {
        self.target.endpoint("User")
    }

    pub(super) fn groups(&self) -> String {
        self.target.endpoint("Group")
    }

    /// The people that filters, sorting and pages are tried on; made when they are first asked for.
    pub(super) async fn crowd(&self) -> Verdict<&people::Crowd> {
        self.crowd.get_or_try_init(|| people::Crowd::make(self)).await
    }

    pub(super) fn call(&self, method: Method, path: impl Into<String>) -> Call<'_> {
        Call {
            session: self,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
            anonymous: false,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Verdict<Exchange> {
        self.call(Method::GET, path).send().await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Verdict<Exchange> {
        self.call(Method::POST, path).json(body).send().await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Verdict<Exchange> {
        self.call(Method::PUT, path).json(body).send().await
    }

    pub(super) async fn patch(&self, path: &str, operations: &Value) -> Verdict<Exchange> {
        let body = json!({ "schemas": [super::patch::PATCH_OP], "Operations": operations });
        self.call(Method::PATCH, path).json(&body).send().await
    }

    pub(super) async fn delete(&self, path: &str) -> Verdict<Exchange> {
        self.call(Method::DELETE, path).send().await
    }

    /// Remembers what a request may have made.
    fn remember(&self, path: &str, answer: &Exchange) {
        let collection = path.split('?').next().unwrap_or_default();
        let id = answer.text("/id");
        if answer.method == "POST" && answer.status < 300 && !id.is_empty() {
            if collection == self.users() || collection == self.groups() {
                self.made.borrow_mut().push(format!("{collection}/{id}"));
            }
        } else if answer.method == "DELETE" && answer.status == 204 {
            self.made.borrow_mut().retain(|made| made != collection);
        }
    }

    /// The path below the base URL of a location. One that is not absolute is read as a browser would, so that this one
    /// fault does not hide all others.
    pub(super) fn path_at(&self, location: &str) -> Option<String> {
        let base = Url::parse(&format!("{}/", self.base)).ok()?;
        let url = base.join(location).ok()?;
        let path = url.path().strip_prefix(base.path().trim_end_matches('/'))?;
        let same = url.host_str() == base.host_str() && url.port() == base.port();
        (same && path.len() > 1).then(|| path.to_owned())
    }

    /// Takes note of a resource that was made in another way than by a POST of its own.
    pub(super) fn note_made(&self, path: String) {
        self.made.borrow_mut().push(path);
    }

    /// Deletes what was made, the latest first; gives what is left.
    pub(super) async fn clean_up(&self) -> Vec<String> {
        let made = self.made.take();
        let mut left = Vec::new();
        for path in made.into_iter().rev() {
            let gone = match self.delete(&path).await {
                Ok(answer) => answer.status < 300 || [404, 410].contains(&answer.status),
                Err(_) => false,
            };
            if !gone {
                left.push(path);
            }
        }
        left
    }
}

impl Call<'_> {
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// A body as it stands.
    pub(super) fn body(mut self, body: String) -> Self {
        self.body = Some(body);
        self
    }

    /// Without the token.
    pub(super) fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    pub(super) async fn send(self) -> Verdict<Exchange> {
        let session = self.session;
        let url = format!("{}{}", session.base, self.path);
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static(SCIM));
        if self.body.is_some() {
            headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(SCIM));
        }
        headers.extend(self.headers);
        let mut request = session.http.request(self.method.clone(), &url).headers(headers);
        if let (Some(token), false) = (&session.token, self.anonymous) {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let mut exchange = Exchange {
            method: self.method.to_string(),
            path: self.path,
            sent: self.body,
            status: 0,
            headers: HeaderMap::new(),
            received: String::new(),
            body: Value::Null,
        };
        let again = request.try_clone().filter(|_| self.method == Method::GET);
        let mut sent = fill(&mut exchange, request).await;
        if let (Err(_), Some(again)) = (&sent, again) {
            // A server may close a kept connection at the moment in which it is used again.
            sent = fill(&mut exchange, again).await;
        }
        if let Err(error) = sent {
            let mut what = format!("no answer: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                what.push_str(&format!(": {error}"));
                cause = error.source();
            }
            return Err(Stop::Unmet(Box::new(Unmet { what, exchange: Some(exchange) })));
        }
        session.remember(&exchange.path.clone(), &exchange);
        Ok(exchange)
    }
}

/// Sends, and reads what comes back as far as it is worth reading.
async fn fill(exchange: &mut Exchange, request: reqwest::RequestBuilder) -> reqwest::Result<()> {
    let mut answer = request.send().await.map_err(reqwest::Error::without_url)?;
    exchange.status = answer.status().as_u16();
    exchange.headers = answer.headers().clone();
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > RECEIVED_BYTES_MAX {
            break;
        }
    }
    exchange.body = serde_json::from_slice(&bytes).unwrap_or_default();
    exchange.received = String::from_utf8_lossy(&bytes).into_owned();
    Ok(())
}
