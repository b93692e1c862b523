//! What can be chosen about a training, and within which limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::errors::ParamError;

/// What regularisation is multiplied with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum RegScaling {
    /// The number of ratings of the row, as Spark does.
    #[default]
    #[serde(rename = "als-wr")]
    AlsWr,
    /// 1: every row is regularised alike.
    #[serde(rename = "plain")]
    Plain,
}

/// The parameters of a training, not yet checked. The defaults are those of stage `train_als`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlsParams {
    /// Floats in a factor, 1 to [`AlsParams::RANK_MAX`]. Default 64.
    pub rank: usize,
    /// λ, at least 0. Default 0.1.
    pub reg: f64,
    /// Sweeps over both sides, at least 1. Default 15.
    pub max_iter: usize,
    /// Where the initial factors come from. Default 42.
    pub seed: u64,
    /// Whether ratings are confidence in a preference (Hu, Koren, Volinsky) rather than values to predict. Default false.
    pub implicit: bool,
    /// α of the confidence `1 + α |r|`, at least 0; only used if `implicit`. Default 1.
    pub alpha: f64,
    /// What `reg` is multiplied with. Default `als-wr`.
    pub reg_scaling: RegScaling,
    /// Whether factors must not be negative. Default false, also in records from before there was a choice.
    #[serde(default)]
    pub nonnegative: bool,
}

impl Default for AlsParams {
    fn default() -> Self {
        Self { rank: 64, reg: 0.1, max_iter: 15, seed: 42, implicit: false, alpha: 1.0, reg_scaling: RegScaling::AlsWr, nonnegative: false }
    }
}

impl AlsParams {
    /// The largest rank: a normal equation of 1024 × 1024 floats is 4 MiB a thread.
    pub const RANK_MAX: usize = 1024;

    /// The parameters, if each is within its limits.
    pub fn check(self) -> Result<AlsValidParams, ParamError> {
        if !(1..=Self::RANK_MAX).contains(&self.rank) {
            return Err(ParamError::Rank(self.rank));
        }
        if !(self.reg.is_finite() && self.reg >= 0.0) {
            return Err(ParamError::Reg(self.reg));
        }
        if self.max_iter == 0 {
            return Err(ParamError::MaxIter);
        }
        if !(self.alpha.is_finite() && self.alpha >= 0.0) {
            return Err(ParamError::Alpha(self.alpha));
        }
        Ok(AlsValidParams(self))
    }
}

/// Parameters within their limits; only [`AlsParams::check`] makes them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlsValidParams(AlsParams);

impl AlsValidParams {
    /// The parameters.
    pub fn get(&self) -> &AlsParams {
        &self.0
    }
}
