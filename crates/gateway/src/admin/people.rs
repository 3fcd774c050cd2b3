//! People and groups: looking at them, and what an operator does to a person.
//!
//! **Invariant**: they stay in their region; what is done is a decision in the tenant's own log there.

use super::answer::Answer;
use super::call::Call;
use super::input::instant;
use super::problem::{Code, Problem};
use super::view::Page;
use directory::{Action, Key, MemberNames, Run, Start, StoredGroup, StoredUser, Want};
use region_router::Population;
use scim_core::{Condition, Document, Filter, FilterLimits, Notes, ResourceType, Tolerance};
use serde::Serialize;
use tenant_registry::{Stage, Tenant, TenantState};
use utoipa::ToSchema;

/// The most members that one answer shows.
const MEMBERS_MOST: usize = 1_000;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// The id, the same as in SCIM.
    pub id: String,
    /// The name that the identity provider gave.
    pub user_name: String,
    /// The identity provider's own id of the person.
    pub external_id: Option<String>,
    /// The name for people.
    pub display_name: Option<String>,
    /// The work e-mail address, or the primary one.
    pub email: Option<String>,
    /// Whether the person may use the product.
    pub active: bool,
    /// How often the person was written.
    pub version: u64,
    /// When the person was made.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// When the person was last changed.
    #[schema(format = "date-time")]
    pub updated_at: String,
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub struct GroupView {
    /// The id, the same as in SCIM.
    pub id: String,
    /// The name.
    pub display_name: String,
    /// The identity provider's own id of the group.
    pub external_id: Option<String>,
    /// How often the group was written.
    pub version: u64,
    /// When the group was made.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// When the group was last changed.
    #[schema(format = "date-time")]
    pub updated_at: String,
}

/// A group with those within it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupWithMembers)]
pub struct GroupWithMembersView {
    /// The group.
    #[serde(flatten)]
    pub view: GroupView,
    /// Its members; null when there are more than 1000.
    pub members: Option<Vec<MemberView>>,
}

/// A member of a group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberView {
    /// The id of the person or the group.
    pub id: String,
    /// `User` or `Group`.
    pub kind: String,
    /// The name.
    pub display_name: Option<String>,
}

/// `GET /tenants/{tenant}/users`.
///
/// # Errors
/// As its row says.
pub async fn users(call: Call) -> Result<Answer, Problem> {
    let query = &call.query;
    let mut terms = Vec::new();
    for (parameter, attribute) in
        [("user_name", "userName"), ("external_id", "externalId"), ("email", "emails.value")]
    {
        terms.extend(query.text(parameter).map(|text| equals(attribute, text)));
    }
    terms.extend(query.text("active").map(|word| format!("active eq {word}")));
    let tenant = call.tenant()?;
    let condition = condition(&terms, &tenant.schemas.user)?;
    let scoped = call.scoped()?;
    let base = call.base_url(&scoped)?;
    let want = want(&call, condition.as_ref(), &base);
    let listing = scoped.users(&want).await?;
    let next_cursor = listing.next.map(|key| key.id);
    let data = listing.resources.iter().map(user_view).collect::<Result<_, _>>()?;
    Ok(Answer::ok(&Page { data, next_cursor }))
}

/// `GET /tenants/{tenant}/users/{user}`.
///
/// # Errors
/// As its row says.
pub async fn user(call: Call) -> Result<Answer, Problem> {
    let scoped = call.scoped()?;
    let user = scoped.user(call.path("user"), &call.base_url(&scoped)?).await?;
    shown(&user)
}

/// `POST /tenants/{tenant}/users/{user}/deactivate`.
///
/// # Errors
/// As its row says.
pub async fn deactivate(call: Call) -> Result<Answer, Problem> {
    act(call, Action::Deactivate, "user.deactivate").await
}

/// `POST /tenants/{tenant}/users/{user}/restore`.
///
/// # Errors
/// As its row says.
pub async fn restore(call: Call) -> Result<Answer, Problem> {
    act(call, Action::Restore, "user.restore").await
}

/// `POST /tenants/{tenant}/users/{user}/unlink`.
///
/// # Errors
/// As its row says.
pub async fn unlink(call: Call) -> Result<Answer, Problem> {
    act(call, Action::Unlink, "user.unlink").await
}

async fn act(call: Call, action: Action, operation: &'static str) -> Result<Answer, Problem> {
    let scoped = call.scoped()?;
    may_act(call.tenant()?, scoped.population(), action)?;
    let base = call.base_url(&scoped)?;
    let run = Run {
        dry: call.dry_run,
        expected: call.expected_version(),
        once: call.directory_once.clone(),
    };
    let asked = call.asked(operation);
    match scoped.act(call.path("user"), &base, action, run, &asked).await {
        Ok(answer) => Ok(Answer { is_replayed: answer.is_repeated, ..shown(&answer.user)? }),
        Err(directory::DirectoryError::Refused(refusal)) if !call.dry_run => {
            let refused = directory::Refused {
                refusal: &refusal,
                resource_type: "User",
                resource_id: Some(call.path("user")),
                subject: None,
            };
            scoped.refuse(&asked, &refused).await?;
            Err(directory::DirectoryError::Refused(refusal).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether people of a population are acted on at the moment. Taking access away is never out of order, but for a tenant
/// whose data is going.
fn may_act(tenant: &Tenant, population: Population, action: Action) -> Result<(), Problem> {
    let conflict = |detail: String| Err(Problem::new(Code::StateConflict, detail));
    if tenant.switch.is_some_and(|switch| switch.stage == Stage::Frozen) {
        return conflict("The tenant is frozen: its switch of populations is under way. Cut over or undo it first.".to_owned());
    }
    if action == Action::Deactivate {
        return Ok(());
    }
    if !matches!(tenant.state, TenantState::Active | TenantState::Suspended) {
        return conflict(format!("The tenant is {}. Resume it first.", tenant.state));
    }
    if !tenant.serves(population) {
        return Err(Problem::new(
            Code::PopulationConflict,
            format!(
                "The tenant does not provision {population}. An operator can allow both, or switch the tenant."
            ),
        ));
    }
    Ok(())
}

/// `GET /tenants/{tenant}/groups`.
///
/// # Errors
/// As its row says.
pub async fn groups(call: Call) -> Result<Answer, Problem> {
    let name = call.query.text("display_name");
    let terms: Vec<String> = name.map(|text| equals("displayName", text)).into_iter().collect();
    let tenant = call.tenant()?;
    let condition = condition(&terms, &tenant.schemas.group)?;
    let scoped = call.scoped()?;
    let base = call.base_url(&scoped)?;
    let want = want(&call, condition.as_ref(), &base);
    let listing = scoped.groups(&want).await?;
    let next_cursor = listing.next.map(|key| key.id);
    let data = listing.resources.iter().map(group_view).collect::<Result<_, _>>()?;
    Ok(Answer::ok(&Page { data, next_cursor }))
}

/// `GET /tenants/{tenant}/groups/{group}`.
///
/// # Errors
/// As its row says.
pub async fn group(call: Call) -> Result<Answer, Problem> {
    let (scoped, id) = (call.scoped()?, call.path("group"));
    let group = scoped.group(id).await?;
    let members = scoped.members(&[id], MemberNames::Wanted, MEMBERS_MOST).await?;
    let members = members.map(|members| {
        let view = |member: directory::StoredMember| MemberView {
            id: member.id,
            kind: member.kind,
            display_name: member.display,
        };
        members.into_iter().map(view).collect()
    });
    let version = i64::try_from(group.version).unwrap_or(i64::MAX);
    let view = GroupWithMembersView { view: group_view(&group)?, members };
    Ok(Answer::ok(&view).version(version))
}

/// Some of the active people of a population.
pub(super) async fn user_preview(
    call: &Call,
    scoped: &directory::Scoped,
    most: u32,
) -> Result<Vec<UserView>, Problem> {
    let condition = condition(&["active eq true".to_owned()], &call.tenant()?.schemas.user)?;
    let want = Want { limit: u64::from(most), ..want(call, condition.as_ref(), "") };
    let listing = scoped.users(&want).await?;
    listing.resources.iter().map(user_view).collect()
}

fn want<'a>(call: &Call, condition: Option<&'a Condition>, base: &'a str) -> Want<'a> {
    let start = match call.query.after() {
        None => Start::First,
        Some(id) => Start::After(Key { id: id.to_owned(), value: None }),
    };
    Want {
        condition,
        order: None,
        start,
        limit: u64::from(call.query.limit()),
        base,
        groups: false,
        now: call.facts.now,
    }
}

/// A comparison, with the value as a JSON string (RFC 7644 §3.4.2.2).
fn equals(attribute: &str, value: &str) -> String {
    format!("{attribute} eq {}", serde_json::Value::from(value))
}

fn condition(terms: &[String], of: &ResourceType) -> Result<Option<Condition>, Problem> {
    if terms.is_empty() {
        return Ok(None);
    }
    let (tolerance, mut notes) = (Tolerance::default(), Notes::default());
    let wrong = |error: scim_core::ScimError| Problem::new(Code::QueryInvalid, error.to_string());
    let filter =
        Filter::parse(&terms.join(" and "), &FilterLimits::default(), &tolerance, &mut notes);
    filter.map_err(wrong)?.bind(of, &tolerance, &mut notes).map(Some).map_err(wrong)
}

fn shown(user: &StoredUser) -> Result<Answer, Problem> {
    let version = i64::try_from(user.version).unwrap_or(i64::MAX);
    Ok(Answer::ok(&user_view(user)?).version(version))
}

fn user_view(user: &StoredUser) -> Result<UserView, Problem> {
    let document = document(&user.doc)?;
    let email = |wanted: &str, value: &serde_json::Value| {
        let emails = document.get("emails")?.as_array()?;
        let found = emails.iter().find(|email| email.get(wanted) == Some(value))?;
        found.get("value")?.as_str().map(str::to_owned)
    };
    Ok(UserView {
        id: user.id.clone(),
        user_name: document.text("userName").unwrap_or_default().to_owned(),
        external_id: document.text("externalId").map(str::to_owned),
        display_name: document.text("displayName").map(str::to_owned),
        email: email("type", &"work".into()).or_else(|| email("primary", &true.into())),
        active: user.active,
        version: user.version,
        created_at: instant(user.created_at),
        updated_at: instant(user.updated_at),
    })
}

fn group_view(group: &StoredGroup) -> Result<GroupView, Problem> {
    let document = document(&group.doc)?;
    Ok(GroupView {
        id: group.id.clone(),
        display_name: document.text("displayName").unwrap_or_default().to_owned(),
        external_id: document.text("externalId").map(str::to_owned),
        version: group.version,
        created_at: instant(group.created_at),
        updated_at: instant(group.updated_at),
    })
}

fn document(text: &str) -> Result<Document, Problem> {
    Document::stored(text).map_err(|error| Problem::from(directory::DirectoryError::from(error)))
}
