//! One process: works on hashes of its own at random, checks all that it reads against what it has written, and prints how much
//! memory, how many threads and open files it has.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use redis_hashmap::{AsyncConnection, Batch, Connection, Counter, Error, HashMap, Options, batch};
use redis_hashmap_tests::random::Random;

use crate::model::Model;

type Values<E> = HashMap<String, i64, E>;
type Counters<E> = HashMap<String, Counter, E>;

/// Does one operation on either connection.
macro_rules! either {
    ($worker:ident, $key:expr, $type:ident, $map:ident => $operation:expr) => {
        if $worker.is_async {
            let $map = $type::<redis_hashmap::Deferred>::typed($key).on_async($worker.shared.clone());
            $worker.runtime.block_on(async { $operation.await })
        } else {
            let $map = $type::<redis_hashmap::Deferred>::typed($key).on(&mut $worker.own);
            $operation
        }
    };
}

/// What is printed at the end.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: usize,
    pub(crate) in_doubt: usize,
    pub(crate) not_carried_out: usize,
    pub(crate) resolved: usize,
}

pub(crate) struct Worker {
    own: Connection,
    shared: AsyncConnection,
    runtime: tokio::runtime::Runtime,
    is_async: bool,
    random: Random,
    keys: Vec<String>,
    names: Vec<String>,
    models: Vec<Model>,
    counts: Counts,
}

/// How many hashes a worker has, and how many fields each: half of them values, half counters.
const KEYS: usize = 40;
const FIELDS: usize = 20;

impl Worker {
    pub(crate) fn new(url: &str, prefix: &str, seed: u64) -> Result<Self, Error> {
        let options = Options::parse(url)?;
        let options = options.connect_timeout(Duration::from_secs(1)).response_timeout(Duration::from_millis(500));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        Ok(Self {
            own: options.open()?,
            shared: runtime.block_on(options.open_async())?,
            runtime,
            is_async: false,
            random: Random(seed),
            keys: (0..KEYS).map(|key| format!("{prefix}:{key}")).collect(),
            names: (0..FIELDS).map(|field| format!("f{field}")).collect(),
            models: (0..KEYS).map(|_| Model::default()).collect(),
            counts: Counts::default(),
        })
    }

    /// Works until then. Prints what it has of the system's resources every now and then.
    pub(crate) fn run(mut self, until: Instant, between: Duration, every: Duration) -> Result<Counts, String> {
        let mut sampled = Instant::now();
        while Instant::now() < until {
            self.step()?;
            std::thread::sleep(between);
            if sampled.elapsed() >= every {
                sampled = Instant::now();
                println!("sample {} {}", resources(), self.runtime.metrics().num_alive_tasks());
            }
        }
        for key in 0..KEYS {
            self.read_all(key)?;
        }
        self.counts.resolved = self.models.iter().map(|model| model.resolved).sum();
        Ok(self.counts)
    }

    /// Notes how a write of some fields has ended.
    fn ended<T>(
        &mut self,
        key: usize,
        result: &Result<T, Error>,
        fields: &[&str],
        change: impl Fn(Option<i64>) -> Option<i64>,
    ) -> Result<(), String> {
        match result {
            Ok(_) => {
                self.counts.acknowledged += 1;
                for field in fields {
                    self.models[key].done(field, &change);
                }
            }
            Err(error) if error.may_have_been_applied() => {
                self.counts.in_doubt += 1;
                for field in fields {
                    self.models[key].in_doubt(field, &change);
                }
                // It is on its way to the server, or nowhere.
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(error) => self.refused(error)?,
        }
        Ok(())
    }

    /// Fails if a flag that was returned does not fit what there was before.
    fn flag(
        &mut self,
        key: usize,
        result: &Result<bool, Error>,
        field: &str,
        expected: impl Fn(Option<i64>) -> bool,
    ) -> Result<(), String> {
        let before = self.models[key].of(field);
        match result {
            Ok(flag) if before.iter().all(|value| expected(*value) != *flag) => {
                Err(format!("{}: {field} answered {flag}, and was one of {before:?}", self.keys[key]))
            }
            _ => Ok(()),
        }
    }

    /// A call was not carried out: that must be for a reason that passes.
    fn refused(&mut self, error: &Error) -> Result<(), String> {
        self.counts.not_carried_out += 1;
        std::thread::sleep(Duration::from_millis(5));
        if error.is_transient() { Ok(()) } else { Err(format!("{error:?}")) }
    }

    fn read_all(&mut self, key: usize) -> Result<(), String> {
        let name = self.keys[key].clone();
        loop {
            let fields = HashMap::<String, i64>::typed(&*name).get_fields();
            let fields = if self.is_async {
                self.runtime.block_on(fields.query_async(&mut self.shared))
            } else {
                fields.query(&mut self.own)
            };
            match fields {
                Ok(fields) => {
                    for field in self.names.clone() {
                        if !fields.contains(&field) {
                            self.models[key].read(&field, None).map_err(|problem| format!("{name}: {problem}"))?;
                        }
                    }
                    break;
                }
                Err(error) => self.refused_or_in_doubt(&error)?,
            }
        }
        for field in 0..FIELDS {
            self.get(key, field)?;
        }
        Ok(())
    }

    fn refused_or_in_doubt(&mut self, error: &Error) -> Result<(), String> {
        if error.may_have_been_applied() { Ok(()) } else { self.refused(error) }
    }

    /// Reads one field until it is answered.
    fn get(&mut self, key: usize, field: usize) -> Result<(), String> {
        let (name, field) = (self.keys[key].clone(), self.names[field].clone());
        loop {
            let value = if is_counter(&field) {
                either!(self, &*name, Counters, map => map.get::<i64>(&field))
            } else {
                either!(self, &*name, Values, map => map.get::<i64>(&field))
            };
            match value {
                Ok(value) => {
                    self.counts.acknowledged += 1;
                    return self.models[key].read(&field, value).map_err(|problem| format!("{name}: {problem}"));
                }
                Err(error) => self.refused_or_in_doubt(&error)?,
            }
        }
    }

    fn step(&mut self) -> Result<(), String> {
        self.is_async = self.random.below(2) == 0;
        let (key, value) = (self.random.below(KEYS), i64::try_from(self.random.below(1_000_000)).unwrap_or(0));
        let (first, second) = (self.random.below(FIELDS / 2) * 2, self.random.below(FIELDS / 2) * 2);
        let (plain, other, counter) =
            (self.names[first].clone(), self.names[second].clone(), self.names[first + 1].clone());
        let name = self.keys[key].clone();
        match self.random.below(12) {
            0..4 => {
                let field = self.random.below(FIELDS);
                self.get(key, field)
            }
            4 => {
                let result = either!(self, &*name, Values, map => map.set(&plain, value));
                self.flag(key, &result, &plain, |before| before.is_none())?;
                self.ended(key, &result, &[&plain], |_| Some(value))
            }
            5 => {
                let result = either!(self, &*name, Counters, map => map.increment(&counter, 3));
                self.ended(key, &result, &[&counter], |count| Some(count.unwrap_or(0) + 3))?;
                // What it returns is one of the possible values.
                result.map_or(Ok(()), |count| self.models[key].read(&counter, Some(count)))
            }
            6 => {
                let result = either!(self, &*name, Values, map => map.delete(&plain));
                self.flag(key, &result, &plain, |before| before.is_some())?;
                self.ended(key, &result, &[&plain], |_| None)
            }
            7 => {
                let entries = BTreeMap::from([(plain.clone(), value), (other.clone(), value)]);
                let result = either!(self, &*name, Values, map => map.set_many(&entries));
                self.ended(key, &result, &[&plain, &other], |_| Some(value))
            }
            8 => {
                let result = either!(self, &*name, Values, map => {
                    map.update(&plain, |number: &mut i64| *number = number.wrapping_add(1))
                });
                self.ended(key, &result, &[&plain], |number| number.map(|number| number.wrapping_add(1)))
            }
            9 => {
                let result = either!(self, &*name, Values, map => map.take::<i64>(&plain));
                let before = self.models[key].of(&plain);
                self.ended(key, &result, &[&plain], |_| None)?;
                match result {
                    Ok(taken) if !before.contains(&taken) => {
                        Err(format!("{name}: {plain} was {taken:?}, and could only be one of {before:?}"))
                    }
                    _ => Ok(()),
                }
            }
            10 => self.transaction(key, &plain, &counter, value),
            _ => {
                if self.random.below(20) > 0 {
                    return self.read_all(key);
                }
                let result = either!(self, &*name, Values, map => map.clear());
                let names = self.names.clone();
                self.ended(key, &result, &names.iter().map(|name| &**name).collect::<Vec<_>>(), |_| None)
            }
        }
    }

    /// A batch that is carried out as a whole.
    fn transaction(&mut self, key: usize, plain: &str, counter: &str, value: i64) -> Result<(), String> {
        let name = self.keys[key].clone();
        let (values, counters) = (HashMap::<String, i64>::typed(&*name), HashMap::<String, Counter>::typed(&*name));
        let both: Batch<_> = batch((values.set(plain, value), counters.increment(counter, 1))).atomic();
        let result = if self.is_async {
            self.runtime.block_on(both.query_async(&mut self.shared))
        } else {
            both.query(&mut self.own)
        };
        let before = [self.models[key].of(plain), self.models[key].of(counter)];
        self.ended(key, &result, &[plain], |_| Some(value))?;
        let add = |count: Option<i64>| Some(count.unwrap_or(0) + 1);
        match &result {
            Ok(_) => self.models[key].done(counter, add),
            Err(error) if error.may_have_been_applied() => {
                self.models[key].in_doubt(counter, add);
                let both = self.both(key, plain, counter)?;
                // Both, or neither. Where it was not certain what there was before, nothing can be said.
                let [of_plain, of_counter] =
                    before.map(|values| (values.len() == 1).then(|| values.into_iter().next()));
                if let (Some(Some(old)), Some(Some(count))) = (of_plain, of_counter)
                    && both != (old, count)
                    && both != (Some(value), add(count))
                {
                    return Err(format!("{name}: half a transaction: {plain} and {counter} are {both:?}"));
                }
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Reads two fields at once, until they are answered.
    fn both(&mut self, key: usize, plain: &str, counter: &str) -> Result<(Option<i64>, Option<i64>), String> {
        let name = self.keys[key].clone();
        let (values, counters) = (HashMap::<String, i64>::typed(&*name), HashMap::<String, Counter>::typed(&*name));
        loop {
            match batch((values.get(plain), counters.get(counter))).atomic().query(&mut self.own) {
                Ok(both) => return Ok(both),
                Err(error) => self.refused_or_in_doubt(&error)?,
            }
        }
    }
}

fn is_counter(field: &str) -> bool {
    field.ends_with(['1', '3', '5', '7', '9'])
}

/// Resident kilobytes, threads and open files of this process.
fn resources() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).unwrap_or(0)
    };
    let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    format!("{} {} {files}", of("VmRSS:"), of("Threads:"))
}
