//! Starting and serving while the registry's database is away.

use crate::support::follower::{Follower, SOON, reached};
use crate::support::{NOW, Store, by, credential, new_tenant, presented, revoke, tenant};
use secrecy::{ExposeSecret, SecretString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tenant_registry::{
    AuthFailure, BearerToken, IssuedCredential, NewClient, Proof, Registry, RegistryError,
    RegistryOptions, Scopes, Standing,
};
use tokio::time::timeout;

/// A registry that nodes start from, and the folder of one of them.
struct Scene {
    store: Store,
    folder: TempDir,
    pepper: Option<&'static str>,
}

impl Scene {
    async fn new() -> Self {
        Self { store: Store::new().await, folder: TempDir::new().unwrap(), pepper: None }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("registry-snapshot")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    async fn try_start(&self) -> Result<Registry, RegistryError> {
        let options = RegistryOptions {
            poll: Duration::from_millis(20),
            snapshot: Some(self.path()),
            pepper: self.pepper.map(SecretString::from),
            ..RegistryOptions::default()
        };
        timeout(SOON, Registry::start(self.store.source(), options, NOW)).await.unwrap()
    }

    async fn start(&self) -> Registry {
        self.try_start().await.unwrap()
    }

    /// A tenant, a client of OAuth and a token, known to a node that then stopped; and the database goes away.
    async fn left(&self) -> (IssuedCredential, BearerToken) {
        let node = self.start().await;
        let follower = Follower::of(&node);
        let acme = tenant(&node, "acme").await;
        let client = node.create_client(&acme.id, &NewClient::new("Entra"), &by()).await.unwrap();
        let client = client.commit().await.unwrap();
        let proof = Proof::of_secret(&client.client.secrets.first().unwrap().id);
        let (access, _) = node.issue_access_token(&client.client, proof, Scopes::ALL, NOW);
        let issued = credential(&node, &acme).await;
        follower.end().await;
        node.close().await.unwrap();
        self.store.go_away().await;
        (issued, BearerToken::parse(access.expose_secret()).unwrap())
    }

    async fn end(self) {
        self.store.come_back().await;
        self.store.remove().await;
    }
}

fn cut(path: &Path) {
    let text = std::fs::read(path).unwrap();
    std::fs::write(path, text.get(..text.len() / 2).unwrap()).unwrap();
}

fn before(path: &Path) -> PathBuf {
    path.with_file_name("registry-snapshot.previous")
}

async fn stands(node: &Registry, standing: Standing) {
    let deadline = tokio::time::Instant::now() + SOON;
    while node.standing() != standing {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", node.standing());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_node_starts_without_the_database_and_catches_up_when_it_is_back() {
    let scene = Scene::new().await;
    let (issued, access) = scene.left().await;

    let node = scene.start().await;
    assert_eq!(node.standing(), Standing::Unreached);
    let known = node.authenticate(&presented(&issued), NOW).unwrap();
    assert_eq!((known.tenant.slug.as_str(), known.tenant.name.as_str()), ("acme", "Acme Ltd"));
    assert!(node.authenticate(&access, NOW).is_ok(), "the pepper is the same");
    let refused = node.create_tenant(&new_tenant("zeta"), &by()).await.unwrap_err();
    assert_eq!(refused.to_string(), "the registry's database does not answer");
    let follower = Follower::of(&node);

    scene.store.come_back().await;
    stands(&node, Standing::Current).await;
    let other = scene.store.node().await;
    revoke(&other, &issued.credential, NOW).await;
    reached(&node, *other.generations().borrow()).await;

    let failure = node.authenticate(&presented(&issued), NOW).unwrap_err();
    assert_eq!(failure, AuthFailure::Revoked(NOW));
    let clients = node.clients(&known.tenant.id).await.unwrap();
    assert_eq!(clients[0].created_by, "operator ada", "the database has what the file has not");
    follower.end().await;
    scene.end().await;
}

#[tokio::test]
async fn what_was_served_from_the_file_is_what_the_database_holds() {
    let scene = Scene::new().await;
    let (issued, _) = scene.left().await;
    let from_file = scene.start().await.authenticate(&presented(&issued), NOW).unwrap();
    scene.store.come_back().await;
    let node = scene.store.node().await;
    let from_database = node.authenticate(&presented(&issued), NOW).unwrap();

    assert_eq!(from_file.tenant, from_database.tenant);
    let mut kept = from_database.credential.as_ref().clone();
    kept.created_by = String::new();
    assert_eq!(*from_file.credential, kept);
    scene.end().await;
}

#[tokio::test]
async fn a_revocation_just_before_the_end_is_on_disk() {
    let scene = Scene::new().await;
    let node = scene.start().await;
    let follower = Follower::of(&node);
    let issued = credential(&node, &tenant(&node, "acme").await).await;
    revoke(&node, &issued.credential, NOW).await;
    follower.end().await;
    node.close().await.unwrap();
    scene.store.go_away().await;

    let failure = scene.start().await.authenticate(&presented(&issued), NOW).unwrap_err();

    assert_eq!(failure, AuthFailure::Revoked(NOW));
    scene.end().await;
}

#[tokio::test]
async fn a_torn_file_is_replaced_by_the_one_before_it_and_two_torn_ones_by_none() {
    let scene = Scene::new().await;
    let node = scene.start().await;
    let follower = Follower::of(&node);
    let issued = credential(&node, &tenant(&node, "acme").await).await;
    follower.end().await;
    let follower = Follower::of(&node);
    tenant(&node, "zeta").await;
    follower.end().await;
    node.close().await.unwrap();
    scene.store.go_away().await;

    cut(&scene.path());
    let node = scene.start().await;
    assert!(node.authenticate(&presented(&issued), NOW).is_ok());

    cut(&before(&scene.path()));
    let refused = scene.try_start().await.unwrap_err();
    let RegistryError::NoStart { .. } = refused else { panic!("{refused:?}") };
    let said = refused.to_string();
    assert!(
        said.contains(
            "registry-snapshot is damaged: its checksum does not fit, the one before it is damaged"
        ) && said
            .contains("bring the database back, or copy registry.snapshot from a node that serves"),
        "{said}"
    );

    // With the database, neither is needed.
    scene.store.come_back().await;
    assert!(scene.start().await.authenticate(&presented(&issued), NOW).is_ok());
    scene.end().await;
}

#[tokio::test]
async fn without_database_and_snapshot_nothing_starts() {
    let scene = Scene::new().await;
    if scene.store.url().starts_with("sqlite:") {
        std::fs::write(scene.store.url().trim_start_matches("sqlite:"), "x".repeat(4096)).unwrap();
    } else {
        scene.store.go_away().await;
    }
    let refused = scene.try_start().await.unwrap_err();
    assert!(
        refused.to_string().contains("is not there, the one before it is not there"),
        "{refused}"
    );
    scene.end().await;
}

#[tokio::test]
async fn the_file_is_its_owners_and_holds_no_token_and_nobodys_name() {
    let scene = Scene::new().await;
    let (issued, access) = scene.left().await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&scene.path()), 0o600);
    let text = scene.text();
    let (_, secret) = issued.token.expose_secret().rsplit_once('_').unwrap();
    for absent in [secret, "operator ada", "\"ada\""] {
        assert!(!text.contains(absent), "{absent} is in the file");
    }
    assert!(text.contains(&issued.credential.key_id) && !access.key_id().is_empty());
    scene.end().await;
}

#[tokio::test]
async fn a_configured_pepper_is_not_in_the_file_and_is_needed_to_start_from_it() {
    let mut scene = Scene::new().await;
    scene.pepper = Some("a pepper from a vault, which is long");
    let (issued, _) = scene.left().await;
    assert!(!scene.text().contains("vault") && scene.text().contains("\"pepper\":null"));
    assert!(scene.start().await.authenticate(&presented(&issued), NOW).is_ok());

    for other in [None, Some("another pepper, which is as long")] {
        scene.pepper = other;
        let said = scene.try_start().await.unwrap_err().to_string();
        assert!(said.contains("was made with another token pepper"), "{said}");
    }
    scene.end().await;
}

#[tokio::test]
async fn a_pepper_of_the_registry_itself_is_in_the_file_once() {
    let scene = Scene::new().await;
    scene.left().await;
    scene.store.come_back().await;
    let secrets = scene.store.dump("registry_secrets", "name, value").await;
    let own = secrets.lines().find_map(|line| line.strip_prefix("token_pepper|")).unwrap();
    assert_eq!(scene.text().matches(own).count(), 1);
    scene.end().await;
}

#[tokio::test]
async fn an_empty_database_in_the_place_of_a_known_one_is_not_taken_at_the_start_either() {
    let scene = Scene::new().await;
    let (issued, _) = scene.left().await;
    scene.store.come_back().await;
    for table in ["credentials", "oauth_secrets", "oauth_clients", "tenants"] {
        scene.store.run(&format!("DELETE FROM registry_{table}")).await;
    }
    scene.store.restore(0).await;

    let node = scene.start().await;

    assert_eq!(node.standing(), Standing::Doubted);
    assert!(node.authenticate(&presented(&issued), NOW).is_ok());
    let word = scene.store.node().await;
    word.accept(&by()).await.unwrap().commit().await.unwrap();
    node.refresh().await.unwrap();
    assert!(node.authenticate(&presented(&issued), NOW).is_err());
    scene.end().await;
}

#[tokio::test]
async fn a_credential_made_elsewhere_is_asked_for_once() {
    let scene = Scene::new().await;
    let options =
        RegistryOptions { poll: Duration::from_secs(86_400), ..RegistryOptions::default() };
    let there = scene.store.node_with(options).await;
    let here = scene.store.node().await;
    let acme = tenant(&here, "acme").await;
    let began = Instant::now();
    let follower = Follower::of(&there);
    // The first poll is at once; the next one is tomorrow's.
    while there.age() > began.elapsed() {
        tokio::task::yield_now().await;
    }
    let issued = credential(&here, &acme).await;
    assert_eq!(there.authenticate(&presented(&issued), NOW).unwrap_err(), AuthFailure::Unknown);

    let look = there.look_again().unwrap();
    let all = [there.look_again(), there.look_again()];
    assert!(all.iter().flatten().count() <= 2, "they wait for the same one");
    look.done().await;
    reached(&there, *here.generations().borrow()).await;

    assert!(there.authenticate(&presented(&issued), NOW).is_ok());
    assert!(there.look_again().is_none(), "one a second is enough");
    follower.end().await;
    scene.end().await;
}

#[tokio::test]
async fn nothing_is_asked_of_a_database_that_is_away() {
    let scene = Scene::new().await;
    scene.left().await;
    let node = scene.start().await;
    assert!(node.look_again().is_none());
    scene.end().await;
}
