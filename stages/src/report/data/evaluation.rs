//! What `evaluate` returned.

use std::collections::BTreeMap;

use serde::Deserialize;

pub use super::drift::Errors;

/// An output of `evaluate`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Evaluation {
    /// RMSE, MAE and how many rows they stand on.
    #[serde(flatten)]
    pub errors: Errors,
    /// Length of the ranked lists.
    pub k: u64,
    /// Ratings of at least this were relevant.
    pub rating_threshold: Option<f64>,
    /// Ranking of all items.
    #[serde(flatten)]
    pub all_items: Ranking,
    /// Ranking of the items not rated in training.
    pub unseen_items: Option<Ranking>,
    /// Ranking of the user's own test items.
    pub test_items: Option<Ranking>,
    /// What simple predictors reach.
    pub baselines: Option<Baselines>,
    /// Errors by what was rated.
    pub by_rating: Vec<RatingBin>,
    /// Figures by segment.
    pub segments: Option<Segments>,
}

/// Quality of ranked lists, means over users.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Ranking {
    /// Precision at K.
    pub precision_at_k: Option<f64>,
    /// Recall at K.
    pub recall_at_k: Option<f64>,
    /// NDCG at K.
    pub ndcg_at_k: Option<f64>,
    /// MAP at K.
    pub map_at_k: Option<f64>,
    /// MRR at K.
    pub mrr_at_k: Option<f64>,
    /// Share of users with a hit.
    pub hit_rate_at_k: Option<f64>,
    /// Share of the items that stand in any list.
    pub coverage_at_k: Option<f64>,
    /// Users ranked for.
    pub ranked_users: u64,
}

/// What simple predictors reach.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Baselines {
    /// The mean for everything.
    pub global_mean: Errors,
    /// Mean plus user and item bias.
    pub biases: Errors,
    /// The most popular items for everybody.
    pub most_popular: MostPopular,
}

/// Ranking by popularity.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct MostPopular {
    /// Of all items.
    pub all_items: Option<Ranking>,
    /// Of those not rated in training.
    pub unseen_items: Option<Ranking>,
}

/// Test ratings of one value.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RatingBin {
    /// The lowest rating in it.
    pub rating_min: f64,
    /// The highest.
    pub rating_max: f64,
    /// How many.
    pub ratings: u64,
    /// Errors over them.
    #[serde(flatten)]
    pub errors: Errors,
}

/// Figures by segment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Segments {
    /// Known users in quarters by their training ratings: `q1` to `q4`.
    pub user_activity: BTreeMap<String, Segment>,
    /// Known items in thirds of the training ratings.
    pub item_popularity: ItemPopularity,
    /// Users that were trained on.
    pub known_users: Segment,
    /// Users that were not.
    pub new_users: Segment,
    /// Items that were trained on.
    pub known_items: Segment,
    /// Items that were not.
    pub new_items: Segment,
}

/// Items by popularity.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ItemPopularity {
    /// The few most popular, with a third of the ratings.
    pub head: Segment,
    /// Those with the second third.
    pub torso: Segment,
    /// All others.
    pub tail: Segment,
}

/// A segment of users or items.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Segment {
    /// Users or items in it.
    #[serde(alias = "users", alias = "items")]
    pub count: u64,
    /// Training ratings of the one with the fewest.
    pub ratings_min: u64,
    /// Of the one with the most.
    pub ratings_max: u64,
    /// Errors over their test ratings.
    #[serde(flatten)]
    pub errors: Errors,
    /// Ranking of the items not rated in training.
    pub unseen_items: Option<Ranking>,
}
