//! `muster serve` and `muster demo` from start to end.

use super::muster;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, ExitStatus, Stdio};
use std::time::Duration;

/// A running server; killed when a test fails before its end.
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    address: String,
    ops: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already unless a test failed.
        self.child.kill().ok();
    }
}

impl Running {
    fn start(folder: &Path, command: &str, drain_delay: &str) -> Self {
        let mut child = muster(folder)
            .arg(command)
            .env("MUSTER__SERVER__LISTEN", "127.0.0.1:0")
            .env("MUSTER__OPS__LISTEN", "127.0.0.1:0")
            .env("MUSTER__SERVER__DRAIN_DELAY", drain_delay)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut running = Self { child, log, address: String::new(), ops: String::new() };
        let line = running.line("serving");
        running.address = line["address"].as_str().unwrap().to_owned();
        running.ops = line["ops"].as_str().unwrap().to_owned();
        running
    }

    /// The next line of the log with this message.
    fn line(&mut self, message: &str) -> Value {
        loop {
            let mut text = String::new();
            assert_ne!(
                self.log.read_line(&mut text).unwrap(),
                0,
                "no line {message:?} before the end"
            );
            let line: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
            if line["message"] == message {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let command = format!("kill {name} {}", self.child.id());
        let sent = std::process::Command::new("sh").args(["-c", &command]).status().unwrap();
        assert!(sent.success());
    }

    fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

/// Sends a request and reads until the server closes. `headers` end each with CRLF.
fn get(address: &str, path: &str, headers: &str) -> (u16, String, String) {
    ask(TcpStream::connect(address).unwrap(), path, headers)
}

fn ask(mut stream: TcpStream, path: &str, headers: &str) -> (u16, String, String) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: app.localhost\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

const CLOSE: &str = "Connection: close\r\n";

#[test]
fn every_answer_has_a_request_id_and_every_request_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), "serve", "0s");

    let headers = format!("{CLOSE}X-Request-Id: abc-1\r\n");
    let (status, head, _) =
        get(&server.address, "/no/such/path/ada@example.com?x=hunter2", &headers);
    assert_eq!(status, 404);
    assert!(head.contains("x-request-id: abc-1"), "{head}");
    let line = server.line("request");
    assert_eq!(line["request_id"], "abc-1");
    assert_eq!(line["method"], "GET");
    assert_eq!(line["status"], 404);
    assert!(line["duration_ms"].is_number());
    assert!(!line.to_string().contains("ada@"), "{line}");
    assert!(!line.to_string().contains("hunter2"), "{line}");

    let (_, head, _) = get(&server.address, "/", &format!("{CLOSE}X-Request-Id: a b\r\n"));
    let made = server.line("request")["request_id"].as_str().unwrap().to_owned();
    assert_ne!(made, "a b");
    assert!(head.contains(&format!("x-request-id: {made}")), "{head}");

    server.signal("-TERM");
    assert!(server.end().success());
}

#[test]
fn the_ops_port_tells_health_version_and_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), "serve", "0s");

    assert_eq!(get(&server.ops, "/livez", CLOSE).0, 200);
    let (status, _, body) = get(&server.ops, "/readyz", CLOSE);
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["checks"]["store_eu"], "ok");
    let (_, _, body) = get(&server.ops, "/version", CLOSE);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["version"], env!("CARGO_PKG_VERSION"));

    get(&server.address, "/", CLOSE);
    let (_, _, body) = get(&server.ops, "/metrics", CLOSE);
    for expected in [
        "scim_auth_failures_total{reason=\"token_missing\"} ",
        "http_server_request_duration_seconds_bucket{",
        "http_server_active_requests ",
        "process_resident_memory_bytes ",
        "registry_snapshot_age_seconds ",
        "db_client_connection_count{pool=\"eu\",state=\"idle\"}",
    ] {
        assert!(body.contains(expected), "{expected} is not in\n{body}");
    }

    server.signal("-TERM");
    assert!(server.end().success());
}

#[test]
fn a_stopping_server_sends_everyone_elsewhere_before_it_closes() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), "serve", "30s");
    // Without its own `Connection: close` a client would keep the connection.
    let idle = TcpStream::connect(&server.address).unwrap();
    server.signal("-TERM");
    server.line("draining");

    let (status, _, body) = get(&server.ops, "/readyz", CLOSE);
    assert_eq!((status, body.as_str()), (503, "{\"status\":\"draining\"}"));
    assert_eq!(get(&server.ops, "/livez", CLOSE).0, 200);
    let (_, head, _) = get(&server.address, "/", "");
    assert!(head.contains("connection: close"), "{head}");

    server.signal("-INT");
    assert_eq!(server.end().code(), Some(1), "a second signal does not wait");
    drop(idle);
}

#[test]
fn a_connection_made_before_the_end_is_answered_after_the_listener_has_closed() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), "serve", "500ms");
    let waiting = TcpStream::connect(&server.address).unwrap();
    server.signal("-TERM");
    server.line("draining");
    while TcpStream::connect(&server.address).is_ok() {
        // Each of these connections is work for a server that has half a second left.
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }

    let (_, head, _) = ask(waiting, "/", "");
    assert!(head.contains("connection: close"), "{head}");
    assert!(server.end().success());
    let mut rest = String::new();
    server.log.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("ERROR"), "{rest}");
}

#[test]
fn a_port_that_is_taken_is_named_with_the_key_that_moves_it() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let done = muster(folder.path())
        .arg("serve")
        .env("MUSTER__SERVER__LISTEN", &address)
        .output()
        .unwrap();

    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8(done.stderr).unwrap();
    let expected =
        format!("muster: cannot listen on {address}; choose another address with server.listen: ");
    assert!(said.starts_with(&expected), "{said}");
}

#[test]
fn the_demo_shows_its_tokens_on_the_first_start_only() {
    let folder = tempfile::tempdir().unwrap();
    let first = demo(folder.path());
    for expected in
        ["http://app.localhost:", "http://eu-board.localhost:", "mst_us_pf_", "mst_eu_bd_"]
    {
        assert!(first.contains(expected), "{expected} is not in\n{first}");
    }
    assert_eq!(first.matches("curl -sS --resolve ").count(), 4, "{first}");

    let second = demo(folder.path());
    assert!(!second.contains("mst_"), "{second}");
    assert!(second.contains(" token create acme"), "{second}");
    assert!(second.contains(" token create wonka"), "{second}");
}

/// What the demo prints until it serves.
fn demo(folder: &Path) -> String {
    let mut server = Running::start(folder, "demo", "0s");
    server.signal("-TERM");
    assert!(server.end().success());
    let mut text = String::new();
    server.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    text
}
