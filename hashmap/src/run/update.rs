//! Read, change, and write what has changed, if it is still what was read: `update` and its kin.

use crate::command::changes::{Guard, HashCondition};
use crate::command::reply::applied;
use crate::error::Error;
use crate::run::attempts::Attempts;
use crate::run::mailbox::Mailbox;
use crate::run::subject::{Stored, Subject};

/// Guards only what it writes: two updates that change different fields never conflict.
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
        // What was read is encoded again: maps have no fixed order, so that only two encodings of one value compare.
        let before = subject.encode(&value)?;
        change(&mut value)?;
        let mut changes = subject.encode(&value)?;
        let is_there = !values.all_absent();
        changes.keep_changed(&before, |index| values.take(index))?;
        if changes.is_empty() {
            return Ok(S::output(value));
        }
        // Where a stored field is guarded, the record is there; else that is a condition of its own.
        let is_guarded = changes.list().iter().any(|change| matches!(change.guard, Some(Guard::Stored(_))));
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
