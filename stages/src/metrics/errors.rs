//! RMSE and MAE over the pairs that can be scored.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ratings::Ratings;

/// Errors of predictions `p` against ratings `r`, over the rows that a model can score:
/// `RMSE = √(Σ (p - r)² / scored)`, `MAE = Σ |p - r| / scored`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PairErrors {
    /// Root mean squared error in stars; absent if no row could be scored.
    pub rmse: Option<f64>,
    /// Mean absolute error in stars; absent if no row could be scored.
    pub mae: Option<f64>,
    /// Rows that were scored.
    pub scored: u64,
    /// Rows that were not, because the model knows the user or the item not.
    pub cold: u64,
}

/// Rows that one task sums up; fixed, so that the sums do not depend on the number of threads.
const CHUNK: usize = 1 << 16;

/// Scores every row of `ratings`, duplicates included. `predict(user, item)` gives `None` for a cold pair.
pub fn pair_errors(ratings: &Ratings, predict: impl Fn(i32, i32) -> Option<f64> + Sync) -> PairErrors {
    let chunks: Vec<(f64, f64, u64)> = (0..ratings.len().div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let rows = chunk * CHUNK..((chunk + 1) * CHUNK).min(ratings.len());
            rows.filter_map(|row| Some(predict(ratings.user[row], ratings.movie[row])? - f64::from(ratings.rating[row])))
                .fold((0.0, 0.0, 0), |(squares, sizes, count), error| (squares + error * error, sizes + error.abs(), count + 1))
        })
        .collect();
    let (squares, sizes, scored) = chunks.into_iter().fold((0.0, 0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
    let mean = |sum: f64| (scored > 0).then(|| sum / scored as f64);
    PairErrors { rmse: mean(squares).map(f64::sqrt), mae: mean(sizes), scored, cold: ratings.len() as u64 - scored }
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
    fn nothing_to_score_gives_no_number() {
        let errors = pair_errors(&Ratings::default(), |_, _| Some(3.0));
        assert_eq!(errors, PairErrors { rmse: None, mae: None, scored: 0, cold: 0 });
    }
}
