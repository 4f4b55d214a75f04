//! Reads a field and, where it is absent, makes and writes a value: `get_or_insert_with` and its kin.

use crate::command::reply::applied;
use crate::error::Error;
use crate::format::storage::{Format, FormatOf};
use crate::run::attempts::Attempts;
use crate::run::mailbox::Mailbox;
use crate::run::subject::OneField;

/// Returns the value of the field. If another client stores one first, returns that one.
pub(crate) async fn get_or_insert<T, F, M, X>(
    mailbox: Mailbox,
    field: OneField<T, F>,
    make: impl FnOnce() -> M,
) -> Result<T, X>
where
    F: Format<T> + FormatOf<T, T>,
    M: Future<Output = Result<T, X>>,
    X: From<Error>,
{
    let ttl = field.ttl.clone()?;
    if let Some(stored) = field.stored_before_closure(&mailbox).await? {
        return Ok(field.decode(&stored)?);
    }
    let value = make().await?;
    let mut attempts = Attempts::new(field.target.attempt_limit);
    loop {
        let insert = field.write_if_still(None, "get_or_insert_with", field.change(&value, ttl)?)?;
        if applied(mailbox.send(&insert).await?)? {
            return Ok(value);
        }
        if let Some(stored) = field.stored(&mailbox).await? {
            return Ok(field.decode(&stored)?);
        }
        // Another client has stored a value and removed it again.
        attempts.after_conflict(&mailbox, || field.place()).await?;
    }
}
