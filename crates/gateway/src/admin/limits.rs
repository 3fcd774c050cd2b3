//! How much a tenant may ask for.
//!
//! **Invariant**: what is shown is what the limiter works with: the tenant's own rate, or the configured one.

use super::answer::Answer;
use super::call::Call;
use super::problem::Problem;
use crate::rate_limit::Rate;
use serde::{Deserialize, Serialize};
use tenant_registry::{RateLimit, Tenant, TenantChange};
use utoipa::ToSchema;

/// How many requests are answered, and what there may be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Limits)]
pub struct LimitsView {
    /// `default`, `off`, or requests a second and at once: `200/2000`.
    #[schema(example = "200/2000")]
    pub rate_limit: String,
    /// Requests a second that are answered, sustained; null: any number.
    pub per_second: Option<u32>,
    /// Requests at once; null: any number.
    pub burst: Option<u32>,
    /// People who may be active; null: any number.
    pub seats: Option<u64>,
    /// Live tokens that there may be.
    pub tokens: usize,
    /// Operations of one bulk request.
    pub bulk_operations: u64,
    /// Bytes of one body.
    pub body_bytes: usize,
    /// Results of one page.
    pub page_max: u64,
}

/// Another rate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "rate_limit": "200/2000" }))]
pub struct SetLimits {
    /// `default`, `off`, or requests a second and at once: `200/2000`, the second not smaller than the first.
    #[schema(pattern = "^(default|off|[1-9][0-9]{0,6}/[1-9][0-9]{0,6})$")]
    rate_limit: String,
}

/// `GET /tenants/{tenant}/limits`.
///
/// # Errors
/// As its row says.
pub fn read(call: &Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    Ok(shown(call, tenant))
}

/// `PUT /tenants/{tenant}/limits`.
///
/// # Errors
/// As its row says.
pub async fn set(call: Call) -> Result<Answer, Problem> {
    let asked: SetLimits = call.body()?;
    let rate = RateLimit::parse(&asked.rate_limit)
        .map_err(|error| Problem::field("rate_limit", error.to_string()))?;
    let change = TenantChange { rate_limit: Some(rate), ..TenantChange::default() };
    let pending = call.admin.registry.change_tenant(call.tenant_id()?, &change, &call.by()).await?;
    call.settle(pending, |tenant| shown(&call, tenant)).await
}

fn shown(call: &Call, tenant: &Tenant) -> Answer {
    let limits = &call.admin.config.limits;
    let rate = Rate::of(tenant.rate_limit, limits);
    let view = LimitsView {
        rate_limit: tenant.rate_limit.to_string(),
        per_second: rate.map(Rate::per_second),
        burst: rate.map(Rate::burst),
        seats: tenant.seats,
        tokens: tenant_registry::MAX_LIVE,
        bulk_operations: limits.bulk_operations,
        body_bytes: limits.body_bytes,
        page_max: limits.page_max,
    };
    Answer::ok(&view).version(tenant.version)
}
