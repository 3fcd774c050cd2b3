//! Keeping the last good snapshot on disk.
//!
//! **Invariant**: no request waits for it. A change is on disk a second later; where a write takes long, the pause after it is
//! long too. A disk that is full stops nothing.

use super::{Registry, Source, Standing};
use crate::error::RegistryError;
use crate::snapshot::file::{self, Kept};
use crate::snapshot::rows::Rows;
use secrecy::ExposeSecret;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The least time between two writes.
const PAUSE: Duration = Duration::from_secs(1);
/// A write takes at most one part in so many of the time.
const SHARE: u32 = 20;
/// How often the file is marked as current.
const MARK: Duration = Duration::from_mins(1);

impl Registry {
    /// Writes what is known until `stop`, and what is left to write then.
    pub(super) async fn keep(&self, stop: &CancellationToken) {
        let Some(path) = self.shared.options.snapshot.clone() else { return };
        let mut puts = self.shared.puts.subscribe();
        let on_disk = self.shared.on_disk;
        let keeps_previous = on_disk.is_some();
        let mut writer = Writer { path: &path, keeps_previous, is_failing: false };
        if self.standing() == Standing::Current
            && on_disk != Some(self.shared.snapshot.load().name())
        {
            // Read before this began.
            puts.mark_changed();
        }
        loop {
            let news = timeout(MARK, puts.changed());
            let Some(news) = stop.run_until_cancelled(news).await else { break };
            match news {
                Ok(Ok(())) => {
                    let began = Instant::now();
                    let is_written = writer.write(self).await;
                    if !is_written {
                        puts.mark_changed();
                    }
                    let pause = PAUSE.max(began.elapsed() * SHARE);
                    if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                        break;
                    }
                }
                Ok(Err(_nobody_is_left)) => return,
                Err(_quiet) => self.mark(&path),
            }
        }
        if puts.has_changed().unwrap_or(false) {
            writer.write(self).await;
        }
    }

    /// The time of the file is when the database last said that it is current.
    fn mark(&self, path: &Path) {
        if self.age() < MARK
            && let Err(error) = file::touch(path)
        {
            tracing::debug!(error = %error, "The snapshot on disk could not be marked as current.");
        }
    }

    fn kept(&self) -> Result<Kept, RegistryError> {
        let (snapshot, keys) = (self.shared.snapshot.load_full(), self.shared.keys.load_full());
        let origin = self.shared.source.as_ref().map(Source::origin).unwrap_or_default();
        Ok(Kept {
            origin,
            generation: snapshot.generation,
            accepted_at: snapshot.accepted_at,
            pepper: keys.own.as_ref().map(|own| own.expose_secret().to_owned()),
            pepper_check: keys.check.clone(),
            rows: Rows::of(&snapshot)?,
        })
    }
}

struct Writer<'a> {
    path: &'a Path,
    /// Whether the file in place is one to fall back to.
    keeps_previous: bool,
    is_failing: bool,
}

impl Writer<'_> {
    async fn write(&mut self, registry: &Registry) -> bool {
        let (node, path, keeps_previous) =
            (registry.clone(), self.path.to_owned(), self.keeps_previous);
        let write = move || {
            let kept = node.kept().map_err(io::Error::other)?;
            file::write(&path, &kept, keeps_previous)
        };
        let outcome = tokio::task::spawn_blocking(write).await.map_err(io::Error::other);
        match outcome.and_then(|written| written) {
            Ok(()) => {
                if self.is_failing {
                    tracing::info!(file = %self.path.display(), "The snapshot of the registry can be written again.");
                }
                (self.keeps_previous, self.is_failing) = (true, false);
                true
            }
            Err(error) => {
                if !self.is_failing {
                    let error = migrations::causes(&error);
                    tracing::error!(error, file = %self.path.display(), "The snapshot of the registry cannot be written; a node that starts while the registry's database is away would begin with an older one.");
                }
                self.is_failing = true;
                false
            }
        }
    }
}
