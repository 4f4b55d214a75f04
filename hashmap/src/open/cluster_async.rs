//! An async connection to a cluster, over connections of ours to its masters.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};

use async_lock::Mutex;
use futures_util::future::join_all;
use redis::{ErrorKind, RedisResult};
use tokio::time::{Instant, sleep, timeout_at};

use crate::open::cluster::{WayToNodes, telling};
use crate::open::failed::CallFailed;
use crate::open::options::Host;
use crate::open::past::Past;
use crate::open::reconnecting::wanted;
use crate::open::reconnecting_async::{AsyncReconnecting, after, timed_out};
use crate::open::resp::Values;
use crate::open::routed::{Routed, result};
use crate::open::slots::{Slots, question};
use crate::open::socket::waiting;

/// [`Cluster`](crate::open::cluster::Cluster), async. Its clones share the connections.
#[derive(Clone)]
pub(super) struct AsyncCluster(Arc<Shared>);

struct Shared {
    way: WayToNodes,
    /// Locked while the slots are asked for, so that calls which are redirected together ask once.
    asking: Mutex<()>,
    known: StdMutex<Known>,
}

struct Known {
    slots: Slots,
    /// How often they were asked for.
    generation: u64,
    nodes: HashMap<Host, AsyncReconnecting>,
    /// What is lost with nodes that have no slots any more.
    past: Past,
}

impl AsyncCluster {
    pub(super) async fn open(way: WayToNodes) -> RedisResult<Self> {
        let deadline = after(way.connect_timeout);
        let mut nodes = HashMap::new();
        let slots = ask(&way, way.to_ask(None, &[], |_| false), deadline, |host| node(&mut nodes, &way, host)).await?;
        let known = StdMutex::new(Known { slots, generation: 0, nodes, past: Past::default() });
        Ok(Self(Arc::new(Shared { way, asking: Mutex::new(()), known })))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing panics while it is locked.
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends packed commands, and returns `count` replies after the first `offset`. An error among those fails them all.
    pub(super) async fn call(&self, packed: Vec<u8>, offset: usize, count: usize) -> RedisResult<Values> {
        let deadline = after(self.0.way.response_timeout);
        let (mut routed, told) = {
            let mut known = self.known();
            let told = known.past.allows(&packed).map_err(CallFailed::into_error)?;
            let has_been_open = |host: &Host| known.nodes.get(host).is_some_and(AsyncReconnecting::has_been_open);
            (Routed::new(&packed, &known.slots, &has_been_open)?, told)
        };
        loop {
            let (parts, nodes, generation) = {
                let Known { slots, generation, nodes, .. } = &mut *self.known();
                let parts = routed.parts(slots);
                let nodes: Vec<_> = parts.iter().map(|part| node(nodes, &self.0.way, &part.host)).collect();
                (parts, nodes, *generation)
            };
            // All nodes work at once.
            let sent = parts
                .iter()
                .zip(&nodes)
                .map(|(part, node)| node.send(|| part.packed.to_vec(), part.replies, Some(deadline)));
            let results = join_all(sent).await;
            for (part, result) in parts.iter().zip(results) {
                let result = result.map_err(|failed| failed.on(&part.host));
                routed.answered(part, result, &mut self.known().slots);
            }
            let pause = routed.pause();
            if routed.is_done() || deadline.saturating_duration_since(Instant::now()) <= pause {
                break;
            }
            if !pause.is_zero() {
                sleep(pause).await;
            }
            // If nobody is there, there is no use in waiting.
            if routed.is_stale && self.ask(generation, &routed.doubted, deadline).await.is_err() {
                break;
            }
        }
        let replies = result(routed.finish())?;
        self.known().past.note(told);
        wanted(replies, offset, count)
    }

    /// Asks for the slots anew, unless somebody has done so since.
    async fn ask(&self, generation: u64, doubted: &[Host], deadline: Instant) -> RedisResult<()> {
        let asking = timeout_at(deadline, self.0.asking.lock()).await;
        let _asking = asking.map_err(|_| timed_out())?;
        let hosts = {
            let known = self.known();
            if known.generation != generation {
                return Ok(());
            }
            self.0.way.to_ask(Some(&known.slots), doubted, |host| {
                known.nodes.get(host).is_some_and(AsyncReconnecting::is_open)
            })
        };
        let slots = ask(&self.0.way, hosts, deadline, |host| node(&mut self.known().nodes, &self.0.way, host)).await?;
        let known = &mut *self.known();
        // A node that has no slots any more has no calls either.
        known.nodes.retain(|host, node| {
            let stays = slots.masters().contains(host);
            if !stays {
                node.leave_to(&mut known.past);
            }
            stays
        });
        known.slots = slots;
        known.generation += 1;
        Ok(())
    }
}

fn node(nodes: &mut HashMap<Host, AsyncReconnecting>, way: &WayToNodes, host: &Host) -> AsyncReconnecting {
    if let Some(node) = nodes.get(host) {
        return node.clone();
    }
    let node = AsyncReconnecting::to_node(way.address(host), &way.login, way.connect_timeout);
    nodes.insert(host.clone(), node.clone());
    node
}

/// Asks one node after the other for the slots, each for its share of the time.
async fn ask(
    way: &WayToNodes,
    hosts: Vec<Host>,
    deadline: Instant,
    mut node: impl FnMut(&Host) -> AsyncReconnecting,
) -> RedisResult<Slots> {
    let mut failed = None;
    for (at, host) in hosts.iter().enumerate() {
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now) / waiting(&hosts, at);
        let share = now + Ord::min(left, way.connect_timeout);
        let answer = node(host).send(question, 1, Some(share)).await;
        let answer = answer.map_err(|failed| failed.on(host).into_error_of_opening());
        match answer.and_then(|mut replies| Slots::read(replies.pop().unwrap_or_default(), host)) {
            Ok(slots) => return Ok(slots),
            Err(error) => failed = Some(telling(failed, error)),
        }
    }
    Err(failed.unwrap_or_else(|| (ErrorKind::InvalidClientConfig, "there are no nodes").into()))
}
