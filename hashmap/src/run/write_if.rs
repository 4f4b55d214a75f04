//! Reads, judges, and writes if the field is still stored as it was read: `compare_and_set` and `delete_if`.

use crate::command::changes::Changes;
use crate::command::reply::applied;
use crate::error::Error;
use crate::format::storage::Format;
use crate::run::attempts::Attempts;
use crate::run::mailbox::Mailbox;
use crate::run::subject::OneField;

/// Carries out a change of one field if `is_expected` accepts its value. Returns true if it was carried out.
///
/// `change` is encoded already: where the new value cannot be stored, nothing is sent.
pub(crate) async fn write_if<T, F: Format<T>>(
    mailbox: Mailbox,
    field: OneField<T, F>,
    mut is_expected: impl FnMut(&T) -> bool,
    operation: &'static str,
    change: Result<Changes, Error>,
) -> Result<bool, Error> {
    let change = change?;
    let mut attempts = Attempts::new(field.target.attempt_limit);
    loop {
        let stored = field.stored(&mailbox).await?;
        let current = match &stored {
            Some(stored) => Some(field.decode(stored)?),
            None => field.default.map(|default| default()),
        };
        if !current.is_some_and(|current| is_expected(&current)) {
            return Ok(false);
        }
        let write = field.write_if_still(stored, operation, change.clone())?;
        if applied(mailbox.send(&write).await?)? {
            return Ok(true);
        }
        attempts.after_conflict(&mailbox, || field.place()).await?;
    }
}
