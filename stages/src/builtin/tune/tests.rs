use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::inputs::{EarlyStopping, Strategy};
use super::*;
use crate::als::{AlsParams, RegScaling};
use crate::builtin::TrainAls;
use crate::context::{PublishKey, Report, Reporter};
use crate::matrix::Duplicates;
use crate::tuning::{Halving, Validation};
use crate::{AnyStage, Level};

fn context() -> Context {
    Context::plain("/nonexistent", PublishKey::new("run", "tune", 1))
}

fn inputs(more: Value) -> TuneInputs {
    let mut inputs = json!({ "ratings": "data/train", "search": { "rank": 2, "max_iter": 2 } });
    inputs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(inputs).unwrap()
}

fn ratings() -> Ratings {
    let mut ratings = Ratings::default();
    for (user, movie) in (0..30).flat_map(|user| (0..20).map(move |movie| (user, movie))).filter(|(u, m)| (u * m) % 5 != 1) {
        ratings.push(movie, user, ((user * movie) % 5 + 1) as f32, user);
    }
    ratings
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let inputs = inputs(json!({}));
    assert_eq!((inputs.strategy, inputs.early_stopping, inputs.halving()), (Strategy::Grid, EarlyStopping::None, None));
    assert_eq!((inputs.eta, inputs.min_iter, inputs.k, inputs.rating_threshold), (3, 3, 10, 4.0));
    assert_eq!((inputs.validation, inputs.metric(), inputs.duplicates), (Validation::default(), Metric::Rmse, Duplicates::Latest));
    assert_eq!(inputs.base(), AlsParams::default());
}

#[test]
fn what_all_trials_have_in_common_reaches_them() {
    let inputs = inputs(json!({
        "seed": 7, "implicit": true, "nonnegative": true, "reg_scaling": "plain",
        "early_stopping": "successive_halving", "eta": 2, "min_iter": 3,
    }));
    assert_eq!(inputs.metric(), Metric::NdcgAtK);
    assert_eq!(inputs.halving(), Some(Halving { eta: 2, min_iter: 3 }));
    let expected = AlsParams { seed: 7, implicit: true, nonnegative: true, reg_scaling: RegScaling::Plain, ..AlsParams::default() };
    assert_eq!(inputs.base(), expected);
}

#[test]
fn inputs_out_of_range_are_refused_before_anything_runs() {
    let stage = AnyStage::of::<Tune>();
    let wrong = json!({
        "ratings": "r", "search": { "rank": [0, 8], "reg": { "min": 0.1 }, "regg": 1, "max_iter": "many" },
        "validation": { "kind": "folds", "folds": 1 }, "metric": "rsme", "strategy": "bayes", "eta": 1,
    });
    let error = stage.check(&wrong).unwrap_err().to_string();
    for part in [
        "`search.rank[0]`: expected at least 1, found 0",
        "`search.reg`: `max` is missing",
        "`search`: unknown input `regg`",
        "`search.max_iter`: expected a whole number or a list or a map or nothing, found the string \"many\"",
        "`validation.kind`: expected one of k_fold, hold_out, hold_out_by_time",
        "`validation.folds`: expected at least 2, found 1",
        "`metric`: expected one of rmse, mae",
        "`strategy`: expected one of grid, random",
        "`eta`: expected at least 2, found 1",
    ] {
        assert!(error.contains(part), "no `{part}` in {error}");
    }
    for search in [json!({ "rank": 8, "reg": [0.1, 1] }), json!({ "rank": { "min": 2, "max": 4, "scale": "log" }, "alpha": 2 }), json!({})]
    {
        stage.check(&json!({ "ratings": "r", "search": search })).unwrap();
    }
}

#[test]
fn inputs_that_contradict_each_other_are_refused_with_a_remedy() {
    for (more, words) in [
        (json!({ "trials": 5 }), "`trials` means nothing with `strategy: grid`"),
        (json!({ "implicit": true, "metric": "rmse" }), "`metric: rmse` cannot be had with `implicit`"),
        (json!({ "search": { "alpha": [1, 10] } }), "`search.alpha` varies, but only the implicit objective has an alpha"),
    ] {
        let error = inputs(more).check().unwrap_err();
        assert!(error.message.starts_with(words) && error.hint.is_some(), "{error}");
    }
    inputs(json!({ "search": { "alpha": [1, 10] }, "implicit": true })).check().unwrap();
}

#[test]
fn the_best_parameters_fit_into_train_als_as_they_are() {
    let inputs =
        inputs(json!({ "search": { "rank": [1, 2], "reg": [0.01, 5], "max_iter": 3 }, "memory_limit": "64MiB", "output": "t.csv" }));
    let output = search(&inputs, &inputs.proposals().unwrap(), ratings(), &context()).unwrap();
    assert_eq!((output.trials.len(), output.folds.len(), output.best.reg), (4, 5, 0.01));
    assert_eq!((output.best_score, output.best_std), {
        let trial = &output.trials[output.best_trial as usize - 1];
        (trial.mean.unwrap(), trial.std.unwrap())
    });
    assert_eq!(output.sweeps, 4 * 5 * 3);
    assert_eq!(output.path.as_deref(), Some("t.csv"));
    let mut with = serde_json::to_value(output.best).unwrap();
    with.as_object_mut().unwrap().extend([("ratings".to_owned(), json!("r")), ("models".to_owned(), json!("m"))]);
    AnyStage::of::<TrainAls>().check(&with).unwrap();
}

#[test]
fn memory_that_the_matrices_alone_exceed_leaves_none_for_trials() {
    let inputs = inputs(json!({ "memory_limit": "1KiB" }));
    let error = search(&inputs, &inputs.proposals().unwrap(), ratings(), &context()).unwrap_err();
    assert!(error.message.starts_with("no trial fits into memory"), "{error}");
}

#[derive(Default)]
struct Warned(Mutex<Vec<String>>);

impl Reporter for Warned {
    fn report(&self, report: Report) {
        if let Report::Log { level: Level::Warn, message } = report {
            self.0.lock().unwrap().push(message);
        }
    }
}

#[test]
fn little_to_try_and_little_to_judge_by_are_told() {
    let warned = Arc::new(Warned::default());
    let context = Context { reporter: warned.clone(), ..context() };
    let inputs = inputs(json!({ "strategy": "random", "trials": 9, "validation": { "kind": "hold_out_by_time", "share": 0.2 } }));
    let proposals = inputs.proposals().unwrap();
    inputs.compare(&proposals, &context);
    // Users come one after the other in time: those of the last fifth are all new but for one.
    search(&inputs, &proposals, ratings(), &context).unwrap();
    let warned = warned.0.lock().unwrap();
    assert_eq!(warned[0], "`search` has no more than 1 combinations; 9 were asked for");
    assert!(warned[1].contains("held-out ratings are of users or items that the training part does not have"), "{warned:?}");
}

#[test]
fn an_empty_dataset_is_an_error_with_a_remedy() {
    let inputs = inputs(json!({}));
    let error = search(&inputs, &inputs.proposals().unwrap(), Ratings::default(), &context()).unwrap_err();
    assert_eq!(error.message, "the dataset `data/train` has no ratings to tune on");
    assert!(error.hint.is_some());
}
