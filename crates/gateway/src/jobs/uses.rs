//! When credentials were used last: kept in memory, and written together now and then.
//!
//! **Invariant**: no request waits for it, and none writes. What is lost when the process dies is one interval's worth. Of an
//! address its network is kept, and of a client its family.

use crate::state::State;
use actix_web::web;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use tenant_registry::{CredentialUse, TenantId};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// The last uses that are not written yet, by the key id of the credential or the id of the client.
#[derive(Debug, Default)]
pub struct Uses(Mutex<HashMap<String, Use>>);

#[derive(Debug, Clone)]
struct Use {
    tenant_id: TenantId,
    at: OffsetDateTime,
    client: &'static str,
    network: IpNet,
}

impl Uses {
    /// Notes a use.
    pub fn note(
        &self,
        key_id: &str,
        tenant_id: &TenantId,
        (at, client, address): (OffsetDateTime, &'static str, IpAddr),
    ) {
        let network = network(address);
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = uses.get_mut(key_id) {
            (known.at, known.client, known.network) = (at, client, network);
            return;
        }
        let tenant_id = tenant_id.clone();
        uses.insert(key_id.to_owned(), Use { tenant_id, at, client, network });
    }

    fn take(&self) -> HashMap<String, Use> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what could not be written for the next time, where nothing newer is known.
    fn put_back(&self, old: HashMap<String, Use>) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key_id, one) in old {
            uses.entry(key_id).or_insert(one);
        }
    }
}

/// The network that an address is kept as: as large as a site usually has (RFC 6177 §2 for IPv6).
fn network(address: IpAddr) -> IpNet {
    let length = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, length).map_or_else(|_| IpNet::from(address), |network| network.trunc())
}

/// Writes the last uses until stopped, and once more then.
pub(super) async fn run(state: web::Data<State>, stop: CancellationToken) {
    let every = state.config.registry.uses_interval;
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => flush(&state).await,
        }
    }
    flush(&state).await;
}

/// Writes what was noted.
pub async fn flush(state: &State) {
    let taken = state.uses.take();
    if taken.is_empty() {
        return;
    }
    let uses: Vec<CredentialUse> = taken
        .iter()
        .map(|(key_id, one)| CredentialUse {
            key_id: key_id.clone(),
            tenant_id: one.tenant_id.clone(),
            at: one.at,
            client: one.client.to_owned(),
            network: one.network.to_string(),
        })
        .collect();
    if let Err(error) = state.registry.note_uses(&uses).await {
        let error = migrations::causes(&error);
        tracing::warn!(
            error,
            "last uses of credentials could not be written; they are kept for the next time"
        );
        state.uses.put_back(taken);
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn an_address_is_kept_as_its_network() {
        for (address, kept) in
            [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48")]
        {
            assert_eq!(network(address.parse().unwrap()).to_string(), kept);
        }
    }
}
