//! The scalars of samples: from a menu, by what is known of the types that they are for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::format::schema::Scalar;
use crate::kind::Kind;
use crate::schema::trace::graph::{Spot, anywhere};
use crate::schema::trace::menu::{fits, menu};

/// How many scalars of a type are varied one at a time.
const MAX_VARIED: usize = 16;

/// A scalar of a sample.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) scalar: Scalar,
    /// How many could have been taken at first, and how many the rules had left of them.
    menu: usize,
    left: usize,
}

/// What is known of the scalars that one type accepts.
#[derive(Debug, Default)]
struct Rule {
    /// Where it has one scalar: those that it has refused.
    refused: BTreeSet<Scalar>,
    /// Where it has several: which combination is next, where the longest menu is this long.
    step: usize,
    longest: usize,
    /// How many combinations were refused since one was accepted.
    tries: usize,
    /// All combinations were refused once. With other choices, only those are tried in which all scalars are alike: a type
    /// that refuses everything should not take long.
    is_exhausted: bool,
}

#[derive(Debug)]
pub(super) struct Rules {
    by_part: HashMap<usize, Rule>,
    menus: HashMap<Kind, Vec<Scalar>>,
    /// Scalars of values that the type has accepted. They are tried first.
    known: BTreeMap<Spot, Vec<Scalar>>,
}

impl Rules {
    pub(super) fn new(known: BTreeMap<Spot, Vec<Scalar>>) -> Self {
        Self { by_part: HashMap::new(), menus: HashMap::new(), known }
    }

    /// The next scalar of a sample, the `at`th. `around` are the parts that it is in, from the inside, each with the number
    /// of scalars that came before it.
    pub(super) fn draw(
        &mut self,
        kind: Kind,
        spot: Spot,
        at: usize,
        around: &(impl Iterator<Item = (usize, usize)> + Clone),
    ) -> Option<Drawn> {
        self.menus.entry(kind).or_insert_with(|| menu(kind));
        let known = self.known.get(&spot).or_else(|| self.known.get(&anywhere(spot)));
        let known = known.into_iter().flatten().filter(|scalar| fits(scalar, kind));
        let menu: Vec<&Scalar> = known.chain(self.menus.get(&kind).into_iter().flatten()).collect();

        let rule = |part| self.by_part.get(&part);
        // Rules for one scalar hold for that which their part begins with.
        let refused = |scalar: &Scalar| {
            let mut first = around.clone().take_while(|(_, drawn)| *drawn == at);
            first.any(|(part, _)| rule(part).is_some_and(|rule| rule.refused.contains(scalar)))
        };
        let mut allowed: Vec<&Scalar> = menu.iter().copied().filter(|scalar| !refused(scalar)).collect();
        if allowed.is_empty() {
            allowed.clone_from(&menu);
        }
        // First all scalars of a part are alike, then one differs.
        let mut varied = around.clone().filter_map(|(part, drawn)| Some((at - drawn, rule(part)?)));
        let pick = match varied.find(|(_, rule)| rule.step > 0) {
            None => 0,
            Some((_, rule)) if rule.step < rule.longest => rule.step,
            Some((position, rule)) => {
                let (step, others) = (rule.step - rule.longest, rule.longest - 1);
                if step / others == position { step % others + 1 } else { 0 }
            }
        };
        let scalar = (*allowed.get(pick % allowed.len().max(1))?).clone();
        Some(Drawn { scalar, menu: menu.len(), left: allowed.len() })
    }

    /// Takes other scalars next time in a part that was refused with these. False if all were tried.
    pub(super) fn refused(&mut self, part: usize, drawn: &[Drawn]) -> bool {
        let rule = self.by_part.entry(part).or_default();
        match drawn {
            [] => return false,
            [Drawn { scalar, left, .. }] => {
                if *left > 1 {
                    return rule.refused.insert(scalar.clone());
                }
                rule.refused.clear();
            }
            _ => {
                rule.longest = drawn.iter().map(|drawn| drawn.menu).max().unwrap_or(1);
                let varied = if rule.is_exhausted { 0 } else { drawn.len().min(MAX_VARIED) };
                let total = rule.longest + varied * (rule.longest - 1);
                rule.step = (rule.step + 1) % total;
                rule.tries += 1;
                if rule.tries < total {
                    return true;
                }
                rule.tries = 0;
                rule.is_exhausted = true;
            }
        }
        false
    }

    /// The whole sample was accepted.
    pub(super) fn accepted(&mut self) {
        for rule in self.by_part.values_mut() {
            rule.tries = 0;
            // A sample without this part says nothing about it; to try again then costs no more than the first time.
            rule.is_exhausted = false;
        }
    }
}
