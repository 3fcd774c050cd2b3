//! What a tenant's administrator decides: default roles, groups, operations, what is tolerated; and the connection.
//!
//! **Invariant**: another default role is that of people who come later; nobody's role changes by it (requirements S1-27).

use super::answer::Answer;
use super::call::Call;
use super::input::{instant, name};
use super::problem::Problem;
use super::view::{self, Page};
use scim_core::Tolerance;
use serde::{Deserialize, Serialize};
use tenant_registry::{Scopes, Tenant, TenantChange};
use utoipa::ToSchema;

/// What a tenant's administrator decides.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub struct SettingsView {
    /// The role of a new person on the platform.
    pub platform_role: String,
    /// The role of a new person on the board.
    pub board_role: String,
    /// Whether groups are taken.
    pub groups: bool,
    /// What the identity provider may do, whatever its credentials allow.
    #[schema(schema_with = view::scopes)]
    pub operations: Vec<&'static str>,
    /// The deviations from the RFCs that are refused: `all`, `none`, or ids with commas between them.
    #[schema(example = "none")]
    pub strict: String,
}

/// What changes of the settings; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "board_role": "advocate", "operations": ["read", "create", "update", "deactivate"] }))]
pub struct ChangeSettings {
    /// The role of those who come to the platform from now on.
    #[schema(min_length = 1, max_length = 100, nullable = false)]
    platform_role: Option<String>,
    /// The role of those who come to the board from now on.
    #[schema(min_length = 1, max_length = 100, nullable = false)]
    board_role: Option<String>,
    /// Whether groups are taken. Groups that are there stay.
    #[schema(nullable = false)]
    groups: Option<bool>,
    /// What the identity provider may do; none is all.
    #[schema(schema_with = view::scopes, required = false)]
    operations: Option<Vec<String>>,
    /// The deviations that are refused: `all`, `none`, or ids with commas between them.
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    strict: Option<String>,
}

/// `GET /tenants/{tenant}/settings`.
///
/// # Errors
/// As its row says.
pub fn read(call: &Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    Ok(shown(tenant))
}

/// `PATCH /tenants/{tenant}/settings`.
///
/// # Errors
/// As its row says.
pub async fn change(call: Call) -> Result<Answer, Problem> {
    let asked: ChangeSettings = call.patch(&[])?;
    let strict = asked.strict.as_deref().map(|text| {
        Tolerance::parse(text).map_err(|_unknown| {
            Problem::field(
                "strict",
                "must be all, none, or ids of docs/quirks.md with commas between them",
            )
        })
    });
    let change = TenantChange {
        platform_role: asked.platform_role.map(|r| name("platform_role", &r, 100)).transpose()?,
        board_role: asked.board_role.map(|r| name("board_role", &r, 100)).transpose()?,
        groups: asked.groups,
        operations: asked.operations.map(|words| scopes("operations", &words)).transpose()?,
        tolerance: strict.transpose()?,
        ..TenantChange::default()
    };
    let pending = call.admin.registry.change_tenant(call.tenant_id()?, &change, &call.by()).await?;
    call.settle(pending, shown).await
}

fn shown(tenant: &Tenant) -> Answer {
    let view = SettingsView {
        platform_role: tenant.platform_role.clone(),
        board_role: tenant.board_role.clone(),
        groups: tenant.groups,
        operations: tenant.operations.words().collect(),
        strict: tenant.tolerance.to_string(),
    };
    Answer::ok(&view).version(tenant.version)
}

/// Scopes from their words.
pub(super) fn scopes(field: &str, words: &[String]) -> Result<Scopes, Problem> {
    let is_word = |word: &String| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    if !words.iter().all(is_word) || words.len() > 7 {
        return Err(Problem::field(
            field,
            "must be words such as read, create and users, at most 7",
        ));
    }
    Scopes::parse(&words.join(",")).map_err(|_unknown| {
        Problem::field(
            field,
            "must be words out of read, create, update, deactivate, delete, users and groups",
        )
    })
}

/// A tenant's one set-up with its identity provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionView {
    /// The id.
    #[schema(example = "conn_a2b3c4d5e6f7g2h3")]
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// The identity provider; null before one is chosen.
    #[schema(example = "entra")]
    pub provider: Option<String>,
    /// Whether provisioning is switched on. Off, every request is refused with 403.
    pub provisioning: bool,
    /// Who is provisioned.
    #[schema(schema_with = view::population)]
    pub population: String,
    /// Where its data lives.
    pub region: String,
    /// The URL for the identity provider.
    pub scim_base_url: String,
    /// Where an OAuth client gets its tokens.
    pub token_endpoint: String,
    /// When a credential was last used, to the minute or so.
    #[schema(format = "date-time")]
    pub last_request_at: Option<String>,
    /// By which client.
    pub last_client: Option<String>,
}

/// What changes of a connection; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "provider": "entra", "provisioning": true }))]
pub struct ChangeConnection {
    /// The identity provider.
    #[schema(schema_with = providers, required = false)]
    provider: Option<String>,
    /// Whether provisioning is switched on.
    #[schema(nullable = false)]
    provisioning: Option<bool>,
}

fn providers() -> utoipa::openapi::schema::Object {
    utoipa::openapi::schema::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::SchemaType::Type(
            utoipa::openapi::schema::Type::String,
        ))
        .enum_values(Some(provisioning::setup::Idp::ALL.map(provisioning::setup::Idp::as_str)))
        .build()
}

/// `GET /tenants/{tenant}/connections`.
///
/// # Errors
/// As its row says.
pub async fn connections(call: Call) -> Result<Answer, Problem> {
    let view = connection_of(&call, call.tenant()?).await?;
    Ok(Answer::ok(&Page::whole(vec![view])))
}

/// `GET /tenants/{tenant}/connections/{connection}`.
///
/// # Errors
/// As its row says.
pub async fn connection(call: Call) -> Result<Answer, Problem> {
    let tenant = of_path(&call)?;
    Ok(Answer::ok(&connection_of(&call, tenant).await?).version(tenant.version))
}

/// `PATCH /tenants/{tenant}/connections/{connection}`.
///
/// # Errors
/// As its row says.
pub async fn change_connection(call: Call) -> Result<Answer, Problem> {
    let tenant = of_path(&call)?;
    let asked: ChangeConnection = call.patch(&[])?;
    if let Some(word) = &asked.provider
        && provisioning::setup::Idp::parse(word).is_err()
    {
        let words = provisioning::setup::Idp::ALL.map(provisioning::setup::Idp::as_str);
        return Err(Problem::field("provider", format!("must be one of {}", words.join(", "))));
    }
    let change = TenantChange {
        provider: asked.provider,
        provisioning: asked.provisioning,
        ..TenantChange::default()
    };
    let last = connection_of(&call, tenant).await?;
    let pending = call.admin.registry.change_tenant(&tenant.id, &change, &call.by()).await?;
    call.settle(pending, |tenant| {
        let (last_request_at, last_client) = (last.last_request_at, last.last_client);
        let view =
            ConnectionView { last_request_at, last_client, ..connection_view(&call, tenant) };
        Answer::ok(&view).version(tenant.version)
    })
    .await
}

fn of_path(call: &Call) -> Result<&Tenant, Problem> {
    let tenant = call.tenant()?;
    if call.path("connection") == tenant.connection_id() {
        return Ok(tenant);
    }
    Err(Problem::not_found("connection"))
}

async fn connection_of(call: &Call, tenant: &Tenant) -> Result<ConnectionView, Problem> {
    let uses = call.admin.registry.uses(&tenant.id).await?;
    let last = uses.values().max_by_key(|one| one.at);
    Ok(ConnectionView {
        last_request_at: last.map(|one| instant(one.at)),
        last_client: last.map(|one| one.client.clone()),
        ..connection_view(call, tenant)
    })
}

fn connection_view(call: &Call, tenant: &Tenant) -> ConnectionView {
    let (hosts, place) = (&call.admin.hosts, tenant.place());
    ConnectionView {
        id: tenant.connection_id(),
        tenant_id: tenant.id.to_string(),
        provider: Some(tenant.provider.clone()).filter(|word| !word.is_empty()),
        provisioning: tenant.provisioning,
        population: tenant.population.to_string(),
        region: tenant.region.to_string(),
        scim_base_url: hosts.base_url(&place),
        token_endpoint: format!("{}/oauth2/token", hosts.origin(&place)),
        last_request_at: None,
        last_client: None,
    }
}
