//! The peers of this node: the ways to them, and the keys by which nodes know each other.
//!
//! **Invariant**: keys are files, looked at again every second, so that they are changed without a restart; what was last
//! good stays in use.

use super::hop::PSEUDONYM;
use crate::admin::keys::Keys;
use crate::config::{Config, Home};
use anyhow::Context as _;
use arc_swap::ArcSwap;
use region_router::Region;
use region_router::peer::{
    Asserted, Bound, Gateway, Link, Nonces, SigningKey, TrustedKeys, Verified,
};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How old the picture of the keys may be.
const AGE: Duration = Duration::from_secs(1);

/// The peers of this node.
#[derive(Debug)]
pub struct Peers {
    links: BTreeMap<Region, Arc<Link>>,
    name: String,
    files: Files,
    held: ArcSwap<Held>,
    looked_at: Mutex<Instant>,
    nonces: Nonces,
}

#[derive(Debug)]
struct Files {
    keys: Keys,
    peer_jwks: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Held {
    signing: Option<SigningKey>,
    trusted: TrustedKeys,
}

impl Peers {
    /// The peers of a configuration. A node that forwards has a key, which is made when there is none.
    ///
    /// # Errors
    /// When a key or the key set cannot be read; the text says which.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let mut links = BTreeMap::new();
        for settings in &config.regions {
            let Home::Gateway(url) = &settings.home else { continue };
            let region = settings.region.clone();
            let gateway = Gateway::parse(url)?;
            let link =
                Link::new(region.clone(), gateway, settings.gateway_connections, &config.node.tls)
                    .with_context(|| format!("the way to region {region} cannot be made"))?;
            links.insert(region, Arc::new(link));
        }
        let files = Files {
            keys: Keys::within(&config.node.keys),
            peer_jwks: config.node.peer_jwks.clone(),
        };
        if !links.is_empty() {
            files.keys.signing().context("node.keys")?;
        }
        let held = files.read()?;
        let kid = held.signing.as_ref().map(SigningKey::kid).unwrap_or_default();
        Ok(Self {
            name: format!("{PSEUDONYM}{kid}"),
            links,
            files,
            held: ArcSwap::from_pointee(held),
            looked_at: Mutex::new(Instant::now()),
            nonces: Nonces::default(),
        })
    }

    /// The way to a region, if it is elsewhere.
    pub(super) fn link(&self, region: &Region) -> Option<Arc<Link>> {
        self.links.get(region).cloned()
    }

    /// Every way.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values().map(Arc::as_ref)
    }

    /// What this node is called in `Via`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Signs what this node says of a request.
    pub(super) fn sign(
        &self,
        bound: &Bound<'_>,
        asserted: &Asserted,
        now: i64,
    ) -> Option<reqwest::header::HeaderValue> {
        let held = self.held();
        let nonce = uuid::Uuid::new_v4().as_u128();
        let text = held.signing.as_ref()?.sign(bound, asserted, nonce, now).ok()?;
        reqwest::header::HeaderValue::from_str(&text).ok()
    }

    /// Whose word is believed, if anybody's is.
    pub(super) fn trusted(&self) -> Option<impl std::ops::Deref<Target = TrustedKeys>> {
        self.files.peer_jwks.as_ref()?;
        Some(Trusted(self.held())).filter(|held| !held.is_empty())
    }

    /// Whether an assertion was not used before.
    pub(super) fn is_new(&self, verified: &Verified, now: i64) -> bool {
        self.nonces.take(verified.nonce, verified.over_at, now)
    }

    fn held(&self) -> Arc<Held> {
        if let Ok(mut looked_at) = self.looked_at.try_lock()
            && looked_at.elapsed() >= AGE
        {
            *looked_at = Instant::now();
            match self.files.read() {
                Ok(held) => self.held.store(Arc::new(held)),
                Err(error) => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "the keys of nodes cannot be read; those from before are used"
                    );
                }
            }
        }
        self.held.load_full()
    }
}

impl Files {
    fn read(&self) -> anyhow::Result<Held> {
        let trusted = match &self.peer_jwks {
            None => TrustedKeys::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| {
                    format!("the key set {} cannot be read; check node.peer_jwks", path.display())
                })?;
                TrustedKeys::parse(&text).with_context(|| {
                    format!("{} is no JSON Web Key Set; check node.peer_jwks", path.display())
                })?
            }
        };
        let own = self.keys.all().context("node.keys")?;
        // A key that the nodes do not know yet would sign for nobody.
        let known = own.iter().find(|key| trusted.know(&key.kid));
        let signing = known.or_else(|| own.first());
        let signing = signing.map(|key| {
            SigningKey::new(&key.kid, key.private())
                .with_context(|| format!("the key {} in node.keys is no Ed25519 key", key.kid))
        });
        let signing = signing.transpose()?;
        Ok(Held { signing, trusted })
    }
}

/// The trusted keys of a picture.
struct Trusted(Arc<Held>);

impl std::ops::Deref for Trusted {
    type Target = TrustedKeys;

    fn deref(&self) -> &TrustedKeys {
        &self.0.trusted
    }
}
