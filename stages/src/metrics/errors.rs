//! RMSE and MAE over the pairs that have a prediction.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ratings::Ratings;

/// What there is to say about one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Prediction {
    /// Of a user and an item that the model knows.
    Known(f64),
    /// Of a pair that it does not know; `None` leaves the row out.
    Cold(Option<f64>),
}

impl From<Option<f64>> for Prediction {
    fn from(known: Option<f64>) -> Self {
        known.map_or(Prediction::Cold(None), Prediction::Known)
    }
}

/// Errors of predictions `p` against ratings `r`, over the rows that have a prediction:
/// `RMSE = √(Σ (p - r)² / scored)`, `MAE = Σ |p - r| / scored`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PairErrors {
    /// Root mean squared error in stars; absent if no row could be scored, or a prediction was NaN.
    pub rmse: Option<f64>,
    /// Mean absolute error in stars; absent if no row could be scored, or a prediction was NaN.
    pub mae: Option<f64>,
    /// Rows that were scored: those known to the model and, if its `cold_start` is `mean`, cold ones.
    pub scored: u64,
    /// Rows whose user or item the model does not know.
    pub cold: u64,
}

/// Sums over some rows.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    squares: f64,
    sizes: f64,
    scored: u64,
    cold: u64,
}

impl Sums {
    fn add(mut self, prediction: Prediction, rating: f64) -> Self {
        let prediction = match prediction {
            Prediction::Known(prediction) => Some(prediction),
            Prediction::Cold(prediction) => {
                self.cold += 1;
                prediction
            }
        };
        if let Some(prediction) = prediction {
            let error = prediction - rating;
            self.squares += error * error;
            self.sizes += error.abs();
            self.scored += u64::from(!prediction.is_nan());
        }
        self
    }

    fn plus(self, other: Self) -> Self {
        Self {
            squares: self.squares + other.squares,
            sizes: self.sizes + other.sizes,
            scored: self.scored + other.scored,
            cold: self.cold + other.cold,
        }
    }

    fn errors(self) -> PairErrors {
        let Self { squares, sizes, scored, cold } = self;
        let mean = |sum: f64| (scored > 0 && !sum.is_nan()).then(|| sum / scored as f64);
        PairErrors { rmse: mean(squares).map(f64::sqrt), mae: mean(sizes), scored, cold }
    }
}

/// Rows that one task sums up; fixed, so that the sums do not depend on the number of threads.
const CHUNK: usize = 1 << 16;

/// Scores every row of `ratings`, duplicates included, with `predict(user, item)`.
pub fn pair_errors<P: Into<Prediction>>(ratings: &Ratings, predict: impl Fn(i32, i32) -> P + Sync) -> PairErrors {
    row_errors(ratings, |row| predict(ratings.user[row], ratings.movie[row]))
}

/// [`pair_errors`], with `predict(row)` for who has the predictions already.
pub(super) fn row_errors<P: Into<Prediction>>(ratings: &Ratings, predict: impl Fn(usize) -> P + Sync) -> PairErrors {
    sums(ratings, 1, predict, |_| [Some(0)])[0].errors()
}

/// [`row_errors`] of several groups of rows in one pass: `groups_of(row)` names up to `N` groups, below `groups`, that the row belongs to.
pub(super) fn grouped_errors<const N: usize>(
    ratings: &Ratings,
    groups: usize,
    predict: impl Fn(usize) -> Prediction + Sync,
    groups_of: impl Fn(usize) -> [Option<usize>; N] + Sync,
) -> Vec<PairErrors> {
    sums(ratings, groups, predict, groups_of).into_iter().map(Sums::errors).collect()
}

fn sums<const N: usize, P: Into<Prediction>>(
    ratings: &Ratings,
    groups: usize,
    predict: impl Fn(usize) -> P + Sync,
    groups_of: impl Fn(usize) -> [Option<usize>; N] + Sync,
) -> Vec<Sums> {
    let chunks: Vec<Vec<Sums>> = (0..ratings.len().div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let mut sums = vec![Sums::default(); groups];
            for row in chunk * CHUNK..((chunk + 1) * CHUNK).min(ratings.len()) {
                let prediction = predict(row).into();
                for group in groups_of(row).into_iter().flatten() {
                    sums[group] = sums[group].add(prediction, f64::from(ratings.rating[row]));
                }
            }
            sums
        })
        .collect();
    chunks
        .into_iter()
        .fold(vec![Sums::default(); groups], |total, chunk| total.into_iter().zip(chunk).map(|(total, sums)| total.plus(sums)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_four_rows_by_hand() {
        let mut ratings = Ratings::default();
        for (movie, rating) in [(1, 3.0), (2, 4.0), (3, 5.0), (9, 1.0)] {
            ratings.push(movie, 1, rating, 0);
        }
        // Predicted 3, 3, 3 and nothing: errors 0, -1, -2.
        let errors = pair_errors(&ratings, |_, item| (item != 9).then_some(3.0));
        assert_eq!(errors, PairErrors { rmse: Some((5.0_f64 / 3.0).sqrt()), mae: Some(1.0), scored: 3, cold: 1 });
    }

    #[test]
    fn a_cold_row_counts_as_such_and_is_scored_if_there_is_a_prediction() {
        let mut ratings = Ratings::default();
        ratings.push(1, 1, 3.0, 0);
        ratings.push(9, 1, 5.0, 0);
        let with =
            |cold: Option<f64>| pair_errors(&ratings, |_, item| if item == 9 { Prediction::Cold(cold) } else { Prediction::Known(2.0) });
        assert_eq!(with(None), PairErrors { rmse: Some(1.0), mae: Some(1.0), scored: 1, cold: 1 });
        assert_eq!(with(Some(2.0)), PairErrors { rmse: Some(5.0_f64.sqrt()), mae: Some(2.0), scored: 2, cold: 1 });
        assert_eq!(with(Some(f64::NAN)), PairErrors { rmse: None, mae: None, scored: 1, cold: 1 });
    }

    #[test]
    fn nothing_to_score_gives_no_number() {
        let errors = pair_errors(&Ratings::default(), |_, _| Some(3.0));
        assert_eq!(errors, PairErrors { rmse: None, mae: None, scored: 0, cold: 0 });
    }
}
