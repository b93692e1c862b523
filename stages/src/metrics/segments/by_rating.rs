//! Errors by the rating itself.

use super::{RatingBin, upper_bounds};
use crate::metrics::errors::{Prediction, grouped_errors};
use crate::ratings::Ratings;

/// More different ratings than this are put into bins of about equally many.
const RATINGS_MAX: usize = 20;
/// So many bins.
pub(super) const RATING_BINS: usize = 10;

/// Errors by the rating itself, ascending; `predict` is asked by the row of `test`.
pub(in crate::metrics) fn by_rating(test: &Ratings, predict: impl Fn(usize) -> Prediction + Sync) -> Vec<RatingBin> {
    let mut sorted: Vec<f32> = test.rating.iter().copied().filter(|rating| rating.is_finite()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let mut highest = sorted.clone();
    highest.dedup();
    if highest.len() > RATINGS_MAX {
        highest = upper_bounds(&sorted, RATING_BINS);
        highest.extend(sorted.last());
        highest.dedup();
    }
    let bin = |rating: f32| rating.is_finite().then(|| highest.partition_point(|&most| most < rating));
    let errors = grouped_errors(test, highest.len(), predict, |row| [bin(test.rating[row])]);
    let mut from = 0;
    let bins = highest.iter().zip(errors).map(|(&most, errors)| {
        let end = from + sorted[from..].partition_point(|&rating| rating <= most);
        let bin = RatingBin { rating_min: f64::from(sorted[from]), rating_max: f64::from(most), ratings: (end - from) as u64, errors };
        from = end;
        bin
    });
    bins.collect()
}
