//! The kinds of stored values: the first byte of each.

use std::fmt;

/// The prefix of the newtype name under which a [`Value`](crate::Value) passes through serde. The name of the kind that
/// it is stored as follows. No Rust type can have such a name.
macro_rules! value_prefix {
    () => {
        "$redis_hashmap::Value "
    };
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $byte:literal, $name:literal;)*) => {
        /// What kind of value is stored: the first byte of every stored value.
        ///
        /// It is the outermost node of the value in serde's data model. The bytes are part of the stored format and
        /// never change. All of them are continuation bytes of UTF-8, so no text of another program begins with one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])* $variant = $byte,)*
        }

        impl Kind {
            /// The kind that is stored as `byte`, if this version knows one.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name of the kind, as serde calls it: `u32`, `str`, `seq`, …
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The scalar of this name.
            pub(crate) fn scalar_of_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
                .filter(|kind| kind.is_scalar())
            }

            /// The newtype name of a [`Value`](crate::Value) that is stored as this kind.
            pub(crate) const fn value_name(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!(value_prefix!(), $name),)*
                }
            }

            /// The reverse of [`Kind::value_name`].
            #[inline]
            pub(crate) fn from_value_name(name: &str) -> Option<Self> {
                match name.strip_prefix(value_prefix!())? {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// `()` and unit structs.
    Unit = 0x80, "unit";
    /// `bool`.
    Bool = 0x81, "bool";
    /// `i8`.
    I8 = 0x82, "i8";
    /// `i16`.
    I16 = 0x83, "i16";
    /// `i32`.
    I32 = 0x84, "i32";
    /// `i64` and `isize`.
    I64 = 0x85, "i64";
    /// `i128`.
    I128 = 0x86, "i128";
    /// `u8`.
    U8 = 0x87, "u8";
    /// `u16`.
    U16 = 0x88, "u16";
    /// `u32`.
    U32 = 0x89, "u32";
    /// `u64` and `usize`.
    U64 = 0x8A, "u64";
    /// `u128`.
    U128 = 0x8B, "u128";
    /// `f32`.
    F32 = 0x8C, "f32";
    /// `f64`.
    F64 = 0x8D, "f64";
    /// `char`.
    Char = 0x8E, "char";
    /// `String`, `&str`, and whatever serializes as text.
    Str = 0x8F, "str";
    /// Byte strings (`serde_bytes`, `uuid`); a plain `Vec<u8>` is a seq of u8.
    Bytes = 0x90, "bytes";
    /// A sequence: `Vec`, slices, sets.
    Seq = 0x91, "seq";
    /// A tuple, a tuple struct or an array.
    Tuple = 0x92, "tuple";
    /// A map.
    Map = 0x93, "map";
    /// A struct with named fields.
    Struct = 0x94, "struct";
    /// An enum.
    Enum = 0x95, "enum";
    /// An `Option` that is stored as a value: one inside another value, or one in a map.
    Option = 0x96, "option";
    /// A [`Value`](crate::Value) that is a tree.
    Dynamic = 0x97, "dynamic";
}

impl Kind {
    /// True for the kinds that are stored without a digest: the kind, then the value.
    #[must_use]
    pub const fn is_scalar(self) -> bool {
        (self as u8) < (Self::Seq as u8)
    }

    /// True for integers and floats.
    pub(crate) const fn is_number(self) -> bool {
        Self::I8 as u8 <= self as u8 && self as u8 <= Self::F64 as u8
    }

    /// The first byte of its values in Redis.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
