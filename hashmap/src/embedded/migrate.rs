//! What stands in a file when it is opened: nothing yet, an older layout, a newer one, or another program's tables.

use std::io;

use redb::{Database, ReadableDatabase, TableError};

use crate::embedded::tables::{FIELD_EXPIRIES, LAYOUT, META, META_LAYOUT, Tables};

/// Makes the tables that are not there yet.
pub(super) fn init(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert(META_LAYOUT, LAYOUT)?;
    Tables::new(&transaction, 0)?;
    transaction.commit()?;
    Ok(())
}

/// Refuses a redb database of another program, or of a newer version of this one. Fills in what an empty or older one
/// lacks.
pub(super) fn take_over(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_read()?;
    if transaction.list_tables()?.next().is_none() {
        drop(transaction);
        return init(database);
    }
    let layout = match transaction.open_table(META) {
        Ok(meta) => meta.get(META_LAYOUT)?.map(|row| row.value()),
        Err(_) => None,
    };
    match layout {
        Some(LAYOUT) => match transaction.open_table(FIELD_EXPIRIES) {
            // It was made before fields could expire.
            Err(TableError::TableDoesNotExist(_)) => init(database),
            opened => opened.map(drop).map_err(Into::into),
        },
        Some(newer) => {
            Err(io::Error::other(format!("its layout {newer} is of a newer version; update redis-hashmap")).into())
        }
        None => Err(io::Error::other("it is a redb database of another program; name another file").into()),
    }
}
