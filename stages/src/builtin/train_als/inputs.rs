//! What can be chosen about a training, and what goes together.

use schemars::JsonSchema;
use serde::Deserialize;

use super::early_stopping::EarlyStopping;
use crate::als::{AlsParams, AlsValidParams, RegScaling, Solver};
use crate::error::{Result, StageError};
use crate::matrix::Duplicates;
use crate::model::ColdStart;
use crate::stage::WorkspacePath;

/// Inputs of `train_als`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainAlsInputs {
    /// Dataset of ratings to train on.
    pub ratings: WorkspacePath,
    /// Folder of model versions; a new one is published there.
    pub models: WorkspacePath,
    /// Floats in a factor.
    #[serde(default = "defaults::rank")]
    #[schemars(range(min = 1, max = 1024))]
    pub rank: usize,
    /// Regularisation λ.
    #[serde(default = "defaults::reg")]
    #[schemars(range(min = 0))]
    pub reg: f64,
    /// What `reg` is multiplied with: the number of ratings of the row (`als-wr`, as Spark does) or 1 (`plain`).
    #[serde(default)]
    pub reg_scaling: RegScaling,
    /// Sweeps over items and users.
    #[serde(default = "defaults::max_iter")]
    #[schemars(range(min = 1))]
    pub max_iter: usize,
    /// Where the initial factors come from. The same seed and data give the same factors, whatever the number of threads.
    #[serde(default = "defaults::seed")]
    pub seed: u64,
    /// Whether ratings are confidence in a preference (Hu, Koren, Volinsky 2008) rather than values to predict.
    #[serde(default)]
    pub implicit: bool,
    /// Growth of confidence with the rating, `1 + alpha · |rating|`; only used if `implicit`.
    #[serde(default = "defaults::alpha")]
    #[schemars(range(min = 0))]
    pub alpha: f64,
    /// Whether factors must not be negative, so that each can be read as "how much of this taste".
    #[serde(default)]
    pub nonnegative: bool,
    /// How users and items are solved, one by one: exactly (`cholesky`, as Spark does), by a few steps of conjugate gradients from what they were (`cg`), by
    /// blocks of factors (`ials++`), or each exactly or by conjugate gradients, whichever takes less time (`auto`). The higher the rank, the
    /// more is gained by not being exact.
    #[serde(default)]
    pub solver: Solver,
    /// Steps of conjugate gradients; only used by `cg` and `auto`.
    #[serde(default = "defaults::cg_steps")]
    #[schemars(range(min = 1))]
    pub cg_steps: usize,
    /// Factors in a block, rounded up to a multiple of 16; only used by `ials++`.
    #[serde(default = "defaults::block_size")]
    #[schemars(range(min = 1))]
    pub block_size: usize,
    /// Whether a prediction is the product of factors alone, as Spark's is, or also has the mean of all ratings, a bias of the user and one of the item.
    /// Biases are stored as two factors more. Not with `implicit` or `nonnegative`.
    #[serde(default)]
    pub biases: bool,
    /// Whether each sweep starts from where the one before was heading (Nesterov's extrapolation of the users), and anew from where they are once the loss has risen.
    /// Takes a third to a half fewer sweeps to the same loss.
    #[serde(default)]
    pub momentum: bool,
    /// Days after which a rating counts half as much as one of the newest date in `ratings`, after twice as many a quarter, and so on: the weight of
    /// its squared error or, if `implicit`, of what it adds to confidence. By default all count the same.
    pub recency_half_life: Option<f64>,
    /// Model to start from instead of random factors: a version in `models`, `latest`, `current`, or a path, which has a `/` in it. Then a few sweeps
    /// suffice (`max_iter: 3`). `latest` and `current` may not exist yet.
    #[schemars(length(min = 1))]
    pub warm_start: Option<String>,
    /// What the model predicts for users and items that it does not know: nothing (`drop`), NaN as Spark does by default (`nan`),
    /// or the mean of the ratings trained on (`mean`). `evaluate` goes by it.
    #[serde(default)]
    pub cold_start: ColdStart,
    /// What becomes of a user's several ratings of one item: the latest counts, or `all` do, as in Spark.
    #[serde(default)]
    pub duplicates: Duplicates,
    /// Share of the pairs of user and item, more than 0 and less than 1, whose ratings are held out of the training and scored after each sweep: drawn by
    /// a hash of `seed` and the pair. The published model has not seen them.
    pub holdout: Option<f64>,
    /// Dataset of ratings to score after each sweep, instead of a `holdout`.
    pub validation: Option<WorkspacePath>,
    /// End before `max_iter` once the error on held-out ratings no longer falls, and publish the factors of the best sweep: `{}` or
    /// `{patience: 3, min_delta: 0}`. Goes with `holdout` or `validation`.
    pub early_stopping: Option<EarlyStopping>,
    /// Keep a checkpoint every so many sweeps, from which a retry or a resume goes on after a crash; 0 for none. By default one is
    /// kept whenever a minute has passed.
    pub checkpoint_every: Option<u64>,
}

/// The defaults of [`AlsParams`], which are Spark's users' usual ones.
mod defaults {
    use crate::als::AlsParams;

    pub(super) fn rank() -> usize {
        AlsParams::default().rank
    }
    pub(super) fn reg() -> f64 {
        AlsParams::default().reg
    }
    pub(super) fn max_iter() -> usize {
        AlsParams::default().max_iter
    }
    pub(super) fn seed() -> u64 {
        AlsParams::default().seed
    }
    pub(super) fn alpha() -> f64 {
        AlsParams::default().alpha
    }
    pub(super) fn cg_steps() -> usize {
        AlsParams::default().cg_steps
    }
    pub(super) fn block_size() -> usize {
        AlsParams::default().block_size
    }
}

impl TrainAlsInputs {
    /// The parameters of the solver, once everything makes sense together.
    ///
    /// # Errors
    /// Inputs that are out of range, or that do not go together.
    pub(super) fn params(&self) -> Result<AlsValidParams> {
        self.check_holdout()?;
        if let Some(days) = self.recency_half_life.filter(|days| !(days.is_finite() && *days > 0.0)) {
            return Err(StageError::input(format!("`recency_half_life` must be a number of days above 0, found {days}"))
                .with_hint("365 lets a rating count half after a year; leave it out and all count the same"));
        }
        if self.implicit && self.cold_start == ColdStart::Mean {
            let message = "`cold_start: mean` cannot be had with `implicit`: such a model predicts preferences, not ratings";
            return Err(StageError::input(message).with_hint("write `cold_start: drop` or `nan`"));
        }
        let Self { rank, reg, max_iter, seed, implicit, alpha, reg_scaling, nonnegative, .. } = *self;
        let Self { solver, cg_steps, block_size, biases, momentum, .. } = *self;
        let params = AlsParams {
            rank,
            reg,
            max_iter,
            seed,
            implicit,
            alpha,
            reg_scaling,
            nonnegative,
            solver,
            cg_steps,
            block_size,
            biases,
            momentum,
        };
        Ok(params.check()?)
    }

    /// That what is held out, and what is done with it, makes sense.
    fn check_holdout(&self) -> Result<()> {
        let held_out = self.holdout.is_some() || self.validation.is_some();
        if let Some(share) = self.holdout.filter(|share| !(*share > 0.0 && *share < 1.0)) {
            return Err(StageError::input(format!("`holdout` must be more than 0 and less than 1, found {share}"))
                .with_hint("0.1 holds a tenth of the ratings out"));
        }
        if self.holdout.is_some() && self.validation.is_some() {
            return Err(
                StageError::input("`holdout` and `validation` both say what is scored after each sweep").with_hint("give one of them")
            );
        }
        if self.early_stopping.is_some() && !held_out {
            return Err(StageError::input("`early_stopping` needs ratings that the training does not see")
                .with_hint("give `holdout: 0.1`, or a dataset as `validation`"));
        }
        if held_out && self.implicit {
            return Err(StageError::input(
                "`holdout` and `validation` cannot be had with `implicit`: such a model predicts preferences, not ratings",
            )
            .with_hint("judge its lists: stage `evaluate`"));
        }
        Ok(())
    }
}
