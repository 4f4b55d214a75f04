//! SCAN and HSCAN.

use redis::Value;

use crate::embedded::answer::{Failure, bulk, number, refuse};

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
    pub(super) fn parse(cursor: &[u8], options: &[&[u8]]) -> Result<Self, Failure> {
        let cursor = std::str::from_utf8(cursor).ok().and_then(|cursor| cursor.parse().ok());
        let cursor = cursor.map_or_else(|| refuse("ERR invalid cursor"), Ok)?;
        let mut scan = Self { cursor, count: 10, pattern: None, no_values: false, hashes: true };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let mut value = || options.next().map_or_else(|| refuse("ERR syntax error"), Ok);
            match option.to_ascii_uppercase().as_slice() {
                b"COUNT" => {
                    scan.count = number(value()?)?;
                    if scan.count == 0 {
                        return refuse("ERR syntax error");
                    }
                }
                b"MATCH" => scan.pattern = Some(value()?.to_vec()),
                b"TYPE" => scan.hashes = value()?.eq_ignore_ascii_case(b"hash"),
                b"NOVALUES" => scan.no_values = true,
                _ => return refuse("ERR syntax error"),
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

    pub(super) fn into_value(self) -> Value {
        Value::Array(vec![bulk(self.next.to_string().as_bytes()), Value::Array(self.items)])
    }
}

/// Redis's glob: `*`, `?`, `[a-z]`, `[^a]` and `\` before a literal character.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        Some((first, rest)) => {
            let Some((byte, name)) = name.split_first() else { return false };
            match first {
                b'?' => matches(rest, name),
                b'[' => {
                    let end = rest.iter().position(|byte| *byte == b']').unwrap_or(rest.len());
                    let (class, rest) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
                    let (negated, class) = class.strip_prefix(b"^").map_or((false, class), |class| (true, class));
                    (in_class(class, *byte) != negated) && matches(rest, name)
                }
                b'\\' if !rest.is_empty() => rest[0] == *byte && matches(&rest[1..], name),
                literal => literal == byte && matches(rest, name),
            }
        }
    }
}

fn in_class(class: &[u8], byte: u8) -> bool {
    match class {
        [] => false,
        [from, b'-', to, rest @ ..] => (*from.min(to)..=*from.max(to)).contains(&byte) || in_class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => *literal == byte || in_class(rest, byte),
    }
}
