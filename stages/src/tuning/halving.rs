//! Successive halving: all trials get a few sweeps, the best share of them more, until the last have all.
//!
//! The rungs are those of one bracket of Hyperband (Li et al. 2018): with the most sweeps `R`, the fewest `r` and a factor `η`,
//!
//! ```text
//! s = ⌊log_η(R / r)⌋, at most ⌊log_η n⌋        R = 15, r = 1, η = 3, n = 27
//! rung i = 0 … s:  R η^(i - s) sweeps          2, 5, 15 sweeps
//!                  the best ⌊n_i / η⌋ go on    27, 9, 3 trials
//! ```
//!
//! Sweeps of ALS can be resumed, so a trial that goes on is not trained again: 27 · 2 + 9 · 3 + 3 · 10 = 111 sweeps instead of 405.

use crate::error::{Result, StageError};

/// What is left of `1 / η` after rounding errors of logarithms is below this.
const ROUNDING: f64 = 1e-9;

/// The sweeps after which trials are compared, ascending; the last are `max_iter`.
///
/// # Errors
/// `eta` below 2; `min_iter` or `max_iter` of 0. A `min_iter` of `max_iter` or more leaves one rung.
pub fn rungs(max_iter: usize, min_iter: usize, eta: usize, trials: usize) -> Result<Vec<usize>> {
    if eta < 2 {
        return Err(StageError::input(format!("`eta` must be at least 2, found {eta}")));
    }
    if min_iter == 0 || max_iter == 0 {
        return Err(StageError::input("`min_iter` and `max_iter` must be at least 1, found 0"));
    }
    let min_iter = min_iter.min(max_iter);
    let log = |x: f64| (x.ln() / (eta as f64).ln() + ROUNDING).floor() as i32;
    let steps = log(max_iter as f64 / min_iter as f64).min(log(trials.max(1) as f64));
    let rung = |step: i32| ((max_iter as f64 * (eta as f64).powi(step - steps)).round() as usize).clamp(min_iter, max_iter);
    let mut rungs: Vec<usize> = (0..=steps).map(rung).collect();
    rungs.dedup();
    Ok(rungs)
}

/// How many of `trials` go on to the next rung: at least one.
pub fn survivors(trials: usize, eta: usize) -> usize {
    (trials / eta).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rungs_are_those_of_hyperband() {
        for (max_iter, min_iter, eta, trials, expected) in [
            (15, 1, 3, 27, &[2, 5, 15][..]),
            (81, 1, 3, 81, &[1, 3, 9, 27, 81]),
            (15, 3, 3, 27, &[5, 15]),
            (16, 1, 2, 100, &[1, 2, 4, 8, 16]),
            // Four trials: one is left after the first comparison.
            (81, 1, 3, 4, &[27, 81]),
            (81, 1, 3, 1, &[81]),
            (15, 15, 3, 27, &[15]),
            (2, 3, 3, 27, &[2]),
        ] {
            assert_eq!(rungs(max_iter, min_iter, eta, trials).unwrap(), expected, "{max_iter} {min_iter} {eta} {trials}");
        }
    }

    #[test]
    fn what_makes_no_rungs_is_refused() {
        assert_eq!(rungs(15, 1, 1, 9).unwrap_err().message, "`eta` must be at least 2, found 1");
        assert_eq!(rungs(15, 0, 3, 9).unwrap_err().message, "`min_iter` and `max_iter` must be at least 1, found 0");
    }

    proptest! {
        #[test]
        fn rungs_ascend_to_max_iter_and_someone_is_left_at_the_end(max_iter in 1_usize..300, min in 0.0..1.0_f64, eta in 2_usize..6, trials in 1_usize..200) {
            let min_iter = 1 + ((max_iter - 1) as f64 * min) as usize;
            let rungs = rungs(max_iter, min_iter, eta, trials).unwrap();
            prop_assert!(rungs.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(rungs[0] >= min_iter && rungs[rungs.len() - 1] == max_iter);
            let left = rungs.iter().skip(1).fold(trials, |trials, _| survivors(trials, eta));
            prop_assert!((1..=trials).contains(&left));
        }
    }
}
