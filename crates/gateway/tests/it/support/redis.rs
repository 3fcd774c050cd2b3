//! A Redis for the tests: the one that is named, else one of their own.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener as Listener, TcpStream};
use tokio_util::task::TaskTracker;

/// A Redis server, ended with the value when it is the test's own.
pub(crate) struct Redis {
    pub(crate) url: String,
    own: Option<Own>,
}

struct Own {
    server: Child,
    port: u16,
    folder: TempDir,
}

impl Redis {
    pub(crate) fn start() -> Self {
        match super::stores::variable("MUSTER_TEST_REDIS") {
            Some(url) => Self { url, own: None },
            None => Self::own(),
        }
    }

    /// One that nobody else uses.
    pub(crate) fn own() -> Self {
        Self::on(free_port())
    }

    /// One of the test's own, on this port.
    pub(crate) fn on(port: u16) -> Self {
        let folder = TempDir::new().unwrap();
        let server = serve(port, &folder);
        let own = Some(Own { server, port, folder });
        Self { url: format!("redis://127.0.0.1:{port}"), own }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.own.as_ref().unwrap().port))
    }

    /// Stops it as a machine stops whose disk hangs: connections stay.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.own.as_ref().unwrap().server.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Ends it and starts it anew, with nothing in it.
    pub(crate) fn restart(&mut self) {
        let own = self.own.as_mut().unwrap();
        own.server.kill().unwrap();
        own.server.wait().unwrap();
        own.server = serve(own.port, &own.folder);
    }

    pub(crate) fn kill(&mut self) {
        let own = self.own.as_mut().unwrap();
        own.server.kill().unwrap();
        own.server.wait().unwrap();
    }

    /// What it says to a command.
    pub(crate) fn tell(&self, command: &[&str]) -> redis::Value {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        let mut connection = client.get_connection().unwrap();
        redis::cmd(command[0]).arg(&command[1..]).query(&mut connection).unwrap()
    }

    /// The names of everything in it.
    pub(crate) fn keys(&self) -> Vec<String> {
        redis::from_redis_value(self.tell(&["KEYS", "*"])).unwrap()
    }

    /// Everything in it: keys and values as it tells them, and every byte of its files.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.tell(&["SAVE"]);
        let mut bytes = Vec::new();
        for key in self.keys() {
            bytes.extend(key.as_bytes());
            // One whose time ended meanwhile has none.
            let value = redis::from_redis_value(self.tell(&["DUMP", &key]));
            let value: Option<Vec<u8>> = value.unwrap();
            bytes.extend(value.unwrap_or_default());
        }
        bytes.extend(super::files::every_byte(self.own.as_ref().unwrap().folder.path()));
        bytes
    }
}

/// Keeps its files, so that what would be left of it can be looked at.
fn serve(port: u16, folder: &TempDir) -> Child {
    let mut server = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "yes", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("MUSTER_TEST_REDIS is not set, and redis-server is not installed");
    let output = server.stdout.take().unwrap();
    let ready = BufReader::new(output)
        .lines()
        .any(|line| line.unwrap().contains("Ready to accept connections"));
    assert!(ready, "redis-server ended before it was ready");
    server
}

impl Drop for Own {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// The settings of nodes that use a Redis, and do not take a busy machine for a Redis that hangs.
pub(crate) fn patient(url: &str) -> [(&str, &str); 2] {
    [("MUSTER__REDIS__URL", url), ("MUSTER__REDIS__TIMEOUT", "300ms")]
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Between a gateway and its Redis: tampers with an answer when it is told to.
#[derive(Clone)]
pub(crate) struct Liar {
    pub(crate) url: String,
    loses_one: Arc<AtomicBool>,
    repeats_one: Arc<AtomicBool>,
}

impl Liar {
    pub(crate) async fn before(redis: &Redis) -> Self {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let liar = Self { url, loses_one: Arc::default(), repeats_one: Arc::default() };
        let (address, passing, tasks) = (redis.address(), liar.clone(), TaskTracker::new());
        tasks.clone().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(address).await.unwrap();
                let passing = passing.clone();
                tasks.spawn(async move { passing.pass(client, server).await });
            }
        });
        liar
    }

    /// The next answer does not arrive, and every later one arrives for the question before its own.
    pub(crate) fn lose_one(&self) {
        self.loses_one.store(true, Ordering::SeqCst);
    }

    /// Instead of the next answer the one before it arrives.
    pub(crate) fn repeat_one(&self) {
        self.repeats_one.store(true, Ordering::SeqCst);
    }

    async fn pass(self, client: TcpStream, server: TcpStream) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let back = async {
            let (mut chunk, mut answer) = (vec![0; 65_536], Vec::new());
            while let Ok(read @ 1..) = from_server.read(&mut chunk).await {
                if self.loses_one.swap(false, Ordering::SeqCst) {
                    continue;
                }
                if !self.repeats_one.swap(false, Ordering::SeqCst) {
                    answer = chunk[..read].to_vec();
                }
                if to_client.write_all(&answer).await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
            () = back => {}
        }
    }
}
