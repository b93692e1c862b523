//! What `tune` is told, and what of it contradicts itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::als::{AlsParams, RegScaling, Solver};
use crate::byte_size::ByteSize;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::matrix::Duplicates;
use crate::metrics::Metric;
use crate::stage::WorkspacePath;
use crate::tuning::proposals::TRIALS_MAX;
use crate::tuning::{Halving, Parameters, Search, Validation};

/// Inputs of `tune`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TuneInputs {
    /// Dataset of ratings to train and to validate on. Keep the test set out of it.
    pub ratings: WorkspacePath,
    /// What to try of `rank`, `reg`, `alpha` and `max_iter`: a value, a list, or `{min, max, scale: linear | log}` for `strategy: random`; of `biases`
    /// `true`, `false` or both in a list. One that is left out has the default of `train_als`.
    pub search: Search,
    /// Every combination of the lists (`grid`), or some drawn independently (`random`).
    #[serde(default)]
    pub strategy: Strategy,
    /// How many combinations `strategy: random` draws; 20 by default.
    #[schemars(range(min = 1, max = TRIALS_MAX))]
    pub trials: Option<usize>,
    /// What the folds, the draws and the initial factors come from. The same seed and data give the same trials, scores and best one.
    #[serde(default = "defaults::seed")]
    pub seed: u64,
    /// What is held out: `{kind: k_fold, folds: 5}`, `{kind: hold_out, share: 0.1}` at random, or `{kind: hold_out_by_time, share: 0.1}`, the latest.
    #[serde(default)]
    pub validation: Validation,
    /// What trials are judged by on what is held out, named as in `evaluate`, rankings being those of `unseen_items`. By default `rmse`, or
    /// `ndcg_at_k` if `implicit`.
    pub metric: Option<Metric>,
    /// Length of a ranked list.
    #[serde(default = "defaults::k")]
    #[schemars(range(min = 1, max = 100_000))]
    pub k: usize,
    /// A held-out item is relevant to a user who rated it at least this.
    #[serde(default = "defaults::rating_threshold")]
    pub rating_threshold: f64,
    /// Whether bad trials are stopped before `max_iter`: `successive_halving` compares all after a few sweeps, lets the best share go on, and so
    /// on.
    #[serde(default)]
    pub early_stopping: EarlyStopping,
    /// Of so many trials one goes on at each comparison of `successive_halving`.
    #[serde(default = "defaults::eta")]
    #[schemars(range(min = 2, max = 100))]
    pub eta: usize,
    /// Sweeps before the first comparison of `successive_halving`, at least.
    #[serde(default = "defaults::min_iter")]
    #[schemars(range(min = 1))]
    pub min_iter: usize,
    /// The most trainings beside each other; by default one a thread. Each is parallel itself, so more gain little.
    #[schemars(range(min = 1))]
    pub max_parallel: Option<usize>,
    /// What the search may hold in memory, such as `8GiB`: rating matrices, factors, workspaces. By default three quarters of what is free.
    pub memory_limit: Option<ByteSize>,
    /// Whether ratings are confidence in a preference rather than values to predict, as in `train_als`.
    #[serde(default)]
    pub implicit: bool,
    /// Whether factors must not be negative, as in `train_als`.
    #[serde(default)]
    pub nonnegative: bool,
    /// What `reg` is multiplied with, as in `train_als`.
    #[serde(default)]
    pub reg_scaling: RegScaling,
    /// How users and items are solved, as in `train_als`. All lead to the same models; `auto` gets there sooner at high ranks.
    #[serde(default)]
    pub solver: Solver,
    /// Whether each sweep starts from where the one before was heading, as in `train_als`.
    #[serde(default)]
    pub momentum: bool,
    /// What becomes of a user's several ratings of one item, as in `train_als`.
    #[serde(default)]
    pub duplicates: Duplicates,
    /// A CSV file to write, one row a trial. A file that is there is replaced.
    pub output: Option<WorkspacePath>,
}

/// How combinations are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Strategy {
    /// All of them.
    #[default]
    Grid,
    /// Some, drawn independently.
    Random,
}

/// Whether bad trials are stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum EarlyStopping {
    /// Each trial gets all its sweeps.
    #[default]
    None,
    /// Jamieson, Talwalkar 2016, with the rungs of Hyperband.
    SuccessiveHalving,
}

/// Defaults that have no type of their own.
mod defaults {
    use crate::als::AlsParams;

    pub(super) fn seed() -> u64 {
        AlsParams::default().seed
    }
    pub(super) fn k() -> usize {
        10
    }
    pub(super) fn rating_threshold() -> f64 {
        4.0
    }
    pub(super) fn eta() -> usize {
        3
    }
    /// The first two sweeps of ALS say little about the last.
    pub(super) fn min_iter() -> usize {
        3
    }
}

/// How many combinations are drawn if nobody says.
const TRIALS: usize = 20;

impl TuneInputs {
    /// What contradicts itself, before anything is read.
    pub(super) fn check(&self) -> Result<()> {
        if self.strategy == Strategy::Grid && self.trials.is_some() {
            let message = "`trials` means nothing with `strategy: grid`, which tries every combination";
            return Err(StageError::input(message).with_hint("leave it out, or write `strategy: random`"));
        }
        if self.implicit && self.metric().is_error() {
            let message =
                format!("`metric: {}` cannot be had with `implicit`: such a model predicts preferences, not ratings", self.metric().name());
            return Err(StageError::input(message).with_hint("judge its lists, for instance by `ndcg_at_k`"));
        }
        if !self.implicit && self.search.varies_in_alpha()? {
            let message = "`search.alpha` varies, but only the implicit objective has an alpha";
            return Err(StageError::input(message).with_hint("leave it out, or write `implicit: true`"));
        }
        if self.search.tries_biases() && (self.implicit || self.nonnegative) {
            let other = if self.implicit { "implicit" } else { "nonnegative" };
            let message = format!("`search.biases` cannot be had with `{other}`");
            return Err(StageError::input(message).with_hint("leave one of them out"));
        }
        if self.max_parallel == Some(0) {
            return Err(StageError::input("`max_parallel` must be at least 1, found 0"));
        }
        Ok(())
    }

    /// What trials are judged by.
    pub(super) fn metric(&self) -> Metric {
        self.metric.unwrap_or(if self.implicit { Metric::NdcgAtK } else { Metric::Rmse })
    }

    /// What all trials have in common.
    pub(super) fn base(&self) -> AlsParams {
        let Self { seed, implicit, nonnegative, reg_scaling, solver, momentum, .. } = *self;
        AlsParams { seed, implicit, nonnegative, reg_scaling, solver, momentum, ..AlsParams::default() }
    }

    /// Early stopping, if any.
    pub(super) fn halving(&self) -> Option<Halving> {
        let Self { eta, min_iter, .. } = *self;
        (self.early_stopping == EarlyStopping::SuccessiveHalving).then_some(Halving { eta, min_iter })
    }

    /// What is tried.
    pub(super) fn proposals(&self) -> Result<Vec<Parameters>> {
        match self.strategy {
            Strategy::Grid => self.search.grid(),
            Strategy::Random => self.search.random(self.trials.unwrap_or(TRIALS), self.seed),
        }
    }

    /// Warns if there is less to try than was asked for.
    pub(super) fn compare(&self, proposals: &[Parameters], context: &Context) {
        let trials = self.trials.unwrap_or(TRIALS);
        if self.strategy == Strategy::Random && proposals.len() < trials {
            context.warn(format!("`search` has no more than {} combinations; {trials} were asked for", proposals.len()));
        }
    }
}
