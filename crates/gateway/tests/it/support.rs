//! A whole gateway for one test, and what tests have in common.

pub(crate) mod answer;
pub(crate) mod binary;
pub(crate) mod collector;
pub(crate) mod files;
pub(crate) mod postgres;
pub(crate) mod raw;
pub(crate) mod redis;
#[expect(dead_code, reason = "what ends a server is tested where the store is")]
#[path = "../../../directory/tests/it/support/server.rs"]
pub(crate) mod server;
pub(crate) mod stores;
pub(crate) mod tenant;

use gateway::app::App;
use gateway::config::Config;
use gateway::state::State;
use provisioning::ProfileId;
use region_router::{Place, Population, Region};
use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stores::Stores;
use tenant::TestTenant;
use tenant_registry::{By, NewCredential, NewTenant, Registry, Scopes, TenantChange, TenantState};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Who does things in tests, now.
pub(crate) fn by() -> By {
    By::cli(OffsetDateTime::from(std::time::SystemTime::now()))
}

/// Changes a tenant; this process sees it at once.
pub(crate) async fn change(registry: &Registry, tenant: &TestTenant, change: &TenantChange) {
    let pending = registry.change_tenant(&tenant.tenant.id, change, &by()).await.unwrap();
    pending.commit().await.unwrap();
}

/// A process that serves, in this process.
pub(crate) struct TestGateway {
    pub(crate) address: SocketAddr,
    pub(crate) state: actix_web::web::Data<State>,
    pub(crate) http: reqwest::Client,
    pub(crate) stores: Stores,
    stop: CancellationToken,
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        // It would drain for seconds; the test's runtime takes it along.
        self.stop.cancel();
    }
}

impl TestGateway {
    /// One that serves the region `us` alone.
    pub(crate) async fn start() -> Self {
        Self::start_with(&["us"], &[]).await
    }

    /// One that serves both regions.
    pub(crate) async fn start_everywhere() -> Self {
        Self::start_with(&["us", "eu"], &[]).await
    }

    /// One with its own settings, as environment variables.
    pub(crate) async fn start_with(regions: &[&str], settings: &[(&str, &str)]) -> Self {
        let stores = Stores::new(regions);
        Self::start_on(stores, regions, settings).await
    }

    /// One on stores that are there already.
    pub(crate) async fn start_on(
        stores: Stores,
        regions: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        let (address, state, stop) = Self::node(&stores, regions, settings).await;
        let http = client();
        Self { address, state, http, stores, stop }
    }

    /// The same tenants as another node of the same stores serves them.
    pub(crate) async fn other_node(&self, tenant: &TestTenant) -> TestTenant {
        self.other_node_with(tenant, &[]).await
    }

    /// The same with settings of its own.
    pub(crate) async fn other_node_with(
        &self,
        tenant: &TestTenant,
        settings: &[(&str, &str)],
    ) -> TestTenant {
        // Its URLs are those of the first, as behind one name.
        let port = self.address.port().to_string();
        let port = [("MUSTER__HOSTING__PUBLIC_PORT", port.as_str())];
        let settings = [&port, settings].concat();
        let (address, state, _) = Self::node(&self.stores, &["us"], &settings).await;
        TestTenant { address, state, ..tenant.clone() }
    }

    /// Another node of the same registry, to which the region `eu` is a gateway at this address.
    pub(crate) async fn edge(&self, gateway: SocketAddr, settings: &[(&str, &str)]) -> Self {
        let url = format!("http://{gateway}");
        let mut settings = settings.to_vec();
        settings.push(("MUSTER__REGIONS__EU__GATEWAY", &url));
        let (address, state, stop) = Self::node(&self.stores, &["us"], &settings).await;
        let (http, stores) = (client(), self.stores.borrowed());
        Self { address, state, http, stores, stop }
    }

    /// The same tenant as another node serves it.
    pub(crate) fn at(&self, tenant: &TestTenant) -> TestTenant {
        let (address, state) = (self.address, self.state.clone());
        TestTenant { address, state, ..tenant.clone() }
    }

    async fn node(
        stores: &Stores,
        regions: &[&str],
        settings: &[(&str, &str)],
    ) -> (SocketAddr, actix_web::web::Data<State>, CancellationToken) {
        let mut variables = stores.variables();
        if settings.iter().any(|(key, _)| *key == "MUSTER__REGIONS__EU__GATEWAY") {
            variables.retain(|(key, _)| key != "MUSTER__REGIONS__EU__STORE");
        }
        for (key, value) in [
            ("MUSTER__SERVER__LISTEN", "127.0.0.1:0"),
            ("MUSTER__OPS__LISTEN", "127.0.0.1:0"),
            ("MUSTER__SERVER__WORKERS", "2"),
            ("MUSTER__SERVER__DRAIN_DELAY", "0s"),
            ("MUSTER__NODE__REGIONS", &regions.join(",")),
        ]
        .iter()
        .chain(settings)
        {
            variables.push(((*key).to_owned(), (*value).to_owned()));
        }
        let config = Config::from_sources(None, &variables).unwrap_or_else(|p| panic!("{p}"));
        let app = App::bind(config).await.unwrap();
        let address = app.server_address().unwrap();
        let (state, stop) = (app.state().clone(), CancellationToken::new());
        let token = stop.clone();
        TaskTracker::new().spawn_local(async move { app.run(token).await.unwrap() });
        (address, state, stop)
    }

    /// A tenant with the `open` profile at `us`/platform, and its token.
    pub(crate) async fn tenant(&self, slug: &str) -> TestTenant {
        self.tenant_with(slug, |_| {}).await
    }

    /// A tenant with changes to the usual one.
    pub(crate) async fn tenant_with(
        &self,
        slug: &str,
        alter: impl FnOnce(&mut NewTenant),
    ) -> TestTenant {
        let home = place("us", Population::Platform);
        let mut new = NewTenant::new(slug, &format!("{slug} Ltd"), home, ProfileId::Open);
        alter(&mut new);
        let tenant = self.state.registry.create_tenant(&new, &by()).await.unwrap();
        let tenant = tenant.commit().await.unwrap();
        let mut made = TestTenant {
            http: self.http.clone(),
            address: self.address,
            host: self.state.hosts.host(&tenant.place()),
            base_url: self.state.hosts.base_url(&tenant.place()),
            key_id: String::new(),
            token: String::new(),
            tenant: Arc::new(tenant),
            state: self.state.clone(),
        };
        let scoped = self.with_scopes(&made, Scopes::ALL).await;
        (made.token, made.key_id) = (scoped.token, scoped.key_id);
        made
    }

    /// The same tenant with another token.
    pub(crate) async fn with_scopes(&self, tenant: &TestTenant, scopes: Scopes) -> TestTenant {
        let new =
            NewCredential { scopes, ..NewCredential::new("Entra", Duration::from_secs(3_600)) };
        self.with_credential(tenant, &new).await
    }

    /// The same tenant with another token.
    pub(crate) async fn with_credential(
        &self,
        tenant: &TestTenant,
        new: &NewCredential,
    ) -> TestTenant {
        let registry = &self.state.registry;
        let issued = registry.create_credential(&tenant.tenant.id, new, &by()).await.unwrap();
        let issued = issued.commit().await.unwrap();
        TestTenant {
            token: issued.token.expose_secret().to_owned(),
            key_id: issued.credential.key_id.clone(),
            ..tenant.clone()
        }
    }

    /// Changes a tenant; this process sees it at once.
    pub(crate) async fn change(&self, tenant: &TestTenant, asked: TenantChange) {
        change(&self.state.registry, tenant, &asked).await;
    }

    /// Suspends a tenant, closes it, or serves it again.
    pub(crate) async fn set_state(&self, tenant: &TestTenant, state: TenantState) {
        let registry = &self.state.registry;
        let pending = registry.set_state(&tenant.tenant.id, state, &by()).await.unwrap();
        pending.commit().await.unwrap();
    }

    /// Revokes the tenant's token.
    pub(crate) async fn revoke(&self, tenant: &TestTenant) {
        let registry = &self.state.registry;
        let (id, key_id) = (&tenant.tenant.id, &tenant.key_id);
        let pending = registry.revoke_credential(id, key_id, &by()).await.unwrap();
        pending.commit().await.unwrap();
    }

    /// A call without a token to any host.
    pub(crate) fn call(&self, method: &str, host: &str, path: &str) -> tenant::Call {
        tenant::Call::new(&self.http, self.address, method, path).header("host", host)
    }
}

/// A client that follows nothing and keeps no connection, which a stopping server would wait for.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .unwrap()
}

pub(crate) fn place(region: &str, population: Population) -> Place {
    Place { region: Region::parse(region).unwrap(), population }
}

/// Asks until the answer is there; what is awaited happens soon, and never is a failure.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Letters without order, so that nothing can compress them; the same ones every time (xorshift).
pub(crate) fn random_text(length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[usize::try_from(state % 36).unwrap()])
    };
    (0..length).map(|_| letter()).collect()
}
