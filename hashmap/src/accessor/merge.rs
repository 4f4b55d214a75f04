//! Patches that are merged into what is stored: `merge` and `merge_if_present` of a record.

use crate::accessor::record::Record;
use crate::command::changes::HashCondition;
use crate::command::redis_hash::RedisHash;
use crate::error::Error;
use crate::run::merge::merge;
use crate::run::{Connected, Executor};

impl<R: RedisHash + Send + 'static, E: Executor> Record<R, E> {
    /// Writes what the patch sets, clears and merges, and nothing else, in one step for every other client.
    ///
    /// A field that is declared as `#[redis_hash(merge)]` is changed in parts, as JSON Merge Patch (RFC 7396) says: see
    /// [`Merge`](crate::Merge). `HMGET` of the fields of which parts are changed, then a script that writes only if they are
    /// still stored as they were read: two round trips, two more for each conflict. Without such a field, the one round trip
    /// of [`patch`](Self::patch).
    ///
    /// Parts of a field that is absent are merged with its default. Where it has none, the parts have to be a whole value.
    /// It does not ask whether the record exists: [`merge_if_present`](Self::merge_if_present) does.
    ///
    /// ```
    /// use redis_hashmap::RedisHash;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(RedisHash)]
    /// struct User {
    ///     name: String,
    ///     #[redis_hash(merge)]
    ///     preferences: Preferences,
    /// }
    ///
    /// #[derive(Serialize, Deserialize, Debug, PartialEq)]
    /// struct Preferences { language: String, font_size: u8 }
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let user = User::at(&*key).on(&mut con);
    /// let preferences = Preferences { language: "en".to_owned(), font_size: 14 };
    /// user.set_all(&User { name: "Ann".to_owned(), preferences })?;
    /// let patch: UserPatch = serde_json::from_str(r#"{"preferences": {"language": "de"}}"#)?;
    /// assert!(user.merge_if_present(&patch)?);                      // HMGET, then a script
    /// let merged = Preferences { language: "de".to_owned(), font_size: 14 };
    /// assert_eq!(user.preferences().get()?, Some(merged));
    /// # user.clear()?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Merge`](Error::Merge) if what the parts make is not a value of the field's type: the patch is at fault;
    /// - [`NoJson`](Error::NoJson) if what is stored has no form in JSON;
    /// - [`Conflict`](Error::Conflict) if others changed the same fields in each attempt;
    /// - the errors of [`Field::get`](crate::Field::get) and [`set_all`](Self::set_all).
    pub fn merge<'a, 'f>(&'a self, patch: &'f R::Patch) -> E::Driven<'a, 'f, Result<(), Error>>
    where
        E: Connected,
        R::Patch: Sync,
        'f: 'a,
    {
        let target = self.target.clone();
        self.executor.drive(|mailbox| async move { merge::<R>(mailbox, target, patch, "merge", None).await.map(drop) })
    }

    /// Does what [`merge`](Self::merge) does, if the record exists. Returns true if it exists.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`merge`](Self::merge).
    pub fn merge_if_present<'a, 'f>(&'a self, patch: &'f R::Patch) -> E::Driven<'a, 'f, Result<bool, Error>>
    where
        E: Connected,
        R::Patch: Sync,
        'f: 'a,
    {
        let (target, present) = (self.target.clone(), Some(HashCondition::Present));
        self.executor.drive(|mailbox| merge::<R>(mailbox, target, patch, "merge_if_present", present))
    }
}
