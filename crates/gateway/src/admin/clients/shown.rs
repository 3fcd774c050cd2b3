//! An OAuth client as it is shown, its secret once and never again.
//!
//! **Invariant**: what may hold a secret has no `Debug` that tells it.

use crate::admin::answer::Answer;
use crate::admin::call::Call;
use crate::admin::input::instant;
use crate::admin::view;
use region_router::Place;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::fmt;
use tenant_registry::{ClientSecret, CredentialUse, IssuedClient, OauthClient};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// An OAuth client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OauthClient)]
pub struct ClientView {
    /// The client id.
    #[schema(example = "mcl_eu_pf_4fGh7Jk2Lm9Np3Qr")]
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// What the administrator calls it.
    pub name: String,
    /// Whether it is good.
    #[schema(schema_with = view::credential_state)]
    pub state: &'static str,
    /// The population that it is for.
    #[schema(schema_with = view::population)]
    pub population: String,
    /// What its tokens may be used for.
    #[schema(schema_with = view::scopes)]
    pub scopes: Vec<&'static str>,
    /// From where its tokens may be used; nothing: from anywhere.
    #[schema(schema_with = view::networks)]
    pub networks: Vec<String>,
    /// How long its tokens are good.
    pub token_lifetime_seconds: u64,
    /// The assertions that it may send in place of a secret (RFC 7523).
    pub assertion: Option<AssertionView>,
    /// Its secrets, without their texts.
    pub secrets: Vec<SecretView>,
    /// Where it gets its tokens.
    #[schema(example = "https://eu-app.example.com/oauth2/token")]
    pub token_endpoint: String,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// When it was revoked.
    #[schema(format = "date-time")]
    pub revoked_at: Option<String>,
    /// When it last asked for a token or used one, to the minute or so.
    #[schema(format = "date-time")]
    pub last_used_at: Option<String>,
    /// By which program.
    pub last_client: Option<String>,
    /// From which network.
    pub last_network: Option<String>,
}

/// Whose assertions are good.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Assertion)]
#[schema(example = json!({
    "issuer": "https://login.microsoftonline.com/4b1d5b0e-0000-0000-0000-000000000000/v2.0",
    "subject": "7a1c9f0e-0000-0000-0000-000000000000",
    "jwks": "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"k1\"}]}",
}))]
pub struct AssertionView {
    /// Their `iss`.
    #[schema(min_length = 1, max_length = 500)]
    pub issuer: String,
    /// Their `sub`.
    #[schema(min_length = 1, max_length = 500)]
    pub subject: String,
    /// Their `aud`, where it is not the token endpoint.
    #[schema(min_length = 1, max_length = 500)]
    pub audience: Option<String>,
    /// The keys that sign them: a JWK set (RFC 7517 §5), as text. The public members of its usable keys are
    /// kept; a private key is refused. Without a key, the tokens that it signed for end.
    #[schema(min_length = 1, max_length = 65536)]
    pub jwks: String,
}

/// A secret, without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientSecret)]
pub struct SecretView {
    /// The id.
    #[schema(example = "sec_4fGh7Jk2Lm9Np3Qr")]
    pub id: String,
    /// What is shown in its place.
    pub hint: String,
    /// Where it is in its life.
    #[schema(schema_with = view::credential_state)]
    pub state: &'static str,
    /// When it was made.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// From when on it is refused.
    #[schema(format = "date-time")]
    pub expires_at: String,
    /// When it was revoked.
    #[schema(format = "date-time")]
    pub revoked_at: Option<String>,
}

/// A new client, with its first secret for this once.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedOauthClient)]
pub struct IssuedClientView {
    /// What stays.
    #[serde(flatten)]
    pub view: ClientView,
    /// The secret. It cannot be had again. Null in a dry run, and of a client that sends assertions.
    pub client_secret: Option<String>,
}

/// A new secret, for this once.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedSecret)]
pub struct IssuedSecretView {
    /// What stays.
    #[serde(flatten)]
    pub view: SecretView,
    /// The secret. It cannot be had again. Null in a dry run.
    pub client_secret: Option<String>,
}

// What follows holds a secret of ours, or what a person may have given by mistake: a private key.

impl fmt::Debug for AssertionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionView").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl fmt::Debug for IssuedClientView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedClientView").field("view", &self.view).finish_non_exhaustive()
    }
}

impl fmt::Debug for IssuedSecretView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedSecretView").field("view", &self.view).finish_non_exhaustive()
    }
}

pub(super) fn shown(call: &Call, client: &OauthClient) -> Answer {
    Answer::ok(&view(call, client, None)).version(client.version)
}

pub(super) fn shown_once(call: &Call, issued: &IssuedClient) -> Answer {
    let secret = issued.secret.as_ref().filter(|_| !call.dry_run);
    let view = IssuedClientView {
        view: view(call, &issued.client, None),
        client_secret: secret.map(|secret| secret.expose_secret().to_owned()),
    };
    let (tenant, id) = (&issued.client.tenant_id, &issued.client.client_id);
    let at = format!("/admin/v1/tenants/{tenant}/oauth-clients/{id}");
    Answer::created(&view, at).version(issued.client.version)
}

pub(super) fn view(call: &Call, client: &OauthClient, last: Option<&CredentialUse>) -> ClientView {
    let region = call.tenant().map(|tenant| tenant.region.clone());
    let origin = region
        .map(|region| call.admin.hosts.origin(&Place { region, population: client.population }));
    ClientView {
        id: client.client_id.clone(),
        tenant_id: client.tenant_id.to_string(),
        name: client.name.clone(),
        state: if client.revoked_at.is_some() { "revoked" } else { "live" },
        population: client.population.to_string(),
        scopes: client.scopes.words().collect(),
        networks: client.networks.words().collect(),
        token_lifetime_seconds: client.token_lifetime.as_secs(),
        assertion: client.assertion.as_ref().map(|one| AssertionView {
            issuer: one.issuer.clone(),
            subject: one.subject.clone(),
            audience: one.audience.clone(),
            jwks: one.jwks.clone(),
        }),
        secrets: client.secrets.iter().map(|one| secret_view(one, call.facts.now)).collect(),
        token_endpoint: format!("{}/oauth2/token", origin.unwrap_or_default()),
        created_by: client.created_by.clone(),
        created_at: instant(client.created_at),
        revoked_at: client.revoked_at.map(instant),
        last_used_at: last.map(|last| instant(last.at)),
        last_client: last.map(|last| last.client.clone()),
        last_network: last.map(|last| last.network.clone()),
    }
}

pub(super) fn secret_view(secret: &ClientSecret, now: OffsetDateTime) -> SecretView {
    let state = if secret.revoked_at.is_some() {
        "revoked"
    } else if secret.expires_at <= now {
        "expired"
    } else {
        "live"
    };
    SecretView {
        id: format!("sec_{}", secret.id),
        hint: secret.hint.clone(),
        state,
        created_at: instant(secret.created_at),
        expires_at: instant(secret.expires_at),
        revoked_at: secret.revoked_at.map(instant),
    }
}
