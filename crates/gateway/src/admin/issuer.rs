//! Who issues the callers' tokens: this deployment itself, and an OIDC provider where one is configured.
//!
//! **Invariant**: keys come from the keys' folder or from the configured key set, never from a token; what was last good
//! stays in use while a provider does not answer.

use super::access::Right;
use super::keys::Keys;
use super::operator::{Operator, Role};
use super::problem::{Code, Problem};
use super::verify::{self, Claims, VerifyingKey};
use crate::config::{Config, OidcSettings};
use anyhow::Context as _;
use arc_swap::ArcSwap;
use region_router::Region;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tenant_registry::TenantId;
use time::OffsetDateTime;

/// Whom tokens are for.
pub const AUDIENCE: &str = "muster-admin";
/// How old the picture of the keys' folder may be: a key that was retired is refused after it.
const FOLDER_AGE: Duration = Duration::from_secs(1);
/// How old the picture of a provider's key set may be.
const SET_AGE: Duration = Duration::from_mins(10);
/// How often a provider is asked for a key that is not in its set.
const SET_PAUSE: Duration = Duration::from_secs(10);
/// How long a provider may take, and how large its key set may be.
const SET_PATIENCE: Duration = Duration::from_secs(5);
const SET_BYTES: usize = 256 * 1024;

/// Every issuer whose tokens are good.
#[derive(Debug)]
pub struct Issuers {
    built_in: BuiltIn,
    oidc: Option<Oidc>,
}

#[derive(Debug)]
struct BuiltIn {
    issuer: String,
    keys: Keys,
    longest: Duration,
    known: ArcSwap<Known>,
}

#[derive(Debug)]
struct Oidc {
    settings: OidcSettings,
    client: reqwest::Client,
    known: ArcSwap<Known>,
    turn: tokio::sync::Mutex<()>,
}

/// Keys, and when they were looked at.
#[derive(Debug, Default)]
struct Known {
    keys: Vec<VerifyingKey>,
    at: Option<Instant>,
    /// Whether the last look failed, so that the next one comes sooner.
    is_failed: bool,
    /// The same keys for others to read (RFC 7517 §5).
    set: Value,
}

impl Known {
    fn find(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// A key that was looked for. Who could not read any key set cannot say that a key is unknown.
    fn answer(&self, found: Option<VerifyingKey>) -> Result<VerifyingKey, Problem> {
        match found {
            Some(key) => Ok(key),
            None if self.is_failed && self.keys.is_empty() => Err(Problem::new(
                Code::IssuerUnavailable,
                "The key set of the OIDC issuer cannot be read; operator.oidc_jwks names it. The token may be good.",
            )
            .retry_after(10)),
            None => Err(unknown_key()),
        }
    }

    fn is_older_than(&self, age: Duration) -> bool {
        self.at.is_none_or(|at| at.elapsed() > age)
    }
}

/// The name of the built-in issuer: the same on every node, whatever port it listens on.
#[must_use]
pub fn built_in(config: &Config) -> String {
    format!("{}://admin.{}", config.hosting.public_scheme, config.hosting.domain)
}

impl Issuers {
    /// The issuers of a configuration.
    ///
    /// # Errors
    /// When the client for key sets cannot be made.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let settings = &config.operator;
        let oidc = match settings.oidc.clone() {
            None => None,
            Some(settings) => Some(Oidc {
                settings,
                client: client()?,
                known: ArcSwap::default(),
                turn: tokio::sync::Mutex::default(),
            }),
        };
        Ok(Self {
            built_in: BuiltIn {
                issuer: built_in(config),
                keys: Keys::within(&settings.keys),
                longest: settings.max_lifetime,
                known: ArcSwap::default(),
            },
            oidc,
        })
    }

    /// Who calls.
    ///
    /// # Errors
    /// 401 when the token is not good, 403 when what it says of its caller makes no sense here.
    pub async fn operator(&self, token: &str, now: OffsetDateTime) -> Result<Operator, Problem> {
        if token.starts_with("mst_") || token.starts_with("mat_") || token.starts_with("mcs_") {
            return Err(Problem::new(
                Code::TokenIsScim,
                "This is a token for SCIM, which is never good here. Get one with `muster operator token`.",
            ));
        }
        let head = verify::head(token)?;
        if head.issuer == self.built_in.issuer {
            let claims = self.built_in.verify(token, &head.kid, now)?;
            return caller(claims, &head.issuer, Some("operator"));
        }
        match &self.oidc {
            Some(oidc) if oidc.settings.issuer == head.issuer => {
                caller(oidc.verify(token, &head.kid).await?, &head.issuer, None)
            }
            _ => Err(Problem::new(Code::TokenInvalid, "The token is from another issuer.")),
        }
    }

    /// The public keys of the built-in issuer (RFC 7517 §5).
    ///
    /// # Errors
    /// When the keys' folder cannot be read.
    pub fn key_set(&self) -> Result<Value, Problem> {
        Ok(self.built_in.known()?.set.clone())
    }
}

impl BuiltIn {
    /// The keys, as they were in the folder a moment ago.
    fn known(&self) -> Result<Arc<Known>, Problem> {
        if self.known.load().is_older_than(FOLDER_AGE) {
            let all = self.keys.all().map_err(|error| unreadable(&error))?;
            let (mut keys, mut set) = (Vec::new(), Vec::new());
            for key in &all {
                let public = key.public().map_err(|error| unreadable(&error))?;
                keys.push(VerifyingKey::ed25519(&key.kid, &public));
                set.push(key.to_jwk().map_err(|error| unreadable(&error))?);
            }
            let (at, set) = (Some(Instant::now()), json!({ "keys": set }));
            self.known.store(Arc::new(Known { keys, at, is_failed: false, set }));
        }
        Ok(self.known.load_full())
    }

    fn verify(&self, token: &str, kid: &str, now: OffsetDateTime) -> Result<Claims, Problem> {
        let known = self.known()?;
        let key = known.find(kid).ok_or_else(unknown_key)?;
        let claims = verify::verify(token, key, &self.issuer, AUDIENCE)?;
        let longest = i64::try_from(self.longest.as_secs()).unwrap_or(i64::MAX);
        // Our own issuer never leaves iat out, so a token without it was not made by it. Nor is it ahead of the time: a token
        // that is to begin later would live longer.
        let is_ahead = |iat: i64| iat > now.unix_timestamp().saturating_add(verify::LEEWAY_SECONDS);
        if claims.iat.is_none_or(|iat| is_ahead(iat) || claims.exp.saturating_sub(iat) > longest) {
            return Err(Problem::new(
                Code::TokenInvalid,
                "The token lives longer than operator.max_lifetime allows, or does not say since when (iat).",
            ));
        }
        Ok(claims)
    }
}

impl Oidc {
    async fn verify(&self, token: &str, kid: &str) -> Result<Claims, Problem> {
        let key = self.key(kid).await?;
        verify::verify(token, &key, &self.settings.issuer, &self.settings.audience)
    }

    async fn key(&self, kid: &str) -> Result<VerifyingKey, Problem> {
        let known = self.known.load_full();
        let found = known.find(kid).cloned();
        let enough = if found.is_some() && !known.is_failed { SET_AGE } else { SET_PAUSE };
        if !known.is_older_than(enough) {
            return known.answer(found);
        }
        let _turn = self.turn.lock().await;
        let current = self.known.load_full();
        if !current.is_older_than(enough) {
            return current.answer(current.find(kid).cloned());
        }
        let (keys, is_failed) = match self.fetch().await {
            Ok(keys) => (keys, false),
            Err(error) => {
                tracing::warn!(error = %error, "the key set of the OIDC issuer could not be read; the last good one stays in use");
                (current.keys.clone(), true)
            }
        };
        let next = Arc::new(Known { keys, at: Some(Instant::now()), is_failed, set: Value::Null });
        self.known.store(Arc::clone(&next));
        next.answer(next.find(kid).cloned())
    }

    async fn fetch(&self) -> anyhow::Result<Vec<VerifyingKey>> {
        let source = &self.settings.jwks;
        let text = if source.starts_with("https://") || source.starts_with("http://") {
            let mut response = self.client.get(source).send().await?.error_for_status()?;
            let mut text = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                anyhow::ensure!(text.len() + chunk.len() <= SET_BYTES, "the key set is too large");
                text.extend_from_slice(&chunk);
            }
            text
        } else {
            tokio::fs::read(source).await?
        };
        Ok(verify::key_set(&text)?)
    }
}

fn client() -> anyhow::Result<reqwest::Client> {
    let client = reqwest::Client::builder()
        .timeout(SET_PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .build();
    client.context("the client for the key set of the OIDC issuer cannot be made")
}

fn unknown_key() -> Problem {
    Problem::new(Code::TokenInvalid, "The token is signed with a key that is not known here.")
}

fn unreadable(error: &anyhow::Error) -> Problem {
    tracing::error!(error = format!("{error:#}"), "the operator keys cannot be read");
    Problem::new(Code::RegistryUnavailable, "The keys of the issuer cannot be read at the moment.")
        .retry_after(5)
}

/// The caller whom good claims describe.
fn caller(claims: Claims, issuer: &str, usual: Option<&str>) -> Result<Operator, Problem> {
    let forbidden = |detail: &str| Problem::new(Code::RoleForbidden, detail);
    let role = match claims.role.as_deref().or(usual) {
        Some("operator") => Role::Operator,
        Some("tenant_admin") => {
            let tenant = claims.tenant.as_deref().and_then(|id| TenantId::parse(id).ok());
            Role::TenantAdmin(tenant.ok_or_else(|| {
                forbidden("The token is that of a tenant's administrator and names no tenant (the claim tenant, an id that begins with ten_).")
            })?)
        }
        _ => {
            return Err(forbidden("The token's claim role must be operator or tenant_admin."));
        }
    };
    if role == Role::Operator && claims.tenant.is_some() {
        return Err(forbidden("The token of an operator must not name a tenant."));
    }
    // A region that cannot be read widens nothing.
    let regions = claims
        .regions
        .map(|names| names.iter().filter_map(|name| Region::parse(name).ok()).collect());
    let words = claims
        .scope
        .iter()
        .flat_map(|text| text.split(' '))
        .chain(claims.scopes.iter().map(String::as_str));
    let rights = rights(words, &role);
    Ok(Operator { issuer: issuer.to_owned(), subject: claims.sub, role, rights, regions })
}

/// What scopes grant a role. Words that are not known grant nothing.
fn rights<'a>(words: impl Iterator<Item = &'a str>, role: &Role) -> BTreeSet<Right> {
    let mut granted = BTreeSet::new();
    for word in words {
        granted.extend(Right::of_scope(word));
    }
    if matches!(role, Role::TenantAdmin(_)) {
        granted.retain(|right| right.is_for_tenants());
    }
    granted
}
