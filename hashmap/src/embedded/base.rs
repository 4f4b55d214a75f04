//! The redb database of a file, in the hands of the one thread that writes. After a failure it is opened again.

use std::io;
use std::path::Path;

use redb::{Database, ReadOnlyTable, ReadableDatabase, StorageError, TransactionError, WriteTransaction};

use crate::embedded::disk::{Disk, guarded};
use crate::embedded::editing::Tables;
use crate::embedded::layout::{FIELD_TIMES, FIELDS, FieldName, FieldRow, HASHES, KeyName, KeyRow, io_error};
use crate::embedded::memory::clock;
use crate::embedded::migrate::{init, take_over};
use crate::embedded::tables::View;

/// How much of what has expired a write clears away besides its own work.
const RECLAIMED_AT_ONCE: usize = 32;

/// A database that can be opened again.
#[derive(Debug)]
pub(super) struct Base {
    disk: Disk,
    /// None after a failure, since redb refuses everything then.
    database: Option<Database>,
}

/// What the last commit has left, for reading.
pub(super) struct Snapshot {
    hashes: ReadOnlyTable<KeyName, KeyRow>,
    fields: ReadOnlyTable<FieldName, FieldRow>,
    field_times: ReadOnlyTable<FieldName, ()>,
}

impl Snapshot {
    /// The tables at the present time.
    pub(super) fn view(
        &self,
    ) -> View<'_, ReadOnlyTable<KeyName, KeyRow>, ReadOnlyTable<FieldName, FieldRow>, ReadOnlyTable<FieldName, ()>>
    {
        View { hashes: &self.hashes, fields: &self.fields, field_times: &self.field_times, now: clock() }
    }
}

impl Base {
    /// Opens a file, which is created if it does not exist.
    pub(super) fn open(path: &Path) -> Result<Self, redb::Error> {
        Disk::create(path, init)?;
        let mut base = Self { disk: Disk::open(path)?, database: None };
        base.database()?;
        Ok(base)
    }

    fn database(&mut self) -> Result<&Database, redb::Error> {
        if self.database.is_none() {
            self.disk.check_length()?;
            let database = self.disk.database()?;
            guarded(|| take_over(&database))?;
            self.database = Some(database);
        }
        self.database.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected).into())
    }

    /// What is there now. It keeps the space of what is replaced later from being used again: keep it only until the next
    /// commit.
    pub(super) fn snapshot(&mut self) -> Result<Snapshot, redb::Error> {
        let database = self.database()?;
        let opened = guarded(|| {
            let transaction = database.begin_read()?;
            Ok(Snapshot {
                hashes: transaction.open_table(HASHES)?,
                fields: transaction.open_table(FIELDS)?,
                field_times: transaction.open_table(FIELD_TIMES)?,
            })
        });
        opened.inspect_err(|_| self.close())
    }

    /// Carries out so many writes in a transaction, which is on the disk when this returns. If it fails, nothing of it has
    /// happened.
    pub(super) fn write<T, E: From<io::Error>>(
        &mut self,
        writes: usize,
        work: impl FnOnce(&mut Tables<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.disk.check_place()?;
        let transaction = match self.begin() {
            // A read has failed before. This has not begun, so nothing happens twice.
            Err(redb::Error::PreviousIo) => {
                self.close();
                self.begin()
            }
            began => began,
        };
        let written = transaction.map_err(|error| io_error(error).into()).and_then(|transaction| {
            // The inner failure is that of the work.
            let written = guarded(|| {
                let mut tables = Tables::new(&transaction, clock())?;
                let done = match work(&mut tables) {
                    Ok(done) => done,
                    Err(error) => return Ok(Err(error)),
                };
                tables.now = clock();
                tables.clear_due(writes.saturating_mul(RECLAIMED_AT_ONCE))?;
                drop(tables);
                transaction.commit()?;
                Ok(Ok(done))
            });
            written.unwrap_or_else(|error| Err(io_error(error).into()))
        });
        written.inspect_err(|_| self.close())
    }

    fn begin(&mut self) -> Result<WriteTransaction, redb::Error> {
        let database = self.database()?;
        guarded(|| match database.begin_write() {
            Err(TransactionError::Storage(StorageError::PreviousIo)) => Err(redb::Error::PreviousIo),
            began => Ok(began?),
        })
    }

    fn close(&mut self) {
        if let Some(database) = self.database.take() {
            // Whatever it says, the file is opened anew before it is used again.
            let _ = guarded(|| database.close().map_err(Into::into));
        }
    }
}
