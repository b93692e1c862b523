//! How far two sets of ratings, or of predictions, lie apart: pure statistics on counts, without I/O.
//!
//! How data moves: ratings and predictions become [`Sample`]s (values in ascending order, each with its count); two samples over
//! common [`Classes`] give divergences and tests ([`Distance`]); [`score`] weighs some of them against thresholds; [`bootstrap`] says how
//! sure that is; [`decision`] takes both and puts the outcome into words.
//!
//! | module | what it is for |
//! |---|---|
//! | [`sample`] | values with counts: mean, exact median, merging |
//! | [`classes`] | the histogram of two samples over common classes; rounding to a scale |
//! | [`divergence`] | Kullback-Leibler, population stability index, Jensen-Shannon |
//! | [`two_sample`] | Kolmogorov-Smirnov, chi-square of homogeneity, Wasserstein |
//! | [`kolmogorov`] | the distribution of the Kolmogorov-Smirnov statistic |
//! | [`distance`] | all of these at once, as they are reported |
//! | [`ids`] | unseen users and items, shift of popularity |
//! | [`score`] | metrics over thresholds, weighted |
//! | [`resample`] | multinomial resampling of a sample, grouped where it is large |
//! | [`bootstrap`] | the interval of the score |
//! | [`decision`] | whether to retrain, and why, in words |
//!
//! Logarithms are natural. Sums are taken in f64 in a fixed order, and random numbers come from streams of their own per resample, so
//! that the same input gives the same digits whatever the number of threads.

pub mod bootstrap;
pub mod classes;
pub mod decision;
pub mod distance;
pub mod divergence;
pub mod ids;
pub mod kolmogorov;
mod resample;
pub mod sample;
pub mod score;
#[cfg(test)]
mod tests;
pub mod two_sample;

pub use classes::{Classes, Scale};
pub use distance::Distance;
pub use sample::Sample;
pub use score::{Rules, Thresholds, Weights};
