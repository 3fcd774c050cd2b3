//! The last good snapshot on disk, from which a node starts when the registry's database does not answer.
//!
//! Two lines, then the rows as JSON: what the file is, in which version of its form; the SHA-256 of the first line and of
//! all after the second. A column that is added to a table raises the version.
//!
//! **Invariant**: a file is put in place whole or not at all, is its owner's alone, and one that was good before it stays
//! beside it. What is not whole is not read.

use super::Snapshot;
use super::rows::Rows;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const TITLE: &str = "muster registry snapshot, version 2";
/// Of before tenants moved. What it lacks is what such a tenant has: nothing.
const FIRST: &str = "muster registry snapshot, version 1";
/// What is left of a write that was killed is nobody's after this.
const ABANDONED: Duration = Duration::from_secs(600);

/// Why a snapshot on disk is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// There is none.
    #[error("is not there")]
    Absent,
    /// The system does not let it be read.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
    /// It has another form.
    #[error("is no snapshot of this version")]
    Form,
    /// It is not what was written.
    #[error("is damaged: its checksum does not fit")]
    Damaged,
    /// Its tokens are hashed under another key than the configured one.
    #[error("was made with another token pepper")]
    Pepper,
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Of which database it is a copy.
    pub(crate) origin: String,
    pub(crate) generation: i64,
    pub(crate) accepted_at: i64,
    /// The key of the hashes, where the registry made it itself.
    pub(crate) pepper: Option<String>,
    /// A hash under the key.
    pub(crate) pepper_check: String,
    pub(crate) rows: Rows,
}

impl Kept {
    pub(crate) fn into_snapshot(self) -> Snapshot {
        let empty = Snapshot { accepted_at: self.accepted_at, ..Snapshot::default() };
        self.rows.over(empty, self.generation)
    }
}

/// A file that could be read.
pub(crate) struct Found {
    pub(crate) kept: Kept,
    /// How long ago the registry's database last said that this is current.
    pub(crate) age: Duration,
    /// What is the matter with the newest, where this is the one before it.
    pub(crate) newest: Option<FileFault>,
}

/// The file before the newest.
pub(crate) fn previous(path: &Path) -> PathBuf {
    beside(path, ".previous")
}

/// The newest file that is good.
///
/// # Errors
/// What is the matter with the newest, and with the one before it.
pub(crate) fn find(
    path: &Path,
    fits: impl Fn(&Kept) -> bool,
) -> Result<Found, (FileFault, FileFault)> {
    let newest = match read(path, &fits) {
        Ok((kept, age)) => return Ok(Found { kept, age, newest: None }),
        Err(fault) => fault,
    };
    match read(&previous(path), &fits) {
        Ok((kept, age)) => Ok(Found { kept, age, newest: Some(newest) }),
        Err(fault) => Err((newest, fault)),
    }
}

fn read(path: &Path, fits: impl Fn(&Kept) -> bool) -> Result<(Kept, Duration), FileFault> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FileFault::Absent,
        _ => FileFault::Unreadable(error),
    })?;
    let text = str::from_utf8(&bytes).map_err(|_not_text| FileFault::Damaged)?;
    let mut lines = text.splitn(3, '\n');
    let (title, sum, rest) = (lines.next(), lines.next(), lines.next());
    let Some(title) = title.filter(|title| [TITLE, FIRST].contains(title)) else {
        return Err(FileFault::Form);
    };
    let (Some(sum), Some(rest)) = (sum, rest) else { return Err(FileFault::Damaged) };
    if sum != checksum(title, rest.as_bytes()) {
        return Err(FileFault::Damaged);
    }
    let kept: Kept = serde_json::from_str(rest).map_err(|_other_columns| FileFault::Form)?;
    if !fits(&kept) {
        return Err(FileFault::Pepper);
    }
    let seen = fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = seen.ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
    Ok((kept, age))
}

/// Puts a new file in place. The one that is there becomes the one before it, unless it is known not to be good.
pub(crate) fn write(path: &Path, kept: &Kept, keeps_previous: bool) -> io::Result<()> {
    let rows = serde_json::to_vec(kept).map_err(io::Error::other)?;
    let sum = checksum(TITLE, &rows);
    if let Some(folder) = folder(path) {
        fs::create_dir_all(folder)?;
    }
    // Nodes of one machine may share the folder.
    let aside = beside(path, &format!(".new-{:016x}", rand::random::<u64>()));
    let put = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(format!("{TITLE}\n{sum}\n").as_bytes())?;
        file.write_all(&rows)?;
        file.sync_all()?;
        if keeps_previous {
            match fs::rename(path, previous(path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        fs::rename(&aside, path)?;
        File::open(folder(path).unwrap_or(Path::new(".")))?.sync_all()
    };
    put().inspect_err(|_failed| {
        // Whatever made it fail is told; that something lies about is not worse.
        fs::remove_file(&aside).unwrap_or_default();
    })
}

/// Notes on the file that it is still current.
pub(crate) fn touch(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.set_modified(SystemTime::now())
}

/// Takes away what killed processes left beside the file.
pub(crate) fn tidy(path: &Path) -> io::Result<()> {
    let start = beside(path, ".new-");
    let Some(start) = start.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
    for entry in fs::read_dir(folder(path).unwrap_or(Path::new(".")))? {
        let entry = entry?;
        let is_aside = entry.file_name().to_str().is_some_and(|name| name.starts_with(start));
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if is_aside && age > ABANDONED {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

fn folder(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

fn checksum(title: &str, rows: &[u8]) -> String {
    let mut sum = Sha256::new();
    sum.update(title);
    sum.update(rows);
    crate::authenticate::hex(&sum.finalize())
}

#[cfg(test)]
mod tests;
