//! What a run says of itself, and what its stores hold.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Deserialize)]
pub(super) struct Run {
    /// In their order; the last begins when the fault was over.
    pub(super) phases: Vec<Phase>,
    #[serde(default)]
    pub(super) expect: Expect,
    #[serde(default)]
    pub(super) processes: Vec<Process>,
    #[serde(default)]
    pub(super) sides: Vec<Side>,
    /// The logs, in which nothing may have panicked.
    #[serde(default)]
    pub(super) logs: Vec<PathBuf>,
    /// What the script that did the run found by itself.
    #[serde(default)]
    pub(super) found: Vec<String>,
}

/// Instants are microseconds since 1970.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Phase {
    pub(super) name: String,
    pub(super) from: u64,
    pub(super) to: u64,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Expect {
    /// Seconds after the beginning of the last phase from which on nothing fails any more.
    #[serde(default)]
    pub(super) bound_s: Option<f64>,
    /// Classes that the fault does not concern.
    #[serde(default)]
    pub(super) unaffected: Vec<String>,
    /// Classes of which no request fails, from beginning to end.
    #[serde(default)]
    pub(super) spared: Vec<String>,
    /// The p99 of an unaffected class against its baseline, at most …
    #[serde(default = "ratio")]
    pub(super) p99_ratio: f64,
    /// … or so many milliseconds more: below that a machine that is shared shows itself.
    #[serde(default)]
    pub(super) slack_ms: f64,
    /// Seconds for which writes of a class may go without one that is done, in all.
    #[serde(default)]
    pub(super) gap_s: BTreeMap<String, f64>,
}

fn ratio() -> f64 {
    1.2
}

#[derive(Debug, Deserialize)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) before: Resources,
    pub(super) after: Resources,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resources {
    pub(super) rss_kib: u64,
    pub(super) fds: u64,
    pub(super) threads: u64,
}

/// Files that hold nothing of the other side.
#[derive(Debug, Deserialize)]
pub(super) struct Side {
    pub(super) name: String,
    pub(super) paths: Vec<PathBuf>,
    pub(super) never: Vec<String>,
    /// What must be found, or the scan looks at the wrong files.
    #[serde(default)]
    pub(super) always: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "table", rename_all = "snake_case")]
pub(super) enum Row {
    User {
        tenant: String,
        id: String,
        name: String,
        version: u64,
        title: String,
    },
    Group {
        tenant: String,
        id: String,
        name: String,
    },
    Member {
        tenant: String,
        group: String,
        member: String,
    },
    /// The numbers of one resource's changes, or of its rows in the outbox.
    Numbers {
        tenant: String,
        of: String,
        id: String,
        first: u64,
        last: u64,
        count: u64,
    },
    /// Something that must not be, and how often it is.
    Fault {
        what: String,
        count: i64,
    },
}
