//! A load that writes down what it saw: each request with its beginning, its end, where it went and what came of it.
//!
//! **Invariant**: requests begin when their time has come, whatever became of those before; no two writes of one resource are
//! under way at once; and a resource with a write of unknown end is written again only to ask for the same thing. So the
//! history alone says what each resource may be.

mod balance;
mod deeds;
mod history;
mod http;
mod people;
mod plan;
mod reading;

use anyhow::Context as _;
use balance::Balancer;
use clap::Args;
use deeds::Lane;
use history::History;
pub(crate) use history::{Event, Op, Outcome};
use plan::Plan;
use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_local;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The nodes and the tenants: a JSON file
    #[arg(long)]
    plan: PathBuf,
    /// Where the history goes: a line of JSON for each request
    #[arg(long)]
    history: PathBuf,
    #[arg(long, default_value_t = 100.0)]
    writes: f64,
    #[arg(long, default_value_t = 200.0)]
    reads: f64,
    #[arg(long, default_value_t = 3600.0)]
    seconds: f64,
    /// Seconds until an answer is not waited for any longer
    #[arg(long, default_value_t = 30.0)]
    patience: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests under way at once; what would be more is written down as not sent
    #[arg(long, default_value_t = 4000)]
    most: u64,
}

/// What all requests share.
#[derive(Debug)]
struct Shared {
    balancer: Balancer,
    history: History,
    patience: Duration,
    under_way: Cell<u64>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let plan = Plan::read(&arguments.plan)?;
    let shared = Rc::new(Shared {
        balancer: Balancer::new(&plan),
        history: History::create(&arguments.history)?,
        patience: Duration::from_secs_f64(arguments.patience),
        under_way: Cell::default(),
    });
    balance::watch(&shared);
    history::flush_often(&shared);
    let lanes: Rc<[Lane]> = plan
        .tenants
        .into_iter()
        .zip(arguments.seed..)
        .map(|(tenant, seed)| Lane::new(tenant, seed))
        .collect();
    anyhow::ensure!(!lanes.is_empty(), "the plan has no tenants");
    let until = Instant::now() + Duration::from_secs_f64(arguments.seconds);
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = arrive(&shared, &lanes, arguments.writes, arguments.most, true) => {}
        _ = arrive(&shared, &lanes, arguments.reads, arguments.most, false) => {}
        () = tokio::time::sleep_until(until) => {}
        _ = terminated.recv() => {}
    }
    let patience = Instant::now() + shared.patience + Duration::from_secs(5);
    while shared.under_way.get() > 0 && Instant::now() < patience {
        sleep(Duration::from_millis(10)).await;
    }
    shared.history.flush().context("the history could not be written")
}

/// Begins requests at a fixed rate, lane by lane.
async fn arrive(shared: &Rc<Shared>, lanes: &Rc<[Lane]>, rate: f64, most: u64, writes: bool) {
    if rate <= 0.0 {
        return std::future::pending().await;
    }
    let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
    // Those that a busy machine was late for follow at once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for turn in 0_usize.. {
        ticks.tick().await;
        if shared.under_way.get() >= most {
            shared.history.skipped();
            continue;
        }
        let (shared, lanes) = (Rc::clone(shared), Rc::clone(lanes));
        shared.under_way.set(shared.under_way.get() + 1);
        spawn_local(async move {
            if let Some(lane) = lanes.get(turn % lanes.len()) {
                if writes {
                    lane.write(&shared).await;
                } else {
                    lane.read(&shared).await;
                }
            }
            shared.under_way.set(shared.under_way.get().saturating_sub(1));
        });
    }
}
