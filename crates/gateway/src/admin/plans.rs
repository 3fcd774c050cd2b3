//! Plans and what they hold; the profiles of the products.
//!
//! **Invariant**: a plan that nobody described holds everything; a profile is code and cannot be changed here.

use super::answer::Answer;
use super::call::Call;
use super::problem::{Code, Problem};
use super::tenants::plan_name;
use super::tokens::{from_after, life};
use super::view::{self, Page};
use provisioning::{Profile, ProfileId};
use serde::{Deserialize, Serialize};
use tenant_registry::{NewPlan, Plan};
use utoipa::ToSchema;

/// A year: the longest grace.
const GRACE_MOST: u64 = 366 * 24 * 3600;

/// What a plan holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub struct PlanView {
    /// Its name.
    #[schema(example = "starter")]
    pub name: String,
    /// Whether directory sync is part of it.
    pub directory_sync: bool,
    /// Whether groups are part of it.
    pub group_push: bool,
    /// What an administrator reads where something is not part of it.
    pub upgrade_text: String,
    /// How long a tenant that comes from a plan with directory sync keeps it.
    pub grace_seconds: u64,
}

/// What a plan is to hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "directory_sync": false, "group_push": false, "grace_seconds": 1_209_600,
    "upgrade_text": "Directory sync is part of Enterprise. Write to sales@example.com."
}))]
pub struct SetPlan {
    /// Whether directory sync is part of it.
    directory_sync: bool,
    /// Whether groups are part of it.
    group_push: bool,
    /// What an administrator reads where something is not part of it.
    #[schema(min_length = 0, max_length = 500)]
    upgrade_text: Option<String>,
    /// How long a tenant that comes from a plan with directory sync keeps it: 14 days, if it is not said.
    #[schema(minimum = 0, maximum = 31_622_400)]
    grace_seconds: Option<u64>,
}

/// `GET /plans`.
///
/// # Errors
/// As its row says.
pub async fn list(call: Call) -> Result<Answer, Problem> {
    let mut found = call.admin.registry.plans().await?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let found = from_after(found, call.query.after(), |plan| plan.name.clone());
    let page = Page::of(found, call.query.limit(), |plan| plan.name.clone(), |plan| view(&plan));
    Ok(Answer::ok(&page))
}

/// `GET /plans/{plan}`.
///
/// # Errors
/// As its row says.
pub async fn read(call: Call) -> Result<Answer, Problem> {
    let found = call.admin.registry.plan(call.path("plan")).await?;
    let plan = found.ok_or_else(|| Problem::not_found("plan"))?;
    Ok(Answer::ok(&view(&plan)).version(plan.version))
}

/// `PUT /plans/{plan}`.
///
/// # Errors
/// As its row says.
pub async fn set(call: Call) -> Result<Answer, Problem> {
    if call.operator.regions.is_some() {
        return Err(Problem::new(
            Code::RegionForbidden,
            "A plan is that of tenants in every region, and your token is not good for all of them.",
        ));
    }
    let asked: SetPlan = call.body()?;
    let text = asked.upgrade_text.unwrap_or_default();
    if text.chars().count() > 500 || text.chars().any(char::is_control) {
        return Err(Problem::field(
            "upgrade_text",
            "must have at most 500 characters and no control characters",
        ));
    }
    let plan = NewPlan {
        name: plan_name(call.path("plan"))?,
        directory_sync: asked.directory_sync,
        group_push: asked.group_push,
        text: text.trim().to_owned(),
        grace: life("grace_seconds", asked.grace_seconds.unwrap_or(14 * 24 * 3600), 0, GRACE_MOST)?,
    };
    let pending = call.admin.registry.set_plan(&plan, &call.by()).await?;
    call.settle(pending, |plan| Answer::ok(&view(plan)).version(plan.version)).await
}

fn view(plan: &Plan) -> PlanView {
    PlanView {
        name: plan.name.clone(),
        directory_sync: plan.directory_sync,
        group_push: plan.group_push,
        upgrade_text: plan.text.clone(),
        grace_seconds: plan.grace.as_secs(),
    }
}

/// What a product asks of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
pub struct ProfileView {
    /// Its name.
    #[schema(schema_with = view::profile)]
    pub name: &'static str,
    /// The attributes without which nobody is admitted.
    pub required: Vec<&'static str>,
    /// Whether userName and e-mail must be the same.
    pub user_name_is_email: bool,
    /// The attributes that the product takes besides; null: all.
    pub taken: Option<Vec<&'static str>>,
}

/// `GET /profiles`.
///
/// # Errors
/// As its row says.
pub fn profiles(_call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::ok(&Page::whole(ProfileId::ALL.into_iter().map(profile_view).collect())))
}

/// `GET /profiles/{profile}`.
///
/// # Errors
/// As its row says.
pub fn profile(call: &Call) -> Result<Answer, Problem> {
    let id =
        ProfileId::parse(call.path("profile")).map_err(|_other| Problem::not_found("profile"))?;
    Ok(Answer::ok(&profile_view(id)))
}

fn profile_view(id: ProfileId) -> ProfileView {
    let profile = Profile::of(id);
    ProfileView {
        name: id.as_str(),
        required: profile.required_attributes(),
        user_name_is_email: profile.user_name_is_email(),
        taken: profile.taken_attributes(),
    }
}
