//! Builds a sample again with one scalar changed, to find out which values of it the type accepts.

use crate::format::schema::Scalar;
use crate::kind::Kind;
use crate::schema::trace::graph::Event;
use crate::schema::trace::menu::fits;
use crate::schema::trace::samples::{Among, Asking, Refused, Source};

/// What a sample was serialized as, which is what its type asks for.
pub(super) struct Replay<'a> {
    events: std::slice::Iter<'a, Event>,
    /// After so many events, this scalar stands for the one that was there.
    changed: (usize, &'a Scalar),
    done: usize,
    /// The type asked for something else than what was there.
    pub(super) has_diverged: bool,
}

impl<'a> Replay<'a> {
    pub(super) fn new(events: &'a [Event], at: usize, changed: &'a Scalar) -> Self {
        Self { events: events.iter(), changed: (at, changed), done: 0, has_diverged: false }
    }

    fn next(&mut self) -> Result<&'a Event, Refused> {
        self.done += 1;
        self.events.next().ok_or_else(|| self.diverge())
    }

    fn diverge(&mut self) -> Refused {
        self.has_diverged = true;
        Refused
    }
}

impl Source for Replay<'_> {
    fn begin(&mut self, _: &'static str) -> Result<(), Refused> {
        Ok(())
    }

    fn end(&mut self, _: bool) {}

    fn choose(&mut self, _: Asking, among: Among) -> Result<usize, Refused> {
        match (among, self.next()?) {
            (Among::Option, Event::Some(is_some)) => Ok(usize::from(*is_some)),
            (Among::Elements, Event::Elements(count)) => Ok(*count),
            (Among::Variants(..), Event::Variant(index)) => usize::try_from(*index).map_err(|_| Refused),
            _ => Err(self.diverge()),
        }
    }

    fn chosen(&mut self, _: bool) {}

    fn no_such_choice(&mut self) -> Refused {
        Refused
    }

    fn scalar(&mut self, kind: Kind) -> Result<Scalar, Refused> {
        match self.next()? {
            Event::Dynamic if kind == Kind::Dynamic => Ok(Scalar::Unit),
            Event::Scalar(scalar, _) if fits(scalar, kind) => {
                let (at, changed) = self.changed;
                Ok(if self.done == at + 1 { changed.clone() } else { scalar.clone() })
            }
            _ => Err(self.diverge()),
        }
    }

    fn enter_newtype(&mut self) -> Result<(), Refused> {
        Ok(())
    }

    fn leave_newtype(&mut self) {}

    fn asks_for(&mut self, _: &'static str) -> Refused {
        Refused
    }
}
