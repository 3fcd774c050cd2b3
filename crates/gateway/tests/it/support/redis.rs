//! A Redis for the tests: the one that is named, else one of their own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A Redis server, ended with the value when it is the test's own.
pub(crate) struct Redis {
    pub(crate) url: String,
    own: Option<Child>,
}

impl Redis {
    pub(crate) fn start() -> Self {
        if let Some(url) = super::stores::variable("MUSTER_TEST_REDIS") {
            return Self { url, own: None };
        }
        let port = free_port();
        let mut server = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("MUSTER_TEST_REDIS is not set, and redis-server is not installed");
        let output = server.stdout.take().unwrap();
        let ready = BufReader::new(output)
            .lines()
            .any(|line| line.unwrap().contains("Ready to accept connections"));
        assert!(ready, "redis-server ended before it was ready");
        Self { url: format!("redis://127.0.0.1:{port}"), own: Some(server) }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(server) = &mut self.own {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
