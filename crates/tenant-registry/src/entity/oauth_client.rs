//! OAuth clients.
#![expect(unreachable_pub, reason = "the derives want public types")]

use super::{instant, micros, oauth_secret, unreadable};
use crate::credential::scopes::Scopes;
use crate::error::RegistryError;
use crate::networks::Networks;
use crate::oauth::{Assertion, OauthClient, id};
use crate::tenant::id::TenantId;
use region_router::{Place, Population, Region};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const TABLE: &str = "registry_oauth_clients";

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "registry_oauth_clients")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub tenant_id: String,
    pub population: String,
    pub name: String,
    pub scopes: String,
    pub networks: String,
    pub token_seconds: i64,
    pub issuer: Option<String>,
    pub subject: Option<String>,
    pub audience: Option<String>,
    pub jwks: Option<String>,
    pub created_by: String,
    pub generation: i64,
    pub created_at: i64,
    pub revoked_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A life of tokens as the column keeps it.
pub(crate) fn seconds(lifetime: Duration) -> i64 {
    i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)
}

/// The row of a new client.
pub(crate) fn new_row(client: &OauthClient) -> ActiveModel {
    let assertion = client.assertion.as_ref();
    ActiveModel {
        id: Set(id::key_id(&client.client_id).unwrap_or_default().to_owned()),
        tenant_id: Set(client.tenant_id.as_str().to_owned()),
        population: Set(client.population.as_str().to_owned()),
        name: Set(client.name.clone()),
        scopes: Set(client.scopes.to_string()),
        networks: Set(client.networks.to_string()),
        token_seconds: Set(seconds(client.token_lifetime)),
        issuer: Set(assertion.map(|assertion| assertion.issuer.clone())),
        subject: Set(assertion.map(|assertion| assertion.subject.clone())),
        audience: Set(assertion.and_then(|assertion| assertion.audience.clone())),
        jwks: Set(assertion.map(|assertion| assertion.jwks.clone())),
        created_by: Set(client.created_by.clone()),
        generation: Set(client.version),
        created_at: Set(micros(client.created_at)),
        revoked_at: Set(client.revoked_at.map(micros)),
    }
}

impl Model {
    /// The client with its secrets. The region is its tenant's, which a move changes.
    pub(crate) fn read(
        self,
        region: &Region,
        secrets: Vec<oauth_secret::Model>,
    ) -> Result<OauthClient, RegistryError> {
        let bad = |what| unreadable(TABLE, &self.id, what);
        let population = Population::parse(&self.population).ok().ok_or_else(bad("population"))?;
        let seconds = u64::try_from(self.token_seconds).ok().ok_or_else(bad("token_seconds"))?;
        let revoked_at =
            self.revoked_at.map(|at| instant(at).ok_or_else(bad("revoked_at"))).transpose()?;
        let assertion = match (self.issuer, self.subject, self.jwks) {
            (Some(issuer), Some(subject), Some(jwks)) => {
                Some(Assertion { issuer, subject, audience: self.audience, jwks })
            }
            _ => None,
        };
        let secrets = secrets.into_iter().map(oauth_secret::Model::read);
        Ok(OauthClient {
            client_id: id::written(&Place { region: region.clone(), population }, &self.id),
            tenant_id: TenantId::parse(&self.tenant_id).ok().ok_or_else(bad("tenant_id"))?,
            population,
            scopes: Scopes::parse(&self.scopes).ok().ok_or_else(bad("scopes"))?,
            token_lifetime: Duration::from_secs(seconds),
            networks: Networks::parse(&self.networks).ok().ok_or_else(bad("networks"))?,
            assertion,
            created_at: instant(self.created_at).ok_or_else(bad("created_at"))?,
            revoked_at,
            secrets: secrets.collect::<Result<_, _>>()?,
            version: self.generation,
            name: self.name,
            created_by: self.created_by,
        })
    }
}
