//! The whole registry in memory.
//!
//! **Invariant**: a snapshot is never changed, only replaced; it is at least as new as the generation it names.

pub(crate) mod doubt;
pub(crate) mod file;
pub(crate) mod rows;

use crate::credential::Credential;
use crate::oauth::{OauthClient, Proof, id};
use crate::tenant::Tenant;
use crate::tenant::id::TenantId;
use region_router::Place;
use std::collections::HashMap;
use std::sync::Arc;

/// What was known at one generation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) generation: i64,
    /// When an operator last said that what the registry holds is to be taken; 0: never.
    pub(crate) accepted_at: i64,
    /// Whether it was read, and is not the nothing of before.
    is_known: bool,
    tenants: HashMap<TenantId, Arc<Tenant>>,
    credentials: HashMap<String, Arc<Credential>>,
    /// Key ids of what is not revoked, by its hint.
    hints: HashMap<String, Vec<String>>,
    clients: HashMap<String, Arc<OauthClient>>,
    /// The client of each secret, by its visible part.
    secrets: HashMap<String, String>,
    /// With what each client's tokens may have been asked for.
    proofs: HashMap<String, Vec<Proof>>,
}

impl Snapshot {
    /// The tenant with this slug or id. No slug is an id: a slug has no underscore.
    pub(crate) fn named(&self, slug_or_id: &str) -> Option<&Arc<Tenant>> {
        match TenantId::parse(slug_or_id) {
            Ok(id) => self.tenant(&id),
            Err(_a_slug) => self.tenants.values().find(|tenant| tenant.slug == slug_or_id),
        }
    }

    pub(crate) fn tenant(&self, id: &TenantId) -> Option<&Arc<Tenant>> {
        self.tenants.get(id)
    }

    pub(crate) fn tenants(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.tenants.values()
    }

    pub(crate) fn credential(&self, key_id: &str) -> Option<&Arc<Credential>> {
        self.credentials.get(key_id)
    }

    /// The credential with this hint, where no other one that is not revoked has it.
    pub(crate) fn only_with_hint(&self, hint: &str) -> Option<&Arc<Credential>> {
        match self.hints.get(hint).map(Vec::as_slice) {
            Some([key_id]) => self.credentials.get(key_id),
            _ => None,
        }
    }

    /// The client with this visible part of its id.
    pub(crate) fn client(&self, key_id: &str) -> Option<&Arc<OauthClient>> {
        self.clients.get(key_id)
    }

    /// The client of a secret with this visible part.
    pub(crate) fn client_of_secret(&self, secret_id: &str) -> Option<&Arc<OauthClient>> {
        self.clients.get(self.secrets.get(secret_id)?)
    }

    /// Whether what a token of a client was asked for with is neither revoked nor gone.
    pub(crate) fn stands(&self, client: &str, proof: Proof) -> bool {
        self.proofs.get(client).is_some_and(|proofs| proofs.contains(&proof))
    }

    /// This snapshot with newer rows in place of older ones.
    pub(crate) fn with(
        mut self,
        generation: i64,
        tenants: Vec<Tenant>,
        credentials: Vec<Credential>,
    ) -> Self {
        self.generation = generation;
        self.is_known = true;
        self.readdress(&tenants);
        self.tenants
            .extend(tenants.into_iter().map(|tenant| (tenant.id.clone(), Arc::new(tenant))));
        for credential in credentials {
            let with_hint = self.hints.entry(credential.hint.clone()).or_default();
            with_hint.retain(|key_id| *key_id != credential.key_id);
            if credential.revoked_at.is_none() {
                with_hint.push(credential.key_id.clone());
            }
            if with_hint.is_empty() {
                self.hints.remove(&credential.hint);
            }
            self.credentials.insert(credential.key_id.clone(), Arc::new(credential));
        }
        self
    }

    /// Gives the clients of tenants that come to another region the ids that they have there.
    fn readdress(&mut self, tenants: &[Tenant]) {
        let is_new = |tenant: &&Tenant| {
            self.tenants.get(&tenant.id).is_some_and(|known| known.region != tenant.region)
        };
        let came: HashMap<&TenantId, &Tenant> =
            tenants.iter().filter(is_new).map(|tenant| (&tenant.id, tenant)).collect();
        if came.is_empty() {
            return;
        }
        for (key_id, client) in &mut self.clients {
            if let Some(tenant) = came.get(&client.tenant_id) {
                let place = Place { region: tenant.region.clone(), population: client.population };
                Arc::make_mut(client).client_id = id::written(&place, key_id);
            }
        }
    }

    /// The same with newer clients.
    pub(crate) fn with_clients(mut self, clients: Vec<OauthClient>) -> Self {
        for client in clients {
            let Some(key_id) = id::key_id(&client.client_id).map(ToOwned::to_owned) else {
                continue;
            };
            let ids = client.secrets.iter().map(|secret| (secret.id.clone(), key_id.clone()));
            self.secrets.extend(ids);
            self.proofs.insert(key_id.clone(), Proof::of_client(&client));
            self.clients.insert(key_id, Arc::new(client));
        }
        self
    }

    /// Whether this is something that was read, and not the nothing of before.
    pub(crate) fn is_known(&self) -> bool {
        self.is_known
    }

    /// The generation, and under which word of an operator.
    pub(crate) fn name(&self) -> (i64, i64) {
        (self.generation, self.accepted_at)
    }

    /// How many tenants, and how many credentials and OAuth clients.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.tenants.len(), self.credentials.len() + self.clients.len())
    }

    /// This snapshot without what another one has revoked, if that is anything.
    pub(crate) fn without_what_ended_in(&self, other: &Self) -> Option<Self> {
        let ended = |(key_id, known): (&String, &Arc<Credential>)| {
            let revoked_at = other.credentials.get(key_id)?.revoked_at?;
            let known = known.revoked_at.is_none().then(|| Credential::clone(known))?;
            Some(Credential { revoked_at: Some(revoked_at), ..known })
        };
        let credentials: Vec<Credential> = self.credentials.iter().filter_map(ended).collect();
        let ended = |(key_id, known): (&String, &Arc<OauthClient>)| {
            known.ended_as(other.clients.get(key_id)?)
        };
        let clients: Vec<OauthClient> = self.clients.iter().filter_map(ended).collect();
        if credentials.is_empty() && clients.is_empty() {
            return None;
        }
        Some(self.clone().with(self.generation, Vec::new(), credentials).with_clients(clients))
    }
}
