//! The patterns of MATCH and KEYS: `*`, `?`, `[a-z]`, `[^a]`, and `\` before a literal character.

/// True if all of a name matches, by Redis's rules. It takes at most pattern × name steps.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.is_empty() {
        // Redis looks at nothing else then.
        return pattern.is_empty() || pattern == b"*";
    }
    let (mut rest, mut left) = (pattern, name);
    // What follows the last star, and what of the name that star has not taken. An earlier star need not take more.
    let mut star: Option<(&[u8], &[u8])> = None;
    while let Some((byte, after)) = left.split_first() {
        if let Some(after_star) = rest.strip_prefix(b"*") {
            rest = after_star;
            star = Some((rest, left));
        } else if let Some(after_one) = one(rest, *byte) {
            (rest, left) = (after_one, after);
        } else if let Some((after_star, [_, untaken @ ..])) = star {
            (rest, left) = (after_star, untaken);
            star = Some((rest, left));
        } else {
            return false;
        }
    }
    rest.iter().all(|byte| *byte == b'*')
}

/// Matches one byte. Returns what remains of the pattern.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
        [] => None,
    }
}

/// Matches one byte with a class, which ends with `]` or with the pattern.
fn class(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (is_negated, mut rest) = pattern.strip_prefix(b"^").map_or((false, pattern), |rest| (true, rest));
    let mut is_in = false;
    loop {
        rest = match rest {
            [b'\\', literal, after @ ..] => {
                is_in |= *literal == byte;
                after
            }
            [b']', after @ ..] => return (is_in != is_negated).then_some(after),
            [from, b'-', to, after @ ..] => {
                is_in |= (*from.min(to)..=*from.max(to)).contains(&byte);
                after
            }
            [literal, after @ ..] => {
                is_in |= *literal == byte;
                after
            }
            [] => return (is_in != is_negated).then_some(&[]),
        };
    }
}
