//! What can be chosen about a training, and within which limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bias::Bias;
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

/// How a row is solved against the other side; see the modules of [`crate::als`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Solver {
    /// Exactly, by forming the normal equation.
    #[default]
    #[serde(rename = "cholesky")]
    Cholesky,
    /// A few steps of conjugate gradients from what the row was before.
    #[serde(rename = "cg")]
    Cg,
    /// Block by block, each block exactly (iALS++).
    #[serde(rename = "ials++")]
    IalsPlusPlus,
    /// Each row exactly or by conjugate gradients, whichever costs less.
    #[serde(rename = "auto")]
    Auto,
}

impl Solver {
    /// What it is called in inputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cholesky => "cholesky",
            Self::Cg => "cg",
            Self::IalsPlusPlus => "ials++",
            Self::Auto => "auto",
        }
    }
}

/// The parameters of a training, not yet checked. The defaults are those of stage `train_als`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// How rows are solved. Default `cholesky`, also in records from before there was a choice.
    #[serde(default)]
    pub solver: Solver,
    /// Steps of conjugate gradients a row, at least 1; only used by `cg` and `auto`. Default 3.
    #[serde(default = "cg_steps")]
    pub cg_steps: usize,
    /// Factors in a block, at least 1; only used by `ials++`, which rounds it up to a multiple of 16. Default 32.
    #[serde(default = "block_size")]
    pub block_size: usize,
    /// Whether a prediction also has the mean of all ratings, a bias of the user and one of the item. Default false.
    #[serde(default)]
    pub biases: bool,
    /// Whether a sweep starts from where the one before was heading. Default false, also in records from before there was a choice.
    #[serde(default)]
    pub momentum: bool,
}

fn cg_steps() -> usize {
    3
}

fn block_size() -> usize {
    32
}

impl Default for AlsParams {
    fn default() -> Self {
        Self {
            rank: 64,
            reg: 0.1,
            max_iter: 15,
            seed: 42,
            implicit: false,
            alpha: 1.0,
            reg_scaling: RegScaling::AlsWr,
            nonnegative: false,
            solver: Solver::Cholesky,
            cg_steps: cg_steps(),
            block_size: block_size(),
            biases: false,
            momentum: false,
        }
    }
}

impl AlsParams {
    /// The largest rank: a normal equation of 1024 × 1024 floats is 4 MiB a thread.
    pub const RANK_MAX: usize = 1024;

    /// Floats in a row of factors as models hold them: `rank`, and two more for biases.
    pub fn width(&self) -> usize {
        self.rank + if self.biases { Bias::DIMENSIONS } else { 0 }
    }

    /// The `rank` of a training with these parameters whose rows of factors have `width` floats.
    pub fn rank_of_width(&self, width: usize) -> usize {
        width.saturating_sub(if self.biases { Bias::DIMENSIONS } else { 0 })
    }

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
        if self.cg_steps == 0 {
            return Err(ParamError::CgSteps);
        }
        if self.block_size == 0 {
            return Err(ParamError::BlockSize);
        }
        if self.nonnegative && matches!(self.solver, Solver::Cg | Solver::IalsPlusPlus) {
            return Err(ParamError::NonnegativeSolver(self.solver.name()));
        }
        if self.biases && (self.nonnegative || self.implicit) {
            return Err(ParamError::Biases(if self.implicit { "implicit" } else { "nonnegative" }));
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
