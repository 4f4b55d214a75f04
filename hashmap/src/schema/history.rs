//! The schema file of a record as it was when the program was built: what its older versions have stored.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::error::fault::Fault;
use crate::format::schema::Schema;
use crate::schema::lock::Lock;

/// The schema file of a record, as it was when the program was built.
#[derive(Debug)]
pub struct History {
    file: Option<&'static str>,
    parsed: OnceLock<Result<HashMap<String, Known>, String>>,
}

/// The schemas that a field has had, each with the words that say what it is.
type Known = Vec<(String, Schema)>;

impl History {
    /// `None` where there was no file yet.
    #[must_use]
    pub const fn new(file: Option<&'static str>) -> Self {
        Self { file, parsed: OnceLock::new() }
    }

    pub(crate) fn file(&self) -> Option<&'static str> {
        self.file
    }

    /// Reads a value of a field that is not one of today's type by the schema that it was written with, if that is known.
    /// `fault` is why it is not one of today's.
    pub(crate) fn read<T>(
        &self,
        field: &str,
        aliases: &[&str],
        stored: &[u8],
        fault: Fault,
        older: Older<T>,
    ) -> Result<T, Fault> {
        // Most programs never meet such a value, so the file is read when the first comes.
        match self.parsed.get_or_init(|| parse(self.file)) {
            Ok(known) => std::iter::once(&field)
                .chain(aliases)
                .filter_map(|name| known.get(*name))
                .try_fold(fault, |fault, schemas| older(schemas, stored, fault).map_or_else(Ok, Err))
                .map_or_else(Ok, Err),
            Err(problem) => Err(fault.and(&format!("its schema file cannot be used: {problem}"))),
        }
    }
}

/// Reads a value that one of these schemas may have written.
pub(crate) type Older<T> = fn(&[(String, Schema)], &[u8], Fault) -> Result<T, Fault>;

fn parse(file: Option<&str>) -> Result<HashMap<String, Known>, String> {
    let lock = Lock::read(file)?;
    let known = |field: &String| {
        let schemas = lock.schemas(std::iter::once(field.as_str()));
        (field.clone(), schemas.into_iter().map(|(words, schema, _)| (words.to_owned(), schema)).collect())
    };
    Ok(lock.fields.keys().map(known).collect())
}
