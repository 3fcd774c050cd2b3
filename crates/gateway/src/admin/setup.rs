//! `GET /tenants/{tenant}/setup`.

use super::answer::Answer;
use super::call::Call;
use super::problem::Problem;
use crate::setup_view::{provider, setup_of};
use provisioning::setup::Idp;

pub use crate::setup_view::SetupView;

/// `GET /tenants/{tenant}/setup`.
///
/// # Errors
/// As its row says.
pub fn read(call: &Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    let asked = call.query.text("idp").and_then(|word| Idp::parse(word).ok());
    let idp = asked.unwrap_or_else(|| provider(tenant));
    let setup = setup_of(tenant, &call.admin.hosts, idp, tenant.population);
    Ok(Answer::ok(&SetupView::from(&setup)))
}
