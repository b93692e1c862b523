//! `train_als`: factors from a dataset of ratings, published as a new model version.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::als::{AlsParams, AlsValidParams, Fit, Iteration, RegScaling};
use crate::context::{Context, Progress, Report, Unit};
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::matrix::{Duplicates, RatingMatrix};
use crate::model::publish::Claim;
use crate::model::record::{DatasetRecord, FORMAT, to_created_at};
use crate::model::{ColdStart, ModelRecord, publish_named, versions};
use crate::names::Names;
use crate::ratings::Ratings;
use crate::stage::{Runs, Stage, WorkspacePath};

/// Trains factors by alternating least squares.
#[derive(Debug)]
pub struct TrainAls;

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
    /// What the model predicts for users and items that it does not know: nothing (`drop`), NaN as Spark does by default (`nan`),
    /// or the mean of the ratings trained on (`mean`). `evaluate` goes by it.
    #[serde(default)]
    pub cold_start: ColdStart,
    /// What becomes of a user's several ratings of one item: the latest counts, or `all` do, as in Spark.
    #[serde(default)]
    pub duplicates: Duplicates,
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
}

/// What `train_als` returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrainAlsOutput {
    /// Where the version lies.
    pub path: String,
    /// The version's name.
    pub version: String,
    /// Wall-clock seconds of the sweeps.
    pub fit_seconds: f64,
    /// The objective after the last sweep, regularisation included.
    pub loss: f64,
    /// Root mean squared error over the ratings trained on; absent if `implicit`.
    pub train_rmse: Option<f64>,
    /// Floats in a factor.
    pub rank: u64,
    /// Users with factors.
    pub users: u64,
    /// Items with factors.
    pub items: u64,
    /// Ratings trained on, after duplicates were resolved.
    pub ratings: u64,
}

impl TrainAlsInputs {
    fn params(&self) -> Result<AlsValidParams> {
        if self.implicit && self.cold_start == ColdStart::Mean {
            let message = "`cold_start: mean` cannot be had with `implicit`: such a model predicts preferences, not ratings";
            return Err(StageError::input(message).with_hint("write `cold_start: drop` or `nan`"));
        }
        let Self { rank, reg, max_iter, seed, implicit, alpha, reg_scaling, nonnegative, .. } = *self;
        Ok(AlsParams { rank, reg, max_iter, seed, implicit, alpha, reg_scaling, nonnegative }.check()?)
    }
}

impl Stage for TrainAls {
    const NAME: &'static str = "train_als";
    const SUMMARY: &'static str = "Trains a factor model by alternating least squares and publishes it as a new version";
    const RUNS: Runs = Runs::Child;
    type Inputs = TrainAlsInputs;
    type Output = TrainAlsOutput;

    fn run(inputs: TrainAlsInputs, context: &Context) -> Result<TrainAlsOutput> {
        let params = inputs.params()?;
        let models = context.resolve(&inputs.models);
        if let Some(record) = versions::published(&models, &context.publish_key)? {
            context.info(format!("`{}` was already published by this task; nothing to do", record.version));
            return serde_json::from_value(record.output)
                .map_err(|error| StageError::bug(format!("the output recorded in `{}` is unreadable: {error}", record.version)));
        }
        let dataset = Dataset::open(&context.resolve(&inputs.ratings), context)?;
        context.progress("read", 0, Some(dataset.rows()), Unit::Rows);
        let ratings = dataset.read(context)?;
        let trained_on =
            DatasetRecord { path: inputs.ratings.to_string(), fingerprint: dataset.fingerprint().to_owned(), rows: dataset.rows() };
        train_and_publish(&inputs, &params, &ratings, &dataset.names()?, trained_on, context)
    }
}

fn train_and_publish(
    inputs: &TrainAlsInputs,
    params: &AlsValidParams,
    ratings: &Ratings,
    names: &Names,
    dataset: DatasetRecord,
    context: &Context,
) -> Result<TrainAlsOutput> {
    if ratings.is_empty() {
        let message = format!("the dataset `{}` has no ratings to train on", inputs.ratings);
        return Err(StageError::input(message).with_hint("look at the report of `etl`: were its rows rejected?"));
    }
    context.progress("index", 0, Some(ratings.len() as u64), Unit::Rows);
    let matrix = RatingMatrix::build(ratings, inputs.duplicates)?;
    context.check_cancelled()?;
    let started = context.clock.now();
    let fit = params.fit(&matrix, &context.cancel, |iteration| report(iteration, params.get().max_iter, context))?;
    let fit_seconds = context.clock.now().duration_since(started).as_secs_f64();
    let training = Training { inputs, params, matrix: &matrix, fit: &fit, fit_seconds, dataset };

    context.progress("publish", 0, None, Unit::Bytes);
    let models = context.resolve(&inputs.models);
    let mut output = None;
    let record = |claim: &Claim| {
        let made = training.output(claim, context);
        let record = training.record(&made, claim, context);
        output = Some(made);
        record
    };
    publish_named(&models, &fit.model, names, record, context)?;
    let output = output.ok_or_else(|| StageError::bug("a model was published without a record"))?;
    let TrainAlsOutput { version, rank, users, items, ratings, loss, .. } = &output;
    context.info(format!("{version}: rank {rank}, {users} users, {items} items, {ratings} ratings, loss {loss:.4} in {fit_seconds:.2} s"));
    Ok(output)
}

fn report(iteration: &Iteration, total: usize, context: &Context) {
    let Iteration { number, loss, train_rmse } = *iteration;
    let step = number as u64;
    context.metric("loss", step, loss);
    let mut metrics = BTreeMap::from([("loss".to_owned(), loss)]);
    if let Some(rmse) = train_rmse {
        context.metric("train_rmse", step, rmse);
        metrics.insert("train_rmse".to_owned(), rmse);
    }
    let progress = Progress { phase: "iteration".to_owned(), done: step, total: Some(total as u64), unit: Unit::Iterations, metrics };
    context.reporter.report(Report::Progress(progress));
}

/// A training that is done, to be described.
struct Training<'a> {
    inputs: &'a TrainAlsInputs,
    params: &'a AlsValidParams,
    matrix: &'a RatingMatrix,
    fit: &'a Fit,
    fit_seconds: f64,
    dataset: DatasetRecord,
}

impl Training<'_> {
    fn output(&self, claim: &Claim, context: &Context) -> TrainAlsOutput {
        let Self { matrix, fit, .. } = self;
        let last = fit.iterations[fit.iterations.len() - 1];
        TrainAlsOutput {
            path: context.display(&claim.path),
            version: claim.version.clone(),
            fit_seconds: self.fit_seconds,
            loss: last.loss,
            train_rmse: last.train_rmse,
            rank: fit.model.rank() as u64,
            users: matrix.users().len() as u64,
            items: matrix.items().len() as u64,
            ratings: matrix.nnz() as u64,
        }
    }

    fn record(&self, output: &TrainAlsOutput, claim: &Claim, context: &Context) -> ModelRecord {
        let Self { inputs, fit, .. } = self;
        let mut metrics = BTreeMap::from([("loss".to_owned(), output.loss)]);
        metrics.extend(output.train_rmse.map(|rmse| ("train_rmse".to_owned(), rmse)));
        ModelRecord {
            format: FORMAT,
            version: claim.version.clone(),
            created_at: to_created_at(claim.created_at),
            publish_key: context.publish_key.clone(),
            // A struct of strings and numbers always becomes JSON.
            output: serde_json::to_value(output).unwrap_or_default(),
            binary_version: env!("CARGO_PKG_VERSION").to_owned(),
            instruction_set: fit.instruction_set.to_owned(),
            params: self.params.get().clone(),
            duplicates: inputs.duplicates,
            cold_start: inputs.cold_start,
            mean_rating: (!inputs.implicit).then(|| self.matrix.mean()),
            dataset: self.dataset.clone(),
            rank: fit.model.rank(),
            users: output.users,
            items: output.items,
            ratings: output.ratings,
            fit_seconds: output.fit_seconds,
            metrics,
            iterations: fit.iterations.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;
    use crate::builtin::{FindModel, FindModelInputs};
    use crate::context::{PublishKey, Reporter};
    use crate::{AnyStage, model};

    fn inputs() -> TrainAlsInputs {
        serde_json::from_value(json!({ "ratings": "data/train", "models": "models", "rank": 4, "max_iter": 3 })).unwrap()
    }

    fn ratings() -> Ratings {
        let mut ratings = Ratings::default();
        for (user, movie) in (0..12).flat_map(|user| (0..9).map(move |movie| (user, movie))).filter(|(u, m)| (u * m) % 5 != 1) {
            ratings.push(movie, user, ((user * movie) % 5 + 1) as f32, user);
        }
        ratings
    }

    fn dataset() -> DatasetRecord {
        DatasetRecord { path: "data/train".to_owned(), fingerprint: "f".to_owned(), rows: 1 }
    }

    fn train(context: &Context) -> Result<TrainAlsOutput> {
        let inputs = inputs();
        train_and_publish(&inputs, &inputs.params()?, &ratings(), &Names::default(), dataset(), context)
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let inputs: TrainAlsInputs = serde_json::from_value(json!({ "ratings": "r", "models": "m" })).unwrap();
        assert_eq!(inputs.params().unwrap().get(), &AlsParams::default());
        assert_eq!((inputs.rank, inputs.reg, inputs.max_iter, inputs.seed, inputs.alpha), (64, 0.1, 15, 42, 1.0));
        assert_eq!((inputs.duplicates, inputs.cold_start, inputs.nonnegative), (Duplicates::Latest, ColdStart::Drop, false));
    }

    #[test]
    fn inputs_out_of_range_are_refused_before_anything_runs() {
        let stage = AnyStage::of::<TrainAls>();
        let wrong = json!({ "ratings": "r", "models": "m", "rank": 0, "reg": -1, "reg_scaling": "als", "nonnegativ": true });
        let error = stage.check(&wrong).unwrap_err().to_string();
        for part in
            ["`rank`: expected at least 1, found 0", "`reg`: expected at least 0", "one of als-wr, plain", "unknown input `nonnegativ`"]
        {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_training_publishes_a_version_that_opens_and_is_found_with_its_figures() {
        let folder = tempfile::tempdir().unwrap();
        let context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
        let output = train(&context).unwrap();
        assert_eq!((output.rank, output.users, output.items, output.ratings), (4, 12, 9, ratings().len() as u64));
        assert_eq!(output.path, format!("models/{}", output.version));
        assert!(output.train_rmse.unwrap() < 1.0);
        assert_eq!(model::open(&folder.path().join(&output.path)).unwrap().rank(), 4);

        let found = FindModel::run(FindModelInputs { models: "models".into(), which: "latest".to_owned() }, &context).unwrap();
        assert_eq!((&found.path, &found.version), (&output.path, &output.version));
        assert_eq!(
            found.metrics,
            BTreeMap::from([("loss".to_owned(), output.loss), ("train_rmse".to_owned(), output.train_rmse.unwrap())])
        );
        assert!(found.age_seconds.unwrap() >= 0.0);
    }

    #[test]
    fn a_nonnegative_model_with_a_mean_for_strangers_is_trained_and_opens_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
        let inputs = TrainAlsInputs { nonnegative: true, cold_start: ColdStart::Mean, ..inputs() };
        let output = train_and_publish(&inputs, &inputs.params().unwrap(), &ratings(), &Names::default(), dataset(), &context).unwrap();
        let model = model::open(&folder.path().join(&output.path)).unwrap();
        let all = ratings().rating;
        let mean = all.iter().map(|&rating| f64::from(rating)).sum::<f64>() / all.len() as f64;
        assert_eq!(model.cold_rule(), model::ColdRule::Mean(mean));
        for factors in [model.users(), model.items()] {
            assert!((0..factors.ids().len() as u32).flat_map(|row| factors.row(row)).all(|&x| x >= 0.0));
        }
        assert!(output.train_rmse.unwrap() < 1.2);
    }

    #[test]
    fn a_mean_rating_for_strangers_is_refused_where_no_rating_is_predicted() {
        let error = TrainAlsInputs { implicit: true, cold_start: ColdStart::Mean, ..inputs() }.params().unwrap_err();
        assert!(error.message.starts_with("`cold_start: mean` cannot be had with `implicit`") && error.hint.is_some(), "{error}");
    }

    #[test]
    fn work_already_published_is_returned_and_not_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
        let output = train(&context).unwrap();
        // There is no dataset: an attempt that did the work again would fail.
        assert_eq!(TrainAls::run(inputs(), &context).unwrap(), output);
        assert_eq!(std::fs::read_dir(folder.path().join("models")).unwrap().count(), 2, "one version and the lock");
    }

    #[derive(Default)]
    struct Heard(Mutex<Vec<Report>>);

    impl Reporter for Heard {
        fn report(&self, report: Report) {
            self.0.lock().unwrap().push(report);
        }
    }

    #[test]
    fn every_sweep_is_reported_with_its_loss() {
        let folder = tempfile::tempdir().unwrap();
        let heard = Arc::new(Heard::default());
        let mut context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
        context.reporter = heard.clone();
        let output = train(&context).unwrap();
        let heard = heard.0.lock().unwrap();
        let losses: Vec<(u64, f64)> = heard
            .iter()
            .filter_map(|report| match report {
                Report::Metric { name, step, value } if name == "loss" => Some((*step, *value)),
                _ => None,
            })
            .collect();
        assert_eq!(losses.iter().map(|loss| loss.0).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(losses[2].1, output.loss);
        let last = heard.iter().rev().find_map(|report| match report {
            Report::Progress(progress) if progress.phase == "iteration" => Some(progress),
            _ => None,
        });
        let last = last.unwrap();
        assert_eq!((last.done, last.total, last.unit, last.metrics["loss"]), (3, Some(3), Unit::Iterations, output.loss));
    }

    #[test]
    fn an_empty_dataset_is_an_error_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
        let inputs = inputs();
        let error =
            train_and_publish(&inputs, &inputs.params().unwrap(), &Ratings::default(), &Names::default(), dataset(), &context).unwrap_err();
        assert_eq!(error.message, "the dataset `data/train` has no ratings to train on");
        assert!(error.hint.is_some());
        assert!(!folder.path().join("models").exists());
    }

    #[test]
    fn a_cancelled_training_publishes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
        context.cancel.cancel();
        assert_eq!(train(&context).unwrap_err(), StageError::cancelled());
        assert!(!folder.path().join("models").exists());
    }
}
