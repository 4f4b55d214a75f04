//! Says whether a history is linearizable: whether each operation can have taken effect at one moment between its call and its
//! return.
//!
//! The search is that of Wing and Gong with Lowe's order: an operation takes effect as late as it can, at the return of one that
//! needs it. All states that are possible are carried along, so that a history may be long; what was seen once is not tried
//! again. A call without a result may take effect at any time after it, or never. So each of them doubles what is possible, and
//! a history should end where nothing can be under way any more.

use std::collections::{HashMap, HashSet};

use crate::model::{Event, Input, Output, State};

/// A possible state, and which of the open calls have taken effect in it, by their places.
type Possible = (State, u64);

/// An open call.
#[derive(Clone, Copy)]
struct Open {
    input: Input,
    /// What it is to return. Nothing is known of one that never returns.
    output: Option<Output>,
}

/// Why a history is not linearizable.
#[derive(Debug)]
pub(crate) struct Refuted {
    /// The event that cannot be.
    pub(crate) at: usize,
    pub(crate) before: Vec<State>,
    pub(crate) open: Vec<(Input, Option<Output>)>,
}

/// Checks a history that begins with one of these states. Returns those in which it can have ended.
pub(crate) fn check(history: &[Event], initial: &HashSet<State>) -> Result<HashSet<State>, Refuted> {
    let returns = returns(history);
    let mut open: [Option<Open>; 64] = [None; 64];
    let mut place_of: HashMap<usize, usize> = HashMap::new();
    let mut possible: HashSet<Possible> = initial.iter().map(|state| (*state, 0)).collect();
    for (at, event) in history.iter().enumerate() {
        match event {
            Event::Call(client, input) => {
                let output = match returns.get(&at) {
                    Some(Event::Failed(_)) => continue, // it was not carried out
                    Some(Event::Return(_, output)) => *output,
                    _ => None,
                };
                let place = open.iter().position(Option::is_none).expect("at most 64 calls without a result");
                open[place] = Some(Open { input: *input, output });
                place_of.insert(*client, place);
            }
            Event::Return(client, Some(_)) => {
                let place = place_of.remove(client).expect("it was called");
                let before = possible.clone();
                possible = returned(possible, place, &open);
                if possible.is_empty() {
                    let before: HashSet<State> = before.into_iter().map(|(state, _)| state).collect();
                    let open = open.iter().flatten().map(|open| (open.input, open.output)).collect();
                    return Err(Refuted { at, before: before.into_iter().collect(), open });
                }
                open[place] = None;
            }
            // Its call stays open.
            Event::Return(client, None) => drop(place_of.remove(client)),
            Event::Failed(_) => {}
        }
    }
    // What has not returned may take effect now, or have done so.
    let (all, _) = reachable(possible, &open, None);
    Ok(all.into_iter().map(|(state, _)| state).collect())
}

/// By the index of each call, its return.
fn returns(history: &[Event]) -> HashMap<usize, Event> {
    let (mut called, mut returns) = (HashMap::new(), HashMap::new());
    for (at, event) in history.iter().enumerate() {
        match event {
            Event::Call(client, _) => drop(called.insert(*client, at)),
            Event::Return(client, _) | Event::Failed(client) => {
                if let Some(call) = called.remove(client) {
                    returns.insert(call, *event);
                }
            }
        }
    }
    returns
}

/// What is possible once a call has taken effect, whose place is free again.
fn returned(possible: HashSet<Possible>, place: usize, open: &[Option<Open>; 64]) -> HashSet<Possible> {
    let (_, ended) = reachable(possible, open, Some(place));
    ended.into_iter().map(|(state, effective)| (state, effective & !(1 << place))).collect()
}

/// What can be reached by letting open calls take effect, and what of that lets this one.
fn reachable(
    possible: HashSet<Possible>,
    open: &[Option<Open>; 64],
    until: Option<usize>,
) -> (HashSet<Possible>, HashSet<Possible>) {
    let (mut seen, mut ended) = (HashSet::new(), HashSet::new());
    let mut next: Vec<Possible> = possible.into_iter().collect();
    while let Some((state, effective)) = next.pop() {
        if until.is_some_and(|place| effective & (1 << place) != 0) {
            ended.insert((state, effective));
            continue;
        }
        if !seen.insert((state, effective)) {
            continue;
        }
        for (place, call) in open.iter().enumerate() {
            let Some(call) = call.filter(|_| effective & (1 << place) == 0) else { continue };
            let (after, output) = call.input.apply(state);
            // One of which nothing is known, and that changes nothing, may as well take effect later or never.
            if call.output.map_or(after != state, |expected| expected == output) {
                next.push((after, effective | (1 << place)));
            }
        }
    }
    (seen, ended)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::check;
    use redis_hashmap_tests::random::Random;

    use crate::model::{Event, Input, Output, State};

    fn none() -> HashSet<State> {
        HashSet::from([[None; 3]])
    }

    /// Operations of eight clients that take effect at a random moment of theirs, as they should.
    fn history(seed: u64, count: usize) -> Vec<Event> {
        let (mut random, mut state, mut events) = (Random(seed), [None; 3], Vec::new());
        let mut under_way: Vec<Option<(Input, Option<Output>)>> = vec![None; 8];
        while events.len() < count * 2 {
            let client = random.below(8);
            match under_way[client] {
                None => {
                    let input = Input::random(&mut random);
                    events.push(Event::Call(client, input));
                    under_way[client] = Some((input, None));
                }
                Some((input, None)) => {
                    let (after, output) = input.apply(state);
                    (state, under_way[client]) = (after, Some((input, Some(output))));
                }
                Some((_, Some(output))) => {
                    events.push(Event::Return(client, Some(output)));
                    under_way[client] = None;
                }
            }
        }
        events
    }

    #[test]
    fn what_is_linearizable_is_accepted() {
        for seed in 0..100 {
            let history = history(seed, 400);
            assert!(check(&history, &none()).is_ok(), "seed {seed}");
        }
        assert!(check(&history(7, 8000), &none()).is_ok());
    }

    /// One result that is another than it was: nearly always no order explains it.
    #[test]
    fn what_is_not_is_refuted() {
        let mut refuted = 0;
        for seed in 0..100 {
            let mut history = history(seed, 400);
            let wrong = |event: &mut Event| match event {
                Event::Return(_, Some(Output::Value(Some(value)))) => {
                    *value += 1_000_000;
                    true
                }
                _ => false,
            };
            assert!(history.iter_mut().skip(300).any(wrong));
            refuted += usize::from(check(&history, &none()).is_err());
        }
        assert_eq!(refuted, 100);
    }

    /// A call without a result may take effect later or never, but not before it was made, and once.
    #[test]
    fn a_call_without_a_result_may_take_effect_later_or_never() {
        let get =
            |client, value| [Event::Call(client, Input::Get(0)), Event::Return(client, Some(Output::Value(value)))];
        let lost = [Event::Call(0, Input::Set(0, 1)), Event::Return(0, None)];
        for reads in [&[None, None, None][..], &[None, Some(1), Some(1)], &[Some(1), Some(1), Some(1)]] {
            let history: Vec<Event> = lost.into_iter().chain(reads.iter().flat_map(|value| get(1, *value))).collect();
            assert!(check(&history, &none()).is_ok(), "{reads:?}");
        }
        for reads in [&[Some(1), None][..], &[None, Some(1), None], &[Some(2)]] {
            let history: Vec<Event> = lost.into_iter().chain(reads.iter().flat_map(|value| get(1, *value))).collect();
            assert!(check(&history, &none()).is_err(), "{reads:?}");
        }
        let early: Vec<Event> = get(1, Some(1)).into_iter().chain(lost).collect();
        assert!(check(&early, &none()).is_err());
        // A failed one never does.
        let failed = [Event::Call(0, Input::Set(0, 1)), Event::Failed(0)];
        assert!(check(&failed.into_iter().chain(get(1, Some(1))).collect::<Vec<_>>(), &none()).is_err());
        assert_eq!(check(&lost, &none()).expect("it is"), HashSet::from([[None; 3], [Some(1), None, None]]));
        // An increment that was sent twice.
        let twice = [
            Event::Call(0, Input::Increment(1)),
            Event::Return(0, None),
            Event::Call(1, Input::Get(2)),
            Event::Return(1, Some(Output::Value(Some(2)))),
        ];
        assert!(check(&twice, &none()).is_err());
    }
}
