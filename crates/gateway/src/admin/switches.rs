//! The guided way from one population to the other (requirements N4): look, freeze, cut over, undo or finish.
//!
//! **Invariant**: until it is finished, the first population can be had back as it was left.

use super::answer::Answer;
use super::call::Call;
use super::input::instant;
use super::people::user_preview;
use super::problem::Problem;
use super::tokens::life;
use super::view;
use region_router::Population;
use serde::{Deserialize, Serialize};
use tenant_registry::Tenant;
use utoipa::ToSchema;

/// How long a switch can be undone when it is not said: 7 days, and at most 90.
const UNDO: u64 = 7 * 24 * 3600;
const UNDO_MOST: u64 = 90 * 24 * 3600;
/// How many of those left behind the preview names.
const NAMED: u32 = 20;

/// How far a tenant is on its way to the other population.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PopulationSwitch)]
pub struct SwitchView {
    /// Whose way it is.
    pub tenant_id: String,
    /// Who is provisioned now.
    #[schema(schema_with = view::population)]
    pub population: String,
    /// `none`, `frozen`, `cut_over`, `finishing` or `undoing`. The last two end by themselves.
    #[schema(example = "cut_over")]
    pub stage: &'static str,
    /// The population that is left.
    pub from: Option<String>,
    /// The population that is entered.
    pub to: Option<String>,
    /// When it was frozen.
    #[schema(format = "date-time")]
    pub started_at: Option<String>,
    /// Until when it can be undone.
    #[schema(format = "date-time")]
    pub undo_until: Option<String>,
}

/// Who would be left behind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PopulationSwitchPreview)]
pub struct PreviewView {
    /// The population that would be left.
    pub from: String,
    /// The population that would be entered.
    pub to: String,
    /// People who are active in the first, and would be deactivated at the end.
    pub active_people: u64,
    /// Groups of the first.
    pub groups: u64,
    /// People who are active in the second already.
    pub already_there: u64,
    /// Tokens and OAuth clients that would rest, and be revoked at the end.
    pub credentials: u64,
    /// Some of the people.
    pub people: Vec<super::people::UserView>,
    /// What to do, in order.
    pub steps: Vec<String>,
}

/// Which way.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "to": "board" }))]
pub struct Freeze {
    /// The population to enter.
    #[schema(schema_with = view::population)]
    to: String,
}

/// How long the way back stays open.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "undo_seconds": 604_800 }))]
pub struct CutOver {
    /// For how long it can be undone: 7 days, if it is not said.
    #[schema(minimum = 0, maximum = 7_776_000)]
    undo_seconds: Option<u64>,
}

/// `GET /tenants/{tenant}/population-switch`.
///
/// # Errors
/// As its row says.
pub fn read(call: &Call) -> Result<Answer, Problem> {
    Ok(shown(call.tenant()?))
}

/// `GET /tenants/{tenant}/population-switch/preview`.
///
/// # Errors
/// As its row says.
pub async fn preview(call: Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    let from = tenant.switch.map_or(tenant.population, |switch| switch.from);
    let to = other(from);
    let directory = call.directory()?;
    let left = directory.within_population(tenant, from);
    let (here, there) =
        (left.tally().await?, directory.within_population(tenant, to).tally().await?);
    let (registry, now) = (&call.admin.registry, call.facts.now);
    let tokens = registry.credentials(&tenant.id).await?;
    let tokens = tokens.iter().filter(|one| one.population == from && one.is_live(now)).count();
    let clients = registry.clients(&tenant.id).await?;
    let clients =
        clients.iter().filter(|one| one.population == from && one.revoked_at.is_none()).count();
    let steps = [
        format!(
            "POST …/population-switch/freeze {{\"to\": \"{to}\"}}: reading goes on, writing is answered 503 until the next step."
        ),
        format!(
            "POST …/population-switch/cut-over: from now on the tenant is provisioned as {to}; its tokens for {from} rest."
        ),
        format!("Create a token, and enter it with the base URL of {to} in the identity provider."),
        format!(
            "Look whether everybody has arrived. POST …/population-switch/undo serves {from} again at once; those who came in {to} are deactivated."
        ),
        format!(
            "POST …/population-switch/finish: those left behind in {from} are deactivated, and its tokens and OAuth clients revoked."
        ),
    ];
    let view = PreviewView {
        from: from.to_string(),
        to: to.to_string(),
        active_people: here.active,
        groups: here.groups,
        already_there: there.active,
        credentials: u64::try_from(tokens + clients).unwrap_or(u64::MAX),
        people: user_preview(&call, &left, NAMED).await?,
        steps: steps.to_vec(),
    };
    Ok(Answer::ok(&view))
}

/// `POST /tenants/{tenant}/population-switch/freeze`.
///
/// # Errors
/// As its row says.
pub async fn freeze(call: Call) -> Result<Answer, Problem> {
    let asked: Freeze = call.body()?;
    let to = Population::parse(&asked.to)
        .map_err(|_other| Problem::field("to", "must be platform or board"))?;
    let pending = call.admin.registry.freeze_switch(call.tenant_id()?, to, &call.by()).await?;
    call.settle_and_fence(pending, |_| Population::ALL.to_vec(), shown).await
}

/// `POST /tenants/{tenant}/population-switch/cut-over`.
///
/// # Errors
/// As its row says.
pub async fn cut_over(call: Call) -> Result<Answer, Problem> {
    let asked: CutOver = call.body_or_default()?;
    let undo = life("undo_seconds", asked.undo_seconds.unwrap_or(UNDO), 0, UNDO_MOST)?;
    let pending = call.admin.registry.cut_over(call.tenant_id()?, undo, &call.by()).await?;
    call.settle_and_fence(pending, left, shown).await
}

/// `POST /tenants/{tenant}/population-switch/undo`.
///
/// # Errors
/// As its row says.
pub async fn undo(call: Call) -> Result<Answer, Problem> {
    // No fence: those who came are deactivated behind it, once every node has heard, and then it is put up.
    let pending = call.admin.registry.undo_switch(call.tenant_id()?, &call.by()).await?;
    call.settle(pending, shown).await
}

/// `POST /tenants/{tenant}/population-switch/finish`.
///
/// # Errors
/// As its row says.
pub async fn finish(call: Call) -> Result<Answer, Problem> {
    let pending = call.admin.registry.finish_switch(call.tenant_id()?, &call.by()).await?;
    call.settle(pending, shown).await
}

/// The population that is not written any more.
fn left(tenant: &Tenant) -> Vec<Population> {
    vec![other(tenant.population)]
}

fn other(population: Population) -> Population {
    match population {
        Population::Platform => Population::Board,
        Population::Board => Population::Platform,
    }
}

fn shown(tenant: &Tenant) -> Answer {
    let switch = tenant.switch.as_ref();
    let view = SwitchView {
        tenant_id: tenant.id.to_string(),
        population: tenant.population.to_string(),
        stage: switch.map_or("none", |switch| switch.stage.as_str()),
        from: switch.map(|switch| switch.from.to_string()),
        to: switch.map(|switch| switch.to.to_string()),
        started_at: switch.map(|switch| instant(switch.started_at)),
        undo_until: switch.and_then(|switch| switch.undo_until).map(instant),
    };
    Answer::ok(&view).version(tenant.version)
}
