//! The keys of the built-in issuer, and those of nodes: Ed25519, each a file of the keys' folder, the youngest of which signs.
//!
//! **Invariant**: a private key is readable by its owner alone, is in a file whole or not at all, and leaves this module
//! only to sign.

use anyhow::{Context as _, anyhow, bail};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// PKCS #8 (RFC 5958), as DER.
const EXTENSION: &str = "p8";
/// Keys that can be good at once: the one that signs, and the one before it.
pub const MAX_LIVE: usize = 2;

/// The folder of the keys.
#[derive(Debug, Clone)]
pub struct Keys {
    folder: PathBuf,
}

/// A key.
pub struct Key {
    /// Its id.
    pub kid: String,
    /// Since when it is there.
    pub made_at: SystemTime,
    path: PathBuf,
    der: Vec<u8>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Key {
    /// What signs.
    #[must_use]
    pub fn private(&self) -> &[u8] {
        &self.der
    }

    /// The public half: 32 bytes (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// When the file holds no Ed25519 key.
    pub fn public(&self) -> anyhow::Result<Vec<u8>> {
        let pair = Ed25519KeyPair::from_pkcs8(&self.der).map_err(|error| {
            anyhow!(
                "{} is no Ed25519 key in PKCS #8 ({error}); take it out of the folder",
                self.path.display()
            )
        })?;
        Ok(pair.public_key().as_ref().to_vec())
    }

    /// The public half as a JSON Web Key (RFC 8037 §2).
    ///
    /// # Errors
    /// When the file holds no Ed25519 key.
    pub fn to_jwk(&self) -> anyhow::Result<Value> {
        let x = BASE64_URL_SAFE_NO_PAD.encode(self.public()?);
        Ok(json!({
            "kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "alg": "EdDSA", "use": "sig",
        }))
    }
}

impl Keys {
    /// The keys in a folder, which need not be there yet.
    #[must_use]
    pub fn within(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Every key, the youngest first.
    ///
    /// # Errors
    /// When the folder or a file of it cannot be read.
    pub fn all(&self) -> anyhow::Result<Vec<Key>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| self.unusable()),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                let read = || anyhow::Ok((fs::read(&path)?, fs::metadata(&path)?.modified()?));
                let (der, modified) = read().with_context(|| self.unusable())?;
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                let (made_at, kid) = named(&stem).unwrap_or((modified, &stem));
                keys.push(Key { made_at, kid: kid.to_owned(), path, der });
            }
        }
        keys.sort_by(|a, b| (b.made_at, &b.kid).cmp(&(a.made_at, &a.kid)));
        Ok(keys)
    }

    /// The key that signs; it is made when there is none.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn signing(&self) -> anyhow::Result<Key> {
        match self.all()?.into_iter().next() {
            Some(key) => key.public().map(|_| key),
            None => self.make().with_context(|| self.unusable()),
        }
    }

    /// Makes a key, which signs from now on. The one before it stays good until it is retired.
    ///
    /// # Errors
    /// When as many keys are there as can be, or the folder cannot be written.
    pub fn rotate(&self) -> anyhow::Result<Key> {
        let keys = self.all()?;
        if keys.len() >= MAX_LIVE {
            bail!(
                "there are {} keys already; retire the older one first: {}",
                keys.len(),
                keys.last().map(|key| key.kid.as_str()).unwrap_or_default()
            );
        }
        self.make().with_context(|| self.unusable())
    }

    /// Ends a key: what it signed is good no longer.
    ///
    /// # Errors
    /// When there is no such key, or no other one.
    pub fn retire(&self, kid: &str) -> anyhow::Result<()> {
        let keys = self.all()?;
        let Some(key) = keys.iter().find(|key| key.kid == kid) else {
            bail!(
                "there is no key {kid:?}; `key list` shows the keys, or `key jwks` those of a node"
            );
        };
        if keys.len() == 1 {
            bail!("it is the only key; make the next one first with `key rotate`");
        }
        fs::remove_file(&key.path)?;
        Ok(())
    }

    fn make(&self) -> anyhow::Result<Key> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let pair =
            Ed25519KeyPair::generate().map_err(|_unspecified| anyhow!("no key could be made"))?;
        let hash = digest::digest(&digest::SHA256, pair.public_key().as_ref());
        let kid: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let document =
            pair.to_pkcs8().map_err(|_unspecified| anyhow!("the key cannot be written"))?;
        let der = document.as_ref().to_vec();
        // Written aside and renamed, so that nobody reads half a key.
        let aside = self.folder.join(format!(".{kid}.new"));
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(&der)?;
        file.sync_all()?;
        let modified = fs::metadata(&aside)?.modified()?;
        let millis =
            modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let path = self.folder.join(format!("{millis}-{kid}.{EXTENSION}"));
        fs::rename(&aside, &path)?;
        let made_at = named(&format!("{millis}-{kid}")).map_or(modified, |(made_at, _)| made_at);
        Ok(Key { kid, made_at, path, der })
    }

    fn unusable(&self) -> String {
        format!(
            "the keys in {} cannot be used; check the folder and the setting that names it",
            self.folder.display()
        )
    }
}

/// When a key was made, and its id, from the name of its file: a copy or a mount has another time of its own.
fn named(stem: &str) -> Option<(SystemTime, &str)> {
    let (millis, kid) = stem.split_once('-')?;
    let age = Duration::from_millis(millis.parse().ok()?);
    Some((SystemTime::UNIX_EPOCH.checked_add(age)?, kid))
}

#[cfg(test)]
mod tests {
    use super::Keys;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::within(&folder.path().join("operator-keys"));
        let first = keys.signing().unwrap();
        assert_eq!(keys.signing().unwrap().private(), first.private());
        assert_eq!(std::fs::metadata(&first.path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_younger_of_two_copies_signs_whatever_their_times() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::within(folder.path());
        let first = keys.signing().unwrap();
        let second = keys.rotate().unwrap();
        let bytes = std::fs::read(&first.path).unwrap();
        std::fs::remove_file(&first.path).unwrap();
        std::fs::write(&first.path, bytes).unwrap();
        assert_eq!(keys.signing().unwrap().kid, second.kid);
    }

    #[test]
    fn two_keys_are_good_at_once_and_the_younger_signs() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::within(folder.path());
        let first = keys.signing().unwrap();
        assert!(keys.retire(&first.kid).is_err(), "the only one");
        let second = keys.rotate().unwrap();
        assert_eq!(keys.all().unwrap().len(), 2);
        assert_eq!(keys.signing().unwrap().kid, second.kid);
        assert!(keys.rotate().is_err(), "a third");
        keys.retire(&first.kid).unwrap();
        assert_eq!(keys.all().unwrap().len(), 1);
        assert!(keys.retire("nobody").is_err());
    }
}
