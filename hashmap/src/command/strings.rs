//! Strings that are read where they lie, among the bytes of replies.

use redis::Value;

/// The longest string: Redis's default for `proto-max-bulk-len`.
pub(crate) const LONGEST: usize = 512 << 20;

/// Where a string lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) len: u32,
}

/// A list of strings, each of which may be nil.
#[derive(Clone, Copy)]
pub(crate) struct Strings<'a> {
    bytes: &'a [u8],
    spans: &'a [Option<Span>],
}

impl<'a> Strings<'a> {
    pub(crate) fn new(bytes: &'a [u8], spans: &'a [Option<Span>]) -> Self {
        Self { bytes, spans }
    }

    pub(crate) fn len(self) -> usize {
        self.spans.len()
    }

    pub(crate) fn get(self, index: usize) -> Option<&'a [u8]> {
        Some(slice(self.bytes, (*self.spans.get(index)?)?))
    }

    pub(crate) fn all_nil(self) -> bool {
        self.spans.iter().all(Option::is_none)
    }

    pub(crate) fn to_value(self) -> Value {
        let value = |index| self.get(index).map_or(Value::Nil, |bytes| Value::BulkString(bytes.to_vec()));
        Value::Array((0..self.len()).map(value).collect())
    }
}

pub(crate) fn slice(bytes: &[u8], span: Span) -> &[u8] {
    bytes.get(span.start..span.start + span.len as usize).unwrap_or_default()
}

/// Finds the strings of the list that begins here, if it is one of strings alone and all of it is there. Returns its end.
pub(crate) fn strings(bytes: &[u8], at: usize, found: &mut Vec<Option<Span>>) -> Option<usize> {
    let (len, mut end) = length(bytes, at, b'*')?;
    // A length is only a claim.
    found.reserve(len.min((bytes.len() - end) / 4));
    for _ in 0..len {
        let (span, next) = string(bytes, end)?;
        found.push(span);
        end = next;
    }
    Some(end)
}

/// Finds the string that begins here, if it is one and all of it is there. Returns its end.
#[inline]
pub(crate) fn string(bytes: &[u8], at: usize) -> Option<(Option<Span>, usize)> {
    let Some((len, start)) = length(bytes, at, b'$') else {
        return bytes.get(at..)?.starts_with(b"$-1\r\n").then_some((None, at + 5));
    };
    let end = start + len;
    (bytes.get(end..end + 2)? == b"\r\n").then_some(())?;
    Some((Some(Span { start, len: u32::try_from(len).ok()? }), end + 2))
}

/// Reads a line with a length of at most 512 MB. Returns its end.
#[inline]
fn length(bytes: &[u8], at: usize, kind: u8) -> Option<(usize, usize)> {
    let line = bytes.get(at..)?.strip_prefix(&[kind])?;
    let digits = line.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let len = line[..digits].iter().fold(0, |len, digit| len * 10 + usize::from(digit - b'0'));
    let is_length = digits > 0 && line.get(digits..digits + 2)? == b"\r\n" && len <= LONGEST;
    is_length.then_some((len, at + digits + 3))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Strings, length, string, strings};

    /// The strings, with `-` for nil, and where they end.
    fn found(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
        let mut spans = Vec::new();
        let end = strings(bytes, 0, &mut spans)?;
        let strings = Strings::new(bytes, &spans);
        let text = |index| strings.get(index).map_or("-".into(), |bytes| String::from_utf8_lossy(bytes).into_owned());
        Some(((0..strings.len()).map(text).collect(), end))
    }

    #[test]
    fn a_list_of_strings_is_read_where_it_lies() {
        assert_eq!(
            found(b"*3\r\n$2\r\nab\r\n$-1\r\n$0\r\n\r\n:1\r\n"),
            Some((["ab", "-", ""].map(str::to_owned).to_vec(), 23))
        );
        assert_eq!(found(b"*0\r\n"), Some((vec![], 4)));
        let long = format!("*1\r\n$12\r\n{}\r\n", "x".repeat(12));
        assert_eq!(found(long.as_bytes()), Some((vec!["x".repeat(12)], 23)));
    }

    /// What is not all there, or holds something else, is left to the reader of all replies.
    #[test]
    fn anything_else_is_not_read_here() {
        let whole = b"*2\r\n$2\r\nab\r\n$-1\r\n";
        assert!((0..whole.len()).all(|cut| found(&whole[..cut]).is_none()));
        for other in
            ["*1\r\n:1\r\n", "*-1\r\n", "*\r\n", "*1\r\n$1\r\nabc\r\n", "*1\r\n$1\r\na\r\r", "%1\r\n", "*1x\r\n"]
        {
            assert!(found(other.as_bytes()).is_none(), "{other:?}");
        }
        assert_eq!(found(b"*536870913\r\n"), None);
    }

    #[test]
    fn a_length_is_bounded() {
        assert_eq!(length(b"$536870912\r\n", 0, b'$'), Some((LONGEST, 12)));
        assert_eq!(length(b"$536870913\r\n", 0, b'$'), None);
        assert_eq!(length(b"x$10\r\n", 1, b'$'), Some((10, 6)));
        assert_eq!(length(b"$\r\n", 0, b'$'), None);
        assert_eq!(length(b"$9999999999\r\n", 0, b'$'), None);
        assert!(string(b"$536870912\r\n", 0).is_none());
        let (span, end) = string(b"..$3\r\nabc\r\n", 2).expect("a string");
        assert_eq!((span.map(|span| (span.start, span.len)), end), (Some((6, 3)), 11));
    }

    #[test]
    fn a_list_of_nils_is_told() {
        let all = |bytes| {
            let mut spans = Vec::new();
            strings(bytes, 0, &mut spans).expect("a list");
            Strings::new(bytes, &spans).all_nil()
        };
        assert!(all(b"*2\r\n$-1\r\n$-1\r\n") && !all(b"*2\r\n$-1\r\n$0\r\n\r\n"));
    }
}
