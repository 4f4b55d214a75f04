//! SCAN and HSCAN.

use redis::Value;

use crate::embedded::answer::{Failure, bulk, number, refuse};
use crate::embedded::pattern::matches;

/// The options of HSCAN and SCAN.
pub(super) struct Scan<'a> {
    count: usize,
    pattern: Option<&'a [u8]>,
    pub(super) no_values: bool,
    /// False if TYPE asks for something other than hashes.
    hashes: bool,
}

pub(super) fn cursor(arg: &[u8]) -> Result<u64, Failure> {
    let cursor = std::str::from_utf8(arg).ok().and_then(|cursor| cursor.parse().ok());
    cursor.map_or_else(|| refuse("ERR invalid cursor"), Ok)
}

impl<'a> Scan<'a> {
    pub(super) fn of_fields(options: &[&'a [u8]]) -> Result<Self, Failure> {
        Self::parse(options, true)
    }

    pub(super) fn of_keys(options: &[&'a [u8]]) -> Result<Self, Failure> {
        Self::parse(options, false)
    }

    fn parse(options: &[&'a [u8]], of_fields: bool) -> Result<Self, Failure> {
        let mut scan = Self { count: 10, pattern: None, no_values: false, hashes: true };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let mut value = || options.next().map_or_else(|| refuse("ERR syntax error"), |value| Ok(*value));
            match option.to_ascii_uppercase().as_slice() {
                b"COUNT" => {
                    let count: i64 = number(value()?)?;
                    scan.count = usize::try_from(count).unwrap_or_default();
                    if count < 1 {
                        return refuse("ERR syntax error");
                    }
                }
                b"MATCH" => scan.pattern = Some(value()?).filter(|pattern| *pattern != b"*"),
                b"TYPE" if !of_fields => scan.hashes = value()?.eq_ignore_ascii_case(b"hash"),
                b"NOVALUES" if of_fields => scan.no_values = true,
                b"NOVALUES" => return refuse("ERR NOVALUES option can only be used in HSCAN"),
                _ => return refuse("ERR syntax error"),
            }
        }
        Ok(scan)
    }
}

/// A page without anything, after which nothing follows.
pub(super) fn nothing() -> Value {
    Value::Array(vec![bulk(b"0"), Value::Array(Vec::new())])
}

/// One page of a scan. Its cursor is the position of the first name after it. Names that share a position come in one
/// page, so that none is left out.
pub(super) struct Page<'a> {
    scan: &'a Scan<'a>,
    seen: usize,
    last: Option<u64>,
    next: u64,
    items: Vec<Value>,
}

impl<'a> Page<'a> {
    pub(super) fn new(scan: &'a Scan<'a>) -> Self {
        Self { scan, seen: 0, last: None, next: 0, items: Vec::new() }
    }

    /// Takes one more name. Returns false if the page is full.
    pub(super) fn take(&mut self, position: u64, name: &[u8], value: Option<&[u8]>) -> bool {
        if self.seen >= self.scan.count && self.last != Some(position) {
            self.next = position;
            return false;
        }
        self.seen += 1;
        self.last = Some(position);
        if self.scan.hashes && self.scan.pattern.is_none_or(|pattern| matches(pattern, name)) {
            self.items.push(bulk(name));
            self.items.extend(value.map(bulk));
        }
        true
    }

    pub(super) fn into_value(self) -> Value {
        Value::Array(vec![bulk(self.next.to_string().as_bytes()), Value::Array(self.items)])
    }
}
