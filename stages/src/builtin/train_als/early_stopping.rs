//! When a training has learned what it can.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::als::Iteration;

/// When to end a training before `max_iter`, by the error on held-out ratings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct EarlyStopping {
    /// End after so many sweeps in a row without improvement.
    #[serde(default = "three")]
    #[schemars(range(min = 1))]
    pub patience: usize,
    /// An error that is lower by no more than this, in stars, is no improvement.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub min_delta: f64,
}

fn three() -> usize {
    3
}

/// Follows the error on held-out ratings, sweep by sweep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    rule: Option<EarlyStopping>,
    /// The best sweep and its error.
    best: Option<(usize, f64)>,
    /// The last sweep seen.
    last: usize,
}

impl Watch {
    /// Without a rule it finds the best sweep and never ends a training.
    pub(super) fn new(rule: Option<EarlyStopping>) -> Self {
        Self { rule, best: None, last: 0 }
    }

    /// Takes the next sweep into account.
    pub(super) fn see(&mut self, iteration: &Iteration) {
        self.last = iteration.number;
        let Some(rmse) = iteration.holdout_rmse else { return };
        let min_delta = self.rule.map_or(0.0, |rule| rule.min_delta);
        if self.best.is_none_or(|(_, best)| rmse < best - min_delta) {
            self.best = Some((iteration.number, rmse));
        }
    }

    /// The best sweep; none without held-out ratings.
    pub(super) fn best(&self) -> Option<usize> {
        self.best.map(|(number, _)| number)
    }

    /// Whether the factors of the best sweep are the ones that will be published, and are not the ones of the last.
    pub(super) fn goes_back(&self) -> bool {
        self.rule.is_some() && self.best().is_some_and(|best| best != self.last)
    }

    /// Whether the training should end.
    pub(super) fn is_over(&self) -> bool {
        self.rule.zip(self.best()).is_some_and(|(rule, best)| self.last - best >= rule.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sweep after which a training with these errors ends, and its best one.
    fn ends(rule: Option<EarlyStopping>, errors: &[f64]) -> (usize, Option<usize>) {
        let mut watch = Watch::new(rule);
        for (&rmse, number) in errors.iter().zip(1..) {
            watch.see(&Iteration { number, loss: 0.0, train_rmse: None, holdout_rmse: Some(rmse) });
            if watch.is_over() {
                break;
            }
        }
        (watch.last, watch.best())
    }

    #[test]
    fn a_training_ends_after_so_many_sweeps_without_improvement() {
        let rule = |patience, min_delta| Some(EarlyStopping { patience, min_delta });
        let errors = [1.0, 0.9, 0.95, 0.89, 0.9, 0.91, 0.5];
        assert_eq!(ends(rule(1, 0.0), &errors), (3, Some(2)));
        assert_eq!(ends(rule(2, 0.0), &errors), (6, Some(4)));
        assert_eq!(ends(rule(3, 0.0), &errors), (7, Some(7)));
        // 0.89 is no improvement on 0.9 by more than 0.02.
        assert_eq!(ends(rule(2, 0.02), &errors), (4, Some(2)));
        assert_eq!(ends(None, &errors), (7, Some(7)));
    }
}
