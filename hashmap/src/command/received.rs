//! The replies to some commands, as they were received. Strings stay in the bytes in which they came, where that is known.

use redis::{RedisError, Value};
use smallvec::SmallVec;

use crate::command::reply::Reply;
use crate::command::request::Request;
use crate::command::strings::{Span, Strings, slice};
use crate::error::Error;
use crate::error::place::Place;

/// The replies to some commands, in order.
#[derive(Default)]
#[doc(hidden)]
pub struct Received {
    /// What the strings lie in.
    bytes: Vec<u8>,
    /// The strings of all lists of strings.
    strings: Vec<Option<Span>>,
    answers: SmallVec<[Answer; 1]>,
    /// How many of them were read.
    read: usize,
}

/// What has become of one command.
pub(crate) enum Answer {
    Value(Value),
    String(Span),
    /// A list of this many strings, which begin at this one, and each of which may be nil.
    Strings(usize, usize),
    Failed(RedisError),
}

impl From<Result<Value, RedisError>> for Answer {
    fn from(reply: Result<Value, RedisError>) -> Self {
        reply.map_or_else(Self::Failed, Self::Value)
    }
}

impl Received {
    pub(crate) fn with_capacity(answers: usize) -> Self {
        Self { answers: SmallVec::with_capacity(answers), ..Self::default() }
    }

    pub(crate) fn push(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    /// Begins a list of strings: adds what `add` adds, unless it fails.
    pub(crate) fn push_strings<T>(&mut self, add: impl FnOnce(&mut Vec<Option<Span>>) -> Option<T>) -> Option<T> {
        let start = self.strings.len();
        let added = add(&mut self.strings);
        if added.is_some() {
            self.answers.push(Answer::Strings(start, self.strings.len() - start));
        } else {
            self.strings.truncate(start);
        }
        added
    }

    pub(crate) fn len(&self) -> usize {
        self.answers.len()
    }

    /// True if strings of it lie in the bytes from which it is made.
    pub(crate) fn has_strings(&self) -> bool {
        !self.strings.is_empty() || self.answers.iter().any(|answer| matches!(answer, Answer::String(_)))
    }

    /// Gives it the bytes in which its strings lie.
    pub(crate) fn lie_in(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.answers.iter().filter_map(|answer| if let Answer::Value(value) = answer { Some(value) } else { None })
    }

    /// Makes values of all of it, for redis-rs.
    pub(crate) fn into_values(self) -> SmallVec<[Value; 1]> {
        let Self { bytes, strings, answers, .. } = self;
        let value = |answer| match answer {
            Answer::Value(value) => value,
            Answer::String(span) => Value::BulkString(slice(&bytes, span).to_vec()),
            Answer::Strings(start, count) => {
                Strings::new(&bytes, strings.get(start..start + count).unwrap_or_default()).to_value()
            }
            Answer::Failed(_) => Value::Nil,
        };
        answers.into_iter().map(value).collect()
    }

    /// Reads the next reply.
    pub(crate) fn next<'a>(&'a mut self, request: &'a Request) -> Result<Reply<'a>, Error> {
        let none = || Error::UnexpectedReply { place: Place::default(), operation: "a batch" };
        let answer = self.answers.get_mut(self.read).ok_or_else(none)?;
        self.read += 1;
        match std::mem::replace(answer, Answer::Value(Value::Nil)) {
            Answer::Value(value) => Reply::new(Ok(value), request),
            Answer::String(span) => Ok(Reply::of_string(slice(&self.bytes, span), request)),
            Answer::Strings(start, count) => {
                let spans = self.strings.get(start..start + count).unwrap_or_default();
                Ok(Reply::of_strings(Strings::new(&self.bytes, spans), request))
            }
            Answer::Failed(error) => Reply::new(Err(error), request),
        }
    }
}

impl FromIterator<Answer> for Received {
    fn from_iter<I: IntoIterator<Item = Answer>>(answers: I) -> Self {
        Self { answers: answers.into_iter().collect(), ..Self::default() }
    }
}
