//! Asks at start-up whether the server can do what records declare: `require` and `require_async`.

use std::any::type_name;
use std::fmt::Write as _;
use std::time::Duration;

use crate::command::named_field::FieldInfo;
use crate::command::probe::{
    Probe, Verdict, cluster_slots, of_expiring_fields, of_expiring_hashes, of_scripts, verdict,
};
use crate::command::redis_hash::RedisHash;
use crate::command::slot::slot;
use crate::error::Error;
use crate::error::place::Place;
use crate::error::redis_fault::RedisFault;
use crate::open::slots::slots_of_masters;
use crate::run::Connected;
use crate::run::blocking::Blocking;
use crate::run::mailbox::Mailbox;
use crate::run::sealed::Sealed;

/// Records whose declarations [`require`] checks: a struct with `#[derive(RedisHash)]`, or a tuple of up to 12 of them.
pub trait Records: Sealed {
    #[doc(hidden)]
    fn declared() -> Vec<Declared>;
}

/// What a record declares.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    record: &'static str,
    fields: &'static [FieldInfo],
    ttl: Option<Duration>,
}

impl<R: RedisHash> Sealed for R {}

impl<R: RedisHash> Records for R {
    fn declared() -> Vec<Declared> {
        vec![Declared { record: type_name::<R>(), fields: R::FIELDS, ttl: R::TTL }]
    }
}

macro_rules! tuples {
    ($first:ident $($rest:ident)*) => {
        impl<$first: RedisHash, $($rest: RedisHash),*> Sealed for ($first, $($rest,)*) {}

        impl<$first: RedisHash, $($rest: RedisHash),*> Records for ($first, $($rest,)*) {
            fn declared() -> Vec<Declared> {
                [<$first as Records>::declared(), $(<$rest as Records>::declared()),*].concat()
            }
        }

        tuples!($($rest)*);
    };
    () => {};
}

tuples!(A B C D E F G H I J K L);

/// Asks whether the server can do what these records declare, so that a service fails when it starts and not when its first
/// session is stored.
///
/// Fields that expire need Redis 8.0, Valkey 9.1 or newer; records that expire and fields with aliases need scripts. The user
/// needs the right to call the commands. On a cluster every master is asked. Sends up to eleven commands to each, one after the
/// other: they name the key `redis-hashmap:require`, where nothing lies, and change nothing. Records that declare neither a
/// time to live nor an alias need nothing that a server may lack, and nothing is sent.
///
/// ```
/// use redis_hashmap::{Error, RedisHash, open, require};
///
/// #[derive(RedisHash)]
/// #[redis_hash(ttl = "30m")]
/// struct Session { user: String }
///
/// #[derive(RedisHash)]
/// struct Login {
///     #[redis_hash(ttl = "5m")]
///     code: Option<String>,
/// }
///
/// let mut con = open("memory:")?;
/// require::<(Session, Login)>(&mut con)?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
///
/// Returns [`Error::Requirement`] if the server or the user lacks something, and [`Error::Redis`] if it cannot be asked.
pub fn require<R: Records>(con: &mut impl redis::ConnectionLike) -> Result<(), Error> {
    Blocking::new(con).drive(|mailbox| check(mailbox, R::declared()))
}

/// Does what [`require`] does, on an async connection.
///
/// # Errors
///
/// Returns the errors of [`require`].
#[cfg(feature = "tokio-comp")]
pub async fn require_async<R: Records>(con: &mut (impl redis::aio::ConnectionLike + Send)) -> Result<(), Error> {
    crate::run::asynchronous::Exclusive::new(con).drive(|mailbox| check(mailbox, R::declared())).await
}

async fn check(mailbox: Mailbox, declared: Vec<Declared>) -> Result<(), Error> {
    let expiring = fields("the time to live", &declared, |field| field.ttl.is_some());
    let aliased = fields("an alias", &declared, |field| !field.aliases.is_empty());
    let hashes = named("the time to live", &declared, |record| record.ttl.map(|_| format!("`{}`", record.record)));
    let needs = [
        (
            expiring,
            "a server on which fields expire, Redis 8.0, Valkey 9.1 or newer",
            of_expiring_fields as fn(&str) -> _,
        ),
        (hashes, "a server with scripts", of_expiring_hashes),
        (aliased, "a server with scripts", of_scripts),
    ];
    if needs.iter().all(|(who, ..)| who.is_none()) {
        return Ok(());
    }
    for key in keys(&mailbox).await {
        for (who, needed, probes) in &needs {
            let Some(who) = who else { continue };
            ask(&mailbox, &key, who, needed, probes(&key)).await?;
        }
    }
    Ok(())
}

/// Says what is declared by the fields of which something is true, or returns `None` if there are none.
fn fields(what: &str, declared: &[Declared], is: impl Fn(&FieldInfo) -> bool) -> Option<String> {
    named(what, declared, |record| {
        let fields = record.fields.iter().filter(|field| is(field)).map(|field| format!("`{}`", field.name));
        let fields = fields.collect::<Vec<_>>().join(", ");
        (!fields.is_empty()).then(|| format!("{fields} of `{}`", record.record))
    })
}

/// Says what is declared by the records of which there is something to say, or returns `None` if there are none.
fn named(what: &str, declared: &[Declared], name: impl Fn(&Declared) -> Option<String>) -> Option<String> {
    let names: Vec<String> = declared.iter().filter_map(name).collect();
    (!names.is_empty()).then(|| format!("{what} of {}", names.join("; ")))
}

/// One key for each master of a cluster, or one for a server alone.
async fn keys(mailbox: &Mailbox) -> Vec<String> {
    const KEY: &str = "redis-hashmap:require";
    let slots = mailbox.send_cmd(cluster_slots()).await.map(slots_of_masters).unwrap_or_default();
    if slots.is_empty() {
        return vec![KEY.to_owned()];
    }
    // Each tag has one chance in 16,384.
    let keys = |wanted| (0..1 << 20).map(|tag| format!("{KEY}:{{{tag}}}")).find(|key| slot(key.as_bytes()) == wanted);
    slots.into_iter().filter_map(keys).collect()
}

async fn ask(mailbox: &Mailbox, key: &str, who: &str, needed: &str, probes: Vec<Probe>) -> Result<(), Error> {
    let (mut unknown, mut denied) = (String::new(), String::new());
    for Probe { name, cmd } in probes {
        let reply = mailbox.send_cmd(cmd).await;
        // A string takes every write.
        let _ = match verdict(reply) {
            Ok(Verdict::Allowed) => Ok(()),
            Ok(Verdict::Unknown) => write!(unknown, " {name}"),
            Ok(Verdict::Denied) => write!(denied, " {name}"),
            Err(error) => {
                let (place, source) = (Place::new(key, None), RedisFault::new(error));
                return Err(Error::Redis { place, operation: name, source });
            }
        };
    }
    let problem = if !unknown.is_empty() {
        format!("needs {needed}, and this one does not know{unknown}")
    } else if !denied.is_empty() {
        format!("needs the right to call{denied}, which this user does not have: grant it in the server's ACL")
    } else {
        return Ok(());
    };
    Err(Error::Requirement { who: who.to_owned(), problem })
}
