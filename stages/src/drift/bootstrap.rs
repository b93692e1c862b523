//! How sure a score is: a percentile bootstrap (Efron, Tibshirani 1993).
//!
//! Both samples of a side are drawn anew from themselves, the score is taken of what was drawn, and the middle share of many such scores is the
//! interval. The data and the model draw independently; the score of a resample is the larger of both, like the score itself.
//!
//! RMSE and MAE are means of many errors, so theirs are drawn from the normal distribution that the central limit theorem gives.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::classes::Classes;
use super::divergence::{Smoothing, jensen_shannon, kl, psi};
use super::resample::{Drawn, Runs};
use super::sample::Sample;
use super::score::{Figures, Rules};
use crate::context::{Context, Unit};
use crate::error::Result;

/// The middle share of what scores chance could have given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// The share of resampled scores inside, from 0 to 1: half of the others lie below, half above.
    pub confidence: f64,
    /// How many times everything was drawn anew.
    pub resamples: u32,
}

/// A mean of squared or absolute errors, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MeanError {
    /// The mean.
    pub mean: f64,
    /// Its standard error: the standard deviation of the errors over the root of their number.
    pub standard_error: f64,
}

impl MeanError {
    fn draw(self, rng: &mut ChaCha8Rng) -> f64 {
        let deviation: f64 = StandardNormal.sample(rng);
        (self.mean + self.standard_error * deviation).max(0.0)
    }
}

/// Errors of a model on one test set.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ErrorMoments {
    /// Of the squared errors.
    pub squared: MeanError,
    /// Of the absolute errors.
    pub absolute: MeanError,
}

/// One side of the comparison, prepared: the data, or the model.
#[derive(Debug)]
pub struct Side<'a> {
    original: Runs<'a>,
    current: Runs<'a>,
    /// Errors on the original and the current test set; none of the data.
    errors: Option<(ErrorMoments, ErrorMoments)>,
}

impl<'a> Side<'a> {
    /// Prepares two samples, neither of which is empty; `class` says which class a value belongs to.
    pub fn new(
        original: &'a Sample,
        current: &'a Sample,
        class: impl Fn(f32) -> f32,
        errors: Option<(ErrorMoments, ErrorMoments)>,
    ) -> Self {
        let classes = Classes::of(&original.map(&class), &current.map(&class)).values;
        // Every value's class is among them: they were made of these values.
        let number = |value: f32| classes.partition_point(|&other| other < class(value));
        Self { original: Runs::of(original, classes.len(), number), current: Runs::of(current, classes.len(), number), errors }
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> Figures {
        let (before, after) = (self.original.draw(rng), self.current.draw(rng));
        let (rmse_increase, mae_increase) = match self.errors {
            None => (0.0, 0.0),
            Some((before, after)) => {
                let rmse = after.squared.draw(rng).sqrt() - before.squared.draw(rng).sqrt();
                let mae = after.absolute.draw(rng) - before.absolute.draw(rng);
                (rmse.max(0.0), mae.max(0.0))
            }
        };
        Figures { rmse_increase, mae_increase, ..figures(&before, &after) }
    }
}

fn figures(before: &Drawn, after: &Drawn) -> Figures {
    Figures {
        kl: kl(&before.classes, &after.classes, Smoothing::AddHalf),
        mean: (after.mean - before.mean).abs(),
        median: (after.median - before.median).abs(),
        psi: psi(&before.classes, &after.classes),
        jensen_shannon: jensen_shannon(&before.classes, &after.classes),
        ..Figures::default()
    }
}

/// What is drawn, and how often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampling {
    /// How many times; at least 1.
    pub resamples: u32,
    /// The share of scores inside the interval, between 0 and 1.
    pub confidence: f64,
    /// The same seed gives the same interval.
    pub seed: u64,
}

/// The interval of the largest score of `sides`, at least one.
///
/// # Errors
/// Cancellation.
pub fn interval(sides: &[Side<'_>], rules: &Rules, how: Resampling, context: &Context) -> Result<Interval> {
    let Resampling { resamples, confidence, seed } = how;
    context.progress("bootstrap", 0, Some(u64::from(resamples)), Unit::Items);
    let score = |resample: u32| {
        context.check_cancelled()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(resample));
        Ok(sides.iter().map(|side| rules.score(&side.draw(&mut rng))).fold(0.0, f64::max))
    };
    let mut scores = (0..resamples).into_par_iter().map(score).collect::<Result<Vec<f64>>>()?;
    scores.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Ok(Interval { lower: quantile(&scores, tail), upper: quantile(&scores, 1.0 - tail), confidence, resamples })
}

/// The quantile of ascending numbers, at least one, interpolated between neighbours as `numpy.quantile` does.
pub(super) fn quantile(ascending: &[f64], share: f64) -> f64 {
    let place = share * (ascending.len() - 1) as f64;
    let (below, above) = (ascending[place.floor() as usize], ascending[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
