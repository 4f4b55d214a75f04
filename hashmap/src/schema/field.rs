//! A field of a record as its schema is checked: what it declares, and how stored values become those of today.

use std::any::{Any, type_name};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::fault::Fault;
use crate::format;
use crate::format::decode_fault::DecodeFault;
use crate::format::past::{Conversions, How, Known, Past, StoredAs, Was};
use crate::format::resolve;
use crate::format::schema::Schema;
use crate::format::storage::{Bincode, Counter, Format, FormatOf, Text};
use crate::schema::lock::{COUNTER, Held, TEXT};
use crate::schema::text::{self, Written};

/// How the schema of a type is found.
type Trace = fn() -> Result<Schema, String>;

/// Reads a value as one of the types that `Conversions` name, by a schema if that is given.
type Convert = fn(&(dyn Any + Send + Sync), usize, Option<&Schema>, &[u8]) -> Option<Reading>;

/// Reads a value as one of those types, and says which.
type Take = fn(&(dyn Any + Send + Sync), &[&Past], &[u8]) -> Option<(usize, Reading)>;

/// What a field declares about its schema.
pub struct FieldSchema {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    stored_as: Declared,
    asked: fn() -> &'static str,
    read: fn(&Schema, &[u8]) -> Reading,
    get: fn(&Known<'_>, &[u8]) -> Reading,
    convert: Convert,
    take: Take,
    conversions: Option<&'static (dyn Any + Send + Sync)>,
    /// The types that it was.
    pub(super) was: Vec<WasType>,
}

/// How a type is stored.
enum Declared {
    Word(&'static str),
    Traced(Trace),
}

/// A type that a field was.
pub(super) struct WasType {
    /// As its attribute has it.
    pub(super) name: &'static str,
    declared: Declared,
}

/// What became of a stored value.
pub(super) struct Reading {
    /// How it would be stored today, if it can be.
    pub(super) value: Result<Option<Vec<u8>>, DecodeFault>,
    /// The fields of structs that were stored and not read.
    pub(super) ignored: Vec<String>,
}

impl FieldSchema {
    /// A field that is stored as plain text.
    #[must_use]
    pub fn text<T: 'static>(name: &'static str, aliases: &'static [&'static str]) -> Self
    where
        Text: FormatOf<T, T> + Format<T>,
    {
        Self::new::<T, Text>(name, aliases, Declared::Word(TEXT))
    }

    /// A counter.
    #[must_use]
    pub fn counter<T: 'static>(name: &'static str, aliases: &'static [&'static str]) -> Self
    where
        Counter: FormatOf<T, T> + Format<T>,
    {
        Self::new::<T, Counter>(name, aliases, Declared::Word(COUNTER))
    }

    /// A field that is stored with its kind and shape, and how its schema is found.
    #[must_use]
    pub fn encoded<T: Serialize + DeserializeOwned + Send + 'static>(
        name: &'static str,
        aliases: &'static [&'static str],
        trace: Trace,
    ) -> Self {
        Self { read: read::<T>, ..Self::new::<T, Bincode>(name, aliases, Declared::Traced(trace)) }
    }

    fn new<T: 'static, F: FormatOf<T, T> + Format<T>>(
        name: &'static str,
        aliases: &'static [&'static str],
        stored_as: Declared,
    ) -> Self {
        Self {
            name,
            aliases,
            stored_as,
            asked: type_name::<T>,
            read: |_, _| Reading { value: Err(DecodeFault::Custom), ignored: Vec::new() },
            get: get::<T, F>,
            convert: convert::<T, F>,
            take: take::<T, F>,
            conversions: None,
            was: Vec::new(),
        }
    }

    /// Adds the types that the field was, and how the schemas of those are found that were encoded.
    #[must_use]
    pub fn was<T: 'static>(self, conversions: &'static Conversions<T>, traces: Vec<Option<Trace>>) -> Self {
        let was = |(was, trace): (&Was<T>, Option<Trace>)| {
            let declared = match (was.stored_as, trace) {
                (StoredAs::Bincode, Some(trace)) => Declared::Traced(trace),
                (StoredAs::Counter, _) => Declared::Word(COUNTER),
                _ => Declared::Word(TEXT),
            };
            WasType { name: was.name, declared }
        };
        let was = conversions.0.iter().zip(traces).map(was).collect();
        Self { conversions: Some(conversions), was, ..self }
    }

    /// Its names in Redis.
    pub(super) fn names(&self) -> Vec<&'static str> {
        std::iter::once(&self.name).chain(self.aliases).copied().collect()
    }

    /// `text` or `counter`, if it is stored so.
    pub(super) fn word(&self) -> Option<&'static str> {
        if let Declared::Word(word) = self.stored_as { Some(word) } else { None }
    }

    /// What it holds today.
    pub(super) fn written(&self) -> Result<Written, String> {
        self.stored_as.written()
    }

    /// The name of its type.
    pub(super) fn asked(&self) -> String {
        without_paths((self.asked)())
    }

    /// Reads a value of a schema as one of today's type. A type that panics refuses it.
    pub(super) fn read(&self, schema: &Schema, stored: &[u8]) -> Reading {
        caught(|| Some((self.read)(schema, stored))).unwrap_or_else(|| refused(DecodeFault::Panicked))
    }

    /// Reads a value as one of a type that the field was, by a schema if that is given. `None` if it is none.
    pub(super) fn convert(&self, was: &WasType, schema: Option<&Schema>, stored: &[u8]) -> Option<Reading> {
        let index = self.was.iter().position(|other| std::ptr::eq(other, was))?;
        caught(|| (self.convert)(self.conversions?, index, schema, stored))
    }

    /// Converts a value as an accessor does, and says of which type it takes it.
    pub(super) fn take(&self, past: &[&Past], stored: &[u8]) -> Option<(&WasType, Reading)> {
        let take = || (self.take)(self.conversions?, past, stored);
        let (index, reading) = catch_unwind(AssertUnwindSafe(take)).ok()??;
        Some((self.was.get(index)?, reading))
    }

    /// Reads a value as an accessor does, but for those of types that the field was.
    pub(super) fn get(&self, past: &[&Past], stored: &[u8]) -> Reading {
        let known = Known { schemas: past, conversions: None };
        caught(|| Some((self.get)(&known, stored))).unwrap_or_else(|| refused(DecodeFault::Panicked))
    }
}

fn caught(read: impl Fn() -> Option<Reading>) -> Option<Reading> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Some(refused(DecodeFault::Panicked)))
}

fn refused(fault: DecodeFault) -> Reading {
    Reading { value: Err(fault), ignored: Vec::new() }
}

impl Declared {
    fn written(&self) -> Result<Written, String> {
        match self {
            Self::Word(word) => Ok(Written::of_word(word)),
            Self::Traced(trace) => trace().map(|schema| text::write(&schema)),
        }
    }
}

impl WasType {
    pub(super) fn written(&self) -> Result<Written, String> {
        self.declared.written()
    }

    /// The attribute that names it.
    pub(super) fn attribute(&self) -> String {
        match self.declared {
            Declared::Word(COUNTER) => "was_counter".to_owned(),
            Declared::Word(_) => format!("was_text = {}", self.name),
            Declared::Traced(_) => format!("was = {}", self.name),
        }
    }

    /// True if values of this are marked to be its own.
    pub(super) fn owns(&self, held: &Held) -> bool {
        let is_stored_so = match self.declared {
            Declared::Word(word) => held.expression == word,
            Declared::Traced(_) => !held.is_word(),
        };
        is_stored_so && held.was() == Some(self.name)
    }
}

impl fmt::Debug for FieldSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let was: BTreeSet<&str> = self.was.iter().map(|was| was.name).collect();
        f.debug_struct("FieldSchema")
            .field("name", &self.name)
            .field("aliases", &self.aliases)
            .field("was", &was)
            .finish_non_exhaustive()
    }
}

/// Reads a value of a schema as the accessors do.
fn read<T: Serialize + DeserializeOwned + Send + 'static>(schema: &Schema, stored: &[u8]) -> Reading {
    let value = match format::decode::<T>(stored) {
        Ok(value) => value,
        // The accessors look at older schemas only then.
        Err(Fault::OtherShape { .. } | Fault::WrongType { .. }) => {
            let ignored = RefCell::default();
            let read = resolve::read_and_tell::<T>(schema, stored, &ignored).unwrap_or(Err(DecodeFault::Custom));
            return Reading { value: read.map(|value| form::<T, Bincode>(&value)), ignored: ignored.into_inner() };
        }
        Err(Fault::OutOfRange { asked, .. }) => return refused(DecodeFault::OutOfRange(asked)),
        Err(_) => return refused(DecodeFault::Custom),
    };
    Reading { value: Ok(form::<T, Bincode>(&value)), ignored: Vec::new() }
}

fn get<T, F: FormatOf<T, T> + Format<T>>(known: &Known<'_>, stored: &[u8]) -> Reading {
    let value = F::decode(stored).or_else(|fault| F::older(known, stored, fault));
    Reading { value: value.map(|value| form::<T, F>(&value)).map_err(|_| DecodeFault::Custom), ignored: Vec::new() }
}

fn convert<T: 'static, F: FormatOf<T, T>>(
    conversions: &(dyn Any + Send + Sync),
    index: usize,
    schema: Option<&Schema>,
    stored: &[u8],
) -> Option<Reading> {
    let was = conversions.downcast_ref::<Conversions<T>>()?.0.get(index)?;
    let ignored = RefCell::default();
    let how = schema.map_or(How::AtAnyWidth, |schema| How::By(schema, &ignored));
    let value = was.read(stored, how)?.map(|value| form::<T, F>(&value));
    Some(Reading { value, ignored: ignored.into_inner() })
}

fn take<T: 'static, F: FormatOf<T, T>>(
    conversions: &(dyn Any + Send + Sync),
    past: &[&Past],
    stored: &[u8],
) -> Option<(usize, Reading)> {
    let (index, value) = conversions.downcast_ref::<Conversions<T>>()?.take(past, stored)?;
    Some((index, Reading { value: value.map(|value| form::<T, F>(&value)), ignored: Vec::new() }))
}

/// How a value is stored today.
fn form<T, F: FormatOf<T, T>>(value: &T) -> Option<Vec<u8>> {
    let plan = F::plan(value, usize::MAX).ok()?;
    let mut form = Vec::new();
    F::write(value, &plan, &mut form).ok()?;
    Some(form)
}

/// The name of a type without the paths of modules, as `Vec<Address>`.
pub(crate) fn without_paths(type_name: &str) -> String {
    let mut short = String::new();
    for part in type_name.split_inclusive(|char: char| !(char.is_alphanumeric() || char == '_' || char == ':')) {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}
