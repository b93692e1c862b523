//! Drawing a sample anew from itself, with replacement, without touching its elements one by one.
//!
//! Counts of n draws with replacement are multinomial, so a sample with few distinct values (ratings) is drawn exactly, at a cost that
//! does not depend on n. One with very many (predictions) is first grouped into runs of neighbouring values, which belong to one class
//! and hold about n / 1024 elements each: only what happens inside a run is lost, a millionth of the variance.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution};

use super::sample::Sample;

/// About how many runs a sample with more distinct values is grouped into.
const RUNS: u64 = 1024;

/// A sample prepared for being drawn.
#[derive(Debug)]
pub(super) struct Runs<'a> {
    sample: &'a Sample,
    /// The runs, in ascending order of their values.
    runs: Vec<Run>,
    counts: Vec<u64>,
    /// How many classes there are.
    classes: usize,
}

#[derive(Debug)]
struct Run {
    /// Rank of the first element.
    first: u64,
    /// Mean of the values.
    mean: f64,
    /// Number of the class.
    class: usize,
}

/// A sample drawn anew, as far as scores need it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawn {
    /// Elements of each class.
    pub(super) classes: Vec<u64>,
    /// The mean.
    pub(super) mean: f64,
    /// The median.
    pub(super) median: f64,
}

impl<'a> Runs<'a> {
    /// Prepares `sample`, which is not empty; `class` gives the number of a value's class, below `classes`.
    pub(super) fn of(sample: &'a Sample, classes: usize, class: impl Fn(f32) -> usize) -> Self {
        let largest = if sample.values().len() as u64 <= RUNS { 0 } else { sample.len() / RUNS };
        let (mut runs, mut counts): (Vec<Run>, Vec<u64>) = (Vec::new(), Vec::new());
        let mut first = 0;
        for (value, count) in sample.iter() {
            let (class, value) = (class(value), f64::from(value));
            match (runs.last_mut(), counts.last_mut()) {
                (Some(run), Some(held)) if run.class == class && *held + count <= largest => {
                    *held += count;
                    run.mean += (value - run.mean) * count as f64 / *held as f64;
                }
                _ => {
                    runs.push(Run { first, mean: value, class });
                    counts.push(count);
                }
            }
            first += count;
        }
        Self { sample, runs, counts, classes }
    }

    /// As many elements as the sample has, drawn from it with replacement.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> Drawn {
        let drawn = multinomial(&self.counts, self.sample.len(), rng);
        let mut classes = vec![0; self.classes];
        let mut sum = 0.0;
        for (run, &count) in self.runs.iter().zip(&drawn) {
            classes[run.class] += count;
            sum += run.mean * count as f64;
        }
        let n = self.sample.len();
        let median = f64::midpoint(self.at_rank(&drawn, (n - 1) / 2), self.at_rank(&drawn, n / 2));
        Drawn { classes, mean: sum / n as f64, median }
    }

    /// The element at `rank` of what was drawn; inside a run, elements are taken to be spread as in the sample.
    fn at_rank(&self, drawn: &[u64], rank: u64) -> f64 {
        let mut before = 0;
        for ((run, &count), &held) in self.runs.iter().zip(drawn).zip(&self.counts) {
            if rank < before + count {
                let place = ((rank - before) as f64 + 0.5) / count as f64 * held as f64;
                return f64::from(self.sample.at_rank(run.first + (place as u64).min(held - 1)));
            }
            before += count;
        }
        unreachable!("as many elements are drawn as there are")
    }
}

/// Counts of `draws` draws with probabilities in proportion to `weights`: one binomial draw after the other, each of what is left.
/// All 0 if the weights are.
pub(super) fn multinomial(weights: &[u64], mut draws: u64, rng: &mut ChaCha8Rng) -> Vec<u64> {
    let mut left: u64 = weights.iter().sum();
    let mut draw = |weight: u64| {
        let share = weight as f64 / left.max(1) as f64;
        left -= weight;
        // A share beyond 1 cannot be; if it were, everything that is left would be this.
        let count = if draws == 0 || weight == 0 { 0 } else { Binomial::new(draws, share).map_or(draws, |chance| chance.sample(rng)) };
        draws -= count;
        count
    };
    weights.iter().map(|&weight| draw(weight)).collect()
}
