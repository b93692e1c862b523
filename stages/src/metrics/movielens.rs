//! Quality on real ratings: MovieLens 100K, split `u1`, read from the folder beside the repository.
//!
//! Spark's ALS on the same split, means of three seeds: rank 64, λ 0.1, 15 sweeps: RMSE 0.9273 with 19,968 of 20,000
//! pairs scored, P/R/NDCG@10 over all items 0.085, 0.037, 0.085 for 456 users; rank 10, 10 sweeps: 0.9378; rank 20,
//! λ 0.05, 20 sweeps: 0.9892. Published for the bias model on u1 to u5: 0.960, 0.948, 0.941, 0.938, 0.942.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::baselines::Biases;
use super::errors::pair_errors;
use super::evaluation::{Evaluation, Settings, evaluate};
use crate::als::AlsParams;
use crate::matrix::{Duplicates, RatingMatrix};
use crate::ratings::Ratings;
use crate::{CancelToken, Context, PublishKey};

/// A gzipped file of tab-separated user, item, rating, seconds; `None`, loudly, if it is not there.
pub(crate) fn read(name: &str) -> Option<Ratings> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/ml-100k").join(name);
    if !path.is_file() {
        assert!(std::env::var_os("RECFLOW_REQUIRE_SHARED").is_none(), "`{}` is missing", path.display());
        eprintln!("SKIPPED: `{}` is missing", path.display());
        return None;
    }
    let mut gzip = Command::new("gzip").arg("-dc").arg(&path).stdout(Stdio::piped()).spawn().expect("gzip starts");
    let mut ratings = Ratings::default();
    for line in std::io::BufReader::new(gzip.stdout.take().unwrap()).lines() {
        let numbers: Vec<i32> = line.unwrap().split('\t').map(|field| field.parse().unwrap()).collect();
        ratings.push(numbers[1], numbers[0], numbers[2] as f32, numbers[3] / 86_400);
    }
    assert!(gzip.wait().unwrap().success());
    Some(ratings)
}

/// Trains on `u1.base` and evaluates on `u1.test`.
fn on_u1(params: AlsParams) -> Option<Evaluation> {
    let (train, test) = (read("u1.base.gz")?, read("u1.test.gz")?);
    let matrix = RatingMatrix::build(&train, Duplicates::Latest).unwrap();
    let fit = params.check().unwrap().fit(&matrix, &CancelToken::new(), |_| {}).unwrap();
    let context = Context::plain("/nonexistent", PublishKey::new("r", "t", 0));
    Some(evaluate(&fit.model, &test, Some(&train), Settings { k: 10, rating_threshold: 4.0 }, &context).unwrap())
}

/// Asserts that `found` lies within `share` of `expected`.
#[track_caller]
fn near(what: &str, found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() <= share, "{what}: {found}, not within {share} of {expected}");
}

#[test]
fn rank_64_is_as_good_as_sparks() {
    let Some(found) = on_u1(AlsParams::default()) else { return };
    near("RMSE", found.errors.rmse.unwrap(), 0.9273, 0.01);
    near("MAE", found.errors.mae.unwrap(), 0.7375, 0.01);
    assert_eq!((found.errors.scored, found.errors.cold, found.all_items.ranked_users), (19_968, 32, 456));
    near("precision", found.all_items.precision_at_k.unwrap(), 0.085, 0.1);
    near("recall", found.all_items.recall_at_k.unwrap(), 0.037, 0.1);
    near("NDCG", found.all_items.ndcg_at_k.unwrap(), 0.085, 0.1);
    let baselines = found.baselines.unwrap();
    near("biases", baselines.biases.rmse.unwrap(), 0.960, 0.005);
    assert!(found.errors.rmse < baselines.biases.rmse && baselines.biases.rmse < baselines.global_mean.rmse);
}

#[test]
fn rank_10_and_rank_20_are_as_good_as_sparks() {
    for (rank, reg, max_iter, expected) in [(10, 0.1, 10, 0.9378), (20, 0.05, 20, 0.9892)] {
        let Some(found) = on_u1(AlsParams { rank, reg, max_iter, ..AlsParams::default() }) else { return };
        near("RMSE", found.errors.rmse.unwrap(), expected, 0.01);
        assert_eq!(found.errors.scored, 19_968);
    }
}

#[test]
fn nonnegative_factors_cost_little() {
    let params = AlsParams { rank: 10, max_iter: 10, ..AlsParams::default() };
    let Some(plain) = on_u1(params.clone()) else { return };
    let Some(found) = on_u1(AlsParams { nonnegative: true, ..params }) else { return };
    near("RMSE", found.errors.rmse.unwrap(), plain.errors.rmse.unwrap(), 0.02);
    assert_eq!(found.errors.scored, 19_968);
}

#[test]
fn the_bias_model_gives_the_published_figures() {
    for (fold, expected) in [(1, 0.960), (2, 0.948), (3, 0.941), (4, 0.938), (5, 0.942)] {
        let (Some(train), Some(test)) = (read(&format!("u{fold}.base.gz")), read(&format!("u{fold}.test.gz"))) else { return };
        let matrix = RatingMatrix::build(&train, Duplicates::Latest).unwrap();
        let biases = Biases::fit(&matrix);
        let errors = pair_errors(&test, |user, item| Some(biases.predict(user, item)));
        near("RMSE", errors.rmse.unwrap(), expected, 0.005);
    }
}

#[test]
fn the_implicit_objective_ranks_unseen_items_far_better_than_popularity() {
    let params = AlsParams { rank: 32, reg: 0.1, implicit: true, alpha: 1.0, ..AlsParams::default() };
    let Some(found) = on_u1(params) else { return };
    let (model, popular) = (found.unseen_items.unwrap(), found.baselines.unwrap().most_popular.unseen_items);
    assert!(model.ndcg_at_k.unwrap() > 1.2 * popular.ndcg_at_k.unwrap(), "{model:?} {popular:?}");
}
