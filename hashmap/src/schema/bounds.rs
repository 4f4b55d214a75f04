//! What each kind of scalar can hold at its limits: a type that has rules refuses some of it.

use crate::format::schema::Scalar;
use crate::kind::Kind;

/// How long a text or a byte string is that is long.
const LONG: usize = 1_000;

/// Values of a kind that a type without rules accepts, the plainest first. With them it is found out whether a type has rules,
/// and whether a type that has changed takes what was stored.
pub(super) fn bounds(kind: Kind) -> Vec<Scalar> {
    macro_rules! integers {
        (Signed $type:ty) => {
            [1, 0, -1, <$type>::MIN, <$type>::MAX].map(|number| Scalar::Signed(number.into())).into()
        };
        (Unsigned $type:ty) => {
            [1, 0, <$type>::MAX].map(|number| Scalar::Unsigned(number.into())).into()
        };
    }
    match kind {
        Kind::Bool => vec![Scalar::Bool(false), Scalar::Bool(true)],
        Kind::I8 => integers!(Signed i8),
        Kind::I16 => integers!(Signed i16),
        Kind::I32 => integers!(Signed i32),
        Kind::I64 => integers!(Signed i64),
        Kind::I128 => integers!(Signed i128),
        Kind::U8 => integers!(Unsigned u8),
        Kind::U16 => integers!(Unsigned u16),
        Kind::U32 => integers!(Unsigned u32),
        Kind::U64 => integers!(Unsigned u64),
        Kind::U128 => integers!(Unsigned u128),
        Kind::F32 => {
            [1.0, 0.0, 0.1, -1.5, f32::MAX, f32::INFINITY, f32::NAN].map(|float| Scalar::F32(float.to_bits())).into()
        }
        Kind::F64 => {
            [1.0, 0.0, 0.1, -1.5, f64::MAX, f64::INFINITY, f64::NAN].map(|float| Scalar::F64(float.to_bits())).into()
        }
        Kind::Char => ['a', '\0', '大', char::MAX].map(Scalar::Char).into(),
        Kind::Str => ["a", "", "大", "A b/\n\0", &"x".repeat(LONG)].map(|text| Scalar::Str(text.to_owned())).into(),
        Kind::Bytes => [vec![1], Vec::new(), vec![0], vec![0xff; 2], vec![1; LONG]].map(Scalar::Bytes).into(),
        Kind::Unit => vec![Scalar::Unit],
        _ => Vec::new(),
    }
}
