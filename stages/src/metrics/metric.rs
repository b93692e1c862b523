//! The figures that models are compared by, of `evaluate`'s: one list for whoever picks a model, a challenger or parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::errors::PairErrors;
use super::ranking::Ranking;

/// A figure that `evaluate` reports under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Metric {
    /// Root mean squared error, in stars; lower is better.
    #[default]
    Rmse,
    /// Mean absolute error, in stars; lower is better.
    Mae,
    /// Share of the K places that hold a relevant item; higher is better.
    PrecisionAtK,
    /// Share of the relevant items that the K places hold; higher is better.
    RecallAtK,
    /// Normalised discounted cumulative gain; higher is better.
    NdcgAtK,
    /// Mean average precision; higher is better.
    MapAtK,
    /// Mean reciprocal rank of the first relevant item; higher is better.
    MrrAtK,
    /// Share of users with a relevant item in their list; higher is better.
    HitRateAtK,
}

/// Which values of a figure are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Direction {
    /// Lower ones.
    Minimize,
    /// Higher ones.
    Maximize,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 8] = [
        Metric::Rmse,
        Metric::Mae,
        Metric::PrecisionAtK,
        Metric::RecallAtK,
        Metric::NdcgAtK,
        Metric::MapAtK,
        Metric::MrrAtK,
        Metric::HitRateAtK,
    ];

    /// Its name, as in the output of `evaluate`.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Rmse => "rmse",
            Metric::Mae => "mae",
            Metric::PrecisionAtK => "precision_at_k",
            Metric::RecallAtK => "recall_at_k",
            Metric::NdcgAtK => "ndcg_at_k",
            Metric::MapAtK => "map_at_k",
            Metric::MrrAtK => "mrr_at_k",
            Metric::HitRateAtK => "hit_rate_at_k",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Metric::Rmse => "RMSE",
            Metric::Mae => "MAE",
            Metric::PrecisionAtK => "precision at K",
            Metric::RecallAtK => "recall at K",
            Metric::NdcgAtK => "NDCG at K",
            Metric::MapAtK => "MAP at K",
            Metric::MrrAtK => "MRR at K",
            Metric::HitRateAtK => "hit rate at K",
        }
    }

    /// Which values are better.
    pub fn direction(self) -> Direction {
        if self.is_error() { Direction::Minimize } else { Direction::Maximize }
    }

    /// Whether it compares predictions with ratings, rather than lists with what is relevant.
    pub fn is_error(self) -> bool {
        matches!(self, Metric::Rmse | Metric::Mae)
    }

    /// Its value among those that were measured; `None` if that one was not, or is no number.
    pub fn of(self, errors: Option<&PairErrors>, ranking: Option<&Ranking>) -> Option<f64> {
        match self {
            Metric::Rmse => errors?.rmse,
            Metric::Mae => errors?.mae,
            Metric::PrecisionAtK => ranking?.precision_at_k,
            Metric::RecallAtK => ranking?.recall_at_k,
            Metric::NdcgAtK => ranking?.ndcg_at_k,
            Metric::MapAtK => ranking?.map_at_k,
            Metric::MrrAtK => ranking?.mrr_at_k,
            Metric::HitRateAtK => ranking?.hit_rate_at_k,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_stored_and_asked_for_by_its_name() {
        for metric in Metric::ALL {
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
        }
    }
}
