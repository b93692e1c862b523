//! One row by conjugate gradients: a few steps from the factors that it had before, and no Gram matrix.
//!
//! The product `A v = Σ w y (y·v) + W v + λ n v` costs `4 k` operations a rating, against the `k (k + 1)` of forming `A`. Between two sweeps a row
//! moves little, so few steps from where it was come as close to the minimum as the training needs (Takács, Pilászy, Tikk: *Applications of the Conjugate
//! Gradient Method for Implicit Feedback Collaborative Filtering*, RecSys 2011). Each step lowers the row's objective, so the loss of a
//! training never rises.
//!
//! It ends early once the residual is [`TOLERANCE`] of the right-hand side: what is left is rounding. A singular equation has many solutions; this
//! finds one of them, near the start, and refuses none.

use super::normal_equation::{Equations, Scratch, Unsolved, finite};
use super::pass::Panel;

/// The share of `|b|` that `|b - A x|` may have and count as 0: about ten times the rounding of f32.
const TOLERANCE: f32 = 1e-6;

impl Equations<'_> {
    /// Improves `x` (padded) by up to `steps` steps.
    pub(super) fn solve_by_gradients(&self, row: usize, steps: usize, x: &mut [f32], scratch: &mut Scratch) -> Result<(), Unsolved> {
        let (stride, ridge) = (self.stride(), self.ridge(row) as f32);
        let Scratch { panel, z, sums, work, .. } = scratch;
        // What a pass adds to: `b`, then `A v`.
        let sums = &mut sums.as_mut_slice()[..2 * stride];
        sums.fill(0.0);
        z.resize(self.rows.len(row), 0.0);
        self.add_product(row, true, ridge, x, panel, z, sums);
        let (residual, direction) = work.as_mut_slice()[..2 * stride].split_at_mut(stride);
        let (right, product) = sums.split_at(stride);
        residual.iter_mut().zip(right).zip(product).for_each(|((rest, b), product)| *rest = b - product);
        if let Some(bias) = self.bias {
            residual[bias.own] += ridge * bias.prior as f32;
            residual[bias.one] = 0.0;
        }
        let enough = TOLERANCE * TOLERANCE * self.dot(right, right);
        let mut rest = self.dot(residual, residual);
        direction.copy_from_slice(residual);
        for _ in 0..steps {
            if rest <= enough {
                break;
            }
            sums[stride..].fill(0.0);
            self.add_product(row, false, ridge, direction, panel, z, sums);
            let product = &mut sums[stride..];
            if let Some(bias) = self.bias {
                product[bias.one] = 0.0;
            }
            let curvature = self.dot(direction, product);
            if !(rest.is_finite() && curvature.is_finite()) {
                return Err(Unsolved::NonFinite);
            }
            if curvature <= 0.0 {
                break;
            }
            let step = rest / curvature;
            x.iter_mut().zip(&*direction).for_each(|(x, direction)| *x += step * direction);
            residual.iter_mut().zip(product).for_each(|(rest, product)| *rest -= step * *product);
            let before = std::mem::replace(&mut rest, self.dot(residual, residual));
            direction.iter_mut().zip(&*residual).for_each(|(direction, residual)| *direction = residual + rest / before * *direction);
        }
        finite(x)
    }

    /// Adds `A v` to the second half of `sums` and, in the first pass of a row, `b` to the first.
    #[expect(clippy::too_many_arguments, reason = "a row, a vector and the buffers of the thread")]
    fn add_product(&self, row: usize, first: bool, ridge: f32, v: &[f32], panel: &mut Panel, z: &mut [f32], sums: &mut [f32]) {
        let (kernel, stride) = (self.kernel, self.stride());
        self.pass(row, first, panel, z, sums, |rows, z, sums, _| {
            z.fill(0.0);
            kernel.multiply(rows, stride, 0..stride, v, z);
            kernel.multiply_transposed(rows, stride, 0..stride, z, &mut sums[stride..]);
        });
        let product = &mut sums[stride..];
        if let Some(base) = &self.base {
            kernel.multiply(base.rows.as_slice(), stride, 0..stride, v, product);
        }
        product.iter_mut().zip(v).for_each(|(product, v)| *product += ridge * v);
    }

    fn dot(&self, a: &[f32], b: &[f32]) -> f32 {
        let mut sum = [0.0];
        self.kernel.multiply(a, self.stride(), 0..self.stride(), b, &mut sum);
        sum[0]
    }
}
