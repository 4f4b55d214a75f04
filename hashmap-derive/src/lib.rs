//! The derive macros of redis-hashmap, which re-exports and documents them.
//!
//! `RedisHash` works in three steps: `record` reads the struct, `check` judges what was read, and `expand` writes the code. For
//! `Evolving`, `evolving` reads and judges. All errors are collected, and each is reported at its own token.

mod attr;
mod carried;
mod case;
mod check;
mod ctxt;
mod duration;
mod evolving;
mod expand;
mod key;
mod nearest;
mod record;
mod serde_attr;
mod tokens;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::ctxt::Ctxt;
use crate::evolving::Evolving;
use crate::record::Record;

/// Generates a typed accessor for a struct whose fields are the fields of a Redis hash.
///
/// For a `UserSettings` it generates:
///
/// - `UserSettings::at(key)`, the accessor of the record at a key, and `UserSettings::of(…)` where the struct declares
///   its key;
/// - `UserSettingsHash<E>`, the accessor: a method for each field, which returns a `Field` with `get`, `set`, `delete`
///   and so on, and through `Deref` the operations of a `Record` (`get_all`, `set_all`, `update`, …);
/// - `UserSettingsPartial`, the record with every field an `Option`, which `get_partial` returns. serde writes it as it
///   writes the struct, without the absent fields, and reads it back, where the fields' types can be written and read. Where
///   serde writes the struct as another type or `flatten`s a field of it, a partial record is not written;
/// - `UserSettingsEach`, the record with a `Result` for each field, which `get_each` returns;
/// - `UserSettingsPatch`, the changes to a record: each field is kept, set or (if it is an `Option`) cleared. It is a
///   builder, and serde reads it from JSON under the names that the struct's serde attributes give;
/// - `UserSettingsFields`, the fields by name, from which `get_many` selects;
/// - the implementation of the trait `RedisHash`, and of `DefaultedHash` where no field is required.
///
/// A field is **required**, unless its type is an `Option` (the last segment of its path is `Option`; absence is
/// `None`), or it has a default. A field's type needs `Serialize` and `DeserializeOwned` (for `text`: `Display` and
/// `FromStr`), and must own its data.
///
/// # Attributes of the struct: `#[redis_hash(…)]`
///
/// | attribute | effect |
/// |---|---|
/// | `key = "user:{user_id}:settings"` | gives `UserSettings::of(user_id)`; `{{` and `}}` are literal braces |
/// | `rename_all = "camelCase"` | the case of the fields' names in Redis, one of serde's |
/// | `ttl = "30m"` | how long the record lives after each write: a whole number and `ms`, `s`, `m`, `h` or `d`, or a constant expression of type `Duration` |
/// | `sliding` | each read of a value renews the time to live, too |
/// | `accessor = "Name"`, `partial = "Name"`, `each = "Name"`, `patch = "Name"`, `fields = "Name"` | the names of the generated types, where `UserSettingsHash` and so on are taken |
/// | `at = "at_key"`, `of = "of_id"` | the names of the generated constructors, where `at` and `of` are taken |
/// | `schema`, `schema = "path"` | keeps what its fields hold, and have held, in a file (`redis-hash/UserSettings.schema`), by which values of older types are read; generates a test and `check_schema` |
/// | `removed = "name"` | a field, or `"Address.zip"` or `"Theme::Custom.red"` of a nested type, that is gone on purpose; it can be given several times |
/// | `crate = "path"` | the path of the runtime crate, if it is re-exported |
///
/// # Attributes of a field
///
/// | attribute | effect |
/// |---|---|
/// | `rename = "name"` | its name in Redis |
/// | `alias = "old_name"` | a name under which it was stored before, for reads to fall back to; it can be given several times |
/// | `default` | `Default::default()` where it is absent |
/// | `default = expression` | the value of the expression where it is absent |
/// | `text` | stored as text, by `Display` and `FromStr`, for other programs to read and write |
/// | `counter` | an `i64` that Redis adds to (`increment`), stored in digits; 0 where it is absent |
/// | `merge` | a patch can change parts of its value, by `merge` and `merge_if_present` |
/// | `ttl = "5m"` | how long the field lives after each write of it, stated in the same ways; it must be an `Option` or have a default |
/// | `sample = expression` | a value of its type, for the `schema`, where none can be made up |
/// | `skip_deserializing` | not set by a patch or a partial record from JSON; serde's attribute of that name does this too |
/// | `skip_serializing` | not written to JSON with a partial record; serde's attribute of that name does this too |
/// | `skip` | not stored; its default when the record is read |
/// | `accessor = "name"` | the name of its method on the accessor |
#[proc_macro_derive(RedisHash, attributes(redis_hash))]
pub fn derive_redis_hash(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a type one whose older values a map of `Evolving` values reads.
///
/// It is for a struct or an enum without parameters that has serde's derives, and implements the trait `EvolvingValue`. With
/// `HashMap::<u64, Evolving<Cart>>::typed(key)`, the map at `key` holds `Cart`s, and reads what older versions of `Cart` have
/// stored.
///
/// What its values are, and have been, stands in a schema file of a few lines, as for a record with `#[redis_hash(schema)]`,
/// under the name `value`: commit it. The file is built in. The derive also generates a test, which calls
/// `Cart::check_schema()`: it fails if the type of today cannot read all that the file says was stored, and says how to mend
/// that, or how to record a change. The types inside need no derive of this.
///
/// | attribute: `#[evolving(…)]` | effect |
/// |---|---|
/// | `schema = "path"` | its file in the folder of the package, instead of `redis-hash/Cart.schema`; two types of one name, and a record that is a value of maps too, need a file each |
/// | `removed = "Cart.note"` | a field, or `"Theme::Custom.red"` of a variant, that is gone on purpose; it can be given several times |
/// | `was = OldType` | a type that the values were before, which becomes today's by `From` or `TryFrom`; it can be given several times |
/// | `sample = expression` | a value of the type, where none can be made up |
/// | `crate = "path"` | the path of the runtime crate, if it is re-exported |
#[proc_macro_derive(Evolving, attributes(evolving))]
pub fn derive_evolving(input: TokenStream) -> TokenStream {
    value(&parse_macro_input!(input as DeriveInput)).into()
}

fn value(input: &DeriveInput) -> proc_macro2::TokenStream {
    let ctxt = Ctxt::default();
    // As for a record, a mistake in an attribute is not to be a missing implementation too.
    let code = Evolving::read(&ctxt, input).map(|value| expand::value(&value));
    let errors = ctxt.into_compile_errors();
    quote::quote!(#errors #code)
}

fn derive(input: &DeriveInput) -> proc_macro2::TokenStream {
    let ctxt = Ctxt::default();
    let record = Record::read(&ctxt, input).filter(|record| check::record(&ctxt, record));
    // A struct that was understood gets its code even if something is wrong with it: a missing accessor would be a
    // second error for the same mistake.
    let code = record.map(|record| expand::record(&record));
    let errors = ctxt.into_compile_errors();
    quote::quote!(#errors #code)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    /// The generated code, for people to read. `UPDATE_EXPECT=1 cargo test -p redis-hashmap-derive` updates the file.
    #[test]
    fn the_code_reads_like_what_a_person_would_write() {
        let input = syn::parse_str(include_str!("../snapshots/user_settings.rs")).expect("a struct");
        let file = syn::parse2(super::derive(&input)).expect("items");
        expect_file!["../snapshots/user_settings.expanded.rs"].assert_eq(&prettyplease::unparse(&file));
    }

    #[test]
    fn so_does_that_of_a_value() {
        let input = syn::parse_str(include_str!("../snapshots/cart.rs")).expect("a struct");
        let file = syn::parse2(super::value(&input)).expect("items");
        expect_file!["../snapshots/cart.expanded.rs"].assert_eq(&prettyplease::unparse(&file));
    }
}
