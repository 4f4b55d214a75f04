//! The numbers that HINCRBYFLOAT adds: C's `long double` as x86 has it, with 64 bits of precision, since the digits of a
//! sum depend on it.

/// A number that is neither infinite nor NaN: `mantissa` times two to the power of `exponent`. The first bit of a
/// mantissa is set, unless the number is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LongDouble {
    is_negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// What a text can be other than a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoNumber {
    Infinite,
    Malformed,
}

/// The exponents of the last bit, of the greatest number and of the least.
const GREATEST: i32 = 16383 - 63;
const LEAST: i32 = -16382 - 63;

/// How many digits stand behind the point: `%.17Lf`.
const DIGITS: usize = 17;

impl LongDouble {
    /// Reads a decimal number as `strtold` does, if nothing stands around it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, NoNumber> {
        let (is_negative, rest) = match text.split_first() {
            Some((b'-', rest)) => (true, rest),
            Some((b'+', rest)) => (false, rest),
            _ => (false, text),
        };
        if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
            return Err(NoNumber::Infinite);
        }
        let (number, power) = match rest.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
            Some(at) => (&rest[..at], decimal_exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (mut digits, mut power, mut has_digits, mut point, mut is_inexact) = (0_u128, power, false, false, false);
        for byte in number {
            match byte {
                b'.' if !point => point = true,
                b'0'..=b'9' => {
                    has_digits = true;
                    let is_full = digits >= 10_u128.pow(36);
                    if is_full {
                        is_inexact |= *byte != b'0';
                    } else {
                        digits = digits * 10 + u128::from(byte - b'0');
                    }
                    power += i32::from(is_full) - i32::from(point);
                }
                _ => return Err(NoNumber::Malformed),
            }
        }
        if !has_digits {
            return Err(NoNumber::Malformed);
        }
        let mut exponent = 0;
        if digits == 0 {
            return Ok(Self { is_negative, mantissa: 0, exponent });
        }
        // No number has so many digits.
        for _ in 0..power.clamp(0, 6000) {
            (digits, exponent) = normal(digits, exponent);
            (digits, exponent) = ((digits >> 4) * 10, exponent + 4);
        }
        for _ in 0..power.clamp(-6000, 0).abs() {
            (digits, exponent) = normal(digits, exponent);
            let (quotient, rest) = (digits / 10, digits % 10);
            let shift = quotient.leading_zeros();
            digits = (quotient << shift) | ((rest << shift) / 10);
            exponent -= shift.cast_signed();
        }
        // `strtold` says that what is too large or too small is out of range.
        Self::rounded(is_negative, digits | u128::from(is_inexact), exponent)
            .filter(|number| number.mantissa != 0)
            .ok_or(NoNumber::Malformed)
    }

    /// Rounds to the nearest number, and to an even one from the middle. None if it is too large.
    fn rounded(is_negative: bool, bits: u128, exponent: i32) -> Option<Self> {
        if bits == 0 {
            return Some(Self { is_negative: false, mantissa: 0, exponent: 0 });
        }
        let (bits, exponent) = normal(bits, exponent);
        let (high, low) = (bits >> 64, bits & u128::from(u64::MAX));
        let half = 1 << 63;
        let (mut mantissa, mut exponent) = (high, exponent + 64);
        if low > half || (low == half && high % 2 == 1) {
            mantissa += 1;
            if mantissa >> 64 != 0 {
                (mantissa, exponent) = (mantissa >> 1, exponent + 1);
            }
        }
        let mantissa = if exponent < LEAST { 0 } else { u64::try_from(mantissa).ok()? };
        (exponent <= GREATEST).then_some(Self { is_negative, mantissa, exponent })
    }

    /// The sum, unless it is infinite.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        if self.mantissa == 0 || other.mantissa == 0 {
            return Some(if self.mantissa == 0 { other } else { self });
        }
        let (large, small) = if (self.exponent, self.mantissa) >= (other.exponent, other.mantissa) {
            (self, other)
        } else {
            (other, self)
        };
        let wide = |number: Self| u128::from(number.mantissa) << 63;
        let distance = (large.exponent - small.exponent).unsigned_abs();
        let shifted = wide(small).checked_shr(distance).unwrap_or_default();
        // The last bit stands for all that was shifted out.
        let is_inexact = shifted.checked_shl(distance) != Some(wide(small));
        let shifted = shifted | u128::from(is_inexact);
        let is_sum = large.is_negative == small.is_negative;
        let bits = if is_sum { wide(large) + shifted } else { wide(large) - shifted };
        Self::rounded(large.is_negative, bits, large.exponent - 63)
    }
}

fn decimal_exponent(text: &[u8]) -> Result<i32, NoNumber> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NoNumber::Malformed);
    }
    let power = digits.iter().fold(0_i32, |power, digit| (power * 10 + i32::from(digit - b'0')).min(100_000));
    Ok(if text.starts_with(b"-") { -power } else { power })
}

/// Moves the first bit to the front.
fn normal(bits: u128, exponent: i32) -> (u128, i32) {
    let shift = bits.leading_zeros();
    (bits << shift, exponent - shift.cast_signed())
}

/// As `%.17Lf`, without zeros at the end.
impl std::fmt::Display for LongDouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mantissa = u128::from(self.mantissa);
        let (whole, fraction) = match (u32::try_from(self.exponent), self.exponent.unsigned_abs()) {
            (Ok(exponent), _) => (shifted(mantissa, exponent), 0),
            (Err(_), down) => {
                let whole = mantissa.checked_shr(down).unwrap_or_default();
                let rest = mantissa - whole.checked_shl(down).unwrap_or_default();
                let scaled = rest * 10_u128.pow(17);
                let fraction = scaled.checked_shr(down).unwrap_or_default();
                let rest = scaled - fraction.checked_shl(down).unwrap_or_default();
                let half = 1_u128.checked_shl(down - 1).unwrap_or(u128::MAX);
                let fraction = fraction + u128::from(rest > half || (rest == half && fraction % 2 == 1));
                ((whole + fraction / 10_u128.pow(17)).to_string(), fraction % 10_u128.pow(17))
            }
        };
        let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:0DIGITS$}") };
        let sign = if self.is_negative && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
        write!(f, "{sign}{whole}{}", fraction.trim_end_matches('0'))
    }
}

/// The digits of a number times two to a power.
fn shifted(number: u128, power: u32) -> String {
    const LIMB: u64 = 10_u64.pow(18);
    // What is carried is less than a limb. A bit at a time, the greatest numbers take two million steps.
    const AT_ONCE: u32 = 56;
    let mut limbs = Vec::new();
    let mut rest = number;
    while rest > 0 || limbs.is_empty() {
        limbs.push(u64::try_from(rest % u128::from(LIMB)).unwrap_or_default());
        rest /= u128::from(LIMB);
    }
    let mut left = power;
    while left > 0 {
        let by = left.min(AT_ONCE);
        left -= by;
        let mut carry = 0;
        for limb in &mut limbs {
            let product = (u128::from(*limb) << by) + carry;
            *limb = u64::try_from(product % u128::from(LIMB)).unwrap_or_default();
            carry = product / u128::from(LIMB);
        }
        if carry > 0 {
            limbs.push(u64::try_from(carry).unwrap_or_default());
        }
    }
    let mut digits = limbs.pop().unwrap_or_default().to_string();
    digits.extend(limbs.iter().rev().map(|limb| format!("{limb:018}")));
    digits
}

#[cfg(test)]
mod tests {
    use super::LongDouble;

    #[test]
    fn sums_have_the_digits_of_redis() {
        for (a, b, sum) in [
            ("0.1", "0.2", "0.3"),
            ("10.5", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("3", "-3", "0"),
            ("-0.0", "-0", "0"),
            ("1e18", "0.5", "1000000000000000000.5"),
            ("1e30", "1", "1000000000000000000024696061952"),
            ("1e70", "0", "10000000000000000000222479489586148259025995410601157579323600873193472"),
        ] {
            let [a, b] = [a, b].map(|text| LongDouble::parse(text.as_bytes()).unwrap());
            assert_eq!(a.plus(b).unwrap().to_string(), sum, "{a} + {b}");
        }
    }
}
