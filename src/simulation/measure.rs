//! Errors of models on ratings that they have not seen.
//!
//! The ratings of a period are predicted before anybody learns from them, by the model that serves at its beginning (test, then train: Gama,
//! Sebastião, Rodrigues, "On evaluating stream learning algorithms", 2013). Of a user or item that the model does not know, the mean of the
//! training ratings is predicted: so `all` has every rating of the period in it and is the same question for every policy. How
//! many these are is told apart (`cold`), and those that the model knows have errors of their own.
//!
//! The model of the beginning is measured on the same ratings: what a simulation without any retraining would have.

use recflow_stages::dataset::Dataset;
use recflow_stages::matrix::Ids;
use recflow_stages::metrics::PairErrors;
use recflow_stages::metrics::errors::{Prediction, pair_errors};
use recflow_stages::model::AlsModel;
use recflow_stages::{Context, Ratings, Result};
use serde::{Deserialize, Serialize};

/// Errors of one model on the ratings of a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// All ratings; what the model does not know is predicted by the mean.
    pub all: PairErrors,
    /// Those whose user and item it knows.
    pub known: PairErrors,
    /// All ratings of the users that it knows.
    pub known_users: Group,
    /// All ratings of the users that it does not know.
    pub new_users: Group,
    /// All ratings of the items that it does not know.
    pub new_items: Group,
}

/// Some of the ratings, what the model does not know predicted by the mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Users, or items, in it.
    pub count: u64,
    /// Errors over their ratings.
    #[serde(flatten)]
    pub errors: PairErrors,
}

/// The model that serves and the model of the beginning, on the ratings that both know.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// Ratings whose user and item both know.
    pub pairs: u64,
    /// RMSE of the model that serves, in stars; absent without a pair.
    pub model_rmse: Option<f64>,
    /// RMSE of the model of the beginning.
    pub start_rmse: Option<f64>,
}

/// A period, predicted before it was learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prequential {
    /// The model that serves when the period begins.
    pub model: Errors,
    /// The model that the simulation began with: no retraining.
    pub start: Errors,
    /// Both where both know user and item.
    pub shared: Shared,
}

/// The pipeline's own test set, after its run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// Ratings in it.
    pub ratings: u64,
    /// Those whose user and item the models before and after the run know.
    pub pairs: u64,
    /// RMSE of the model that served before the run, over these pairs; absent without a pair.
    pub before: Option<f64>,
    /// RMSE of the one that serves after it.
    pub after: Option<f64>,
}

/// A model, and what to predict where it knows nothing.
pub(super) struct Predictor {
    pub(super) model: AlsModel,
    /// The mean of the training ratings.
    pub(super) mean: f64,
}

impl Predictor {
    fn knows(&self, user: i32, item: i32) -> bool {
        self.model.users().ids().row(user).is_some() && self.model.items().ids().row(item).is_some()
    }

    fn with_mean(&self, user: i32, item: i32) -> Prediction {
        self.model.predict(user, item).map_or(Prediction::Cold(Some(self.mean)), |known| Prediction::Known(f64::from(known)))
    }

    /// Its errors on `ratings`.
    pub(super) fn errors(&self, ratings: &Ratings) -> Errors {
        let users = |user: i32| self.model.users().ids().row(user).is_some();
        let items = |item: i32| self.model.items().ids().row(item).is_some();
        let group = |keep: &dyn Fn(usize) -> bool, ids: &[i32]| {
            let rows = select(ratings, keep);
            let members: Vec<i32> = (0..ratings.len()).filter(|row| keep(*row)).map(|row| ids[row]).collect();
            Group { count: Ids::of(&members).len() as u64, errors: pair_errors(&rows, |user, item| self.with_mean(user, item)) }
        };
        Errors {
            all: pair_errors(ratings, |user, item| self.with_mean(user, item)),
            known: pair_errors(ratings, |user, item| self.model.predict(user, item).map(f64::from)),
            known_users: group(&|row| users(ratings.user[row]), &ratings.user),
            new_users: group(&|row| !users(ratings.user[row]), &ratings.user),
            new_items: group(&|row| !items(ratings.movie[row]), &ratings.movie),
        }
    }
}

/// The period before it is learned, predicted by the model that serves and by that of the beginning.
pub(super) fn prequential(model: &Predictor, start: &Predictor, ratings: &Ratings) -> Prequential {
    let (pairs, model_rmse, start_rmse) = on_shared(model, start, ratings);
    Prequential { model: model.errors(ratings), start: start.errors(ratings), shared: Shared { pairs, model_rmse, start_rmse } }
}

/// The test set, predicted by the models before and after a run.
pub(super) fn tested(before: &Predictor, after: &Predictor, ratings: &Ratings) -> Tested {
    let (pairs, before, after) = on_shared(before, after, ratings);
    Tested { ratings: ratings.len() as u64, pairs, before, after }
}

/// How many ratings both know, and the RMSE of each on them.
fn on_shared(one: &Predictor, other: &Predictor, ratings: &Ratings) -> (u64, Option<f64>, Option<f64>) {
    let shared = select(ratings, &|row| {
        let (user, item) = (ratings.user[row], ratings.movie[row]);
        one.knows(user, item) && other.knows(user, item)
    });
    let rmse = |predictor: &Predictor| pair_errors(&shared, |user, item| predictor.with_mean(user, item)).rmse;
    (shared.len() as u64, rmse(one), rmse(other))
}

fn select(ratings: &Ratings, keep: &dyn Fn(usize) -> bool) -> Ratings {
    let mut rows = Ratings::default();
    for row in (0..ratings.len()).filter(|row| keep(*row)) {
        rows.push(ratings.movie[row], ratings.user[row], ratings.rating[row], ratings.date[row]);
    }
    rows
}

/// The mean rating of a dataset.
///
/// # Errors
/// A file that cannot be read; cancellation.
pub(super) fn mean(dataset: &Dataset, context: &Context) -> Result<f64> {
    let sums =
        dataset.read_with(context, |ratings| (ratings.len(), ratings.rating.iter().map(|rating| f64::from(*rating)).sum::<f64>()))?;
    let (count, sum) = sums.into_iter().fold((0, 0.0), |(count, sum), (more, rest)| (count + more, sum + rest));
    Ok(if count == 0 { 0.0 } else { sum / count as f64 })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A model that knows a few users and items.
    fn predictor(mean: f64) -> Predictor {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stages/tests/data/spark_als_model");
        Predictor { model: recflow_stages::model::open(&folder).unwrap(), mean }
    }

    #[test]
    fn known_and_new_users_and_items_by_hand() {
        let predictor = predictor(3.5);
        let (user, item) = (predictor.model.users().ids().as_slice()[0], predictor.model.items().ids().as_slice()[0]);
        let stranger = 1_000_000;
        let mut ratings = Ratings::default();
        for (item, user, rating) in [(item, user, 4.0), (item, stranger, 2.0), (stranger, user, 3.0)] {
            ratings.push(item, user, rating, 0);
        }
        let known = f64::from(predictor.model.predict(user, item).unwrap()) - 4.0;
        let rmse = |errors: &[f64]| Some((errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt());
        let close = |found: Option<f64>, expected: Option<f64>| (found.unwrap() - expected.unwrap()).abs() < 1e-12;

        let found = prequential(&predictor, &self::predictor(2.5), &ratings);
        let Errors { all, known: of_known, known_users, new_users, new_items } = found.model.clone();
        assert!(close(all.rmse, rmse(&[known, 1.5, 0.5])) && (all.scored, all.cold) == (3, 2));
        assert!(close(of_known.rmse, rmse(&[known])) && (of_known.scored, of_known.cold) == (1, 2));
        assert!(close(known_users.errors.rmse, rmse(&[known, 0.5])) && known_users.count == 1);
        assert!(close(new_users.errors.rmse, Some(1.5)) && new_users.count == 1);
        assert!(close(new_items.errors.rmse, Some(0.5)) && new_items.count == 1);
        assert!(close(found.start.all.rmse, rmse(&[known, 0.5, 0.5])), "its own mean");
        let Shared { pairs, model_rmse, start_rmse } = found.shared;
        assert!(pairs == 1 && close(model_rmse, rmse(&[known])) && close(start_rmse, model_rmse));
    }

    #[test]
    fn without_a_rating_that_both_know_there_is_no_error_on_the_test_set() {
        let mut ratings = Ratings::default();
        ratings.push(1_000_000, 1_000_000, 3.0, 0);
        let none = Tested { ratings: 1, pairs: 0, before: None, after: None };
        assert_eq!(tested(&predictor(3.0), &predictor(4.0), &ratings), none);
    }
}
