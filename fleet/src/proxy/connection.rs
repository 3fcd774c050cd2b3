//! One connection through a link.

use super::link::{Link, add};
use super::way::{Dice, Pass, Side, Way};
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// Both sides are told with a reset.
#[derive(Debug)]
struct Reset;

/// Bytes on their way, and when they are to arrive.
type Piece = (Instant, Vec<u8>);

pub(super) async fn pass(link: &Link, mut client: TcpStream) {
    let mut cuts = link.cuts.subscribe();
    cuts.borrow_and_update();
    let mut server = tokio::select! {
        dialed = link.dial() => {
            let Some(server) = dialed else { return reset(&client) };
            server
        }
        _ = cuts.changed() => return reset(&client),
    };
    client.set_nodelay(true).ok();
    server.set_nodelay(true).ok();
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pump(link, Side::Up, from_client, to_server);
        let down = pump(link, Side::Down, from_server, to_client);
        tokio::select! {
            ended = async { tokio::try_join!(up, down) } => ended.map(|_| ()),
            _ = cuts.changed() => Err(Reset),
        }
    };
    if ended.is_err() {
        reset(&client);
        reset(&server);
    }
}

/// Takes what is sent, and never answers.
pub(super) async fn ignore(link: &Link, mut client: TcpStream) {
    let mut cuts = link.cuts.subscribe();
    cuts.borrow_and_update();
    let mut bytes = vec![0; 16 << 10];
    loop {
        tokio::select! {
            read = client.read(&mut bytes) => if !matches!(read, Ok(1..)) { return },
            _ = cuts.changed() => return reset(&client),
        }
    }
}

fn reset(stream: &TcpStream) {
    stream.set_zero_linger().ok();
}

async fn pump(link: &Link, side: Side, from: ReadHalf<'_>, to: WriteHalf<'_>) -> Result<(), Reset> {
    let (pieces, queue) = mpsc::channel(256);
    tokio::try_join!(read(link, side, from, pieces), write(link, side, to, queue)).map(|_| ())
}

async fn read(
    link: &Link,
    side: Side,
    mut from: ReadHalf<'_>,
    pieces: mpsc::Sender<Piece>,
) -> Result<(), Reset> {
    let mut ends = link.ends(side).subscribe();
    ends.borrow_and_update();
    let mut bytes = vec![0; 16 << 10];
    let mut passed = 0_u64;
    loop {
        let count = tokio::select! {
            read = from.read(&mut bytes) => read.map_err(|_gone| Reset)?,
            _ = ends.changed() => 0,
        };
        if count == 0 {
            return Ok(());
        }
        let counts = &link.count;
        add(if side == Side::Up { &counts.up } else { &counts.down }, count);
        let way = link.way(side);
        let piece = bytes.get(..count).unwrap_or_default();
        let before = passed;
        passed += u64::try_from(count).unwrap_or(u64::MAX);
        let mut dice = link.dice.get();
        let is_reset = way.reset > 0 && dice.roll(10_000) < way.reset;
        let due = Instant::now() + way.latency + jitter(&way, &mut dice);
        link.dice.set(dice);
        if is_reset || way.reset_after.is_some_and(|after| passed > after) {
            return Err(Reset);
        }
        let kept = match (way.pass, way.drop_after) {
            (Pass::Swallow, _) => &[],
            (_, Some(after)) => {
                let room = usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX);
                piece.get(..room.min(count)).unwrap_or_default()
            }
            _ => piece,
        };
        if !kept.is_empty() && pieces.send((due, kept.to_vec())).await.is_err() {
            return Ok(());
        }
    }
}

fn jitter(way: &Way, dice: &mut Dice) -> Duration {
    let most = u64::try_from(way.jitter.as_micros()).unwrap_or(0);
    if most == 0 { Duration::ZERO } else { Duration::from_micros(dice.roll(most)) }
}

async fn write(
    link: &Link,
    side: Side,
    mut to: WriteHalf<'_>,
    mut pieces: mpsc::Receiver<Piece>,
) -> Result<(), Reset> {
    let mut orders = link.orders.subscribe();
    while let Some((due, bytes)) = pieces.recv().await {
        sleep_until(due).await;
        wait_for(link, side, &mut orders).await;
        to.write_all(&bytes).await.map_err(|_gone| Reset)?;
        let rate = link.way(side).rate;
        if let Some(micros) =
            u64::try_from(bytes.len()).unwrap_or(0).saturating_mul(1_000_000).checked_div(rate)
        {
            sleep(Duration::from_micros(micros)).await;
        }
    }
    wait_for(link, side, &mut orders).await;
    to.shutdown().await.map_err(|_gone| Reset)
}

/// Waits while nothing is to pass.
async fn wait_for(link: &Link, side: Side, orders: &mut watch::Receiver<u64>) {
    while link.way(side).pass != Pass::Forward {
        let changed = pin!(orders.changed());
        if changed.await.is_err() {
            return;
        }
    }
}
