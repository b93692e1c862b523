//! What a trial is judged by: one figure of `evaluate`, on the ratings held out.

use std::sync::Arc;

use super::folds::Fold;
use crate::context::{Context, Silent};
use crate::error::{Result, StageError};
use crate::metrics::errors::pair_errors;
use crate::metrics::relevance::Relevance;
use crate::metrics::{Metric, ranking_of};
use crate::model::AlsModel;

/// Scores models on the folds of one search.
#[derive(Debug)]
pub struct Judge {
    metric: Metric,
    k: usize,
    /// Of each fold, if lists are judged.
    relevance: Vec<Relevance>,
}

impl Judge {
    /// A judge of models trained on `folds`. `k` is the length of a list and `rating_threshold` what makes an item relevant.
    ///
    /// # Errors
    /// `k` is 0; a fold in which nobody that is trained on has a relevant item held out.
    pub fn of(metric: Metric, k: usize, rating_threshold: f64, folds: &[Fold]) -> Result<Self> {
        if metric.is_error() {
            return Ok(Self { metric, k, relevance: Vec::new() });
        }
        if k == 0 {
            return Err(StageError::input("`k` must be at least 1, found 0"));
        }
        let relevance: Vec<Relevance> = folds.iter().map(|fold| Relevance::of(&fold.held_out, rating_threshold)).collect();
        let has_users =
            |(fold, relevance): (&Fold, &Relevance)| relevance.users().iter().any(|&user| fold.matrix.users().row(user).is_some());
        if let Some(number) = folds.iter().zip(&relevance).position(|pair| !has_users(pair)) {
            let message = format!("in fold {}, nobody that is trained on has a held-out rating of at least {rating_threshold}", number + 1);
            return Err(StageError::input(message).with_hint("lower `rating_threshold`, or hold out more ratings"));
        }
        Ok(Self { metric, k, relevance })
    }

    /// What it judges by.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The figure of `model`, trained on the fold of that number, over the pairs or users that it knows. `None` if predictions are no
    /// finite numbers.
    ///
    /// # Errors
    /// Cancellation.
    pub fn score(&self, model: &AlsModel, number: usize, fold: &Fold, context: &Context) -> Result<Option<f64>> {
        let score = if self.metric.is_error() {
            let errors = pair_errors(&fold.held_out, |user, movie| model.predict(user, movie).map(f64::from));
            self.metric.of(Some(&errors), None)
        } else {
            // Several trainings are judged at once: none of them has a say about the progress of the stage.
            let quiet = Context { reporter: Arc::new(Silent), ..context.clone() };
            // What stands in the training part is not recommended.
            let ranking = ranking_of(model, &self.relevance[number], Some(&fold.matrix), self.k, &quiet)?;
            self.metric.of(None, Some(&ranking))
        };
        Ok(score.filter(|score| score.is_finite()))
    }
}
