//! The combinations that are tried.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashSet;

use super::search::{Dimension, Parameters, Range, Scale, Search, Values};
use crate::error::{Result, StageError};

/// The most trials of one search: their records are one output.
pub const TRIALS_MAX: usize = 1000;

/// Draws that may repeat earlier trials before a search is held to be exhausted.
const REPEATS_MAX: usize = 100;

impl Search {
    /// Every combination, each once: the first parameter varies slowest.
    ///
    /// # Errors
    /// Those of the values; a range, which has no end of values; more than [`TRIALS_MAX`] combinations.
    pub fn grid(&self) -> Result<Vec<Parameters>> {
        let mut combinations = vec![Vec::new()];
        for dimension in self.dimensions()? {
            let values = match &dimension.values {
                Values::One(value) => vec![*value],
                Values::List(list) => list.clone(),
                Values::Range(_) => {
                    let message = format!("`search.{}` is a range, which `strategy: grid` cannot walk through", dimension.name);
                    return Err(StageError::input(message).with_hint("give a list of values, or write `strategy: random`"));
                }
            };
            if combinations.len().saturating_mul(values.len()) > TRIALS_MAX {
                let message = format!("the grid of `search` has more than {TRIALS_MAX} combinations");
                return Err(StageError::input(message).with_hint("give fewer values, or write `strategy: random`"));
            }
            let longer = |begun: &Vec<f64>| values.iter().map(|&value| [&begun[..], &[value]].concat()).collect::<Vec<_>>();
            combinations = combinations.iter().flat_map(longer).collect();
        }
        Ok(combinations.iter().map(|values| parameters(std::array::from_fn(|at| values[at]))).collect())
    }

    /// Up to `trials` different combinations, drawn independently; fewer only where there seem to be no more.
    ///
    /// Each trial is drawn from a stream of its own, so that a search with more trials begins with those of a search with fewer.
    ///
    /// # Errors
    /// Those of the values; more than [`TRIALS_MAX`] trials.
    pub fn random(&self, trials: usize, seed: u64) -> Result<Vec<Parameters>> {
        if !(1..=TRIALS_MAX).contains(&trials) {
            return Err(StageError::input(format!("`trials` must be 1 to {TRIALS_MAX}, found {trials}")));
        }
        let dimensions = self.dimensions()?;
        let mut seen = FxHashSet::default();
        let mut drawn = Vec::with_capacity(trials);
        for stream in (0..).take(trials) {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(stream);
            let mut draws = (0..REPEATS_MAX).map(|_| dimensions.each_ref().map(|dimension| dimension.draw(&mut random)));
            let Some(values) = draws.find(|values| seen.insert(values.map(f64::to_bits))) else { break };
            drawn.push(parameters(values));
        }
        Ok(drawn)
    }
}

/// Values in the order of [`Search::dimensions`], whole where they must be.
fn parameters([rank, reg, alpha, max_iter, biases]: [f64; 5]) -> Parameters {
    Parameters { rank: rank as usize, reg, alpha, max_iter: max_iter as usize, biases: biases > 0.0 }
}

impl Dimension {
    fn draw(&self, random: &mut ChaCha8Rng) -> f64 {
        match &self.values {
            Values::One(value) => *value,
            Values::List(list) => list[random.random_range(0..list.len())],
            Values::Range(range) => range.draw(self.whole, random.random::<f64>()),
        }
    }
}

impl Range {
    /// The value at `share` (0 to 1) of the range. Whole numbers are as wide as they are on the scale; others have four significant digits: no
    /// trial is better for a fifth, and people copy them.
    fn draw(&self, whole: bool, share: f64) -> f64 {
        let Self { min, max, scale } = *self;
        let margin = if whole { 0.5 } else { 0.0 };
        let (from, to) = (min - margin, max + margin);
        let value = match scale {
            Scale::Linear => from + share * (to - from),
            Scale::Log => (from.ln() + share * (to.ln() - from.ln())).exp(),
        };
        let rounded = if whole { value.round() } else { format!("{value:.3e}").parse().unwrap_or(value) };
        rounded.clamp(min, max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn search(value: serde_json::Value) -> Search {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_grid_is_every_combination_once_in_order() {
        let grid = search(json!({ "rank": [2, 4], "reg": [0.1, 0.2, 0.1], "max_iter": 3 })).grid().unwrap();
        let of = |rank, reg| Parameters { rank, reg, alpha: 1.0, max_iter: 3, biases: false };
        assert_eq!(grid, [of(2, 0.1), of(2, 0.2), of(4, 0.1), of(4, 0.2)]);
        assert_eq!(Search::default().grid().unwrap().len(), 1);
        let biases = search(json!({ "biases": [true, false, true] })).grid().unwrap();
        assert_eq!(biases.iter().map(|parameters| parameters.biases).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_grid_without_end_or_measure_is_refused() {
        let error = search(json!({ "reg": { "min": 0.1, "max": 1 } })).grid().unwrap_err();
        assert_eq!(error.message, "`search.reg` is a range, which `strategy: grid` cannot walk through");
        let many: Vec<usize> = (1..=40).collect();
        let error = search(json!({ "rank": many, "max_iter": many })).grid().unwrap_err();
        assert_eq!(error.message, "the grid of `search` has more than 1000 combinations");
        assert!(search(json!({ "rank": many, "max_iter": many[..25] })).grid().unwrap().len() == 1000);
    }

    #[test]
    fn random_trials_are_repeatable_and_more_of_them_begin_with_the_same() {
        let search = search(json!({
            "rank": { "min": 4, "max": 128, "scale": "log" }, "reg": { "min": 0.001, "max": 1, "scale": "log" }, "max_iter": [5, 10, 20],
        }));
        let trials = search.random(30, 7).unwrap();
        assert_eq!(trials.len(), 30);
        assert_eq!(trials, search.random(30, 7).unwrap());
        assert_eq!(trials[..10], search.random(10, 7).unwrap());
        assert_ne!(trials, search.random(30, 8).unwrap());
    }

    #[test]
    fn a_small_space_is_tried_whole_and_not_twice() {
        let search = search(json!({ "rank": [1, 2, 3], "reg": [0.1, 0.2] }));
        let mut trials = search.random(50, 1).unwrap();
        trials.sort_by(|a, b| (a.rank, a.reg).partial_cmp(&(b.rank, b.reg)).unwrap());
        assert_eq!(trials, search.grid().unwrap());
    }

    #[test]
    fn a_log_scale_gives_each_order_of_magnitude_its_share() {
        let search = search(json!({ "reg": { "min": 0.001, "max": 1, "scale": "log" } }));
        let trials = search.random(900, 3).unwrap();
        for decade in [0.001, 0.01, 0.1] {
            let share = trials.iter().filter(|trial| (decade..decade * 10.0).contains(&trial.reg)).count();
            assert!((250..350).contains(&share), "{share} of 900 in the decade from {decade}");
        }
        // Whole numbers: 1 reaches from 0.5 to 1.5, a quarter of ln(40.5 / 0.5) and no less likely than the scale says.
        let range = Range { min: 1.0, max: 40.0, scale: Scale::Log };
        let ones = (0..1000).filter(|share| range.draw(true, (f64::from(*share) + 0.5) / 1000.0) == 1.0).count();
        assert_eq!(ones, 250);
    }

    proptest! {
        #[test]
        fn draws_stay_in_their_range(min in 1_u32..50, width in 0_u32..1000, share in 0.0..1.0_f64, log: bool, whole: bool) {
            let scale = if log { Scale::Log } else { Scale::Linear };
            let range = Range { min: f64::from(min), max: f64::from(min + width), scale };
            let value = range.draw(whole, share);
            prop_assert!((range.min..=range.max).contains(&value));
            prop_assert!(!whole || value.fract() == 0.0);
        }
    }
}
