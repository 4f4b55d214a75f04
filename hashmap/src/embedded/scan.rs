//! SCAN and HSCAN.

use redis::Value;

use crate::embedded::answer::{Failure, bulk, number, refuse};
use crate::embedded::glob::matches;
use crate::embedded::request::Dialect;
use crate::embedded::server::Server;

/// The arguments of HSCAN and SCAN.
pub(super) struct Scan {
    pub(super) cursor: u64,
    count: usize,
    pattern: Option<Vec<u8>>,
    pub(super) no_values: bool,
    /// False if SCAN's TYPE asks for something other than hashes.
    hashes: bool,
}

impl Scan {
    pub(super) fn cursor(cursor: &[u8]) -> Result<u64, Failure> {
        let cursor = std::str::from_utf8(cursor).ok().and_then(|cursor| cursor.parse().ok());
        cursor.map_or_else(|| refuse("ERR invalid cursor"), Ok)
    }

    /// The options of HSCAN.
    pub(super) fn of_fields(cursor: u64, options: &[&[u8]], dialect: Dialect) -> Result<Self, Failure> {
        Self::parse(cursor, options, |scan, option, _| {
            if option.eq_ignore_ascii_case(b"NOVALUES") && dialect.server.is_none_or(Server::scans_names) {
                scan.no_values = true;
                return Ok(());
            }
            refuse("ERR syntax error")
        })
    }

    /// The options of SCAN.
    pub(super) fn of_keys(cursor: u64, options: &[&[u8]], dialect: Dialect) -> Result<Self, Failure> {
        Self::parse(cursor, options, |scan, option, value| {
            if option.eq_ignore_ascii_case(b"TYPE")
                && let Some(kind) = value()
            {
                scan.hashes = kind.eq_ignore_ascii_case(b"hash");
                Ok(())
            } else if option.eq_ignore_ascii_case(b"NOVALUES") && dialect.server.is_none_or(Server::scans_names) {
                refuse("ERR NOVALUES option can only be used in HSCAN")
            } else {
                refuse("ERR syntax error")
            }
        })
    }

    fn parse<'a>(
        cursor: u64,
        options: &[&'a [u8]],
        mut other: impl FnMut(&mut Self, &[u8], &mut dyn FnMut() -> Option<&'a [u8]>) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let mut scan = Self { cursor, count: 10, pattern: None, no_values: false, hashes: true };
        let mut options = options.iter().copied();
        while let Some(option) = options.next() {
            if option.eq_ignore_ascii_case(b"COUNT") {
                let count: i64 = number(options.next().map_or_else(|| refuse("ERR syntax error"), Ok)?)?;
                scan.count = match usize::try_from(count) {
                    Ok(count @ 1..) => count,
                    _ => return refuse("ERR syntax error"),
                };
            } else if option.eq_ignore_ascii_case(b"MATCH") {
                scan.pattern = Some(options.next().map_or_else(|| refuse("ERR syntax error"), Ok)?.to_vec());
            } else {
                other(&mut scan, option, &mut || options.next())?;
            }
        }
        Ok(scan)
    }
}

/// One page of a scan. Its cursor is the position of the first name after it. Names that share a position come in one
/// page, so that none is left out.
pub(super) struct Page<'a> {
    scan: &'a Scan,
    seen: usize,
    last: Option<u64>,
    next: u64,
    items: Vec<Value>,
}

impl<'a> Page<'a> {
    pub(super) fn new(scan: &'a Scan) -> Self {
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
        if self.scan.hashes && self.scan.pattern.as_ref().is_none_or(|pattern| matches(pattern, name)) {
            self.items.push(bulk(name));
            self.items.extend(value.map(bulk));
        }
        true
    }

    /// The page of what is not there.
    pub(super) fn empty() -> Value {
        Value::Array(vec![bulk(b"0"), Value::Array(Vec::new())])
    }

    pub(super) fn into_value(self) -> Value {
        Value::Array(vec![bulk(self.next.to_string().as_bytes()), Value::Array(self.items)])
    }
}
