//! What was seen, a line for each request.

use super::Shared;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::spawn_local;
use tokio::time::sleep;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Op {
    Create,
    Patch,
    Replace,
    Delete,
    Add,
    Remove,
    MakeGroup,
    Get,
    Find,
    List,
}

impl Op {
    pub(crate) fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::Find | Self::List)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It was done, and answered so.
    Ok,
    /// It was not done, and answered so, or never sent.
    Fail,
    /// Nobody can say.
    #[default]
    Unknown,
}

/// One request. Instants are microseconds since 1970, of one clock that does not jump.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) at: u64,
    pub(crate) end: u64,
    pub(crate) class: String,
    pub(crate) tenant: String,
    pub(crate) node: String,
    pub(crate) op: Op,
    /// The userName, or the displayName of a group.
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) id: String,
    /// What a write leaves in the resource, or a read found there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) stamp: String,
    pub(crate) outcome: Outcome,
    /// 0: no answer.
    pub(crate) status: u16,
    /// Of the resource after a write, or when it was read; 0: not said.
    #[serde(default)]
    pub(crate) version: u64,
    /// How many a list has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) retry_after: String,
    /// Why there is no answer, or what is wrong with it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
    /// What no answer may hold: another tenant's canary, a statement, a source file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) smell: String,
}

#[derive(Debug)]
pub(crate) struct History {
    file: RefCell<BufWriter<File>>,
    failed: RefCell<Option<std::io::Error>>,
    skipped: Cell<u64>,
    begun: Instant,
    begun_at: u64,
}

impl History {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        Ok(Self {
            file: RefCell::new(BufWriter::new(File::create(path)?)),
            failed: RefCell::default(),
            skipped: Cell::default(),
            begun: Instant::now(),
            begun_at: u64::try_from(since.as_micros())?,
        })
    }

    pub(crate) fn now(&self) -> u64 {
        self.begun_at + u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(0)
    }

    pub(crate) fn skipped(&self) {
        self.skipped.set(self.skipped.get() + 1);
    }

    pub(crate) fn write(&self, event: &Event) {
        let mut file = self.file.borrow_mut();
        let written = serde_json::to_writer(&mut *file, event).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|()| file.write_all(b"\n")) {
            self.failed.borrow_mut().get_or_insert(error);
        }
    }

    pub(crate) fn flush(&self) -> anyhow::Result<()> {
        self.file.borrow_mut().flush()?;
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        anyhow::ensure!(
            self.skipped.get() == 0,
            "{} requests were not sent: too many were under way",
            self.skipped.get()
        );
        Ok(())
    }
}

/// Whoever looks at the file meanwhile finds what happened a moment ago.
pub(super) fn flush_often(shared: &Rc<Shared>) {
    let shared = Rc::clone(shared);
    spawn_local(async move {
        loop {
            sleep(Duration::from_millis(200)).await;
            shared.history.file.borrow_mut().flush().ok();
        }
    });
}
