//! Two stores, and a tenant in one of them.

use crate::support::store::{Store, has_postgres};
use crate::support::{BASE, NOW, asked, group, tenant, user};
use directory::{Action, Asked, Directory, DirectoryError, Once, Run, Scoped, Transfer};
use futures_util::future::join_all;
use provisioning::Reason;
use region_router::{Population, Region};
use scim_core::Member;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tenant_registry::Tenant;
use time::OffsetDateTime;
use time::macros::datetime;
use tokio_util::task::TaskTracker;

/// When a tenant is frozen: so late that every decision of a test was made well before.
pub(super) const FROZEN: OffsetDateTime = datetime!(2026-11-22 10:10:00 UTC);

/// One end of a move.
pub(super) struct End {
    pub(super) store: Store,
    pub(super) directory: Directory,
}

/// Both ends.
pub(super) struct Ends {
    pub(super) source: End,
    pub(super) target: End,
}

impl End {
    async fn open(store: Store, region: &str, shard: &str) -> Self {
        let (region, tasks) = (Region::parse(region).unwrap(), TaskTracker::new());
        let database = store.database().await;
        let directory = Directory::open_shard(database, region, shard, tasks, NOW).await.unwrap();
        Self { store, directory }
    }
}

/// Runs a test for each pair of engines that there is, between regions and between shards.
pub(super) async fn each_pair(test: impl AsyncFn(Ends)) {
    let engines: &[bool] = if has_postgres() { &[false, true] } else { &[false] };
    for from in engines {
        for to in engines {
            let store =
                |is_server: bool| if is_server { Store::postgres() } else { Store::sqlite() };
            let (region, shard) = if from == to { ("us", "1") } else { ("eu", "0") };
            test(Ends {
                source: End::open(store(*from), "us", "0").await,
                target: End::open(store(*to), region, shard).await,
            })
            .await;
        }
    }
}

/// The tenant of this epoch.
pub(super) fn tenant_at(epoch: i64) -> Arc<Tenant> {
    Arc::new(Tenant { epoch, ..tenant('a') })
}

pub(super) fn is_fenced<T>(outcome: &Result<T, DirectoryError>) -> bool {
    matches!(outcome, Err(DirectoryError::Fenced))
}

pub(super) async fn create(scoped: &Scoped, name: &str) -> Result<String, DirectoryError> {
    let body = json!({ "userName": name, "displayName": name, "emails": [{ "value": format!("{name}@example.com") }] });
    let made = scoped.create_user(&user(&body), &asked("user.create")).await;
    made.map(|answer| answer.user.id)
}

/// Notes a read of this request.
pub(super) fn read(scoped: &Scoped, request: &str) {
    let asked = Asked { request_id: request.to_owned(), ..asked("user.read") };
    scoped.note_read(&asked, Reason::UserRead, "User", None, "");
}

/// Waits until what was noted is written.
pub(super) async fn settle(directory: &Directory) {
    directory.flush().await;
}

impl Ends {
    pub(super) fn name(&self) -> String {
        let engine = |end: &End| if end.store.is_sqlite() { "SQLite" } else { "PostgreSQL" };
        format!("{} to {}", engine(&self.source), engine(&self.target))
    }

    /// A move of the tenant as it is at first.
    pub(super) fn transfer(&self) -> Transfer {
        let (from, to) = (self.source.directory.clone(), self.target.directory.clone());
        Transfer::new(from, to, tenant_at(1))
    }

    pub(super) fn source_view(&self, tenant: &Arc<Tenant>) -> Scoped {
        self.source.directory.within(tenant)
    }

    pub(super) fn target_view(&self, tenant: &Arc<Tenant>) -> Scoped {
        self.target.directory.within(tenant)
    }

    /// Puts rows into every table, of both populations.
    pub(super) async fn fill(&self, letter: char) {
        let tenant = Arc::new(tenant(letter));
        for population in Population::ALL {
            let scoped = self.source.directory.within_population(&tenant, population);
            let ada = create(&scoped, "ada").await.unwrap();
            let bob = create(&scoped, "bob").await.unwrap();
            let mut crew = Vec::new();
            for number in 0..5 {
                crew.push(create(&scoped, &format!("sailor-{number}")).await.unwrap());
            }
            let members: Vec<Member> =
                crew.iter().map(|id| Member { id: id.clone(), kind: None }).collect();
            let body = group(&json!({ "displayName": "Crew" }));
            let inner = scoped.create_group(&body, &members, &asked("group.create")).await.unwrap();
            let outer = [
                Member { id: inner.group.id, kind: Some(scim_core::MemberKind::Group) },
                Member { id: ada.clone(), kind: None },
            ];
            let body = group(&json!({ "displayName": "Fleet" }));
            scoped.create_group(&body, &outer, &asked("group.create")).await.unwrap();
            scoped.delete_user(&bob, |_| true, &asked("user.delete")).await.unwrap();
            let once = Some(Once { key: [1; 32], body: [1; 32] });
            let run = Run { once, ..Run::default() };
            let act = asked("user.deactivate");
            scoped.act(&ada, BASE, Action::Deactivate, run, &act).await.unwrap();
            let mut noted = asked("user.read");
            noted.notes.met(scim_core::Quirk::StringBool);
            scoped.note_read(&noted, Reason::UserRead, "User", Some(&ada), "");
        }
        settle(&self.source.directory).await;
    }

    /// So many people, a tenth of them in one group.
    pub(super) async fn crowd(&self, people: usize) {
        let scoped = self.source_view(&tenant_at(1));
        let mut ids = Vec::new();
        let names: Vec<String> = (0..people).map(|n| format!("person-{n}")).collect();
        for some in names.chunks(64) {
            let made = join_all(some.iter().map(|name| create(&scoped, name))).await;
            ids.extend(made.into_iter().map(Result::unwrap));
        }
        let members: Vec<Member> =
            ids.iter().step_by(10).map(|id| Member { id: id.clone(), kind: None }).collect();
        let body = group(&json!({ "displayName": "All" }));
        scoped.create_group(&body, &members, &asked("group.create")).await.unwrap();
    }

    /// The whole way, without deleting what is left behind: the tenant as it is then.
    pub(super) async fn move_all(&self) -> Arc<Tenant> {
        let transfer = self.transfer();
        transfer.prepare(&super::quietly).await.unwrap();
        transfer.freeze().await.unwrap();
        transfer.finish(NOW, FROZEN).await.unwrap();
        assert!(transfer.compare(FROZEN).await.unwrap().is_same());
        transfer.approve(3).await.unwrap();
        transfer.arm(3).await.unwrap();
        transfer.retire(3).await.unwrap();
        tenant_at(3)
    }

    pub(super) async fn fences(&self, end: &End) -> Vec<String> {
        end.store
            .texts(
                "SELECT tenant_id || ' ' || CAST(epoch AS TEXT) || ' ' || state FROM tenants
                 WHERE tenant_id LIKE 'ten_aaaa%' ORDER BY tenant_id",
            )
            .await
    }

    /// Every row of a tenant but its fences, as text: all columns that have one form everywhere.
    pub(super) async fn rows_of(&self, end: &End, letter: char) -> Vec<String> {
        let mut all = Vec::new();
        for (table, columns) in [
            (
                "users",
                "id,user_name_key,external_id,display,active,role,doc,version,created_at,updated_at,manager_key",
            ),
            ("user_emails", "email_key,user_id"),
            ("groups", "id,display_key,external_id,display,doc,version,created_at,updated_at"),
            ("members", "group_id,member_id,kind"),
            ("changes", "resource_type,resource_id,seq,at,kind,changed,data,request_id,actor"),
            ("outbox", "id,resource_type,resource_id,seq,at"),
            ("tombstones", "resource_type,id,subject_key,doc,version,deleted_at,role,active"),
            ("idempotency", "key,body,resource_id,answer,at"),
            ("quirk_counts", "quirk,client,count,first_at,last_at"),
            ("tallies", "slot,users,seats,groups,removed"),
            (
                "decisions",
                "id,at,operation,outcome,reason,status,resource_type,resource_id,subject,subject_key,attribute,detail,changed,ignored,quirks,request_id,trace_id,client,key_id,duration_us",
            ),
        ] {
            let texts: Vec<String> = columns
                .split(',')
                .map(|column| format!("coalesce(CAST({column} AS TEXT), '-')"))
                .collect();
            let sql = format!(
                "SELECT '{table} ' || tenant_id || ' ' || {} FROM {table} WHERE tenant_id LIKE 'ten_{letter}%'",
                texts.join(" || ' ' || ")
            );
            all.extend(end.store.texts(&sql).await);
        }
        all.sort();
        all
    }
}

/// Nothing that is awaited takes longer.
pub(super) const SOON: Duration = Duration::from_secs(30);
