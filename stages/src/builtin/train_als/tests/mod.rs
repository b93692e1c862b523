//! Trainings from ratings to a version: figures, held-out ratings, early ends, crashes and checkpoints.

mod checkpoints;
mod starts;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;
use crate::als::{AlsParams, Solver};
use crate::builtin::{FindModel, FindModelInputs};
use crate::context::{PublishKey, Report, Reporter};
use crate::matrix::Duplicates;
use crate::metrics::evaluation::{Settings, evaluate};
use crate::model::ColdStart;
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

fn data(ratings: Ratings) -> Data {
    Data { ratings, names: Names::default(), dataset: dataset(), held_out: None, validation: None }
}

fn train(context: &Context) -> Result<TrainAlsOutput> {
    let inputs = inputs();
    train_and_publish(&inputs, &inputs.params()?, data(ratings()), context)
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let inputs: TrainAlsInputs = serde_json::from_value(json!({ "ratings": "r", "models": "m" })).unwrap();
    assert_eq!(inputs.params().unwrap().get(), &AlsParams::default());
    assert_eq!((inputs.rank, inputs.reg, inputs.max_iter, inputs.seed, inputs.alpha), (64, 0.1, 15, 42, 1.0));
    assert_eq!((inputs.duplicates, inputs.cold_start, inputs.nonnegative), (Duplicates::Latest, ColdStart::Drop, false));
    assert_eq!((inputs.solver, inputs.biases, inputs.recency_half_life, inputs.warm_start), (Solver::Cholesky, false, None, None));
}

#[test]
fn inputs_out_of_range_are_refused_before_anything_runs() {
    let stage = AnyStage::of::<TrainAls>();
    let wrong = json!({ "ratings": "r", "models": "m", "rank": 0, "reg": -1, "reg_scaling": "als", "nonnegativ": true });
    let error = stage.check(&wrong).unwrap_err().to_string();
    for part in ["`rank`: expected at least 1, found 0", "`reg`: expected at least 0", "one of als-wr, plain", "unknown input `nonnegativ`"]
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
    assert_eq!(found.metrics, BTreeMap::from([("loss".to_owned(), output.loss), ("train_rmse".to_owned(), output.train_rmse.unwrap())]));
    assert!(found.age_seconds.unwrap() >= 0.0);
}

#[test]
fn a_nonnegative_model_with_a_mean_for_strangers_is_trained_and_opens_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
    let inputs = TrainAlsInputs { nonnegative: true, cold_start: ColdStart::Mean, ..inputs() };
    let output = train_and_publish(&inputs, &inputs.params().unwrap(), data(ratings()), &context).unwrap();
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
struct Heard {
    reports: Mutex<Vec<Report>>,
    /// Cancels once it hears of that sweep.
    until: Option<(u64, crate::CancelToken)>,
}

impl Reporter for Heard {
    fn report(&self, report: Report) {
        if let (Report::Progress(progress), Some((end, cancel))) = (&report, &self.until)
            && progress.phase == "iteration"
            && progress.done == *end
        {
            cancel.cancel();
        }
        self.reports.lock().unwrap().push(report);
    }
}

impl Heard {
    fn series(&self, series: &str) -> Vec<(u64, f64)> {
        let point = |report: &Report| match report {
            Report::Metric { name, step, value } if name == series => Some((*step, *value)),
            _ => None,
        };
        self.reports.lock().unwrap().iter().filter_map(point).collect()
    }
}

#[test]
fn every_sweep_is_reported_with_its_loss() {
    let folder = tempfile::tempdir().unwrap();
    let heard = Arc::new(Heard::default());
    let mut context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
    context.reporter = heard.clone();
    let output = train(&context).unwrap();
    let losses = heard.series("loss");
    assert_eq!(losses.iter().map(|loss| loss.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(losses[2].1, output.loss);
    let heard = heard.reports.lock().unwrap();
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
    let error = train_and_publish(&inputs, &inputs.params().unwrap(), data(Ratings::default()), &context).unwrap_err();
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

/// `ratings` with three tenths of the pairs held out.
fn held_out_data() -> Data {
    let (kept, held_out) = holdout::split(&ratings(), 0.3, 42);
    Data { ratings: kept, names: Names::default(), dataset: dataset(), held_out: Some(held_out), validation: None }
}

fn record(output: &TrainAlsOutput, context: &Context) -> model::ModelRecord {
    model::ModelRecord::read(&context.workspace.join(&output.path)).unwrap().unwrap()
}

#[test]
fn held_out_ratings_are_scored_after_each_sweep_as_evaluate_would_score_them() {
    let folder = tempfile::tempdir().unwrap();
    let context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
    let inputs = TrainAlsInputs { holdout: Some(0.3), max_iter: 6, ..inputs() };
    let output = train_and_publish(&inputs, &inputs.params().unwrap(), held_out_data(), &context).unwrap();
    let model = model::open(&folder.path().join(&output.path)).unwrap();
    let held_out = held_out_data().held_out.unwrap();
    let found = evaluate(&model, &held_out, None, Settings { k: 1, rating_threshold: 4.0 }, &context).unwrap();
    assert!((found.errors.rmse.unwrap() - output.holdout_rmse.unwrap()).abs() < 1e-9, "{found:?} {output:?}");
    assert_eq!(output.holdout_ratings, Some(found.errors.scored));
    assert!(output.holdout_rmse > output.train_rmse);

    let record = record(&output, &context);
    let errors: Vec<f64> = record.iterations.iter().map(|iteration| iteration.holdout_rmse.unwrap()).collect();
    let best = (1..).zip(&errors).min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    assert_eq!((output.iterations, output.best_iteration), (6, Some(best)));
    let holdout = record.holdout.unwrap();
    assert_eq!((holdout.share, holdout.scored, holdout.best_iteration), (Some(0.3), found.errors.scored, best));
    assert_eq!(record.metrics["holdout_rmse"], errors[5]);
}

#[test]
fn a_training_that_is_stopped_early_publishes_the_factors_of_its_best_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
    // Too little regularisation: it overfits at once.
    let rule = EarlyStopping { patience: 2, min_delta: 0.0 };
    let inputs = TrainAlsInputs { holdout: Some(0.3), early_stopping: Some(rule), reg: 0.01, max_iter: 50, ..inputs() };
    let output = train_and_publish(&inputs, &inputs.params().unwrap(), held_out_data(), &context).unwrap();
    let best = output.best_iteration.unwrap();
    assert!(output.iterations == best + 2 && output.iterations < 50, "{output:?}");
    // The same factors as a training that was told to do so many sweeps.
    let alone = Context { publish_key: PublishKey::new("run", "alone", 1), ..context.clone() };
    let shorter = TrainAlsInputs { early_stopping: None, max_iter: best as usize, ..inputs.clone() };
    let expected = train_and_publish(&shorter, &shorter.params().unwrap(), held_out_data(), &alone).unwrap();
    assert_eq!(factor_files(folder.path(), &output), factor_files(folder.path(), &expected));
    assert_eq!((output.loss, output.holdout_rmse), (expected.loss, expected.holdout_rmse));
}

#[test]
fn what_cannot_be_held_out_is_refused_with_a_remedy() {
    let rule = Some(EarlyStopping { patience: 1, min_delta: 0.0 });
    for (inputs, message) in [
        (TrainAlsInputs { holdout: Some(0.0), ..inputs() }, "`holdout` must be more than 0 and less than 1, found 0"),
        (TrainAlsInputs { holdout: Some(1.0), ..inputs() }, "`holdout` must be more than 0 and less than 1, found 1"),
        (TrainAlsInputs { holdout: Some(0.1), validation: Some("v".into()), ..inputs() }, "`holdout` and `validation` both say"),
        (TrainAlsInputs { early_stopping: rule, ..inputs() }, "`early_stopping` needs ratings that the training does not see"),
        (TrainAlsInputs { holdout: Some(0.1), implicit: true, ..inputs() }, "`holdout` and `validation` cannot be had with `implicit`"),
    ] {
        let error = inputs.params().unwrap_err();
        assert!(error.message.starts_with(message) && error.hint.is_some(), "{error}");
    }
    let context = Context::plain("/nonexistent", PublishKey::new("run", "train", 1));
    let inputs = TrainAlsInputs { validation: Some("data/other".into()), ..inputs() };
    let mut strangers = Ratings::default();
    strangers.push(1000, 1000, 3.0, 0);
    let data = Data { held_out: Some(strangers), ..data(ratings()) };
    let error = train_and_publish(&inputs, &inputs.params().unwrap(), data, &context).unwrap_err();
    assert!(error.message.starts_with("none of the 1 held-out ratings of `data/other` is of a user and an item"), "{error}");
}

/// The bytes of both factor files.
fn factor_files(workspace: &Path, output: &TrainAlsOutput) -> Vec<Vec<u8>> {
    let part = |side: &str| {
        let mut files = fs::read_dir(workspace.join(&output.path).join(side)).unwrap().map(|entry| entry.unwrap().path());
        fs::read(files.find(|path| path.extension().is_some_and(|extension| extension == "parquet")).unwrap()).unwrap()
    };
    ["userFactors", "itemFactors"].map(part).into()
}
