//! A link passes everything on, and fails as it is told.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const SILENT: Duration = Duration::from_millis(300);

/// The program with one link to a server that says everything back.
struct Proxy {
    program: Child,
    orders: BufReader<TcpStream>,
    link: SocketAddr,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.program.kill().ok();
        self.program.wait().ok();
    }
}

impl Proxy {
    fn start() -> Self {
        let echo = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = echo.local_addr().unwrap();
        thread::spawn(move || {
            for stream in echo.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    std::io::copy(&mut stream.try_clone().unwrap(), &mut stream).ok()
                });
            }
        });
        let mut program = Command::new(env!("CARGO_BIN_EXE_fleet"))
            .arg("proxy")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let control = first.trim().rsplit(' ').next().unwrap().to_owned();
        let orders = BufReader::new(TcpStream::connect(control).unwrap());
        let mut proxy = Self { program, orders, link: to };
        proxy.link = proxy.order(&format!("link echo 127.0.0.1:0 {to}")).parse().unwrap();
        proxy
    }

    fn order(&mut self, text: &str) -> String {
        self.orders.get_mut().write_all(format!("{text}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        self.orders.read_line(&mut answer).unwrap();
        answer
            .trim()
            .strip_prefix("ok")
            .unwrap_or_else(|| panic!("{text}: {answer}"))
            .trim()
            .to_owned()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.link).unwrap();
        stream.set_read_timeout(Some(SILENT)).unwrap();
        stream
    }
}

fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
}

fn hear(stream: &mut TcpStream, length: usize) -> Result<String, ErrorKind> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).map_err(|error| error.kind())?;
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn without_an_order_everything_passes() {
    let proxy = Proxy::start();
    let mut stream = proxy.connect();
    let text = "0123456789".repeat(10_000);
    let mut copy = stream.try_clone().unwrap();
    let sent = text.clone();
    let sender = thread::spawn(move || {
        say(&mut copy, &sent);
        copy.shutdown(std::net::Shutdown::Write).unwrap();
    });
    assert!(hear(&mut stream, text.len()).unwrap() == text);
    sender.join().unwrap();
    // The end of the one side was told to the other, and came back.
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_is_held_comes_when_it_is_over() {
    let mut proxy = Proxy::start();
    let mut stream = proxy.connect();
    say(&mut stream, "one");
    assert_eq!(hear(&mut stream, 3).unwrap(), "one");
    proxy.order("set echo down pass=hold");
    say(&mut stream, "two");
    assert_eq!(hear(&mut stream, 3), Err(ErrorKind::WouldBlock));
    proxy.order("clear echo");
    assert_eq!(hear(&mut stream, 3).unwrap(), "two");
}

#[test]
fn what_is_swallowed_is_lost_and_so_is_the_connection() {
    let mut proxy = Proxy::start();
    let mut stream = proxy.connect();
    proxy.order("set echo up drop_after=2");
    say(&mut stream, "abcd");
    assert_eq!(hear(&mut stream, 2).unwrap(), "ab");
    assert_eq!(hear(&mut stream, 1), Err(ErrorKind::WouldBlock));
    proxy.order("clear echo");
    assert_eq!(hear(&mut stream, 1), Err(ErrorKind::ConnectionReset));
}

#[test]
fn doors_are_shut_in_three_ways() {
    let mut proxy = Proxy::start();
    proxy.order("doors echo refuse");
    assert_eq!(TcpStream::connect(proxy.link).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    proxy.order("doors echo silent");
    let silence = TcpStream::connect_timeout(&proxy.link, SILENT).unwrap_err();
    assert_eq!(silence.kind(), ErrorKind::TimedOut);
    proxy.order("doors echo mute");
    let mut stream = proxy.connect();
    say(&mut stream, "one");
    assert_eq!(hear(&mut stream, 1), Err(ErrorKind::WouldBlock));
    proxy.order("doors echo open");
    let mut stream = proxy.connect();
    say(&mut stream, "two");
    assert_eq!(hear(&mut stream, 3).unwrap(), "two");
}

#[test]
fn a_cut_resets_what_is_open_and_nothing_else() {
    let mut proxy = Proxy::start();
    let mut stream = proxy.connect();
    say(&mut stream, "one");
    assert_eq!(hear(&mut stream, 3).unwrap(), "one");
    proxy.order("cut echo");
    assert_eq!(hear(&mut stream, 1), Err(ErrorKind::ConnectionReset));
    let mut stream = proxy.connect();
    say(&mut stream, "two");
    assert_eq!(hear(&mut stream, 3).unwrap(), "two");
}

#[test]
fn latency_and_rate_take_their_time() {
    let mut proxy = Proxy::start();
    proxy.order("set echo up latency=120ms");
    let mut stream = proxy.connect();
    let began = Instant::now();
    say(&mut stream, "one");
    assert_eq!(hear(&mut stream, 3).unwrap(), "one");
    assert!(began.elapsed() >= Duration::from_millis(120));
    proxy.order("clear echo");
    proxy.order("set echo down rate=10000");
    let began = Instant::now();
    say(&mut stream, &"x".repeat(1000));
    assert_eq!(hear(&mut stream, 1000).unwrap().len(), 1000);
    say(&mut stream, "y");
    assert_eq!(hear(&mut stream, 1).unwrap(), "y");
    assert!(began.elapsed() >= Duration::from_millis(100));
}

#[test]
fn half_of_a_connection_may_end() {
    let mut proxy = Proxy::start();
    let mut stream = proxy.connect();
    say(&mut stream, "one");
    assert_eq!(hear(&mut stream, 3).unwrap(), "one");
    proxy.order("half echo up");
    // The server is told that the client has ended, and ends.
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}
