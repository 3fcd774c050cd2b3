//! `muster tenant move`: taking a tenant from one store to another, in this process.
//!
//! **Invariant**: whatever ends the command leaves a tenant that is served, and says which command goes on.

use crate::app::Stores;
use crate::app::stores::{Directories, label, open_registry};
use crate::cli::ask::Ask;
use crate::cli::output::Output;
use crate::cli::parse;
use crate::config::Config;
use crate::moving::{MoveError, Movers, Progress, Step, holder};
use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args};
use serde_json::json;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tenant_registry::{
    Actor, Home, Manifest, Move, MoveLease, MoveStage, Registry, RegistryError, Tenant, TenantId,
};
use time::OffsetDateTime;
use tokio_util::task::TaskTracker;

/// After how many rows it is told how far a copy is.
const TOLD: u64 = 50_000;
/// How long a mover that has died is waited for, at most: its right ends by itself.
const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["to_shard", "to_region", "status", "back_out"]))]
pub(crate) struct Arguments {
    /// Slug or id
    tenant: String,
    /// To this shard of its region, or of --to-region
    #[arg(long, value_name = "SHARD")]
    to_shard: Option<String>,
    /// To this region: its people's data is from then on kept there
    #[arg(long, value_name = "REGION", requires = "confirm")]
    to_region: Option<String>,
    /// The slug once more, as the word that the data may go to another region
    #[arg(long, value_name = "SLUG")]
    confirm: Option<String>,
    /// Delete what is left in the old store at once, and not after `retention.moved_data`
    #[arg(long)]
    purge_now: bool,
    /// Show how far it has come
    #[arg(long, conflicts_with_all = ["to_shard", "to_region", "purge_now", "back_out"])]
    status: bool,
    /// Leave the tenant where it is; until it is cut over
    #[arg(long, conflicts_with_all = ["to_shard", "to_region", "purge_now"])]
    back_out: bool,
    /// End the process, as if it had died, when this stage is reached: for drills
    #[arg(long, hide = true, value_parser = stage)]
    stop_after: Option<MoveStage>,
}

fn stage(text: &str) -> Result<MoveStage, String> {
    MoveStage::parse(text)
        .ok_or_else(|| "preparing, frozen, verifying, cut_over or moved".to_owned())
}

pub(crate) async fn run(asked: Arguments, config: &Config, output: Output) -> anyhow::Result<()> {
    if asked.status {
        let registry = open_registry(config).await?;
        let tenant = parse::tenant(&registry, &asked.tenant).await?;
        registry.close().await?;
        return Ask::get(format!("tenants/{}/move", tenant.id)).answer(config, output).await;
    }
    let registry = open_registry(config).await?;
    let tenant = parse::tenant(&registry, &asked.tenant).await?;
    let homes = match &tenant.moving {
        Some(moving) if asked.back_out => [moving.from.clone(), moving.to.clone()],
        None if asked.back_out => bail!("{} is not being moved", tenant.slug),
        _ => [tenant.home(), target(&asked, &tenant, config)?],
    };
    let [from, to] = match &tenant.moving {
        // On its way already: where it came from counts.
        Some(moving) if moving.to == homes[1] => [moving.from.clone(), moving.to.clone()],
        _ => homes,
    };
    let tasks = TaskTracker::new();
    let directories = open_both(config, &registry, [&from, &to], &tasks).await?;
    let actor = Actor::Cli;
    let mut movers = Movers::new((&registry, &directories), config, holder("cli"), actor);
    movers.told = told;
    let stop_after = asked.stop_after;
    let mover = Mover { movers, from, to, output, stop_after, frozen_at: None };
    let done = Box::pin(mover.run(&asked, tenant)).await;
    for (_, _, directory) in directories.iter() {
        directory.close().await.ok();
    }
    registry.close().await?;
    done
}

/// Where the tenant is to go.
fn target(asked: &Arguments, tenant: &Tenant, config: &Config) -> anyhow::Result<Home> {
    let region = match &asked.to_region {
        Some(region) => parse::region(region, config)?,
        None => tenant.region.clone(),
    };
    let shard = asked.to_shard.clone().unwrap_or_else(|| crate::config::FIRST_SHARD.to_owned());
    parse::shard(&shard, &region, config)?;
    if let Some(word) = asked.confirm.as_deref().filter(|word| *word != tenant.slug.as_str()) {
        bail!("--confirm says {word}, and the tenant is {}: nothing is moved", tenant.slug);
    }
    if region != tenant.region && asked.confirm.is_none() {
        bail!(
            "the data of {slug} would leave region {from} for region {region}: say so with --confirm {slug}",
            slug = tenant.slug,
            from = tenant.region
        );
    }
    Ok(Home { region, shard })
}

/// Both stores; the command needs them at the same time.
async fn open_both(
    config: &Config,
    registry: &Registry,
    homes: [&Home; 2],
    tasks: &TaskTracker,
) -> anyhow::Result<Directories> {
    let mut opened = Vec::with_capacity(2);
    for home in homes {
        let directory = Stores::open_of(config, registry, home, tasks).await;
        opened.push(
            directory
                .context("moving a tenant needs its old store and its new one on one machine")?,
        );
    }
    Ok(opened.into_iter().collect())
}

struct Mover {
    movers: Movers,
    from: Home,
    to: Home,
    output: Output,
    stop_after: Option<MoveStage>,
    /// Since when nobody can write.
    frozen_at: Option<OffsetDateTime>,
}

impl Mover {
    async fn run(mut self, asked: &Arguments, tenant: Tenant) -> anyhow::Result<()> {
        self.take_lease(&tenant).await?;
        let id = tenant.id.clone();
        let movers = self.movers.clone();
        let done = tokio::select! {
            done = self.act(asked, tenant.clone()) => done,
            lost = movers.keep_lease(&id) => Err(lost.into()),
            _ = tokio::signal::ctrl_c() => Err(self.interrupted(&tenant).await),
        };
        movers.registry.release_move_lease(&id, &movers.holder).await?;
        done
    }

    /// Takes the right to drive the move. A mover that died has it for some seconds more, and one that lives says again that it
    /// has it; a server that ends the move is soon done with it.
    async fn take_lease(&self, tenant: &Tenant) -> anyhow::Result<()> {
        let mut seen: Option<MoveLease> = None;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let held = match self.movers.take_lease(&tenant.id).await {
                Ok(()) => return Ok(()),
                Err(MoveError::Registry(RegistryError::MoveHeld(held))) => held,
                Err(error) => return Err(error.into()),
            };
            let is_server = held.holder.starts_with("node:");
            let is_renewed = seen
                .as_ref()
                .is_some_and(|seen| seen.holder == held.holder && seen.until != held.until);
            if (is_renewed && !is_server) || tokio::time::Instant::now() > deadline {
                bail!("{} is being moved by {} at this moment", tenant.slug, held.holder);
            }
            if seen.is_none() {
                say(&format!("{} drives the move, or has died; waiting for it", held.holder));
            }
            seen = Some(held);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn act(&mut self, asked: &Arguments, tenant: Tenant) -> anyhow::Result<()> {
        // Somebody may have driven it on before the lease was taken.
        let tenant = self.movers.tenant(&tenant.id).await?;
        if asked.back_out {
            return self.back_out(tenant).await;
        }
        let tenant = match self.begun(tenant).await? {
            Some(tenant) => Box::pin(self.drive(tenant)).await?,
            None => bail!("{} is there already", asked.tenant),
        };
        self.end(asked, tenant).await
    }

    /// The tenant on its way there, from now on or already.
    async fn begun(&self, tenant: Tenant) -> anyhow::Result<Option<Tenant>> {
        let mut tenant = tenant;
        let is_given_up = |moving: &Move| moving.stage == MoveStage::BackingOut;
        if tenant.moving.as_ref().is_some_and(is_given_up) {
            tenant = self.movers.take_back(&Arc::new(tenant)).await.context(
                "what is left of a move that was given up could not be deleted, which comes first",
            )?;
        }
        match &tenant.moving {
            Some(moving) if moving.to == self.to => return Ok(Some(tenant)),
            Some(moving) if moving.stage != MoveStage::Moved => bail!(
                "{} is on its way to {}; let that end, or take it back with --back-out",
                tenant.slug,
                label(&moving.to.region, &moving.to.shard)
            ),
            Some(_) | None => {}
        }
        if tenant.home() == self.to {
            return Ok(None);
        }
        let begun = self.movers.registry.begin_move(&tenant.id, &self.to, &self.movers.by()).await;
        let begun = match begun {
            Err(RegistryError::MoveConflict) => bail!(
                "{} was moved not long ago, and its old store still holds its data or its old address leads to it; see --status",
                tenant.slug
            ),
            begun => begun?.commit().await?,
        };
        self.reached(&begun, "the copy begins");
        Ok(Some(begun))
    }

    /// From stage to stage, until the tenant is served in its new home.
    async fn drive(&mut self, tenant: Tenant) -> anyhow::Result<Tenant> {
        let mut tenant = Arc::new(tenant);
        let mut progress = Progress::default();
        loop {
            let stage = tenant.moving.as_ref().map(|moving| (moving.stage, moving.stage_at));
            match stage {
                Some((MoveStage::Frozen, at)) => self.frozen_at = Some(at),
                Some((MoveStage::Moved, _)) | None => return Ok(Tenant::clone(&tenant)),
                Some(_) => {}
            }
            let step = self.movers.advance(&tenant, &mut progress).await;
            let told = progress.told.drain(..).collect::<Vec<_>>().join(", ");
            match step {
                Ok(Step::Went(now)) => {
                    tenant = Arc::new(*now);
                    self.reached(&tenant, &told);
                }
                Ok(Step::Wait(time)) => tokio::time::sleep(time).await,
                Ok(Step::Over) => return Ok(Tenant::clone(&tenant)),
                Err(error) => return Err(self.failed(&tenant, error).await),
            }
        }
    }

    /// Says that a stage is reached, and ends the process where a drill wants it.
    fn reached(&self, tenant: &Tenant, told: &str) {
        let Some(moving) = &tenant.moving else { return };
        let note = if told.is_empty() { String::new() } else { format!(" ({told})") };
        say(&format!("{}: {}{note}", tenant.slug, moving.stage));
        if self.stop_after == Some(moving.stage) {
            crash();
        }
    }

    /// What failed before the cut-over is taken back, since nobody can write meanwhile. How far it has come the registry says.
    async fn failed(&self, tenant: &Tenant, error: MoveError) -> anyhow::Error {
        let is_others = error.is_others();
        let error = anyhow::Error::from(error);
        let Ok(now) = self.movers.tenant(&tenant.id).await else {
            return error.context("how far the move has come is not known, since the registry does not answer: run the same command again, or with --back-out");
        };
        match now.moving.as_ref().map(|moving| moving.stage) {
            Some(MoveStage::CutOver | MoveStage::Moved) => error
                .context("the tenant is in its new home, and the move is not ended: run the same command again"),
            Some(MoveStage::BackingOut) | None => error.context("the move was given up: the tenant is where it was"),
            Some(_) if is_others => error.context("another mover drives it"),
            Some(_) => self.gave_up(&now, error).await,
        }
    }

    async fn gave_up(&self, tenant: &Tenant, error: anyhow::Error) -> anyhow::Error {
        match self.movers.back_out(&tenant.id).await {
            Ok(_) => error.context(
                "the move was taken back: the tenant is where it was, and nothing is lost",
            ),
            Err(other) => {
                say(&format!("taking it back failed too: {other}"));
                error.context(format!(
                    "the move failed and is not taken back yet: run `muster tenant move {} --back-out`",
                    tenant.slug
                ))
            }
        }
    }

    /// What an operator who ends the command is told.
    async fn interrupted(&self, tenant: &Tenant) -> anyhow::Error {
        // A step that the registry was being told is told to its end.
        self.movers.tasks.close();
        self.movers.tasks.wait().await;
        self.movers.tasks.reopen();
        let error = anyhow::anyhow!("interrupted");
        let Ok(now) = self.movers.tenant(&tenant.id).await else {
            return error.context("how far the move has come is not known, since the registry does not answer: run the same command again, or with --back-out");
        };
        match now.moving.as_ref().map(|moving| moving.stage) {
            Some(stage) if stage.can_back_out() => self.gave_up(&now, error).await,
            Some(MoveStage::BackingOut) => {
                error.context("the move was given up: the tenant is where it was")
            }
            Some(_) => error.context(
                "the tenant is in its new home already; run the same command again to end the move",
            ),
            None => error.context("nothing was begun"),
        }
    }

    async fn back_out(&self, tenant: Tenant) -> anyhow::Result<()> {
        let back = match self.movers.back_out(&tenant.id).await {
            Err(MoveError::Registry(RegistryError::MoveConflict)) => {
                self.is_back(&tenant.id).await?
            }
            back => back?,
        };
        let home = label(&back.region, &back.shard);
        let (stage, left) = match &back.moving {
            None => ("none", "nothing of the copy is left"),
            Some(_) => ("backing_out", "the copy is deleted as soon as a node reaches it"),
        };
        let line = format!("{} stays in {home}; {left}", back.slug);
        self.output.answer(&json!({ "tenant": back.slug, "home": home, "stage": stage }), &[line])
    }

    /// A tenant that cannot be left where it is any more: somebody may have done that meanwhile.
    async fn is_back(&self, id: &TenantId) -> anyhow::Result<Tenant> {
        let now = self.movers.tenant(id).await?;
        if now.moving.is_none() && now.home() == self.from {
            return Ok(now);
        }
        bail!(
            "it is too late: {} is in its new home, {}; give the command of the move again to end it, and then move it back",
            now.slug,
            label(&now.region, &now.shard)
        )
    }

    async fn end(&self, asked: &Arguments, tenant: Tenant) -> anyhow::Result<()> {
        let mut tenant = Arc::new(tenant);
        let stopped = tenant.moving.as_ref().zip(self.frozen_at);
        let stopped = stopped.map(|(moving, frozen_at)| moving.stage_at - frozen_at);
        let is_purged = |tenant: &Tenant| {
            tenant.moving.as_ref().is_none_or(|moving| moving.purged_at.is_some())
        };
        let mut proof: Option<Manifest> = None;
        if asked.purge_now && !is_purged(&tenant) {
            let (now, deleted) = Box::pin(self.movers.purge(&tenant)).await?;
            (tenant, proof) = (Arc::new(now), Some(deleted));
        }
        let home = label(&tenant.region, &tenant.shard);
        let mut lines = vec![format!("{} is in {home}", tenant.slug)];
        lines.extend(
            stopped.map(|time| format!("writing stopped for {:.1} s", time.as_seconds_f64())),
        );
        lines.push(match &proof {
            Some(proof) => {
                let rows: u64 = proof.tables.values().sum();
                format!("{rows} rows deleted where it was; none is left")
            }
            None => {
                "what it left in its old store is deleted after retention.moved_data".to_owned()
            }
        });
        let from = tenant.moving.as_ref().map(|m| label(&m.from.region, &m.from.shard));
        let json = json!({
            "tenant": tenant.slug, "home": home, "from": from,
            "stage": tenant.moving.as_ref().map(|moving| moving.stage.as_str()),
            "writing_stopped_ms": stopped.and_then(|time| i64::try_from(time.whole_milliseconds()).ok()),
            "deleted": proof.map(|proof| json!(proof.tables)),
        });
        self.output.answer(&json, &lines)
    }
}

/// Tells of large tables how far their copy is.
fn told(table: &'static str, rows: u64) {
    if rows > 0 && rows.is_multiple_of(TOLD) {
        say(&format!("  {table}: {rows} rows copied"));
    }
}

fn say(text: &str) {
    writeln!(std::io::stderr().lock(), "{text}").ok();
}

/// Ends the process without a word to anybody, as `kill -9` does.
#[expect(clippy::exit, reason = "nothing may be tidied up: that is what a drill is about")]
fn crash() -> ! {
    std::process::exit(137)
}
