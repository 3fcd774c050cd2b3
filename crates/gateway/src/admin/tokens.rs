//! A tenant's bearer tokens: issuing, rotating, revoking.
//!
//! **Invariant**: a token is in the answer that issues it and in no other; a dry run issues none.

use super::answer::Answer;
use super::call::Call;
use super::input::{instant, name};
use super::problem::Problem;
use super::settings::scopes;
use super::view::{self, Page};
use region_router::{Hosts, Place, Population};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use tenant_registry::{
    Credential, CredentialChange, CredentialUse, IssuedCredential, Networks, NewCredential, Scopes,
    Tenant,
};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A year: how long a token lives when it is not said.
const A_YEAR: u64 = 365 * 24 * 3600;
/// Ten years: the longest.
const LONGEST: u64 = 10 * 366 * 24 * 3600;
/// How long the old token stays good when a rotation does not say.
const OVERLAP: u64 = 7 * 24 * 3600;
/// The longest overlap: 90 days.
const LONGEST_OVERLAP: u64 = 90 * 24 * 3600;

/// A bearer token, without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenView {
    /// The id.
    #[schema(example = "tok_4fGh7Jk2Lm9Np3Qr")]
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// What the administrator calls it.
    pub name: String,
    /// What is shown in its place, and is no token: `mst_eu_pf_****9f3c`.
    #[schema(example = "mst_eu_pf_****9f3c")]
    pub hint: String,
    /// Where it is in its life.
    #[schema(schema_with = view::credential_state)]
    pub state: &'static str,
    /// The population that it is for.
    #[schema(schema_with = view::population)]
    pub population: String,
    /// What it may be used for.
    #[schema(schema_with = view::scopes)]
    pub scopes: Vec<&'static str>,
    /// From where it may be used; nothing: from anywhere.
    #[schema(schema_with = view::networks)]
    pub networks: Vec<String>,
    /// Who made it. It outlives them.
    pub created_by: String,
    /// When it was made.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// From when on it is refused.
    #[schema(format = "date-time")]
    pub expires_at: String,
    /// From when on it is refused because another one takes its place.
    #[schema(format = "date-time")]
    pub retires_at: Option<String>,
    /// When it was revoked.
    #[schema(format = "date-time")]
    pub revoked_at: Option<String>,
    /// The id of the token whose place it takes.
    pub replaces: Option<String>,
    /// When it was last used, to the minute or so.
    #[schema(format = "date-time")]
    pub last_used_at: Option<String>,
    /// By which client.
    pub last_client: Option<String>,
    /// From which network.
    pub last_network: Option<String>,
}

impl TokenView {
    fn of(credential: &Credential, last: Option<&CredentialUse>, now: OffsetDateTime) -> Self {
        Self {
            id: credential.id(),
            tenant_id: credential.tenant_id.to_string(),
            name: credential.name.clone(),
            hint: credential.hint.clone(),
            state: state(credential, now),
            population: credential.population.to_string(),
            scopes: credential.scopes.words().collect(),
            networks: credential.networks.words().collect(),
            created_by: credential.created_by.clone(),
            created_at: instant(credential.created_at),
            expires_at: instant(credential.expires_at),
            retires_at: credential.retires_at.map(instant),
            revoked_at: credential.revoked_at.map(instant),
            replaces: credential.replaces.as_ref().map(|key_id| format!("tok_{key_id}")),
            last_used_at: last.map(|last| instant(last.at)),
            last_client: last.map(|last| last.client.clone()),
            last_network: last.map(|last| last.network.clone()),
        }
    }
}

/// Where a token is in its life.
#[must_use]
pub fn state(credential: &Credential, now: OffsetDateTime) -> &'static str {
    if credential.revoked_at.is_some() {
        "revoked"
    } else if credential.ends_at() <= now {
        "expired"
    } else if credential.retires_at.is_some() {
        "retiring"
    } else {
        "live"
    }
}

/// A new token, with its text for this once.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedToken)]
pub struct IssuedTokenView {
    /// What stays.
    #[serde(flatten)]
    pub view: TokenView,
    /// The token. It cannot be had again. Null in a dry run.
    #[schema(example = "mst_eu_pf_4fGh7Jk2Lm9Np3Qr_…")]
    pub token: Option<String>,
    /// The visible part of it, by which it is found.
    pub key_id: String,
    /// The URL for the identity provider.
    #[schema(example = "https://eu-app.example.com/scim/v2")]
    pub scim_base_url: String,
}

impl fmt::Debug for IssuedTokenView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokenView").field("view", &self.view).finish_non_exhaustive()
    }
}

/// A new token.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Entra", "scopes": ["read", "create", "update", "deactivate"], "networks": ["203.0.113.0/24"] }))]
pub struct CreateToken {
    /// What the administrator calls it.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// How long it is good: a year, if it is not said.
    #[schema(minimum = 1, maximum = 316_224_000)]
    expires_in_seconds: Option<u64>,
    /// What it may be used for; nothing: everything.
    #[schema(schema_with = view::scopes, required = false)]
    scopes: Option<Vec<String>>,
    /// From where it may be used; nothing: from anywhere.
    #[schema(schema_with = view::networks, required = false)]
    networks: Option<Vec<String>>,
    /// The population that it is for; the tenant's, if it is not said.
    #[schema(schema_with = view::population, required = false)]
    population: Option<String>,
}

/// What changes of a token; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Entra, production" }))]
pub struct ChangeToken {
    /// Another name.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// Other networks.
    #[schema(schema_with = view::networks, required = false)]
    networks: Option<Vec<String>>,
}

/// A rotation.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "overlap_seconds": 86_400 }))]
pub struct StartRotation {
    /// How long the old token stays good beside the new one: 7 days, if it is not said.
    #[schema(minimum = 0, maximum = 7_776_000)]
    overlap_seconds: Option<u64>,
    /// How long the new one is good: a year, if it is not said.
    #[schema(minimum = 1, maximum = 316_224_000)]
    expires_in_seconds: Option<u64>,
}

/// `GET /tenants/{tenant}/tokens`.
///
/// # Errors
/// As its row says.
pub async fn list(call: Call) -> Result<Answer, Problem> {
    let (registry, now) = (&call.admin.registry, call.facts.now);
    let tenant = call.tenant_id()?;
    let uses = registry.uses(tenant).await?;
    let mut found = registry.credentials(tenant).await?;
    found.sort_by(|a, b| (a.created_at, &a.key_id).cmp(&(b.created_at, &b.key_id)));
    // The one that the cursor names may be in another state by now.
    let mut found = from_after(found, call.query.after(), Credential::id);
    let state_wanted = call.query.text("state");
    found.retain(|one| state_wanted.is_none_or(|wanted| state(one, now) == wanted));
    let page = Page::of(found, call.query.limit(), Credential::id, |one| {
        TokenView::of(&one, uses.get(&one.key_id), now)
    });
    Ok(Answer::ok(&page))
}

/// Those after the one with this id: of a list that is short.
pub(super) fn from_after<T>(
    found: Vec<T>,
    after: Option<&str>,
    id: impl Fn(&T) -> String,
) -> Vec<T> {
    match after {
        None => found,
        Some(after) => found.into_iter().skip_while(|one| id(one) != after).skip(1).collect(),
    }
}

/// `POST /tenants/{tenant}/tokens`.
///
/// # Errors
/// As its row says.
pub async fn create(call: Call) -> Result<Answer, Problem> {
    let asked: CreateToken = call.body_or_default()?;
    let expires =
        life("expires_in_seconds", asked.expires_in_seconds.unwrap_or(A_YEAR), 1, LONGEST)?;
    let population = asked.population.as_deref().map(|word| {
        Population::parse(word)
            .map_err(|_other| Problem::field("population", "must be platform or board"))
    });
    let text = asked.name.as_deref().unwrap_or("token");
    let new = NewCredential {
        name: name("name", text, 200)?,
        expires,
        scopes: asked.scopes.map_or(Ok(Scopes::ALL), |words| scopes("scopes", &words))?,
        population: population.transpose()?,
        networks: networks(asked.networks.as_deref())?.unwrap_or_default(),
    };
    let registry = &call.admin.registry;
    let pending = registry.create_credential(call.tenant_id()?, &new, &call.by()).await?;
    call.settle(pending, |issued| shown_once(&call, issued)).await
}

/// `GET /tenants/{tenant}/tokens/{token}`.
///
/// # Errors
/// As its row says.
pub async fn read(call: Call) -> Result<Answer, Problem> {
    let credential = of_path(&call).await?;
    let uses = call.admin.registry.uses(call.tenant_id()?).await?;
    let last = uses.get(&credential.key_id);
    let view = TokenView::of(&credential, last, call.facts.now);
    Ok(Answer::ok(&view).version(credential.version))
}

/// `PATCH /tenants/{tenant}/tokens/{token}`.
///
/// # Errors
/// As its row says.
pub async fn change(call: Call) -> Result<Answer, Problem> {
    let asked: ChangeToken = call.patch(&[])?;
    let credential = of_path(&call).await?;
    let change = CredentialChange {
        name: asked.name.map(|text| name("name", &text, 200)).transpose()?,
        networks: networks(asked.networks.as_deref())?,
    };
    let (registry, tenant) = (&call.admin.registry, call.tenant_id()?);
    let pending =
        registry.change_credential(tenant, &credential.key_id, &change, &call.by()).await?;
    call.settle(pending, |changed| shown(&call, changed)).await
}

/// `DELETE /tenants/{tenant}/tokens/{token}`.
///
/// # Errors
/// As its row says.
pub async fn revoke(call: Call) -> Result<Answer, Problem> {
    let credential = of_path(&call).await?;
    let (registry, tenant) = (&call.admin.registry, call.tenant_id()?);
    let pending = registry.revoke_credential(tenant, &credential.key_id, &call.by()).await?;
    call.settle(pending, |revoked| shown(&call, revoked)).await
}

/// `POST /tenants/{tenant}/tokens/{token}/rotation`.
///
/// # Errors
/// As its row says.
pub async fn start_rotation(call: Call) -> Result<Answer, Problem> {
    let asked: StartRotation = call.body_or_default()?;
    let credential = of_path(&call).await?;
    let overlap =
        life("overlap_seconds", asked.overlap_seconds.unwrap_or(OVERLAP), 0, LONGEST_OVERLAP)?;
    let expires = asked.expires_in_seconds.unwrap_or(A_YEAR);
    let expires = life("expires_in_seconds", expires, 1, LONGEST)?;
    let (registry, tenant) = (&call.admin.registry, call.tenant_id()?);
    let pending = registry
        .start_rotation(tenant, &credential.key_id, overlap, Some(expires), &call.by())
        .await?;
    call.settle(pending, |issued| shown_once(&call, issued)).await
}

/// `POST /tenants/{tenant}/tokens/{token}/rotation/complete`.
///
/// # Errors
/// As its row says.
pub async fn complete_rotation(call: Call) -> Result<Answer, Problem> {
    let credential = of_path(&call).await?;
    let (registry, tenant) = (&call.admin.registry, call.tenant_id()?);
    let pending = registry.complete_rotation(tenant, &credential.key_id, &call.by()).await?;
    call.settle(pending, |old| shown(&call, old)).await
}

/// `POST /tenants/{tenant}/tokens/{token}/rotation/cancel`.
///
/// # Errors
/// As its row says.
pub async fn cancel_rotation(call: Call) -> Result<Answer, Problem> {
    let credential = of_path(&call).await?;
    let (registry, tenant) = (&call.admin.registry, call.tenant_id()?);
    let pending = registry.cancel_rotation(tenant, &credential.key_id, &call.by()).await?;
    call.settle(pending, |old| shown(&call, old)).await
}

async fn of_path(call: &Call) -> Result<Credential, Problem> {
    let key_id = call.path_id("token", "tok_", "token")?;
    let found = call.admin.registry.credential(key_id).await?;
    let tenant = call.tenant_id()?;
    found.filter(|one| one.tenant_id == *tenant).ok_or_else(|| Problem::not_found("token"))
}

fn shown(call: &Call, credential: &Credential) -> Answer {
    Answer::ok(&TokenView::of(credential, None, call.facts.now)).version(credential.version)
}

fn shown_once(call: &Call, issued: &IssuedCredential) -> Answer {
    let credential = &issued.credential;
    let view = IssuedTokenView {
        view: TokenView::of(credential, None, call.facts.now),
        token: (!call.dry_run).then(|| issued.token.expose_secret().to_owned()),
        key_id: credential.key_id.clone(),
        scim_base_url: call
            .tenant()
            .map(|tenant| base_url(&call.admin.hosts, tenant, credential.population))
            .unwrap_or_default(),
    };
    let tenant = &credential.tenant_id;
    let at = format!("/admin/v1/tenants/{tenant}/tokens/{}", credential.id());
    Answer::created(&view, at).version(credential.version)
}

fn base_url(hosts: &Hosts, tenant: &Tenant, population: Population) -> String {
    hosts.base_url(&Place { region: tenant.region.clone(), population })
}

/// A span of time in seconds.
pub(super) fn life(field: &str, seconds: u64, least: u64, most: u64) -> Result<Duration, Problem> {
    if (least..=most).contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    Err(Problem::field(field, format!("must be from {least} to {most}")))
}

/// Networks from their words.
pub(super) fn networks(words: Option<&[String]>) -> Result<Option<Networks>, Problem> {
    let Some(words) = words else { return Ok(None) };
    let wrong = || {
        Problem::field(
            "networks",
            "must be addresses or networks such as 203.0.113.0/24, at most 50",
        )
    };
    if words.iter().any(|word| word.is_empty() || word.contains([',', ' '])) {
        return Err(wrong());
    }
    Networks::parse(&words.join(",")).map(Some).map_err(|_unreadable| wrong())
}
