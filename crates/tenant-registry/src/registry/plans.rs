//! Plans, and what they let their tenants have.
//!
//! **Invariant**: a plan and the rows of its tenants change in one transaction.

use super::change::{Change, Diff};
use super::{Pending, Registry};
use crate::by::By;
use crate::entity::micros;
use crate::entity::plan::{ActiveModel, Column, Entity, Model};
use crate::entity::tenant;
use crate::error::RegistryError;
use crate::plan::{NewPlan, Plan};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Condition, Expr, Func};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

impl Registry {
    /// The plans that are written down, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plans(&self) -> Result<Vec<Plan>, RegistryError> {
        let rows = Entity::find()
            .order_by_asc(Column::Name)
            .all(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        rows.into_iter().map(Model::read).collect()
    }

    /// The plan of this name, if it is written down. One that is not holds every feature.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plan(&self, name: &str) -> Result<Option<Plan>, RegistryError> {
        let row = Entity::find_by_id(name)
            .one(self.db()?.reader())
            .await
            .map_err(RegistryError::Database)?;
        row.map(Model::read).transpose()
    }

    /// Writes a plan down, or changes it, and with it every tenant that has it. Tenants that lose directory sync keep it for
    /// the plan's grace; those that lost it before keep their end.
    ///
    /// # Errors
    /// When a name or the grace has another form, the plan is not the one that the caller has seen (one that is not written
    /// down has version 0), or the database fails.
    #[tracing::instrument(name = "registry.plan.set", skip_all)]
    pub async fn set_plan(&self, asked: &NewPlan, by: &By) -> Result<Pending<Plan>, RegistryError> {
        asked.check()?;
        let change = self.begin(by).await?;
        let kept = change.plan_row(&asked.name).await?;
        let is_kept = kept.is_some();
        let old = kept.map(Model::read).transpose()?;
        let old = old.unwrap_or_else(|| Plan::unwritten(&asked.name));
        change.expect(old.version)?;
        let plan = Plan {
            name: asked.name.clone(),
            directory_sync: asked.directory_sync,
            group_push: asked.group_push,
            text: asked.text.clone(),
            grace: std::time::Duration::from_secs(asked.grace.as_secs()),
            version: change.generation,
        };
        let mut diff = Diff::default();
        diff.note("directory_sync", old.directory_sync, plan.directory_sync);
        diff.note("group_push", old.group_push, plan.group_push);
        diff.note("text", old.text.as_str(), plan.text.as_str());
        diff.note("grace_seconds", old.grace.as_secs(), plan.grace.as_secs());
        if is_kept && diff.is_empty() {
            return change.nothing(old).await;
        }
        let row = ActiveModel {
            name: Set(plan.name.clone()),
            directory_sync: Set(plan.directory_sync),
            group_push: Set(plan.group_push),
            upgrade_text: Set(plan.text.clone()),
            grace_seconds: Set(i64::try_from(plan.grace.as_secs()).unwrap_or(i64::MAX)),
            generation: Set(change.generation),
        };
        let written = if is_kept {
            row.update(&change.transaction).await.map(drop)
        } else {
            Entity::insert(row).exec_without_returning(&change.transaction).await.map(drop)
        };
        written.map_err(RegistryError::Database)?;
        change.update_tenants_of(&plan).await?;
        let name = plan.name.clone();
        change.done(("plan.set", None, &name), diff.detail(), plan).await
    }
}

impl Change<'_> {
    /// The plan of a tenant that is made or changed.
    pub(super) async fn plan(&self, name: &str) -> Result<Plan, RegistryError> {
        let kept = self.plan_row(name).await?.map(Model::read).transpose()?;
        Ok(kept.unwrap_or_else(|| Plan::unwritten(name)))
    }

    async fn plan_row(&self, name: &str) -> Result<Option<Model>, RegistryError> {
        Entity::find_by_id(name).one(&self.transaction).await.map_err(RegistryError::Database)
    }

    /// What [`Plan::gates_of`] says, in SQL: a plan may have any number of tenants.
    async fn update_tenants_of(&self, plan: &Plan) -> Result<(), RegistryError> {
        use tenant::Column::{
            Generation, GroupsInPlan, Plan as Named, SyncUntil, UpdatedAt, UpgradeText,
        };
        let (sync_until, has_another_end) = if plan.directory_sync {
            (Expr::value(Option::<i64>::None), SyncUntil.is_not_null())
        } else {
            let ends = micros(plan.grace_ends(self.at));
            let kept = Func::coalesce([Expr::col(SyncUntil), Expr::val(ends)]);
            (kept.into(), SyncUntil.is_null())
        };
        let is_another = Condition::any()
            .add(has_another_end)
            .add(GroupsInPlan.ne(plan.group_push))
            .add(UpgradeText.ne(plan.text.as_str()));
        tenant::Entity::update_many()
            .col_expr(SyncUntil, sync_until)
            .col_expr(GroupsInPlan, Expr::value(plan.group_push))
            .col_expr(UpgradeText, Expr::value(plan.text.as_str()))
            .col_expr(Generation, Expr::value(self.generation))
            .col_expr(UpdatedAt, Expr::value(micros(self.at)))
            .filter(Named.eq(plan.name.as_str()))
            .filter(is_another)
            .exec(&self.transaction)
            .await
            .map_err(RegistryError::Database)?;
        Ok(())
    }
}
