//! Why stored bytes do not decode as the type that was asked for.

use std::fmt;

use bincode::error::DecodeError;
use serde::de::{self, Expected, Unexpected};

use crate::format::shape::{MAX_DEPTH, MAX_ZERO_WIDTH};

/// Why bytes are not a value of the type that was asked for. No text in it comes from the bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeFault {
    #[error("it ends too early")]
    Truncated,
    #[error("{0} bytes follow after its end")]
    Trailing(usize),
    #[error("it holds no valid {0}")]
    Invalid(&'static str),
    #[error("it does not hold a {0}")]
    Expected(String),
    #[error("a number in it does not fit a `{0}` exactly")]
    OutOfRange(&'static str),
    #[error("it has no field `{0}`")]
    MissingField(&'static str),
    #[error("two of the stored fields are its field `{0}`")]
    DuplicateField(&'static str),
    #[error("it takes no fields that it does not have (`deny_unknown_fields`), and there is one")]
    UnknownField,
    #[error("a variant `{0}` is not one of its variants")]
    UnknownVariant(String),
    #[error("a {0} is stored where it expects something else")]
    Unexpected(&'static str),
    /// In a field of a struct, as `Address.zip`, by the names in a schema.
    #[error("in `{0}`, {1}")]
    In(String, Box<DecodeFault>),
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("a length in it reaches beyond its end")]
    Length,
    #[error("it holds more than {MAX_ZERO_WIDTH} elements that take no space")]
    ZeroWidth,
    #[error("it asks for {0}, but bincode does not record what is stored")]
    NotSelfDescribing(&'static str),
    #[error("its Deserialize refused it")]
    Custom,
    #[error("it panics")]
    Panicked,
    #[error("its conversion refused it")]
    Conversion,
}

impl de::Error for DecodeFault {
    // The texts of foreign errors can quote the value, and so can their descriptions of what they expected.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Custom
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        if is_variant_range(&expected) { Self::Expected(expected) } else { Self::Custom }
    }

    fn invalid_type(unexpected: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::Unexpected(match unexpected {
            Unexpected::Bool(_) => "bool",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "whole number",
            Unexpected::Float(_) => "float",
            Unexpected::Char(_) => "char",
            Unexpected::Str(_) => "text",
            Unexpected::Bytes(_) => "byte string",
            Unexpected::Unit => "unit",
            Unexpected::Option => "`None` or `Some`",
            Unexpected::NewtypeStruct => "newtype struct",
            Unexpected::Seq => "sequence",
            Unexpected::Map => "struct or map",
            Unexpected::Enum => "enum",
            Unexpected::UnitVariant => "variant without contents",
            Unexpected::NewtypeVariant | Unexpected::TupleVariant | Unexpected::StructVariant => {
                "variant with contents"
            }
            Unexpected::Other(_) => "value of another type",
        })
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::Invalid("variant")
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::UnknownField
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::DuplicateField(field)
    }
}

impl DecodeFault {
    /// Says in which field it is, if that is not known more closely.
    pub(crate) fn within(self, of: &dyn fmt::Display, field: &str) -> Self {
        if let Self::In(..) = self { self } else { Self::In(format!("{of}.{field}"), Box::new(self)) }
    }

    /// The change of a type that mends it.
    pub(crate) fn cure(&self) -> String {
        match self {
            Self::MissingField(field) => format!(
                "say `#[serde(default)]` on `{field}` or make it an `Option`, or, if it had another name, `#[serde(alias = \
                 \"…\")]`"
            ),
            Self::DuplicateField(field) => {
                format!("keep one of them under a name of its own, not as an `alias` of `{field}`")
            }
            Self::UnknownField => {
                "keep the field, name it as an `alias`, or remove `deny_unknown_fields`".to_owned()
            }
            Self::UnknownVariant(_) => {
                "keep it, or say `#[serde(alias = \"…\")]` on the variant that it has become".to_owned()
            }
            Self::OutOfRange(_) => "keep the wider type".to_owned(),
            Self::Panicked => "let it return an error instead".to_owned(),
            _ => "keep the type, convert what was stored by `#[redis_hash(was = OldType)]` on the field, or store the new type \
                  in a field of another name"
                .to_owned(),
        }
    }

    /// The fault itself, without the place.
    pub(crate) fn innermost(&self) -> &Self {
        if let Self::In(_, fault) = self { fault.innermost() } else { self }
    }
}

/// True for what serde's derive expects of an enum: "variant index 0 <= i < 3".
fn is_variant_range(expected: &str) -> bool {
    expected
        .strip_prefix("variant index 0 <= i < ")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

impl From<DecodeError> for DecodeFault {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::UnexpectedEnd { .. } => Self::Truncated,
            DecodeError::Utf8 { .. } => Self::Invalid("UTF-8"),
            DecodeError::InvalidCharEncoding(_) => Self::Invalid("char"),
            DecodeError::InvalidBooleanValue(_) => Self::Invalid("bool"),
            DecodeError::UnexpectedVariant { .. } => Self::Invalid("option"),
            _ => Self::Invalid("integer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use bincode::error::{AllowedEnumVariants, DecodeError};

    use super::{DecodeFault, is_variant_range};

    #[test]
    fn a_range_of_variants_is_told_by_its_words() {
        assert!(is_variant_range("variant index 0 <= i < 3") && is_variant_range("variant index 0 <= i < 10"));
        assert!(!is_variant_range("variant index 0 <= i < ") && !is_variant_range("variant index 0 <= i < x"));
        assert!(!is_variant_range("a variant index 0 <= i < 3"));
    }

    #[test]
    fn each_fault_of_bincode_has_a_name() {
        assert!(matches!(DecodeFault::from(DecodeError::UnexpectedEnd { additional: 1 }), DecodeFault::Truncated));
        let unexpected =
            DecodeError::UnexpectedVariant { type_name: "", allowed: &AllowedEnumVariants::Allowed(&[]), found: 7 };
        let utf8 = String::from_utf8(vec![0xff]).expect_err("no text").utf8_error();
        for (error, name) in [
            (DecodeError::Utf8 { inner: utf8 }, "UTF-8"),
            (DecodeError::InvalidBooleanValue(2), "bool"),
            (DecodeError::InvalidCharEncoding([0; 4]), "char"),
            (unexpected, "option"),
            (DecodeError::Other("x"), "integer"),
        ] {
            assert!(matches!(DecodeFault::from(error), DecodeFault::Invalid(found) if found == name), "{name}");
        }
    }
}
