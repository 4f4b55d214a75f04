//! The commands that set and report when keys and fields expire.

use redis::Value;

use crate::embedded::answer::{Answer, Failure, int, number, refuse, wrong_number};
use crate::embedded::tables::{Field, FieldExpiries, Fields, Hash, Keys, View, Writer};

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

    fn start(&self, writer: &Writer<'_>) -> i64 {
        if self.from_now { milliseconds(writer.now()) } else { 0 }
    }

    /// When a field is to expire. Redis has 46 bits for that, which last until the year 4199.
    fn field_time(&self, writer: &Writer<'_>, name: &str, time: &[u8]) -> Result<u64, Failure> {
        const LAST: i64 = (1 << 46) - 1;
        let time: i64 = number(time)?;
        if time < 0 {
            return refuse("ERR invalid expire time, must be >= 0");
        }
        let at = time.checked_mul(self.unit).and_then(|time| time.checked_add(self.start(writer)));
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
pub(super) fn expire(writer: &mut Writer<'_>, name: &str, args: &[Vec<u8>], clock: &Clock) -> Answer {
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
    let (key, time) = (&args[0], number::<i64>(&args[1])?);
    let at = time.checked_mul(clock.unit).and_then(|time| time.checked_add(clock.start(writer)));
    let at = at.map_or_else(|| invalid(name), Ok)?;
    let Some(hash) = writer.find(key)? else { return Ok(int(0)) };
    // A missing expiry counts as an infinite one.
    let current = if hash.expires == 0 { i64::MAX } else { milliseconds(hash.expires) };
    let is_set = hash.expires != 0;
    if (nx && is_set) || (xx && !is_set) || (gt && at <= current) || (lt && at >= current) {
        return Ok(int(0));
    }
    if at <= milliseconds(writer.now()) {
        writer.remove(key)?;
    } else {
        writer.expire(hash, at.unsigned_abs())?;
    }
    Ok(int(1))
}

/// The names that follow FIELDS and their number.
fn fields<'a>(args: &'a [Vec<u8>], not_positive: &str) -> Result<&'a [Vec<u8>], Failure> {
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

/// Answers for each field what `carry_out` returns, or `missing` if the field is absent.
fn each_field(
    writer: &mut Writer<'_>,
    key: &[u8],
    fields: &[Vec<u8>],
    missing: &Value,
    mut carry_out: impl FnMut(&mut Writer<'_>, &mut Hash<'_>, &[u8], Field) -> Answer,
) -> Answer {
    let mut hash = writer.find(key)?;
    let mut answers = Vec::with_capacity(fields.len());
    for field in fields {
        let stored = match hash {
            Some(hash) => writer.view().field(hash, field)?,
            None => None,
        };
        answers.push(match (&mut hash, stored) {
            (Some(hash), Some(stored)) => carry_out(writer, hash, field, stored)?,
            _ => missing.clone(),
        });
    }
    if let Some(hash) = hash {
        writer.close(hash)?;
    }
    Ok(Value::Array(answers))
}

const NOT_POSITIVE: &str = "ERR Number of fields must be a positive integer";

/// HTTL and HPTTL: the time left, rounded up to units of so many milliseconds.
pub(super) fn left<K: Keys, F: Fields, E: FieldExpiries>(
    view: &View<'_, K, F, E>,
    args: &[Vec<u8>],
    unit: u64,
) -> Answer {
    let fields = fields(&args[1..], NOT_POSITIVE)?;
    let hash = view.hash(&args[0])?;
    let mut left = Vec::with_capacity(fields.len());
    for field in fields {
        let expires = match hash {
            Some(hash) => view.field_expires(hash, field)?,
            None => None,
        };
        left.push(match expires {
            None => int(-2),
            Some(0) => int(-1),
            Some(expires) => int((expires - view.now).div_ceil(unit)),
        });
    }
    Ok(Value::Array(left))
}

/// HEXPIRE, HPEXPIRE, HEXPIREAT and HPEXPIREAT.
pub(super) fn expire_fields(writer: &mut Writer<'_>, name: &str, args: &[Vec<u8>], clock: &Clock) -> Answer {
    let at = clock.field_time(writer, name, &args[1])?;
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
    each_field(writer, &args[0], fields, &int(-2), |writer, hash, field, stored| {
        Ok(int(if condition.is_some_and(|is_met| !is_met(at, stored.expires)) {
            0
        } else if at <= writer.now() {
            writer.unset(hash, field)?;
            2
        } else {
            writer.set(hash, field, &stored.value, at)?;
            1
        }))
    })
}

pub(super) fn persist_fields(writer: &mut Writer<'_>, args: &[Vec<u8>]) -> Answer {
    let fields = fields(&args[1..], NOT_POSITIVE)?;
    each_field(writer, &args[0], fields, &int(-2), |writer, hash, field, stored| {
        if stored.expires == 0 {
            return Ok(int(-1));
        }
        writer.set(hash, field, &stored.value, 0)?;
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
pub(super) fn get_fields(writer: &mut Writer<'_>, name: &str, args: &[Vec<u8>]) -> Answer {
    let (expiry, rest) = if let Some(clock) = Clock::of_option(&args[1]) {
        (Expiry::At(clock.field_time(writer, name, &args[2])?), &args[3..])
    } else if is(&args[1], "PERSIST") {
        (Expiry::Never, &args[2..])
    } else {
        (Expiry::Keep, &args[1..])
    };
    // Redis 8.0.2 crashes on this: it reads beyond its arguments.
    if matches!(rest, [word] if is(word, "FIELDS")) {
        return wrong_number(name);
    }
    let fields = fields(rest, NOT_POSITIVE)?;
    each_field(writer, &args[0], fields, &Value::Nil, |writer, hash, field, stored| {
        match expiry {
            Expiry::Keep => {}
            Expiry::At(at) if at <= writer.now() => drop(writer.unset(hash, field)?),
            Expiry::At(at) => drop(writer.set(hash, field, &stored.value, at)?),
            Expiry::Never => drop(writer.set(hash, field, &stored.value, 0)?),
        }
        Ok(Value::BulkString(stored.value))
    })
}

/// HGETDEL.
pub(super) fn take_fields(writer: &mut Writer<'_>, args: &[Vec<u8>]) -> Answer {
    let fields = fields(&args[1..], NOT_POSITIVE)?;
    each_field(writer, &args[0], fields, &Value::Nil, |writer, hash, field, stored| {
        writer.unset(hash, field)?;
        Ok(Value::BulkString(stored.value))
    })
}

/// HSETEX.
pub(super) fn set_fields(writer: &mut Writer<'_>, name: &str, args: &[Vec<u8>]) -> Answer {
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
            expiry = Some(Expiry::At(clock.field_time(writer, name, time)?));
        } else {
            expiry = Some(Expiry::Keep);
        }
    };
    if let Some(existing) = existing {
        let hash = writer.find(&args[0])?;
        for pair in pairs.chunks_exact(2) {
            let exists = match hash {
                Some(hash) => writer.view().field_expires(hash, &pair[0])?.is_some(),
                None => false,
            };
            if exists != existing {
                return Ok(int(0));
            }
        }
    }
    let mut hash = writer.open(&args[0])?;
    for pair in pairs.chunks_exact(2) {
        let expires = match expiry {
            None | Some(Expiry::Never) => 0,
            Some(Expiry::Keep) => writer.view().field_expires(hash, &pair[0])?.unwrap_or(0),
            Some(Expiry::At(at)) if at <= writer.now() => {
                writer.unset(&mut hash, &pair[0])?;
                continue;
            }
            Some(Expiry::At(at)) => at,
        };
        writer.set(&mut hash, &pair[0], &pair[1], expires)?;
    }
    writer.close(hash)?;
    Ok(int(1))
}

/// The names and values that follow FIELDS and their number in HSETEX, in turn.
fn pairs<'a>(name: &str, args: &'a [Vec<u8>]) -> Result<&'a [Vec<u8>], Failure> {
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
