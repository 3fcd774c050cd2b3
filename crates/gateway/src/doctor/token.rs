//! The doctor's own token, or one that it is given.

use super::remedy;
use super::report::{Check, Finding};
use super::rights::OWN;
use super::visit::Visit;
use super::wire::{Silence, Wire};
use crate::clock::Clock;
use provisioning::Refusal;
use region_router::{Place, Population};
use secrecy::{ExposeSecret, SecretString};
use std::time::{Duration, Instant};
use tenant_registry::{
    BearerToken, By, IssuedCredential, NewCredential, Registry, RegistryError, Scopes, Tenant,
};

/// How long the doctor's own token is good, should it not be revoked.
const LIFE: Duration = Duration::from_mins(10);
/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// A token, and whose it is to revoke.
pub(super) struct Held {
    pub(super) token: SecretString,
    own: Option<String>,
    /// Whether the registry has it, so that a server that has not heard of it yet will.
    is_kept: bool,
}

/// Makes a token for this run.
pub(super) async fn mint(
    registry: &Registry,
    tenant: &Tenant,
    population: Population,
    scopes: Scopes,
    base: &str,
) -> Result<Held, Finding> {
    let check = Check::new("token.mint", base, "making a token for this run, good for 10 minutes");
    let new =
        NewCredential { scopes, population: Some(population), ..NewCredential::new(OWN, LIFE) };
    let issued = match registry.create_credential(&tenant.id, &new, &By::cli(Clock.now())).await {
        Ok(pending) => pending.commit().await,
        Err(error) => Err(error),
    };
    match issued {
        Ok(IssuedCredential { token, credential }) => {
            Ok(Held { token, own: Some(credential.key_id), is_kept: true })
        }
        Err(RegistryError::TooManyCredentials(live)) => Err(check.fail(
            format!("{} has {live} live tokens, which is the most", tenant.slug),
            format!(
                "Revoke one that nobody uses (`muster token list {}`, `muster token revoke KEY_ID`), or give the doctor one of them in a \
                 file: --token-file FILE.",
                tenant.slug
            ),
        )),
        Err(RegistryError::PopulationConflict { .. } | RegistryError::Frozen) => Err(check.fail(
            format!("{} is being switched to the other population, or does not serve {population}", tenant.slug),
            "Finish or undo the switch, or give the doctor a token in a file: --token-file FILE.",
        )),
        Err(error) => Err(check.fail(
            migrations::causes(&error),
            "The registry does not take a new token. See its database, or give the doctor a token in a file: --token-file FILE.",
        )),
    }
}

/// Takes the token of a file, as it would be pasted.
pub(super) async fn given(
    token: &SecretString,
    registry: &Registry,
    tenant: &Tenant,
    place: &Place,
    base: &str,
) -> Result<Held, Finding> {
    let check = Check::new("token.file", base, "the token of the file");
    let authorization = format!("Bearer {}", token.expose_secret());
    let parsed = match BearerToken::parse(&authorization) {
        Ok(parsed) => parsed,
        Err(fault) => {
            let fault = Refusal::from(fault);
            return Err(check.fail(
                fault.detail,
                "Put the token into the file as it was shown, alone and whole.",
            ));
        }
    };
    let named = parsed.place();
    if named != place {
        return Err(check.fail(
            format!(
                "it is a token of region {} for {} users; {} is in region {} and this is about {} users",
                named.region, named.population, tenant.slug, place.region, place.population
            ),
            format!(
                "Make a token of this tenant (`muster token create {}`), or name the tenant whose token it is.",
                tenant.slug
            ),
        ));
    }
    let owner = registry.credential(parsed.key_id()).await.ok().flatten();
    if let Some(credential) = &owner
        && credential.tenant_id != tenant.id
    {
        return Err(check.fail(
            format!("it is a token of another tenant ({})", credential.tenant_id),
            format!("Give the doctor a token of {}, or name the other tenant.", tenant.slug),
        ));
    }
    Ok(Held { token: token.clone(), own: None, is_kept: owner.is_some() })
}

/// Asks until the server knows the token; a new one takes a moment.
pub(super) async fn accepted(
    wire: &Wire,
    held: &Held,
    tenant: &Tenant,
    patience: Duration,
) -> Finding {
    let check = Check::new("token", &wire.base, "the token is accepted, and names the tenant");
    let visit = Visit { wire, token: &held.token };
    let started = Instant::now();
    loop {
        let reply = match visit.get("").await {
            Ok(reply) => reply,
            Err(Silence(why)) => {
                return check
                    .fail(why, "The connection ended without an answer. See the server's log.");
            }
        };
        let is_news = held.is_kept && reply.reason() == "token_unknown";
        if is_news && started.elapsed() < patience {
            tokio::time::sleep(ASK_EVERY).await;
            continue;
        }
        if reply.status == 200 {
            let named = reply.body.get("tenant").and_then(serde_json::Value::as_str);
            return match named {
                Some(name) if name == tenant.name => check.pass(reply.in_short()),
                _ => check.warn(
                    format!("{}, and the answer names another tenant", reply.in_short()),
                    "The server reads another registry than this command, or one that is behind. Give both the same registry.url.",
                ),
            };
        }
        let found = format!("{}: {}", reply.in_short(), reply.detail());
        let fix = if reply.reason().is_empty() {
            "Without a token the server answers, with one something else does: a proxy takes offence at the token. Let the \
             Authorization header pass."
                .to_owned()
        } else {
            remedy::of(&reply, &wire.base)
        };
        return check.fail(found, fix);
    }
}

/// Revokes the doctor's own token.
pub(super) async fn revoke(
    held: &Held,
    registry: &Registry,
    tenant: &Tenant,
    base: &str,
) -> Option<Finding> {
    let key_id = held.own.as_deref()?;
    let by = By::cli(Clock.now());
    let revoked = match registry.revoke_credential(&tenant.id, key_id, &by).await {
        Ok(pending) => pending.commit().await.map(|_| ()),
        Err(error) => Err(error),
    };
    let error = revoked.err()?;
    Some(Check::new("token.revoke", base, "revoking the token of this run").warn(
        migrations::causes(&error),
        format!("It ends by itself after 10 minutes; revoke it before with `muster token revoke {key_id}`."),
    ))
}
