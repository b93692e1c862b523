//! What a model predicts on a test set, and how far it is off.

use rayon::prelude::*;

use crate::context::Context;
use crate::drift::Sample;
use crate::drift::bootstrap::{ErrorMoments, MeanError};
use crate::error::Result;
use crate::metrics::PairErrors;
use crate::metrics::errors::{Prediction, pair_errors};
use crate::model::AlsModel;
use crate::ratings::Ratings;

/// Rows that one task predicts; fixed, so that the sums do not depend on the number of threads.
const CHUNK: usize = 1 << 16;

/// Predictions on one test set.
#[derive(Debug)]
pub(super) struct Predicted {
    /// Of the pairs that were scored. The model's rule for strangers is honoured: under `cold_start: mean` they are among them.
    pub(super) predictions: Sample,
    /// As `evaluate` reports them.
    pub(super) errors: PairErrors,
    /// For resampling.
    pub(super) moments: ErrorMoments,
}

impl Predicted {
    /// Predicts every row of `ratings`.
    ///
    /// # Errors
    /// Cancellation.
    pub(super) fn of(model: &AlsModel, ratings: &Ratings, context: &Context) -> Result<Self> {
        let cold = model.cold_rule().prediction();
        let errors = pair_errors(ratings, |user, item| match model.predict(user, item) {
            Some(prediction) => Prediction::Known(f64::from(prediction)),
            None => Prediction::Cold(cold),
        });
        context.check_cancelled()?;
        let predict = |row: usize| {
            let prediction = model.predict(ratings.user[row], ratings.movie[row]).or(cold.map(|mean| mean as f32));
            // Under `cold_start: nan` strangers have no prediction that could be compared.
            prediction.filter(|prediction| prediction.is_finite())
        };
        let chunk = |chunk: usize| {
            let rows = chunk * CHUNK..((chunk + 1) * CHUNK).min(ratings.len());
            let mut part = Part::default();
            for (prediction, rating) in rows.filter_map(|row| Some((predict(row)?, ratings.rating[row]))) {
                part.add(prediction, f64::from(prediction) - f64::from(rating));
            }
            part
        };
        let parts: Vec<Part> = (0..ratings.len().div_ceil(CHUNK)).into_par_iter().map(chunk).collect();
        context.check_cancelled()?;
        let all = parts.into_iter().fold(Part::default(), Part::plus);
        Ok(Self { errors, moments: all.moments(), predictions: Sample::from_values(all.predictions) })
    }
}

/// Predictions of some rows, and sums over their errors.
#[derive(Debug, Default)]
struct Part {
    predictions: Vec<f32>,
    sizes: f64,
    squares: f64,
    fourth_powers: f64,
}

impl Part {
    fn add(&mut self, prediction: f32, error: f64) {
        self.predictions.push(prediction);
        self.sizes += error.abs();
        self.squares += error * error;
        self.fourth_powers += error.powi(4);
    }

    fn plus(mut self, mut other: Self) -> Self {
        self.predictions.append(&mut other.predictions);
        self.sizes += other.sizes;
        self.squares += other.squares;
        self.fourth_powers += other.fourth_powers;
        self
    }

    fn moments(&self) -> ErrorMoments {
        let n = self.predictions.len().max(1) as f64;
        let mean = |sum: f64, squares: f64| {
            let mean = sum / n;
            MeanError { mean, standard_error: ((squares / n - mean * mean).max(0.0) / n).sqrt() }
        };
        ErrorMoments { squared: mean(self.squares, self.fourth_powers), absolute: mean(self.sizes, self.squares) }
    }
}
