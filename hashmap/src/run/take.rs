//! Reads and removes a field: `take`.

use crate::command::redis::take_of_kind;
use crate::command::reply::applied;
use crate::error::Error;
use crate::format::storage::Format;
use crate::run::attempts::Attempts;
use crate::run::mailbox::Mailbox;
use crate::run::subject::OneField;

/// Removes a value only once it is known to be readable.
///
/// The kind of a plain scalar tells, in one step. Anything else is decoded first, and removed if it is still stored as
/// it was read.
pub(crate) async fn take<T, F: Format<T>>(mailbox: Mailbox, field: OneField<T, F>) -> Result<F::Get, Error> {
    if let Some(kind) = F::readable_kind() {
        let request = take_of_kind(&field.target, field.name.clone(), kind.byte())?;
        match mailbox.send(&request).await?.bytes()? {
            Some(stored) if stored.first() == Some(&kind.byte()) => return field.decode(&stored).map(F::found),
            // A number of another kind was left where it is: it is read and removed below, if it fits.
            Some(_) => {}
            None => return field.absent(),
        }
    }
    let mut attempts = Attempts::new(field.target.attempt_limit);
    loop {
        let Some(stored) = field.stored(&mailbox).await? else { return field.absent() };
        let taken = field.decode(&stored)?;
        let removal = field.write_if_still(Some(stored), "take", field.removal()?)?;
        if applied(mailbox.send(&removal).await?)? {
            return Ok(F::found(taken));
        }
        attempts.after_conflict(&mailbox, || field.place()).await?;
    }
}
