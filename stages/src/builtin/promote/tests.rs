//! Champion against challenger through the stage: who is promoted, on which pairs, and what another attempt returns.

use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::builtin::{Etl, FindModel, TrainAls};
use crate::date::format_iso;
use crate::kernel::{Aligned, padded};
use crate::matrix::Ids;
use crate::metrics::movielens;
use crate::model::tests::{World, record};
use crate::model::{AlsModel, ColdStart, Factors, publish};
use crate::ratings::Ratings;
use crate::{AnyStage, PublishKey};

/// A model of rank 1: ids with their one factor.
fn model(users: &[(i32, f32)], items: &[(i32, f32)]) -> AlsModel {
    let factors = |side: &[(i32, f32)]| {
        let ids: Vec<i32> = side.iter().map(|entry| entry.0).collect();
        let mut rows = Aligned::zeroed(ids.len() * padded(1));
        rows.as_mut_slice().chunks_mut(padded(1)).zip(side).for_each(|(row, entry)| row[0] = entry.1);
        Factors::from_padded(Ids::of(&ids), 1, rows)
    };
    AlsModel::new(factors(users), factors(items))
}

/// Publishes a model a second after the last one.
fn version(world: &World, model: &AlsModel, cold_start: ColdStart) -> String {
    world.clock.advance_ms(1000);
    let key = PublishKey::new("run", "train", 0);
    let record = |claim: &_| crate::model::ModelRecord { cold_start, rank: 1, ..record(claim, &key) };
    publish(&world.models(), model, record, &world.context).unwrap().version
}

/// Writes ratings (user, item, stars) as the dataset `name`.
fn dataset(world: &World, name: &str, rows: &[(i32, i32, f32)]) {
    let mut ratings = Ratings::default();
    rows.iter().for_each(|&(user, item, stars)| ratings.push(item, user, stars, 13_000));
    write(world, name, &ratings);
}

fn write(world: &World, name: &str, ratings: &Ratings) {
    let mut text = String::new();
    for row in 0..ratings.len() {
        let date = format_iso(ratings.date[row]);
        text.push_str(&format!("{}:\n{},{},{date}\n", ratings.movie[row], ratings.user[row], ratings.rating[row]));
    }
    fs::write(world.folder.path().join("ratings.txt"), text).unwrap();
    let inputs = json!({ "train_file": "ratings.txt", "train_output": name, "mode": "overwrite" });
    Etl::run(serde_json::from_value(inputs).unwrap(), &as_task(world, &format!("etl {name}"))).unwrap();
}

/// A context for another piece of work.
fn as_task(world: &World, task: &str) -> Context {
    Context { publish_key: PublishKey::new("run", task, 0), ..world.context.clone() }
}

/// Runs the stage as a task of its own.
fn promote_with(world: &World, challenger: &str, more: Value) -> Result<PromoteOutput> {
    let mut inputs = json!({ "models": "models", "challenger": challenger, "ratings": "test" });
    inputs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let task = format!("promote {challenger} {more}");
    Promote::run(serde_json::from_value(inputs).unwrap(), &as_task(world, &task))
}

fn promote(world: &World, challenger: &str) -> PromoteOutput {
    promote_with(world, challenger, json!({})).unwrap()
}

/// Two models that both know user 1 and items 1 and 2, and each something else; ratings of all of it.
fn two_models(world: &World) -> (String, String) {
    dataset(world, "test", &[(1, 1, 3.0), (1, 2, 4.0), (1, 3, 5.0), (2, 1, 5.0), (9, 9, 1.0)]);
    // Predicts 3.5 and 4 on the shared pairs, 1 for item 3.
    let first = version(world, &model(&[(1, 1.0)], &[(1, 3.5), (2, 4.0), (3, 1.0)]), ColdStart::Drop);
    // Predicts 3 and 5 on the shared pairs, 5 for user 2.
    let second = version(world, &model(&[(1, 1.0), (2, 5.0 / 3.0)], &[(1, 3.0), (2, 5.0)]), ColdStart::Drop);
    (first, second)
}

#[test]
fn both_are_judged_on_the_pairs_that_both_can_score_and_coverage_is_told() {
    let world = World::new();
    let (first, second) = two_models(&world);
    let alone = promote(&world, &first);
    assert_eq!((alone.promoted, alone.current.as_ref(), &alone.champion, alone.pairs), (true, Some(&first), &None, 3));
    assert!(alone.reason.starts_with("no version was promoted before; RMSE "), "{}", alone.reason);

    let lost = promote(&world, &second);
    assert_eq!((lost.promoted, lost.current.as_ref(), lost.previous.as_ref(), lost.pairs), (false, Some(&first), Some(&first), 2));
    let reason = format!("RMSE 0.7071 against 0.3536 of {first} on 2 pairs: worse by 0.3536 stars, beyond the tolerance of 0");
    assert_eq!(lost.reason, reason);
    let champion = lost.champion.unwrap();
    // Errors ½, 0 on the shared pairs, and 4 on a pair of its own.
    assert_eq!((champion.rmse, champion.mae), (Some(0.125_f64.sqrt()), Some(0.25)));
    assert_eq!((champion.own_rmse, champion.scored, champion.coverage), (Some((16.25_f64 / 3.0).sqrt()), 3, 0.6));
    let challenger = lost.challenger;
    assert_eq!((challenger.rmse, challenger.mae, challenger.value), (Some(0.5_f64.sqrt()), Some(0.5), Some(0.5_f64.sqrt())));
    assert_eq!((challenger.own_rmse, challenger.scored, challenger.coverage), (Some((1.0_f64 / 3.0).sqrt()), 3, 0.6));

    let tolerant = promote_with(&world, &second, json!({ "tolerance": 0.36 })).unwrap();
    assert_eq!((tolerant.promoted, tolerant.current.as_ref(), tolerant.previous.as_ref()), (true, Some(&second), Some(&first)));
    let back = promote_with(&world, &first, json!({ "metric": "mae" })).unwrap();
    assert_eq!((back.promoted, back.challenger.value), (true, Some(0.25)));
}

#[test]
fn a_challenger_that_shares_no_pair_with_the_champion_is_kept_and_so_is_one_that_knows_too_little() {
    let world = World::new();
    let (first, _) = two_models(&world);
    promote(&world, &first);
    let stranger = version(&world, &model(&[(9, 1.0)], &[(9, 1.0)]), ColdStart::Drop);
    let output = promote(&world, &stranger);
    assert_eq!((output.promoted, output.current, output.pairs, output.challenger.scored), (false, Some(first.clone()), 0, 1));
    assert_eq!(output.reason, format!("no test rating is of a user and an item that both {first} and the challenger know"));
    let output = promote_with(&world, &stranger, json!({ "min_coverage": 0.5, "champion": stranger })).unwrap();
    assert!(output.reason.starts_with("the challenger can score 20.0 % of the test ratings"), "{}", output.reason);
}

#[test]
fn what_a_model_answers_for_strangers_neither_helps_nor_hurts_it() {
    let world = World::new();
    dataset(&world, "test", &[(1, 1, 3.0), (7, 1, 5.0)]);
    let known = model(&[(1, 1.0)], &[(1, 3.5)]);
    let plain = version(&world, &known, ColdStart::Drop);
    promote(&world, &plain);
    for cold_start in [ColdStart::Nan, ColdStart::Mean] {
        let challenger = version(&world, &known, cold_start);
        let output = promote(&world, &challenger);
        assert!(output.promoted && output.reason.ends_with("no worse"), "{}", output.reason);
        assert_eq!((output.pairs, output.challenger.scored, output.challenger.own_rmse), (1, 1, Some(0.5)));
    }
}

#[test]
fn predictions_beyond_all_numbers_do_not_win() {
    let world = World::new();
    dataset(&world, "test", &[(1, 1, 3.0)]);
    let good = version(&world, &model(&[(1, 1.0)], &[(1, 3.5)]), ColdStart::Drop);
    let wild = version(&world, &model(&[(1, f32::MAX)], &[(1, f32::MAX)]), ColdStart::Drop);
    let output = promote(&world, &wild);
    assert_eq!((output.promoted, output.current, output.challenger.rmse), (false, None, None));
    promote(&world, &good);
    let output = promote_with(&world, &wild, json!({ "tolerance": 9 })).unwrap();
    assert_eq!((output.promoted, output.current.as_ref()), (false, Some(&good)));
    // And if one serves by a person's will, any number beats it.
    crate::model::promotion::by_hand(&world.models(), &wild, "oops", &world.context).unwrap();
    let output = promote_with(&world, &good, json!({ "tolerance": 0.5 })).unwrap();
    assert_eq!(output.reason, format!("RMSE 0.5000 on 1 pair, where that of {wild} is no number"));
}

#[test]
fn a_ranking_is_of_the_items_that_both_know() {
    let world = World::new();
    dataset(&world, "test", &[(1, 1, 5.0), (1, 2, 1.0)]);
    // Alone, the first would place items 8 and 9 above all; the second knows only 1 and 2.
    let first = version(&world, &model(&[(1, 1.0)], &[(1, 3.0), (2, 2.0), (8, 9.0), (9, 9.0)]), ColdStart::Drop);
    let second = version(&world, &model(&[(1, 1.0)], &[(1, 1.0), (2, 2.0)]), ColdStart::Drop);
    promote(&world, &first);
    let output = promote_with(&world, &second, json!({ "metric": "mrr_at_k", "k": 2 })).unwrap();
    assert_eq!((output.champion.unwrap().value, output.challenger.value, output.promoted), (Some(1.0), Some(0.5), false));
    // What the user rated in training is in no list: nothing but item 1 is left.
    dataset(&world, "train", &[(1, 2, 3.0)]);
    let output = promote_with(&world, &second, json!({ "metric": "mrr_at_k", "k": 2, "train": "train" })).unwrap();
    assert_eq!((output.champion.unwrap().value, output.challenger.value, output.promoted), (Some(1.0), Some(1.0), true));
}

#[test]
fn another_attempt_of_the_same_work_returns_what_was_decided_whatever_happened_since() {
    let world = World::new();
    let (first, second) = two_models(&world);
    let outputs = [promote(&world, &first), promote(&world, &second)];
    let third = version(&world, &model(&[(1, 1.0)], &[(1, 3.0), (2, 4.0)]), ColdStart::Drop);
    assert!(promote(&world, &third).promoted);
    dataset(&world, "test", &[(2, 1, 5.0)]);
    assert_eq!([promote(&world, &first), promote(&world, &second)], outputs);
    let current = json!({ "models": "models", "which": "current" });
    assert_eq!(FindModel::run(serde_json::from_value(current).unwrap(), &world.context).unwrap().version, third);
    assert_eq!(History::read(&world.models(), &world.context).unwrap().decisions.len(), 3);
}

#[test]
fn the_current_version_is_not_promoted_again() {
    let world = World::new();
    let (first, _) = two_models(&world);
    promote(&world, &first);
    let output = promote_with(&world, &format!("models/{first}"), json!({})).unwrap();
    assert_eq!((output.promoted, output.reason), (false, format!("{first} is the current version already")));
}

#[test]
fn a_champion_that_is_gone_or_broken_defends_nothing() {
    let world = World::new();
    let (first, second) = two_models(&world);
    promote(&world, &first);
    fs::remove_dir_all(world.models().join(&first).join("itemFactors")).unwrap();
    let output = promote(&world, &second);
    assert!(
        output.promoted && output.reason.starts_with(&format!("the current version {first} cannot be opened; RMSE")),
        "{}",
        output.reason
    );
    assert!(world.warnings.0.lock().unwrap().iter().any(|warning| warning.contains("itemFactors")));
    fs::remove_dir_all(world.models().join(&second)).unwrap();
    let third = version(&world, &model(&[(1, 1.0)], &[(1, 3.0)]), ColdStart::Drop);
    let output = promote(&world, &third);
    assert!(output.promoted && output.reason.starts_with(&format!("the current version {second} is not there any more; RMSE")));
}

#[test]
fn what_cannot_be_compared_is_an_error_with_a_remedy() {
    let world = World::new();
    let (first, _) = two_models(&world);
    let elsewhere = world.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(world.models().join(&first), elsewhere.join(&first)).unwrap();
    let error = promote_with(&world, &format!("elsewhere/{first}"), json!({})).unwrap_err();
    assert_eq!(error.message, format!("the challenger `elsewhere/{first}` does not lie in `models`"));
    let error = promote_with(&world, "version_none", json!({})).unwrap_err();
    assert_eq!(error.message, "there is no model version `version_none` in `models`");
    let wrong = json!({ "models": "m", "challenger": "c", "ratings": "r", "metric": "f1", "tolerance": -1, "min_coverage": 2 });
    let error = AnyStage::of::<Promote>().check(&wrong).unwrap_err().to_string();
    for part in ["rmse, mae, precision_at_k", "`tolerance`: expected at least 0", "`min_coverage`: expected at most 1"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn of_challengers_at_once_the_best_ends_up_current_in_whatever_order_they_come() {
    let world = World::new();
    dataset(&world, "test", &[(1, 1, 3.0)]);
    let versions: Vec<String> =
        [3.9, 3.1, 3.5, 2.0].map(|predicted| version(&world, &model(&[(1, 1.0)], &[(1, predicted)]), ColdStart::Drop)).into();
    std::thread::scope(|scope| versions.iter().for_each(|challenger| drop(scope.spawn(|| promote(&world, challenger)))));
    let history = History::read(&world.models(), &world.context).unwrap();
    assert_eq!((history.current_version(), history.decisions.len()), (Some(versions[1].as_str()), 4));
}

/// MovieLens 100K, split `u1`: rank 64 beats rank 10 with Spark's ALS too (0.9273 against 0.9378).
#[test]
fn on_real_ratings_the_better_of_two_trainings_is_promoted_and_the_figures_repeat() {
    let (Some(train), Some(test)) = (movielens::read("u1.base.gz"), movielens::read("u1.test.gz")) else { return };
    let decide = || {
        let world = World::new();
        write(&world, "train", &train);
        write(&world, "test", &test);
        let [small, large] = [(10, 10), (64, 15)].map(|(rank, max_iter)| {
            world.clock.advance_ms(1000);
            let inputs = json!({ "ratings": "train", "models": "models", "rank": rank, "max_iter": max_iter });
            TrainAls::run(serde_json::from_value(inputs).unwrap(), &as_task(&world, &format!("train {rank}"))).unwrap().path
        });
        assert!(promote(&world, &small).promoted);
        let better = promote(&world, &large);
        let worse = promote_with(&world, &small, json!({ "tolerance": 0.001 })).unwrap();
        let ranked = promote_with(&world, &small, json!({ "metric": "ndcg_at_k", "train": "train" })).unwrap();
        [better, worse, ranked]
    };
    let [better, worse, ranked] = decide();
    assert!(better.promoted && !worse.promoted, "{} {}", better.reason, worse.reason);
    assert_eq!((better.pairs, better.challenger.scored, better.challenger.coverage), (19_968, 19_968, 0.9984));
    let gain = better.champion.as_ref().unwrap().rmse.unwrap() - better.challenger.rmse.unwrap();
    assert!((0.005..0.02).contains(&gain), "{gain}");
    // Both know every training user and item, so that own and shared figures agree.
    assert_eq!(better.challenger.rmse, better.challenger.own_rmse);
    assert!(ranked.challenger.value.unwrap() > 0.0 && !ranked.reason.contains("stars"), "{}", ranked.reason);
    let strip = |output: &PromoteOutput| (output.pairs, output.champion.as_ref().unwrap().value, output.challenger.value);
    assert_eq!(decide().each_ref().map(strip), [better, worse, ranked].each_ref().map(strip));
}
