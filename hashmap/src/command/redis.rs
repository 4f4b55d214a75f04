//! Redis's commands on one hash, a function for each. Only this file and the scripts know the names of these commands.
//!
//! Each function is named after its command, and decides whether the command renews a record that expires: as a read,
//! as a write, or not at all. Where a field has aliases, they stand behind all other arguments: see `Request`.

use crate::command::changes::{Change, Changes, Guard, Outcome};
use crate::command::name::Name;
use crate::command::named_field::FieldInfo;
use crate::command::names::Names;
use crate::command::request::{Arg, Request, can_unpack};
use crate::command::script::Script;
use crate::command::target::Target;
use crate::command::ttl::{FieldTtl, Millis};
use crate::error::Error;

type Made = Result<Request, Error>;

#[inline]
fn reads(request: Request, target: &Target) -> Request {
    request.renewing(target.expiry.on_read)
}

#[inline]
fn writes(request: Request, target: &Target) -> Request {
    request.renewing(target.expiry.on_write)
}

/// `HGET key field`, or `HMGET` where the field has aliases.
#[inline]
pub(crate) fn hget(target: &Target, field: Name) -> Made {
    if !field.aliases().is_empty() {
        return hmget_one(target, field);
    }
    Ok(reads(Request::command(target, "HGET", Names::One(field), [Arg::Names])?, target))
}

/// `HMGET key field …`, or for no fields `EXISTS`, which changes nothing.
pub(crate) fn hmget(target: &Target, fields: Vec<Name>) -> Made {
    if fields.is_empty() {
        return exists(target);
    }
    Ok(reads(Request::command(target, "HMGET", Names::Many(fields), [Arg::Names])?, target))
}

/// `HMGET key field …` for all fields of a record.
#[inline]
pub(crate) fn hmget_declared(target: &Target, fields: &'static [FieldInfo]) -> Made {
    Ok(reads(Request::command(target, "HMGET", Names::Declared(fields), [Arg::Names])?, target))
}

/// `HMGET key field`, for operations of several steps, which read one field and many alike.
pub(crate) fn hmget_one(target: &Target, field: Name) -> Made {
    Ok(reads(Request::command(target, "HMGET", Names::One(field), [Arg::Names])?, target))
}

/// `HGETEX key FIELDS 1 field`, which reads as `HMGET` does, on servers that can expire fields, and is unknown to others.
///
/// An operation whose closure makes what is then written with a time to live begins with it.
pub(crate) fn hgetex_one(target: &Target, field: Name) -> Made {
    let args = [Arg::Text("FIELDS"), Arg::Count, Arg::Names];
    Ok(reads(Request::command(target, "HGETEX", Names::One(field), args)?.expiring_fields(), target))
}

/// `HGETALL key`
pub(crate) fn hgetall(target: &Target) -> Made {
    Request::command(target, "HGETALL", Names::None, [])
}

/// `HKEYS key`
pub(crate) fn hkeys(target: &Target) -> Made {
    Request::command(target, "HKEYS", Names::None, [])
}

/// `HLEN key`
pub(crate) fn hlen(target: &Target) -> Made {
    Request::command(target, "HLEN", Names::None, [])
}

/// `HEXISTS key field`, or `HMGET` where the field has aliases: no command asks for one of several.
#[inline]
pub(crate) fn hexists(target: &Target, field: Name) -> Made {
    if !field.aliases().is_empty() {
        return Request::command(target, "HMGET", Names::One(field), [Arg::Names]);
    }
    Request::command(target, "HEXISTS", Names::One(field), [Arg::Names])
}

/// `HSCAN key cursor COUNT count`
pub(crate) fn hscan(target: &Target, cursor: u64, count: u64) -> Made {
    Request::command(target, "HSCAN", Names::None, [Arg::Uint(cursor), Arg::Text("COUNT"), Arg::Uint(count)])
}

/// `HDEL key field`
#[inline]
pub(crate) fn hdel(target: &Target, field: Name) -> Made {
    Ok(writes(Request::command(target, "HDEL", Names::One(field), [Arg::Names])?, target))
}

/// `HDEL key field` of a field whose name may not be text.
pub(crate) fn hdel_raw(target: &Target, field: &[u8]) -> Made {
    Ok(writes(Request::command(target, "HDEL", Names::Raw(field.to_vec()), [Arg::Names])?, target))
}

/// `HDEL key field …`, or for no fields `EXISTS`, which changes nothing. Only maps use it, so it renews no record.
pub(crate) fn hdel_many(target: &Target, fields: Vec<Name>) -> Made {
    if fields.is_empty() {
        return exists(target);
    }
    Request::command(target, "HDEL", Names::Many(fields), [Arg::Names])
}

/// `HSETNX key field value`, for a change of one field that does not expire.
pub(crate) fn hsetnx(change: Changes) -> Request {
    Request::plain_changes("HSETNX", change).about_field()
}

/// `HINCRBY key field by`, or a script where the counter or the record expires, or the counter has aliases.
pub(crate) fn hincrby(target: &Target, field: Name, by: i64, ttl: FieldTtl) -> Made {
    let millis = match ttl {
        FieldTtl::Limited(millis) => Some(millis),
        FieldTtl::Unlimited | FieldTtl::Keep => None,
    };
    if millis.is_none() && target.expiry.on_write.is_none() && field.aliases().is_empty() {
        let args = [Arg::Names, Arg::Int(by)];
        return Ok(Request::command(target, "HINCRBY", Names::One(field), args)?.counting());
    }
    let args = [Arg::Names, Arg::Int(by), Arg::Uint(millis.map_or(0, Millis::get)), Arg::Renewal];
    let request = Request::script(target, Script::Increment, "increment", field, args)?.counting();
    let request = if millis.is_some() { request.expiring_fields() } else { request };
    Ok(writes(request, target))
}

/// A script of `HGET` and `HDEL` that reads a field, and removes it if its first byte is this kind.
pub(crate) fn take_of_kind(target: &Target, field: Name, kind: u8) -> Made {
    let args = [Arg::Names, Arg::Renewal, Arg::Uint(kind.into())];
    Ok(writes(Request::script(target, Script::Take, "take", field, args)?, target))
}

/// The command that carries out some changes.
///
/// `HSET` where all fields are set, `HDEL` where all are removed, and a script where there are both, a condition, or a
/// time to live of a field, and where a field is set that has aliases. For no changes it is `EXISTS`, which changes nothing.
#[inline]
pub(crate) fn write_changes(target: &Target, operation: &'static str, changes: Changes) -> Made {
    let ttl = target.expiry.on_write;
    let list = &changes.list;
    let all = |is: fn(&Change) -> bool| list.iter().all(|change| change.guard.is_none() && is(change));
    let args = list.iter().map(Change::args).sum();
    let is_plain = changes.condition.is_none() && (ttl.is_none() || can_unpack(args));
    Ok(if is_plain && changes.list.is_empty() {
        return exists(target);
    } else if is_plain && all(|change| matches!(change.to, Outcome::Set(_, FieldTtl::Unlimited)) && !change.moves()) {
        Request::plain_changes("HSET", changes)
    } else if is_plain && all(|change| matches!(change.to, Outcome::Removed)) {
        Request::plain_changes("HDEL", changes)
    } else {
        Request::conditional_changes(operation, changes)
    }
    .renewing(ttl))
}

/// [`write_changes`] for one field.
#[inline]
pub(crate) fn write_field(target: &Target, operation: &'static str, change: Changes) -> Made {
    write_changes(target, operation, change).map(Request::about_field)
}

/// [`write_field`] with a guard on the field.
pub(crate) fn write_field_if(target: &Target, operation: &'static str, change: Changes, guard: Guard) -> Made {
    write_field(target, operation, change.guard(guard))
}

/// `DEL key`
pub(crate) fn del(target: &Target) -> Made {
    Request::command(target, "DEL", Names::None, [])
}

/// `EXISTS key`
pub(crate) fn exists(target: &Target) -> Made {
    Request::command(target, "EXISTS", Names::None, [])
}

/// `PTTL key`
pub(crate) fn pttl(target: &Target) -> Made {
    Request::command(target, "PTTL", Names::None, [])
}

/// `PEXPIRE key milliseconds`
pub(crate) fn pexpire(target: &Target, ttl: Millis) -> Made {
    Request::command(target, "PEXPIRE", Names::None, [Arg::Uint(ttl.get())])
}

/// `PEXPIREAT key milliseconds`
pub(crate) fn pexpireat(target: &Target, at: u64) -> Made {
    Request::command(target, "PEXPIREAT", Names::None, [Arg::Uint(at)])
}

/// `PERSIST key`
pub(crate) fn persist(target: &Target) -> Made {
    Request::command(target, "PERSIST", Names::None, [])
}

/// `HPTTL key FIELDS 1 field`
pub(crate) fn hpttl(target: &Target, field: Name) -> Made {
    let args = [Arg::Text("FIELDS"), Arg::Count, Arg::Names];
    Request::command(target, "HPTTL", Names::One(field), args).map(Request::expiring_fields)
}

/// `HPEXPIRE key milliseconds FIELDS 1 field`
pub(crate) fn hpexpire(target: &Target, field: Name, ttl: Millis) -> Made {
    let args = [Arg::Uint(ttl.get()), Arg::Text("FIELDS"), Arg::Count, Arg::Names];
    Request::command(target, "HPEXPIRE", Names::One(field), args).map(Request::expiring_fields)
}

/// `HPEXPIREAT key milliseconds FIELDS 1 field`
pub(crate) fn hpexpireat(target: &Target, field: Name, at: u64) -> Made {
    let args = [Arg::Uint(at), Arg::Text("FIELDS"), Arg::Count, Arg::Names];
    Request::command(target, "HPEXPIREAT", Names::One(field), args).map(Request::expiring_fields)
}

/// `HPERSIST key FIELDS 1 field`
pub(crate) fn hpersist(target: &Target, field: Name) -> Made {
    let args = [Arg::Text("FIELDS"), Arg::Count, Arg::Names];
    Request::command(target, "HPERSIST", Names::One(field), args).map(Request::expiring_fields)
}
