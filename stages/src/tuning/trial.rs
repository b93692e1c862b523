//! What is recorded of each trial, and which trial is best.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::search::Parameters;
use crate::metrics::metric::Direction;

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    /// It had all its sweeps.
    Completed,
    /// Early stopping ended it: others were better after as many sweeps.
    Stopped,
    /// It has no score; `error` says why.
    Failed,
}

/// One combination of parameters, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Trial {
    /// From 1, in the order of the grid or of the draws.
    pub number: u64,
    /// What was tried.
    pub parameters: Parameters,
    /// How it ended.
    pub state: State,
    /// The score on each fold; empty if it failed.
    pub scores: Vec<f64>,
    /// The mean of the scores; absent if it failed.
    pub mean: Option<f64>,
    /// The standard deviation of the scores (of these, not an estimate of all: divided by their number), 0 for one fold; absent if it failed.
    pub std: Option<f64>,
    /// Sweeps behind the scores: `max_iter`, or those after which it was stopped.
    pub iterations: u64,
    /// Wall-clock seconds of its trainings and their scoring, summed over the folds. Trainings beside each other share the processors. Sweeps
    /// that it shares with trials that differ in `max_iter` alone count for each of them.
    pub seconds: f64,
    /// Why there is no score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Mean and standard deviation, summed in order.
pub(super) fn mean_and_std(scores: &[f64]) -> (f64, f64) {
    let count = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / count;
    let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// What trials are ordered by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Standing {
    pub(super) score: f64,
    /// See [`Parameters::cost`].
    pub(super) cost: f64,
    pub(super) number: u64,
}

impl Standing {
    /// The better score first, of equal scores the cheaper parameters, of equally cheap ones the earlier trial.
    pub(super) fn better_first(&self, other: &Self, direction: Direction) -> Ordering {
        let by_score = match direction {
            Direction::Minimize => self.score.total_cmp(&other.score),
            Direction::Maximize => other.score.total_cmp(&self.score),
        };
        by_score.then(self.cost.total_cmp(&other.cost)).then(self.number.cmp(&other.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_standard_deviation_by_hand() {
        // numpy: np.mean([1, 2, 6]), np.std([1, 2, 6])
        let (mean, std) = mean_and_std(&[1.0, 2.0, 6.0]);
        assert_eq!((mean, std), (3.0, (14.0_f64 / 3.0).sqrt()));
        assert_eq!(mean_and_std(&[0.5]), (0.5, 0.0));
    }

    #[test]
    fn ties_go_to_the_cheaper_and_then_to_the_earlier() {
        let standing = |score, cost, number| Standing { score, cost, number };
        let order = |direction| {
            let mut all = [standing(0.9, 8.0, 1), standing(0.8, 9.0, 2), standing(0.8, 4.0, 4), standing(0.8, 4.0, 3)];
            all.sort_by(|a, b| a.better_first(b, direction));
            all.map(|standing| standing.number)
        };
        assert_eq!(order(Direction::Minimize), [3, 4, 2, 1]);
        assert_eq!(order(Direction::Maximize), [1, 3, 4, 2]);
    }
}
