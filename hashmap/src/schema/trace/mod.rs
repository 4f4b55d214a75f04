//! Finds the [`Schema`] of a type without a value of it, by making samples.
//!
//! `T`'s Deserialize is run on values that are made up ([`sampler`](sampler)). What it accepts is
//! serialized, and the graph is taken from that ([`graph`](graph)): so attributes such as `alias`,
//! `rename(serialize = …)` or `skip` are right without being known. Then each scalar is changed, to find out whether the
//! type has rules for it, and equal parts of the graph become one.
//!
//! It is deterministic: a type has the same schema each time.

mod choices;
mod graph;
pub(super) mod menu;
mod minimal;
mod recorder;
mod replay;
mod rules;
mod sampler;
mod samples;
mod untraceable;

#[cfg(test)]
mod attributes_tests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod untraceable_tests;

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::fault::Fault;
use crate::format::schema::{Id, Scalar, Schema};
use crate::format::{plan, verify};
use crate::schema::bounds::bounds;
use crate::schema::trace::choices::{Missing, State};
use crate::schema::trace::graph::{Clash, Event, Graph, Spot, anywhere};
use crate::schema::trace::minimal::minimal;
use crate::schema::trace::recorder::record;
use crate::schema::trace::replay::Replay;
use crate::schema::trace::sampler::{Deadline, Sampler};
use crate::schema::trace::samples::{Among, sample};

pub(crate) use crate::schema::trace::untraceable::Untraceable;

/// How many names may be those of more than one type.
const MAX_AMBIGUOUS: usize = 16;

/// What `T` looks like when it is stored.
#[cfg(test)]
pub(crate) fn trace<T: Serialize + DeserializeOwned>() -> Result<Schema, Untraceable> {
    trace_with::<T>(Vec::new())
}

/// The same, with values of the user where no sample is accepted. They count as samples, and what they consist of is tried
/// first.
#[expect(clippy::needless_pass_by_value, reason = "they are made for this")]
pub(crate) fn trace_with<T: Serialize + DeserializeOwned>(given: Vec<T>) -> Result<Schema, Untraceable> {
    let given = given.as_slice();
    let deadline = Deadline::new();
    let known = known(given)?;
    // Two types of one name (in different blocks of a function, say) show as one that is built in two ways. It cannot be
    // known before, so it begins anew, with that name told by place.
    let mut ambiguous = BTreeSet::new();
    while ambiguous.len() <= MAX_AMBIGUOUS {
        let mut graph = Graph::new(ambiguous.clone());
        let sampler = Sampler::new(type_name::<T>(), ambiguous.clone(), known.clone(), deadline);
        match fill(&mut graph, sampler, given) {
            Ok(()) => return finish::<T>(&graph, deadline),
            Err(Problem::Ambiguous(name)) => ambiguous.insert(name),
            Err(Problem::Untraceable(why)) => return Err(why),
        };
    }
    Err(Untraceable::Varies(type_name::<T>()))
}

enum Problem {
    Ambiguous(&'static str),
    Untraceable(Untraceable),
}

impl From<Untraceable> for Problem {
    fn from(why: Untraceable) -> Self {
        Self::Untraceable(why)
    }
}

impl From<Clash> for Problem {
    fn from(clash: Clash) -> Self {
        match clash {
            Clash::Name(name) => Self::Ambiguous(name),
            Clash::Form(name) => Self::Untraceable(Untraceable::Varies(name)),
        }
    }
}

/// The scalars in the user's values, by where they stand and by their types.
fn known<T: Serialize + DeserializeOwned>(given: &[T]) -> Result<BTreeMap<Spot, Vec<Scalar>>, Untraceable> {
    let mut known: BTreeMap<Spot, Vec<Scalar>> = BTreeMap::new();
    for sample in given {
        storable(sample)?;
        let mut graph = Graph::default();
        // If it does not fit one graph, that is found when it is added to the one that counts.
        let _ = record(&mut graph, sample);
        for (spot, mut scalars) in graph.scalars {
            // A `HashMap` has them in another order each time.
            scalars.sort();
            known.entry(anywhere(spot)).or_default().extend(scalars.iter().cloned());
            if spot != anywhere(spot) {
                known.entry(spot).or_default().extend(scalars);
            }
        }
    }
    Ok(known)
}

/// Records samples until there is nothing new.
fn fill<T: Serialize + DeserializeOwned>(graph: &mut Graph, mut sampler: Sampler, given: &[T]) -> Result<(), Problem> {
    loop {
        match sampler.next::<T>() {
            Ok(Some(value)) => {
                storable(&value)?;
                record(graph, &value)?;
            }
            Ok(None) => break,
            Err(Untraceable::Refuses(_) | Untraceable::Endless(_)) if !given.is_empty() => break,
            Err(why) => return Err(why.into()),
        }
    }
    for sample in given {
        record(graph, sample)?;
    }
    let is_whole = !given.is_empty() && graph.holes().is_empty();
    let missing = sampler.missing().into_iter().find(|missing| match missing.among {
        // What was missing can be in the values of the user. Of variants, the graph does not know how many there are.
        Among::Variants(name, _) if is_whole => {
            u32::try_from(missing.choice).is_ok_and(|index| !graph.has_variant(name, index))
        }
        _ => !is_whole,
    });
    missing.map_or(Ok(()), |Missing { name, state, .. }| {
        Err(Problem::Untraceable(match state {
            State::Refused(name) => Untraceable::Refuses(name),
            State::Blocked | State::Endless => Untraceable::Endless(name),
            State::Open | State::Absent => Untraceable::Unreached(name),
        }))
    })
}

/// Checks that a sample can be stored, and reads back as it was. Only that finds an attribute on one side, such as
/// `skip_serializing`.
fn storable<T: Serialize + DeserializeOwned>(value: &T) -> Result<(), Untraceable> {
    let stored = || plan(value, usize::MAX).and_then(|shape| verify::<T, T>(value, &shape));
    let problem = match catch_unwind(AssertUnwindSafe(stored)) {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(Fault::Refused { problem, .. } | Fault::Unreadable { problem, .. })) => problem,
        Ok(Err(_)) => "it has no stored form".to_owned(),
        Err(_) => "it panics".to_owned(),
    };
    Err(Untraceable::Unstorable(type_name::<T>(), problem))
}

fn finish<T: DeserializeOwned>(graph: &Graph, deadline: Deadline) -> Result<Schema, Untraceable> {
    if let Some(name) = graph.holes().first() {
        return Err(Untraceable::Unreached(name));
    }
    Ok(minimal(&graph.schema(&accepts::<T>(graph, deadline)?)))
}

/// The scalars for which the type has rules, each with values that it accepts.
fn accepts<T: DeserializeOwned>(graph: &Graph, deadline: Deadline) -> Result<HashMap<Id, Vec<Scalar>>, Untraceable> {
    let mut accepts = HashMap::new();
    for (id, sample, at) in places(graph) {
        let events = &graph.samples[sample];
        let (Some(kind), Some(Event::Scalar(accepted, _))) = (graph.leaf_kind(id), events.get(at)) else { continue };
        let (mut taken, mut has_rules) = (vec![accepted.clone()], false);
        for bound in bounds(kind) {
            if deadline.has_passed() {
                return Err(Untraceable::Slow(type_name::<T>()));
            }
            let mut replay = Replay::new(events, at, &bound);
            if bound == *accepted || is_accepted::<T>(&mut replay) {
                taken.push(bound);
                continue;
            }
            if replay.has_diverged && is_accepted::<T>(&mut Replay::new(events, at, accepted)) {
                // What follows this scalar depends on its value.
                return Err(Untraceable::Varies(graph.type_around(id)));
            }
            has_rules = true;
        }
        if has_rules {
            // They are written into a file for people.
            taken.retain(|scalar| !matches!(scalar, Scalar::Str(text) if text.len() > 64));
            taken.retain(|scalar| !matches!(scalar, Scalar::Bytes(bytes) if bytes.len() > 64));
            taken.dedup();
            accepts.insert(id, taken);
        }
    }
    Ok(accepts)
}

fn is_accepted<T: DeserializeOwned>(replay: &mut Replay<'_>) -> bool {
    catch_unwind(AssertUnwindSafe(|| sample::<T>(replay).is_ok())).unwrap_or(false)
}

/// Where each scalar is looked at: in the smallest sample that has it, since that is fast, and there the least value,
/// since the order of a `HashMap` is another one each time.
fn places(graph: &Graph) -> Vec<(Id, usize, usize)> {
    let mut order: Vec<usize> = (0..graph.samples.len()).collect();
    order.sort_by_key(|sample| graph.samples[*sample].len());
    let mut places: BTreeMap<Id, (usize, usize, &Scalar)> = BTreeMap::new();
    for sample in order {
        for (at, event) in graph.samples[sample].iter().enumerate() {
            let Event::Scalar(scalar, id) = event else { continue };
            let known = places.entry(*id).or_insert((sample, at, scalar));
            if known.0 == sample && scalar < known.2 {
                *known = (sample, at, scalar);
            }
        }
    }
    places.into_iter().map(|(id, (sample, at, _))| (id, sample, at)).collect()
}
