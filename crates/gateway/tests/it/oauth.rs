//! The token endpoint, as clients of RFC 6749 use it and as attackers do.

mod assertions;
mod ends;
mod nodes;
mod refused;
mod tokens;

use crate::support::tenant::TestTenant;
use crate::support::{TestGateway, by};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;
use serde_json::Value;
use tenant_registry::{NewClient, OauthClient};

/// A client of a tenant, with a secret if it has one.
struct Client {
    secret: String,
    client: OauthClient,
    tenant: TestTenant,
}

/// An answer of the endpoint, read whole.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Reply {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.json().await.unwrap();
        let reply = Self { status, headers, body };
        reply.check();
        reply
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// What every answer of the endpoint holds to (RFC 6749 §5).
    fn check(&self) {
        assert_ne!(self.status, 500, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        assert_eq!(self.header("pragma"), Some("no-cache"), "{self:?}");
        assert!(self.header("x-request-id").is_some(), "{self:?}");
        assert!(self.body.get("schemas").is_none(), "{self:?}");
        let text = self.body["error_description"].as_str().unwrap_or_default();
        assert!(
            text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\'),
            "{text}"
        );
        assert_eq!(self.status == 401, self.header("www-authenticate").is_some(), "{self:?}");
    }

    #[track_caller]
    fn refused(&self, status: u16, error: &str) -> &str {
        assert_eq!((self.status, self.body["error"].as_str()), (status, Some(error)), "{self:?}");
        self.body["error_description"].as_str().unwrap()
    }

    #[track_caller]
    fn token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.body["token_type"], "Bearer");
        self.body["access_token"].as_str().unwrap().to_owned()
    }
}

impl Client {
    /// A client as it usually is, with changes.
    async fn of(tenant: &TestTenant, alter: impl FnOnce(&mut NewClient)) -> Self {
        let mut new = NewClient::new("Entra");
        alter(&mut new);
        let registry = &tenant.state.registry;
        let made = registry.create_client(&tenant.tenant.id, &new, &by()).await.unwrap();
        let made = made.commit().await.unwrap();
        let secret = made.secret.map(|secret| secret.expose_secret().to_owned());
        Self { secret: secret.unwrap_or_default(), client: made.client, tenant: tenant.clone() }
    }

    /// The same client at another node.
    fn at(&self, tenant: TestTenant) -> Self {
        Self { secret: self.secret.clone(), client: self.client.clone(), tenant }
    }

    fn id(&self) -> &str {
        &self.client.client_id
    }

    /// A request for a token with a form.
    fn request(&self, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
        self.tenant
            .http
            .post(format!("http://{}/oauth2/token", self.tenant.address))
            .header("host", &self.tenant.host)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form_of(form))
    }

    async fn ask(&self, form: &[(&str, &str)]) -> Reply {
        Reply::of(self.request(form)).await
    }

    /// A request for a token with Basic, and with more parameters.
    async fn with_basic(&self, more: &[(&str, &str)]) -> Reply {
        let form = [&[("grant_type", "client_credentials")], more].concat();
        let header = basic(self.id(), &self.secret);
        Reply::of(self.request(&form).header("authorization", header)).await
    }

    /// The tenant as who holds the token sees it.
    fn with_token(&self, token: &str) -> TestTenant {
        TestTenant { token: token.to_owned(), ..self.tenant.clone() }
    }
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

fn form_of(pairs: &[(&str, &str)]) -> String {
    let encoded = crate::support::tenant::encoded;
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

async fn usual(gateway: &TestGateway) -> Client {
    Client::of(&gateway.tenant("acme").await, |_| {}).await
}
