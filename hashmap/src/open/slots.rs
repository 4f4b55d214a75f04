//! Which master of a cluster holds which hash slots.

use redis::{ErrorKind, RedisError, RedisResult, Value};

use crate::command::probe::cluster_slots;
use crate::command::slot::SLOTS;
use crate::open::options::Host;

/// The masters of a cluster, as one of its nodes has told.
#[derive(Clone)]
pub(super) struct Slots {
    masters: Vec<Host>,
    /// For each slot the index of its master, or [`NOBODY`].
    owners: Box<[u16]>,
}

const NOBODY: u16 = u16::MAX;

/// More masters are no cluster: Redis recommends at most 1,000 nodes.
const MOST_MASTERS: usize = 2_000;

/// The command whose reply [`Slots::read`] reads, packed.
pub(super) fn question() -> Vec<u8> {
    cluster_slots().get_packed_command()
}

impl Slots {
    /// Reads the reply to `CLUSTER SLOTS` of a node.
    pub(super) fn read(reply: Value, node: &Host) -> RedisResult<Self> {
        let mut slots = Self { masters: Vec::new(), owners: vec![NOBODY; usize::from(SLOTS)].into() };
        let ranges = match reply.extract_error() {
            Ok(Value::Array(ranges)) => ranges,
            Ok(_) => return Err(unexpected()),
            // Older servers do not know the command at all.
            Err(error) if error.code() == Some("ERR") => return Err(no_cluster()),
            Err(error) => return Err(error),
        };
        // No server has more; and each is compared with the masters before it.
        if ranges.len() > SLOT_COUNT {
            return Err(unexpected());
        }
        for range in ranges {
            let Value::Array(range) = range else { return Err(unexpected()) };
            let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range.as_slice() else {
                return Err(unexpected());
            };
            let [name, Value::Int(port), ..] = master.as_slice() else { return Err(unexpected()) };
            let name = match name {
                Value::BulkString(name) => String::from_utf8(name.clone()).map_err(|_| unexpected())?,
                Value::SimpleString(name) => name.clone(),
                Value::Nil => String::new(),
                _ => return Err(unexpected()),
            };
            // The node does not know the address either.
            if name == "?" {
                continue;
            }
            let port = u16::try_from(*port).map_err(|_| unexpected())?;
            let host = host(&name, port, node).ok_or_else(unexpected)?;
            let bounds = (usize::try_from(*first), usize::try_from(*last));
            let (Ok(first), Ok(last @ ..SLOT_COUNT)) = bounds else { return Err(unexpected()) };
            if slots.masters.len() > MOST_MASTERS {
                return Err(unexpected());
            }
            let owner = slots.index_of(&host);
            slots.owners.get_mut(first..=last).ok_or_else(unexpected)?.fill(owner);
        }
        if slots.masters.is_empty() {
            return Err(std::io::Error::new(
                std::io::ErrorKind::NotConnected,
                "no node of the cluster serves a hash slot",
            )
            .into());
        }
        Ok(slots)
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Host> {
        self.masters.get(usize::from(*self.owners.get(usize::from(slot))?))
    }

    /// Notes where a slot has gone. Returns true if the node was known.
    pub(super) fn moved(&mut self, slot: u16, to: &Host) -> bool {
        let is_known = self.masters.contains(to);
        let owner = self.index_of(to);
        if let Some(place) = self.owners.get_mut(usize::from(slot)) {
            *place = owner;
        }
        is_known
    }

    pub(super) fn masters(&self) -> &[Host] {
        &self.masters
    }

    /// One slot of each master that has any.
    pub(super) fn one_of_each(&self) -> Vec<u16> {
        let first = |owner| self.owners.iter().position(|of| usize::from(*of) == owner);
        let slots = (0..self.masters.len()).filter_map(first);
        slots.filter_map(|slot| u16::try_from(slot).ok()).collect()
    }

    fn index_of(&mut self, host: &Host) -> u16 {
        let index = self.masters.iter().position(|master| master == host).unwrap_or_else(|| {
            self.masters.push(host.clone());
            self.masters.len() - 1
        });
        // There are no more masters than slots.
        u16::try_from(index).unwrap_or(NOBODY)
    }
}

/// Reads one slot of each master from a reply to `CLUSTER SLOTS`, or nothing if it is none.
pub(crate) fn slots_of_masters(reply: Value) -> Vec<u16> {
    // Whoever asks wants no addresses, so that it does not matter who has answered.
    let anybody = Host { name: String::new(), port: 0 };
    Slots::read(reply, &anybody).map(|slots| slots.one_of_each()).unwrap_or_default()
}

const SLOT_COUNT: usize = SLOTS as usize;

/// The address as a node tells it, if it can be one. Where it leaves the name out, it means its own.
pub(super) fn host(name: &str, port: u16, node: &Host) -> Option<Host> {
    let is_own = matches!(name, "" | "0.0.0.0" | "::");
    if is_own { Some(Host { name: node.name.clone(), port }) } else { Host::told(name, port) }
}

fn unexpected() -> RedisError {
    (ErrorKind::UnexpectedReturnType, "the reply is not one to CLUSTER SLOTS").into()
}

fn no_cluster() -> RedisError {
    let problem = "the server is not a node of a cluster: write redis:// instead of redis+cluster://";
    std::io::Error::new(std::io::ErrorKind::Unsupported, problem).into()
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::{Slots, slots_of_masters};
    use crate::open::options::Host;

    fn node() -> Host {
        Host { name: "asked".to_owned(), port: 1 }
    }

    fn reply(resp: &str) -> Value {
        redis::parse_redis_value(resp.as_bytes()).expect("a reply")
    }

    #[test]
    fn ranges_are_read() {
        let resp = "*3\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\na\r\n:7\r\n\
                    *4\r\n:10\r\n:16383\r\n*3\r\n$0\r\n\r\n:8\r\n$2\r\nid\r\n*2\r\n$1\r\nr\r\n:9\r\n\
                    *3\r\n:6\r\n:7\r\n*2\r\n$1\r\n?\r\n:7\r\n";
        let mut slots = Slots::read(reply(resp), &node()).expect("slots");
        let owner = |slots: &Slots, slot| slots.owner(slot).map(|host| format!("{}:{}", host.name, host.port));
        assert_eq!(owner(&slots, 0).as_deref(), Some("a:7"));
        assert_eq!(owner(&slots, 5).as_deref(), Some("a:7"));
        assert_eq!((owner(&slots, 6), owner(&slots, 9), owner(&slots, 16384)), (None, None, None));
        assert_eq!(owner(&slots, 16383).as_deref(), Some("asked:8"));
        assert_eq!((slots.one_of_each(), slots_of_masters(reply(resp))), (vec![0, 10], vec![0, 10]));
        assert!(!slots.moved(6, &Host { name: "b".to_owned(), port: 7 }));
        assert!(slots.moved(0, &Host { name: "b".to_owned(), port: 7 }));
        assert_eq!(owner(&slots, 6).as_deref(), Some("b:7"));
        assert_eq!((slots.one_of_each(), slots.masters().len()), (vec![1, 10, 0], 3));
    }

    #[test]
    fn what_is_no_such_reply_is_an_error() {
        for resp in [
            "*0\r\n",
            ":1\r\n",
            "*1\r\n:1\r\n",
            "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:7\r\n",
            "*1\r\n*3\r\n:-1\r\n:5\r\n*2\r\n$1\r\na\r\n:7\r\n",
            "*1\r\n*3\r\n:5\r\n:1\r\n*2\r\n$1\r\na\r\n:7\r\n",
            "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\na\r\n:70000\r\n",
            "*1\r\n*3\r\n:0\r\n:5\r\n*1\r\n$1\r\na\r\n",
            "-ERR This instance has cluster support disabled\r\n",
        ] {
            assert!(Slots::read(reply(resp), &node()).is_err(), "{resp}");
        }
    }
}
