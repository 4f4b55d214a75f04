//! What a record of three numbers does, one operation after the other.

use std::fmt;
use std::str::FromStr;

use redis_hashmap_tests::random::Random;

/// What is stored: two values and a counter.
pub(crate) type State = [Option<i64>; 3];

/// The field that is a counter.
pub(crate) const COUNTER: usize = 2;

/// One operation. Those of one field name it by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Get(usize),
    GetAll,
    Set(usize, i64),
    SetIfAbsent(usize, i64),
    Delete(usize),
    Take(usize),
    Increment(i64),
    /// Doubles the value and adds this.
    Update(usize, i64),
    CompareAndSet(usize, i64, i64),
    /// Sets both values.
    Patch(i64, i64),
}

/// What an operation has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Done,
    Flag(bool),
    Value(Option<i64>),
    All(State),
}

/// What `update` does with a value.
pub(crate) fn updated(value: i64, add: i64) -> i64 {
    value.wrapping_mul(2).wrapping_add(add) % 1_000_003
}

impl Input {
    /// The state after the operation, and what it returns.
    pub(crate) fn apply(self, mut state: State) -> (State, Output) {
        let before = state;
        let output = match self {
            Self::Get(field) => Output::Value(state[field]),
            Self::GetAll => Output::All(state),
            Self::Set(field, value) => {
                state[field] = Some(value);
                Output::Flag(before[field].is_none())
            }
            Self::SetIfAbsent(field, value) => {
                state[field] = state[field].or(Some(value));
                Output::Flag(before[field].is_none())
            }
            Self::Delete(field) => Output::Flag(state[field].take().is_some()),
            Self::Take(field) => Output::Value(state[field].take()),
            Self::Increment(by) => {
                state[COUNTER] = Some(state[COUNTER].unwrap_or(0) + by);
                Output::Value(state[COUNTER])
            }
            Self::Update(field, add) => {
                state[field] = state[field].map(|value| updated(value, add));
                Output::Value(state[field])
            }
            Self::CompareAndSet(field, expected, new) => {
                let is_expected = state[field] == Some(expected);
                if is_expected {
                    state[field] = Some(new);
                }
                Output::Flag(is_expected)
            }
            Self::Patch(first, second) => {
                (state[0], state[1]) = (Some(first), Some(second));
                Output::Done
            }
        };
        (state, output)
    }

    /// An operation, by a random number.
    pub(crate) fn random(random: &mut Random) -> Self {
        let field = random.below(2);
        // Few values, so that they meet.
        let value = i64::try_from(random.below(5)).unwrap_or(0);
        match random.below(20) {
            0..3 => Self::Get(random.below(3)),
            3..5 => Self::GetAll,
            5..7 => Self::Set(field, value),
            7 => Self::SetIfAbsent(field, value),
            8 => Self::Delete(random.below(3)),
            9..11 => Self::Take(field),
            11..14 => Self::Increment(value + 1),
            14..17 => Self::Update(field, value + 1),
            17..19 => Self::CompareAndSet(field, value, i64::try_from(random.below(5)).unwrap_or(0)),
            _ => Self::Patch(value, value + 1),
        }
    }
}

/// A line of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A client calls.
    Call(usize, Input),
    /// Its call returns. Without a result, nobody knows whether it was carried out, or will be.
    Return(usize, Option<Output>),
    /// Its call has failed, and was not carried out.
    Failed(usize),
}

/// `call 3 Set(0, 1)`, as it is printed by a process that is killed.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(client, input) => write!(f, "call {client} {input:?}"),
            Self::Return(client, Some(output)) => write!(f, "return {client} {output:?}"),
            Self::Return(client, None) => write!(f, "lost {client}"),
            Self::Failed(client) => write!(f, "failed {client}"),
        }
    }
}

impl FromStr for Event {
    type Err = ();

    /// Reads what `Display` writes. A line that was cut is no event.
    fn from_str(line: &str) -> Result<Self, ()> {
        let mut words = line.splitn(3, ' ');
        let (kind, client) = (words.next().ok_or(())?, words.next().ok_or(())?);
        let client = client.parse().map_err(|_| ())?;
        match (kind, words.next()) {
            ("lost", None) => Ok(Self::Return(client, None)),
            ("failed", None) => Ok(Self::Failed(client)),
            ("call", Some(input)) => Ok(Self::Call(client, read_input(input).ok_or(())?)),
            ("return", Some(output)) => Ok(Self::Return(client, Some(read_output(output).ok_or(())?))),
            _ => Err(()),
        }
    }
}

/// The name and the numbers of what `Debug` has written. A missing number is `None`.
fn parts(text: &str) -> Option<(&str, Vec<Option<i64>>)> {
    let (name, rest) = text.split_once('(').unwrap_or((text, ""));
    if !rest.is_empty() && !rest.ends_with(')') {
        return None;
    }
    let rest = rest.replace("Some(", "").replace(['(', ')', '[', ']'], "");
    let number = |word: &str| if word == "None" { Ok(None) } else { word.parse().map(Some) };
    let numbers = rest.split(", ").filter(|word| !word.is_empty()).map(number).collect::<Result<_, _>>().ok()?;
    Some((name, numbers))
}

fn read_input(text: &str) -> Option<Input> {
    let (name, numbers) = parts(text)?;
    let numbers: Vec<i64> = numbers.into_iter().collect::<Option<_>>()?;
    let field = |index: usize| numbers.get(index).and_then(|field| usize::try_from(*field).ok());
    let number = |index: usize| numbers.get(index).copied();
    Some(match name {
        "Get" => Input::Get(field(0)?),
        "GetAll" => Input::GetAll,
        "Set" => Input::Set(field(0)?, number(1)?),
        "SetIfAbsent" => Input::SetIfAbsent(field(0)?, number(1)?),
        "Delete" => Input::Delete(field(0)?),
        "Take" => Input::Take(field(0)?),
        "Increment" => Input::Increment(number(0)?),
        "Update" => Input::Update(field(0)?, number(1)?),
        "CompareAndSet" => Input::CompareAndSet(field(0)?, number(1)?, number(2)?),
        "Patch" => Input::Patch(number(0)?, number(1)?),
        _ => return None,
    })
}

fn read_output(text: &str) -> Option<Output> {
    match text {
        "Done" => return Some(Output::Done),
        "Flag(true)" => return Some(Output::Flag(true)),
        "Flag(false)" => return Some(Output::Flag(false)),
        _ => {}
    }
    let (name, numbers) = parts(text)?;
    match name {
        "Value" => Some(Output::Value(*numbers.first()?)),
        "All" => Some(Output::All(numbers.try_into().ok()?)),
        _ => None,
    }
}

#[test]
fn what_is_printed_is_read() {
    let mut random = Random(1);
    let mut state = [None; 3];
    for client in 0..2000 {
        let input = Input::random(&mut random);
        let (next, output) = input.apply(state);
        state = next;
        for event in [Event::Call(client, input), Event::Return(client, Some(output)), Event::Failed(client)] {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
    }
    // Lines that a kill has cut.
    for line in ["", "cal", "call 1", "call 1 Set(0", "return 2 Value(Some(1", "return 2 All([None, None])"] {
        assert_eq!(line.parse::<Event>(), Err(()), "{line}");
    }
}
