//! What the API says of itself: the document, the keys, the caller.

use super::answer::Answer;
use super::call::Call;
use super::operator::Role;
use super::problem::Problem;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Who calls.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeView {
    /// The subject of the token.
    pub subject: String,
    /// `operator`, `tenant_admin` or `cli`.
    pub role: &'static str,
    /// The tenant of a tenant's administrator.
    pub tenant_id: Option<String>,
    /// What the token is good for.
    pub scopes: Vec<&'static str>,
    /// The regions that it is good for; null: all.
    pub regions: Option<Vec<String>>,
}

/// The OpenAPI document.
#[derive(Debug, ToSchema)]
#[schema(as = OpenApi, value_type = Object)]
pub struct OpenApiView(#[expect(dead_code, reason = "only its schema is wanted")] Value);

/// A JWK set (RFC 7517 §5).
#[derive(Debug, ToSchema)]
#[schema(as = JwkSet, value_type = Object)]
pub struct KeySetView(#[expect(dead_code, reason = "only its schema is wanted")] Value);

/// `GET /me`.
///
/// # Errors
/// Never.
pub fn me(call: &Call) -> Result<Answer, Problem> {
    let operator = &call.operator;
    let (role, tenant_id) = match &operator.role {
        Role::Operator => ("operator", None),
        Role::TenantAdmin(tenant) => ("tenant_admin", Some(tenant.to_string())),
        Role::Cli => ("cli", None),
    };
    let regions = operator.regions.as_ref();
    let view = MeView {
        subject: operator.subject.clone(),
        role,
        tenant_id,
        scopes: operator.rights.iter().map(|right| right.as_str()).collect(),
        regions: regions.map(|regions| regions.iter().map(ToString::to_string).collect()),
    };
    Ok(Answer::ok(&view))
}

/// `GET /openapi.json`.
///
/// # Errors
/// Never.
pub fn document(call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::json(call.admin.document().to_owned()))
}

/// `GET /.well-known/jwks.json`.
///
/// # Errors
/// When the keys cannot be read.
pub fn keys(call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::ok(&call.admin.issuers.key_set()?))
}
