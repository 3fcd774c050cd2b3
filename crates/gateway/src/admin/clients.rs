//! A tenant's OAuth clients (RFC 6749 §4.4), for identity providers that fetch their tokens themselves.
//!
//! **Invariant**: as of tokens: a secret is in the answer that makes it, and in no other.

use super::answer::Answer;
use super::call::Call;
use super::input::{absent_or_null, instant, name};
use super::problem::Problem;
use super::settings::scopes;
use super::tokens::{from_after, life, networks};
use super::view::{self, Page};
use crate::jwk;
use region_router::{Place, Population};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::fmt;
use tenant_registry::{
    Assertion, ClientChange, ClientSecret, CredentialUse, IssuedClient, IssuedSecret, NewClient,
    OauthClient, Scopes,
};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A year: how long a secret is good when it is not said.
const A_YEAR: u64 = 365 * 24 * 3600;
const LONGEST: u64 = 10 * 366 * 24 * 3600;
/// How long an access token is good, at least and at most.
const TOKEN_LIFE: (u64, u64) = (3_600, 21_600);

/// An OAuth client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OauthClient)]
pub struct ClientView {
    /// The client id.
    #[schema(example = "mcl_eu_pf_4fGh7Jk2Lm9Np3Qr")]
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// What the administrator calls it.
    pub name: String,
    /// Whether it is good.
    #[schema(schema_with = view::credential_state)]
    pub state: &'static str,
    /// The population that it is for.
    #[schema(schema_with = view::population)]
    pub population: String,
    /// What its tokens may be used for.
    #[schema(schema_with = view::scopes)]
    pub scopes: Vec<&'static str>,
    /// From where its tokens may be used; nothing: from anywhere.
    #[schema(schema_with = view::networks)]
    pub networks: Vec<String>,
    /// How long its tokens are good.
    pub token_lifetime_seconds: u64,
    /// The assertions that it may send in place of a secret (RFC 7523).
    pub assertion: Option<AssertionView>,
    /// Its secrets, without their texts.
    pub secrets: Vec<SecretView>,
    /// Where it gets its tokens.
    #[schema(example = "https://eu-app.example.com/oauth2/token")]
    pub token_endpoint: String,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// When it was revoked.
    #[schema(format = "date-time")]
    pub revoked_at: Option<String>,
    /// When it last asked for a token or used one, to the minute or so.
    #[schema(format = "date-time")]
    pub last_used_at: Option<String>,
    /// By which program.
    pub last_client: Option<String>,
    /// From which network.
    pub last_network: Option<String>,
}

/// Whose assertions are good.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Assertion)]
#[schema(example = json!({
    "issuer": "https://login.microsoftonline.com/4b1d5b0e-0000-0000-0000-000000000000/v2.0",
    "subject": "7a1c9f0e-0000-0000-0000-000000000000",
    "jwks": "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"k1\"}]}",
}))]
pub struct AssertionView {
    /// Their `iss`.
    #[schema(min_length = 1, max_length = 500)]
    pub issuer: String,
    /// Their `sub`.
    #[schema(min_length = 1, max_length = 500)]
    pub subject: String,
    /// Their `aud`, where it is not the token endpoint.
    #[schema(min_length = 1, max_length = 500)]
    pub audience: Option<String>,
    /// The keys that sign them: a JWK set (RFC 7517 §5), as text. The public members of its usable keys are
    /// kept; a private key is refused. Without a key, the tokens that it signed for end.
    #[schema(min_length = 1, max_length = 65536)]
    pub jwks: String,
}

/// A secret, without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientSecret)]
pub struct SecretView {
    /// The id.
    #[schema(example = "sec_4fGh7Jk2Lm9Np3Qr")]
    pub id: String,
    /// What is shown in its place.
    pub hint: String,
    /// Where it is in its life.
    #[schema(schema_with = view::credential_state)]
    pub state: &'static str,
    /// When it was made.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// From when on it is refused.
    #[schema(format = "date-time")]
    pub expires_at: String,
    /// When it was revoked.
    #[schema(format = "date-time")]
    pub revoked_at: Option<String>,
}

/// A new client, with its first secret for this once.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedOauthClient)]
pub struct IssuedClientView {
    /// What stays.
    #[serde(flatten)]
    pub view: ClientView,
    /// The secret. It cannot be had again. Null in a dry run, and of a client that sends assertions.
    pub client_secret: Option<String>,
}

/// A new secret, for this once.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedSecret)]
pub struct IssuedSecretView {
    /// What stays.
    #[serde(flatten)]
    pub view: SecretView,
    /// The secret. It cannot be had again. Null in a dry run.
    pub client_secret: Option<String>,
}

// What follows holds a secret of ours, or what a person may have given by mistake: a private key.

impl fmt::Debug for AssertionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionView").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl fmt::Debug for IssuedClientView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedClientView").field("view", &self.view).finish_non_exhaustive()
    }
}

impl fmt::Debug for IssuedSecretView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedSecretView").field("view", &self.view).finish_non_exhaustive()
    }
}

/// A new client.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Entra gallery", "token_lifetime_seconds": 3600 }))]
pub struct CreateClient {
    /// What the administrator calls it.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// What its tokens may be used for; nothing: everything.
    #[schema(schema_with = view::scopes, required = false)]
    scopes: Option<Vec<String>>,
    /// From where its tokens may be used; nothing: from anywhere.
    #[schema(schema_with = view::networks, required = false)]
    networks: Option<Vec<String>>,
    /// How long its tokens are good: an hour, if it is not said; at most six.
    #[schema(minimum = 3_600, maximum = 21_600)]
    token_lifetime_seconds: Option<u64>,
    /// How long its first secret is good: a year, if it is not said.
    #[schema(minimum = 1, maximum = 316_224_000)]
    secret_expires_in_seconds: Option<u64>,
    /// The population that it is for; the tenant's, if it is not said.
    #[schema(schema_with = view::population, required = false)]
    population: Option<String>,
    /// The assertions that it sends in place of a secret; it then gets none.
    assertion: Option<AssertionView>,
}

/// What changes of a client; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Entra gallery", "scopes": ["read"] }))]
pub struct ChangeClient {
    /// Another name.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// Other scopes. Tokens that are out there keep at most these.
    #[schema(schema_with = view::scopes, required = false)]
    scopes: Option<Vec<String>>,
    /// Other networks.
    #[schema(schema_with = view::networks, required = false)]
    networks: Option<Vec<String>>,
    /// Another life of its tokens.
    #[schema(minimum = 3_600, maximum = 21_600, nullable = false)]
    token_lifetime_seconds: Option<u64>,
    /// Other assertions; null: none any more.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<AssertionView>)]
    assertion: Option<Option<AssertionView>>,
}

/// A new secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "expires_in_seconds": 15_552_000 }))]
pub struct CreateSecret {
    /// How long it is good: a year, if it is not said.
    #[schema(minimum = 1, maximum = 316_224_000)]
    expires_in_seconds: Option<u64>,
}

/// `GET /tenants/{tenant}/oauth-clients`.
///
/// # Errors
/// As its row says.
pub async fn list(call: Call) -> Result<Answer, Problem> {
    let uses = call.admin.registry.uses(call.tenant_id()?).await?;
    let mut found = call.admin.registry.clients(call.tenant_id()?).await?;
    found.sort_by(|a, b| (a.created_at, &a.client_id).cmp(&(b.created_at, &b.client_id)));
    let found = from_after(found, call.query.after(), |one| one.client_id.clone());
    let page = Page::of(
        found,
        call.query.limit(),
        |one| one.client_id.clone(),
        |one| view(&call, &one, uses.get(&one.client_id)),
    );
    Ok(Answer::ok(&page))
}

/// `POST /tenants/{tenant}/oauth-clients`.
///
/// # Errors
/// As its row says.
pub async fn create(call: Call) -> Result<Answer, Problem> {
    let asked: CreateClient = call.body_or_default()?;
    let (least, most) = TOKEN_LIFE;
    let population = asked.population.as_deref().map(|word| {
        Population::parse(word)
            .map_err(|_other| Problem::field("population", "must be platform or board"))
    });
    let secret = asked.secret_expires_in_seconds.unwrap_or(A_YEAR);
    let secret = life("secret_expires_in_seconds", secret, 1, LONGEST)?;
    let token = asked.token_lifetime_seconds.unwrap_or(least);
    let new = NewClient {
        name: name("name", asked.name.as_deref().unwrap_or("OAuth client"), 200)?,
        scopes: asked.scopes.map_or(Ok(Scopes::ALL), |words| scopes("scopes", &words))?,
        networks: networks(asked.networks.as_deref())?.unwrap_or_default(),
        token_lifetime: life("token_lifetime_seconds", token, least, most)?,
        secret: asked.assertion.is_none().then_some(secret),
        population: population.transpose()?,
        assertion: asked.assertion.map(assertion).transpose()?,
    };
    let registry = &call.admin.registry;
    let pending = registry.create_client(call.tenant_id()?, &new, &call.by()).await?;
    call.settle(pending, |issued| shown_once(&call, issued)).await
}

/// `GET /tenants/{tenant}/oauth-clients/{client}`.
///
/// # Errors
/// As its row says.
pub async fn read(call: Call) -> Result<Answer, Problem> {
    let client = of_path(&call).await?;
    let uses = call.admin.registry.uses(&client.tenant_id).await?;
    let view = view(&call, &client, uses.get(&client.client_id));
    Ok(Answer::ok(&view).version(client.version))
}

/// `PATCH /tenants/{tenant}/oauth-clients/{client}`.
///
/// # Errors
/// As its row says.
pub async fn change(call: Call) -> Result<Answer, Problem> {
    let asked: ChangeClient = call.patch(&["assertion"])?;
    let client = of_path(&call).await?;
    let (least, most) = TOKEN_LIFE;
    let token = asked.token_lifetime_seconds;
    let change = ClientChange {
        name: asked.name.map(|text| name("name", &text, 200)).transpose()?,
        scopes: asked.scopes.map(|words| scopes("scopes", &words)).transpose()?,
        networks: networks(asked.networks.as_deref())?,
        token_lifetime: token
            .map(|s| life("token_lifetime_seconds", s, least, most))
            .transpose()?,
        assertion: asked.assertion.map(|one| one.map(assertion).transpose()).transpose()?,
    };
    let (registry, tenant) = (&call.admin.registry, call.tenant_id()?);
    let pending = registry.change_client(tenant, &client.client_id, &change, &call.by()).await?;
    call.settle(pending, |changed| shown(&call, changed)).await
}

/// `DELETE /tenants/{tenant}/oauth-clients/{client}`.
///
/// # Errors
/// As its row says.
pub async fn revoke(call: Call) -> Result<Answer, Problem> {
    let client = of_path(&call).await?;
    let (registry, tenant) = (&call.admin.registry, call.tenant_id()?);
    let pending = registry.revoke_client(tenant, &client.client_id, &call.by()).await?;
    call.settle(pending, |revoked| shown(&call, revoked)).await
}

/// `POST /tenants/{tenant}/oauth-clients/{client}/secrets`.
///
/// # Errors
/// As its row says.
pub async fn add_secret(call: Call) -> Result<Answer, Problem> {
    let asked: CreateSecret = call.body_or_default()?;
    let client = of_path(&call).await?;
    let expires = asked.expires_in_seconds.unwrap_or(A_YEAR);
    let expires = life("expires_in_seconds", expires, 1, LONGEST)?;
    let (registry, tenant) = (&call.admin.registry, call.tenant_id()?);
    let pending = registry.add_secret(tenant, &client.client_id, expires, &call.by()).await?;
    call.settle(pending, |issued: &IssuedSecret| {
        let view = IssuedSecretView {
            view: secret_view(&issued.kept, call.facts.now),
            client_secret: (!call.dry_run).then(|| issued.secret.expose_secret().to_owned()),
        };
        let at = format!("/admin/v1/tenants/{tenant}/oauth-clients/{}", client.client_id);
        Answer::created(&view, at)
    })
    .await
}

/// `DELETE /tenants/{tenant}/oauth-clients/{client}/secrets/{secret}`.
///
/// # Errors
/// As its row says.
pub async fn revoke_secret(call: Call) -> Result<Answer, Problem> {
    let client = of_path(&call).await?;
    let secret = call.path_id("secret", "sec_", "secret")?;
    let (registry, tenant) = (&call.admin.registry, call.tenant_id()?);
    let pending = registry.revoke_secret(tenant, &client.client_id, secret, &call.by()).await?;
    call.settle(pending, |revoked| shown(&call, revoked)).await
}

async fn of_path(call: &Call) -> Result<OauthClient, Problem> {
    let found = call.admin.registry.client(call.path("client")).await?;
    let tenant = call.tenant_id()?;
    found.filter(|one| one.tenant_id == *tenant).ok_or_else(|| Problem::not_found("OAuth client"))
}

fn shown(call: &Call, client: &OauthClient) -> Answer {
    Answer::ok(&view(call, client, None)).version(client.version)
}

fn shown_once(call: &Call, issued: &IssuedClient) -> Answer {
    let secret = issued.secret.as_ref().filter(|_| !call.dry_run);
    let view = IssuedClientView {
        view: view(call, &issued.client, None),
        client_secret: secret.map(|secret| secret.expose_secret().to_owned()),
    };
    let (tenant, id) = (&issued.client.tenant_id, &issued.client.client_id);
    let at = format!("/admin/v1/tenants/{tenant}/oauth-clients/{id}");
    Answer::created(&view, at).version(issued.client.version)
}

fn view(call: &Call, client: &OauthClient, last: Option<&CredentialUse>) -> ClientView {
    let region = call.tenant().map(|tenant| tenant.region.clone());
    let origin = region
        .map(|region| call.admin.hosts.origin(&Place { region, population: client.population }));
    ClientView {
        id: client.client_id.clone(),
        tenant_id: client.tenant_id.to_string(),
        name: client.name.clone(),
        state: if client.revoked_at.is_some() { "revoked" } else { "live" },
        population: client.population.to_string(),
        scopes: client.scopes.words().collect(),
        networks: client.networks.words().collect(),
        token_lifetime_seconds: client.token_lifetime.as_secs(),
        assertion: client.assertion.as_ref().map(|one| AssertionView {
            issuer: one.issuer.clone(),
            subject: one.subject.clone(),
            audience: one.audience.clone(),
            jwks: one.jwks.clone(),
        }),
        secrets: client.secrets.iter().map(|one| secret_view(one, call.facts.now)).collect(),
        token_endpoint: format!("{}/oauth2/token", origin.unwrap_or_default()),
        created_by: client.created_by.clone(),
        created_at: instant(client.created_at),
        revoked_at: client.revoked_at.map(instant),
        last_used_at: last.map(|last| instant(last.at)),
        last_client: last.map(|last| last.client.clone()),
        last_network: last.map(|last| last.network.clone()),
    }
}

fn secret_view(secret: &ClientSecret, now: OffsetDateTime) -> SecretView {
    let state = if secret.revoked_at.is_some() {
        "revoked"
    } else if secret.expires_at <= now {
        "expired"
    } else {
        "live"
    };
    SecretView {
        id: format!("sec_{}", secret.id),
        hint: secret.hint.clone(),
        state,
        created_at: instant(secret.created_at),
        expires_at: instant(secret.expires_at),
        revoked_at: secret.revoked_at.map(instant),
    }
}

fn assertion(view: AssertionView) -> Result<Assertion, Problem> {
    let jwks = jwk::public_set(&view.jwks);
    let jwks = jwks.map_err(|error| Problem::field("assertion.jwks", error.to_string()))?;
    Ok(Assertion {
        issuer: name("assertion.issuer", &view.issuer, 500)?,
        subject: name("assertion.subject", &view.subject, 500)?,
        audience: view.audience.map(|text| name("assertion.audience", &text, 500)).transpose()?,
        jwks,
    })
}
