//! Right place, other node: what a gateway does with the requests of a region that is elsewhere.

mod failures;
mod peer;
mod same;
mod silent;
mod trust;

use crate::support::TestGateway;
use crate::support::stores::Stores;
use crate::support::tenant::TestTenant;
use gateway::admin::keys::Keys;
use region_router::Population;
use serde_json::json;

/// A node of the region `eu`, and one of `us` that forwards to it and whose word it believes.
struct Pair {
    home: TestGateway,
    edge: TestGateway,
}

/// Both say the same URLs, as behind the same names.
pub(crate) const PORT: (&str, &str) = ("MUSTER__HOSTING__PUBLIC_PORT", "80");

impl Pair {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let (home, keys) = home(settings).await;
        let with_keys = [&[PORT, ("MUSTER__NODE__KEYS", keys.as_str())], settings].concat();
        let edge = home.edge(home.address, &with_keys).await;
        Self { home, edge }
    }
}

/// A node of `eu`, and the folder of the keys that it believes.
pub(crate) async fn home(settings: &[(&str, &str)]) -> (TestGateway, String) {
    let stores = Stores::new(&["us", "eu"]);
    let folder = stores.folder().join("edge-keys");
    let jwk = Keys::within(&folder).signing().unwrap().to_jwk().unwrap();
    let jwks = stores.folder().join("peers.json");
    std::fs::write(&jwks, json!({ "keys": [jwk] }).to_string()).unwrap();
    let jwks = jwks.display().to_string();
    let settings = [&[PORT, ("MUSTER__NODE__PEER_JWKS", jwks.as_str())], settings].concat();
    let home = TestGateway::start_on(stores, &["eu"], &settings).await;
    (home, folder.display().to_string())
}

/// A tenant of `eu`.
async fn tenant(home: &TestGateway, slug: &str) -> TestTenant {
    let place = crate::support::place("eu", Population::Platform);
    home.tenant_with(slug, |new| new.region = place.region).await
}
