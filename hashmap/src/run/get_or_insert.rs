//! Read, and where there is nothing, make and write it: `get_or_insert_with` and its kin.

use crate::command::reply::applied;
use crate::error::Error;
use crate::format::storage::{Format, FormatOf};
use crate::run::attempts::Attempts;
use crate::run::mailbox::Mailbox;
use crate::run::subject::OneField;

/// Returns what another client has stored, if it was faster.
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
    if let Some(stored) = field.stored(&mailbox).await? {
        return Ok(field.decode(&stored)?);
    }
    let value = make().await?;
    let mut attempts = Attempts::new(field.target.attempt_limit);
    loop {
        let insert = field.write_if_still(None, "get_or_insert_with", field.change(&value, ttl)?)?;
        if applied(mailbox.send(&insert).await?)? {
            return Ok(value);
        }
        attempts.after_conflict(&mailbox, || field.place()).await?;
        if let Some(stored) = field.stored(&mailbox).await? {
            return Ok(field.decode(&stored)?);
        }
    }
}
