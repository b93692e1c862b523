//! What `detect_drift` returns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::drift::bootstrap::Interval;
use crate::drift::decision::{Decision, Subject};
use crate::drift::ids::{PopularityShift, Unseen};
use crate::drift::score::Term;
use crate::drift::{Distance, Rules, Thresholds, Weights};
use crate::metrics::PairErrors;

/// What `detect_drift` returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DetectDriftOutput {
    /// The larger of the data's and the model's score; 0 if nothing arrived.
    pub drift_score: f64,
    /// Whether to retrain: the score and the lower end of its interval are above 1, and enough ratings arrived.
    pub should_retrain: bool,
    /// The reasons in one line.
    pub reason: String,
    /// The verdict, then what led to it.
    pub reasons: Vec<String>,
    /// What has the larger score; absent if nothing arrived.
    pub subject: Option<Subject>,
    /// The interval of the score by bootstrap; absent if nothing arrived.
    pub interval: Option<Interval>,
    /// How the ratings differ; absent if nothing arrived.
    pub data_drift: Option<DataDrift>,
    /// How the model's predictions differ; absent if no test ratings arrived.
    pub model_drift: Option<ModelDrift>,
    /// Ratings of each dataset.
    pub rows: Rows,
    /// The thresholds that were used.
    pub thresholds: Thresholds,
    /// The weights that were used.
    pub weights: Weights,
}

/// Ratings of each dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Rows {
    /// Trained on.
    pub original_train: u64,
    /// Tested with.
    pub original_test: u64,
    /// Arrived since, for training.
    pub current_train: u64,
    /// Arrived since, for testing.
    pub current_test: u64,
}

/// How the ratings that arrived differ from those trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct DataDrift {
    /// The metrics over their thresholds, weighted.
    pub score: f64,
    /// What the score is made of.
    pub terms: Vec<Term>,
    /// The distances of the ratings.
    #[serde(flatten)]
    pub distance: Distance,
    /// Users that the training set does not have.
    pub unseen_users: Unseen,
    /// Items that the training set does not have.
    pub unseen_items: Unseen,
    /// Whether other items are popular now.
    pub item_popularity: PopularityShift,
}

/// How the model's predictions on the test ratings that arrived differ from those on the original test set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ModelDrift {
    /// The metrics over their thresholds, weighted; absent if nothing could be predicted on one side.
    pub score: Option<f64>,
    /// Whether there are enough predictions for the score to count.
    pub takes_part: bool,
    /// What the score is made of.
    pub terms: Vec<Term>,
    /// The distances of the predictions; absent if nothing could be predicted on one side.
    #[serde(flatten)]
    pub distance: Option<Distance>,
    /// Errors on the original test set.
    pub original: PairErrors,
    /// Errors on the test ratings that arrived.
    pub current: PairErrors,
    /// How much the RMSE has risen, in stars; negative if it fell, absent if one is not known.
    pub rmse_increase: Option<f64>,
    /// How much the MAE has risen, in stars; negative if it fell, absent if one is not known.
    pub mae_increase: Option<f64>,
}

impl DetectDriftOutput {
    /// The output if nothing arrived.
    pub(super) fn without_stream(rows: Rows, rules: &Rules) -> Self {
        let decision = Decision::no("no streaming ratings");
        Self {
            drift_score: 0.0,
            should_retrain: false,
            reason: decision.line(),
            reasons: decision.reasons,
            subject: None,
            interval: None,
            data_drift: None,
            model_drift: None,
            rows,
            thresholds: rules.thresholds,
            weights: rules.weights,
        }
    }

    pub(super) fn decide(&mut self, decision: Decision, score: f64, subject: Subject, interval: Interval) {
        self.drift_score = score;
        self.should_retrain = decision.should_retrain;
        self.reason = decision.line();
        self.reasons = decision.reasons;
        self.subject = Some(subject);
        self.interval = Some(interval);
    }
}
