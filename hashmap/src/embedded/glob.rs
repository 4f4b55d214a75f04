//! Redis's patterns: `*`, `?`, `[a-z]`, `[^a]` and `\` before a literal character.

/// True if a pattern matches all of a name. It takes at most as many steps as their lengths multiplied.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // Redis does not look into the pattern, except that `*` alone is all names.
    if name.is_empty() {
        return pattern.is_empty() || pattern == b"*";
    }
    let (mut at, mut byte) = (0, 0);
    // What follows the last `*`, and the first byte of the name that the `*` does not cover yet.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, byte));
            continue;
        }
        if byte == name.len() {
            return at == pattern.len();
        }
        let step = (at < pattern.len()).then(|| one(&pattern[at..], name[byte]));
        if let Some((len, true)) = step {
            at += len;
            byte += 1;
        } else if let Some((after, covered)) = star {
            (at, byte) = (after, covered + 1);
            star = Some((at, byte));
        } else {
            return false;
        }
    }
}

/// Matches the first element of a pattern, which is not empty and no `*`. Returns its length, and whether it matches.
fn one(pattern: &[u8], byte: u8) -> (usize, bool) {
    match pattern {
        [b'?', ..] => (1, true),
        [b'[', class @ ..] => {
            let (len, is_in) = in_class(class, byte);
            (1 + len, is_in)
        }
        [b'\\', literal, ..] => (2, *literal == byte),
        [literal, ..] => (1, *literal == byte),
        [] => (0, false),
    }
}

/// Reads a class as Redis does, where a range can end with a `]` and a class need not end.
fn in_class(class: &[u8], byte: u8) -> (usize, bool) {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut is_in = false;
    loop {
        match &class[at..] {
            [b'\\', literal, ..] => {
                is_in |= *literal == byte;
                at += 2;
            }
            [b']', ..] => return (at + 1, is_in != negated),
            [] => return (at, is_in != negated),
            [from, b'-', to, ..] => {
                is_in |= (*from.min(to)..=*from.max(to)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                is_in |= *literal == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("?", "", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("[a\\-c]", "-", true),
            ("[a\\-c]", "b", false),
            ("[\\]]", "]", true),
            ("[a-", "-", true),
            ("[z-a]", "m", true),
            ("[", "[", false),
            ("a\\", "a\\", true),
            ("\\*", "*", true),
            ("**a", "bba", true),
            ("**", "", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    /// These took 20 s, and the whole stack.
    #[test]
    fn no_pattern_takes_long() {
        assert!(!matches(&[b"a*".repeat(8), b"b".to_vec()].concat(), &b"a".repeat(50)));
        assert!(!matches(&b"*?".repeat(50_000), &b"a".repeat(1000)));
        assert!(matches(&b"*?".repeat(1000), &b"a".repeat(1000)));
    }
}
