//! Durations in attributes, such as `"30m"`.

use syn::{Error, LitStr};

/// The longest time to live that the runtime crate accepts, in milliseconds.
const LONGEST: u64 = 1 << 45;

/// How many milliseconds a literal such as `"30m"` means.
pub(crate) fn millis(literal: &LitStr) -> syn::Result<u64> {
    let text = literal.value();
    let digits = text.len() - text.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => 0,
    };
    if unit == 0 || number.is_empty() {
        return Err(Error::new(
            literal.span(),
            "this is not a duration: write a whole number and a unit (`ms`, `s`, `m`, `h` or `d`), such as \"30m\"",
        ));
    }
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)) {
        Some(0) => Err(Error::new(literal.span(), "a time to live cannot be zero: write at least \"1ms\"")),
        Some(millis @ 1..=LONGEST) => Ok(millis),
        _ => Err(Error::new(literal.span(), "this time to live is too long: write at most 2^45 ms (1,114 years)")),
    }
}
