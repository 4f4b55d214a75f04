//! Packs the arguments of a request, into a `Cmd` of redis-rs or straight into the bytes that are sent, and reads such bytes.

use std::io::Write;

use redis::{Cmd, RedisWrite};
use smallvec::SmallVec;

/// Takes the arguments of a command, one after the other.
pub(crate) trait Args {
    fn arg(&mut self, arg: &[u8]) {
        self.joined("", arg);
    }

    /// Takes one argument of two parts.
    fn joined(&mut self, before: &str, arg: &[u8]);

    fn int(&mut self, number: i64) {
        self.arg(itoa::Buffer::new().format(number).as_bytes());
    }

    fn uint(&mut self, number: u64) {
        self.arg(itoa::Buffer::new().format(number).as_bytes());
    }
}

impl Args for Cmd {
    fn arg(&mut self, arg: &[u8]) {
        self.write_arg(arg);
    }

    fn joined(&mut self, before: &str, arg: &[u8]) {
        let mut writer = self.writer_for_next_arg();
        // A buffer in memory never refuses a write.
        let _ = writer.write_all(before.as_bytes()).and_then(|()| writer.write_all(arg));
    }
}

/// Packs one command as RESP at the end of a buffer.
///
/// A `Cmd` keeps its arguments and is copied when it is packed; this writes each byte once.
pub(crate) struct Packed<'a> {
    buffer: &'a mut Vec<u8>,
    /// Where the number of arguments stands, and how many bytes it has there.
    start: usize,
    header: usize,
    count: usize,
}

impl<'a> Packed<'a> {
    /// Begins a command of about so many arguments. [`end`](Self::end) must follow.
    pub(crate) fn begin(buffer: &'a mut Vec<u8>, estimate: usize) -> Self {
        let start = buffer.len();
        write_line(buffer, b'*', estimate);
        Self { header: buffer.len() - start, buffer, start, count: 0 }
    }

    /// Ends the command: writes how many arguments it has.
    pub(crate) fn end(self) {
        let mut formatted = itoa::Buffer::new();
        let digits = formatted.format(self.count).as_bytes();
        let reserved = self.start + 1..self.start + self.header - 2;
        if reserved.len() == digits.len() {
            self.buffer[reserved].copy_from_slice(digits);
        } else {
            // The estimate had another number of digits.
            self.buffer.splice(reserved, digits.iter().copied());
        }
    }
}

impl Args for Packed<'_> {
    fn joined(&mut self, before: &str, arg: &[u8]) {
        self.count += 1;
        self.buffer.reserve(before.len() + arg.len() + 32);
        write_line(self.buffer, b'$', before.len() + arg.len());
        self.buffer.extend_from_slice(before.as_bytes());
        self.buffer.extend_from_slice(arg);
        self.buffer.extend_from_slice(b"\r\n");
    }
}

/// Writes a line with a number.
fn write_line(buffer: &mut Vec<u8>, mark: u8, number: usize) {
    // Most are small, and these need no division.
    match u8::try_from(number) {
        Ok(number @ 0..10) => buffer.extend_from_slice(&[mark, b'0' + number, b'\r', b'\n']),
        Ok(number @ 10..100) => {
            buffer.extend_from_slice(&[mark, b'0' + number / 10, b'0' + number % 10, b'\r', b'\n']);
        }
        _ => {
            buffer.push(mark);
            buffer.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            buffer.extend_from_slice(b"\r\n");
        }
    }
}

/// The arguments of a packed command, its name first. So many take no allocation.
pub(crate) type Arguments<'a> = SmallVec<[&'a [u8]; 48]>;

/// Takes one command from the front.
pub(crate) fn unpack<'a>(packed: &mut &'a [u8], arguments: &mut Arguments<'a>) -> Option<()> {
    arguments.clear();
    for _ in 0..read_line(packed, b'*')? {
        let len = read_line(packed, b'$')?;
        let (arg, rest) = packed.split_at_checked(len)?;
        *packed = rest.strip_prefix(b"\r\n")?;
        arguments.push(arg);
    }
    Some(())
}

/// Takes a line that holds a number.
#[inline]
fn read_line(packed: &mut &[u8], mark: u8) -> Option<usize> {
    // Most are small.
    match **packed {
        [first, digit @ b'0'..=b'9', b'\r', b'\n', ref rest @ ..] if first == mark => {
            *packed = rest;
            Some(usize::from(digit - b'0'))
        }
        [first, tens @ b'0'..=b'9', digit @ b'0'..=b'9', b'\r', b'\n', ref rest @ ..] if first == mark => {
            *packed = rest;
            Some(usize::from(tens - b'0') * 10 + usize::from(digit - b'0'))
        }
        _ => read_long_line(packed, mark),
    }
}

fn read_long_line(packed: &mut &[u8], mark: u8) -> Option<usize> {
    let mut rest = packed.strip_prefix(&[mark])?;
    let mut number: Option<usize> = None;
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'0'..=b'9' => {
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(usize::from(byte - b'0'))?);
            }
            b'\r' => break,
            _ => return None,
        }
    }
    *packed = rest.strip_prefix(b"\n")?;
    number
}

#[cfg(test)]
mod tests {
    use redis::Cmd;

    use super::{Args, Packed, read_line, write_line};

    fn fill(args: &mut impl Args, count: usize) {
        args.arg(b"NAME");
        args.int(i64::MIN);
        args.uint(u64::MAX);
        args.joined("=", b"\r\n$1");
        args.joined("", b"");
        for number in 0..count {
            args.arg(&vec![b'x'; number]);
        }
    }

    /// The bytes are those of redis-rs, whatever was estimated.
    #[test]
    fn bytes_are_those_of_redis_rs() {
        for count in [0, 1, 4, 5, 6, 94, 95, 96, 994, 995, 996] {
            let mut cmd = Cmd::new();
            fill(&mut cmd, count);
            for estimate in [0, 1, 9, 10, 99, 100, 1000, 100_000] {
                let mut bytes = b"before".to_vec();
                let mut packed = Packed::begin(&mut bytes, estimate);
                fill(&mut packed, count);
                packed.end();
                assert_eq!(bytes.strip_prefix(b"before"), Some(&*cmd.get_packed_command()), "{count} {estimate}");
            }
        }
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        for number in [0, 9, 10, 99, 100, 12_345, usize::MAX] {
            let mut line = Vec::new();
            write_line(&mut line, b'$', number);
            assert_eq!(line, format!("${number}\r\n").into_bytes());
            let mut rest = line.as_slice();
            assert_eq!(read_line(&mut rest, b'*'), None, "it is another mark");
            let mut rest = line.as_slice();
            assert_eq!((read_line(&mut rest, b'$'), rest), (Some(number), &b""[..]));
        }
    }
}
