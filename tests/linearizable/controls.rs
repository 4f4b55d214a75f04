//! Operations that are wrong on purpose: their histories must be refuted, or the checks would prove nothing.

use redis_hashmap::{Embedded, Error};

use crate::clients::{BlockingClient, Client, Numbers, NumbersHash};
use crate::model::{Input, Output, updated};
use crate::places::state;
use crate::rounds::{checked, round};

type Accessor = NumbersHash<redis_hashmap::Blocking<Embedded>>;
/// Does one kind of operation, and leaves the others alone.
type Perform = fn(&Accessor, Input) -> Option<Result<Output, Error>>;

/// A client that does one kind of operation wrongly, and all others well.
struct Wrong {
    right: BlockingClient<Embedded>,
    numbers: Accessor,
    perform: Perform,
}

impl Client for Wrong {
    fn perform(&mut self, input: Input) -> Option<Result<Output, Error>> {
        (self.perform)(&self.numbers, input).or_else(|| self.right.perform(input))
    }
}

/// How many of so many histories are refuted.
fn refuted(perform: Perform) -> usize {
    let rounds = 0..50;
    rounds
        .filter(|seed| {
            let con = Embedded::in_memory("").expect("memory");
            let client = || {
                let (right, numbers) = (BlockingClient::new("k", con.clone()), Numbers::at("k").on(con.clone()));
                Box::new(Wrong { right, numbers, perform }) as Box<dyn Client>
            };
            let mut clients: Vec<_> = (0..4).map(|_| client()).collect();
            let history = round(&mut clients, *seed, 60, |_| {});
            checked(&history, [None; 3], state("k", con.clone())).is_err()
        })
        .count()
}

#[test]
fn all_that_is_right_is_accepted() {
    assert_eq!(refuted(|_, _| None), 0);
}

/// Reads, and then writes without looking whether it still holds.
#[test]
fn an_update_without_its_guard_is_refuted() {
    let count = refuted(|numbers, input| {
        let Input::Update(index, add) = input else { return None };
        let field = || if index == 0 { numbers.first() } else { numbers.second() };
        let update = || {
            let Some(value) = field().get()? else { return Ok(Output::Value(None)) };
            std::thread::sleep(std::time::Duration::from_micros(100));
            field().set(updated(value, add))?;
            Ok(Output::Value(Some(updated(value, add))))
        };
        Some(update())
    });
    assert!(count > 40, "{count} of 50");
}

#[test]
fn an_increment_that_is_sent_twice_is_refuted() {
    let count = refuted(|numbers, input| {
        let Input::Increment(by) = input else { return None };
        let twice = || {
            let first = numbers.count().increment(by)?;
            numbers.count().increment(by)?;
            Ok(Output::Value(Some(first)))
        };
        Some(twice())
    });
    assert!(count > 40, "{count} of 50");
}

/// An error that says that nothing was carried out, although it was.
#[test]
fn an_error_that_denies_what_happened_is_refuted() {
    let count = refuted(|numbers, input| {
        let Input::Increment(by) = input else { return None };
        let denied = numbers
            .count()
            .increment(by)
            .and(Err(Error::Conflict { place: redis_hashmap::Place::default(), attempts: 1 }));
        Some(denied)
    });
    assert!(count > 40, "{count} of 50");
}
