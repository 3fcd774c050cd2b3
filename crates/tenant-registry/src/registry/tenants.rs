//! Making tenants, and changing what they are.
//!
//! **Invariant**: only columns that change are written, so that what a newer program wrote is not lost; a declaration
//! replaces the one that its author saw, or nothing.

use super::change::{Change, Diff};
use super::{Pending, Registry};
use crate::by::By;
use crate::entity;
use crate::entity::micros;
use crate::entity::tenant::{ActiveModel, Model, seats_column};
use crate::error::RegistryError;
use crate::routing::Routing;
use crate::tenant::change::TenantChange;
use crate::tenant::id::TenantId;
use crate::tenant::{NewTenant, Tenant, TenantState};
use region_router::Population;
use scim_core::Custom;
use sea_orm::ActiveValue::{self, Set};
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, IntoActiveModel, SqlErr};
use serde_json::{Value, json};

impl Registry {
    /// Creates a tenant.
    ///
    /// # Errors
    /// When the slug is taken or has another form, a name has another form, or the database fails.
    #[tracing::instrument(name = "registry.tenant.create", skip_all)]
    pub async fn create_tenant(
        &self,
        new: &NewTenant,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        new.check()?;
        let change = self.begin(by).await?;
        let mut tenant = Tenant::made(TenantId::random(), new, change.at);
        tenant.version = change.generation;
        let gates = change.plan(&tenant.plan).await?.gates_of_new(change.at);
        tenant.sync_until = gates.sync_until;
        tenant.groups_in_plan = gates.groups;
        tenant.upgrade_text = gates.text;
        let row = entity::tenant::new_row(&tenant, change.generation, change.at)?;
        let inserted =
            entity::tenant::Entity::insert(row).exec_without_returning(&change.transaction).await;
        inserted.map_err(slug_taken)?;
        let detail = json!({ "before": null, "after": {
            "name": tenant.name, "region": tenant.region.as_str(), "shard": tenant.shard, "population": tenant.population.as_str(),
            "profile": tenant.profile.as_str(), "plan": tenant.plan, "seats": tenant.seats, "groups": tenant.groups,
        } });
        let (id, slug) = (tenant.id.clone(), tenant.slug.clone());
        change.done(("tenant.create", Some(&id), &slug), detail, tenant).await
    }

    /// Changes a tenant's settings.
    ///
    /// # Errors
    /// [`RegistryError::Switching`] and [`RegistryError::PopulationInUse`] where both populations cannot be allowed or taken
    /// back; when there is no such tenant, it is purged, it is not the one that the caller has seen, a value has another form,
    /// the slug is taken, or the database fails.
    #[tracing::instrument(name = "registry.tenant.change", skip_all)]
    pub async fn change_tenant(
        &self,
        id: &TenantId,
        asked: &TenantChange,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        asked.check()?;
        let change = self.begin(by).await?;
        let row = change.tenant(id).await?;
        let old = row.clone().read()?;
        if old.state.is_gone() {
            return Err(RegistryError::TenantClosed(old.state));
        }
        if asked.both_populations.is_some_and(|both| both != old.both_populations) {
            change.check_both(&old).await?;
        }
        let mut diff = Diff::default();
        let mut row = row.into_active_model();
        apply(asked, &old, &mut row, &mut diff)?;
        if let Some(plan) = &asked.plan
            && *plan != old.plan
        {
            let gates = change.plan(plan).await?.gates_of(&old, change.at);
            diff.instants("sync_until", old.sync_until, gates.sync_until);
            row.sync_until = Set(gates.sync_until.map(micros));
            row.groups_in_plan = Set(gates.groups);
            row.upgrade_text = Set(gates.text);
        }
        change.update("tenant.change", old, row, diff).await
    }

    /// Suspends a tenant, closes it, or serves it again. A closed one can be served again until its purge begins.
    ///
    /// # Errors
    /// [`RegistryError::StateConflict`] where that is no way to go; when there is no such tenant, it is not the one that the
    /// caller has seen, or the database fails.
    #[tracing::instrument(name = "registry.tenant.state", skip_all)]
    pub async fn set_state(
        &self,
        id: &TenantId,
        state: TenantState,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        use TenantState::{Active, Closed, Purged, Purging, Suspended};
        let change = self.begin(by).await?;
        let row = change.tenant(id).await?;
        let old = row.clone().read()?;
        let action = match (old.state, state) {
            (from, to) if from == to => return change.nothing(old).await,
            (Suspended | Closed, Active) => "tenant.resume",
            (Active, Suspended) => "tenant.suspend",
            (Active | Suspended, Closed) => "tenant.close",
            (from @ (Active | Suspended | Closed | Purging | Purged), to) => {
                return Err(RegistryError::StateConflict { from, to });
            }
        };
        let mut diff = Diff::default();
        let mut row = row.into_active_model();
        diff.note("state", old.state.as_str(), state.as_str());
        row.state = Set(state.as_str().to_owned());
        let closed_at = (state == Closed).then_some(change.at);
        if closed_at != old.closed_at {
            row.closed_at = Set(closed_at.map(micros));
        }
        change.update(action, old, row, diff).await
    }

    /// Declares the tenant's own attributes anew, in place of the declaration `before` that the caller has seen.
    ///
    /// # Errors
    /// [`RegistryError::ExtensionChanged`] when the declaration is another one by now; when it cannot be read, there is no such
    /// tenant, it is not the one that the caller has seen, or the database fails.
    #[tracing::instrument(name = "registry.tenant.declare", skip_all)]
    pub async fn set_extension(
        &self,
        id: &TenantId,
        before: Option<&Custom>,
        after: Option<&Custom>,
        by: &By,
    ) -> Result<Pending<Tenant>, RegistryError> {
        let change = self.begin(by).await?;
        let row = change.tenant(id).await?;
        let declared = row.declared()?;
        if declared.declared.as_ref() != before {
            return Err(RegistryError::ExtensionChanged);
        }
        let old = row.clone().read()?;
        if old.state.is_gone() {
            return Err(RegistryError::TenantClosed(old.state));
        }
        let mut diff = Diff::default();
        let mut row = row.into_active_model();
        if diff.note("extension", as_json(before), as_json(after)) {
            row.extension = Set(declared.declaring(after).to_column());
        }
        change.update("tenant.set_extension", old, row, diff).await
    }
}

impl Change<'_> {
    /// Writes what changes of a tenant's row.
    pub(super) async fn update(
        self,
        action: &str,
        old: Tenant,
        mut row: ActiveModel,
        diff: Diff,
    ) -> Result<Pending<Tenant>, RegistryError> {
        if diff.is_empty() {
            return self.nothing(old).await;
        }
        row.generation = Set(self.generation);
        row.updated_at = Set(micros(self.at));
        let row: Model = row.update(&self.transaction).await.map_err(slug_taken)?;
        let changed = row.read()?;
        let (id, slug) = (changed.id.clone(), changed.slug.clone());
        self.done((action, Some(&id), &slug), diff.detail(), changed).await
    }
}

fn slug_taken(error: DbErr) -> RegistryError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => RegistryError::SlugTaken,
        _ => RegistryError::Database(error),
    }
}

/// Puts what is asked for into the row.
fn apply(
    asked: &TenantChange,
    old: &Tenant,
    row: &mut ActiveModel,
    diff: &mut Diff,
) -> Result<(), RegistryError> {
    let mut word = |column: &mut ActiveValue<String>, name, old: &str, asked: Option<&str>| {
        if let Some(asked) = asked
            && diff.note(name, old, asked)
        {
            *column = Set(asked.to_owned());
        }
    };
    let operations = asked.operations.map(|scopes| scopes.to_string());
    let strict = asked.tolerance.as_ref().map(ToString::to_string);
    let rate = asked.rate_limit.map(|rate| rate.to_string());
    word(&mut row.name, "name", &old.name, asked.name.as_deref());
    word(&mut row.slug, "slug", &old.slug, asked.slug.as_deref());
    word(&mut row.plan, "plan", &old.plan, asked.plan.as_deref());
    word(&mut row.provider, "provider", &old.provider, asked.provider.as_deref());
    word(&mut row.operations, "operations", &old.operations.to_string(), operations.as_deref());
    word(&mut row.strict, "strict", &old.tolerance.to_string(), strict.as_deref());
    word(&mut row.routing, "routing", old.routing.as_str(), asked.routing.map(Routing::as_str));
    word(&mut row.rate_limit, "rate_limit", &old.rate_limit.to_string(), rate.as_deref());
    let platform_role = asked.platform_role.as_deref();
    word(&mut row.platform_role, "platform_role", &old.platform_role, platform_role);
    word(&mut row.board_role, "board_role", &old.board_role, asked.board_role.as_deref());
    // A program that knows one role only reads it there.
    let role = match old.population {
        Population::Platform => platform_role,
        Population::Board => asked.board_role.as_deref(),
    };
    if let Some(role) = role {
        row.default_role = Set(role.to_owned());
    }
    if let Some(contact) = &asked.seat_contact
        && diff.hide("seat_contact", &old.seat_contact, contact)
    {
        row.seat_contact = Set(contact.clone());
    }
    let mut flag = |column: &mut ActiveValue<bool>, name, old: bool, asked: Option<bool>| {
        if let Some(asked) = asked
            && diff.note(name, old, asked)
        {
            *column = Set(asked);
        }
    };
    flag(&mut row.group_push, "groups", old.groups, asked.groups);
    let both = asked.both_populations;
    flag(&mut row.both_populations, "both_populations", old.both_populations, both);
    flag(&mut row.provisioning, "provisioning", old.provisioning, asked.provisioning);
    if let Some(seats) = asked.seats {
        let column = seats_column(seats)?;
        if diff.note("seats", old.seats, seats) {
            row.seats = Set(column);
        }
    }
    Ok(())
}

/// A declaration in the audit: as JSON within JSON's text it could not be read by a person.
fn as_json(declared: Option<&Custom>) -> Value {
    declared.and_then(|custom| serde_json::from_str(&custom.to_json()).ok()).unwrap_or_default()
}
