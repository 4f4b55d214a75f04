//! A blocking connection to a cluster, over connections of ours to its masters.

use std::collections::HashMap;
use std::time::Duration;

use redis::{ErrorKind, RedisError, RedisResult};

use crate::command::received::Received;
use crate::error::Error;
use crate::open::deadline::Deadline;
use crate::open::failed::CallFailed;
use crate::open::login::Login;
use crate::open::options::{Host, Options};
use crate::open::past::{Past, all_need_no_state};
use crate::open::reconnecting::{Reconnecting, Sent, wanted};
use crate::open::resp::Values;
use crate::open::routed::{Part, Routed, result};
use crate::open::slots::{Slots, question};
use crate::open::socket::{Address, waiting};

/// Sends each command to the master that has its slot, and all that goes to one master at once.
///
/// What a node refuses before it carries anything out (`MOVED`, `ASK`, `TRYAGAIN`, `CLUSTERDOWN`, `LOADING`), and what could
/// not be sent, is sent again while there is time. What was sent whole and not answered is not.
pub(super) struct Cluster {
    way: WayToNodes,
    slots: Slots,
    nodes: HashMap<Host, Reconnecting>,
    /// What is lost with nodes that have no slots any more.
    past: Past,
}

/// How nodes are reached.
#[derive(Clone)]
pub(super) struct WayToNodes {
    /// One of those that are given; the others are reached in the same way.
    address: Address,
    given: Vec<Host>,
    pub(super) login: Login,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
}

impl Options {
    pub(super) fn way_to_nodes(&self, given: &[Host]) -> Result<WayToNodes, Error> {
        let Some(first) = given.first() else {
            return Err(Error::Url { part: "host", problem: "is missing".to_owned() });
        };
        Ok(WayToNodes::new(self, given, self.address_of(first)?))
    }
}

impl WayToNodes {
    fn new(options: &Options, given: &[Host], address: Address) -> Self {
        Self {
            address,
            given: given.to_vec(),
            login: Login::new(options),
            connect_timeout: options.connect_timeout,
            response_timeout: options.response_timeout,
        }
    }

    pub(super) fn address(&self, host: &Host) -> Address {
        self.address.of(host)
    }

    /// Whom to ask for the slots, one after the other: those that are connected first, and those that are doubted last. A
    /// master that is cut off from the others says of the slots what they were.
    pub(super) fn to_ask(&self, slots: Option<&Slots>, doubted: &[Host], is_open: impl Fn(&Host) -> bool) -> Vec<Host> {
        let known = slots.map_or(&[][..], Slots::masters);
        let (mut hosts, others): (Vec<Host>, Vec<Host>) = known.iter().cloned().partition(is_open);
        for host in others.into_iter().chain(self.given.iter().cloned()) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts.sort_by_key(|host| doubted.contains(host));
        hosts
    }
}

/// Of two failures, the one that says more: what a server has answered.
pub(super) fn telling(before: Option<RedisError>, error: RedisError) -> RedisError {
    before.filter(|before| !before.is_io_error()).unwrap_or(error)
}

impl Cluster {
    pub(super) fn open(way: WayToNodes) -> RedisResult<Self> {
        let deadline = Deadline::after(way.connect_timeout);
        let mut nodes = HashMap::new();
        let slots = ask(&way, None, &[], &mut nodes, &mut Past::default(), deadline)?;
        Ok(Self { way, slots, nodes, past: Past::default() })
    }

    /// Sends packed commands, and returns `count` replies after the first `offset`. An error among those fails them all.
    pub(super) fn call(&mut self, packed: &[u8], offset: usize, count: usize) -> RedisResult<Values> {
        all_need_no_state(packed, offset + count)?;
        let deadline = Deadline::after(self.way.response_timeout);
        let told = self.past.allows(packed).map_err(CallFailed::into_error)?;
        let has_been_open = |host: &Host| self.nodes.get(host).is_some_and(Reconnecting::has_been_open);
        let mut routed = Routed::new(packed, &self.slots, &has_been_open)?;
        loop {
            let mut parts = routed.parts(&self.slots);
            // One that has to be connected, or does not take much at once, must not keep the others waiting.
            parts.sort_by_key(|part| {
                (!self.nodes.get_mut(&part.host).is_some_and(Reconnecting::is_ready), part.packed.len())
            });
            // All nodes work at once.
            let sent: Vec<_> = parts.iter().map(|part| self.send(part, deadline)).collect();
            for (part, sent) in parts.iter().zip(sent) {
                let result = sent.and_then(|sent| {
                    let node = node(&mut self.nodes, &self.way, &part.host);
                    // One that is silent must not cost the replies of others, which have come meanwhile.
                    node.receive(sent, &part.packed, part.replies, deadline.or_soon()).map(Received::into_values)
                });
                routed.answered(part, result.map_err(|failed| failed.on(&part.host)), &mut self.slots);
            }
            let pause = routed.pause();
            if routed.is_done() || deadline.left().map_or(true, |left| left <= pause) {
                break;
            }
            std::thread::sleep(pause);
            if routed.is_stale {
                match ask(&self.way, Some(&self.slots), &routed.doubted, &mut self.nodes, &mut self.past, deadline) {
                    Ok(slots) => self.slots = slots,
                    // Nobody is there.
                    Err(_) => break,
                }
            }
        }
        let replies = result(routed.finish())?;
        self.past.note(told);
        wanted(replies, offset, count)
    }

    fn send(&mut self, part: &Part<'_>, deadline: Deadline) -> Result<Sent, CallFailed> {
        node(&mut self.nodes, &self.way, &part.host).send(&part.packed, part.replies, deadline)
    }
}

fn node<'a>(nodes: &'a mut HashMap<Host, Reconnecting>, way: &WayToNodes, host: &Host) -> &'a mut Reconnecting {
    // Cloning the name only where it is new.
    if !nodes.contains_key(host) {
        nodes.insert(host.clone(), Reconnecting::to_node(way.address(host), &way.login, way.connect_timeout));
    }
    nodes.get_mut(host).expect("it is there, or was inserted")
}

/// Asks one node after the other for the slots, each for its share of the time.
fn ask(
    way: &WayToNodes,
    slots: Option<&Slots>,
    doubted: &[Host],
    nodes: &mut HashMap<Host, Reconnecting>,
    past: &mut Past,
    deadline: Deadline,
) -> RedisResult<Slots> {
    let hosts = way.to_ask(slots, doubted, |host| nodes.get(host).is_some_and(Reconnecting::is_open));
    let mut failed = None;
    for (at, host) in hosts.iter().enumerate() {
        let share = Deadline::after(deadline.left()? / waiting(&hosts, at));
        let node = node(nodes, way, host);
        let packed = question();
        let answer = node
            .send(&packed, 1, share)
            .and_then(|sent| node.receive(sent, &packed, 1, share).map(Received::into_values));
        let answer = answer.map_err(|failed| failed.on(host).into_error_of_opening());
        match answer.and_then(|mut replies| Slots::read(replies.pop().unwrap_or_default(), host)) {
            Ok(slots) => {
                // A node that has no slots any more has no calls either.
                nodes.retain(|host, node| {
                    let stays = slots.masters().contains(host);
                    if !stays {
                        node.leave_to(past);
                    }
                    stays
                });
                return Ok(slots);
            }
            Err(error) => failed = Some(telling(failed, error)),
        }
    }
    Err(failed.unwrap_or_else(|| (ErrorKind::InvalidClientConfig, "there are no nodes").into()))
}
