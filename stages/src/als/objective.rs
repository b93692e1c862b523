//! What a rating contributes to its row's normal equation and to the loss. Its `recency`, more than 0 and at most 1, is its weight in the explicit
//! objective, and slows the growth of its confidence in the implicit one: `1 + α |r| recency`.

use super::hyperparams::{AlsParams, RegScaling};
use super::rows::Slice;

/// The objective of a training; see [`super`] for the equations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Objective {
    reg: f64,
    scaling: RegScaling,
    /// α if the objective is the implicit one.
    alpha: Option<f64>,
}

impl Objective {
    pub(super) fn new(params: &AlsParams) -> Self {
        Self { reg: params.reg, scaling: params.reg_scaling, alpha: params.implicit.then_some(params.alpha) }
    }

    /// Whether every row's equation also holds `YᵀY` of the whole other side.
    pub(super) fn is_implicit(self) -> bool {
        self.alpha.is_some()
    }

    /// Weight of `y yᵀ` beyond what `YᵀY` has: `c - 1` (implicit) or 1.
    pub(super) fn weight(self, rating: f32, recency: f32) -> f64 {
        f64::from(recency) * self.alpha.map_or(1.0, |alpha| alpha * f64::from(rating.abs()))
    }

    /// Weight of `y` on the right-hand side: `c p` (implicit) or `r`.
    pub(super) fn target(self, rating: f32, recency: f32) -> f64 {
        match self.alpha {
            None => f64::from(recency) * f64::from(rating),
            Some(_) if rating > 0.0 => 1.0 + self.weight(rating, recency),
            Some(_) => 0.0,
        }
    }

    /// What λ is multiplied with in a row of these ratings: explicit ones count as much as they weigh.
    pub(super) fn count<'a>(self, ratings: impl Iterator<Item = Slice<'a>>) -> f64 {
        match (self.scaling, self.is_implicit()) {
            (RegScaling::Plain, _) => 1.0,
            (RegScaling::AlsWr, false) => ratings.map(Slice::weight).sum(),
            (RegScaling::AlsWr, true) => {
                ratings.map(|slice| slice.ratings.iter().filter(|&&rating| rating > 0.0).count()).sum::<usize>() as f64
            }
        }
    }

    /// `λ n` for a row of `count`.
    pub(super) fn ridge(self, count: f64) -> f64 {
        self.reg * count
    }

    /// What one rating adds to the loss, `predicted` being `x·y`. Implicit: beyond the `(x·y)²` of every cell,
    /// which `xᵀ YᵀY x` holds.
    pub(super) fn error(self, rating: f32, recency: f32, predicted: f32) -> f64 {
        let (weight, predicted) = (self.weight(rating, recency), f64::from(predicted));
        match self.alpha {
            None => weight * (f64::from(rating) - predicted).powi(2),
            Some(_) => {
                let (confidence, preference) = (1.0 + weight, if rating > 0.0 { 1.0 } else { 0.0 });
                confidence * (preference - predicted).powi(2) - predicted.powi(2)
            }
        }
    }
}
