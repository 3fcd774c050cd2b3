//! A server that is killed, stopped, restarted, held, and made a standby, under writes: nothing that was answered is lost, and
//! nothing is done twice. A file has no server: only PostgreSQL is asked here.

use self::writers::{History, check, more, under_writes};
use crate::support::server::Server;
use crate::support::store::variable;
use crate::support::{BASE, asked, open_on, tenant, user};
use directory::{Directory, DirectoryError, Scoped};
use migrations::{Database, PoolOptions};
use provisioning::Reason;
use serde_json::json;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

mod copies;
mod writers;

fn is_asked() -> bool {
    variable("MUSTER_TEST_STORE").as_deref() == Some("postgres")
}

fn options() -> PoolOptions {
    PoolOptions {
        readers: 4,
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(5),
        application_name: "muster-test".to_owned(),
    }
}

async fn scoped(url: &str) -> (Directory, Scoped) {
    let database = Database::open(url, &options()).await.unwrap();
    let directory = open_on(database).await;
    let scoped = directory.within(&Arc::new(tenant('a')));
    (directory, scoped)
}

#[tokio::test]
async fn writes_outlive_a_restart_and_none_is_lost_or_done_twice() {
    if !is_asked() {
        return;
    }
    let server = Server::start("");
    let (_directory, scoped) = scoped(&server.url()).await;

    for how in [Server::stop, Server::kill] {
        let histories = under_writes(&server, &scoped, Duration::from_secs(20), async |_| {
            how(&server);
            server.up();
        })
        .await;

        // Whoever can wait is answered: there is a server again long before anybody's time is over.
        assert_eq!(check(&server, &histories), 0);
        server.sql_in("us", "TRUNCATE users, user_emails, changes, outbox, decisions, tallies");
    }
}

#[tokio::test]
async fn a_server_that_stays_away_is_told_in_time_and_is_used_again_when_it_is_back() {
    if !is_asked() {
        return;
    }
    let server = Server::start("");
    let (_directory, scoped) = scoped(&server.url()).await;

    let patience = Duration::from_millis(300);
    let mut late = History::default();
    let mut histories = under_writes(&server, &scoped, patience, async |_| {
        server.kill();
        let begun = Instant::now();
        let new = user(&json!({ "userName": "late" }));
        let waiting = scoped.clone().until(Instant::now() + patience);
        match waiting.create_user(&new, &asked("user.create")).await.unwrap_err() {
            DirectoryError::Unavailable(_) => late.refused += 1,
            DirectoryError::Uncertain(_) => drop(late.unknown.insert("late".to_owned())),
            other => panic!("{other:?}"),
        }
        assert!(begun.elapsed() < options().acquire_timeout * 2, "{:?}", begun.elapsed());
        server.up();
    })
    .await;

    histories.push(late);
    // How many of the others were told depends on when their time was over; who came while the server was gone was.
    assert!(check(&server, &histories) > 0);
}

#[tokio::test]
async fn every_connection_that_is_ended_is_made_anew() {
    if !is_asked() {
        return;
    }
    let server = Server::start("");
    let (_directory, scoped) = scoped(&server.url()).await;

    let histories = under_writes(&server, &scoped, Duration::from_secs(20), async |made| {
        for _ in 0..10 {
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'muster-test'");
            more(&server, made, 5).await;
        }
    })
    .await;

    assert_eq!(check(&server, &histories), 0);
}

#[tokio::test]
async fn a_server_that_is_held_keeps_nobody_longer_than_a_connection_is_waited_for() {
    if !is_asked() {
        return;
    }
    let server = Server::start("");
    let options = PoolOptions { acquire_timeout: Duration::from_secs(1), ..options() };
    let directory = open_on(Database::open(&server.url(), &options).await.unwrap()).await;
    let scoped = directory.within(&Arc::new(tenant('a')));
    let new = user(&json!({ "userName": "ada" }));
    let id = scoped.create_user(&new, &asked("user.create")).await.unwrap().user.id;

    server.pause();
    for _ in 0..12 {
        // As the gateway does: whoever waits has a time for it.
        let read = tokio::time::timeout(Duration::from_millis(100), scoped.user(&id, BASE)).await;
        assert!(!matches!(read, Ok(Ok(_))));
    }
    assert!(directory.pool_state().size <= options.readers);
    server.go_on();

    let begun = Instant::now();
    let mut tries = 0;
    while scoped.user(&id, BASE).await.is_err() {
        tries += 1;
        assert!(begun.elapsed() < Duration::from_secs(10), "not used again after {tries} tries");
    }
    assert!(directory.pool_state().size <= options.readers);
}

#[tokio::test]
async fn no_write_is_sent_twice_to_a_server_that_takes_none() {
    if !is_asked() {
        return;
    }
    let server = Server::start("");
    let (directory, scoped) = scoped(&server.url()).await;

    let histories = under_writes(&server, &scoped, Duration::from_secs(20), async |_| {
        // What a server is that was a primary a moment ago; sessions that are open keep what they began with.
        server.sql("ALTER SYSTEM SET default_transaction_read_only = on");
        server.sql("SELECT pg_reload_conf()");
        let new = user(&json!({ "userName": "late" }));
        let waiting = scoped.clone().until(Instant::now() + Duration::from_millis(400));
        let refused = waiting.create_user(&new, &asked("user.create")).await;
        assert!(matches!(refused, Ok(_) | Err(DirectoryError::Unavailable(_))), "{refused:?}");
        server.sql("ALTER SYSTEM RESET default_transaction_read_only");
        server.sql("SELECT pg_reload_conf()");
    })
    .await;

    let late: BTreeSet<String> = BTreeSet::from(["late".to_owned()]);
    let late = History { unknown: late, ..History::default() };
    let all: Vec<History> = histories.into_iter().chain([late]).collect();
    check(&server, &all);
    assert!(directory.pool_state().size <= options().readers);
}

#[tokio::test]
async fn decisions_of_reads_are_kept_while_the_server_is_away() {
    if !is_asked() {
        return;
    }
    let server = Server::start("");
    let (_directory, scoped) = scoped(&server.url()).await;
    let new = user(&json!({ "userName": "ada" }));
    let id = scoped.create_user(&new, &asked("user.create")).await.unwrap().user.id;
    let read = asked("user.read");
    scoped.note_read(&read, Reason::UserRead, "User", Some(&id), "");
    server.stop();
    scoped.note_read(&read, Reason::UserRead, "User", Some(&id), "");
    // As long as a try takes, and one more.
    tokio::time::sleep(Duration::from_millis(500)).await;
    scoped.note_read(&read, Reason::UserRead, "User", Some(&id), "");
    server.up();

    let begun = Instant::now();
    let count = "SELECT count(*) FROM decisions WHERE outcome = 'read'";
    while server.sql_in("us", count) != "3" {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", server.sql_in("us", count));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A wire to one of several servers, which is switched from one to the other as a name or a balancer is. Connections that
/// are open stay where they are.
struct Wire {
    port: u16,
    to: Arc<AtomicU16>,
    mode: Arc<AtomicU8>,
}

const PASS: u8 = 0;
/// The server hears the next statement, and nobody hears its answer.
const LOSE_ANSWER: u8 = 1;

impl Wire {
    async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (to, mode) = (Arc::new(AtomicU16::new(server.port)), Arc::new(AtomicU8::new(PASS)));
        let (target, modes, tasks) = (Arc::clone(&to), Arc::clone(&mode), TaskTracker::new());
        tasks.clone().spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let port = target.load(Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tasks.spawn(forward(client, server, Arc::clone(&modes)));
            }
        });
        Self { port, to, mode }
    }
}

async fn forward(mut client: TcpStream, mut server: TcpStream, mode: Arc<AtomicU8>) {
    loop {
        let (mut up, mut down) = (Vec::with_capacity(65_536), Vec::with_capacity(65_536));
        tokio::select! {
            sent = client.read_buf(&mut up) => {
                let Ok(1..) = sent else { return };
                // A message that binds values and runs a statement.
                let mode = if up.starts_with(b"B") { mode.swap(PASS, Ordering::SeqCst) } else { PASS };
                if server.write_all(&up).await.is_err() {
                    return;
                }
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

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_found_and_not_done_again() {
    if !is_asked() {
        return;
    }
    let server = Server::start("");
    let wire = Wire::to(&server).await;
    let (_directory, scoped) = scoped(&server.url_by(wire.port)).await;
    let create = async |name: &str| {
        let new = user(&json!({ "userName": name }));
        scoped.create_user(&new, &asked("user.create")).await.unwrap()
    };
    // The statement is prepared, and its tenant is there.
    create("ada").await;

    for number in 0..5 {
        wire.mode.store(LOSE_ANSWER, Ordering::SeqCst);
        create(&format!("bob-{number}")).await;
        assert_eq!(wire.mode.load(Ordering::SeqCst), PASS, "the answer was lost");
    }

    let counts = "SELECT (SELECT count(*) FROM users) || ' ' || (SELECT count(*) FROM changes) || ' ' || (SELECT count(*) FROM decisions)";
    assert_eq!(server.sql_in("us", counts), "6 6 6");
}

#[tokio::test]
async fn writes_follow_to_the_standby_that_is_promoted() {
    if !is_asked() {
        return;
    }
    let primary = Server::start("synchronous_standby_names = '*'\nsynchronous_commit = 'local'");
    let standby = Server::standby_of(&primary);
    // It keeps `local`, and waits for nobody when it is the primary.
    primary.sql("ALTER SYSTEM SET synchronous_commit = 'on'");
    primary.sql("SELECT pg_reload_conf()");
    let wire = Wire::to(&primary).await;
    let (directory, scoped) = scoped(&primary.url_by(wire.port)).await;

    let histories = under_writes(&primary, &scoped, Duration::from_secs(30), async |_| {
        // First the name means a server that is still a standby: it is not read from, and not written to.
        wire.to.store(standby.port, Ordering::SeqCst);
        primary.kill();
        standby.promote();
    })
    .await;

    check(&standby, &histories);
    let new = user(&json!({ "userName": "after" }));
    scoped.create_user(&new, &asked("user.create")).await.unwrap();
    assert!(directory.pool_state().size <= options().readers);
}

#[tokio::test]
async fn what_no_standby_has_is_not_said_to_be_done() {
    if !is_asked() {
        return;
    }
    let server = Server::start("");
    let (_directory, scoped) = scoped(&server.url()).await;
    let new = user(&json!({ "userName": "ada" }));
    scoped.create_user(&new, &asked("user.create")).await.unwrap();
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.sql("SELECT pg_reload_conf()");

    // Its commit waits for a standby that is not there, and is cut off: by then it is committed on this server alone.
    // The server takes up the setting a moment after it was told: what it commits before, it answers.
    let (was_cut, mut known) = (Cell::new(false), 1);
    let write = async {
        loop {
            let new = user(&json!({ "userName": format!("bob-{known}") }));
            let waiting = scoped.clone().until(Instant::now() + Duration::from_secs(2));
            let asked = asked("user.create");
            let write = waiting.create_user(&new, &asked);
            let answered = tokio::time::timeout(Duration::from_secs(4), write).await;
            known += 1;
            if was_cut.get() || !matches!(answered, Ok(Ok(_))) {
                return answered;
            }
        }
    };
    let cut = async {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while server.sql(waits) == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        was_cut.set(true);
        server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
        );
    };
    let (answered, ()) = tokio::join!(write, cut);

    assert!(
        !matches!(answered, Ok(Ok(_))),
        "it was said to be done, and would be lost with the server"
    );
    let there = server.sql_in("us", "SELECT count(*) FROM users");
    assert_eq!(there, known.to_string(), "and it is there");
    server.sql("ALTER SYSTEM RESET synchronous_standby_names");
    server.sql("SELECT pg_reload_conf()");
}
