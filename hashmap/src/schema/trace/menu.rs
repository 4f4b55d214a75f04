//! The scalars that samples are made of.

use crate::format::schema::Scalar;
use crate::kind::Kind;

/// Of each kind, what is tried one after the other until a type accepts it.
///
/// Numbers begin with 1, which more types accept than 0: days, months, whatever is not zero.
pub(crate) fn menu(kind: Kind) -> Vec<Scalar> {
    const SIGNED: [i128; 11] = [1, 0, 2, 7, -1, 3, 10, 16, 100, 1_000, 2_000];
    const UNSIGNED: [u128; 10] = [1, 0, 2, 7, 3, 10, 16, 100, 1_000, 2_000];
    let signed = |max: i128| SIGNED.into_iter().filter(|number| *number <= max).map(Scalar::Signed).collect();
    let unsigned = |max: u128| UNSIGNED.into_iter().filter(|number| *number <= max).map(Scalar::Unsigned).collect();
    match kind {
        Kind::Bool => vec![Scalar::Bool(true), Scalar::Bool(false)],
        Kind::I8 => signed(i8::MAX.into()),
        Kind::I16 | Kind::I32 | Kind::I64 | Kind::I128 => signed(i128::MAX),
        Kind::U8 => unsigned(u8::MAX.into()),
        Kind::U16 | Kind::U32 | Kind::U64 | Kind::U128 => unsigned(u128::MAX),
        Kind::F32 => [1.0_f32, 0.0, 0.5, 2.0, -1.0, 100.0].map(|float| Scalar::F32(float.to_bits())).into(),
        Kind::F64 => [1.0_f64, 0.0, 0.5, 2.0, -1.0, 100.0].map(|float| Scalar::F64(float.to_bits())).into(),
        Kind::Char => ['a', '0', 'A', ' ', '-'].map(Scalar::Char).into(),
        Kind::Str => TEXTS.iter().map(|text| Scalar::Str((*text).to_owned())).collect(),
        Kind::Bytes => [0, 16, 4, 32, 1, 2, 8, 12, 20, 24, 64].map(|len| Scalar::Bytes(vec![1; len])).into(),
        _ => vec![Scalar::Unit],
    }
}

/// True if the scalar can be one of this kind.
pub(super) fn fits(scalar: &Scalar, kind: Kind) -> bool {
    match scalar {
        Scalar::Unit => kind == Kind::Unit,
        Scalar::Bool(_) => kind == Kind::Bool,
        Scalar::Signed(_) => (Kind::I8..=Kind::I128).contains(&kind),
        Scalar::Unsigned(_) => (Kind::U8..=Kind::U128).contains(&kind),
        Scalar::F32(_) => kind == Kind::F32,
        Scalar::F64(_) => kind == Kind::F64,
        Scalar::Char(_) => kind == Kind::Char,
        Scalar::Str(_) => kind == Kind::Str,
        Scalar::Bytes(_) => kind == Kind::Bytes,
    }
}

/// Texts that types parse, the plainest first, and of each sort more than one where types put them in an order.
const TEXTS: &[&str] = &[
    "",
    "a",
    "1970-01-01T00:00:00Z",
    "1970-01-01",
    "00:00:00",
    "1970-01-01T00:00:00",
    "00000000-0000-4000-8000-000000000000",
    "0.0.0.0",
    "::1",
    "0.0.0.0:80",
    "[::1]:80",
    "0.0.0.0/0",
    "a@b.cd",
    "http://a.b/",
    "P1D",
    "PT1S",
    "1970-01-01T00:00:00+00:00[UTC]",
    "1970-01-01T00:00:00.000000000Z",
    "1970-01-01 00:00:00 UTC",
    "Thu, 01 Jan 1970 00:00:00 +0000",
    "UTC",
    "Z",
    "+00:00",
    "en",
    "EN",
    "USD",
    "1",
    "0",
    "1.0",
    "1.0.0",
    "1s",
    "true",
    "/",
    "/a",
    "a.b",
    "a/b",
    "text/plain",
    "#000000",
    "00",
    "0x00",
    "{}",
    "abc",
    "Abc",
    "abcdefgh",
    "Aa1!Aa1!",
    "+12025550123",
    "2000-12-31T23:59:59Z",
    "2000-12-31",
    "23:59:59",
];
