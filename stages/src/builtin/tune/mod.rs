//! `tune`: searches for the parameters of `train_als` that predict best what was held out.

mod inputs;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::byte_size::ByteSize;
use crate::context::{Context, Unit};
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, Extent, FLOPS, Forecast, ModelExtent, PROCESS_BYTES, dataset_bytes};
use crate::metrics::Metric;
use crate::metrics::metric::Direction;
use crate::ratings::Ratings;
use crate::stage::{Runs, Stage};
use crate::storage::write_atomically;
use crate::tuning::folds::FoldSize;
use crate::tuning::{Fold, Found, Judge, Parameters, Trial, Tuner, memory, table};

pub use inputs::TuneInputs;

/// Searches for the best parameters.
#[derive(Debug)]
pub struct Tune;

/// What `tune` returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TuneOutput {
    /// The parameters of the best trial: `train_als` takes them as they are.
    pub best: Parameters,
    /// Number of the best trial.
    pub best_trial: u64,
    /// Its mean score.
    pub best_score: f64,
    /// Standard deviation of its scores over the folds: differences between trials that are much smaller mean nothing.
    pub best_std: f64,
    /// What trials were judged by.
    pub metric: Metric,
    /// Which scores are better.
    pub direction: Direction,
    /// Each fold in figures, in the order of the scores.
    pub folds: Vec<FoldSize>,
    /// Every trial, in the order of the grid or of the draws.
    pub trials: Vec<Trial>,
    /// Sweeps over all trials and folds.
    pub sweeps: u64,
    /// Wall-clock seconds of the search, without reading.
    pub seconds: f64,
    /// The most trainings that ran beside each other.
    pub parallel: u64,
    /// The CSV file, as it was given; absent if none was asked for.
    pub path: Option<String>,
}

impl Stage for Tune {
    const NAME: &'static str = "tune";
    const SUMMARY: &'static str = "Searches for the parameters of train_als that predict best what was held out";
    const RUNS: Runs = Runs::Child;
    type Inputs = TuneInputs;
    type Output = TuneOutput;

    fn estimate(inputs: &TuneInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let Extent { rows, users, items } = forecast.dataset(&inputs.ratings)?;
        let proposals = inputs.proposals().ok()?;
        let (folds, share) = inputs.validation.shape();
        let trained = rows as f64 * share;
        let sweeps = |parameters: &Parameters| {
            let k = parameters.rank as f64;
            parameters.max_iter as f64 * (2.0 * trained * k * (k + 1.0) + (users + items) as f64 * k.powi(3) / 3.0) / FLOPS
        };
        // Early stopping spares about half of the sweeps.
        let spared = if inputs.halving().is_some() { 0.5 } else { 1.0 };
        let sweeps = folds as f64 * spared * proposals.iter().map(sweeps).sum::<f64>();
        let largest = proposals.iter().map(|parameters| parameters.rank as u64).max().unwrap_or_default();
        let factors = ModelExtent { users, items, rank: largest }.bytes();
        let beside = inputs.max_parallel.unwrap_or_else(rayon::current_num_threads).min(proposals.len() * folds) as u64;
        // Each fold holds its ratings twice and what it holds out once; the ratings themselves are there while folds are made.
        let held = PROCESS_BYTES + rows * 16 * (1 + folds as u64) + 2 * factors * beside;
        Some(Estimate {
            rows: rows * folds as u64,
            read_bytes: dataset_bytes(rows),
            written_bytes: 0,
            memory_bytes: inputs.memory_limit.map_or(held, |limit| held.min(limit.0.max(PROCESS_BYTES + rows * 16 * (1 + folds as u64)))),
            cpu_seconds: rows as f64 * folds as f64 * 1.2e-7 + sweeps,
            output: json!({}),
            remedy: "use fewer folds (`validation`), or a `hold_out`, smaller ranks, or `max_parallel: 1`",
        })
    }

    fn run(inputs: TuneInputs, context: &Context) -> Result<TuneOutput> {
        inputs.check()?;
        let proposals = inputs.proposals()?;
        inputs.compare(&proposals, context);
        let dataset = Dataset::open(&context.resolve(&inputs.ratings), context)?;
        context.progress("read", 0, Some(dataset.rows()), Unit::Rows);
        let ratings = dataset.read(context)?;
        let output = search(&inputs, &proposals, ratings, context)?;
        if let Some(path) = &inputs.output {
            let folds = output.folds.len();
            write_atomically(context.storage.as_ref(), &context.resolve(path), |file| table::write(&output.trials, folds, file))?;
        }
        Ok(output)
    }
}

/// Holds out, tries everything, and describes what was found. Writes nothing.
fn search(inputs: &TuneInputs, proposals: &[Parameters], ratings: Ratings, context: &Context) -> Result<TuneOutput> {
    if ratings.is_empty() {
        let message = format!("the dataset `{}` has no ratings to tune on", inputs.ratings);
        return Err(StageError::input(message).with_hint("look at the report of `etl`: were its rows rejected?"));
    }
    let started = context.clock.now();
    let folds = inputs.validation.split(&ratings, inputs.duplicates, inputs.seed, context)?;
    drop(ratings);
    let sizes: Vec<FoldSize> = folds.iter().map(Fold::size).collect();
    describe(&sizes, proposals.len(), context);
    let judge = Judge::of(inputs.metric(), inputs.k, inputs.rating_threshold, &folds)?;
    let tuner = Tuner {
        folds: &folds,
        judge: &judge,
        base: &inputs.base(),
        halving: inputs.halving(),
        memory: memory_left(inputs.memory_limit, &folds),
        parallel_max: inputs.max_parallel.unwrap_or_else(rayon::current_num_threads),
        context,
    };
    let Found { trials, best, sweeps, parallel } = tuner.run(proposals)?;
    let Trial { number, parameters, mean, std, .. } = trials[best].clone();
    let (Some(best_score), Some(best_std)) = (mean, std) else { return Err(StageError::bug("the best trial has no score")) };
    let Parameters { rank, reg, alpha, max_iter, biases } = parameters;
    let seconds = context.clock.now().duration_since(started).as_secs_f64();
    let (name, with_biases) = (inputs.metric().name(), if biases { ", biases" } else { "" });
    context.info(format!(
        "best: trial {number}, rank {rank}, reg {reg}, alpha {alpha}, max_iter {max_iter}{with_biases}: {name} {best_score:.4}; {} trials, {sweeps} sweeps in {seconds:.2} s",
        trials.len()
    ));
    Ok(TuneOutput {
        best: parameters,
        best_trial: number,
        best_score,
        best_std,
        metric: inputs.metric(),
        direction: inputs.metric().direction(),
        folds: sizes,
        trials,
        sweeps,
        seconds,
        parallel: parallel as u64,
        path: inputs.output.as_ref().map(ToString::to_string),
    })
}

/// What is left for factors and workspaces now that the matrices are there.
fn memory_left(limit: Option<ByteSize>, folds: &[Fold]) -> u64 {
    let matrices = || folds.iter().map(|fold| memory::matrix_bytes(&fold.matrix) + fold.held_out.len() as u64 * 16).sum::<u64>();
    limit.map_or_else(|| memory::available().unwrap_or(u64::MAX), |ByteSize(limit)| limit.saturating_sub(matrices()))
}

/// Says what trials are judged on, and warns where that is little.
fn describe(sizes: &[FoldSize], trials: usize, context: &Context) {
    let total = |of: fn(&FoldSize) -> u64| sizes.iter().map(of).sum::<u64>();
    let (held_out, cold) = (total(|size| size.held_out), total(|size| size.cold));
    context.info(format!("{trials} trials on {} folds: {held_out} ratings held out, {cold} of them cold", sizes.len()));
    if cold * 2 > held_out {
        context.warn(format!(
            "{cold} of {held_out} held-out ratings are of users or items that the training part does not have: trials are judged by the others alone"
        ));
    }
}
