//! The one checker: what a run may have done, by its history; what it did, by its stores; and whether that is the same.
//!
//! **Invariant**: a write without an answer may have been done or not, and nothing is concluded from it; a write that was
//! refused has no effect, whatever the refusal said.

mod bytes;
mod figures;
mod given;
mod reads;
mod states;

use crate::load::Event;
use anyhow::Context as _;
use clap::Args;
use figures::Figures;
use given::{Row, Run};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

/// Violations of one invariant that are shown.
const SHOWN: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the load wrote
    #[arg(long)]
    history: PathBuf,
    /// What the stores hold: a line of JSON for each row
    #[arg(long)]
    stores: PathBuf,
    /// When what was done, and what is expected: a JSON file
    #[arg(long)]
    run: PathBuf,
    /// Where the findings go, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What is wrong, by invariant.
#[derive(Debug, Default)]
struct Findings(BTreeMap<&'static str, (usize, Vec<String>)>);

impl Findings {
    /// The invariant was looked at.
    fn looked(&mut self, invariant: &'static str) {
        self.0.entry(invariant).or_default();
    }

    fn add(&mut self, invariant: &'static str, what: String) {
        let (count, shown) = self.0.entry(invariant).or_default();
        *count += 1;
        if shown.len() < SHOWN {
            shown.push(what);
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut history: Vec<Event> = lines(&arguments.history)?;
    history.sort_by_key(|event| event.at);
    let rows: Vec<Row> = lines(&arguments.stores)?;
    let run = fs::read_to_string(&arguments.run).context("the run's file")?;
    let run: Run = serde_json::from_str(&run).context("the run's file")?;
    let mut findings = Findings::default();
    states::check(&history, &rows, &mut findings);
    reads::check(&history, &mut findings);
    reads::check_answers(&history, &mut findings);
    bytes::check(&run, &mut findings)?;
    let figures = Figures::of(&history, &run);
    figures.check(&history, &run, &mut findings);
    let mut out = std::io::stdout();
    for (invariant, (count, shown)) in &findings.0 {
        let said = if *count == 0 { "ok".to_owned() } else { format!("{count} violations") };
        writeln!(out, "{invariant}: {said}")?;
        for one in shown {
            writeln!(out, "    {one}")?;
        }
    }
    writeln!(out, "{figures}")?;
    if let Some(file) = &arguments.json {
        let found: BTreeMap<_, _> = findings
            .0
            .iter()
            .map(|(name, (count, shown))| (*name, json!({ "count": count, "shown": shown })))
            .collect();
        let all =
            json!({ "requests": history.len(), "findings": found, "figures": figures.to_json() });
        fs::write(file, all.to_string())?;
    }
    let wrong = findings.0.values().filter(|(count, _)| *count > 0).count();
    anyhow::ensure!(wrong == 0, "{wrong} invariants do not hold");
    Ok(())
}

fn lines<T: serde::de::DeserializeOwned>(file: &Path) -> anyhow::Result<Vec<T>> {
    let named = || file.display().to_string();
    let reader = BufReader::new(File::open(file).with_context(named)?);
    reader.lines().map(|line| serde_json::from_str(&line?).with_context(named)).collect()
}
