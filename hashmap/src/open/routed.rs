//! A call to a cluster on its way: what is to be sent, what has been answered, and what may be sent again.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use redis::{RedisError, RedisResult, ServerErrorKind, Value};

use crate::error::redis_fault::{RedisFault, io_error};
use crate::open::failed::CallFailed;
use crate::open::options::Host;
use crate::open::resp::Values;
use crate::open::route::Route;
use crate::open::slots::{self, Slots};

/// A call on its way.
pub(super) struct Routed<'a> {
    route: Route<'a>,
    states: Vec<State>,
    /// True if what is known of the slots is out of date.
    pub(super) is_stale: bool,
    /// True if nodes need time before they are asked again.
    must_wait: bool,
    rounds: u32,
    /// The nodes that have failed, or cannot say who has a slot: others know it better.
    pub(super) doubted: Vec<Host>,
}

/// What has become of a unit.
struct State {
    is_done: bool,
    /// The last that was heard of it.
    last: Option<Result<Values, CallFailed>>,
    /// The node that imports the slot, if the one that has it sent it there.
    asked: Option<Host>,
}

/// What one node gets.
pub(super) struct Part<'a> {
    pub(super) host: Host,
    pub(super) packed: Cow<'a, [u8]>,
    pub(super) replies: usize,
    units: Vec<usize>,
}

/// What is to be done with a reply.
enum Verdict {
    Final,
    Moved(u16, Host),
    Ask(Host),
    /// The node cannot say yet.
    Later,
}

/// After so many redirections at once, a call waits before it follows another.
const REDIRECTIONS: u32 = 5;

const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";

impl<'a> Routed<'a> {
    pub(super) fn new(packed: &'a [u8], slots: &Slots, has_been_open: &dyn Fn(&Host) -> bool) -> RedisResult<Self> {
        let route = Route::of(packed, slots, has_been_open)?;
        let states = route.units.iter().map(|_| State { is_done: false, last: None, asked: None }).collect();
        Ok(Self { route, states, is_stale: false, must_wait: false, rounds: 0, doubted: Vec::new() })
    }

    /// What to send now, to each node its part.
    pub(super) fn parts(&mut self, slots: &Slots) -> Vec<Part<'a>> {
        (self.is_stale, self.must_wait) = (false, false);
        self.doubted.clear();
        // What any node can answer goes to another one, where the first does not.
        let any = slots.masters().get(self.rounds as usize % slots.masters().len().max(1));
        self.rounds += 1;
        let mut parts: Vec<Part<'a>> = Vec::new();
        for (index, (unit, state)) in self.route.units.iter().zip(&mut self.states).enumerate() {
            if state.is_done {
                continue;
            }
            let asked = state.asked.take();
            let owner = asked.as_ref().or_else(|| unit.slot.map_or(any, |slot| slots.owner(slot)));
            let Some(host) = owner else {
                let error = io::Error::new(io::ErrorKind::NotConnected, "no node of the cluster serves the hash slot");
                state.last = Some(Err(CallFailed::not_sent(error.into())));
                (self.is_stale, self.must_wait) = (true, true);
                continue;
            };
            let at = parts.iter().position(|part| part.host == *host).unwrap_or_else(|| {
                parts.push(Part { host: host.clone(), packed: Cow::Borrowed(&[]), replies: 0, units: Vec::new() });
                parts.len() - 1
            });
            let part = &mut parts[at];
            if asked.is_some() {
                part.packed.to_mut().extend_from_slice(ASKING);
                part.replies += 1;
            }
            match &unit.packed {
                // Most calls are one command.
                Cow::Borrowed(packed) if part.packed.is_empty() => part.packed = Cow::Borrowed(packed),
                packed => part.packed.to_mut().extend_from_slice(packed),
            }
            part.replies += unit.replies;
            part.units.push(index);
            state.asked = asked;
        }
        parts
    }

    /// Takes what became of a part.
    pub(super) fn answered(&mut self, part: &Part<'_>, result: Result<Values, CallFailed>, slots: &mut Slots) {
        let mut values = match result {
            Ok(values) => values.into_iter(),
            Err(failed) => {
                for index in &part.units {
                    let state = &mut self.states[*index];
                    state.is_done = failed.is_final();
                    state.asked = None;
                    state.last = Some(Err(failed.clone()));
                }
                // The node may be gone, and another may have taken its place.
                self.doubted.push(part.host.clone());
                self.is_stale = true;
                self.must_wait |= !failed.is_final();
                return;
            }
        };
        for index in &part.units {
            let (state, unit) = (&mut self.states[*index], &self.route.units[*index]);
            if state.asked.take().is_some() {
                values.next(); // the reply to ASKING
            }
            let replies: Values = values.by_ref().take(unit.replies).collect();
            match verdict(&replies, &part.host) {
                Verdict::Final => state.is_done = true,
                Verdict::Moved(slot, host) => {
                    self.is_stale |= !slots.moved(slot, &host);
                    self.must_wait |= self.rounds > REDIRECTIONS;
                }
                Verdict::Ask(host) => {
                    self.is_stale |= !slots.masters().contains(&host);
                    state.asked = Some(host);
                    self.must_wait |= self.rounds > REDIRECTIONS;
                }
                Verdict::Later => {
                    self.doubted.push(part.host.clone());
                    (self.is_stale, self.must_wait) = (true, true);
                }
            }
            state.last = Some(Ok(replies));
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.states.iter().all(|state| state.is_done)
    }

    /// How long to wait before the next round.
    pub(super) fn pause(&self) -> Duration {
        const LONGEST: Duration = Duration::from_millis(200);
        if self.must_wait {
            Ord::min(Duration::from_millis(5) * 2_u32.saturating_pow(self.rounds), LONGEST)
        } else {
            Duration::ZERO
        }
    }

    /// The replies to the commands of the call, or what has failed. What was not answered in time ends with the last that
    /// was heard of it.
    pub(super) fn finish(self) -> Vec<Result<Value, CallFailed>> {
        let unsent = |problem| Err(CallFailed::not_sent(io::Error::new(io::ErrorKind::NotConnected, problem).into()));
        let is_redirected = |replies: &Values| {
            let moved = |kind| matches!(kind, Some(ServerErrorKind::Moved | ServerErrorKind::Ask));
            replies.iter().any(|reply| matches!(reply, Value::ServerError(error) if moved(error.kind())))
        };
        let outcome = |State { is_done, last, .. }: State| match last {
            // No node has carried it out, and later one will.
            Some(Ok(replies)) if !is_done && is_redirected(&replies) => {
                unsent("one node of the cluster after the other says that another one has the hash slot")
            }
            last => last.unwrap_or_else(|| Err(CallFailed::not_sent(io::Error::from(io::ErrorKind::TimedOut).into()))),
        };
        self.route.replies(self.states.into_iter().map(outcome).collect())
    }
}

fn verdict(replies: &[Value], node: &Host) -> Verdict {
    let of = |reply: &Value| match reply {
        Value::ServerError(error) => judge(error, node),
        _ => Verdict::Final,
    };
    match replies {
        [reply] => of(reply),
        // In a transaction that was begun and discarded, nothing was carried out.
        [Value::Okay, queued @ .., Value::ServerError(exec)] if exec.kind() == Some(ServerErrorKind::ExecAbort) => {
            queued.iter().map(of).find(|verdict| !matches!(verdict, Verdict::Final)).unwrap_or(Verdict::Final)
        }
        // One whose EXEC is refused is discarded too.
        [Value::Okay, .., Value::ServerError(exec)] => judge(exec, node),
        _ => Verdict::Final,
    }
}

/// What a server says before it carries anything out.
fn judge(error: &redis::ServerError, node: &Host) -> Verdict {
    let redirected = || {
        let error = RedisError::from(error.clone());
        let (address, slot) = error.redirect_node()?;
        let (name, port) = address.rsplit_once(':')?;
        Some((slot, slots::host(name, port.parse().ok()?, node)?))
    };
    match error.kind() {
        Some(ServerErrorKind::Moved) => redirected().map_or(Verdict::Final, |(slot, host)| Verdict::Moved(slot, host)),
        Some(ServerErrorKind::Ask) => redirected().map_or(Verdict::Final, |(_, host)| Verdict::Ask(host)),
        Some(
            ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::BusyLoading
            | ServerErrorKind::MasterDown,
        ) => Verdict::Later,
        _ => Verdict::Final,
    }
}

/// A batch of which the nodes of a cluster have not answered all. Each reply stands in its place.
pub(crate) struct Partial {
    pub(crate) replies: Vec<RedisResult<Value>>,
    problem: String,
}

impl Partial {
    /// What is behind the error of a call, if it is this.
    pub(crate) fn of(error: &RedisError) -> Option<&Self> {
        io_error(error)?.get_ref()?.downcast_ref()
    }
}

/// Does not show the replies: values stand in them.
impl std::fmt::Debug for Partial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Partial({})", self.problem)
    }
}

impl std::fmt::Display for Partial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Partial {}

/// Makes the result of a call of its replies: an error, if one of them is missing.
pub(super) fn result(replies: Vec<Result<Value, CallFailed>>) -> RedisResult<Values> {
    let Some(failed) = replies.iter().find_map(|reply| reply.as_ref().err()) else {
        return Ok(replies.into_iter().filter_map(Result::ok).collect());
    };
    let is_unsent = replies.iter().all(|reply| reply.as_ref().is_err_and(|failed| !failed.is_in_doubt()));
    let error = failed.clone().into_error();
    if replies.len() == 1 || is_unsent {
        return Err(error);
    }
    let kind = if error.is_timeout() { io::ErrorKind::TimedOut } else { io::ErrorKind::Other };
    let problem = format!("a part of a batch failed: {}", RedisFault::new(error));
    let replies = replies.into_iter().map(|reply| reply.map_err(CallFailed::into_error)).collect();
    Err(io::Error::new(kind, Partial { replies, problem }).into())
}
