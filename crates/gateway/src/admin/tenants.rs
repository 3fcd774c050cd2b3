//! Tenants: making, showing, changing, suspending, closing.
//!
//! **Invariant**: what a tenant's own administrator decides is in [`settings`](super::settings); what is here an operator
//! decides.

use super::answer::Answer;
use super::call::Call;
use super::input::{absent_or_null, instant, name};
use super::problem::{Code, Problem};
use super::view::{self, Page};
use provisioning::ProfileId;
use region_router::{Hosts, Place, Population, Region};
use serde::{Deserialize, Serialize};
use tenant_registry::{
    NewTenant, Routing, Tenant, TenantChange, TenantQuery, TenantState, is_shard,
};
use utoipa::ToSchema;

/// The most seats that can be asked for.
const SEATS_MOST: u64 = 1_000_000_000;

/// What stays as it was made, and what to do instead.
const IMMUTABLE: &[(&str, &str)] = &[
    ("id", "is for good"),
    ("region", "is where the data lives, and is changed by moving the tenant"),
    ("shard", "is changed by moving the tenant"),
    ("profile", "is fixed when the tenant is made"),
    ("population", "is changed by a population switch"),
    ("state", "is changed by suspend, resume and close"),
];

/// A tenant: one customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub struct TenantView {
    /// The id, which never changes.
    #[schema(example = "ten_a2b3c4d5e6f7g2h3")]
    pub id: String,
    /// The short name, unique.
    #[schema(example = "acme")]
    pub slug: String,
    /// The name for people.
    #[schema(example = "Acme Ltd")]
    pub name: String,
    /// Where its people's data lives, until it is moved.
    #[schema(example = "eu")]
    pub region: String,
    /// Which store of the region.
    pub shard: String,
    /// Whether it is served.
    #[schema(schema_with = view::tenant_state)]
    pub state: String,
    /// What it has bought.
    #[schema(example = "standard")]
    pub plan: String,
    /// Who is provisioned.
    #[schema(schema_with = view::population)]
    pub population: String,
    /// Whether the other population may be provisioned as well.
    pub both_populations: bool,
    /// What its product asks of a person.
    #[schema(schema_with = view::profile)]
    pub profile: String,
    /// The role of a new person of its population.
    pub default_role: String,
    /// How many people may be active; null: any number.
    pub seats: Option<u64>,
    /// Whom its administrators ask for seats.
    pub seat_contact: String,
    /// Whether groups are taken.
    pub groups: bool,
    /// Whether its requests may pass through another region: forward, or strict (then they are refused with 421).
    #[schema(schema_with = view::routing)]
    pub routing: String,
    /// Until when directory sync is served by its plan; null: as long as it has the plan.
    #[schema(format = "date-time")]
    pub sync_until: Option<String>,
    /// The URL for its identity provider.
    #[schema(example = "https://eu-app.example.com/scim/v2")]
    pub scim_base_url: String,
    /// When it was closed.
    #[schema(format = "date-time")]
    pub closed_at: Option<String>,
    /// When it was made.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// When it was last changed.
    #[schema(format = "date-time")]
    pub updated_at: String,
}

impl TenantView {
    /// What is shown of a tenant.
    #[must_use]
    pub fn of(tenant: &Tenant, hosts: &Hosts) -> Self {
        Self {
            id: tenant.id.to_string(),
            slug: tenant.slug.clone(),
            name: tenant.name.clone(),
            region: tenant.region.to_string(),
            shard: tenant.shard.clone(),
            state: tenant.state.to_string(),
            plan: tenant.plan.clone(),
            population: tenant.population.to_string(),
            both_populations: tenant.both_populations,
            profile: tenant.profile.to_string(),
            default_role: tenant.role_of(tenant.population).to_owned(),
            seats: tenant.seats,
            seat_contact: tenant.seat_contact.clone(),
            groups: tenant.groups,
            routing: tenant.routing.to_string(),
            sync_until: tenant.sync_until.map(instant),
            scim_base_url: hosts.base_url(&tenant.place()),
            closed_at: tenant.closed_at.map(instant),
            created_at: instant(tenant.created_at),
            updated_at: instant(tenant.updated_at),
        }
    }
}

/// A new tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "slug": "acme", "name": "Acme Ltd", "region": "eu", "population": "platform", "profile": "oktopost", "seats": 250
}))]
pub struct CreateTenant {
    /// 1 to 63 small letters, digits and hyphens; unique.
    #[schema(pattern = "^[a-z0-9-]{1,63}$")]
    slug: String,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// A configured region.
    #[schema(pattern = "^[a-z][a-z0-9]{0,7}$")]
    region: String,
    /// Which store of the region; the first, `0`, if it is not said.
    #[schema(pattern = "^[a-z0-9]{1,16}$")]
    shard: Option<String>,
    /// Who is provisioned.
    #[schema(schema_with = view::population)]
    population: String,
    /// What its product asks of a person.
    #[schema(schema_with = view::profile)]
    profile: String,
    /// What it has bought.
    #[schema(pattern = "^[a-z0-9-]{1,63}$")]
    plan: Option<String>,
    /// How many people may be active; null or absent: any number.
    #[schema(maximum = 1_000_000_000)]
    seats: Option<u64>,
    /// Whether groups are taken; they are, if it is not said.
    groups: Option<bool>,
    /// Whom its administrators ask for seats, as it fits into a sentence.
    #[schema(min_length = 1, max_length = 200)]
    seat_contact: Option<String>,
    /// Whether the other population may be provisioned as well.
    both_populations: Option<bool>,
}

/// What changes of a tenant; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Acme International Ltd", "seats": 500 }))]
pub struct ChangeTenant {
    /// Another short name. URLs with the old one end to work.
    #[schema(pattern = "^[a-z0-9-]{1,63}$", nullable = false)]
    slug: Option<String>,
    /// Another name.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// Another plan.
    #[schema(pattern = "^[a-z0-9-]{1,63}$", nullable = false)]
    plan: Option<String>,
    /// Another number of seats; null: any number. Those who are active stay so.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<u64>, maximum = 1_000_000_000)]
    seats: Option<Option<u64>>,
    /// Another contact.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    seat_contact: Option<String>,
    /// Whether the other population may be provisioned as well.
    #[schema(nullable = false)]
    both_populations: Option<bool>,
    /// Whether its requests may pass through another region: forward, or strict (then they are refused with 421).
    #[schema(schema_with = view::routing)]
    routing: Option<String>,
}

/// `GET /tenants`.
///
/// # Errors
/// As its row says.
pub async fn list(call: Call) -> Result<Answer, Problem> {
    let query = &call.query;
    let limit = query.limit();
    let region = match (query.text("region"), &call.operator.regions) {
        (Some(one), _) => {
            let region = Region::parse(one).ok().filter(|region| call.operator.is_for(region));
            // A region that is not there, or not the caller's, has no tenants.
            let Some(region) = region else {
                return Ok(Answer::ok(&Page::<TenantView>::whole(Vec::new())));
            };
            vec![region]
        }
        (None, Some(regions)) if regions.is_empty() => {
            return Ok(Answer::ok(&Page::<TenantView>::whole(Vec::new())));
        }
        (None, Some(regions)) => regions.iter().cloned().collect(),
        (None, None) => Vec::new(),
    };
    let asked = TenantQuery {
        after: query.after().map(str::to_owned),
        limit: limit + 1,
        region,
        state: query.text("state").and_then(|word| TenantState::parse(word).ok()),
        plan: query.text("plan").map(str::to_owned),
        population: query.text("population").and_then(|word| Population::parse(word).ok()),
        provider: query.text("provider").map(str::to_owned),
    };
    let found = call.admin.registry.tenants_page(&asked).await?;
    let hosts = &call.admin.hosts;
    let page = Page::of(found, limit, |t| t.slug.clone(), |t| TenantView::of(&t, hosts));
    Ok(Answer::ok(&page))
}

/// `POST /tenants`.
///
/// # Errors
/// As its row says.
pub async fn create(call: Call) -> Result<Answer, Problem> {
    let asked: CreateTenant = call.body()?;
    let region = configured(&call, &asked.region)?;
    if !call.operator.is_for(&region) {
        return Err(Problem::of_field(
            Code::RegionForbidden,
            "region",
            "your token is not good for it",
        ));
    }
    let population = Population::parse(&asked.population)
        .map_err(|_other| Problem::field("population", "must be platform or board"))?;
    let profile = ProfileId::parse(&asked.profile).map_err(|_other| {
        Problem::field("profile", "must be open, oktopost, condeco, deskpro or outpost")
    })?;
    check_seats(asked.seats)?;
    let shard = asked.shard.map(|shard| configured_shard(&call, &region, shard)).transpose()?;
    let place = Place { region, population };
    let usual = NewTenant::new(&asked.slug, &name("name", &asked.name, 200)?, place, profile);
    let contact = asked.seat_contact.as_deref();
    let new = NewTenant {
        shard: shard.unwrap_or(usual.shard),
        plan: asked.plan.map_or(Ok(usual.plan), |plan| plan_name(&plan))?,
        seats: asked.seats,
        groups: asked.groups.unwrap_or(true),
        seat_contact: contact.map_or(Ok(usual.seat_contact), |c| name("seat_contact", c, 200))?,
        both_populations: asked.both_populations.unwrap_or_default(),
        ..usual
    };
    let pending = call.admin.registry.create_tenant(&new, &call.by()).await?;
    call.settle(pending, |tenant| {
        let at = format!("/admin/v1/tenants/{}", tenant.id);
        Answer::created(&TenantView::of(tenant, &call.admin.hosts), at).version(tenant.version)
    })
    .await
}

/// `GET /tenants/{tenant}`.
///
/// # Errors
/// As its row says.
pub fn read(call: &Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    Ok(shown(call, tenant))
}

/// `PATCH /tenants/{tenant}`.
///
/// # Errors
/// As its row says.
pub async fn change(call: Call) -> Result<Answer, Problem> {
    let named: serde_json::Map<String, serde_json::Value> = call.body()?;
    for (field, why) in IMMUTABLE {
        if named.contains_key(*field) {
            return Err(Problem::of_field(Code::FieldImmutable, field, *why));
        }
    }
    let asked: ChangeTenant = call.patch(&["seats"])?;
    check_seats(asked.seats.flatten())?;
    let change = TenantChange {
        slug: asked.slug,
        name: asked.name.map(|text| name("name", &text, 200)).transpose()?,
        plan: asked.plan.map(|plan| plan_name(&plan)).transpose()?,
        seats: asked.seats,
        seat_contact: asked.seat_contact.map(|c| name("seat_contact", &c, 200)).transpose()?,
        both_populations: asked.both_populations,
        routing: asked.routing.map(|word| routing(&word)).transpose()?,
        ..TenantChange::default()
    };
    apply(&call, &change).await
}

fn routing(word: &str) -> Result<Routing, Problem> {
    Routing::parse(word).map_err(|error| Problem::field("routing", error.to_string()))
}

/// Changes the tenant in the path and shows it.
pub(super) async fn apply(call: &Call, change: &TenantChange) -> Result<Answer, Problem> {
    let pending = call.admin.registry.change_tenant(call.tenant_id()?, change, &call.by()).await?;
    call.settle(pending, |tenant| shown(call, tenant)).await
}

/// `POST /tenants/{tenant}/suspend`.
///
/// # Errors
/// As its row says.
pub async fn suspend(call: Call) -> Result<Answer, Problem> {
    set_state(&call, TenantState::Suspended).await
}

/// `POST /tenants/{tenant}/resume`.
///
/// # Errors
/// As its row says.
pub async fn resume(call: Call) -> Result<Answer, Problem> {
    set_state(&call, TenantState::Active).await
}

/// `POST /tenants/{tenant}/close`.
///
/// # Errors
/// As its row says.
pub async fn close(call: Call) -> Result<Answer, Problem> {
    set_state(&call, TenantState::Closed).await
}

async fn set_state(call: &Call, state: TenantState) -> Result<Answer, Problem> {
    let pending = call.admin.registry.set_state(call.tenant_id()?, state, &call.by()).await?;
    let ended = |_: &Tenant| match state {
        TenantState::Active => Vec::new(),
        _ => Population::ALL.to_vec(),
    };
    call.settle_and_fence(pending, ended, |tenant| shown(call, tenant)).await
}

fn shown(call: &Call, tenant: &Tenant) -> Answer {
    Answer::ok(&TenantView::of(tenant, &call.admin.hosts)).version(tenant.version)
}

fn configured(call: &Call, text: &str) -> Result<Region, Problem> {
    let regions = &call.admin.config.regions;
    let found = regions.iter().find(|settings| settings.region.as_str() == text);
    found.map(|settings| settings.region.clone()).ok_or_else(|| {
        let names: Vec<&str> = regions.iter().map(|settings| settings.region.as_str()).collect();
        Problem::field("region", format!("must be one of {}", names.join(", ")))
    })
}

/// A shard that the region has, as far as its stores are known here.
fn configured_shard(call: &Call, region: &Region, shard: String) -> Result<String, Problem> {
    if !is_shard(&shard) {
        return Err(Problem::field("shard", "must be 1 to 16 small letters and digits"));
    }
    match call.admin.config.shards(region) {
        Some(shards) if !shards.contains(&shard.as_str()) => {
            Err(Problem::field("shard", format!("must be one of {}", shards.join(", "))))
        }
        _ => Ok(shard),
    }
}

fn check_seats(seats: Option<u64>) -> Result<(), Problem> {
    if seats.is_some_and(|seats| seats > SEATS_MOST) {
        return Err(Problem::field("seats", format!("must be at most {SEATS_MOST}")));
    }
    Ok(())
}

/// A plan's name has the form of a slug.
///
/// # Errors
/// 422 naming the field.
pub fn plan_name(text: &str) -> Result<String, Problem> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=63).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err(Problem::field("plan", "must be 1 to 63 small letters, digits and hyphens"))
}
