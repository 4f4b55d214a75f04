//! Read and remove: `take`.

use crate::command::redis::take_of_kind;
use crate::command::reply::applied;
use crate::error::Error;
use crate::format::storage::Format;
use crate::run::attempts::Attempts;
use crate::run::mailbox::Mailbox;
use crate::run::subject::OneField;

/// Removes a value only when it is known to be readable: a plain scalar by its kind, in one step; anything else after it
/// was decoded, if it still is what was read.
pub(crate) async fn take<T, F: Format<T>>(mailbox: Mailbox, field: OneField<T, F>) -> Result<F::Get, Error> {
    if let Some(kind) = F::readable_kind() {
        let request = take_of_kind(&field.target, field.name.clone(), kind.byte())?;
        return match mailbox.send(&request).await?.bytes()? {
            Some(stored) => field.decode(&stored).map(F::found),
            None => field.absent(),
        };
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
