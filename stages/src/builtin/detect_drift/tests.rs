//! The stage on small datasets: what triggers, what does not, and what is missing or wrong.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::builtin::{DetectDrift, DetectDriftOutput, TrainAls};
use crate::dataset::{Begin, Change, Layout, Mode, RatingTypeChoice, Transaction};
use crate::{AnyStage, Context, ErrorKind, PublishKey, Ratings, Report, Reporter, Result, schema};

const USERS: i32 = 60;
const ITEMS: i32 = 50;

/// Items are better liked the higher their id; tastes differ by a star up or down.
fn stars(item: i32, rng: &mut ChaCha8Rng) -> f32 {
    (1.8 + 2.4 * item as f32 / ITEMS as f32 + rng.random_range(-1.0..1.0)).round().clamp(1.0, 5.0)
}

/// `count` ratings of these users and items, drawn at random.
fn ratings(count: usize, users: std::ops::RangeInclusive<i32>, items: std::ops::RangeInclusive<i32>, seed: u64) -> Ratings {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut ratings = Ratings::default();
    for date in 0..count as i32 {
        let (user, item) = (rng.random_range(users.clone()), rng.random_range(items.clone()));
        // A day of its own for each rating, so that none replaces another.
        ratings.push(item, user, stars(item, &mut rng), 12_000 + date);
    }
    ratings
}

fn usual(count: usize, seed: u64) -> Ratings {
    ratings(count, 1..=USERS, 1..=ITEMS, seed)
}

/// The same ratings, each a star lower where the scale allows.
fn harsher(mut ratings: Ratings) -> Ratings {
    ratings.rating.iter_mut().for_each(|stars| *stars = (*stars - 1.0).max(1.0));
    ratings
}

struct Workspace {
    folder: tempfile::TempDir,
    reports: Arc<Heard>,
}

#[derive(Default)]
struct Heard(Mutex<Vec<Report>>);

impl Reporter for Heard {
    fn report(&self, report: Report) {
        self.0.lock().unwrap().push(report);
    }
}

impl Workspace {
    /// With what was trained on and tested with, and a model of it.
    fn new() -> Self {
        Self::with(&json!({}))
    }

    /// The same, with further inputs of the training.
    fn with(training: &Value) -> Self {
        let workspace = Self { folder: tempfile::tempdir().unwrap(), reports: Arc::default() };
        workspace.publish("train", usual(4000, 1));
        workspace.publish("test", usual(1000, 2));
        let mut inputs = json!({ "ratings": "train", "models": "models", "rank": 4, "max_iter": 3 });
        inputs.as_object_mut().unwrap().extend(training.as_object().unwrap().clone());
        let output = AnyStage::of::<TrainAls>().run(inputs.as_object().unwrap().clone(), &workspace.context("train")).unwrap();
        std::fs::rename(workspace.folder.path().join(output["path"].as_str().unwrap()), workspace.folder.path().join("model")).unwrap();
        workspace
    }

    fn context(&self, task: &str) -> Context {
        Context { reporter: self.reports.clone(), ..Context::plain(self.folder.path(), PublishKey::new("run", task, 0)) }
    }

    fn publish(&self, name: &str, rows: Ratings) {
        let (path, context) = (self.folder.path().join(name), self.context(name));
        let Begin::Open(mut transaction) = Transaction::begin(&[Path::new(&path)], &context).unwrap() else { panic!("published twice") };
        let change = Change { rows: vec![rows].into(), mode: Mode::Overwrite, rating_type: RatingTypeChoice::Auto };
        transaction.write(0, change, &Layout::default()).unwrap();
        transaction.commit(&Value::Null).unwrap();
    }

    fn detect_with(&self, more: &Value) -> Result<DetectDriftOutput> {
        let mut inputs = json!({ "model": "model", "original_train": "train", "original_test": "test",
            "current_train": "stream/train", "current_test": "stream/test" });
        inputs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let stage = AnyStage::of::<DetectDrift>();
        let output = stage.run(inputs.as_object().unwrap().clone(), &self.context("detect"))?;
        assert_eq!(schema::check(&stage.spec.output, &output), [], "the output is what the schema says");
        Ok(serde_json::from_value(output).unwrap())
    }

    fn detect(&self) -> DetectDriftOutput {
        self.detect_with(&json!({})).unwrap()
    }

    fn metric(&self, wanted: &str) -> Option<f64> {
        self.reports.0.lock().unwrap().iter().find_map(|report| match report {
            Report::Metric { name, value, .. } if name == wanted => Some(*value),
            _ => None,
        })
    }
}

#[test]
fn harsher_ratings_trigger_a_retrain_which_says_why() {
    let workspace = Workspace::new();
    workspace.publish("stream/train", harsher(usual(800, 3)));
    workspace.publish("stream/test", harsher(usual(200, 4)));
    let output = workspace.detect();
    assert!(output.should_retrain, "{output:?}");
    assert!(
        output.reason.starts_with("score ") && output.reason.contains("> 1: KL 0.") && output.reason.contains("; mean shift 0."),
        "{}",
        output.reason
    );
    let data = output.data_drift.as_ref().unwrap();
    assert!((-1.0..-0.8).contains(&data.distance.mean_shift), "some were at the end of the scale: {}", data.distance.mean_shift);
    assert_eq!(data.distance.histogram.iter().map(|bar| bar.current).sum::<u64>(), 800);
    assert_eq!(data.unseen_users.count, 0);
    let model = output.model_drift.as_ref().unwrap();
    assert!(model.takes_part && model.rmse_increase.unwrap() > 0.2, "{model:?}");
    assert!(model.score.unwrap() < 1.0, "who is asked about what did not change: {model:?}");
    let interval = output.interval.unwrap();
    assert!(interval.lower > 1.0 && (interval.lower..interval.upper).contains(&output.drift_score), "{interval:?}");
    assert_eq!((workspace.metric("drift_score"), workspace.metric("rmse_current")), (Some(output.drift_score), model.current.rmse));
    assert_eq!(workspace.detect(), output, "the same again");
}

#[test]
fn more_of_the_same_triggers_nothing() {
    let workspace = Workspace::new();
    workspace.publish("stream/train", usual(800, 5));
    workspace.publish("stream/test", usual(200, 6));
    let output = workspace.detect();
    assert!(!output.should_retrain && output.reason.ends_with("<= 1"), "{}", output.reason);
    assert!(output.drift_score < 0.6, "{output:?}");
}

#[test]
fn the_model_s_predictions_can_trigger_alone() {
    let workspace = Workspace::new();
    workspace.publish("stream/train", usual(800, 5));
    workspace.publish("stream/test", ratings(200, 1..=USERS, ITEMS * 2 / 3..=ITEMS, 6));
    let output = workspace.detect();
    assert!(output.should_retrain && output.reason.contains("KL of the predictions"), "{}", output.reason);
    assert_eq!(output.drift_score, output.model_drift.unwrap().score.unwrap());
    // With too few of them, they are reported and do not count.
    workspace.detect_with(&json!({ "min_rows": 200 })).unwrap();
    let output = workspace.detect_with(&json!({ "min_rows": 201 })).unwrap();
    let model = output.model_drift.unwrap();
    assert!(!output.should_retrain && !model.takes_part && model.score.unwrap() > 1.0, "{model:?}");
    assert_eq!(output.drift_score, output.data_drift.unwrap().score);
}

#[test]
fn nothing_arrived_is_no_drift() {
    let workspace = Workspace::new();
    let none = workspace.detect();
    assert_eq!((none.should_retrain, none.drift_score, none.reason.as_str()), (false, 0.0, "no streaming ratings"));
    assert_eq!((none.data_drift, none.rows.original_train, none.rows.current_train), (None, 4000, 0));
    workspace.publish("stream/train", Ratings::default());
    assert_eq!(workspace.detect().reason, "no streaming ratings");
}

#[test]
fn without_test_ratings_the_data_alone_are_judged() {
    let workspace = Workspace::new();
    workspace.publish("stream/train", harsher(usual(800, 3)));
    let output = workspace.detect();
    assert!(output.should_retrain && output.model_drift.is_none() && output.rows.current_test == 0);
}

#[test]
fn fifty_ratings_are_not_enough_however_far_off() {
    let workspace = Workspace::new();
    workspace.publish("stream/train", harsher(harsher(usual(50, 3))));
    let output = workspace.detect();
    assert!(!output.should_retrain && output.drift_score > 1.0, "{output:?}");
    assert_eq!(output.reason, "not enough data: 50 of 100 rows");
    assert!(workspace.detect_with(&json!({ "min_rows": 50 })).unwrap().should_retrain);
}

/// Strangers are counted; what is predicted for them is for the model to say.
#[test]
fn pairs_that_the_model_does_not_know_follow_its_rule() {
    let strangers = |workspace: &Workspace| {
        workspace.publish("stream/train", ratings(800, USERS + 1..=USERS + 20, 1..=ITEMS, 7));
        workspace.publish("stream/test", ratings(200, USERS + 1..=USERS + 20, 1..=ITEMS, 8));
        workspace.detect()
    };
    let output = strangers(&Workspace::new());
    let (data, model) = (output.data_drift.unwrap(), output.model_drift.unwrap());
    assert_eq!((data.unseen_users.count, data.unseen_users.share, data.unseen_users.share_of_ratings), (20, 1.0, 1.0));
    assert_eq!((model.current.cold, model.current.scored, model.current.rmse), (200, 0, None));
    assert_eq!((model.score, model.distance, model.rmse_increase, model.takes_part), (None, None, None, false));

    let model = strangers(&Workspace::with(&json!({ "cold_start": "mean" }))).model_drift.unwrap();
    assert_eq!((model.current.cold, model.current.scored), (200, 200));
    let predictions = model.distance.unwrap();
    let spread = predictions.histogram.iter().filter(|bar| bar.current > 0).count();
    assert!(
        (spread, model.takes_part) == (1, true) && (2.8..3.2).contains(&predictions.median_current),
        "all get the mean: {predictions:?}"
    );

    let model = strangers(&Workspace::with(&json!({ "cold_start": "nan" }))).model_drift.unwrap();
    assert_eq!((model.current.rmse, model.distance, model.takes_part), (None, None, false));
}

#[test]
fn errors_take_part_with_a_weight_of_their_own() {
    let workspace = Workspace::new();
    workspace.publish("stream/train", usual(800, 5));
    workspace.publish("stream/test", harsher(usual(200, 6)));
    let weights = json!({ "kl": 0.5, "mean": 0.3, "median": 0.2, "rmse_increase": 1.0 });
    assert!(!workspace.detect().should_retrain);
    let output = workspace.detect_with(&json!({ "weights": weights })).unwrap();
    assert!(output.should_retrain && output.reason.contains("RMSE increase of the predictions 0."), "{}", output.reason);
    // A metric that is not named does not take part.
    let only_mean = workspace.detect_with(&json!({ "weights": { "mean": 1.0 }, "thresholds": { "mean": 0.4 } })).unwrap();
    let terms = &only_mean.data_drift.as_ref().unwrap().terms;
    assert_eq!((terms.len(), terms[0].threshold, only_mean.thresholds.kl), (1, 0.4, 0.1));
}

#[test]
fn weights_that_do_not_sum_to_one_are_refused_before_anything_is_read() {
    let workspace = Workspace { folder: tempfile::tempdir().unwrap(), reports: Arc::default() };
    let error = workspace.detect_with(&json!({ "weights": { "kl": 0.5, "mean": 0.3 } })).unwrap_err();
    assert_eq!(
        error.message,
        "invalid inputs for stage `detect_drift`: `weights`: the weights sum to 0.8, not to 1: KL 0.5, mean shift 0.3"
    );
    assert!(error.kind == ErrorKind::Input && error.hint.is_some());
    for wrong in
        [json!({ "thresholds": { "kl": 0 } }), json!({ "weights": { "kll": 1 } }), json!({ "confidence": 1 }), json!({ "resamples": 3 })]
    {
        assert!(workspace.detect_with(&wrong).unwrap_err().message.starts_with("invalid inputs"), "{wrong}");
    }
}

#[test]
fn what_was_trained_on_must_be_there() {
    let workspace = Workspace::new();
    workspace.publish("stream/train", usual(800, 5));
    workspace.publish("stream/test", usual(200, 6));
    let error = workspace.detect_with(&json!({ "original_train": "no" })).unwrap_err();
    assert!(error.message.contains("there is no dataset at `no`") && error.hint.is_some(), "{error:?}");
    workspace.publish("none", Ratings::default());
    let error = workspace.detect_with(&json!({ "original_test": "none" })).unwrap_err();
    assert_eq!(error.message, "the dataset `none` has no ratings to compare with");
    assert!(workspace.detect_with(&json!({ "model": "no" })).unwrap_err().message.contains("there is no model at"));
}

#[test]
fn ratings_that_are_no_scale_are_refused() {
    let workspace = Workspace::new();
    let mut measured = usual(1200, 5);
    measured.rating.iter_mut().enumerate().for_each(|(row, stars)| *stars = row as f32 / 997.0);
    workspace.publish("stream/train", measured);
    let error = workspace.detect_with(&json!({})).unwrap_err();
    assert!(error.message.contains("1200 different ratings") && error.hint.is_some(), "{error:?}");
}

#[test]
fn a_cancelled_attempt_stops() {
    let workspace = Workspace::new();
    workspace.publish("stream/train", usual(800, 5));
    let context = workspace.context("detect");
    context.cancel.cancel();
    let inputs = json!({ "model": "model", "original_train": "train", "original_test": "test", "current_train": "stream/train", "current_test": "no" });
    let error = AnyStage::of::<DetectDrift>().run(inputs.as_object().unwrap().clone(), &context).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
}
