//! Reads replies from bytes as they come in: RESP2 and RESP3, with limits on what a server can make it hold.

use redis::{ErrorKind, PushKind, RedisError, RedisResult, Value, VerbatimFormat};
use smallvec::SmallVec;

use crate::command::received::{Answer, Received};
use crate::command::strings::{LONGEST, string, strings};

/// The longest line, such as that of an error. Redis's own are far shorter.
const LONGEST_LINE: usize = 64 << 10;

/// How deep arrays and maps can nest, as in redis-rs.
const DEEPEST: usize = 100;

/// How much space is offered for reading at least.
const CHUNK: usize = 16 << 10;

/// A larger buffer is given back once it is empty.
const KEPT: usize = 1 << 20;

/// The replies to a call. Most calls are one command.
pub(super) type Values = SmallVec<[Value; 1]>;

/// Holds what has been read from a connection and is not yet a whole reply.
#[derive(Default)]
pub(super) struct Replies {
    /// What is read lies in `start..end`; the rest is space.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The arrays and maps whose elements are being read, from the outside in.
    open: Vec<Aggregate>,
}

/// An array, or what else consists of values, that is not yet whole.
struct Aggregate {
    kind: u8,
    missing: usize,
    values: Vec<Value>,
}

impl Replies {
    /// The space to read into. [`filled`](Self::filled) must follow. What lies in `held` stays where it is.
    pub(super) fn space(&mut self, held: bool) -> &mut [u8] {
        if held {
            if self.buffer.len() - self.end < CHUNK / 4 {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            return &mut self.buffer[self.end..];
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.buffer.len() > KEPT {
                self.buffer = Vec::new();
            }
        }
        if self.buffer.len() - self.end < CHUNK / 4 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.buffer.len() - self.end < CHUNK {
                let len = (self.buffer.len() * 2).max(self.end + CHUNK);
                self.buffer.resize(len, 0);
            }
        }
        &mut self.buffer[self.end..]
    }

    /// Says how many bytes were read into the space.
    pub(super) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    /// True if a part of a reply is there, other than of what a server tells without being asked.
    pub(super) fn has_begun_reply(&self) -> bool {
        let first = self.open.first().map(|aggregate| aggregate.kind);
        first.or_else(|| self.buffer[self.start..self.end].first().copied()).is_some_and(|kind| kind != b'>')
    }

    /// Takes the next reply, if all of it is there.
    pub(super) fn next(&mut self) -> RedisResult<Option<Value>> {
        loop {
            let Some(mut value) = self.element()? else { return Ok(None) };
            // A whole value may make the arrays around it whole.
            loop {
                let Some(aggregate) = self.open.last_mut() else { return Ok(Some(value)) };
                aggregate.values.push(value);
                aggregate.missing -= 1;
                if aggregate.missing > 0 {
                    break;
                }
                let Some(whole) = self.open.pop() else { return Err(malformed("nesting")) };
                value = whole.into_value()?;
            }
        }
    }

    /// Takes the next reply into what was received, if all of it is there, and leaves the strings of lists where they lie, and
    /// those of other replies unless there is only one. What a server tells without being asked is dropped.
    pub(super) fn receive(&mut self, received: &mut Received, is_only: bool) -> RedisResult<bool> {
        loop {
            let end = match self.buffer[self.start..self.end].first() {
                _ if !self.open.is_empty() => None,
                Some(b'*') => received.push_strings(|found| strings(&self.buffer[..self.end], self.start, found)),
                Some(b'$') if !is_only => string(&self.buffer[..self.end], self.start).map(|(span, end)| {
                    received.push(span.map_or(Answer::Value(Value::Nil), Answer::String));
                    end
                }),
                _ => None,
            };
            if let Some(end) = end {
                self.start = end;
                return Ok(true);
            }
            // Whatever else it is, also what is not yet whole.
            match self.next()? {
                None => return Ok(false),
                Some(Value::Push { .. }) => {}
                Some(value) => {
                    received.push(Answer::Value(value));
                    return Ok(true);
                }
            }
        }
    }

    /// Gives what was received the bytes in which its strings lie.
    pub(super) fn hand_over(&mut self, received: &mut Received) {
        if !received.has_strings() {
            return;
        }
        if self.start < CHUNK / 4 {
            return received.lie_in(self.buffer[..self.start].to_vec());
        }
        let rest = self.buffer[self.start..self.end].to_vec();
        (self.start, self.end) = (0, rest.len());
        received.lie_in(std::mem::replace(&mut self.buffer, rest));
    }

    /// Takes the next value that is not an array or map, or an empty one. Begins those that are not empty.
    fn element(&mut self) -> RedisResult<Option<Value>> {
        loop {
            let unread = &self.buffer[self.start..self.end];
            let Some((kind, line, rest)) = header(unread)? else { return Ok(None) };
            let after_line = self.end - rest;
            let value = match kind {
                b'+' if line == b"OK" => Value::Okay,
                b'+' => Value::SimpleString(text(line)?.to_owned()),
                b'-' => server_error(line),
                b':' => Value::Int(number(line)?),
                b'_' if line.is_empty() => Value::Nil,
                b'_' => return Err(malformed("nil")),
                b'#' => match line {
                    b"t" => Value::Boolean(true),
                    b"f" => Value::Boolean(false),
                    _ => return Err(malformed("a boolean")),
                },
                b',' => Value::Double(text(line)?.trim().parse().map_err(|_| malformed("a double"))?),
                b'(' => parsed('(', text(line)?)?,
                b'$' | b'!' | b'=' => {
                    let len = number(line)?;
                    if len < 0 && kind == b'$' {
                        self.start = after_line;
                        return Ok(Some(Value::Nil));
                    }
                    let len = usize::try_from(len).ok().filter(|len| *len <= LONGEST);
                    let len = len.ok_or_else(|| malformed("a string of at most 512 MB"))?;
                    let Some(bytes) = self.buffer[after_line..self.end].get(..len + 2) else { return Ok(None) };
                    let Some(bytes) = bytes.strip_suffix(b"\r\n") else { return Err(malformed("the end of a string")) };
                    let value = match kind {
                        b'$' => Value::BulkString(bytes.to_vec()),
                        b'!' => server_error(bytes),
                        _ => verbatim(bytes)?,
                    };
                    self.start = after_line + len + 2;
                    return Ok(Some(value));
                }
                b'*' | b'~' | b'%' | b'|' | b'>' => {
                    let len = number(line)?;
                    self.start = after_line;
                    if len < 0 && matches!(kind, b'*' | b'~') {
                        return Ok(Some(Value::Nil));
                    }
                    let len = usize::try_from(len).map_err(|_| malformed("a length"))?;
                    let missing = match kind {
                        b'%' => len.checked_mul(2),
                        // What the attributes are about follows them.
                        b'|' => len.checked_mul(2).and_then(|len| len.checked_add(1)),
                        _ => Some(len),
                    };
                    let missing = missing.ok_or_else(|| malformed("a length"))?;
                    // A length is only a claim: no more is reserved than the bytes that are here can hold.
                    let values = Vec::with_capacity(missing.min((self.end - self.start) / 3 + 1));
                    let aggregate = Aggregate { kind, missing, values };
                    if missing == 0 {
                        return aggregate.into_value().map(Some);
                    }
                    if self.open.len() == DEEPEST {
                        return Err(malformed("at most 100 levels"));
                    }
                    self.open.push(aggregate);
                    continue;
                }
                _ => return Err(malformed("a kind of reply")),
            };
            self.start = after_line;
            return Ok(Some(value));
        }
    }
}

impl Aggregate {
    fn into_value(self) -> RedisResult<Value> {
        let pairs = |values: &mut std::vec::IntoIter<Value>, count| {
            let mut pairs = Vec::with_capacity(count);
            while pairs.len() < count
                && let (Some(key), Some(value)) = (values.next(), values.next())
            {
                pairs.push((key, value));
            }
            pairs
        };
        let count = self.values.len() / 2;
        let mut values = self.values.into_iter();
        Ok(match self.kind {
            b'*' => Value::Array(values.collect()),
            b'~' => Value::Set(values.collect()),
            b'%' => Value::Map(pairs(&mut values, count)),
            b'|' => {
                let attributes = pairs(&mut values, count);
                let data = Box::new(values.next().unwrap_or_default());
                Value::Attribute { data, attributes }
            }
            _ => {
                let kind = match values.next() {
                    Some(Value::BulkString(kind)) => String::from_utf8(kind).map_err(|_| malformed("a push"))?,
                    Some(Value::SimpleString(kind)) => kind,
                    _ => return Err(malformed("a push")),
                };
                Value::Push { kind: push_kind(kind), data: values.collect() }
            }
        })
    }
}

/// The kind of the next value, its line, and how many bytes follow that.
fn header(unread: &[u8]) -> RedisResult<Option<(u8, &[u8], usize)>> {
    let Some((kind, after)) = unread.split_first() else { return Ok(None) };
    let within = &after[..after.len().min(LONGEST_LINE + 2)];
    match within.iter().position(|byte| *byte == b'\n') {
        Some(end) if end > 0 && within[end - 1] == b'\r' => Ok(Some((*kind, &after[..end - 1], after.len() - end - 1))),
        Some(_) => Err(malformed("the end of a line")),
        None if within.len() == LONGEST_LINE + 2 => Err(malformed("a line of at most 64 KiB")),
        None => Ok(None),
    }
}

fn text(line: &[u8]) -> RedisResult<&str> {
    std::str::from_utf8(line).map_err(|_| malformed("text"))
}

#[inline]
fn number(line: &[u8]) -> RedisResult<i64> {
    let (is_negative, digits) = match line.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, line),
    };
    let mut number = 0_i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(malformed("a number"));
        }
        let digit = i64::from(digit - b'0');
        let next = number
            .checked_mul(10)
            .and_then(|number| if is_negative { number.checked_sub(digit) } else { number.checked_add(digit) });
        number = next.ok_or_else(|| malformed("a number"))?;
    }
    if digits.is_empty() { Err(malformed("a number")) } else { Ok(number) }
}

fn verbatim(bytes: &[u8]) -> RedisResult<Value> {
    let text = String::from_utf8_lossy(bytes);
    let (format, text) = text.split_once(':').ok_or_else(|| malformed("a verbatim string"))?;
    let format = match format {
        "txt" => VerbatimFormat::Text,
        "mkd" => VerbatimFormat::Markdown,
        other => VerbatimFormat::Unknown(other.to_owned()),
    };
    Ok(Value::VerbatimString { format, text: text.to_owned() })
}

/// The error as redis-rs has it.
fn server_error(line: &[u8]) -> Value {
    let line: String =
        String::from_utf8_lossy(line).chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    parsed('-', &line).unwrap_or(Value::Nil)
}

/// What only redis-rs's parser can make: errors, and big numbers, whose type depends on its features.
fn parsed(kind: char, line: &str) -> RedisResult<Value> {
    redis::parse_redis_value(format!("{kind}{line}\r\n").as_bytes())
}

fn push_kind(kind: String) -> PushKind {
    match kind.as_str() {
        "invalidate" => PushKind::Invalidate,
        "message" => PushKind::Message,
        "pmessage" => PushKind::PMessage,
        "smessage" => PushKind::SMessage,
        "subscribe" => PushKind::Subscribe,
        "psubscribe" => PushKind::PSubscribe,
        "ssubscribe" => PushKind::SSubscribe,
        "unsubscribe" => PushKind::Unsubscribe,
        "punsubscribe" => PushKind::PUnsubscribe,
        "sunsubscribe" => PushKind::SUnsubscribe,
        _ => PushKind::Other(kind),
    }
}

/// What was read is not a reply. The message shows nothing of it.
#[cold]
fn malformed(expected: &'static str) -> RedisError {
    (ErrorKind::Parse, "the server sent what is not a reply", format!("expected {expected}")).into()
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::{DEEPEST, LONGEST_LINE, Replies};

    fn feed(replies: &mut Replies, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = replies.space(false);
            let count = space.len().min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            replies.filled(count);
            bytes = &bytes[count..];
        }
    }

    const SAMPLES: &[&str] = &[
        "+OK\r\n",
        "+PONG\r\n",
        "-ERR unknown command 'x'\r\n",
        "-MOVED 3999 127.0.0.1:6381\r\n",
        "-ODD one\r\n",
        "-NOPERM\r\n",
        ":0\r\n",
        ":-9223372036854775808\r\n",
        ":9223372036854775807\r\n",
        "$-1\r\n",
        "$0\r\n\r\n",
        "$5\r\na\r\nbc\r\n",
        "*-1\r\n",
        "*0\r\n",
        "*3\r\n:1\r\n$1\r\na\r\n*2\r\n+a\r\n*1\r\n_\r\n",
        "_\r\n",
        "#t\r\n",
        "#f\r\n",
        ",1.5\r\n",
        ",inf\r\n",
        "(3492890328409238509324850943850943825024385\r\n",
        "!21\r\nSYNTAX invalid syntax\r\n",
        "=15\r\ntxt:Some string\r\n",
        "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
        "%0\r\n",
        "~2\r\n:1\r\n:2\r\n",
        "|1\r\n+ttl\r\n:3600\r\n$1\r\na\r\n",
        ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n",
    ];

    /// It reads what redis-rs's parser reads, however the bytes are cut.
    #[test]
    fn replies_are_those_of_redis_rs() {
        let all: String = SAMPLES.concat();
        let expected: Vec<Value> =
            SAMPLES.iter().map(|sample| redis::parse_redis_value(sample.as_bytes()).expect("a reply")).collect();
        for size in (1..20).chain([100, all.len()]) {
            let mut replies = Replies::default();
            let mut read = Vec::new();
            for part in all.as_bytes().chunks(size) {
                feed(&mut replies, part);
                while let Some(value) = replies.next().expect("a reply") {
                    read.push(value);
                }
            }
            assert_eq!(read, expected, "in parts of {size}");
            assert!(!replies.has_begun_reply());
        }
    }

    #[test]
    fn large_replies_do_not_stay() {
        let mut replies = Replies::default();
        let large = vec![b'x'; 5 << 20];
        feed(&mut replies, format!("${}\r\n", large.len()).as_bytes());
        feed(&mut replies, &large);
        assert!(matches!(replies.next(), Ok(None)) && replies.has_begun_reply());
        feed(&mut replies, b"\r\n:1\r\n");
        assert_eq!(replies.next().expect("a reply"), Some(Value::BulkString(large)));
        assert_eq!(replies.next().expect("a reply"), Some(Value::Int(1)));
        assert!(replies.space(false).len() < 1 << 20);
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        let deep = "*1\r\n".repeat(DEEPEST + 1);
        let long = format!("+{}", "x".repeat(LONGEST_LINE + 2));
        for hostile in [
            "x\r\n",
            "\r\n",
            ":\r\n",
            ":1x\r\n",
            ":+1\r\n",
            ":9223372036854775808\r\n",
            "+a\n",
            "$1\r\nab\r\n",
            "$-2x\r\n",
            "$536870913\r\n",
            "*-9223372036854775809\r\n",
            "#x\r\n",
            "_x\r\n",
            ">0\r\n",
            ">1\r\n:1\r\n",
            "=3\r\nabc\r\n",
            "=-1\r\n",
            &deep,
            &long,
        ] {
            let mut replies = Replies::default();
            feed(&mut replies, hostile.as_bytes());
            let error = loop {
                match replies.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("{hostile:.20} is taken for the beginning of a reply"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), redis::ErrorKind::Parse, "{hostile:.20}");
        }
        // A length is only a claim.
        let mut replies = Replies::default();
        feed(&mut replies, b"*9223372036854775807\r\n:1\r\n%4611686018427387903\r\n");
        assert!(matches!(replies.next(), Ok(None)));
    }
}
