//! A commit whose answer is lost. A file cannot lose one: only a server is asked here.

use crate::support::{NOW, Store, by, new_tenant, variable};
use migrations::{Database, PoolOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tenant_registry::{Registry, RegistryError, RegistryOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

const PASS: u8 = 0;
/// The server hears the next COMMIT, and nobody hears its answer.
const LOSE_ANSWER: u8 = 1;
/// The server does not hear the next COMMIT.
const LOSE_COMMIT: u8 = 2;

/// A wire to the server that can be cut. It ends with the test's runtime.
struct Wire {
    port: u16,
    mode: Arc<AtomicU8>,
}

impl Wire {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = Arc::new(AtomicU8::new(PASS));
        let (modes, tasks) = (Arc::clone(&mode), TaskTracker::new());
        tasks.clone().spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                tasks.spawn(forward(client, server, Arc::clone(&modes)));
            }
        });
        Self { port, mode }
    }
}

async fn forward(mut client: TcpStream, mut server: TcpStream, mode: Arc<AtomicU8>) {
    loop {
        let (mut up, mut down) = (Vec::with_capacity(65_536), Vec::with_capacity(65_536));
        tokio::select! {
            sent = client.read_buf(&mut up) => {
                let Ok(1..) = sent else { return };
                let is_commit = up.windows(6).any(|window| window == b"COMMIT");
                let mode = if is_commit { mode.swap(PASS, Ordering::SeqCst) } else { PASS };
                if mode == LOSE_COMMIT {
                    return;
                }
                server.write_all(&up).await.unwrap();
                if mode == LOSE_ANSWER {
                    let _answered = server.read_buf(&mut down).await;
                    return;
                }
            }
            answered = server.read_buf(&mut down) => {
                let Ok(1..) = answered else { return };
                if client.write_all(&down).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The address in a URL such as `postgres://user@host:port/name`.
fn address(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_looked_for() {
    if variable("MUSTER_TEST_STORE").as_deref() != Some("postgres") {
        return;
    }
    let store = Store::new().await;
    let server = address(store.url());
    let wire = Wire::to(server.clone()).await;
    let url = store.url().replacen(&server, &format!("127.0.0.1:{}", wire.port), 1);
    let options = PoolOptions {
        readers: 3,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(10),
        application_name: "muster-test".to_owned(),
    };
    let database = Database::open(&url, &options).await.unwrap();
    let registry = Registry::open(database, RegistryOptions::default(), NOW).await.unwrap();

    let made = registry.create_tenant(&new_tenant("made"), &by()).await.unwrap();
    wire.mode.store(LOSE_ANSWER, Ordering::SeqCst);
    let made = made.commit().await.unwrap();
    assert_eq!(wire.mode.load(Ordering::SeqCst), PASS, "the wire was cut");
    assert_eq!(registry.find_tenant("made").await.unwrap(), Some(made));

    let lost = registry.create_tenant(&new_tenant("lost"), &by()).await.unwrap();
    wire.mode.store(LOSE_COMMIT, Ordering::SeqCst);
    let refused = lost.commit().await.unwrap_err();
    assert!(matches!(refused, RegistryError::Database(_)), "{refused:?}");
    assert_eq!(registry.find_tenant("lost").await.unwrap(), None);

    let again = registry.create_tenant(&new_tenant("lost"), &by()).await.unwrap();
    again.commit().await.unwrap();
    assert_eq!(registry.audit(None, 10).await.unwrap().len(), 2);
    registry.close().await.unwrap();
    store.remove().await;
}
