//! Applies a patch of which parts are merged into what is stored: `merge` and `merge_if_present`.

use crate::command::changes::HashCondition;
use crate::command::patch_writer::PatchWriter;
use crate::command::redis::{exists, hmget, write_changes};
use crate::command::redis_hash::RedisHash;
use crate::command::reply::{Refusal, flag, refusal};
use crate::command::target::Target;
use crate::error::Error;
use crate::run::attempts::Attempts;
use crate::run::mailbox::Mailbox;

/// Returns false if the condition on the record does not hold.
///
/// Only fields of which parts are merged are read and guarded. A patch without any is written at once.
pub(crate) async fn merge<R: RedisHash>(
    mailbox: Mailbox,
    target: Target,
    patch: &R::Patch,
    operation: &'static str,
    condition: Option<HashCondition>,
) -> Result<bool, Error> {
    let changes = || target.changes(4, size_of::<R>());
    let mut attempts = Attempts::new(target.attempt_limit);
    loop {
        let mut plain = PatchWriter::new(changes()?, None);
        R::write_patch(patch, &mut plain)?;
        let mut changes = if plain.merged.is_empty() {
            plain.changes
        } else {
            let read = hmget(&target, plain.merged)?;
            let values = mailbox.send(&read).await?.values()?;
            // What cannot be merged with nothing is no fault of the patch where there is no record.
            if condition.is_some() && values.all_absent() && !flag(mailbox.send(&exists(&target)?).await?)? {
                return Ok(false);
            }
            let mut merged = PatchWriter::new(changes()?, Some(&values));
            R::write_patch(patch, &mut merged)?;
            merged.changes
        };
        if let Some(condition) = condition {
            changes = changes.only_if(condition);
        }
        let write = write_changes(&target, operation, changes)?;
        match refusal(mailbox.send(&write).await?)? {
            None => return Ok(true),
            Some(Refusal::Hash) => return Ok(false),
            Some(Refusal::Guard) => attempts.after_conflict(&mailbox, || target.place(None)).await?,
        }
    }
}
