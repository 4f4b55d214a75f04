//! The choices of a type: which of them end, which were taken in a sample that the type accepted, and which way leads to
//! those that were not.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::schema::trace::graph::{Position, inner};
use crate::schema::trace::samples::{Among, Asking};

/// Where a choice is met: in which part, at which position. `None` at the root.
pub(super) type Place = Option<(usize, Position)>;

/// A choice that was made: where, of which site, and which.
pub(super) type Made = (Place, usize, usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// It led only to choices that were being made. It can end once another choice is known to end.
    Blocked,
    /// The type has no such choice.
    Absent,
    /// A type of this name refused all samples of it.
    Refused(&'static str),
    /// It nests without end.
    Endless,
}

#[derive(Debug, Clone)]
struct Choice {
    state: State,
    /// How many choices a value of it nests at least, as far as is known. `None` until it has ended once.
    height: Option<usize>,
    /// It was in a sample that the type accepted.
    done: bool,
    /// The sites that were met below it.
    below: BTreeSet<usize>,
    /// How far below it an open site is.
    distance: Option<usize>,
}

impl Choice {
    fn is_usable(&self) -> bool {
        self.state == State::Open && self.height.is_some()
    }

    fn is_open(&self) -> bool {
        self.state == State::Open && !self.done
    }
}

/// One type, in so far as there is something to choose in it.
#[derive(Debug)]
struct Site {
    /// The type.
    name: &'static str,
    among: Among,
    choices: Vec<Choice>,
}

impl Site {
    fn ends(&self) -> bool {
        self.choices.iter().any(Choice::is_usable)
    }

    fn distance(&self) -> Option<usize> {
        if self.choices.iter().any(Choice::is_open) {
            return Some(0);
        }
        self.choices.iter().filter(|choice| choice.is_usable()).filter_map(|choice| choice.distance).min()
    }
}

/// A choice that no accepted sample had.
#[derive(Debug)]
pub(super) struct Missing {
    /// The type that has it.
    pub(super) name: &'static str,
    pub(super) among: Among,
    pub(super) choice: usize,
    pub(super) state: State,
}

#[derive(Debug, Default)]
pub(super) struct Choices {
    sites: Vec<Site>,
    ids: HashMap<(usize, Asking, Among), usize>,
    /// What the types around a place have refused there.
    avoided: HashSet<Made>,
}

impl Choices {
    /// The site of who is asking, in a part of this name.
    pub(super) fn site(&mut self, part: usize, name: &'static str, asking: Asking, among: Among) -> usize {
        let next = self.sites.len();
        let id = *self.ids.entry((part, asking, among)).or_insert(next);
        if id == next {
            let count = if let Among::Variants(_, variants) = among { variants.len() } else { 2 };
            let choice =
                Choice { state: State::Open, height: None, done: false, below: BTreeSet::new(), distance: None };
            self.sites.push(Site { name, among, choices: vec![choice; count] });
        }
        id
    }

    pub(super) fn name(&self, site: usize) -> &'static str {
        self.sites[site].name
    }

    pub(super) fn met_below(&mut self, (site, choice): (usize, usize), below: usize) {
        self.sites[site].choices[choice].below.insert(below);
    }

    pub(super) fn ends(&self, site: usize) -> bool {
        self.sites[site].ends()
    }

    /// True if some choice of the site could still end.
    pub(super) fn is_blocked(&self, site: usize) -> bool {
        self.sites[site].choices.iter().any(|choice| matches!(choice.state, State::Open | State::Blocked))
    }

    pub(super) fn is_endless(&self, site: usize) -> bool {
        self.sites[site].choices.iter().any(|choice| choice.state == State::Endless)
    }

    /// Why a site has no choice that ends: the type that refused one.
    pub(super) fn refused_below(&self, site: usize) -> &'static str {
        let refused = |choice: &Choice| if let State::Refused(name) = choice.state { Some(name) } else { None };
        self.sites[site].choices.iter().find_map(refused).unwrap_or(inner(self.sites[site].name))
    }

    pub(super) fn mark(&mut self, site: usize, choice: usize, state: State) {
        self.sites[site].choices[choice].state = state;
    }

    /// A choice has ended, with so many choices nested in it. Where it is the first of its site, what was blocked by that
    /// site no longer is.
    pub(super) fn ended(&mut self, site: usize, choice: usize, height: usize) {
        if self.sites[site].choices.iter().all(|choice| choice.height.is_none()) {
            for choice in self.sites.iter_mut().flat_map(|site| &mut site.choices) {
                if choice.state == State::Blocked {
                    choice.state = State::Open;
                }
            }
        }
        let known = &mut self.sites[site].choices[choice].height;
        *known = Some(known.map_or(height, |known| known.min(height)));
    }

    pub(super) fn accepted(&mut self, made: &[Made]) {
        for made in made {
            self.sites[made.1].choices[made.2].done = true;
        }
    }

    /// The first choice of a site of which none is known to end.
    pub(super) fn first(&self, site: usize) -> Option<usize> {
        self.sites[site].choices.iter().position(|choice| choice.state == State::Open)
    }

    /// A choice that no sample had, and this one has not yet.
    pub(super) fn new_one(&self, site: usize, pending: &[Made]) -> Option<usize> {
        let is_pending = |choice| pending.iter().any(|made| (made.1, made.2) == (site, choice));
        let mut choices = self.sites[site].choices.iter().enumerate();
        choices.find(|(at, choice)| choice.is_open() && !is_pending(*at)).map(|(at, _)| at)
    }

    /// The choice with the shortest way to one that no sample had. (Any way can go round in circles.)
    pub(super) fn toward_new(&self, site: usize, is_taken: impl Fn(usize) -> bool) -> Option<usize> {
        let choices = self.sites[site].choices.iter().enumerate();
        let ways = choices.filter(|(at, choice)| choice.is_usable() && !is_taken(*at));
        ways.filter_map(|(at, choice)| Some((choice.distance?, at))).min().map(|(_, at)| at)
    }

    /// The choice that ends soonest, and whether it is not known to end. One that is known to does: what it held when it
    /// ended was lower. Another is taken only where all of those are avoided, and if it `may_begin`: a choice inside itself
    /// has to end.
    pub(super) fn lowest(&self, place: Place, site: usize, may_begin: bool) -> Option<(usize, bool)> {
        let choices = self.sites[site].choices.iter().enumerate();
        let possible = choices.filter(|(_, choice)| choice.is_usable() || may_begin && choice.state == State::Open);
        let ranked = possible.map(|(at, choice)| {
            let is_avoided = may_begin && self.avoided.contains(&(place, site, at));
            (is_avoided, choice.height.is_none(), choice.height, at)
        });
        ranked.min().map(|(_, is_new, _, at)| (at, is_new))
    }

    /// Takes another choice at this place from now on. False if there is no other.
    pub(super) fn avoid(&mut self, made: Made) -> bool {
        let (place, site, choice) = made;
        let mut others = self.sites[site].choices.iter().enumerate().filter(|(at, _)| *at != choice);
        let has_other =
            others.any(|(at, other)| other.state == State::Open && !self.avoided.contains(&(place, site, at)));
        has_other && self.avoided.insert(made)
    }

    /// Finds the ways to open choices.
    pub(super) fn measure(&mut self) {
        for choice in self.sites.iter_mut().flat_map(|site| &mut site.choices) {
            choice.distance = None;
        }
        loop {
            let sites: Vec<Option<usize>> = self.sites.iter().map(Site::distance).collect();
            let mut changed = false;
            for choice in self.sites.iter_mut().flat_map(|site| &mut site.choices) {
                let distance = choice.below.iter().filter_map(|site| sites[*site]).min().map(|far| far + 1);
                changed |= distance != choice.distance;
                choice.distance = distance;
            }
            if !changed {
                return;
            }
        }
    }

    /// What the graph cannot have. It does without a `None` and an empty seq, since they hold nothing.
    pub(super) fn missing(&self) -> Vec<Missing> {
        let mut missing = Vec::new();
        for site in &self.sites {
            for (at, choice) in site.choices.iter().enumerate() {
                let is_needed = at > 0 || matches!(site.among, Among::Variants(..));
                if is_needed && !choice.done && choice.state != State::Absent {
                    missing.push(Missing {
                        name: inner(site.name),
                        among: site.among,
                        choice: at,
                        state: choice.state,
                    });
                }
            }
        }
        // What a type refused explains what lies behind it, which was not reached.
        missing.sort_by_key(|missing| match missing.state {
            State::Refused(_) => 0,
            State::Endless | State::Blocked => 1,
            State::Open | State::Absent => 2,
        });
        missing
    }
}
