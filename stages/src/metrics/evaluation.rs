//! Everything that is measured of one model on one test set.
//!
//! Two protocols of ranking, named in the result, since they answer different questions:
//!
//! - `all_items`: the K best of all items that the model knows, those rated in training included. What Spark's
//!   `recommendForAllUsers` with `RankingMetrics` gives; an item seen in training can never be a hit, so it understates.
//! - `unseen_items`: the K best of the items that the user has not rated in the training set.
//!
//! Users are those with a relevant test item that the model knows; the baselines rank for the same users and predict the same pairs.
//!
//! The model's [`ColdRule`] says what becomes of pairs with a user or an item that it does not know. It concerns RMSE and MAE
//! alone: nothing is ranked for a user that the model does not know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baselines::{Biases, MostPopular};
use super::errors::{PairErrors, Prediction, pair_errors};
use super::ranking::{OneRanking, Ranking};
use super::relevance::Relevance;
use super::scoring::Scorer;
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

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// What simple predictors reach on the same pairs and users; absent without a training set.
    pub baselines: Option<Baselines>,
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

/// The users to rank for: place in the relevance table and row in the model.
struct RankedUsers {
    relevance: Relevance,
    places: Vec<usize>,
    rows: Vec<u32>,
}

/// Measures `model` on `test`. With the training set, also under `unseen_items`, and the baselines.
pub fn evaluate(model: &AlsModel, test: &Ratings, train: Option<&Ratings>, settings: Settings, context: &Context) -> Result<Evaluation> {
    let Settings { k, rating_threshold } = settings;
    if k == 0 {
        return Err(StageError::input("`k` must be at least 1, found 0"));
    }
    context.progress("errors", 0, Some(test.len() as u64), Unit::Rows);
    let cold_rule = model.cold_rule();
    let errors = pair_errors(test, |user, item| match model.predict(user, item) {
        Some(prediction) => Prediction::Known(f64::from(prediction)),
        None => Prediction::Cold(cold_rule.prediction()),
    });
    if cold_rule == ColdRule::Nan && errors.cold > 0 {
        context.warn(nan_warning(&errors));
    }
    let unknown = |test: &[i32], known: &Ids| Ids::of(test).as_slice().iter().filter(|&&id| known.row(id).is_none()).count() as u64;
    let (cold_users, cold_items) = (unknown(&test.user, model.users().ids()), unknown(&test.movie, model.items().ids()));

    let users = RankedUsers::of(Relevance::of(test, rating_threshold), model);
    let train = train.filter(|train| !train.is_empty()).map(|train| RatingMatrix::build(train, Duplicates::Latest)).transpose()?;
    context.check_cancelled()?;
    let (all_items, unseen_items) = users.rank(model, train.as_ref(), k, context)?;
    context.check_cancelled()?;
    let baselines = train.as_ref().map(|train| {
        context.progress("baselines", 0, None, Unit::Rows);
        let biases = Biases::fit(train);
        let on_the_same_pairs = |predict: &(dyn Fn(i32, i32) -> f64 + Sync)| {
            let is_known = |user, item| model.users().ids().row(user).and(model.items().ids().row(item)).is_some();
            pair_errors(test, |user, item| match cold_rule {
                _ if is_known(user, item) => Prediction::Known(predict(user, item)),
                ColdRule::Mean(_) => Prediction::Cold(Some(predict(user, item))),
                ColdRule::Drop | ColdRule::Nan => Prediction::Cold(None),
            })
        };
        Baselines {
            global_mean: on_the_same_pairs(&|_, _| biases.mean()),
            biases: on_the_same_pairs(&|user, item| biases.predict(user, item)),
            most_popular: users.popularity(model, train, k),
        }
    });
    Ok(Evaluation {
        errors,
        cold_users,
        cold_items,
        k: k as u64,
        rating_threshold,
        all_items,
        unseen_items: train.is_some().then_some(unseen_items),
        baselines,
    })
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

impl RankedUsers {
    fn of(relevance: Relevance, model: &AlsModel) -> Self {
        let known = relevance.users().iter().enumerate().filter_map(|(place, &user)| Some((place, model.users().ids().row(user)?)));
        let (places, rows) = known.unzip();
        Self { relevance, places, rows }
    }

    /// The relevant items of the `index`-th user ranked for.
    fn relevant(&self, index: usize) -> &[i32] {
        self.relevance.items(self.places[index])
    }

    /// The model's rankings under `all_items` and `unseen_items`.
    fn rank(&self, model: &AlsModel, train: Option<&RatingMatrix>, k: usize, context: &Context) -> Result<(Ranking, Ranking)> {
        context.progress("rank", 0, Some(self.rows.len() as u64), Unit::Users);
        let (user_ids, item_ids) = (model.users().ids().as_slice(), model.items().ids().as_slice());
        let seen = |user: u32, item: u32| train.is_some_and(|train| rated(train, user_ids[user as usize], item_ids[item as usize]));
        let lists = Scorer::new(model).best(&self.rows, k, &context.cancel, seen, |index, best| {
            let judge = |list: &[super::top::Scored]| {
                OneRanking::of(list.iter().map(|scored| item_ids[scored.item as usize]), self.relevant(index), k)
            };
            (judge(&best.all), judge(&best.unseen))
        });
        context.check_cancelled()?;
        context.progress("rank", lists.len() as u64, Some(self.rows.len() as u64), Unit::Users);
        let (all, unseen): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
        Ok((Ranking::mean(all), Ranking::mean(unseen)))
    }

    fn popularity(&self, model: &AlsModel, train: &RatingMatrix, k: usize) -> Popularity {
        let popular = MostPopular::fit(train);
        let items = || popular.items().iter().copied();
        let users = || self.rows.iter().map(|&row| model.users().ids().as_slice()[row as usize]).enumerate();
        let unseen = |user: i32| items().filter(move |&item| !rated(train, user, item));
        Popularity {
            all_items: Ranking::mean(users().map(|(index, _)| OneRanking::of(items(), self.relevant(index), k))),
            unseen_items: Ranking::mean(users().map(|(index, user)| OneRanking::of(unseen(user), self.relevant(index), k))),
        }
    }
}

/// Whether the user rated the item in `train`, both by id.
fn rated(train: &RatingMatrix, user: i32, item: i32) -> bool {
    let cell = train.users().row(user).zip(train.items().row(item));
    cell.is_some_and(|(user, item)| train.contains(user, item))
}

#[cfg(test)]
mod tests {
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
    fn without_a_training_set_only_all_items_is_reported() {
        let found = evaluated(&ratings(&[(1, 197, 5.0)]), None);
        assert!(found.unseen_items.is_none() && found.baselines.is_none());
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
