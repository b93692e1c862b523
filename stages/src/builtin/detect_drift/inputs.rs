//! What `detect_drift` takes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::drift::bootstrap::Resampling;
use crate::drift::{Thresholds, Weights};
use crate::stage::WorkspacePath;

/// Inputs of `detect_drift`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectDriftInputs {
    /// The model version's folder, whose predictions on both test sets are compared.
    pub model: WorkspacePath,
    /// Dataset that the model was trained on.
    pub original_train: WorkspacePath,
    /// Dataset that the model was tested on.
    pub original_test: WorkspacePath,
    /// Dataset of the training ratings that arrived since. One that is not there, or empty, means no drift.
    pub current_train: WorkspacePath,
    /// Dataset of the test ratings that arrived since. If it is not there, or empty, the data alone are judged.
    pub current_test: WorkspacePath,
    /// The value of each metric above which it speaks for drift; one that is left out keeps its default.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// The metrics that take part in the score, and how much each counts; one that is left out counts nothing. Those of distributions sum to 1.
    #[serde(default)]
    pub weights: Weights,
    /// Fewer streaming training ratings than this never lead to a retrain; fewer predictions on either test set leave the model's score aside.
    #[serde(default = "hundred")]
    pub min_rows: u64,
    /// The share of resampled scores inside the interval whose lower end must be above 1 too. The larger, the surer must a drift be.
    #[serde(default = "four_fifths")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub confidence: f64,
    /// How many times the ratings are drawn anew for the interval.
    #[serde(default = "thousand")]
    #[schemars(range(min = 100, max = 100_000))]
    pub resamples: u32,
    /// Where the random numbers of the interval come from.
    #[serde(default = "forty_two")]
    pub seed: u64,
}

fn hundred() -> u64 {
    100
}

fn four_fifths() -> f64 {
    0.8
}

fn thousand() -> u32 {
    1000
}

fn forty_two() -> u64 {
    42
}

impl DetectDriftInputs {
    pub(super) fn resampling(&self) -> Resampling {
        Resampling { resamples: self.resamples, confidence: self.confidence, seed: self.seed }
    }
}
