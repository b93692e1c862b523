//! Searches on made-up ratings whose best parameters are known.

use std::sync::{Arc, Mutex};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::memory::Footprint;
use super::trial::State;
use super::*;
use crate::als::AlsParams;
use crate::context::{CancelToken, Context, PublishKey, Report, Reporter};
use crate::error::{ErrorKind, Result};
use crate::matrix::Duplicates;
use crate::metrics::Metric;
use crate::metrics::evaluation::{Settings, evaluate};
use crate::ratings::Ratings;

/// Ratings of 120 users and 60 items of tastes so alike that one factor explains all but 0.13 stars, with noise of 0.5 stars; 40 % of all
/// cells.
fn ratings() -> Ratings {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut noise = ChaCha8Rng::seed_from_u64(6);
    let mut tastes = |count: usize| (0..count).map(|_| [0.5 + random.random::<f64>(), 0.5 + random.random::<f64>()]).collect::<Vec<_>>();
    let (users, items) = (tastes(120), tastes(60));
    let mut ratings = Ratings::default();
    for (user, x) in users.iter().enumerate() {
        for (item, y) in items.iter().enumerate() {
            let deviation: f64 = (0..12).map(|_| noise.random::<f64>()).sum::<f64>() - 6.0;
            if noise.random_bool(0.4) {
                let rating = 1.5 * (x[0] * y[0] + x[1] * y[1]) + 0.5 * deviation;
                ratings.push(item as i32, user as i32, rating as f32, (user + item) as i32);
            }
        }
    }
    ratings
}

fn context() -> Context {
    Context::plain("/nonexistent", PublishKey::new("r", "t", 0))
}

fn folds(validation: serde_json::Value) -> Vec<Fold> {
    serde_json::from_value::<Validation>(validation).unwrap().split(&ratings(), Duplicates::Latest, 1, &context()).unwrap()
}

fn grid(search: serde_json::Value) -> Vec<Parameters> {
    serde_json::from_value::<Search>(search).unwrap().grid().unwrap()
}

/// A search, its settings open to change.
struct Case {
    folds: Vec<Fold>,
    metric: Metric,
    base: AlsParams,
    halving: Option<Halving>,
    memory: u64,
    parallel_max: usize,
    threads: usize,
    context: Context,
}

impl Case {
    fn new(folds: Vec<Fold>) -> Self {
        let base = AlsParams::default();
        Self { folds, metric: Metric::Rmse, base, halving: None, memory: u64::MAX, parallel_max: 2, threads: 2, context: context() }
    }

    fn run(&self, proposals: &[Parameters]) -> Result<Found> {
        let judge = Judge::of(self.metric, 5, 3.5, &self.folds)?;
        let Self { folds, base, halving, memory, parallel_max, context, .. } = self;
        let tuner = Tuner { folds, judge: &judge, base, halving: *halving, memory: *memory, parallel_max: *parallel_max, context };
        rayon::ThreadPoolBuilder::new().num_threads(self.threads).build().unwrap().install(|| tuner.run(proposals))
    }
}

/// The trials without what no two runs have in common.
fn timeless(found: &Found) -> Vec<Trial> {
    found.trials.iter().map(|trial| Trial { seconds: 0.0, ..trial.clone() }).collect()
}

fn nine() -> Vec<Parameters> {
    grid(json!({ "rank": [1, 2, 6], "reg": [0.001, 0.05, 2], "max_iter": 9 }))
}

#[test]
fn as_many_factors_as_there_are_tastes_and_neither_too_much_nor_too_little_regularisation_win() {
    let found = Case::new(folds(json!({ "folds": 3 }))).run(&nine()).unwrap();
    let best = &found.trials[found.best];
    assert_eq!(best.parameters.rank, 1, "{:?}", timeless(&found));
    // Little is left but the noise.
    assert!((0.5..0.58).contains(&best.mean.unwrap()), "{best:?}");
    let of =
        |rank, reg| found.trials.iter().find(|trial| (trial.parameters.rank, trial.parameters.reg) == (rank, reg)).unwrap().mean.unwrap();
    // Too much pulls all predictions to 0; too little lets the factors that are too many learn the noise.
    assert!([1, 2, 6].into_iter().all(|rank| of(rank, 2.0) > 1.5));
    assert!(of(6, 0.001) > 1.2 * of(6, 0.05));
    assert!(found.trials.iter().all(|trial| trial.state == State::Completed && trial.scores.len() == 3 && trial.iterations == 9));
    assert_eq!(found.sweeps, 9 * 9 * 3);
}

#[test]
fn a_score_is_what_evaluate_reports_for_the_same_training() {
    let mut case = Case::new(folds(json!({ "kind": "hold_out", "share": 0.2 })));
    let fold = &case.folds[0];
    let params = nine()[4].of(&case.base).unwrap();
    let fit = params.fit(&fold.matrix, &CancelToken::new(), |_| {}).unwrap();
    // Evaluation wants the training part as columns; the matrix holds it by user.
    let mut train = Ratings::default();
    for (user, row) in fold.matrix.layers()[0].by_user.outer_iterator().enumerate() {
        row.iter().for_each(|(item, &rating)| {
            train.push(fold.matrix.items().as_slice()[item], fold.matrix.users().as_slice()[user], rating, 0);
        });
    }
    let settings = Settings { k: 5, rating_threshold: 3.5 };
    let evaluation = evaluate(&fit.model, &fold.held_out, Some(&train), settings, &context()).unwrap();
    let unseen = evaluation.unseen_items.unwrap();
    for (metric, expected) in [
        (Metric::Rmse, evaluation.errors.rmse),
        (Metric::Mae, evaluation.errors.mae),
        (Metric::PrecisionAtK, unseen.precision_at_k),
        (Metric::RecallAtK, unseen.recall_at_k),
        (Metric::NdcgAtK, unseen.ndcg_at_k),
        (Metric::MapAtK, unseen.map_at_k),
        (Metric::MrrAtK, unseen.mrr_at_k),
        (Metric::HitRateAtK, unseen.hit_rate_at_k),
    ] {
        case.metric = metric;
        let found = case.run(&nine()[4..5]).unwrap();
        assert!(expected.is_some_and(|expected| expected > 0.0));
        assert_eq!(found.trials[0].mean, expected, "{}", metric.name());
    }
}

#[test]
fn a_ranking_metric_is_maximised() {
    let mut case = Case::new(folds(json!({ "folds": 2 })));
    case.metric = Metric::NdcgAtK;
    let found = case.run(&nine()).unwrap();
    let best = found.trials[found.best].mean.unwrap();
    assert!(found.trials.iter().all(|trial| trial.mean.unwrap() <= best));
    assert!(found.trials.iter().any(|trial| trial.mean.unwrap() < best));
}

#[test]
fn side_by_side_and_one_after_the_other_give_the_same_bits() {
    let mut case = Case::new(folds(json!({ "folds": 2 })));
    for halving in [None, Some(Halving { eta: 3, min_iter: 1 })] {
        case.halving = halving;
        (case.threads, case.parallel_max) = (1, 1);
        let serial = case.run(&nine()).unwrap();
        (case.threads, case.parallel_max) = (4, 4);
        let parallel = case.run(&nine()).unwrap();
        assert_eq!((serial.parallel, parallel.parallel), (1, 4));
        assert_eq!((timeless(&serial), serial.best, serial.sweeps), (timeless(&parallel), parallel.best, parallel.sweeps));
    }
}

#[test]
fn successive_halving_finds_the_best_with_fewer_sweeps() {
    let mut case = Case::new(folds(json!({ "folds": 2 })));
    let all = case.run(&nine()).unwrap();
    case.halving = Some(Halving { eta: 3, min_iter: 1 });
    let halved = case.run(&nine()).unwrap();
    assert_eq!(halved.best, all.best);
    // To the bit: it was stopped twice on the way.
    assert_eq!(halved.trials[halved.best].scores, all.trials[all.best].scores);
    assert_eq!((all.sweeps, halved.sweeps), (2 * 9 * 9, 2 * (9 + 3 * 2 + 6)));
    let mut ended: Vec<(State, u64)> = halved.trials.iter().map(|trial| (trial.state, trial.iterations)).collect();
    ended.sort_by_key(|(_, iterations)| *iterations);
    assert_eq!(ended[..6], [(State::Stopped, 1); 6]);
    assert_eq!(ended[6..], [(State::Stopped, 3), (State::Stopped, 3), (State::Completed, 9)]);
}

#[test]
fn where_memory_is_short_trainings_begin_again_and_nothing_else_changes() {
    let mut case = Case::new(folds(json!({ "folds": 2 })));
    case.halving = Some(Halving { eta: 3, min_iter: 1 });
    let roomy = case.run(&nine()).unwrap();
    let of = |params: &Parameters, fold: &Fold| Footprint::of(params.of(&case.base).unwrap().get(), &fold.matrix, case.threads).running;
    case.memory = nine().iter().flat_map(|params| case.folds.iter().map(move |fold| of(params, fold))).max().unwrap();
    let narrow = case.run(&nine()).unwrap();
    assert_eq!((roomy.parallel, narrow.parallel), (2, 1));
    assert_eq!((timeless(&roomy), roomy.best), (timeless(&narrow), narrow.best));
    assert_eq!((roomy.sweeps, narrow.sweeps), (2 * (9 + 3 * 2 + 6), 2 * (9 + 3 * 3 + 9)));
}

#[test]
fn nonnegative_factors_that_wait_go_on_as_they_were() {
    let mut case = Case::new(folds(json!({ "folds": 2 })));
    case.base.nonnegative = true;
    let all = case.run(&nine()).unwrap();
    case.halving = Some(Halving { eta: 3, min_iter: 1 });
    let halved = case.run(&nine()).unwrap();
    let trial = &halved.trials[halved.best];
    assert_eq!(trial.scores, all.trials[halved.best].scores);
}

#[test]
fn trials_that_differ_in_sweeps_alone_are_one_training() {
    let case = Case::new(folds(json!({ "folds": 2 })));
    let together = case.run(&grid(json!({ "rank": 2, "reg": [0.05, 0.1], "max_iter": [6, 2, 4] }))).unwrap();
    assert_eq!(together.sweeps, 2 * 2 * 6);
    for (index, max_iter) in [6, 2, 4].into_iter().enumerate() {
        let alone = case.run(&grid(json!({ "rank": 2, "reg": 0.05, "max_iter": max_iter }))).unwrap();
        assert_eq!(together.trials[index].scores, alone.trials[0].scores);
        assert_eq!(together.trials[index].iterations, max_iter);
    }
}

#[test]
fn of_equally_good_trials_the_cheapest_is_best() {
    let case = Case::new(folds(json!({ "folds": 2 })));
    // Regularisation beyond measure: all predictions are 0, at every rank and after every sweep.
    let found = case.run(&grid(json!({ "rank": [16, 4], "reg": 1e30, "max_iter": [5, 3] }))).unwrap();
    assert!(found.trials.iter().all(|trial| trial.mean == found.trials[0].mean), "{:?}", timeless(&found));
    assert_eq!((found.trials[found.best].parameters.rank, found.trials[found.best].parameters.max_iter), (4, 3));
}

#[test]
fn a_trial_that_fails_is_recorded_and_the_others_go_on() {
    let mut case = Case::new(folds(json!({ "folds": 2 })));
    // More unknowns than ratings, and nothing to hold them.
    let proposals = grid(json!({ "rank": [100, 2], "reg": [0, 0.05], "max_iter": 3 }));
    for halving in [None, Some(Halving { eta: 2, min_iter: 1 })] {
        case.halving = halving;
        let found = case.run(&proposals).unwrap();
        let failed = &found.trials[0];
        assert_eq!((failed.state, failed.mean, failed.scores.len(), failed.iterations), (State::Failed, None, 0, 0));
        assert!(failed.error.as_ref().unwrap().contains("rank 100) is singular"), "{failed:?}");
        assert!(found.trials[found.best].parameters.rank == 2);
        let error = case.run(&proposals[..1]).unwrap_err();
        assert!(error.kind == ErrorKind::Numeric && error.message.starts_with("no trial of 1 was completed; "), "{error}");
        assert!(error.hint.is_some());
    }
}

#[test]
fn what_does_not_fit_into_memory_is_not_tried() {
    let mut case = Case::new(folds(json!({ "kind": "hold_out" })));
    let proposals = grid(json!({ "rank": [2, 1024], "max_iter": 2 }));
    let smaller = proposals[0].of(&case.base).unwrap();
    case.memory = Footprint::of(smaller.get(), &case.folds[0].matrix, case.threads).running;
    let found = case.run(&proposals).unwrap();
    assert_eq!((found.best, found.trials[1].state, found.sweeps), (0, State::Failed, 2));
    assert!(found.trials[1].error.as_ref().unwrap().starts_with("it needs about "), "{:?}", found.trials[1]);
    case.memory -= 1;
    let error = case.run(&proposals).unwrap_err();
    assert!(error.message.starts_with("no trial fits into memory") && error.hint.is_some(), "{error}");
}

#[test]
fn halving_decides_about_sweeps_alone() {
    let mut case = Case::new(folds(json!({ "kind": "hold_out" })));
    case.halving = Some(Halving { eta: 3, min_iter: 1 });
    let error = case.run(&grid(json!({ "rank": 2, "max_iter": [2, 4] }))).unwrap_err();
    assert!(error.message.starts_with("`search.max_iter` varies") && error.hint.is_some(), "{error}");
}

#[derive(Default)]
struct Heard(Mutex<Vec<Report>>);

impl Reporter for Heard {
    fn report(&self, report: Report) {
        self.0.lock().unwrap().push(report);
    }
}

#[test]
fn every_trial_is_a_point_of_the_metric_and_progress_ends_at_its_total() {
    let mut case = Case::new(folds(json!({ "folds": 2 })));
    let heard = Arc::new(Heard::default());
    case.context.reporter = heard.clone();
    case.halving = Some(Halving { eta: 3, min_iter: 1 });
    let found = case.run(&nine()).unwrap();
    let mut last = [None; 9];
    let mut progress = (0, None, None);
    for report in heard.0.lock().unwrap().iter() {
        match report {
            Report::Metric { name, step, value } if name == "rmse" => last[*step as usize - 1] = Some(*value),
            Report::Progress(now) => progress = (now.done, now.total, now.metrics.get("best_rmse").copied()),
            _ => {}
        }
    }
    assert_eq!(last.to_vec(), found.trials.iter().map(|trial| trial.mean).collect::<Vec<_>>());
    assert_eq!((progress.0, progress.1), (42, Some(42)));
    assert!(progress.2.is_some());
}

#[test]
fn a_cancelled_search_ends_at_once() {
    let mut case = Case::new(folds(json!({ "folds": 2 })));
    case.context.cancel = CancelToken::new();
    case.context.cancel.cancel();
    assert_eq!(case.run(&nine()).unwrap_err().kind, ErrorKind::Cancelled);
}
