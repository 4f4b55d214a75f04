//! Which of the schemas that a field has had are those of the types that it was.

use crate::format::schema::{Node, Schema};
use crate::schema::convert::{add, changes_nothing, convert_alike, is_read_today, reads};
use crate::schema::field::{FieldSchema, WasType};
use crate::schema::lock::{Held, Lock, Mark, without_hashes};
use crate::schema::parse::parse;
use crate::schema::text::{Written, word, write};

/// What mends a change that stored values do not show.
const CURE: &str = "store the new meaning in a field of another name";

/// A type that a field was, and its schema.
type Known<'a> = (&'a WasType, Result<Written, String>);

/// Marks what a field has held as one of the types that it was, or as a version of today's, and adds these types. What was
/// marked newly is told. What may be either is an error that asks.
pub(super) fn mark(
    field: &FieldSchema,
    today: &Written,
    lock: &mut Lock,
    told: &mut Vec<String>,
) -> Result<(), Vec<String>> {
    let one = |problem: String| vec![problem];
    let names = field.names();
    let types: Vec<Known<'_>> = field.was.iter().map(|was| (was, was.written())).collect();
    distinct(&types, today).map_err(one)?;
    let before: Vec<Held> = lock.held(&names).into_iter().cloned().collect();
    let marking = Marking { field, types: &types, today, before: &before, lock };
    marking.of_other_names().map_err(one)?;
    marking.of_moved_names().map_err(one)?;
    told.extend(before.iter().filter_map(|held| marking.doubts(held)));

    let (mut marks, mut problems) = (Vec::new(), Vec::new());
    for held in &before {
        match marking.of(held) {
            Ok(None) => {}
            Ok(Some(mark)) => {
                if let Mark::Was(was) = &mark {
                    let meaning = marking.lock.meaning(held);
                    told.push(format!("what was stored as {meaning} is converted from `{was}` from now on"));
                }
                marks.push((held, mark));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for (held, mark) in marks {
        lock.mark(&names, &held.expression, &mark);
    }
    types.into_iter().try_for_each(|(was, written)| add(field, was, written, lock)).map_err(one)
}

/// What is known when a field's lines are marked.
struct Marking<'a> {
    field: &'a FieldSchema,
    types: &'a [Known<'a>],
    today: &'a Written,
    before: &'a [Held],
    lock: &'a Lock,
}

impl Marking<'_> {
    /// The mark that a line gets, if it gets another.
    fn of(&self, held: &Held) -> Result<Option<Mark>, String> {
        let Self { field, lock, .. } = self;
        let meaning = lock.meaning(held);
        if held.is(&self.today.expression) {
            return match &held.mark {
                Mark::Was(was) => Err(format!(
                    "its type today is {meaning}, and the file says that values of that are converted from `{was}`: {CURE}, or, if it \
                     is that type again, say so in the file, as `{}`",
                    self.line(&Mark::Is, held)
                )),
                // From now on, it has to be told from others.
                Mark::None if !self.types.is_empty() => Ok(Some(Mark::Is)),
                Mark::None | Mark::Is => Ok(None),
            };
        }
        let mark = |was: &WasType| Ok(Some(Mark::Was(was.name.to_owned())));
        let mut same = self.types.iter().filter(|known| self.is_same(known, held)).map(|known| known.0);
        if let Some(owner) = field.was.iter().find(|was| was.owns(held)) {
            // The name of a type may have moved on to another.
            let is_its = same.clone().any(|was| std::ptr::eq(was, owner));
            return same.find(|was| self.is_new(was)).filter(|_| !is_its).map_or(Ok(None), mark);
        }
        if held.mark == Mark::Is {
            // Where nothing is converted yet, somebody has said so.
            let is_answer = !self.before.iter().any(|held| held.was().is_some());
            let is_called_so =
                |was: &&WasType| self.written(was).is_some_and(|written| written.expression == held.expression);
            return if is_answer { same.find(is_called_so) } else { same.next().or_else(|| self.former(held)) }
                .map_or(Ok(None), mark);
        }
        let same: Vec<&WasType> = same.collect();
        let is_same = !same.is_empty();
        let owners =
            if is_same { same } else { field.was.iter().filter(|was| reads(field, was, held, lock)).collect() };
        match (owners.as_slice(), held.was()) {
            ([], None) => Ok(None),
            ([], Some(was)) => Err(format!(
                "what was stored as {meaning} is converted from `{was}`: keep `#[redis_hash({})]`",
                held.attribute()
            )),
            // It is called otherwise now.
            ([was], Some(_)) => mark(was),
            ([was], None) => {
                let is_read_today = is_read_today(field, held, lock);
                if is_read_today && changes_nothing(field, was, held, lock) {
                    return if is_same { mark(was) } else { Ok(None) };
                }
                if self.is_of_it(was, held, is_same, is_read_today) {
                    return mark(was);
                }
                // Today's type does not read it, which is said with what mends it.
                if is_read_today || is_same { Err(self.asks(&owners, held, is_read_today)) } else { Ok(None) }
            }
            _ => Err(self.asks(&owners, held, is_read_today(field, held, lock))),
        }
    }

    /// True if this type and today's are declared newly.
    fn replaces(&self, was: &WasType) -> bool {
        self.is_new(was) && !self.before.iter().any(|held| held.is(&self.today.expression))
    }

    /// The schema of a type, if it can be traced.
    fn written(&self, was: &WasType) -> Option<&Written> {
        self.types.iter().find(|(other, _)| std::ptr::eq(*other, was))?.1.as_ref().ok()
    }

    fn is_new(&self, was: &WasType) -> bool {
        !self.before.iter().any(|held| was.owns(held))
    }

    /// The type that what was marked as today's is of, where today's has changed its meaning since, or in another branch.
    fn former(&self, held: &Held) -> Option<&WasType> {
        let Self { field, lock, .. } = self;
        let is_today_s = without_hashes(&self.today.expression) == without_hashes(&held.expression);
        // It is called as that type, and not as today's.
        let is_called_so = |was: &WasType| {
            let called = |written: &Written| without_hashes(&written.expression) == without_hashes(&held.expression);
            !is_today_s && self.written(was).is_some_and(called)
        };
        let is_of_it = |was: &&WasType| {
            (self.replaces(was) || is_called_so(was))
                && reads(field, was, held, lock)
                && !(is_read_today(field, held, lock) && changes_nothing(field, was, held, lock))
        };
        field.was.iter().find(is_of_it)
    }

    /// True if what was held is surely of a type that is declared newly: the field was that type until now.
    fn is_of_it(&self, was: &WasType, held: &Held, is_same: bool, is_read_today: bool) -> bool {
        let written = self.written(was);
        let called = |expression: &str| without_hashes(expression) == without_hashes(&held.expression);
        let is_its = match written {
            // Called as the type is, or as it was called where it was recorded.
            Some(written) => match self.before.iter().find(|held| held.is(&written.expression)) {
                Some(recorded) => !is_read_today || called(&recorded.expression),
                None => called(&written.expression) && !called(&self.today.expression),
            },
            // One that cannot be traced.
            None => !is_read_today || called(was.name.rsplit("::").next().unwrap_or(was.name)),
        };
        self.replaces(was) && (is_same || is_its)
    }

    /// True if it is the schema of a type that the field was. What samples of it the type accepts does not count.
    fn is_same(&self, (_, written): &Known<'_>, held: &Held) -> bool {
        let Ok(written) = written else { return false };
        let bare = |schema: Schema| {
            let mut nodes = (*schema.nodes).clone();
            for node in &mut nodes {
                if let Node::Scalar(leaf) = node {
                    leaf.accepts.clear();
                }
            }
            Held::unmarked(write(&Schema { nodes: nodes.into(), root: schema.root }).expression)
        };
        held.is(&written.expression)
            || self
                .lock
                .schema(held)
                .zip(parse(&written.expression, &written.types).ok())
                .is_some_and(|(held, written)| bare(held).is(&bare(written).expression))
    }

    /// A line as it would be with a mark.
    fn line(&self, mark: &Mark, held: &Held) -> String {
        format!("{}: {}", word(self.field.name), Held { mark: mark.clone(), ..held.clone() })
    }

    /// Asks of which type values are.
    fn asks(&self, owners: &[&WasType], held: &Held, is_read_today: bool) -> String {
        let mut lines: Vec<String> =
            owners.iter().map(|was| format!("`{}`", self.line(&Mark::Was(was.name.to_owned()), held))).collect();
        if is_read_today {
            lines.push(format!("`{}`", self.line(&Mark::Is, held)));
        }
        let names: Vec<String> = owners.iter().map(|was| format!("a `{}`", was.name)).collect();
        format!(
            "what was stored as {} can be {}{}, which gives other values: say in the file what it was, as {}",
            self.lock.meaning(held),
            names.join(", or "),
            if is_read_today { format!(", or a `{}`", self.field.asked()) } else { String::new() },
            lines.join(" or ")
        )
    }

    /// Checks that no name of a type that the field was has gone over to another, which today's was until now.
    fn of_moved_names(&self) -> Result<(), String> {
        for known in self.types {
            let (was, _) = known;
            let name = |held: &Held| without_hashes(&held.expression);
            let moves = |held: &Held| self.types.iter().any(|known| self.is_new(known.0) && self.is_same(known, held));
            let its: Vec<&Held> = self.before.iter().filter(|held| was.owns(held) && !moves(held)).collect();
            let is_new_to_it = |held: &&Held| held.mark == Mark::Is && self.is_same(known, held);
            let Some(other) = its.first().filter(|_| !its.iter().any(|held| self.is_same(known, held))) else {
                continue;
            };
            let Some(is) = self.before.iter().find(is_new_to_it) else { continue };
            if its.iter().all(|held| name(held) != name(is)) {
                return Err(format!(
                    "`{}` is now the type that was stored as {}, and in the file a type that was stored as {}: give one of them \
                     another name, here or in the marks of the file",
                    was.name, is.expression, other.expression
                ));
            }
        }
        Ok(())
    }

    /// Says what is marked as one type and could be another, which is declared newly.
    fn doubts(&self, held: &Held) -> Option<String> {
        let Self { field, lock, .. } = self;
        let owner = field.was.iter().find(|was| was.owns(held))?;
        let differs = |was: &&WasType| {
            self.is_new(was) && reads(field, was, held, lock) && !convert_alike(field, (owner, was), held, lock)
        };
        let other = field.was.iter().find(differs)?;
        Some(format!(
            "what was stored as {} is marked as a `{}`, and can be a `{}` too, which gives other values: see that the mark is right",
            lock.meaning(held),
            owner.name,
            other.name
        ))
    }

    /// Checks that what is stored as today's type is, was not one of another name: before a type is declared that it may have
    /// been, or on the other side of a merge.
    fn of_other_names(&self) -> Result<(), String> {
        let is_declared_newly = self.field.was.iter().any(|was| self.is_new(was));
        for name in self.field.names() {
            let alike: Vec<&Held> =
                self.lock.held(&[name]).into_iter().filter(|held| held.is(&self.today.expression)).collect();
            let is_other = |held: &&Held| held.mark == Mark::None && held.expression != self.today.expression;
            let other = alike.iter().copied().find(is_other).filter(|_| !self.types.is_empty());
            let Some(other) = other.filter(|_| is_declared_newly || alike.len() > 1) else { continue };
            return Err(format!(
                "values of {} were stored too, and look like those of {} today, so they cannot be told apart: {CURE}, or, if only the \
                 name of the type has changed, say so in the file, as `{}`",
                self.lock.meaning(other),
                self.today.expression,
                self.line(&Mark::Is, other)
            ));
        }
        Ok(())
    }
}

/// Checks that types can be told apart.
fn distinct(types: &[Known<'_>], today: &Written) -> Result<(), String> {
    for (index, (was, written)) in types.iter().enumerate() {
        let Ok(written) = written else { continue };
        let held = Held::unmarked(written.expression.clone());
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
