//! A TCP proxy that fails as it is told: many links in one process, told line by line over a control connection.
//!
//! **Invariant**: without an order a link passes on every byte, in order, and ends what the other side ended.
//!
//! The orders, one a line; each is answered by one line, `ok …` or `error …`, once it holds:
//!
//! ```text
//! link NAME LISTEN TO[,TO…]       a new link; connections go to the first TO that takes them, by turns. Answers its address
//! set NAME up|down|both KEY=VALUE …   up is from client to server
//!     latency=80ms jitter=20ms    every piece comes that much later
//!     rate=20000                  bytes a second
//!     reset=5%                    a piece is a reset instead, so often
//!     pass=forward|hold|swallow   hold: silence, and all of it comes when it is over; swallow: it is lost, and so is the connection
//!     drop_after=N reset_after=N  so many bytes of a connection pass, then the rest is swallowed, or it is reset
//! doors NAME open|silent|mute|refuse  to new connections; silent: not even a refusal. mute: taken, and never answered
//! cut NAME                        resets what is open
//! half NAME up|down               says to the one side that the other has ended
//! clear NAME                      as at the beginning; connections that lost bytes are reset
//! stat NAME                       what passed, as JSON
//! ```

mod connection;
mod link;
mod way;

use anyhow::{Context as _, bail};
use clap::Args;
use link::{Doors, Link};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;
use way::Side;

pub(crate) use way::Dice;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where orders are taken; port 0 lets the system choose, and the first line printed says which
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,
}

type Links = Rc<RefCell<BTreeMap<String, Rc<Link>>>>;

pub(crate) async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let listener = TcpListener::bind(arguments.control).await?;
    writeln!(std::io::stdout(), "control {}", listener.local_addr()?)?;
    let links = Links::default();
    loop {
        let (stream, _) = listener.accept().await?;
        // Whoever gives orders may go away in the middle of one.
        let (links, orders) = (Rc::clone(&links), stream);
        spawn_local(async move { take_orders(&links, orders).await.ok() });
    }
}

async fn take_orders(links: &Links, mut stream: TcpStream) -> std::io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match obey(links, &line).await {
            Ok(said) => format!("ok {said}\n"),
            Err(error) => format!("error {error:#}\n"),
        };
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

async fn obey(links: &Links, line: &str) -> anyhow::Result<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let find = |name: &str| {
        let known = links.borrow().get(name).cloned();
        known.with_context(|| format!("no link {name}"))
    };
    match *words.as_slice() {
        ["link", name, listen, to] => {
            let listen = listen.parse().context("where to listen is no address")?;
            let to = to.split(',').map(str::parse).collect::<Result<Vec<SocketAddr>, _>>()?;
            let link = Link::open(listen, to).await?;
            let address = link.address;
            links.borrow_mut().insert(name.to_owned(), link);
            Ok(address.to_string())
        }
        ["set", name, side, ref settings @ ..] => {
            let link = find(name)?;
            for side in Side::parse(side)? {
                link.set(*side, settings)?;
            }
            Ok(String::new())
        }
        ["doors", name, doors] => {
            find(name)?.turn(Doors::parse(doors)?).await?;
            Ok(String::new())
        }
        ["cut", name] => {
            find(name)?.cut();
            Ok(String::new())
        }
        ["half", name, side] => {
            let link = find(name)?;
            for side in Side::parse(side)? {
                link.end(*side);
            }
            Ok(String::new())
        }
        ["clear", name] => {
            find(name)?.clear().await?;
            Ok(String::new())
        }
        ["stat", name] => Ok(find(name)?.stat().to_string()),
        _ => bail!("not an order: {line}"),
    }
}
