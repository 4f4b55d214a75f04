//! Decides what the next sample holds, and learns from what the type refuses.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use serde::de::DeserializeOwned;

use crate::format::schema::Scalar;
use crate::kind::Kind;
use crate::schema::trace::choices::{Choices, Made, Missing, Place, State};
use crate::schema::trace::graph::{Position, Spot, inner, is_wrapper, spot_name};
use crate::schema::trace::rules::{Drawn, Rules};
use crate::schema::trace::samples::{Among, Asking, Refused, Source, sample};
use crate::schema::trace::untraceable::{MAX_SAMPLES, MAX_SCALARS, MAX_TIME, Untraceable};

/// How deep samples nest, as deep as values may.
const MAX_DEPTH: usize = 128;

/// How many choices that no sample had a sample may have, and how many of them one below the other.
const MAX_NEW: usize = 64;
const MAX_NEW_NESTED: usize = 4;

/// How many choices are avoided for one sample. Each can take as many runs as there are scalars to try.
const MAX_AVOIDED: usize = 4;

/// The end of the time that a type may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn new() -> Self {
        Self(Instant::now() + MAX_TIME)
    }

    pub(super) fn has_passed(self) -> bool {
        Instant::now() > self.0
    }
}

pub(super) struct Sampler {
    root: &'static str,
    choices: Choices,
    /// The names that are those of more than one type.
    ambiguous: BTreeSet<&'static str>,
    /// The types, by name, or by place as well where the name is not enough.
    parts: HashMap<(Place, &'static str), usize>,
    rules: Rules,
    deadline: Deadline,
    samples: usize,
    /// How many new choices the next sample may have.
    new: usize,
    /// How many choices were avoided for it.
    avoided: usize,
    /// Something was learned since the last sample.
    learned: bool,
    attempt: Attempt,
}

/// One run of the type's Deserialize.
#[derive(Debug, Default)]
struct Attempt {
    frames: Vec<Frame>,
    newtypes: usize,
    open: Vec<OpenChoice>,
    made: Vec<Made>,
    /// Those of them that are new.
    pending: Vec<Made>,
    drawn: Vec<Drawn>,
    /// Why the run ends. The error that passes through the type cannot say it, since types make errors of their own.
    end: Option<End>,
}

/// A part that is being deserialized.
#[derive(Debug, Clone, Copy)]
struct Frame {
    part: usize,
    name: &'static str,
    place: Place,
    spot: Spot,
    /// The variant that was chosen, and how many parts have begun.
    next: Position,
    /// How many scalars were drawn, and choices open, made and pending, when it began.
    drawn: usize,
    open: usize,
    made: usize,
    pending: usize,
}

#[derive(Debug, Clone, Copy)]
struct OpenChoice {
    site: usize,
    choice: usize,
    is_new: bool,
    /// The type has refused it, but may go on.
    is_refused: bool,
    /// How many choices it nests so far.
    height: usize,
}

#[derive(Debug)]
enum End {
    /// Something was learned about a choice.
    Again,
    Untraceable(Untraceable),
    Deep,
    Large,
    Refused(Frame),
}

impl Sampler {
    pub(super) fn new(
        root: &'static str,
        ambiguous: BTreeSet<&'static str>,
        known: BTreeMap<Spot, Vec<Scalar>>,
        deadline: Deadline,
    ) -> Self {
        Self {
            root,
            choices: Choices::default(),
            ambiguous,
            parts: HashMap::new(),
            rules: Rules::new(known),
            deadline,
            samples: 0,
            new: MAX_NEW,
            avoided: 0,
            learned: false,
            attempt: Attempt::default(),
        }
    }

    /// The next sample that the type accepts. `None` when all was in a sample that can be.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Untraceable> {
        self.new = MAX_NEW;
        self.avoided = 0;
        self.learned = false;
        self.choices.measure();
        loop {
            if self.deadline.has_passed() {
                return Err(Untraceable::Slow(self.root));
            }
            self.attempt = Attempt::default();
            // A panic is a refusal: types that check their values by `assert!` have no other.
            match catch_unwind(AssertUnwindSafe(|| sample::<T>(self))) {
                Ok(Ok(value)) => return self.accepted().map(|is_new| is_new.then_some(value)),
                Ok(Err(Refused)) => {}
                Err(_) => self.refused(),
            }
            if let Some(end) = self.attempt.end.take() {
                self.learn(end)?;
            } else {
                return Err(Untraceable::Refuses(self.root));
            }
        }
    }

    /// What no sample had.
    pub(super) fn missing(&self) -> Vec<Missing> {
        self.choices.missing()
    }

    /// Keeps what an accepted sample says. False if it says nothing new.
    fn accepted(&mut self) -> Result<bool, Untraceable> {
        self.samples += 1;
        let attempt = std::mem::take(&mut self.attempt);
        let is_new = !attempt.pending.is_empty() || self.learned || self.samples == 1;
        self.choices.accepted(&attempt.made);
        self.rules.accepted();
        if self.samples > MAX_SAMPLES { Err(Untraceable::Samples(self.root)) } else { Ok(is_new) }
    }

    /// The type that is being deserialized refuses what it got, unless the run ends for another reason.
    fn refused(&mut self) {
        if self.attempt.end.is_none()
            && let Some(frame) = self.attempt.frames.last()
        {
            self.attempt.end = Some(End::Refused(*frame));
        }
    }

    /// Changes what the next run does. Each time there is less left to try.
    fn learn(&mut self, end: End) -> Result<(), Untraceable> {
        let frame = match end {
            End::Again => return Ok(()),
            End::Untraceable(why) => return Err(why),
            End::Refused(frame) => {
                let drawn = self.attempt.drawn.get(frame.drawn..).unwrap_or_default();
                if self.rules.refused(frame.part, drawn) {
                    return Ok(());
                }
                Some(frame)
            }
            End::Deep | End::Large => None,
        };
        self.learned = true;
        let is_novel = !self.attempt.pending.is_empty();
        if self.new > 1 && is_novel {
            // Which of the new choices is to blame is clear where there is only one.
            self.new = 1;
            return Ok(());
        }
        let state = match (&end, frame) {
            (End::Large, _) => return Err(Untraceable::Large(self.root)),
            (_, Some(frame)) => State::Refused(inner(frame.name)),
            (_, None) => State::Endless,
        };
        let Attempt { open, pending, made, .. } = &self.attempt;
        // First other choices in the part, such as an element for a seq that must not be empty.
        let others = frame.and_then(|frame| made.get(frame.made..)).unwrap_or_default();
        let mut others = others.iter().rev().filter(|made| !pending.contains(made));
        if self.avoided < MAX_AVOIDED && others.any(|made| self.choices.avoid(*made)) {
            self.avoided += 1;
            return Ok(());
        }
        // Then the last new choice in the part is refused; else the innermost one around it.
        let inside = frame.and_then(|frame| pending.get(frame.pending..)?.last());
        let is_around = |made: &&Made| open.iter().any(|open| (open.site, open.choice) == (made.1, made.2));
        if let Some(made) = inside.or_else(|| pending.iter().rev().find(is_around)) {
            self.choices.mark(made.1, made.2, state);
            return Ok(());
        }
        Err(frame.map_or(Untraceable::Endless(self.root), |frame| Untraceable::Refuses(inner(frame.name))))
    }

    /// Which choice to make. The last is true if it is new.
    fn decide(&mut self, place: Place, site: usize) -> Option<(usize, bool)> {
        let open = &self.attempt.open;
        if !self.choices.ends(site) {
            // One that is being made already cannot end by itself.
            let is_open = open.iter().any(|open| open.site == site);
            return self.choices.first(site).filter(|_| !is_open).map(|choice| (choice, true));
        }
        let nested = open.iter().filter(|open| open.is_new).count();
        if self.attempt.pending.len() < self.new && nested < MAX_NEW_NESTED {
            if let Some(choice) = self.choices.new_one(site, &self.attempt.pending) {
                return Some((choice, true));
            }
            let is_taken = |choice| open.iter().any(|open| (open.site, open.choice) == (site, choice));
            if let Some(choice) = self.choices.toward_new(site, is_taken) {
                return Some((choice, false));
            }
        }
        let may_begin = !open.iter().any(|open| open.site == site);
        self.choices.lowest(place, site, may_begin)
    }

    /// A site has no choice left, which ends the run, and is held against the choice that led to it.
    fn dead_end(&mut self, site: usize) -> End {
        let is_blocked = self.choices.is_blocked(site);
        let is_endless = self.choices.is_endless(site);
        let refused = self.choices.refused_below(site);
        self.learned = true;
        match self.attempt.open.last() {
            Some(outer) if is_blocked => self.choices.mark(outer.site, outer.choice, State::Blocked),
            Some(outer) if is_endless => self.choices.mark(outer.site, outer.choice, State::Endless),
            Some(outer) => self.choices.mark(outer.site, outer.choice, State::Refused(refused)),
            None if is_blocked || is_endless => {
                return End::Untraceable(Untraceable::Endless(inner(self.choices.name(site))));
            }
            None => return End::Untraceable(Untraceable::Refuses(refused)),
        }
        End::Again
    }
}

impl Source for Sampler {
    fn begin(&mut self, name: &'static str) -> Result<(), Refused> {
        let attempt = &mut self.attempt;
        if attempt.frames.len() + attempt.newtypes >= MAX_DEPTH {
            attempt.end = Some(End::Deep);
            return Err(Refused);
        }
        let (outer, place) = match attempt.frames.last_mut() {
            Some(outer) => {
                let position = outer.next;
                outer.next.1 += 1;
                (outer.spot.2, Some((outer.part, position)))
            }
            None => ("", None),
        };
        let within = if self.ambiguous.contains(name) || is_wrapper(name) { place } else { None };
        let next = self.parts.len();
        let part = *self.parts.entry((within, name)).or_insert(next);
        attempt.frames.push(Frame {
            part,
            name,
            place,
            spot: (outer, place.map_or((0, 0), |place| place.1), spot_name(name)),
            next: (0, 0),
            drawn: attempt.drawn.len(),
            open: attempt.open.len(),
            made: attempt.made.len(),
            pending: attempt.pending.len(),
        });
        Ok(())
    }

    fn end(&mut self, accepted: bool) {
        if !accepted {
            self.refused();
        }
        if let Some(frame) = self.attempt.frames.pop()
            && accepted
        {
            // A type that goes on after an error has no objection.
            self.attempt.end = None;
            self.attempt.open.truncate(frame.open);
        }
    }

    fn choose(&mut self, asking: Asking, among: Among) -> Result<usize, Refused> {
        let frame = *self.attempt.frames.last().ok_or(Refused)?;
        let site = self.choices.site(frame.part, frame.name, asking, among);
        if let Some(outer) = self.attempt.open.last() {
            self.choices.met_below((outer.site, outer.choice), site);
        }
        let decided = if self.attempt.open.len() < MAX_DEPTH { self.decide(frame.place, site) } else { None };
        let Some((choice, is_new)) = decided else {
            let is_deep = self.attempt.open.len() >= MAX_DEPTH;
            self.attempt.end = Some(if is_deep { End::Deep } else { self.dead_end(site) });
            return Err(Refused);
        };
        let made = (frame.place, site, choice);
        self.attempt.made.push(made);
        if is_new {
            self.attempt.pending.push(made);
        }
        self.attempt.open.push(OpenChoice { site, choice, is_new, is_refused: false, height: 0 });
        if let (Among::Variants(..), Some(frame)) = (among, self.attempt.frames.last_mut()) {
            frame.next = (u32::try_from(choice).unwrap_or(u32::MAX), 0);
        }
        Ok(choice)
    }

    fn chosen(&mut self, accepted: bool) {
        if !accepted {
            self.refused();
            // It stays there: `learn` looks for what was around the part that was refused.
            if let Some(open) = self.attempt.open.iter_mut().rev().find(|open| !open.is_refused) {
                open.is_refused = true;
            }
            return;
        }
        while let Some(open) = self.attempt.open.pop() {
            if open.is_refused {
                continue;
            }
            self.choices.ended(open.site, open.choice, open.height);
            if let Some(outer) = self.attempt.open.last_mut() {
                outer.height = outer.height.max(open.height + 1);
            }
            return;
        }
    }

    fn no_such_choice(&mut self) -> Refused {
        if let Some(open) = self.attempt.open.last() {
            self.choices.mark(open.site, open.choice, State::Absent);
            self.learned = true;
        }
        self.attempt.end = Some(End::Again);
        Refused
    }

    fn scalar(&mut self, kind: Kind) -> Result<Scalar, Refused> {
        let count = self.attempt.drawn.len();
        if count >= MAX_SCALARS {
            self.attempt.end = Some(End::Large);
            return Err(Refused);
        }
        if count % 1_024 == 1_023 && self.deadline.has_passed() {
            self.attempt.end = Some(End::Untraceable(Untraceable::Slow(self.root)));
            return Err(Refused);
        }
        let frame = *self.attempt.frames.last().ok_or(Refused)?;
        let around = self.attempt.frames.iter().rev().map(|frame| (frame.part, frame.drawn));
        let drawn = self.rules.draw(kind, frame.spot, count, &around).ok_or(Refused)?;
        let scalar = drawn.scalar.clone();
        self.attempt.drawn.push(drawn);
        Ok(scalar)
    }

    fn enter_newtype(&mut self) -> Result<(), Refused> {
        if self.attempt.frames.len() + self.attempt.newtypes >= MAX_DEPTH {
            self.attempt.end = Some(End::Deep);
            return Err(Refused);
        }
        self.attempt.newtypes += 1;
        Ok(())
    }

    fn leave_newtype(&mut self) {
        self.attempt.newtypes -= 1;
    }

    fn asks_for(&mut self, what: &'static str) -> Refused {
        // What serde's derive makes for itself says nothing to the user.
        let is_the_users = |frame: &&Frame| !frame.name.contains("::__");
        let name = self.attempt.frames.iter().rev().find(is_the_users).map_or(self.root, |frame| inner(frame.name));
        self.attempt.end = Some(End::Untraceable(Untraceable::AsksFor(name, what)));
        Refused
    }
}
