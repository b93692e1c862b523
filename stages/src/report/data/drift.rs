//! What `detect_drift` returned.

use serde::Deserialize;

/// An output of `detect_drift`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Drift {
    /// The larger of both scores.
    pub drift_score: Option<f64>,
    /// What was decided.
    pub should_retrain: bool,
    /// The reasons in one line.
    pub reason: String,
    /// The verdict, then what led to it.
    pub reasons: Vec<String>,
    /// What has the larger score: `data` or `model`.
    pub subject: Option<String>,
    /// Between which values the score may lie.
    pub interval: Option<Interval>,
    /// Of the ratings.
    pub data_drift: Option<DataDrift>,
    /// Of the predictions.
    pub model_drift: Option<ModelDrift>,
    /// Ratings of each dataset.
    pub rows: Rows,
}

/// The interval of a score.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// The share of resampled scores inside, 0 to 1.
    pub confidence: f64,
}

/// Ratings of each dataset.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
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

/// How the ratings differ.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct DataDrift {
    /// The score.
    pub score: Option<f64>,
    /// What it is made of.
    pub terms: Vec<Term>,
    /// The distances.
    #[serde(flatten)]
    pub distance: Distance,
    /// Users that were not trained on.
    pub unseen_users: Unseen,
    /// Items that were not trained on.
    pub unseen_items: Unseen,
    /// Shift of popularity.
    pub item_popularity: Popularity,
}

/// How the predictions differ.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ModelDrift {
    /// The score; none if nothing could be predicted on one side.
    pub score: Option<f64>,
    /// Whether the score counts.
    pub takes_part: bool,
    /// What it is made of.
    pub terms: Vec<Term>,
    /// The distances.
    #[serde(flatten)]
    pub distance: Distance,
    /// Errors on the original test set.
    pub original: Errors,
    /// Errors on what arrived.
    pub current: Errors,
    /// How much the RMSE has risen.
    pub rmse_increase: Option<f64>,
    /// How much the MAE has risen.
    pub mae_increase: Option<f64>,
}

/// What one metric adds to a score.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Term {
    /// The metric: `kl`, `mean`, …
    pub metric: String,
    /// Its value.
    pub value: f64,
    /// Above this it speaks for drift.
    pub threshold: f64,
    /// How much it counts.
    pub weight: f64,
}

/// Errors on a test set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Errors {
    /// RMSE in stars.
    pub rmse: Option<f64>,
    /// MAE in stars.
    pub mae: Option<f64>,
    /// Rows scored.
    pub scored: u64,
    /// Rows of users or items that the model does not know.
    pub cold: u64,
}

/// Users or items that were not trained on.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Unseen {
    /// How many.
    pub count: u64,
    /// Their share of those that arrived, 0 to 1.
    pub share: Option<f64>,
    /// Their share of the ratings that arrived, 0 to 1.
    pub share_of_ratings: Option<f64>,
}

/// Shift of the popularity of items.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Popularity {
    /// Jensen-Shannon distance of the items' shares of ratings.
    pub jensen_shannon: Option<f64>,
    /// What it would be on average by chance.
    pub by_chance: Option<f64>,
}

/// Distances of two samples.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Distance {
    /// Kullback-Leibler divergence, add-½.
    pub kl_divergence: Option<f64>,
    /// The same with the original stack's smoothing.
    pub kl_divergence_epsilon: Option<f64>,
    /// Population stability index.
    pub psi: Option<f64>,
    /// Jensen-Shannon distance.
    pub jensen_shannon: Option<f64>,
    /// Kolmogorov-Smirnov test.
    pub kolmogorov_smirnov: Test,
    /// Chi-square test.
    pub chi_square: Test,
    /// Wasserstein distance, in stars.
    pub wasserstein: Option<f64>,
    /// Means and medians, in stars.
    pub mean_original: Option<f64>,
    /// Mean of what arrived.
    pub mean_current: Option<f64>,
    /// How far the mean has risen.
    pub mean_shift: Option<f64>,
    /// Median of what there was.
    pub median_original: Option<f64>,
    /// Median of what arrived.
    pub median_current: Option<f64>,
    /// How far the median has risen.
    pub median_shift: Option<f64>,
    /// Both histograms.
    pub histogram: Vec<Class>,
}

/// A test with its p-value.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Test {
    /// The statistic.
    pub statistic: Option<f64>,
    /// How often chance alone gives one as large.
    pub p_value: Option<f64>,
}

/// A class of two histograms.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Class {
    /// The rating.
    pub value: f64,
    /// How often it occurs in what there was.
    pub original: u64,
    /// How often in what arrived.
    pub current: u64,
}
