//! Biases as two more dimensions of the factors, so that a prediction stays a dot product.
//!
//! ```text
//! user  [x_1 … x_k | b_u |   1   ]
//! item  [y_1 … y_k |  1  | μ + b_i ]        product: x·y + b_u + μ + b_i
//! ```
//!
//! μ is the mean of all ratings. Each side has one dimension that stands at 1 and is not solved for, where the other side keeps its bias, and one
//! that holds its own bias. A bias is regularised like a factor, towards [`Bias::prior`]: towards μ for items, 0 for users.

use super::errors::Side;

/// Where the biases of one side stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bias {
    /// The dimension that is 1.
    pub(super) one: usize,
    /// The dimension of the side's own bias.
    pub(super) own: usize,
    /// What the bias of a row is that says nothing.
    pub(super) prior: f64,
}

impl Bias {
    /// How many dimensions biases need.
    pub(super) const DIMENSIONS: usize = 2;

    /// The biases of `side` behind `rank` factors; `mean` is that of all ratings.
    pub(super) fn of(side: Side, rank: usize, mean: f64) -> Self {
        match side {
            Side::User => Self { one: rank + 1, own: rank, prior: 0.0 },
            Side::Item => Self { one: rank, own: rank + 1, prior: mean },
        }
    }

    /// Sets the dimensions of `row` to those of a row that nothing is known about.
    pub(super) fn start(self, row: &mut [f32]) {
        row[self.one] = 1.0;
        row[self.own] = self.prior as f32;
    }

    /// Takes the dimension that is 1 out of an equation, `gram` being its upper triangle in padded rows: what it explains goes to the right-hand
    /// side, and it solves to 0 whatever stands on its diagonal. Draws the own bias towards its prior by `ridge`.
    pub(super) fn restrict(self, ridge: f32, gram: &mut [f32], rhs: &mut [f32]) {
        let stride = rhs.len();
        for (other, right) in rhs.iter_mut().enumerate() {
            let at = other.min(self.one) * stride + other.max(self.one);
            *right -= gram[at];
            gram[at] = 0.0;
        }
        rhs[self.own] += ridge * self.prior as f32;
        rhs[self.one] = 0.0;
        gram[self.one * stride + self.one] = gram[0];
    }

    /// What is added to `|x|²` so that it is `x`'s distance from where regularisation draws it.
    pub(super) fn length_correction(self, x: &[f32]) -> f64 {
        let own = f64::from(x[self.own]);
        (own - self.prior).powi(2) - own.powi(2) - f64::from(x[self.one]).powi(2)
    }
}
