//! Starting a node that serves: from the registry's database, or from the last good snapshot when that does not answer.
//!
//! **Invariant**: what is on disk is only a stand-in. The first answer of the database replaces all of it, unless that
//! raises a doubt.

use super::pepper::Keys;
use super::{REFRESH_PATIENCE, Registry, RegistryOptions};
use crate::authenticate::hex;
use crate::error::RegistryError;
use crate::snapshot::file::{self, FileFault, Found, Kept};
use migrations::{Database, Engine, OpenError, PoolOptions, RegistryMigrator};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use tokio::time::timeout;

/// Where the registry's database is.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its URL.
    pub url: SecretString,
    /// How its connections are kept.
    pub pool: PoolOptions,
}

impl Source {
    /// Whether the file of the database is gone although a snapshot of it is here. To open it then would begin a new registry.
    #[must_use]
    pub fn is_gone(&self, snapshot: &Path) -> bool {
        self.lacks_file()
            && match file::find(snapshot, |_| true) {
                Ok(found) => self.is_origin_of(&found.kept),
                Err((FileFault::Absent, FileFault::Absent)) => false,
                Err(_whatever_it_was) => true,
            }
    }

    /// Whether the snapshot is one of this database that is worth anything. The configuration may name another database than
    /// before, and where there is no tenant yet nobody loses anything.
    fn is_origin_of(&self, kept: &Kept) -> bool {
        kept.origin == self.origin() && !kept.rows.tenants.is_empty()
    }

    fn lacks_file(&self) -> bool {
        let url = self.url.expose_secret();
        let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
        let path = path.split('?').next().unwrap_or(path);
        Engine::of(url) == Some(Engine::Sqlite) && !Path::new(path).exists()
    }

    /// Which database it is, without what may be secret: another URL is another registry, by its operator's word.
    pub(super) fn origin(&self) -> String {
        let url = self.url.expose_secret();
        let url = url.split('?').next().unwrap_or(url);
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        let rest = rest.rsplit_once('@').map_or(rest, |(_user, rest)| rest);
        let place = rest.trim_start_matches("//");
        hex(&Sha256::digest(format!("{scheme}:{place}")))
    }

    async fn open(&self) -> Result<Database, RegistryError> {
        Database::open(self.url.expose_secret(), &self.pool).await.map_err(RegistryError::Open)
    }
}

impl Registry {
    /// Opens the registry for a node that serves. When its database does not answer, the node begins with the last good
    /// snapshot on disk, and [`Registry::follow`] keeps trying.
    ///
    /// # Errors
    /// As [`Registry::open`]; when the database does not answer, only where there is no good snapshot either.
    pub async fn start(
        source: Source,
        options: RegistryOptions,
        now: OffsetDateTime,
    ) -> Result<Self, RegistryError> {
        let Some(path) = options.snapshot.clone() else {
            return Self::assemble(None, Some(source), None, options)?.first(now).await;
        };
        if let Err(error) = file::tidy(&path) {
            tracing::debug!(error = %error, "The folder of the snapshot could not be tidied.");
        }
        let fits = |kept: &Kept| keys_of(kept, options.pepper.as_ref()).is_some();
        match file::find(&path, fits) {
            Ok(found) => Self::after(found, source, options, now).await,
            Err(faults) => {
                let (newest, previous) = (&faults.0, &faults.1);
                if !matches!((newest, previous), (FileFault::Absent, FileFault::Absent)) {
                    tracing::error!(file = %path.display(), newest = %newest, previous = %previous, "No snapshot of the registry on disk is good.");
                    if source.lacks_file() {
                        return Err(nothing(path, faults, RegistryError::FileGone));
                    }
                }
                let node = Self::assemble(None, Some(source), None, options)?;
                node.first(now).await.map_err(|cause| nothing(path, faults, cause))
            }
        }
    }

    /// From the database alone.
    async fn first(self, now: OffsetDateTime) -> Result<Self, RegistryError> {
        self.attach().await?;
        self.settle(now).await?;
        self.refresh().await?;
        Ok(self)
    }

    /// With a snapshot to fall back to.
    async fn after(
        found: Found,
        source: Source,
        options: RegistryOptions,
        now: OffsetDateTime,
    ) -> Result<Self, RegistryError> {
        let path = options.snapshot.clone().unwrap_or_default();
        if let Some(fault) = &found.newest {
            tracing::error!(file = %path.display(), error = %fault, "The newest snapshot of the registry is not good; the one before it stands in.");
        }
        if !source.is_origin_of(&found.kept) {
            let node = Self::assemble(None, Some(source.clone()), None, options.clone())?;
            match node.first(now).await {
                Err(cause) if cause.may_pass() => {}
                outcome => return outcome,
            }
        }
        let generation = found.kept.generation;
        let node = Self::assemble(None, Some(source), Some(found), options)?;
        match node.refresh().await {
            Ok(_) => {}
            Err(RegistryError::Doubtful(doubt)) => node.say_doubt(&doubt),
            Err(error) if !error.may_pass() => return Err(error),
            Err(error) => {
                let error = migrations::causes(&error);
                tracing::warn!(error, generation, file = %path.display(), "The registry's database does not answer; known tenants are served from the snapshot on disk.");
            }
        }
        Ok(node)
    }

    /// Connects to the database, unless that has been done.
    pub(super) async fn attach(&self) -> Result<(), RegistryError> {
        if self.shared.db.get().is_some() {
            return Ok(());
        }
        let source = self.shared.source.as_ref().ok_or(RegistryError::Silent)?;
        if self.shared.snapshot.load().is_known() && source.lacks_file() {
            // Opening it would make an empty one.
            return Err(RegistryError::FileGone);
        }
        let db = source.open().await?;
        let ready = async {
            // A migration may take its time; finding out that nobody is there may not.
            let ping = timeout(REFRESH_PATIENCE, db.reader().ping()).await;
            ping.map_err(|_elapsed| RegistryError::Silent)?.map_err(RegistryError::Database)?;
            db.migrate::<RegistryMigrator>().await.map_err(RegistryError::Open)
        };
        if let Err(error) = ready.await {
            if let Err(closing) = db.close().await {
                tracing::debug!(error = %closing, "A connection that was never of use could not be closed.");
            }
            return Err(error);
        }
        // Only whoever has the turn attaches.
        self.shared.db.set(db).map_err(|_second| RegistryError::Silent)
    }

    /// The database, where it was ever reached.
    pub(super) fn db(&self) -> Result<&Database, RegistryError> {
        self.shared.db.get().ok_or(RegistryError::Silent)
    }
}

/// Why nothing can be started from, where it is the database that is away.
fn nothing(path: PathBuf, faults: (FileFault, FileFault), cause: RegistryError) -> RegistryError {
    if !cause.may_pass() {
        return cause;
    }
    let ((newest, previous), cause) = (faults, Box::new(cause));
    RegistryError::NoStart { path, newest, previous, cause }
}

/// The pepper of a file, where it is the one that is to be used.
pub(super) fn keys_of(kept: &Kept, given: Option<&SecretString>) -> Option<Keys> {
    let keys = match (given, &kept.pepper) {
        (Some(given), _) => Keys::given(given),
        (None, Some(own)) => Keys::own(own.clone()),
        (None, None) => return None,
    };
    (keys.check == kept.pepper_check).then_some(keys)
}

impl RegistryError {
    /// Whether it is the database that does not answer, and not the configuration that is wrong.
    fn may_pass(&self) -> bool {
        match self {
            Self::Open(
                OpenError::Newer(_) | OpenError::Contracted(_) | OpenError::UnknownEngine,
            ) => false,
            Self::Open(_) | Self::Silent | Self::FileGone | Self::Database(_) => true,
            _ => false,
        }
    }
}
