//! One link: where it listens, where it leads, and how it fails at the moment.

use super::connection;
use super::way::{Dice, Pass, Side, Way};
use anyhow::bail;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::spawn_local;
use tokio::time::timeout;

/// After this long without an answer a connection was neither taken nor refused.
const SILENCE: Duration = Duration::from_millis(150);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doors {
    Open,
    Silent,
    Mute,
    Refuse,
}

impl Doors {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        match text {
            "open" => Ok(Self::Open),
            "silent" => Ok(Self::Silent),
            "mute" => Ok(Self::Mute),
            "refuse" => Ok(Self::Refuse),
            _ => bail!("{text} is none of open, silent, mute, refuse"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) address: SocketAddr,
    targets: Vec<SocketAddr>,
    turn: Cell<usize>,
    up: RefCell<Way>,
    down: RefCell<Way>,
    /// Counts orders about bytes, so that who holds some looks again.
    pub(super) orders: watch::Sender<u64>,
    /// Counts cuts; a connection ends with the next one after its beginning.
    pub(super) cuts: watch::Sender<u64>,
    /// Counts ends that were told, by side.
    pub(super) ends: [watch::Sender<u64>; 2],
    doors: watch::Sender<Doors>,
    /// The doors that hold already.
    hold: watch::Sender<Doors>,
    pub(super) dice: Cell<Dice>,
    pub(super) count: Counts,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) open: Cell<u64>,
    pub(super) taken: Cell<u64>,
    pub(super) up: Cell<u64>,
    pub(super) down: Cell<u64>,
}

pub(super) fn add(count: &Cell<u64>, more: usize) {
    count.set(count.get().wrapping_add(u64::try_from(more).unwrap_or(u64::MAX)));
}

impl Link {
    pub(super) async fn open(
        listen: SocketAddr,
        targets: Vec<SocketAddr>,
    ) -> anyhow::Result<Rc<Self>> {
        let listener = TcpListener::bind(listen).await?;
        let link = Rc::new(Self {
            address: listener.local_addr()?,
            targets,
            turn: Cell::default(),
            up: RefCell::default(),
            down: RefCell::default(),
            orders: watch::Sender::new(0),
            cuts: watch::Sender::new(0),
            ends: [watch::Sender::new(0), watch::Sender::new(0)],
            doors: watch::Sender::new(Doors::Open),
            hold: watch::Sender::new(Doors::Open),
            dice: Cell::new(Dice(0x9e37_79b9_7f4a_7c15)),
            count: Counts::default(),
        });
        spawn_local(Rc::clone(&link).keep_doors(listener));
        Ok(link)
    }

    pub(super) fn way(&self, side: Side) -> Way {
        *self.cell(side).borrow()
    }

    fn cell(&self, side: Side) -> &RefCell<Way> {
        match side {
            Side::Up => &self.up,
            Side::Down => &self.down,
        }
    }

    pub(super) fn ends(&self, side: Side) -> &watch::Sender<u64> {
        let [up, down] = &self.ends;
        match side {
            Side::Up => up,
            Side::Down => down,
        }
    }

    pub(super) fn set(&self, side: Side, settings: &[&str]) -> anyhow::Result<()> {
        let mut way = self.way(side);
        for setting in settings {
            way.set(setting)?;
        }
        *self.cell(side).borrow_mut() = way;
        self.orders.send_modify(|count| *count += 1);
        Ok(())
    }

    pub(super) fn cut(&self) {
        self.cuts.send_modify(|count| *count += 1);
    }

    pub(super) fn end(&self, side: Side) {
        self.ends(side).send_modify(|count| *count += 1);
    }

    pub(super) async fn clear(&self) -> anyhow::Result<()> {
        let lost = [Side::Up, Side::Down].into_iter().any(|side| {
            let way = self.way(side);
            way.pass == Pass::Swallow || way.drop_after.is_some()
        });
        if lost || *self.doors.borrow() == Doors::Mute {
            self.cut();
        }
        *self.up.borrow_mut() = Way::default();
        *self.down.borrow_mut() = Way::default();
        self.orders.send_modify(|count| *count += 1);
        self.turn(Doors::Open).await
    }

    pub(super) fn stat(&self) -> Value {
        json!({
            "address": self.address, "open": self.count.open.get(), "taken": self.count.taken.get(),
            "up": self.count.up.get(), "down": self.count.down.get(),
        })
    }

    /// Opens or closes to new connections, and waits until that holds.
    pub(super) async fn turn(&self, doors: Doors) -> anyhow::Result<()> {
        self.doors.send_replace(doors);
        let mut hold = self.hold.subscribe();
        timeout(Duration::from_secs(5), hold.wait_for(|held| *held == doors)).await??;
        Ok(())
    }

    async fn keep_doors(self: Rc<Self>, first: TcpListener) {
        let mut doors = self.doors.subscribe();
        let mut first = Some(first);
        loop {
            let now = *doors.borrow_and_update();
            let held = match now {
                Doors::Open | Doors::Mute => {
                    let kept = first.take();
                    match kept.map_or_else(|| bind(self.address, 1024), Ok) {
                        Ok(listener) => Held::Open(listener),
                        Err(_taken) => Held::Nothing,
                    }
                }
                Doors::Silent => {
                    first = None;
                    fill(self.address).await
                }
                Doors::Refuse => {
                    first = None;
                    Held::Nothing
                }
            };
            self.hold.send_replace(now);
            let next = match &held {
                Held::Open(listener) => Rc::clone(&self).take_all(listener, &mut doors).await,
                Held::Full { .. } | Held::Nothing => doors.changed().await.is_ok(),
            };
            if !next {
                return;
            }
        }
    }

    /// Takes connections until the doors are to be others.
    async fn take_all(
        self: Rc<Self>,
        listener: &TcpListener,
        doors: &mut watch::Receiver<Doors>,
    ) -> bool {
        let is_mute = *doors.borrow() == Doors::Mute;
        loop {
            tokio::select! {
                changed = doors.changed() => return changed.is_ok(),
                taken = listener.accept() => {
                    let Ok((client, _)) = taken else { continue };
                    add(&self.count.taken, 1);
                    let link = Rc::clone(&self);
                    spawn_local(async move {
                        let open = &link.count.open;
                        open.set(open.get() + 1);
                        if is_mute {
                            connection::ignore(&link, client).await;
                        } else {
                            connection::pass(&link, client).await;
                        }
                        open.set(open.get().saturating_sub(1));
                    });
                }
            }
        }
    }

    /// To the first target that takes it, beginning with another one each time.
    pub(super) async fn dial(&self) -> Option<TcpStream> {
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let count = self.targets.len();
        for step in 0..count {
            let target = self.targets.get((turn.wrapping_add(step)) % count);
            if let Some(target) = target
                && let Ok(stream) = TcpStream::connect(target).await
            {
                return Some(stream);
            }
        }
        None
    }
}

/// What stands behind the doors; the fields are kept, not read.
#[derive(Debug)]
enum Held {
    Open(TcpListener),
    Full {
        #[expect(dead_code, reason = "held so that its queue stays full")]
        listener: TcpListener,
        #[expect(dead_code, reason = "held so that the queue stays full")]
        queued: Vec<TcpStream>,
    },
    Nothing,
}

fn bind(address: SocketAddr, backlog: u32) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

/// A listener whose queue is full: the system drops what else comes, as a network does that is not there.
async fn fill(address: SocketAddr) -> Held {
    let Ok(listener) = bind(address, 0) else { return Held::Nothing };
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) = timeout(SILENCE, TcpStream::connect(address)).await {
        queued.push(stream);
    }
    Held::Full { listener, queued }
}
