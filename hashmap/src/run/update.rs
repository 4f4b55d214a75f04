//! Reads, changes, and writes what has changed, if it is still stored as it was read: `update` and its kin.

use crate::command::changes::{Guard, HashCondition};
use crate::command::reply::applied;
use crate::error::Error;
use crate::run::attempts::Attempts;
use crate::run::mailbox::Mailbox;
use crate::run::subject::{Stored, Subject};

/// Guards only what it writes, so two updates that change different fields never conflict.
pub(crate) async fn update<S: Subject, X: From<Error>>(
    mailbox: Mailbox,
    subject: S,
    mut change: impl FnMut(&mut S::Value) -> Result<(), X>,
) -> Result<S::Output, X> {
    let mut attempts = Attempts::new(subject.target().attempt_limit);
    loop {
        let read = subject.read()?;
        let mut values = mailbox.send(&read).await?.values()?;
        let mut value = match subject.decode(&values)? {
            Stored::Value(value) => value,
            Stored::Absent(output) => return Ok(output),
        };
        // What was read is encoded again to compare with. A map has no fixed order, so its encoding can differ from the
        // stored bytes even where nothing has changed.
        let before = subject.encode(&value)?;
        change(&mut value)?;
        let mut changes = subject.encode(&value)?;
        let is_there = !values.all_absent();
        changes.keep_changed(&before, |index| values.take(index))?;
        if changes.list.is_empty() {
            return Ok(S::output(value));
        }
        // A guard on a stored field holds only where the record exists. Without one, that is a condition of its own.
        let is_guarded = changes.list.iter().any(|change| matches!(change.guard, Some(Guard::Stored(_))));
        if is_there && !is_guarded {
            changes = changes.only_if(HashCondition::Present);
        }
        let write = subject.write(changes)?;
        if applied(mailbox.send(&write).await?)? {
            return Ok(S::output(value));
        }
        attempts.after_conflict(&mailbox, || subject.place()).await?;
    }
}
