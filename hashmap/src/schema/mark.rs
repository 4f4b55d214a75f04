//! Which of the schemas that a field has had are those of the types that it was.

use std::collections::BTreeSet;

use crate::schema::convert::{add, reads};
use crate::schema::field::{FieldSchema, WasType};
use crate::schema::lock::{Held, Lock};
use crate::schema::text::{Written, word};

/// What mends a change that stored values do not show.
const CURE: &str = "store the new meaning in a field of another name";

/// A type that a field was, and its schema.
type Known<'a> = (&'a WasType, Result<Written, String>);

/// Marks what is converted through the types that a field was, and adds these types. What was marked newly is told.
pub(super) fn mark(
    field: &FieldSchema,
    today: &Written,
    lock: &mut Lock,
    told: &mut Vec<String>,
) -> Result<(), String> {
    let names = field.names();
    let types: Vec<Known<'_>> = field.was.iter().map(|was| (was, was.written())).collect();
    distinct(&types, today)?;

    let before: Vec<Held> = lock.held(&names).into_iter().cloned().collect();
    // Types that are declared newly: until now, values of them were those of the field.
    let is_held = |expression: &str| before.iter().any(|held| held.was.is_none() && held.is(expression));
    let newly: Vec<&WasType> = types
        .iter()
        // One that cannot be traced is known by what it reads.
        .filter(|(_, written)| written.as_ref().map_or(true, |written| is_held(&written.expression)))
        .map(|(was, _)| *was)
        .filter(|was| !before.iter().any(|held| was.owns(held)))
        .collect();
    of_other_names(&before, today, lock, !newly.is_empty(), !types.is_empty())?;

    // What was there before today's type was one of the types that are declared newly.
    let today_is_new = !is_held(&today.expression);
    for held in &before {
        if held.is(&today.expression) {
            if let Some(was) = &held.was {
                let meaning = lock.meaning(held);
                return Err(format!(
                    "its type today is {meaning}, and values of that are converted from `{was}`: {CURE}"
                ));
            }
            continue;
        }
        if field.was.iter().any(|was| was.owns(held)) {
            continue;
        }
        let is_same = |(_, written): &&Known<'_>| written.as_ref().is_ok_and(|of| held.is(&of.expression));
        let mut owners: Vec<&WasType> = types.iter().filter(is_same).map(|(was, _)| *was).collect();
        if owners.is_empty() && (held.was.is_some() || today_is_new) {
            let candidates: Vec<&WasType> = if held.was.is_some() { field.was.iter().collect() } else { newly.clone() };
            owners = candidates.into_iter().filter(|was| reads(field, was, held, lock)).collect();
        }
        let meaning = lock.meaning(held);
        match (owners.as_slice(), &held.was) {
            ([], None) => {}
            ([], Some(was)) => {
                return Err(format!(
                    "what was stored as {meaning} is converted from `{was}`: keep `#[redis_hash({})]`",
                    held.attribute()
                ));
            }
            ([owner], _) => {
                told.push(format!("what was stored as {meaning} is converted from `{}` from now on", owner.name));
                lock.convert(&names, &held.expression, owner.name);
            }
            ([one, other, ..], _) => {
                return Err(format!(
                    "what was stored as {meaning} is read both as `{}` and as `{}`: say which in the file, as in `{}: was {} {}`",
                    one.name,
                    other.name,
                    word(field.name),
                    word(one.name),
                    held.expression
                ));
            }
        }
    }
    types.into_iter().try_for_each(|(was, written)| add(field, was, written, lock))
}

/// Checks that types can be told apart.
fn distinct(types: &[Known<'_>], today: &Written) -> Result<(), String> {
    for (index, (was, written)) in types.iter().enumerate() {
        let Ok(written) = written else { continue };
        let held = Held { was: None, expression: written.expression.clone(), refused: BTreeSet::new() };
        if held.is(&today.expression) {
            return Err(format!(
                "`{}` is stored as it is today, as {}, so the two cannot be told apart: {CURE}",
                was.attribute(),
                written.expression
            ));
        }
        let is_same = |(_, other): &&Known<'_>| other.as_ref().is_ok_and(|of| held.is(&of.expression));
        if let Some((other, _)) = types.iter().skip(index + 1).find(is_same) {
            return Err(format!(
                "`{}` and `{}` are both stored as {}, so they cannot be told apart: remove one, or {CURE}",
                was.attribute(),
                other.attribute(),
                written.expression
            ));
        }
    }
    Ok(())
}

/// Checks that what is stored as today's type is, was not one of another name: before a type is declared that it may have been,
/// or on the other side of a merge.
fn of_other_names(
    before: &[Held],
    today: &Written,
    lock: &Lock,
    is_declared_newly: bool,
    is_converted: bool,
) -> Result<(), String> {
    let alike: Vec<&Held> = before.iter().filter(|held| held.was.is_none() && held.is(&today.expression)).collect();
    let other = match alike.as_slice() {
        [other] if is_declared_newly && other.expression != today.expression => other,
        [one, other, ..] if is_converted => {
            if one.expression == today.expression {
                other
            } else {
                one
            }
        }
        _ => return Ok(()),
    };
    Err(format!(
        "values of {} were stored too, and look like those of {} today, so they cannot be told apart: {CURE} (if this is the same \
         type, and only its name has changed, give it the name of today in the file)",
        lock.meaning(other),
        today.expression
    ))
}
