//! Writes the code of a record, a file for each generated item, and that of an evolving value.

mod accessor;
mod constructors;
mod each;
mod evolving;
mod fields;
mod partial;
mod patch;
mod read_json;
mod redis_hash;
mod schema;
mod shared;
mod write_json;

use proc_macro2::TokenStream;
use quote::quote;

use crate::evolving::Evolving;
use crate::expand::shared::Names;
use crate::record::Record;

/// All generated code of a record. It only calls the runtime crate, which does the work.
pub(crate) fn record(record: &Record) -> TokenStream {
    let names = Names::new(record);
    let items = [
        accessor::expand(record, &names),
        constructors::expand(record, &names),
        partial::expand(record, &names),
        each::expand(record, &names),
        patch::expand(record, &names),
        fields::expand(record, &names),
        redis_hash::expand(record, &names),
        schema::expand(record, &names),
    ];
    quote!(#(#items)*)
}

/// All generated code of a type that derives `Evolving`.
pub(crate) fn value(value: &Evolving) -> TokenStream {
    evolving::expand(value)
}
