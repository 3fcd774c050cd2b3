//! The way of a tenant's data from one store to another: how far it is, and the way back. It is begun on the command line, on a
//! machine that has both stores (docs/moving.md).
//!
//! **Invariant**: nothing is taken back that is cut over, and nothing that somebody drives.

use super::answer::Answer;
use super::call::Call;
use super::input::instant;
use super::problem::{Code, Problem};
use crate::app::stores::label;
use crate::moving::{MoveError, Movers, holder, tombstone_until};
use serde::Serialize;
use tenant_registry::{Home, MoveLease, MoveStage, RegistryError, Tenant};
use utoipa::ToSchema;

/// How far a tenant's data is on its way to another store.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Move)]
pub struct MoveView {
    /// Whose way it is.
    pub tenant_id: String,
    /// Where it is served from now.
    #[schema(example = "us/1")]
    pub home: String,
    /// preparing, frozen, verifying, `cut_over` or moved; `backing_out` while the copy of one that was given up is deleted; or none.
    #[schema(example = "preparing")]
    pub stage: &'static str,
    /// Whether its identity provider is answered 503 when it writes.
    pub stops_writes: bool,
    /// Where it was.
    #[schema(example = "us")]
    pub from: Option<String>,
    /// Where it goes, or has gone.
    #[schema(example = "us/1")]
    pub to: Option<String>,
    /// When it was begun.
    #[schema(format = "date-time")]
    pub started_at: Option<String>,
    /// When this stage began.
    #[schema(format = "date-time")]
    pub stage_at: Option<String>,
    /// Who drives it.
    pub holder: Option<String>,
    /// Until when nobody else does, unless it is said again.
    #[schema(format = "date-time")]
    pub held_until: Option<String>,
    /// When what it left behind was deleted.
    #[schema(format = "date-time")]
    pub purged_at: Option<String>,
    /// Until when its old address leads to it.
    #[schema(format = "date-time")]
    pub old_address_until: Option<String>,
}

/// `GET /tenants/{tenant}/move`.
///
/// # Errors
/// As its row says.
pub async fn read(call: Call) -> Result<Answer, Problem> {
    let tenant = call.tenant()?;
    let lease = call.admin.registry.move_lease(&tenant.id).await?;
    Ok(shown(&call, tenant, lease.filter(|lease| lease.until > call.facts.now)))
}

/// `DELETE /tenants/{tenant}/move`.
///
/// # Errors
/// As its row says.
pub async fn back_out(call: Call) -> Result<Answer, Problem> {
    let (admin, known) = (&call.admin, call.tenant()?);
    let by = call.by();
    let stores = (&admin.registry, &admin.directories);
    let movers = Movers::new(stores, &admin.config, holder("admin"), by.actor.clone());
    // First, so that no cut-over can be made any more, and only of the version that was seen.
    let pending = match admin.registry.back_out_move(&known.id, &by).await {
        Err(RegistryError::MoveConflict) => return Err(too_late(&movers.tenant(&known.id).await?)),
        pending => pending?,
    };
    let answer = call.settle(pending, |tenant| shown(&call, tenant, None)).await?;
    if call.dry_run {
        return Ok(answer);
    }
    let work = async {
        let tenant = movers.tenant(&known.id).await?.into();
        movers.take_back(&tenant).await
    };
    match movers.holding(&known.id, work).await {
        Ok(_) => {}
        Err(error) => {
            let error = migrations::causes(&error);
            tracing::warn!(tenant.id = %known.id, error, "a move was given up, and its copy is not deleted yet");
        }
    }
    admin.registry.release_move_lease(&known.id, &movers.holder).await?;
    Ok(answer)
}

fn too_late(tenant: &Tenant) -> Problem {
    let said = match &tenant.moving {
        None => "The tenant is not being moved: there is nothing to take back.".to_owned(),
        Some(moving) => format!(
            "The tenant is in its new home already, {} (its move is at the stage {}), and cannot be left where it was. The same `muster tenant move` again, or a server with that store, ends the move; then it can be moved back.",
            label(&moving.to.region, &moving.to.shard),
            moving.stage
        ),
    };
    Problem::new(Code::StateConflict, said)
}

fn shown(call: &Call, tenant: &Tenant, lease: Option<MoveLease>) -> Answer {
    let moving = tenant.moving.as_ref();
    let named = |home: &Home| label(&home.region, &home.shard);
    let retention = &call.admin.config.retention;
    let moved = moving.filter(|moving| moving.stage == MoveStage::Moved);
    let view = MoveView {
        tenant_id: tenant.id.to_string(),
        home: label(&tenant.region, &tenant.shard),
        stage: moving.map_or("none", |moving| moving.stage.as_str()),
        stops_writes: tenant.is_frozen_by_move(),
        from: moving.map(|moving| named(&moving.from)),
        to: moving.map(|moving| named(&moving.to)),
        started_at: moving.map(|moving| instant(moving.started_at)),
        stage_at: moving.map(|moving| instant(moving.stage_at)),
        held_until: lease.as_ref().map(|lease| instant(lease.until)),
        holder: lease.map(|lease| lease.holder),
        purged_at: moving.and_then(|moving| moving.purged_at).map(instant),
        old_address_until: moved.map(|moving| instant(tombstone_until(moving, retention))),
    };
    Answer::ok(&view).version(tenant.version)
}

impl From<MoveError> for Problem {
    fn from(error: MoveError) -> Self {
        match error {
            MoveError::Registry(error) => error.into(),
            MoveError::Directory(directory::MoveError::Store { source, .. }) => source.into(),
            MoveError::Directory(error) => {
                Self::new(Code::StateConflict, format!("The move was not done: {error}."))
            }
            MoveError::Missing(store) => Self::new(
                Code::RegionNotHere,
                format!(
                    "The store of {store} is not on this node. Ask a node that has both stores."
                ),
            ),
            error @ (MoveError::Different(_)
            | MoveError::Left(_)
            | MoveError::TooLong
            | MoveError::Unknown) => {
                Self::new(Code::StateConflict, format!("The move was not done: {error}."))
            }
        }
    }
}
