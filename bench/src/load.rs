//! A bounded load: so many clients, so many requests or seconds, and what came of them.
//!
//! **Invariant**: an answer that is not what the work asks for is an error and no measurement. One thread, so that
//! the other cores are the server's.

mod link;
mod work;

use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use link::Link;
use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use work::Plan;

/// Wrong answers that are shown.
const SAMPLES: usize = 3;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    to: SocketAddr,
    /// The host to ask for
    #[arg(long, default_value = "localhost")]
    host: String,
    #[arg(long)]
    token: String,
    /// How to speak to the server
    #[arg(long, value_enum)]
    dialect: Dialect,
    #[arg(long, value_enum)]
    work: Work,
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Units of work at most; a unit is one request, or two that belong together
    #[arg(long, default_value_t = u64::MAX)]
    units: u64,
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// The people that are there: a line of id, tab, userName each, in the order of their ids
    #[arg(long)]
    people: Option<PathBuf>,
    /// The group whose members change
    #[arg(long, default_value = "")]
    group: String,
    /// What the names of created people begin with
    #[arg(long, default_value = "u")]
    tag: String,
    /// The number of the first unit
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Pages begin at a position from here …
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// … to here; members are taken from the people after the first so many
    #[arg(long, default_value_t = 1)]
    last: u64,
    /// Pages follow each other at this distance; 0: anywhere, as if by chance
    #[arg(long, default_value_t = 0)]
    stride: u64,
    /// Members in one request
    #[arg(long, default_value_t = 100)]
    batch: u64,
    /// What `path` gets, below the base URL
    #[arg(long, default_value = "")]
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dialect {
    Scim,
    Yardstick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Work {
    /// Look up a userName that is there
    Hit,
    /// Look up a userName that is not there
    Miss,
    /// Get a person by id
    Get,
    /// Create a person
    Create,
    /// Deactivate a person, and activate it again
    Active,
    /// Get a page of 100
    Page,
    /// Add a member to a group, and remove it again
    Member,
    /// Add some members to a group, and remove them again
    Members,
    /// Get one path
    Path,
    /// Look up a userName, and create the person
    Sync,
    /// Add many members to a group, one request after the other
    Batch,
}

/// What the clients share.
struct Run {
    plan: Plan,
    next: Cell<u64>,
    end: u64,
    deadline: Instant,
    latencies: RefCell<Vec<Duration>>,
    errors: Cell<u64>,
    samples: RefCell<Vec<String>>,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (to, clients, from) = (arguments.to, arguments.clients, arguments.from);
    let end = from.saturating_add(arguments.units);
    let span = Duration::from_secs_f64(arguments.seconds);
    let plan = Plan::new(arguments)?;
    let links = join_all((0..clients).map(|_| Link::open(to))).await;
    let links = links.into_iter().collect::<std::io::Result<Vec<_>>>()?;
    let began = Instant::now();
    let run = Run {
        plan,
        next: Cell::new(from),
        end,
        deadline: began + span,
        latencies: RefCell::default(),
        errors: Cell::new(0),
        samples: RefCell::default(),
    };
    join_all(links.into_iter().map(|link| client(&run, link))).await;
    report(&run, began.elapsed())
}

async fn client(run: &Run, mut link: Link) {
    while run.next.get() < run.end && Instant::now() < run.deadline {
        let unit = run.next.get();
        run.next.set(unit + 1);
        for ask in run.plan.unit(unit) {
            let began = Instant::now();
            let answer = link.exchange(&ask.request).await;
            let took = began.elapsed();
            let wrong = match &answer {
                Ok(answer) if answer.status != ask.status => true,
                Ok(answer) => !ask.must.is_empty() && !contains(&answer.body, ask.must.as_bytes()),
                Err(_) => true,
            };
            if !wrong {
                run.latencies.borrow_mut().push(took);
                continue;
            }
            run.errors.set(run.errors.get() + 1);
            let mut samples = run.samples.borrow_mut();
            if samples.len() < SAMPLES {
                samples.push(match &answer {
                    Ok(answer) => {
                        let text = String::from_utf8_lossy(&answer.body);
                        let text: String = text.chars().take(300).collect();
                        format!("{} {text}", answer.status)
                    }
                    Err(error) => error.to_string(),
                });
            }
            if answer.is_err() {
                return;
            }
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn report(run: &Run, took: Duration) -> anyhow::Result<()> {
    let in_order = run.latencies.borrow().clone();
    let mut sorted = in_order.clone();
    sorted.sort_unstable();
    let quantile = |per_mille: usize| micros(sorted.get(sorted.len() * per_mille / 1000));
    let tenth = (in_order.len() / 10).max(1);
    let mean = |part: &[Duration]| {
        let count = u32::try_from(part.len()).unwrap_or(u32::MAX).max(1);
        micros(Some(&(part.iter().sum::<Duration>() / count)))
    };
    let answer = serde_json::json!({
        "requests": sorted.len(),
        "errors": run.errors.get(),
        "seconds": took.as_secs_f64(),
        "p50_us": quantile(500),
        "p99_us": quantile(990),
        "max_us": micros(sorted.last()),
        // Whether the cost grows on the way: the first and the last tenth.
        "first_us": mean(in_order.get(..tenth).unwrap_or_default()),
        "last_us": mean(in_order.get(in_order.len().saturating_sub(tenth)..).unwrap_or_default()),
        "samples": *run.samples.borrow(),
    });
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}

fn micros(span: Option<&Duration>) -> u64 {
    span.map_or(0, |span| u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}
