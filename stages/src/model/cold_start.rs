//! What a model predicts for a pair whose user or item it does not know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The choice, as a training is given it and a version keeps it. Spark's `coldStartStrategy`, and `mean`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ColdStart {
    /// Nothing: such pairs are left out of every figure, and counted.
    #[default]
    Drop,
    /// NaN, as Spark does unless told otherwise: a figure over such a pair is no number.
    Nan,
    /// The mean of the ratings trained on. Spark does not know this one.
    Mean,
}

impl ColdStart {
    /// What Spark is told: it has no `mean`, and NaN is what leaves nobody to believe that there was a prediction.
    pub(super) fn spark_name(self) -> &'static str {
        match self {
            ColdStart::Drop => "drop",
            ColdStart::Nan | ColdStart::Mean => "nan",
        }
    }
}

/// The choice as a model applies it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ColdRule {
    /// No prediction.
    #[default]
    Drop,
    /// NaN.
    Nan,
    /// This rating, the mean of those trained on.
    Mean(f64),
}

impl ColdRule {
    /// The prediction for a pair that the model does not know.
    pub fn prediction(self) -> Option<f64> {
        match self {
            ColdRule::Drop => None,
            ColdRule::Nan => Some(f64::NAN),
            ColdRule::Mean(mean) => Some(mean),
        }
    }
}
