//! One row by iALS++: its factors in blocks, each solved exactly with the others as they are.
//!
//! For a block π of the factors and the predictions `z = y·x` of the row's ratings, the step is
//!
//! ```text
//! (Σ w y_π y_πᵀ + W_ππ + λ n I) d = Σ (w z - t) y_π + (W x)_π + λ n x_π        x_π := x_π - d,   z := z - y_π·d
//! ```
//!
//! so a rating costs `k (b + 1) + 4 k` operations with blocks of `b`, against `k (k + 1)`, and a row `k b² / 3` against `k³ / 3` (Rendle,
//! Krichene, Zhang, Koren: *iALS++: Speeding up Matrix Factorization with Subspace Optimization*, 2021). Each step lowers the row's objective, so the
//! loss of a training never rises. Blocks of `k` and more are the exact solver.
//!
//! The paper goes over all rows block by block and keeps all predictions; here a row goes through its blocks while its gathered factors
//! are in the cache. Rows of one side do not depend on one another, so the factors are the same.

use super::normal_equation::{Equations, Scratch, Unsolved, finite};
use crate::kernel::padded;

impl Equations<'_> {
    /// Improves `x` (padded), blocks of `block` factors (rounded up to whole cache lines) at a time, each once.
    pub(super) fn solve_by_blocks(&self, row: usize, block: usize, x: &mut [f32], scratch: &mut Scratch) -> Result<(), Unsolved> {
        let (kernel, stride, ridge) = (self.kernel, self.stride(), self.ridge(row));
        let width = padded(block).min(stride);
        let Scratch { panel, z, sums, work, .. } = scratch;
        z.clear();
        z.resize(self.rows.len(row), 0.0);
        let (change, work) = work.as_mut_slice().split_at_mut(stride);
        // What `z` does not know of yet: at first all of `x`, then the step of the block before.
        change.copy_from_slice(x);
        let mut unseen = 0..stride;
        sums.as_mut_slice()[..stride].fill(0.0);
        for from in (0..stride).step_by(width) {
            let columns = from..(from + width).min(stride);
            let width = columns.len();
            let sums = &mut sums.as_mut_slice()[..stride + width + width * width];
            sums[stride..].fill(0.0);
            self.pass(row, from == 0, panel, z, sums, |rows, z, sums, ahead| {
                let (gradient, gram) = sums[stride..].split_at_mut(width);
                kernel.multiply(rows, stride, unseen.clone(), &change[unseen.clone()], z);
                kernel.multiply_transposed(rows, stride, columns.clone(), z, gradient);
                kernel.gram(rows, rows.len() / stride, stride, columns.clone(), gram, ahead);
            });
            let (right, sums) = sums.split_at_mut(stride);
            let (gradient, gram) = sums.split_at_mut(width);
            if let Some(base) = &self.base {
                kernel.multiply(&base.rows.as_slice()[from * stride..], stride, 0..stride, x, gradient);
                for (at, row) in gram.chunks_exact_mut(width).enumerate() {
                    let base = &base.rows.as_slice()[(from + at) * stride..][columns.clone()];
                    row.iter_mut().zip(base).for_each(|(a, base)| *a += base);
                }
            }
            self.complete_block(from, ridge as f32, (&right[columns.clone()], &x[columns.clone()]), gradient, gram);
            if kernel.solve(sums, work, width).contains(0) {
                return self.finish_blocks_in_f64(row, ridge, (from, padded(block)), x);
            }
            for ((change, x), step) in change[columns.clone()].iter_mut().zip(&mut x[columns.clone()]).zip(&sums[..width]) {
                *change = -step;
                *x -= step;
            }
            unseen = columns;
        }
        finite(x)
    }

    /// Solves the blocks of `width` from `from` on in f64, from the ratings again: where one needs it the next ones will too.
    fn finish_blocks_in_f64(&self, row: usize, ridge: f64, (from, width): (usize, usize), x: &mut [f32]) -> Result<(), Unsolved> {
        let system = self.exact_system(row, ridge);
        for from in (from..self.rank).step_by(width) {
            let columns = from..(from + width).min(self.rank);
            let solution = system.part(columns.clone(), x).solve().ok_or(Unsolved::Singular)?;
            x[columns].iter_mut().zip(solution).for_each(|(x, exact)| *x = exact as f32);
        }
        finite(x)
    }

    /// Completes gradient and matrix of the block that begins at `from`, of which `right` and `x` are the parts of the right-hand side and of the factors.
    fn complete_block(&self, from: usize, ridge: f32, (right, x): (&[f32], &[f32]), gradient: &mut [f32], gram: &mut [f32]) {
        let width = gradient.len();
        for at in 0..width {
            gradient[at] += ridge * x[at] - right[at];
            gram[at * width + at] += ridge;
        }
        // What is not solved for takes no step, whatever stands on its diagonal; a pivot of the block's own size does not spoil the ratio.
        let mut hold = |at: usize| {
            gradient[at] = 0.0;
            (0..width).for_each(|other| gram[other.min(at) * width + other.max(at)] = 0.0);
            gram[at * width + at] = if at == 0 { 1.0 } else { gram[0] };
        };
        (self.rank.saturating_sub(from).min(width)..width).for_each(&mut hold);
        if let Some(bias) = self.bias {
            if (from..from + width).contains(&bias.one) {
                hold(bias.one - from);
            }
            if (from..from + width).contains(&bias.own) {
                gradient[bias.own - from] -= ridge * bias.prior as f32;
            }
        }
    }
}
