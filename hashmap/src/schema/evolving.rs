//! The values of maps that evolve: `Evolving<V>`, what its derive implements, and the test that the derive generates.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::fault::Fault;
use crate::format::past::{Conversions, Known, read_encoded};
use crate::format::schema::Schema;
use crate::format::storage::{Bincode, Format, sealed, stores_as};
use crate::kind::Kind;
use crate::schema::check::{SchemaProblem, check, trace};
use crate::schema::field::FieldSchema;
use crate::schema::history::History;
use crate::schema::lock::Lock;

/// What the file calls the values of a map.
const VALUE: &str = "value";

/// The value type of a map whose values can change: it also reads what older versions of a `V` have stored.
///
/// `HashMap::<K, Evolving<Cart>>::typed(key)` is a map of `Cart`s. Its operations take and return a `Cart`, and send what those
/// of a `HashMap<K, Cart>` send. A read writes nothing; what is written is a `Cart` of today, as a `HashMap<K, Cart>` writes it.
/// A value of an older type is read by the schema file of `Cart`, which [`#[derive(Evolving)]`](derive@crate::Evolving) builds
/// in: by names, as in JSON, so that serde's `default` and `alias` say what becomes of it.
///
/// ```
/// use redis_hashmap::{Evolving, HashMap};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Evolving, Serialize, Deserialize, Debug, PartialEq)]     // redis-hash/Cart.schema, in the folder of the package
/// struct Cart {
///     items: Vec<String>,
///     #[serde(default)]
///     note: String,
/// }
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let carts = HashMap::<u64, Evolving<Cart>>::typed(&*key).on(&mut con);
/// carts.set(&42, Cart { items: vec!["pear".to_owned()], note: String::new() })?;    // HSET key 42 …
/// carts.update(&42, |cart| cart.items.push("plum".to_owned()))?;                    // HMGET, then a script
/// assert_eq!(carts.get(&42)?.map(|cart| cart.items.len()), Some(2));                // HGET key 42
/// # carts.clear()?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// # Cost
///
/// None for a value of today's type. The file is looked at only where a read would fail; the first time, it is parsed.
///
/// # Errors
///
/// Reads return the errors of [`Field::get`](crate::Field::get): [`OtherShape`](crate::Error::OtherShape) says what was
/// stored, in the words of the file, what does not fit, and the attribute that mends it.
/// [`Conversion`](crate::Error::Conversion) says that the conversion of `#[evolving(was = OldType)]` refused the value. An
/// operation that reads before it writes then writes nothing; `set` and its kin replace what is there.
pub struct Evolving<V: EvolvingValue>(PhantomData<fn() -> V>);

impl<V: EvolvingValue> fmt::Debug for Evolving<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Evolving")
    }
}

/// A type whose older values can be read, in maps of [`Evolving`] values.
///
/// [`#[derive(Evolving)]`](derive@crate::Evolving) implements it.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` has no schema file, so its older values cannot be read",
    label = "does not derive `Evolving`",
    note = "add `#[derive(redis_hashmap::Evolving)]` to it, beside serde's derives; a type of another crate, or one with \
            parameters, can be wrapped in one that does, as in `struct Users(Page<User>);`"
)]
pub trait EvolvingValue: Serialize + DeserializeOwned + Send + 'static {
    /// Proves that the type of today reads all that the schema file says was stored, and that the file is up to date.
    ///
    /// A test that is generated calls it. It reads files, and sends nothing.
    ///
    /// ```
    /// use redis_hashmap::{Evolving, EvolvingValue};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Evolving, Serialize, Deserialize)]
    /// struct Cart {
    ///     items: Vec<String>,
    /// }
    ///
    /// let problem = Cart::check_schema().unwrap_err();
    /// assert_eq!(
    ///     problem.to_string(),
    ///     "the schema of `Cart` is not recorded yet: run `REDIS_HASH_SCHEMA=record cargo test`, and commit \
    ///      redis-hash/Cart.schema"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// What cannot be read, and the attribute that mends it; or how to record a schema that has changed.
    fn check_schema() -> Result<(), SchemaProblem>;

    /// The schema file, as it was when the program was built, and the types that it was.
    #[doc(hidden)]
    fn __past() -> (&'static History, &'static Conversions<Self>);

    /// Values for its schema, where none can be made up.
    #[doc(hidden)]
    fn __samples() -> Vec<Self> {
        Vec::new()
    }
}

impl<V: EvolvingValue> sealed::Sealed for Evolving<V> {}

stores_as! { Evolving<V: EvolvingValue>, Bincode }

impl<V: EvolvingValue> Format<V> for Evolving<V> {
    type Get = Option<V>;

    #[inline]
    fn found(value: V) -> Option<V> {
        Bincode::found(value)
    }

    #[inline]
    fn absent(default: Option<fn() -> V>) -> Option<fn() -> Option<V>> {
        Bincode::absent(default)
    }

    #[inline]
    fn decode(stored: &[u8]) -> Result<V, Fault> {
        Bincode::decode(stored).or_else(|fault| decode_older(stored, fault))
    }

    fn older(known: &Known<'_>, stored: &[u8], fault: Fault) -> Result<V, Fault> {
        Bincode::older(known, stored, fault)
    }

    fn readable_kind() -> Option<Kind> {
        <Bincode as Format<V>>::readable_kind()
    }
}

/// Decodes a value that is not one of today's, for `fault`.
#[cold]
fn decode_older<V: EvolvingValue>(stored: &[u8], fault: Fault) -> Result<V, Fault> {
    let (history, conversions) = V::__past();
    history.read(VALUE, &[], Some(conversions), stored, fault, read_encoded::<V>).map_err(|fault| match fault {
        Fault::OtherShape { stored, asked, problem } => {
            Fault::OtherShape { stored, asked, problem: of_a_value(&problem) }
        }
        fault => fault,
    })
}

/// Compares the schema of a type with its file, and proves that it reads what the file says was stored.
///
/// `was` finds the schemas of the types that it was.
///
/// # Errors
///
/// What cannot be read, or how a schema that has changed is recorded.
pub fn check_value<V: EvolvingValue>(
    path: &str,
    package: &str,
    removed: &[&str],
    was: &[fn() -> Result<Schema, String>],
) -> Result<(), SchemaProblem> {
    let (history, conversions) = V::__past();
    let of_records =
        Lock::read(history.file()).ok().and_then(|lock| lock.fields.into_keys().find(|name| name != VALUE));
    if let Some(field) = of_records {
        return Err(SchemaProblem::new(format!(
            "{path} is the schema file of a record, which has the field `{field}`: give the values of maps one of their own, as in \
             `#[evolving(schema = \"redis-hash/Value.schema\")]`"
        )));
    }
    let was = was.iter().map(|trace| Some(*trace)).collect();
    let field = FieldSchema::encoded::<V>(VALUE, &[], || trace(V::__samples())).was(conversions, was);
    check::<V>(Some((path, history)), package, removed, &[field])
        .map_err(|problem| SchemaProblem::new(of_a_value(&problem.to_string())))
}

/// Says of the values of a map what is said of a field of a record.
pub(super) fn of_a_value(text: &str) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("#[redis_hash(", "#[evolving("),
        ("(was = OldType)]` on the field", "(was = OldType)]` on the type"),
        (")]` on the record", ")]` on the type"),
        ("give the record no `schema`", "hold it in a map without `Evolving`"),
        ("in a field of another name", "in a map at another key"),
    ];
    WORDS.iter().fold(text.to_owned(), |text, (of_field, of_value)| text.replace(of_field, of_value))
}
