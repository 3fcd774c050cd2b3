//! A store for one test, a tenant in it, and what tests have in common.

pub(crate) mod documents;
pub(crate) mod server;
pub(crate) mod store;

use directory::{Asked, Directory, DirectoryError, Scoped, UserAnswer};
use migrations::Database;
use provisioning::ProfileId;
use region_router::{Place, Population, Region};
use scim_core::{
    Attributes, Document, Group, JsonLimits, Member, Notes, ResourceType, Tolerance, User,
};
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;
use store::Store;
use tenant_registry::{NewTenant, Tenant, TenantId};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio_util::task::TaskTracker;

/// The instant at which tests happen.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-22 10:00:00.123456 UTC);
/// The base URL in references.
pub(crate) const BASE: &str = "http://app.localhost:8080/scim/v2";

/// A tenant in a store of its own.
pub(crate) struct Scene {
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) scoped: Scoped,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with_seats(None).await
    }

    pub(crate) async fn with_seats(seats: Option<u64>) -> Self {
        Self::of(Tenant { seats, ..tenant('a') }).await
    }

    /// A store with this tenant in it.
    pub(crate) async fn of(tenant: Tenant) -> Self {
        let store = Store::new();
        let directory = open(&store).await;
        let scoped = directory.within(&Arc::new(tenant));
        Self { store, directory, scoped }
    }

    /// The id of the tenant.
    pub(crate) fn scoped_tenant(&self) -> String {
        tenant('a').id.as_str().to_owned()
    }

    /// Makes a user.
    pub(crate) async fn create(&self, body: &Value) -> Result<UserAnswer, DirectoryError> {
        self.scoped.create_user(&user(body), &asked("user.create")).await
    }

    /// Makes a user and gives its id.
    pub(crate) async fn user(&self, body: &Value) -> String {
        self.create(body).await.unwrap().user.id
    }

    /// Makes a user and deletes it.
    pub(crate) async fn user_deleted(&self, body: &Value) -> String {
        let id = self.user(body).await;
        self.scoped.delete_user(&id, |_| true, &asked("user.delete")).await.unwrap();
        id
    }

    /// Makes a user who may not use the product.
    pub(crate) async fn user_inactive(&self, body: &Value) -> String {
        let mut body = body.clone();
        body["active"] = Value::Bool(false);
        self.user(&body).await
    }

    /// Puts another document in the place of a user's.
    pub(crate) async fn replace(
        &self,
        id: &str,
        body: &Value,
    ) -> Result<UserAnswer, DirectoryError> {
        let new = user(body);
        let alter = |_: &Document, _: &mut Asked| Ok(new.clone());
        self.scoped.change_user(id, BASE, |_| true, alter, &mut asked("user.replace")).await
    }

    /// Makes a group with members and gives its id.
    pub(crate) async fn group(&self, body: &Value, members: &[&str]) -> String {
        let members: Vec<Member> =
            members.iter().map(|id| Member { id: (*id).to_owned(), kind: None }).collect();
        let asked = asked("group.create");
        self.scoped.create_group(&group(body), &members, &asked).await.unwrap().group.id
    }
}

/// Opens the store as that of the region `us`.
pub(crate) async fn open(store: &Store) -> Directory {
    open_on(store.database().await).await
}

/// Opens the directory on a database that is open.
pub(crate) async fn open_on(database: Database) -> Directory {
    let region = Region::parse("us").unwrap();
    Directory::open(database, region, TaskTracker::new(), NOW).await.unwrap()
}

/// Opens a store again as what it was, on a database that is open.
pub(crate) async fn reopen(database: Database, before: &Directory) -> Directory {
    let (region, shard) = (before.region().clone(), before.shard().to_owned());
    Directory::open_shard(database, region, &shard, TaskTracker::new(), NOW).await.unwrap()
}

/// An active tenant without limits.
pub(crate) fn tenant(letter: char) -> Tenant {
    let place = Place { region: Region::parse("us").unwrap(), population: Population::Platform };
    let new = NewTenant::new(&letter.to_string(), "Acme Ltd", place, ProfileId::Open);
    let id = TenantId::parse(&format!("ten_{}", letter.to_string().repeat(16))).unwrap();
    Tenant::made(id, &new, NOW)
}

pub(crate) fn asked(operation: &'static str) -> Asked {
    Asked {
        operation,
        request_id: "request-1".to_owned(),
        trace_id: None,
        client: "entra".to_owned(),
        key_id: "key-1".to_owned(),
        started: Instant::now(),
        now: NOW,
        notes: Notes::default(),
        part: None,
    }
}

pub(crate) fn attributes(body: &Value) -> Attributes {
    let limits = JsonLimits { depth: 64, array_values: 10_000 };
    Attributes::parse(body.to_string().as_bytes(), &limits).unwrap()
}

/// A user as the gateway makes one: active unless it says otherwise.
pub(crate) fn user(body: &Value) -> User {
    user_of(body, ResourceType::user())
}

/// A user of a tenant with attributes of its own.
pub(crate) fn user_of(body: &Value, of: &ResourceType) -> User {
    let (mut user, _) = User::parse(&attributes(body), of, &Tolerance::default()).unwrap();
    if user.document().get("active").is_none() {
        user.document_mut().set("active", Value::Bool(true));
    }
    user
}

pub(crate) fn group(body: &Value) -> Group {
    Group::parse(&attributes(body), ResourceType::group(), &Tolerance::default(), 10_000).unwrap().0
}
