//! Rounds in which the measures take turns, so that what disturbs one disturbs all, and rows of the table.

use std::time::{Duration, Instant};

/// What one measure took in each round: nanoseconds for one piece of its work.
pub(crate) struct Figures(Vec<f64>);

/// A measure: does its work once, and says how many pieces that were and how long they took.
pub(crate) type Measure<'a> = Box<dyn FnMut() -> Result<(u32, Duration), Box<dyn std::error::Error>> + 'a>;

/// A measure of something that is done so many times in a round.
pub(crate) fn times<'a, E>(count: u32, mut work: impl FnMut(u32) -> Result<(), E> + 'a) -> Measure<'a>
where
    Box<dyn std::error::Error>: From<E>,
{
    Box::new(move || {
        let start = Instant::now();
        for i in 0..count {
            work(i)?;
        }
        Ok((count, start.elapsed()))
    })
}

/// Runs all measures in turn, once to warm up and then in each round.
pub(crate) fn interleaved<const N: usize>(
    mut measures: [Measure<'_>; N],
) -> Result<[Figures; N], Box<dyn std::error::Error>> {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(9);
    let mut figures = [(); N].map(|()| Figures(Vec::new()));
    for round in 0..=rounds {
        for (measure, figures) in measures.iter_mut().zip(&mut figures) {
            let (count, took) = measure()?;
            if round > 0 {
                figures.0.push(took.as_secs_f64() * 1e9 / f64::from(count));
            }
        }
    }
    Ok(figures)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Figures {
    pub(crate) fn micros(&self) -> f64 {
        median(self.0.clone()) / 1e3
    }

    /// How many times as long as another it takes: the median of the rounds' ratios.
    pub(crate) fn ratio_to(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect())
    }
}

/// A row with a goal that the figure must not exceed.
pub(crate) fn at_most(work: &str, goal: f64, figure: f64, unit: &str) {
    row(work, &format!("<= {goal} {unit}"), figure, unit, Some(figure <= goal));
}

/// A row with a goal that the figure must reach.
pub(crate) fn at_least(work: &str, goal: f64, figure: f64, unit: &str) {
    row(work, &format!(">= {goal} {unit}"), figure, unit, Some(figure >= goal));
}

/// A row for the reader.
pub(crate) fn shown(work: &str, figure: f64, unit: &str) {
    row(work, "", figure, unit, None);
}

fn row(work: &str, goal: &str, figure: f64, unit: &str, passes: Option<bool>) {
    let verdict = passes.map_or("", |passes| if passes { "pass" } else { "MISS" });
    println!("{work:62} {goal:>12} {:>12} {verdict}", format!("{figure:.2} {unit}"));
}
