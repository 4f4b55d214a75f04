//! Several fields of a record at once: what `get_many` selects and reads.

use crate::command::name::Name;
use crate::command::named_field::NamedField;
use crate::command::redis_hash::RecordReader;
use crate::error::Error;
use crate::format::storage::Format;

/// A selection for [`Record::get_many`](crate::Record::get_many): a tuple of up to 16 fields of the record.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of fields of the record",
    note = "return a tuple of them, such as `get_many(|field| (field.theme, field.language))`; a single one is read by its \
            own method"
)]
pub trait Selection: Send + Sync + 'static {
    /// The values that are read: a tuple of what `get` of each field returns.
    type Output: Send + 'static;

    #[doc(hidden)]
    fn names(&self) -> Vec<Name>;

    #[doc(hidden)]
    fn read(&self, fields: &mut RecordReader<'_>) -> Result<Self::Output, Error>;
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
            fn names(&self) -> Vec<Name> {
                let ($($t,)*) = self;
                vec![$($t.names()),*]
            }

            #[expect(non_snake_case, reason = "one name for a type and its value")]
            fn read(&self, fields: &mut RecordReader<'_>) -> Result<Self::Output, Error> {
                let ($($t,)*) = self;
                // Each is read, so that an error names all that cannot be.
                let ($($t,)*) = ($(fields.get($t),)*);
                Ok(($($t?,)*))
            }
        }
    };
}

tuples!(A A1, B B1 C C1 D D1 E E1 G G1 H H1 I I1 J J1 K K1 L L1 M M1 N N1 O O1 P P1 Q Q1);
