//! The commands that set and report when keys and fields expire.

use redis::Value;

use crate::embedded::answer::{Answer, Failure, int, number, refuse, value_of, wrong_number};
use crate::embedded::storage::{Edit, Hash, Reader, Writer};

/// How a command states a time: in units of so many milliseconds, from now or since 1970.
pub(super) struct Clock {
    unit: i64,
    from_now: bool,
}

impl Clock {
    pub(super) const EX: Self = Self { unit: 1000, from_now: true };
    pub(super) const PX: Self = Self { unit: 1, from_now: true };
    pub(super) const EXAT: Self = Self { unit: 1000, from_now: false };
    pub(super) const PXAT: Self = Self { unit: 1, from_now: false };

    fn of_option(option: &[u8]) -> Option<Self> {
        Some(match option.to_ascii_uppercase().as_slice() {
            b"EX" => Self::EX,
            b"PX" => Self::PX,
            b"EXAT" => Self::EXAT,
            b"PXAT" => Self::PXAT,
            _ => return None,
        })
    }

    fn start(&self, storage: &impl Reader) -> i64 {
        if self.from_now { milliseconds(storage.now()) } else { 0 }
    }

    /// When a field is to expire. Redis has 46 bits for that, which last until the year 4199.
    fn field_time(&self, storage: &impl Reader, name: &str, time: &[u8]) -> Result<u64, Failure> {
        const LAST: i64 = (1 << 46) - 1;
        let time: i64 = number(time)?;
        if time < 0 {
            return refuse("ERR invalid expire time, must be >= 0");
        }
        let at = time.checked_mul(self.unit).and_then(|time| time.checked_add(self.start(storage)));
        at.filter(|at| *at <= LAST).map_or_else(|| invalid(name), |at| Ok(at.unsigned_abs()))
    }
}

fn milliseconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

fn invalid<T>(name: &str) -> Result<T, Failure> {
    refuse(format!("ERR invalid expire time in '{}' command", name.to_lowercase()))
}

/// EXPIRE, PEXPIRE, EXPIREAT and PEXPIREAT.
pub(super) fn expire(storage: &mut impl Writer, name: &str, args: &[&[u8]], clock: &Clock) -> Answer {
    let (mut nx, mut xx, mut gt, mut lt) = (false, false, false, false);
    for option in &args[2..] {
        match option.to_ascii_uppercase().as_slice() {
            b"NX" => nx = true,
            b"XX" => xx = true,
            b"GT" => gt = true,
            b"LT" => lt = true,
            _ => return refuse(format!("ERR Unsupported option {}", String::from_utf8_lossy(option))),
        }
    }
    if nx && (xx || gt || lt) {
        return refuse("ERR NX and XX, GT or LT options at the same time are not compatible");
    }
    if gt && lt {
        return refuse("ERR GT and LT options at the same time are not compatible");
    }
    let (key, time) = (args[0], number::<i64>(args[1])?);
    let at = time.checked_mul(clock.unit).and_then(|time| time.checked_add(clock.start(storage)));
    let at = at.map_or_else(|| invalid(name), Ok)?;
    let now = milliseconds(storage.now());
    let mut hash = storage.edit(key)?;
    // A missing expiry counts as an infinite one.
    let current = if hash.expires() == 0 { i64::MAX } else { milliseconds(hash.expires()) };
    let is_set = hash.expires() != 0;
    let is_refused = (nx && is_set) || (xx && !is_set) || (gt && at <= current) || (lt && at >= current);
    if is_refused || !hash.has_fields()? {
        hash.close()?;
        return Ok(int(0));
    }
    if at > now {
        hash.expire(at.unsigned_abs())?;
    }
    hash.close()?;
    if at <= now {
        storage.remove(key)?;
    }
    Ok(int(1))
}

/// The names that follow FIELDS and their number.
fn fields<'a>(args: &'a [&'a [u8]], not_positive: &str) -> Result<&'a [&'a [u8]], Failure> {
    match args {
        [word, count, fields @ ..] if is(word, "FIELDS") => {
            let count = number::<i64>(count).ok().filter(|count| *count > 0);
            let count = count.map_or_else(|| refuse(not_positive), Ok)?;
            if usize::try_from(count).is_ok_and(|count| count == fields.len()) {
                Ok(fields)
            } else {
                refuse("ERR The `numfields` parameter must match the number of arguments")
            }
        }
        _ => refuse("ERR Mandatory argument FIELDS is missing or not at the right position"),
    }
}

fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// Answers for each field what `carry_out` returns, given when it expires, or `missing` if the field is absent.
fn each_field<W: Writer>(
    storage: &mut W,
    key: &[u8],
    fields: &[&[u8]],
    missing: &Value,
    mut carry_out: impl FnMut(&mut W::Edit<'_>, &[u8], u64) -> Answer,
) -> Answer {
    let mut hash = storage.edit(key)?;
    let mut answers = Vec::with_capacity(fields.len());
    for field in fields {
        answers.push(match hash.field_expires(field)? {
            Some(expires) => carry_out(&mut hash, field, expires)?,
            None => missing.clone(),
        });
    }
    hash.close()?;
    Ok(Value::Array(answers))
}

const NOT_POSITIVE: &str = "ERR Number of fields must be a positive integer";

/// HTTL and its kin: the time since a start, rounded up to units of so many milliseconds.
pub(super) fn left(storage: &impl Reader, args: &[&[u8]], start: u64, unit: u64) -> Answer {
    let fields = fields(&args[1..], NOT_POSITIVE)?;
    let hash = storage.hash(args[0])?;
    let mut left = Vec::with_capacity(fields.len());
    for field in fields {
        let expires = hash.as_ref().map_or(Ok(None), |hash| hash.field_expires(field))?;
        left.push(match expires {
            None => int(-2),
            Some(0) => int(-1),
            Some(expires) => int(expires.saturating_sub(start).div_ceil(unit)),
        });
    }
    Ok(Value::Array(left))
}

/// TTL and PTTL: the time left of a key, rounded to units of so many milliseconds.
pub(super) fn key_left(storage: &impl Reader, key: &[u8], unit: u64) -> Answer {
    key_since(storage, key, storage.now(), unit)
}

/// EXPIRETIME and PEXPIRETIME: when a key expires, rounded to units of so many milliseconds.
pub(super) fn key_time(storage: &impl Reader, key: &[u8], unit: u64) -> Answer {
    key_since(storage, key, 0, unit)
}

fn key_since(storage: &impl Reader, key: &[u8], start: u64, unit: u64) -> Answer {
    let Some(hash) = storage.hash(key)? else { return Ok(int(-2)) };
    Ok(match hash.expires() {
        _ if !hash.has_fields()? => int(-2),
        0 => int(-1),
        expires => int(expires.saturating_sub(start).saturating_add(unit / 2) / unit),
    })
}

/// HEXPIRE, HPEXPIRE, HEXPIREAT and HPEXPIREAT.
pub(super) fn expire_fields(storage: &mut impl Writer, name: &str, args: &[&[u8]], clock: &Clock) -> Answer {
    let at = clock.field_time(storage, name, args[1])?;
    // A missing expiry counts as an infinite one.
    let condition: Option<fn(u64, u64) -> bool> = match args[2].to_ascii_uppercase().as_slice() {
        b"NX" => Some(|_, current| current == 0),
        b"XX" => Some(|_, current| current != 0),
        b"GT" => Some(|at, current| current != 0 && at > current),
        b"LT" => Some(|at, current| current == 0 || at < current),
        _ => None,
    };
    let rest = &args[2 + usize::from(condition.is_some())..];
    let fields = fields(rest, "ERR Parameter `numFields` should be greater than 0")?;
    let now = storage.now();
    each_field(storage, args[0], fields, &int(-2), |hash, field, expires| {
        Ok(int(if condition.is_some_and(|is_met| !is_met(at, expires)) {
            0
        } else if at <= now {
            hash.unset(field)?;
            2
        } else {
            hash.expire_field(field, at)?;
            1
        }))
    })
}

pub(super) fn persist_fields(storage: &mut impl Writer, args: &[&[u8]]) -> Answer {
    let fields = fields(&args[1..], NOT_POSITIVE)?;
    each_field(storage, args[0], fields, &int(-2), |hash, field, expires| {
        if expires == 0 {
            return Ok(int(-1));
        }
        hash.expire_field(field, 0)?;
        Ok(int(1))
    })
}

/// What to do with the expiry of a field.
enum Expiry {
    Keep,
    Never,
    At(u64),
}

/// HGETEX.
pub(super) fn get_fields(storage: &mut impl Writer, name: &str, args: &[&[u8]]) -> Answer {
    let (expiry, rest) = if let Some(clock) = Clock::of_option(args[1]) {
        (Expiry::At(clock.field_time(storage, name, args[2])?), &args[3..])
    } else if is(args[1], "PERSIST") {
        (Expiry::Never, &args[2..])
    } else {
        (Expiry::Keep, &args[1..])
    };
    // Redis 8.0.2 crashes on this: it reads beyond its arguments.
    if matches!(rest, [word] if is(word, "FIELDS")) {
        return wrong_number(name);
    }
    let fields = fields(rest, NOT_POSITIVE)?;
    let now = storage.now();
    each_field(storage, args[0], fields, &Value::Nil, |hash, field, _| {
        let value = value_of(hash.field(field)?);
        match expiry {
            Expiry::Keep => {}
            Expiry::At(at) if at <= now => drop(hash.unset(field)?),
            Expiry::At(at) => hash.expire_field(field, at)?,
            Expiry::Never => hash.expire_field(field, 0)?,
        }
        Ok(value)
    })
}

/// HGETDEL.
pub(super) fn take_fields(storage: &mut impl Writer, args: &[&[u8]]) -> Answer {
    let fields = fields(&args[1..], NOT_POSITIVE)?;
    each_field(storage, args[0], fields, &Value::Nil, |hash, field, _| {
        let value = value_of(hash.field(field)?);
        hash.unset(field)?;
        Ok(value)
    })
}

/// HSETEX.
pub(super) fn set_fields(storage: &mut impl Writer, name: &str, args: &[&[u8]]) -> Answer {
    let (mut expiry, mut existing) = (None, None);
    let mut rest = &args[1..];
    let pairs = loop {
        let [option, after @ ..] = rest else { return wrong_number(name) };
        rest = after;
        let clock = Clock::of_option(option);
        if is(option, "FIELDS") {
            break pairs(name, rest)?;
        } else if is(option, "FNX") || is(option, "FXX") {
            if existing.replace(is(option, "FXX")).is_some() {
                return refuse("ERR Only one of FXX or FNX arguments can be specified");
            }
        } else if clock.is_none() && !is(option, "KEEPTTL") {
            let end = option.iter().position(|byte| *byte == 0).unwrap_or(option.len());
            return refuse(format!("ERR unknown argument: {}", String::from_utf8_lossy(&option[..end])));
        } else if expiry.is_some() {
            return refuse("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
        } else if let Some(clock) = clock {
            let [time, after @ ..] = rest else { return refuse("ERR missing expire time") };
            rest = after;
            expiry = Some(Expiry::At(clock.field_time(storage, name, time)?));
        } else {
            expiry = Some(Expiry::Keep);
        }
    };
    let now = storage.now();
    let mut hash = storage.edit(args[0])?;
    if let Some(existing) = existing {
        for pair in pairs.chunks_exact(2) {
            if hash.field_expires(pair[0])?.is_some() != existing {
                hash.close()?;
                return Ok(int(0));
            }
        }
    }
    for pair in pairs.chunks_exact(2) {
        let expires = match expiry {
            None | Some(Expiry::Never) => 0,
            Some(Expiry::Keep) => hash.field_expires(pair[0])?.unwrap_or(0),
            Some(Expiry::At(at)) if at <= now => {
                hash.unset(pair[0])?;
                continue;
            }
            Some(Expiry::At(at)) => at,
        };
        hash.set(pair[0], pair[1], expires)?;
    }
    hash.close()?;
    Ok(int(1))
}

/// The names and values that follow FIELDS and their number in HSETEX, in turn.
fn pairs<'a>(name: &str, args: &'a [&'a [u8]]) -> Result<&'a [&'a [u8]], Failure> {
    let [count, pairs @ ..] = args else { return wrong_number(name) };
    if pairs.len() < 2 {
        return wrong_number(name);
    }
    let count = number::<i32>(count).ok().filter(|count| *count > 0);
    let count = count.map_or_else(|| refuse("ERR invalid number of fields"), Ok)?;
    if pairs.len().is_multiple_of(2) && usize::try_from(count).is_ok_and(|count| count == pairs.len() / 2) {
        Ok(pairs)
    } else {
        wrong_number(name)
    }
}
