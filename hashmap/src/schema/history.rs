//! The schema file of a record as it was when the program was built: what its older versions have stored.

use std::any::Any;
use std::collections::HashMap;
use std::sync::OnceLock;

use crate::error::fault::Fault;
use crate::format::past::{Known, Past};
use crate::schema::lock::Lock;

/// The schema file of a record, as it was when the program was built.
#[derive(Debug)]
pub struct History {
    file: Option<&'static str>,
    parsed: OnceLock<Result<HashMap<String, Vec<Past>>, String>>,
}

impl History {
    /// `None` where there was no file yet.
    #[must_use]
    pub const fn new(file: Option<&'static str>) -> Self {
        Self { file, parsed: OnceLock::new() }
    }

    pub(crate) fn file(&self) -> Option<&'static str> {
        self.file
    }

    /// Reads a value of a field that is not one of today's type, if it is one that the field is known to have held. `fault` is
    /// why it is not one of today's.
    pub(crate) fn read<T>(
        &self,
        field: &str,
        aliases: &[&str],
        conversions: Option<&'static (dyn Any + Send + Sync)>,
        stored: &[u8],
        fault: Fault,
        older: Older<T>,
    ) -> Result<T, Fault> {
        // Most programs never meet such a value, so the file is read when the first comes.
        match self.parsed.get_or_init(|| parse(self.file)) {
            Ok(past) => {
                let names = std::iter::once(&field).chain(aliases);
                let schemas: Vec<&Past> = names.filter_map(|name| past.get(*name)).flatten().collect();
                older(&Known { schemas: &schemas, conversions }, stored, fault)
            }
            Err(problem) => Err(fault.and(&format!("its schema file cannot be used: {problem}"))),
        }
    }
}

/// That of a record which has no file.
pub static NO_HISTORY: History = History::new(None);

/// Reads a value that is not one of today's type, for a fault.
pub(crate) type Older<T> = fn(&Known<'_>, &[u8], Fault) -> Result<T, Fault>;

fn parse(file: Option<&str>) -> Result<HashMap<String, Vec<Past>>, String> {
    let lock = Lock::read(file)?;
    Ok(lock.fields.keys().map(|field| (field.clone(), lock.past(field))).collect())
}
