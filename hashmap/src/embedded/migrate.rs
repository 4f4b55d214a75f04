//! What stands in a file when it is opened: nothing yet, an older layout, a newer one, or another program's tables.

use std::io;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::embedded::editing::Tables;
use crate::embedded::layout::{FieldName, FieldRow, KeyName, LAYOUT, META, META_LAYOUT, of_hash};
use crate::embedded::memory::clock;
use crate::embedded::storage::{Edit, Writer};
use crate::embedded::tables::is_alive;

/// Position and name of each key: its id, its number of fields, and when it expires.
const KEYS_1: TableDefinition<KeyName, (u64, u64, u64)> = TableDefinition::new("keys");
/// Id of the key, position and name of each field: when it expires, and its value.
const FIELDS_1: TableDefinition<FieldName, FieldRow> = TableDefinition::new("fields");
/// The times of keys and fields, which stand in the other tables too.
const EXPIRIES_1: TableDefinition<KeyName, ()> = TableDefinition::new("expiries");
const FIELD_EXPIRIES_1: TableDefinition<FieldName, ()> = TableDefinition::new("field expiries");

/// Makes the tables of an empty file.
pub(super) fn init(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert(META_LAYOUT, LAYOUT)?;
    Tables::new(&transaction, 0)?;
    transaction.commit()?;
    Ok(())
}

/// Brings a file to this layout. Refuses a redb database of another program, or of a newer version of this one.
pub(super) fn take_over(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_read()?;
    if transaction.list_tables()?.next().is_none() {
        return init(database);
    }
    let layout = match transaction.open_table(META) {
        Ok(meta) => meta.get(META_LAYOUT)?.map(|row| row.value()),
        Err(_) => None,
    };
    drop(transaction);
    match layout {
        Some(LAYOUT) => Ok(()),
        Some(1) => migrate(database),
        Some(newer) => {
            Err(io::Error::other(format!("its layout {newer} is of a newer version; update redis-hashmap")).into())
        }
        None => Err(io::Error::other("it is a redb database of another program; name another file").into()),
    }
}

/// Rewrites a file of layout 1, which had a row for each field. It happens in one transaction: after a crash, the file is
/// the old one or the new one.
fn migrate(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert(META_LAYOUT, LAYOUT)?;
    let mut tables = Tables::new(&transaction, clock())?;
    let (keys, fields) = (transaction.open_table(KEYS_1)?, transaction.open_table(FIELDS_1)?);
    for row in keys.iter()? {
        let (name, row) = row?;
        let (key, (id, _, expires)) = (name.value().1, row.value());
        if !is_alive(expires, tables.now) {
            continue;
        }
        let now = tables.now;
        let mut hash = tables.edit(key)?;
        for row in fields.range(of_hash(id, 0))? {
            let (name, row) = row?;
            let (expires, value) = row.value();
            if is_alive(expires, now) {
                hash.set(name.value().2, value, expires)?;
            }
        }
        hash.expire(expires)?;
        hash.close()?;
    }
    drop((tables, keys, fields));
    transaction.delete_table(KEYS_1)?;
    transaction.delete_table(FIELDS_1)?;
    transaction.delete_table(EXPIRIES_1)?;
    transaction.delete_table(FIELD_EXPIRIES_1)?;
    transaction.commit()?;
    Ok(())
}
