use std::fmt;
use std::marker::PhantomData;

use crate::accessor::record::RecordReader;
use crate::command::changes::FieldCodec;
use crate::error::Error;
use crate::format::storage::{Bincode, Format};

/// A field of a record by name, to be read by [`Record::get_many`](crate::Record::get_many).
pub struct NamedField<T, F = Bincode> {
    codec: FieldCodec<T>,
    format: PhantomData<fn() -> F>,
}

impl<T, F> NamedField<T, F> {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(codec: FieldCodec<T>) -> Self {
        Self { codec, format: PhantomData }
    }

    /// Its name in Redis.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.codec.name
    }
}

impl<T, F> Clone for NamedField<T, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, F> Copy for NamedField<T, F> {}

impl<T, F> fmt::Debug for NamedField<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedField({:?})", self.codec.name)
    }
}

/// What [`Record::get_many`](crate::Record::get_many) reads: a tuple of up to 16 fields of the record.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of fields of the record",
    note = "return a tuple of them, such as `get_many(|field| (field.theme, field.language))`; a single one is read by its \
            own method"
)]
pub trait Selection: Send + Sync + 'static {
    /// What is read.
    type Output: Send + 'static;

    #[doc(hidden)]
    fn names(&self) -> Vec<&'static str>;

    #[doc(hidden)]
    fn read(&self, fields: &mut RecordReader<'_>) -> Result<Self::Output, Error>;
}

fn read<T, F: Format<T>>(field: &NamedField<T, F>, fields: &mut RecordReader<'_>) -> Result<F::Get, Error> {
    match (fields.option(&field.codec)?, F::absent(field.codec.default)) {
        (Some(value), _) => Ok(F::found(value)),
        (None, Some(absent)) => Ok(absent()),
        (None, None) => Err(fields.missing()),
    }
}

macro_rules! tuples {
    ($($t:ident $f:ident, $($rest:ident)*)?) => {
        $(
            tuples!(@impl $t $f $($rest)*);
            tuples!(@next $($rest)*);
        )?
    };
    (@next $($t:ident $f:ident $($rest:ident)*)?) => {
        $(tuples!($t $f, $($rest)*);)?
    };
    (@impl $($t:ident $f:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($t: Send + 'static, $f: Format<$t> + 'static),*> Selection for ($(NamedField<$t, $f>,)*) {
            type Output = ($($f::Get,)*);

            #[expect(non_snake_case, reason = "one name for a type and its value")]
            fn names(&self) -> Vec<&'static str> {
                let ($($t,)*) = self;
                vec![$($t.name()),*]
            }

            #[expect(non_snake_case, reason = "one name for a type and its value")]
            fn read(&self, fields: &mut RecordReader<'_>) -> Result<Self::Output, Error> {
                let ($($t,)*) = self;
                Ok(($(read($t, fields)?,)*))
            }
        }
    };
}

tuples!(A A1, B B1 C C1 D D1 E E1 G G1 H H1 I I1 J J1 K K1 L L1 M M1 N N1 O O1 P P1 Q Q1 R R1);
