//! A client and its access tokens against what the registry keeps.
//!
//! **Invariant**: every answer does the same work, and only who holds the secret learns what became of it.

use super::access::{self, Claims};
use super::{OauthClient, Proof, id};
use crate::authenticate::{Authenticated, Pepper};
use crate::credential::scopes::Scopes;
use crate::credential::token::BearerToken;
use crate::credential::{Credential, TokenHash};
use crate::snapshot::Snapshot;
use crate::tenant::Tenant;
use region_router::Population;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

/// Why a client is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientFailure {
    /// There is no such client, or this is not its secret.
    #[error("the client or its secret is unknown")]
    Unknown,
    /// The secret's time was over at this instant.
    #[error("the client's secret expired")]
    Expired(OffsetDateTime),
    /// The secret was revoked at this instant.
    #[error("the client's secret was revoked")]
    SecretRevoked(OffsetDateTime),
    /// The client was revoked at this instant.
    #[error("the client was revoked")]
    Revoked(OffsetDateTime),
    /// It is for a population that its tenant does not provision, or no longer.
    #[error("the client is for {asked}, and its tenant provisions {provisions}")]
    OtherPopulation {
        /// Who is provisioned.
        provisions: Population,
        /// Whom the client is for.
        asked: Population,
    },
}

pub(crate) fn authenticate_client(
    snapshot: &Snapshot,
    pepper: &Pepper,
    (client_id, secret): (&str, &str),
    now: OffsetDateTime,
) -> Result<(Arc<OauthClient>, Proof), ClientFailure> {
    let presented = pepper.hash(secret);
    let secret_id = id::secret_id(secret).unwrap_or_default();
    let client = snapshot.client_of_secret(secret_id);
    let kept = client.and_then(|client| client.secrets.iter().find(|kept| kept.id == secret_id));
    let hash = kept.map_or(TokenHash([0; 32]), |kept| kept.hash);
    let is_same = bool::from(presented.0.ct_eq(&hash.0));
    let (Some(client), Some(kept), true) = (client, kept, is_same) else {
        return Err(ClientFailure::Unknown);
    };
    let tenant = home(snapshot, client).ok_or(ClientFailure::Unknown)?;
    let client = named(tenant, client, client_id).ok_or(ClientFailure::Unknown)?;
    if let Some(at) = client.revoked_at {
        return Err(ClientFailure::Revoked(at));
    }
    if let Some(at) = kept.revoked_at {
        return Err(ClientFailure::SecretRevoked(at));
    }
    if now >= kept.expires_at {
        return Err(ClientFailure::Expired(kept.expires_at));
    }
    let (provisions, asked) = (tenant.population, client.population);
    if !tenant.serves(asked) {
        return Err(ClientFailure::OtherPopulation { provisions, asked });
    }
    Ok((client, Proof::of_secret(&kept.id)))
}

/// A client that lives, and whose it is.
pub(crate) fn live_client(
    snapshot: &Snapshot,
    client_id: &str,
) -> Option<(Arc<Tenant>, Arc<OauthClient>)> {
    let client = snapshot.client(id::key_id(client_id)?)?;
    let tenant = home(snapshot, client).filter(|tenant| tenant.serves(client.population))?;
    let client = named(tenant, client, client_id)?;
    client.revoked_at.is_none().then(|| (Arc::clone(tenant), client))
}

/// The client, where this is its id. Of a tenant that has moved it is also the id that it had before, and then it goes by that
/// one: its tokens are for the place that it knows.
fn named(tenant: &Tenant, client: &Arc<OauthClient>, client_id: &str) -> Option<Arc<OauthClient>> {
    if client.client_id == client_id {
        return Some(Arc::clone(client));
    }
    let place = id::place(client_id)?;
    let is_former = id::key_id(client_id) == id::key_id(&client.client_id)
        && place.population == client.population
        && tenant.answers_to(&place.region);
    let client_id = client_id.to_owned();
    is_former.then(|| Arc::new(OauthClient { client_id, ..OauthClient::clone(client) }))
}

/// Whose access token it is or was, and whether what it was asked for with stands. It looks like a credential of the client's.
pub(crate) fn owner(
    snapshot: &Snapshot,
    key: &[u8; 32],
    token: &BearerToken,
) -> Option<(Authenticated, bool)> {
    let (client, claims) = of_token(snapshot, key, token)?;
    let tenant = snapshot.tenant(&client.tenant_id)?;
    if !tenant.answers_to(&token.place().region) || tenant.state.is_gone() {
        return None;
    }
    let (tenant, stands) = (Arc::clone(tenant), snapshot.stands(token.key_id(), claims.proof));
    let credential = Arc::new(credential(client, &claims));
    Some((Authenticated { tenant, credential }, stands))
}

/// The client of an access token, wherever its tenant lives.
pub(crate) fn of_token<'a>(
    snapshot: &'a Snapshot,
    key: &[u8; 32],
    token: &BearerToken,
) -> Option<(&'a Arc<OauthClient>, Claims)> {
    let claims = access::open(key, token.expose());
    let client = snapshot.client(token.key_id());
    let (client, claims) = client.zip(claims)?;
    (client.population == token.place().population).then_some((client, claims))
}

/// The tenant of a client, where it is still where the client says.
fn home<'a>(snapshot: &'a Snapshot, client: &OauthClient) -> Option<&'a Arc<Tenant>> {
    let place = id::place(&client.client_id)?;
    let tenant = snapshot.tenant(&client.tenant_id)?;
    (tenant.region == place.region && !tenant.state.is_gone()).then_some(tenant)
}

fn credential(client: &OauthClient, claims: &Claims) -> Credential {
    let times = (claims.issued_at, claims.expires_at);
    told_of(client, claims.scopes.and(client.scopes), times)
}

fn told_of(
    client: &OauthClient,
    scopes: Scopes,
    (created_at, expires_at): (OffsetDateTime, OffsetDateTime),
) -> Credential {
    Credential {
        key_id: client.client_id.clone(),
        tenant_id: client.tenant_id.clone(),
        name: client.name.clone(),
        hint: client.client_id.clone(),
        scopes,
        created_at,
        expires_at,
        revoked_at: client.revoked_at,
        population: client.population,
        created_by: client.created_by.clone(),
        networks: client.networks.clone(),
        retires_at: None,
        replaces: None,
        version: client.version,
        hash: TokenHash([0; 32]),
    }
}

/// A client as it is told of in the log, by the visible part of its id or of a secret of its.
pub(crate) fn looks_like(snapshot: &Snapshot, key_id: &str) -> Option<Authenticated> {
    let by_id = snapshot.client(key_id);
    let by_secret = snapshot.client_of_secret(key_id);
    let client = by_id.or(by_secret)?;
    let tenant = Arc::clone(home(snapshot, client)?);
    let times = (client.created_at, client.created_at);
    let credential = Arc::new(told_of(client, client.scopes, times));
    Some(Authenticated { tenant, credential })
}
