//! What stands before the nodes: it asks whether they are ready, keeps connections, and goes to the next node where nothing
//! was sent yet.

use super::Shared;
use super::http::{Answer, Link};
use super::plan::Plan;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

/// How often a node is asked whether it is ready; one answer decides.
const LOOK: Duration = Duration::from_millis(250);
/// How long it may take to say so.
const LOOK_PATIENCE: Duration = Duration::from_secs(2);
/// How long a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Balancer {
    nodes: BTreeMap<String, Node>,
    turn: Cell<usize>,
}

#[derive(Debug)]
struct Node {
    address: SocketAddr,
    ops: SocketAddr,
    is_up: Cell<bool>,
    idle: RefCell<Vec<Link>>,
}

/// What became of one request on its way.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) node: String,
    pub(super) said: Result<Answer, Lost>,
}

#[derive(Debug)]
pub(super) enum Lost {
    /// Not a byte was sent.
    NotSent(String),
    /// It may have been done.
    Unknown(String),
}

impl Balancer {
    pub(super) fn new(plan: &Plan) -> Self {
        let node = |node: &super::plan::Node| Node {
            address: node.address,
            ops: node.ops,
            is_up: Cell::new(true),
            idle: RefCell::default(),
        };
        let nodes = plan.nodes.iter().map(|(name, given)| (name.clone(), node(given))).collect();
        Self { nodes, turn: Cell::default() }
    }

    /// To one of `via`, ready ones first, and by turns; `not` comes last.
    pub(super) async fn deliver(
        &self,
        via: &[String],
        not: &str,
        request: &[u8],
        patience: Duration,
    ) -> Delivery {
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let mut order: Vec<&String> =
            via.iter().cycle().skip(turn % via.len().max(1)).take(via.len()).collect();
        order.sort_by_key(|name| {
            let is_up = self.nodes.get(*name).is_some_and(|node| node.is_up.get());
            (!is_up, name.as_str() == not)
        });
        let mut why = "no node".to_owned();
        for name in order {
            let Some(node) = self.nodes.get(name) else { continue };
            let mut link = match node.link().await {
                Ok(link) => link,
                Err(error) => {
                    node.is_up.set(false);
                    why = format!("{name}: {error}");
                    continue;
                }
            };
            let said = match timeout(patience, link.exchange(request)).await {
                Ok(Ok((answer, goes_on))) => {
                    if goes_on {
                        node.idle.borrow_mut().push(link);
                    }
                    Ok(answer)
                }
                Ok(Err(error)) => Err(Lost::Unknown(error.to_string())),
                Err(_elapsed) => Err(Lost::Unknown("no answer in time".to_owned())),
            };
            return Delivery { node: name.clone(), said };
        }
        Delivery { node: String::new(), said: Err(Lost::NotSent(why)) }
    }
}

impl Node {
    async fn link(&self) -> std::io::Result<Link> {
        loop {
            let Some(link) = self.idle.borrow_mut().pop() else { break };
            if link.is_open() {
                return Ok(link);
            }
        }
        let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, "no connection in time");
        timeout(CONNECT, Link::open(self.address)).await.map_err(|_elapsed| late())?
    }

    async fn is_ready(&self) -> bool {
        let asked = async {
            let mut link = Link::open(self.ops).await?;
            link.exchange(b"GET /readyz HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n").await
        };
        matches!(timeout(LOOK_PATIENCE, asked).await, Ok(Ok((answer, _))) if answer.status == 200)
    }
}

/// Looks after every node until the end.
pub(super) fn watch(shared: &Rc<Shared>) {
    for at in 0..shared.balancer.nodes.len() {
        let shared = Rc::clone(shared);
        spawn_local(async move {
            let Some(node) = shared.balancer.nodes.values().nth(at) else { return };
            loop {
                let is_up = node.is_ready().await;
                node.is_up.set(is_up);
                sleep(LOOK).await;
            }
        });
    }
}
