//! From what a client presents to its token.
//!
//! **Invariant**: the registry decides whether a secret is right, in memory and in constant time. Who does not prove to be the
//! client learns nothing of it but whether its id names this host.

use super::assertion::{self, Expected};
use super::error::{Code, OauthError};
use super::form::Form;
use super::presented::Presented;
use super::replay::Taken;
use super::scope::scopes;
use super::{CLIENT_CREDENTIALS, JWT_BEARER, endpoint, within};
use crate::auth::{gates, rejected};
use crate::rate_limit::Rate;
use crate::state::State;
use crate::telemetry::http::RequestContext;
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use provisioning::{Reason, Refusal};
use region_router::{Decision, Place, Population, Region, Why, decide};
use scim_core::Notes;
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tenant_registry::{ClientFailure, OauthClient, Proof, Tenant};

/// Tokens of one client a second, and at once. Only who is the client comes so far, so that nobody can keep it out.
const RATE: (u32, u32) = (5, 50);
/// When there may be room for assertions again, in seconds.
const FULL_SECONDS: u32 = 60;
const USED: &str = "It was used before.";

/// A token, for this once.
pub(super) struct Grant {
    token: SecretString,
    pub(super) lifetime: Duration,
    pub(super) scope: String,
}

impl Grant {
    pub(super) fn token(&self) -> &str {
        self.token.expose_secret()
    }
}

/// A request for a token.
pub(super) struct Asking<'a> {
    pub(super) state: &'a State,
    pub(super) request: &'a HttpRequest,
    pub(super) context: RequestContext,
    pub(super) host: Place,
    pub(super) address: IpAddr,
    pub(super) form: &'a Form,
}

/// A client that has proved to be one.
struct Proven {
    tenant: Arc<Tenant>,
    client: Arc<OauthClient>,
    /// With what.
    proof: Proof,
    /// The assertion that is taken for the token.
    once: Option<Once>,
}

/// An assertion that is good, and good once.
struct Once {
    name: String,
    expires_at: i64,
    code: Code,
}

impl Asking<'_> {
    pub(super) async fn grant(
        &self,
        whose: &mut Option<(String, String)>,
    ) -> Result<Grant, OauthError> {
        let presented = Presented::read(self.request, self.form)?;
        let proven = match self.form.get("grant_type") {
            Some(CLIENT_CREDENTIALS) => self.client(&presented)?,
            Some(JWT_BEARER) => self.granted(&presented)?,
            Some(_) => {
                return Err(OauthError::new(
                    Code::UnsupportedGrantType,
                    "The grant types are client_credentials and urn:ietf:params:oauth:grant-type:jwt-bearer.",
                ));
            }
            None => return Err(OauthError::request("The parameter grant_type is missing.")),
        };
        let Proven { tenant, client, proof, .. } = &proven;
        *whose = Some((self.host.region.as_str().to_owned(), tenant.id.as_str().to_owned()));
        self.check_client(tenant, client)?;
        let scopes = scopes(self.form.get("scope"), client.scopes)?;
        self.take(&proven).await?;
        let (registry, now) = (&self.state.registry, self.state.clock.now());
        let (token, lifetime) = registry.issue_access_token(client, *proof, scopes, now);
        let family = rejected::family(self.request, &Notes::default());
        self.state.uses.note(&client.client_id, &tenant.id, (now, family, self.address));
        Ok(Grant { token, lifetime, scope: scopes.words().collect::<Vec<_>>().join(" ") })
    }

    /// Whether the client, or its secret, is not known here.
    pub(super) fn is_of_stranger(&self) -> bool {
        let (registry, now) = (&self.state.registry, self.state.clock.now());
        match Presented::read(self.request, self.form) {
            Ok(Presented::Secret { client_id, secret }) => {
                registry.authenticate_client(&client_id, secret.expose_secret(), now).err()
                    == Some(ClientFailure::Unknown)
            }
            Ok(Presented::Assertion { client_id, assertion }) => {
                let client_id = client_id.or_else(|| assertion::subject(&assertion));
                registry.oauth_client(&client_id.unwrap_or_default()).is_none()
            }
            Ok(Presented::Nothing { client_id }) => {
                let assertion = self.form.get("assertion").and_then(assertion::subject);
                let client_id = client_id.or(assertion);
                client_id.is_some_and(|client_id| registry.oauth_client(&client_id).is_none())
            }
            Err(_) => false,
        }
    }

    /// The client that proves to be one.
    fn client(&self, presented: &Presented) -> Result<Proven, OauthError> {
        match presented {
            Presented::Secret { client_id, secret } => {
                self.check_place(client_id, Code::InvalidClient)?;
                self.with_secret(client_id, secret)
            }
            Presented::Assertion { client_id, assertion } => {
                self.with_assertion(client_id.as_deref(), assertion, Code::InvalidClient)
            }
            Presented::Nothing { .. } => Err(OauthError::new(
                Code::InvalidClient,
                "The client does not say who it is: send its id and secret by Basic or in the form, or an assertion.",
            )),
        }
    }

    /// The client that an assertion stands for (RFC 7523 §2.1); proving to be it beside that is not needed.
    fn granted(&self, presented: &Presented) -> Result<Proven, OauthError> {
        let assertion = self
            .form
            .get("assertion")
            .ok_or_else(|| OauthError::request("The parameter assertion is missing."))?;
        match presented {
            Presented::Nothing { client_id } => {
                self.with_assertion(client_id.as_deref(), assertion, Code::InvalidGrant)
            }
            Presented::Secret { client_id, .. } => {
                if self.client(presented)?.client.assertion.is_none() {
                    return Err(OauthError::new(
                        Code::UnauthorizedClient,
                        "No keys are configured for assertions of this client.",
                    ));
                }
                self.with_assertion(Some(client_id), assertion, Code::InvalidGrant)
            }
            Presented::Assertion { .. } => {
                Err(OauthError::request("Use assertion or client_assertion, and one of them only."))
            }
        }
    }

    fn with_secret(&self, client_id: &str, secret: &SecretString) -> Result<Proven, OauthError> {
        let (registry, now) = (&self.state.registry, self.state.clock.now());
        match registry.authenticate_client(client_id, secret.expose_secret(), now) {
            Ok((client, proof)) => {
                let (tenant, _) = registry.oauth_client(client_id).ok_or_else(unknown)?;
                Ok(Proven { tenant, client, proof, once: None })
            }
            Err(failure) => {
                let why = told(failure);
                // Also of a client that is revoked: its administrator looks for why nothing comes any more.
                if let Some(known) = registry.recognise_client(client_id) {
                    let text = format!("An access token was asked for, and refused. {why}");
                    let refusal = Refusal::new(Reason::ClientSecretInvalid, text);
                    self.note(&known.tenant, client_id, &refusal);
                }
                Err(OauthError::new(Code::InvalidClient, why))
            }
        }
    }

    fn with_assertion(
        &self,
        client_id: Option<&str>,
        assertion: &str,
        code: Code,
    ) -> Result<Proven, OauthError> {
        let subject = assertion::subject(assertion);
        let client_id = client_id.or(subject.as_deref()).unwrap_or_default();
        self.check_place(client_id, code)?;
        let Some((tenant, client)) = self.state.registry.oauth_client(client_id) else {
            return Err(self.without_keys(client_id, code));
        };
        let Some(keys) = &client.assertion else {
            return Err(self.without_keys(client_id, code));
        };
        let ours = endpoint(self.state, &self.host);
        let mut audiences = vec![ours.as_str()];
        audiences.extend(keys.audience.as_deref());
        let expected = Expected {
            issuer: &keys.issuer,
            subject: &keys.subject,
            audiences: &audiences,
            jwks: &keys.jwks,
        };
        let good = assertion::verify(assertion, &expected, self.state.clock.now())
            .map_err(|why| self.refused(&tenant, client_id, (code, why)))?;
        // Before the client's rate: who has seen one of its assertions cannot use that up with it.
        if self.state.replays.knows(client_id, &good.name) {
            return Err(self.refused(&tenant, client_id, (code, USED)));
        }
        let proof = Proof::of_key(keys, &good.key);
        let once = Some(Once { name: good.name, expires_at: good.expires_at, code });
        Ok(Proven { proof, once, tenant, client })
    }

    /// Takes the assertion of a client that gets a token for it. One that is refused for something else can be sent again.
    async fn take(&self, Proven { tenant, client, once, .. }: &Proven) -> Result<(), OauthError> {
        let Some(once) = once else { return Ok(()) };
        let now = self.state.clock.now();
        let is_full = |status, text: &str| {
            Err(OauthError::request(text).status(status).retry_after(FULL_SECONDS))
        };
        let replays = &self.state.replays;
        match replays.take(&client.client_id, &once.name, once.expires_at, now).await {
            Taken::New => Ok(()),
            Taken::Before => Err(self.refused(tenant, &client.client_id, (once.code, USED))),
            Taken::ClientFull => is_full(
                StatusCode::TOO_MANY_REQUESTS,
                "The client has used so many assertions that no more are taken until some of them end. Let them end sooner (exp), and keep a token until it expires.",
            ),
            Taken::Full => is_full(
                StatusCode::SERVICE_UNAVAILABLE,
                "No more assertions are taken at the moment. Try again in a minute.",
            ),
        }
    }

    /// An assertion of a known client is refused, and noted.
    fn refused(
        &self,
        tenant: &Arc<Tenant>,
        client_id: &str,
        (code, why): (Code, &str),
    ) -> OauthError {
        let text = format!("An access token was asked for with an assertion, and refused. {why}");
        self.note(tenant, client_id, &Refusal::new(Reason::ClientAssertionInvalid, text));
        assertion_refused(code, why)
    }

    /// No assertion of such a client can be verified. Why is told in its tenant's log alone.
    fn without_keys(&self, client_id: &str, code: Code) -> OauthError {
        let registry = &self.state.registry;
        if let Some(known) = registry.recognise_client(client_id) {
            let why = if known.credential.revoked_at.is_some() {
                "The client was revoked. Make a new one."
            } else if registry.oauth_client(client_id).is_some() {
                "No keys are configured for assertions of this client."
            } else {
                "The account does not provision the population of this client."
            };
            self.refused(&known.tenant, client_id, (code, why));
        }
        assertion_refused(code, "No keys are configured for it here.")
    }

    /// The place that a client id names must be the one that the host names.
    fn check_place(&self, client_id: &str, code: Code) -> Result<(), OauthError> {
        let Some(place) = place_in(client_id) else { return Err(unknown_by(code)) };
        match decide(&self.state.node, &self.host, &place) {
            Decision::Here => Ok(()),
            Decision::Refuse(Why::WrongPlace { correct })
                if self.state.hosts.knows(&correct.region) =>
            {
                Err(OauthError::new(
                    code,
                    format!(
                        "This client belongs to the {} population in region {}. Its token endpoint is {}.",
                        correct.population,
                        correct.region,
                        endpoint(self.state, &correct)
                    ),
                ))
            }
            Decision::Refuse(Why::WrongPlace { .. }) => Err(unknown_by(code)),
            Decision::Peer(region) | Decision::Refuse(Why::NotHere(region)) => {
                Err(OauthError::request(format!("Region {region} is not on this node."))
                    .status(StatusCode::MISDIRECTED_REQUEST))
            }
        }
    }

    /// What keeps out a client that proved to be one.
    fn check_client(&self, tenant: &Tenant, client: &OauthClient) -> Result<(), OauthError> {
        let (per_second, burst) = RATE;
        within(self.state, &format!("oauth {}", client.client_id), Rate::new(per_second, burst))?;
        let unauthorized = |text: String| OauthError::new(Code::UnauthorizedClient, text);
        if !client.networks.contain(self.address) {
            return Err(unauthorized(format!(
                "This client is bound to networks, and {} is in none of them.",
                self.address
            )));
        }
        gates::check_state(tenant).map_err(|refusal| unauthorized(refusal.detail))
    }

    /// Notes a refusal in the log of the client's tenant, where its administrator looks.
    fn note(&self, tenant: &Arc<Tenant>, client_id: &str, refusal: &Refusal) {
        let attempt = rejected::Attempt {
            state: self.state,
            request: self.request,
            context: &self.context,
            operation: "token.create",
            key_id: client_id,
            notes: Notes::default(),
        };
        attempt.note(tenant, &self.host, refusal);
    }
}

fn assertion_refused(code: Code, why: &str) -> OauthError {
    OauthError::new(code, format!("The assertion is refused. {why}"))
}

fn unknown() -> OauthError {
    unknown_by(Code::InvalidClient)
}

/// The same words whatever was wrong: whether an id is one of ours is nobody's business.
fn unknown_by(code: Code) -> OauthError {
    OauthError::new(code, told(ClientFailure::Unknown))
}

/// Only who holds the secret learns what became of it.
fn told(failure: ClientFailure) -> String {
    let text = match failure {
        ClientFailure::Unknown => {
            "The client's id or secret is not right here. Copy both again, or make a new secret and paste that."
        }
        ClientFailure::Expired(_) => {
            "The client's secret expired. Make a new one and paste it into your identity provider."
        }
        ClientFailure::SecretRevoked(_) => {
            "The client's secret was revoked. Make a new one and paste it into your identity provider."
        }
        ClientFailure::Revoked(_) => "The client was revoked. Make a new one.",
        ClientFailure::OtherPopulation { provisions, asked } => {
            return format!(
                "This client is for the {asked} population, and this account provisions {provisions} alone. Use the base URL and a client of {provisions}, or ask for both to be allowed."
            );
        }
    };
    text.to_owned()
}

/// `mcl_{region}_{population}_{key id}`.
fn place_in(client_id: &str) -> Option<Place> {
    let mut parts = client_id.strip_prefix("mcl_")?.split('_');
    let region = Region::parse(parts.next()?).ok()?;
    let population = Population::from_code(parts.next()?)?;
    Some(Place { region, population })
}

#[cfg(test)]
mod tests {
    use super::place_in;

    #[test]
    fn a_client_id_names_its_place() {
        assert_eq!(place_in("mcl_eu_pf_abc").unwrap().to_string(), "eu/platform");
        for bad in ["", "mcl_", "mcl_eu", "mcl_eu_xx_a", "mst_eu_pf_a", "mcl__pf_a"] {
            assert!(place_in(bad).is_none(), "{bad}");
        }
    }
}
