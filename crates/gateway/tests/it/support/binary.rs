//! The built program, with what it writes kept in a file.

use super::stores::Stores;
use super::until;
use serde_json::Value;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A running program; killed when a test fails before its end.
pub(crate) struct Binary {
    child: Child,
    log: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) ops: SocketAddr,
}

impl Drop for Binary {
    fn drop(&mut self) {
        // It has ended already unless a test failed.
        self.child.kill().ok();
    }
}

/// A command with the stores and nothing else of this process's configuration.
pub(crate) fn muster(stores: &Stores) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.current_dir(stores.folder()).env("RUST_BACKTRACE", "0");
    command.envs(stores.files()).envs(stores.variables());
    command
}

/// What a command prints as JSON.
pub(crate) fn json(stores: &Stores, arguments: &[&str]) -> Value {
    let done = muster(stores).args(arguments).args(["-o", "json"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

impl Binary {
    /// Starts `muster serve` and waits until it serves.
    pub(crate) async fn serve(stores: &Stores, settings: &[(&str, &str)]) -> Self {
        Self::serve_as("log", stores, settings).await
    }

    /// The same, one of several.
    pub(crate) async fn serve_as(name: &str, stores: &Stores, settings: &[(&str, &str)]) -> Self {
        let log = stores.folder().join(format!("{name}.jsonl"));
        let child = muster(stores)
            .arg("serve")
            .env("MUSTER__SERVER__LISTEN", "127.0.0.1:0")
            .env("MUSTER__OPS__LISTEN", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut started = Self { child, log, address, ops: address };
        let line = until("the start", async || started.line("serving")).await;
        started.address = line["address"].as_str().unwrap().parse().unwrap();
        started.ops = line["ops"].as_str().unwrap().parse().unwrap();
        started
    }

    /// All that it has written.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The first line with this message.
    pub(crate) fn line(&self, message: &str) -> Option<Value> {
        self.log()
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["message"] == message)
    }

    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(40);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(tokio::time::Instant::now() < deadline, "it does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
