//! A tenant's OAuth clients (RFC 6749 §4.4), for identity providers that fetch their tokens themselves.
//!
//! **Invariant**: as of tokens: a secret is in the answer that makes it, and in no other.

use self::shown::{AssertionView, IssuedSecretView, secret_view, shown, shown_once, view};
use super::answer::Answer;
use super::call::Call;
use super::input::{absent_or_null, name};
use super::problem::Problem;
use super::settings::scopes;
use super::tokens::{from_after, life, networks};
use super::view::{self, Page};
use crate::jwk;
use region_router::Population;
use secrecy::ExposeSecret;
use serde::Deserialize;
use tenant_registry::{Assertion, ClientChange, IssuedSecret, NewClient, OauthClient, Scopes};
use utoipa::ToSchema;

pub mod shown;

/// A year: how long a secret is good when it is not said.
const A_YEAR: u64 = 365 * 24 * 3600;
const LONGEST: u64 = 10 * 366 * 24 * 3600;
/// How long an access token is good, at least and at most.
const TOKEN_LIFE: (u64, u64) = (3_600, 21_600);

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
