//! A call on its way: who, to which endpoint, with what.
//!
//! **Invariant**: a call's tenant is one that its caller may see; its changes are by its caller, at one time.

use super::Admin;
use super::answer::Answer;
use super::endpoint::Endpoint;
use super::input::{self, Query};
use super::operator::{Operator, Role};
use super::problem::{Code, Problem};
use directory::{Asked, Scoped};
use region_router::Population;
use scim_core::Notes;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Instant;
use tenant_registry::{By, Once, Pending, Remembered, Tenant, TenantId};
use time::OffsetDateTime;

/// Seconds after which a store that is not there is worth another try.
const RETRY_AFTER: u32 = 5;

/// What is known of a call whatever it asks.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The id under which the caller and the log know it.
    pub request_id: String,
    /// The trace it belongs to, if it is traced.
    pub trace_id: Option<String>,
    /// When it came.
    pub started: Instant,
    /// The time that it takes place at.
    pub now: OffsetDateTime,
}

/// A call.
#[derive(Debug)]
pub struct Call {
    /// What it can reach.
    pub admin: Arc<Admin>,
    /// Who calls.
    pub operator: Operator,
    /// What is called.
    pub endpoint: &'static Endpoint,
    /// What is known of it.
    pub facts: Facts,
    /// The parameters of its query.
    pub query: Query,
    /// Whether nothing is to be kept.
    pub dry_run: bool,
    /// The version that a change is for.
    pub expected: Option<i64>,
    /// How a repetition is known, where the registry keeps it.
    pub once: Option<Once>,
    /// The same, where a region's store keeps it.
    pub directory_once: Option<directory::Once>,
    pub(super) path: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) tenant: Option<Arc<Tenant>>,
}

impl Call {
    /// The tenant in the path.
    ///
    /// # Errors
    /// 404 when the path has none: the endpoint's row is wrong then.
    pub fn tenant(&self) -> Result<&Arc<Tenant>, Problem> {
        self.tenant.as_ref().ok_or_else(|| Problem::not_found("tenant"))
    }

    /// The id of the tenant in the path.
    ///
    /// # Errors
    /// As [`Self::tenant`].
    pub fn tenant_id(&self) -> Result<&TenantId, Problem> {
        Ok(&self.tenant()?.id)
    }

    /// A part of the path.
    #[must_use]
    pub fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// A part of the path that is an id with a prefix, without it.
    ///
    /// # Errors
    /// 404 when it has another prefix.
    pub fn path_id(&self, name: &str, prefix: &str, what: &str) -> Result<&str, Problem> {
        self.path(name).strip_prefix(prefix).ok_or_else(|| Problem::not_found(what))
    }

    /// The body.
    ///
    /// # Errors
    /// 400 or 422, naming the field.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        input::body(&self.body)
    }

    /// The body of a PATCH, of whose fields only these can be null.
    ///
    /// # Errors
    /// 400 or 422, naming the field.
    pub fn patch<T: DeserializeOwned>(&self, nullable: &[&str]) -> Result<T, Problem> {
        input::refuse_null(&self.body, nullable)?;
        self.body()
    }

    /// The body, or a usual one where none was sent.
    ///
    /// # Errors
    /// 400 or 422, naming the field.
    pub fn body_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { self.body() }
    }

    /// The circumstances of a change in the registry.
    #[must_use]
    pub fn by(&self) -> By {
        let keyed = |subject: &str| {
            let key = self.admin.registry.derive_key(&format!("name of a caller: {subject}"));
            key.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
        };
        By {
            request_id: Some(self.facts.request_id.clone()),
            expected: self.expected,
            once: self.once.clone(),
            ..By::new(self.operator.actor(keyed), self.facts.now)
        }
    }

    /// Ends a change: kept with its answer, or taken back when nothing is to be kept.
    ///
    /// # Errors
    /// When it cannot be committed.
    pub async fn settle<T>(
        &self,
        pending: Pending<T>,
        render: impl FnOnce(&T) -> Answer,
    ) -> Result<Answer, Problem> {
        Ok(self.settled(pending, render).await?.0)
    }

    /// The same of a change that ends writing in some populations of a tenant: the answer leaves when nobody writes there.
    ///
    /// # Errors
    /// When it cannot be committed.
    pub async fn settle_and_fence(
        &self,
        pending: Pending<Tenant>,
        ended: impl FnOnce(&Tenant) -> Vec<Population>,
        render: impl FnOnce(&Tenant) -> Answer,
    ) -> Result<Answer, Problem> {
        let (answer, tenant) = self.settled(pending, render).await?;
        self.fence(&tenant, &ended(&tenant)).await;
        Ok(answer)
    }

    async fn settled<T>(
        &self,
        pending: Pending<T>,
        render: impl FnOnce(&T) -> Answer,
    ) -> Result<(Answer, T), Problem> {
        let answer = render(&pending);
        let value = if self.dry_run {
            pending.discard().await
        } else if self.once.is_some() {
            let kept = Remembered { status: answer.status, body: answer.to_bytes() };
            pending.commit_with(&kept).await?
        } else {
            pending.commit().await?
        };
        Ok((answer, value))
    }

    /// Puts up the fence in the region's store after a change that ends writing in a population: other nodes may not know of the
    /// change yet. A store that is not here, or does not answer, is fenced when its nodes have read the registry.
    async fn fence(&self, tenant: &Tenant, populations: &[Population]) {
        if self.dry_run {
            return;
        }
        let Some(directory) = self.admin.directories.of(tenant) else { return };
        let tenant = Arc::new(tenant.clone());
        for population in populations {
            let scoped = directory.within_population(&tenant, *population);
            if let Err(error) = scoped.fence(self.facts.now).await {
                let error = migrations::causes(&error);
                tracing::warn!(
                    error,
                    tenant.id = tenant.id.as_str(),
                    "the store could not be fenced; nodes follow when they have read the registry"
                );
            }
        }
    }

    /// The view of the tenant's store: of the population in the query, or the tenant's own.
    ///
    /// # Errors
    /// 421 when the store is not on this node.
    pub fn scoped(&self) -> Result<Scoped, Problem> {
        let tenant = self.tenant()?;
        let named = self.query.text("population").and_then(|word| Population::parse(word).ok());
        let population = named.unwrap_or(tenant.population);
        Ok(self.directory()?.within_population(tenant, population))
    }

    /// The tenant's store.
    ///
    /// # Errors
    /// 421 when its region is not on this node, 503 when only its shard is not.
    pub fn directory(&self) -> Result<&directory::Directory, Problem> {
        let tenant = self.tenant()?;
        let directories = &self.admin.directories;
        directories.of(tenant).ok_or_else(|| {
            let region = &tenant.region;
            if directories.serves(region) {
                self.admin.tell_missing(tenant);
                return Problem::new(
                    Code::StoreUnavailable,
                    "The tenant's store is not on this node at the moment. Nothing is lost; try again later.",
                )
                .retry_after(RETRY_AFTER);
            }
            Problem::new(
                Code::RegionNotHere,
                format!(
                    "The store of region {region} is not on this node. Ask a node of that region."
                ),
            )
        })
    }

    /// The base URL of the scoped population.
    ///
    /// # Errors
    /// As [`Self::tenant`].
    pub fn base_url(&self, scoped: &Scoped) -> Result<String, Problem> {
        let place = region_router::Place {
            region: self.tenant()?.region.clone(),
            population: scoped.population(),
        };
        Ok(self.admin.hosts.base_url(&place))
    }

    /// What a decision about this call carries.
    #[must_use]
    pub fn asked(&self, operation: &'static str) -> Asked {
        let who = match self.operator.role {
            Role::Cli => "cli".to_owned(),
            Role::Operator | Role::TenantAdmin(_) => self.by().actor.to_string().replace(' ', ":"),
        };
        Asked {
            operation,
            request_id: self.facts.request_id.clone(),
            trace_id: self.facts.trace_id.clone(),
            client: "admin".to_owned(),
            key_id: who,
            started: self.facts.started,
            now: self.facts.now,
            notes: Notes::default(),
            part: None,
        }
    }

    /// The version as an unsigned number, for stores that count from one.
    #[must_use]
    pub fn expected_version(&self) -> Option<u64> {
        self.expected.map(|version| u64::try_from(version).unwrap_or_default())
    }
}
