//! Everything that is measured of one model on one test set.
//!
//! Three protocols of ranking, named in the result, since they answer different questions:
//!
//! - `all_items`: the K best of all items that the model knows, those rated in training included. What Spark's
//!   `recommendForAllUsers` with `RankingMetrics` gives; an item seen in training can never be a hit, so it understates.
//! - `unseen_items`: the K best of the items that the user has not rated in the training set.
//! - `test_items` (on request): the K best of those that the user rated in the test set, relevant or not. It asks only whether the model
//!   orders known tastes well, so figures are high, also those of a bad model; they compare with those of the same protocol alone.
//!
//! Users are those with a relevant test item that the model knows; the baselines rank for the same users and predict the same pairs.
//!
//! The model's [`ColdRule`] says what becomes of pairs with a user or an item that it does not know. It concerns RMSE and MAE
//! alone: nothing is ranked for a user that the model does not know.

use std::collections::BTreeMap;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baselines::Biases;
use super::errors::{PairErrors, Prediction, pair_errors, row_errors};
use super::ranked_users::{Ranked, RankedUsers};
use super::ranking::Ranking;
use super::relevance::Relevance;
use super::segments::{QUARTERS, RatingBin, Segmentation, Segments, by_rating};
use crate::context::{Context, Unit};
use crate::error::{Result, StageError};
use crate::matrix::{Duplicates, Ids, RatingMatrix};
use crate::model::{AlsModel, ColdRule};
use crate::ratings::Ratings;

/// What to measure.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Length of a list, at least 1.
    pub k: usize,
    /// A test item is relevant if it is rated at least this.
    pub rating_threshold: f64,
}

/// What to measure beyond [`Settings`].
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// Further lengths of lists, each at least 1. Any makes [`Evaluation::at_k`] appear.
    pub more_k: Vec<usize>,
    /// Whether to report `unseen_items`, given a training set.
    pub unseen_items: bool,
    /// Whether to rank by `test_items` too.
    pub test_items: bool,
}

impl Default for Detail {
    fn default() -> Self {
        Self { more_k: Vec::new(), unseen_items: true, test_items: false }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Evaluation {
    /// RMSE, MAE and how many rows they stand on.
    #[serde(flatten)]
    pub errors: PairErrors,
    /// Users of the test set that the model does not know.
    pub cold_users: u64,
    /// Items of the test set that the model does not know.
    pub cold_items: u64,
    /// Length of the ranked lists.
    pub k: u64,
    /// Ratings of at least this were relevant.
    pub rating_threshold: f64,
    /// Ranking of all items, those rated in training included (protocol `all_items`).
    #[serde(flatten)]
    pub all_items: Ranking,
    /// Ranking of the items not rated in training (protocol `unseen_items`); absent without a training set.
    pub unseen_items: Option<Ranking>,
    /// Ranking of the user's own test items (protocol `test_items`); absent unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_items: Option<Ranking>,
    /// What simple predictors reach on the same pairs and users; absent without a training set.
    pub baselines: Option<Baselines>,
    /// Errors by what was rated, from the lowest rating to the highest.
    #[serde(default)]
    pub by_rating: Vec<RatingBin>,
    /// Figures by activity of users, popularity of items, and whether they are in the training set; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Segments>,
    /// The rankings at each length, by length, if there are several; those above are of the first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub at_k: BTreeMap<String, AtK>,
}

/// The rankings at one length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct AtK {
    /// Protocol `all_items`.
    #[serde(flatten)]
    pub all_items: Ranking,
    /// Protocol `unseen_items`; absent without a training set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen_items: Option<Ranking>,
    /// Protocol `test_items`; absent unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_items: Option<Ranking>,
    /// What the most popular items reach; absent without a training set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_popular: Option<Popularity>,
}

/// What simple predictors reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Baselines {
    /// Every rating is the mean of the training set.
    pub global_mean: PairErrors,
    /// Mean plus user and item bias, damped by 15 and 10 ratings.
    pub biases: PairErrors,
    /// Everybody is recommended what most users rated.
    pub most_popular: Popularity,
}

/// Ranking by popularity under both protocols.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Popularity {
    /// Of all items.
    pub all_items: Ranking,
    /// Of the items that the user has not rated in training.
    pub unseen_items: Ranking,
}

/// Measures `model` on `test`. With the training set, also under `unseen_items`, and the baselines.
///
/// # Errors
/// `k` is 0; ratings that are not finite; cancellation.
pub fn evaluate(model: &AlsModel, test: &Ratings, train: Option<&Ratings>, settings: Settings, context: &Context) -> Result<Evaluation> {
    let train = train.filter(|train| !train.is_empty()).map(|train| RatingMatrix::build(train, Duplicates::Latest)).transpose()?;
    evaluate_in_detail(model, test, train.as_ref(), settings, &Detail::default(), context)
}

/// [`evaluate`], with what `detail` asks for. The training set comes as a matrix, so that nobody has to hold its ratings twice.
///
/// # Errors
/// Those of [`evaluate`].
pub fn evaluate_in_detail(
    model: &AlsModel,
    test: &Ratings,
    train: Option<&RatingMatrix>,
    settings: Settings,
    detail: &Detail,
    context: &Context,
) -> Result<Evaluation> {
    let Settings { k, rating_threshold } = settings;
    let ks: Vec<usize> = std::iter::once(k).chain(detail.more_k.iter().copied()).collect();
    if ks.contains(&0) {
        return Err(StageError::input("`k` must be at least 1, found 0"));
    }
    // Each pair is predicted once: its user's factors lie anywhere in memory.
    let known = predictions(model, test, context);
    let predicted = |row: usize| prediction(known[row], model);
    let errors = model_errors(model, test, predicted, context);
    let unknown = |test: &[i32], known: &Ids| Ids::of(test).as_slice().iter().filter(|&&id| known.row(id).is_none()).count() as u64;
    let (cold_users, cold_items) = (unknown(&test.user, model.users().ids()), unknown(&test.movie, model.items().ids()));

    let users = RankedUsers::of(Relevance::of(test, rating_threshold), model, train, &ks);
    context.check_cancelled()?;
    let segmentation = train.map(|train| Segmentation::of(train, test));
    let quarter = |user| segmentation.as_ref().and_then(|segmentation| segmentation.quarter(user));
    let Ranked { all_items, unseen_items, by_group } = users.rank(QUARTERS, quarter, context)?;
    let unseen_items = (train.is_some() && detail.unseen_items).then_some(unseen_items);
    let segments = segmentation.map(|segmentation| {
        let rankings: Vec<_> = by_group.iter().map(|&(all, unseen)| (all, unseen_items.is_some().then_some(unseen))).collect();
        segmentation.measure(test, predicted, &rankings)
    });
    let test_items = detail.test_items.then(|| users.rank_test_items(test));
    context.check_cancelled()?;
    let most_popular = train.map(|train| {
        context.progress("baselines", 0, None, Unit::Rows);
        users.popularity(train)
    });
    let at = |index: usize| AtK {
        all_items: all_items[index],
        unseen_items: unseen_items.as_ref().map(|rankings| rankings[index]),
        test_items: test_items.as_ref().map(|rankings| rankings[index]),
        most_popular: most_popular.as_ref().map(|rankings| rankings[index]),
    };
    let first = at(0);
    let baselines = train.zip(first.most_popular).map(|(train, most_popular)| {
        let (global_mean, biases) = baseline_errors(model, test, train);
        Baselines { global_mean, biases, most_popular }
    });
    Ok(Evaluation {
        errors,
        cold_users,
        cold_items,
        k: k as u64,
        rating_threshold,
        all_items: first.all_items,
        unseen_items: first.unseen_items,
        test_items: first.test_items,
        baselines,
        by_rating: by_rating(test, predicted),
        segments,
        at_k: if ks.len() > 1 { ks.iter().enumerate().map(|(index, k)| (k.to_string(), at(index))).collect() } else { BTreeMap::new() },
    })
}

/// What the model says of each pair that it knows.
fn predictions(model: &AlsModel, test: &Ratings, context: &Context) -> Vec<Option<f32>> {
    context.progress("errors", 0, Some(test.len() as u64), Unit::Rows);
    test.user.par_iter().zip(&test.movie).map(|(&user, &item)| model.predict(user, item)).collect()
}

fn prediction(known: Option<f32>, model: &AlsModel) -> Prediction {
    known.map_or_else(|| Prediction::Cold(model.cold_rule().prediction()), |known| Prediction::Known(f64::from(known)))
}

/// RMSE and MAE of the model, and a warning if its rule for strangers makes them no numbers.
fn model_errors(model: &AlsModel, test: &Ratings, predicted: impl Fn(usize) -> Prediction + Sync, context: &Context) -> PairErrors {
    let errors = row_errors(test, predicted);
    if model.cold_rule() == ColdRule::Nan && errors.cold > 0 {
        context.warn(nan_warning(&errors));
    }
    errors
}

/// RMSE and MAE of the global mean and of the biases, on the pairs that the model is measured on.
fn baseline_errors(model: &AlsModel, test: &Ratings, train: &RatingMatrix) -> (PairErrors, PairErrors) {
    let biases = Biases::fit(train);
    let cold_rule = model.cold_rule();
    let on_the_same_pairs = |predict: &(dyn Fn(i32, i32) -> f64 + Sync)| {
        let is_known = |user, item| model.users().ids().row(user).and(model.items().ids().row(item)).is_some();
        pair_errors(test, |user, item| match cold_rule {
            _ if is_known(user, item) => Prediction::Known(predict(user, item)),
            ColdRule::Mean(_) => Prediction::Cold(Some(predict(user, item))),
            ColdRule::Drop | ColdRule::Nan => Prediction::Cold(None),
        })
    };
    (on_the_same_pairs(&|_, _| biases.mean()), on_the_same_pairs(&|user, item| biases.predict(user, item)))
}

/// Why there is neither RMSE nor MAE, and what to do about it.
fn nan_warning(errors: &PairErrors) -> String {
    let PairErrors { cold, scored, .. } = errors;
    format!(
        "{cold} of {} test ratings are of a user or an item that the model does not know; its `cold_start` is `nan` (Spark's \
         default), so RMSE and MAE are no numbers; train with `cold_start: drop` to leave such ratings out, or `mean` to \
         predict the mean rating for them",
        cold + scored
    )
}

#[cfg(test)]
mod tests {
    use super::super::scoring::Scorer;
    use super::*;
    use crate::PublishKey;
    use crate::kernel::{Aligned, padded};
    use crate::model::Factors;

    /// Rank 1: user 1 likes high items, user 2 low ones.
    fn model(items: i32) -> AlsModel {
        let factors = |ids: Vec<i32>, values: Vec<f32>| {
            let mut rows = Aligned::zeroed(ids.len() * padded(1));
            rows.as_mut_slice().chunks_mut(padded(1)).zip(values).for_each(|(row, value)| row[0] = value);
            Factors::from_padded(Ids::of(&ids), 1, rows)
        };
        AlsModel::new(factors(vec![1, 2], vec![1.0, -1.0]), factors((0..items).collect(), (0..items).map(|i| i as f32).collect()))
    }

    fn ratings(rows: &[(i32, i32, f32)]) -> Ratings {
        let mut ratings = Ratings::default();
        rows.iter().for_each(|&(user, movie, rating)| ratings.push(movie, user, rating, 0));
        ratings
    }

    fn evaluated(test: &Ratings, train: Option<&Ratings>) -> Evaluation {
        let context = Context::plain("/nonexistent", PublishKey::new("r", "t", 0));
        evaluate(&model(200), test, train, Settings { k: 2, rating_threshold: 4.0 }, &context).unwrap()
    }

    #[test]
    fn both_protocols_by_hand() {
        // User 1's best: 199, 198; unseen: 198, 197. User 2's best: 0, 1 either way. User 3 is cold, user 2's 5 is not relevant.
        let test = ratings(&[(1, 197, 5.0), (1, 198, 4.0), (2, 1, 4.0), (2, 5, 3.0), (3, 1, 5.0)]);
        let train = ratings(&[(1, 199, 5.0), (2, 9, 1.0)]);
        let found = evaluated(&test, Some(&train));
        assert_eq!((found.all_items.ranked_users, found.cold_users, found.cold_items, found.errors.cold), (2, 1, 0, 1));
        assert_eq!((found.all_items.precision_at_k, found.all_items.recall_at_k), (Some(0.5), Some(0.75)));
        let unseen = found.unseen_items.unwrap();
        assert_eq!((unseen.precision_at_k, unseen.recall_at_k), (Some(0.75), Some(1.0)));
        let second = 1.0 / 3.0_f64.log2();
        assert!((found.all_items.ndcg_at_k.unwrap() - (second / (1.0 + second) + second) / 2.0).abs() < 1e-12);
        assert!((unseen.ndcg_at_k.unwrap() - (1.0 + second) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn several_lengths_and_the_user_s_own_test_items_by_hand() {
        let test = ratings(&[(1, 197, 5.0), (1, 198, 4.0), (2, 1, 4.0), (2, 5, 3.0), (3, 1, 5.0)]);
        let matrix = RatingMatrix::build(&ratings(&[(1, 199, 5.0), (2, 9, 1.0)]), Duplicates::Latest).unwrap();
        let context = Context::plain("/nonexistent", PublishKey::new("r", "t", 0));
        let under = |k, detail: &Detail| {
            evaluate_in_detail(&model(200), &test, Some(&matrix), Settings { k, rating_threshold: 4.0 }, detail, &context).unwrap()
        };
        let found = under(2, &Detail { more_k: vec![1, 1000], test_items: true, unseen_items: true });
        assert_eq!(found.at_k.keys().collect::<Vec<_>>(), ["1", "1000", "2"]);
        for (name, k) in [("1", 1), ("2", 2), ("1000", 1000)] {
            let (at, alone) = (&found.at_k[name], under(k, &Detail::default()));
            assert_eq!((at.all_items, at.unseen_items), (alone.all_items, alone.unseen_items), "at {k}");
            assert_eq!(at.most_popular, alone.baselines.map(|baselines| baselines.most_popular), "at {k}");
        }
        assert_eq!((found.all_items, found.k), (found.at_k["2"].all_items, 2));
        // All items at 2: user 1 gets 199, 198 (a hit in place 2 of 2 relevant), user 2 gets 0, 1 (a hit in place 2 of 1).
        assert_eq!((found.all_items.map_at_k, found.all_items.mrr_at_k), (Some((0.25 + 0.5) / 2.0), Some(0.5)));
        assert_eq!((found.all_items.hit_rate_at_k, found.all_items.coverage_at_k), (Some(1.0), Some(4.0 / 200.0)));
        // Two users trained, each item rated by one of them or none: every item holds one bit.
        assert_eq!(found.all_items.novelty_at_k, Some(1.0));
        // Own test items: user 1 gets 198, 197, both relevant; user 2 gets 1, 5, the first relevant.
        let own = found.test_items.unwrap();
        assert_eq!((own.precision_at_k, own.recall_at_k, own.ndcg_at_k), (Some(0.75), Some(1.0), Some(1.0)));
        assert_eq!((own.map_at_k, own.mrr_at_k, own.coverage_at_k), (Some(1.0), Some(1.0), Some(4.0 / 200.0)));

        let found = under(2, &Detail { unseen_items: false, ..Detail::default() });
        assert!(found.unseen_items.is_none() && found.test_items.is_none() && found.at_k.is_empty() && found.baselines.is_some());
    }

    #[test]
    fn without_a_training_set_only_all_items_is_reported() {
        let found = evaluated(&ratings(&[(1, 197, 5.0)]), None);
        assert!(found.unseen_items.is_none() && found.baselines.is_none() && found.segments.is_none());
        assert_eq!(found.by_rating.len(), 1);
        assert_eq!(found.all_items.ranked_users, 1);
    }

    #[test]
    fn blocked_scoring_equals_sorting_each_user_s_predictions() {
        let model = model(200);
        let seen = |user: u32, item: u32| (user + item).is_multiple_of(3);
        let users: Vec<u32> = (0..150).map(|i| i % 2).collect();
        let lists = Scorer::new(&model).best(&users, 7, &crate::CancelToken::new(), seen, |place, best| (place, best));
        assert_eq!(lists.len(), 150);
        for (place, best) in lists {
            let user = users[place];
            let mut sorted: Vec<(f32, u32)> = (0..200).map(|item| (model.predict(user as i32 + 1, item as i32).unwrap(), item)).collect();
            sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let pairs = |list: &[super::super::top::Scored]| list.iter().map(|scored| (scored.score, scored.item)).collect::<Vec<_>>();
            assert_eq!(pairs(&best.all), sorted[..7]);
            sorted.retain(|&(_, item)| !seen(user, item));
            assert_eq!(pairs(&best.unseen), sorted[..7]);
        }
    }

    #[test]
    fn segments_have_the_rankings_of_their_own_users() {
        let test = ratings(&[(1, 197, 5.0), (1, 198, 4.0), (2, 1, 4.0), (2, 5, 3.0), (3, 1, 5.0)]);
        // User 1 is the least active.
        let train = ratings(&[(1, 199, 5.0), (2, 9, 1.0), (2, 10, 1.0)]);
        let found = evaluated(&test, Some(&train));
        let segments = found.segments.unwrap();
        assert_eq!(segments.user_activity.keys().collect::<Vec<_>>(), ["q1", "q3"]);
        for (segment, user) in [("q1", 1), ("q3", 2)] {
            let alone = ratings(
                &[(1, 197, 5.0), (1, 198, 4.0), (2, 1, 4.0), (2, 5, 3.0)].into_iter().filter(|row| row.0 == user).collect::<Vec<_>>(),
            );
            let (alone, found) = (evaluated(&alone, Some(&train)), &segments.user_activity[segment]);
            assert_eq!((found.errors, found.users), (alone.errors, 1));
            assert_eq!(found.all_items, Ranking { coverage_at_k: None, ..alone.all_items });
            assert_eq!(found.unseen_items.unwrap(), Ranking { coverage_at_k: None, ..alone.unseen_items.unwrap() });
        }
        assert_eq!((segments.new_users.count, segments.new_users.errors.cold), (1, 1));
        assert_eq!(found.by_rating.iter().map(|bin| (bin.rating_min, bin.ratings)).collect::<Vec<_>>(), [(3.0, 1), (4.0, 2), (5.0, 2)]);
    }

    #[test]
    fn baselines_score_the_pairs_that_the_model_scores() {
        let test = ratings(&[(1, 10, 3.0), (2, 999, 5.0), (7, 10, 5.0)]);
        let train = ratings(&[(1, 10, 2.0), (1, 11, 4.0), (2, 10, 3.0)]);
        let baselines = evaluated(&test, Some(&train)).baselines.unwrap();
        assert_eq!(baselines.global_mean, PairErrors { rmse: Some(0.0), mae: Some(0.0), scored: 1, cold: 2 });
        assert_eq!((baselines.biases.scored, baselines.biases.cold), (1, 2));
    }

    #[derive(Default)]
    struct Warnings(std::sync::Mutex<Vec<String>>);

    impl crate::context::Reporter for Warnings {
        fn report(&self, report: crate::context::Report) {
            if let crate::context::Report::Log { level: crate::Level::Warn, message } = report {
                self.0.lock().unwrap().push(message);
            }
        }
    }

    #[test]
    fn the_cold_rule_decides_over_pairs_that_the_model_does_not_know() {
        // Known: 10 predicted, 9 rated. Cold: a user and an item, both rated 5.
        let test = ratings(&[(1, 10, 9.0), (7, 10, 5.0), (2, 999, 5.0)]);
        let train = ratings(&[(1, 10, 2.0), (1, 11, 4.0), (2, 10, 3.0)]);
        let under = |rule: ColdRule| {
            let warnings = std::sync::Arc::new(Warnings::default());
            let mut context = Context::plain("/nonexistent", PublishKey::new("r", "t", 0));
            context.reporter = warnings.clone();
            let settings = Settings { k: 2, rating_threshold: 4.0 };
            let found = evaluate(&model(200).with_cold_rule(rule), &test, Some(&train), settings, &context).unwrap();
            let warnings = warnings.0.lock().unwrap().clone();
            (found, warnings)
        };
        let (dropped, warnings) = under(ColdRule::Drop);
        assert_eq!(dropped.errors, PairErrors { rmse: Some(1.0), mae: Some(1.0), scored: 1, cold: 2 });
        assert!(warnings.is_empty());

        let (mean, warnings) = under(ColdRule::Mean(3.0));
        assert_eq!(mean.errors, PairErrors { rmse: Some(3.0_f64.sqrt()), mae: Some(5.0 / 3.0), scored: 3, cold: 2 });
        assert!(warnings.is_empty());
        // The baselines are measured on the pairs that the model is: 3 stars against 9, 5 and 5.
        assert_eq!(
            mean.baselines.unwrap().global_mean,
            PairErrors { rmse: Some((44.0_f64 / 3.0).sqrt()), mae: Some(10.0 / 3.0), scored: 3, cold: 2 }
        );

        let (nan, warnings) = under(ColdRule::Nan);
        assert_eq!(nan.errors, PairErrors { rmse: None, mae: None, scored: 1, cold: 2 });
        assert_eq!(nan.baselines, dropped.baselines);
        assert_eq!(mean.segments.as_ref().unwrap().new_users.errors.rmse, Some(2.0));
        assert!(serde_json::to_string(&nan).unwrap().starts_with(r#"{"rmse":null,"mae":null,"scored":1,"cold":2,"#));
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("2 of 3 test ratings") && warnings[0].contains("train with `cold_start: drop`"), "{}", warnings[0]);
        for found in [mean, nan] {
            assert_eq!((found.all_items, found.cold_users, found.cold_items), (dropped.all_items, 1, 1));
        }
    }

    #[test]
    fn a_list_of_no_items_is_refused() {
        let context = Context::plain("/nonexistent", PublishKey::new("r", "t", 0));
        let error = evaluate(&model(3), &Ratings::default(), None, Settings { k: 0, rating_threshold: 4.0 }, &context).unwrap_err();
        assert_eq!(error.message, "`k` must be at least 1, found 0");
    }
}
