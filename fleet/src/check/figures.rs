//! How often and how fast, by class and phase: I7, I8, I10.

use super::Findings;
use super::given::Run;
use crate::load::{Event, Outcome};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The share of requests of an unaffected class that are answered well.
const GOOD: f64 = 0.999;
/// What memory may grow by without being a leak, beside a tenth: allocators keep what a burst needed.
const RSS_SLACK_KIB: u64 = 24 << 10;
/// What else may be more at the end, beside a tenth.
const FEW: u64 = 8;

#[derive(Debug, Default)]
pub(super) struct Figures {
    /// By phase and class.
    parts: BTreeMap<(usize, String), Part>,
    phases: Vec<String>,
    /// Seconds in which no write of a class was done, the longest from the beginning of the fault.
    gaps: BTreeMap<String, f64>,
    /// Seconds after the fault until the last failure.
    healed_s: f64,
}

#[derive(Debug, Default)]
struct Part {
    count: usize,
    errors: usize,
    unknown: usize,
    statuses: BTreeMap<u16, usize>,
    took_us: Vec<u64>,
}

impl Part {
    fn quantile_ms(&self, per_mille: usize) -> f64 {
        let at = self.took_us.len() * per_mille / 1000;
        millis(self.took_us.get(at).or(self.took_us.last()).copied().unwrap_or(0))
    }
}

#[expect(clippy::cast_precision_loss, reason = "spans of less than a century")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

/// Whether a client would call it a failure. 404 and 409 are answers.
fn is_error(event: &Event) -> bool {
    !matches!(event.status, 200..300 | 404 | 409)
}

impl Figures {
    pub(super) fn of(history: &[Event], run: &Run) -> Self {
        let mut figures = Self {
            phases: run.phases.iter().map(|phase| phase.name.clone()).collect(),
            ..Self::default()
        };
        for event in history {
            let phase =
                run.phases.iter().position(|phase| (phase.from..phase.to).contains(&event.at));
            let Some(phase) = phase else { continue };
            let part = figures.parts.entry((phase, event.class.clone())).or_default();
            part.count += 1;
            part.errors += usize::from(is_error(event));
            part.unknown += usize::from(event.outcome == Outcome::Unknown && event.op.is_write());
            *part.statuses.entry(event.status).or_default() += 1;
            if !is_error(event) {
                part.took_us.push(event.end.saturating_sub(event.at));
            }
        }
        for part in figures.parts.values_mut() {
            part.took_us.sort_unstable();
        }
        figures.look_for_gaps(history, run);
        if let Some(last) = run.phases.last() {
            let errors = history
                .iter()
                .filter(|event| event.at >= last.from && event.at < last.to && is_error(event));
            figures.healed_s = errors
                .map(|event| millis(event.at.saturating_sub(last.from)) / 1000.0)
                .fold(0.0, f64::max);
        }
        figures
    }

    fn look_for_gaps(&mut self, history: &[Event], run: &Run) {
        let (Some(fault), Some(last)) = (run.phases.get(1), run.phases.last()) else { return };
        let classes: BTreeSet<&String> = history.iter().map(|event| &event.class).collect();
        for class in classes {
            let done = history
                .iter()
                .filter(|event| event.class == *class && event.op.is_write() && !is_error(event));
            let mut ends: Vec<u64> = done
                .map(|event| event.end)
                .filter(|end| (fault.from..last.to).contains(end))
                .collect();
            ends.push(fault.from);
            ends.push(last.to);
            ends.sort_unstable();
            let longest = ends.iter().zip(ends.iter().skip(1)).map(|(a, b)| b - a).max();
            self.gaps.insert(class.clone(), millis(longest.unwrap_or(0)) / 1000.0);
        }
    }

    pub(super) fn check(&self, history: &[Event], run: &Run, findings: &mut Findings) {
        let expect = &run.expect;
        for class in &expect.unaffected {
            findings.looked("I7");
            self.check_unaffected(class, run, findings);
        }
        for class in &expect.spared {
            findings.looked("I7");
            let of_class = history.iter().filter(|event| event.class == *class && is_error(event));
            for event in of_class {
                findings.add(
                    "I7",
                    format!(
                        "{:?} of {class} at {} by {}: {} {} {}",
                        event.op, event.at, event.node, event.status, event.reason, event.note
                    ),
                );
            }
        }
        for (class, most) in &expect.gap_s {
            findings.looked("I8");
            let gap = self.gaps.get(class).copied().unwrap_or(0.0);
            if gap > *most {
                findings.add(
                    "I8",
                    format!(
                        "no write of {class} was done for {gap:.1} s, and {most} s is the most"
                    ),
                );
            }
        }
        if let (Some(bound), Some(last)) = (expect.bound_s, run.phases.last()) {
            findings.looked("I8");
            let late = history.iter().filter(|event| {
                event.at < last.to
                    && millis(event.at.saturating_sub(last.from)) > bound * 1000.0
                    && is_error(event)
            });
            for event in late {
                let after = millis(event.at.saturating_sub(last.from)) / 1000.0;
                findings.add(
                    "I8",
                    format!(
                        "{after:.1} s after the fault: {:?} of {} by {}: {} {} {}",
                        event.op, event.class, event.node, event.status, event.reason, event.note
                    ),
                );
            }
        }
        for process in &run.processes {
            findings.looked("I10");
            let (before, after) = (&process.before, &process.after);
            let rows = [
                ("KiB of memory", before.rss_kib, after.rss_kib, RSS_SLACK_KIB),
                ("open files", before.fds, after.fds, FEW),
                ("threads", before.threads, after.threads, FEW),
            ];
            for (what, before, after, slack) in rows {
                if after > before + before / 10 + slack {
                    findings.add(
                        "I10",
                        format!("{} had {before} {what} and has {after}", process.name),
                    );
                }
            }
        }
        if !run.found.is_empty() {
            for found in &run.found {
                findings.add("row", found.clone());
            }
        }
    }

    fn check_unaffected(&self, class: &str, run: &Run, findings: &mut Findings) {
        let part = |phase: usize| self.parts.get(&(phase, class.to_owned()));
        let (Some(before), Some(fault)) = (part(0), part(1)) else {
            findings.add("I7", format!("nobody asked for {class}"));
            return;
        };
        let good = ratio(fault.count - fault.errors, fault.count);
        if good < GOOD {
            findings.add(
                "I7",
                format!("{class}: {} of {} failed in the fault", fault.errors, fault.count),
            );
        }
        let (was, is) = (before.quantile_ms(990), fault.quantile_ms(990));
        let most = (was * run.expect.p99_ratio).max(was + run.expect.slack_ms);
        if is > most {
            findings.add("I7", format!("{class}: p99 {is:.1} ms in the fault, {was:.1} ms before"));
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let parts: Vec<Value> = self
            .parts
            .iter()
            .map(|((phase, class), part)| {
                json!({
                    "phase": self.phases.get(*phase), "class": class, "count": part.count, "errors": part.errors,
                    "unknown": part.unknown, "statuses": part.statuses,
                    "p50_ms": part.quantile_ms(500), "p99_ms": part.quantile_ms(990), "max_ms": part.quantile_ms(1000),
                })
            })
            .collect();
        json!({ "parts": parts, "gaps_s": self.gaps, "healed_s": self.healed_s })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of one run")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((phase, class), part) in &self.parts {
            let name = self.phases.get(*phase).map(String::as_str).unwrap_or_default();
            writeln!(
                f,
                "{name:>9} {class:<12} {:>6} requests, {:>5} failed, {:>4} unknown; p50 {:.1} ms, p99 {:.1} ms, at most {:.0} ms; {:?}",
                part.count,
                part.errors,
                part.unknown,
                part.quantile_ms(500),
                part.quantile_ms(990),
                part.quantile_ms(1000),
                part.statuses
            )?;
        }
        for (class, gap) in &self.gaps {
            writeln!(f, "{class}: no write was done for {gap:.2} s at most")?;
        }
        write!(f, "the last failure was {:.2} s after the fault", self.healed_s)
    }
}
