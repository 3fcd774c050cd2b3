//! Requests through the public host, as an identity provider sends them.
//!
//! **Invariant**: no redirect is followed and no proxy is used, so that what is found is of this host and the token goes
//! nowhere else. The token is in no finding.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The media type of RFC 7644 §8.1.
const SCIM: &str = "application/scim+json";
/// The most bytes that are read of an answer.
const RECEIVED_BYTES_MAX: usize = 4 << 20;
/// How much of a text a finding shows.
const SHOWN_CHARS: usize = 400;

/// A host to talk to, and the address that it was found at.
pub(super) struct Wire {
    http: reqwest::Client,
    /// Scheme, host and the port that is connected to.
    connected: String,
    /// The host and port that the world names.
    authority: String,
    /// The base URL as the world writes it.
    pub(super) base: String,
    /// What is behind the authority: `/scim/v2`.
    path: String,
}

/// One answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    pub(super) text: String,
    pub(super) took: Duration,
    /// The server's certificate (DER), where there was TLS.
    pub(super) certificate: Option<Vec<u8>>,
}

/// Why there was no answer: the causes, one behind the other.
#[derive(Debug)]
pub(super) struct Silence(pub(super) String);

/// A request in the making.
pub(super) struct Call<'a> {
    wire: &'a Wire,
    method: Method,
    path: String,
    authorization: Option<String>,
    body: Option<(&'static str, String)>,
}

impl Wire {
    /// A client for a base URL that is served at an address.
    pub(super) fn new(base: &str, at: SocketAddr, patience: Duration) -> Result<Self, Silence> {
        let no_url = |_| Silence(format!("{base} is no URL"));
        let url = Url::parse(base).map_err(no_url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        let http = reqwest::Client::builder()
            .timeout(patience)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(0)
            .tls_info(true)
            .resolve(&host, at)
            .user_agent(concat!("muster-doctor/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Silence(migrations::causes(&error)))?;
        Ok(Self {
            http,
            connected: format!("{}://{host}:{}", url.scheme(), at.port()),
            authority,
            base: base.to_owned(),
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// A call below the base URL.
    pub(super) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let path = format!("{}{path}", self.path);
        Call { wire: self, method, path, authorization: None, body: None }
    }

    /// A call to a path of the host.
    pub(super) fn at_root(&self, method: Method, path: &str) -> Call<'_> {
        Call { wire: self, method, path: path.to_owned(), authorization: None, body: None }
    }
}

impl Call<'_> {
    /// With this `Authorization`, as it is.
    pub(super) fn authorization(mut self, text: &str) -> Self {
        self.authorization = Some(text.to_owned());
        self
    }

    pub(super) fn json(mut self, body: &Value) -> Self {
        self.body = Some((SCIM, body.to_string()));
        self
    }

    pub(super) fn form(mut self, body: &str) -> Self {
        self.body = Some(("application/x-www-form-urlencoded", body.to_owned()));
        self
    }

    pub(super) async fn send(self) -> Result<Reply, Silence> {
        let url = format!("{}{}", self.wire.connected, self.path);
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static(SCIM));
        insert(&mut headers, &reqwest::header::HOST, &self.wire.authority)?;
        if let Some(text) = &self.authorization {
            insert(&mut headers, &reqwest::header::AUTHORIZATION, text)?;
        }
        let mut request = self.wire.http.request(self.method, url).headers(headers);
        if let Some((media, body)) = self.body {
            request = request.header(reqwest::header::CONTENT_TYPE, media).body(body);
        }
        let started = Instant::now();
        Reply::read(request, started)
            .await
            .map_err(|error| Silence(migrations::causes(&error.without_url())))
    }
}

fn insert(headers: &mut HeaderMap, name: &HeaderName, text: &str) -> Result<(), Silence> {
    let cannot = |_| Silence(format!("{name} cannot be sent: it holds a line break or the like"));
    headers.insert(name.clone(), HeaderValue::from_str(text).map_err(cannot)?);
    Ok(())
}

impl Reply {
    async fn read(request: reqwest::RequestBuilder, started: Instant) -> reqwest::Result<Self> {
        let mut answer = request.send().await?;
        let certificate = answer
            .extensions()
            .get::<reqwest::tls::TlsInfo>()
            .and_then(|info| info.peer_certificate().map(<[u8]>::to_vec));
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > RECEIVED_BYTES_MAX {
                break;
            }
        }
        Ok(Self {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            took: started.elapsed(),
            certificate,
        })
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The reason code of a refusal.
    pub(super) fn reason(&self) -> &str {
        self.header("x-reason")
    }

    /// The text of a refusal, or what there is instead.
    pub(super) fn detail(&self) -> String {
        match self.body.get("detail").and_then(Value::as_str) {
            Some(detail) => detail.to_owned(),
            None => shortened(&self.text),
        }
    }

    /// Whether it is SCIM's media type.
    pub(super) fn is_scim(&self) -> bool {
        let media = self.header("content-type").to_ascii_lowercase();
        media.split(';').next().unwrap_or_default().trim() == SCIM
    }

    /// Whether `schemas` names the message.
    pub(super) fn is_message(&self, name: &str) -> bool {
        let urn = format!("urn:ietf:params:scim:api:messages:2.0:{name}");
        let schemas = self.body.get("schemas").and_then(Value::as_array);
        schemas.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(&urn)))
    }

    /// A number of a list's head.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.body.get(name).and_then(Value::as_u64)
    }

    /// The status and the time it took: `200 in 12 ms`.
    pub(super) fn in_short(&self) -> String {
        format!("{} in {} ms", self.status, self.took.as_millis())
    }
}

/// The first characters of a text, on one line.
pub(super) fn shortened(text: &str) -> String {
    let mut short: String =
        text.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        short.push('…');
    }
    short
}

/// Text as it stands in a query (RFC 3986 §2.1).
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
