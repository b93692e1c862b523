//! All rows of one side solved against the other, in parallel.

use rayon::prelude::*;

use super::errors::{FitError, Side};
use super::normal_equation::{Equations, Scratch, Unsolved};
use super::pass::SEGMENT;
use crate::context::CancelToken;
use crate::kernel::{Ahead, Aligned, Kernel, padded};

/// Rows a task: small, since rows differ in length by orders of magnitude and idle threads take what is left.
const CHUNK: usize = 32;

/// What a half-step adds to the loss.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Loss {
    /// Errors of the ratings; 0 if not asked for.
    pub(super) error: f64,
    /// `Σ λ n |x|²` of the rows solved.
    pub(super) penalty: f64,
}

/// One side to be solved.
#[derive(Debug)]
pub(super) struct HalfStep<'a> {
    pub(super) equations: Equations<'a>,
    pub(super) side: Side,
    /// The ids of the rows, for errors.
    pub(super) ids: &'a [i32],
    /// Whether to sum the errors up as well.
    pub(super) with_error: bool,
    pub(super) cancel: &'a CancelToken,
}

impl HalfStep<'_> {
    /// Solves every row into `out`, padded rows in order, which holds what they were before. Bit-identical for any number of threads.
    pub(super) fn run(&self, out: &mut [f32]) -> Result<Loss, FitError> {
        let stride = padded(self.equations.rank);
        let long: Vec<usize> = (0..self.equations.rows.count()).filter(|&row| self.is_long(row)).collect();
        let before = &*out;
        // Long rows first: what is left at the end is small pieces, so no thread waits for another.
        let solved: Vec<(Aligned, Loss)> = long
            .par_iter()
            .map_init(
                || self.equations.scratch(),
                |scratch, &row| {
                    let mut x = Aligned::zeroed(stride);
                    x.as_mut_slice().copy_from_slice(&before[row * stride..][..stride]);
                    let loss = self.row(row, x.as_mut_slice(), scratch)?;
                    Ok((x, loss))
                },
            )
            .collect::<Result<_, FitError>>()?;
        let losses: Vec<Loss> = out
            .par_chunks_mut(stride * CHUNK)
            .enumerate()
            .map_init(|| self.equations.scratch(), |scratch, (chunk, rows)| self.short_rows(chunk * CHUNK, rows, scratch))
            .collect::<Result<_, FitError>>()?;
        for (&row, (x, _)) in long.iter().zip(&solved) {
            out[row * stride..][..stride].copy_from_slice(x.as_slice());
        }
        // In the order of rows, so that the sum does not depend on who was first.
        let all = solved.iter().map(|(_, loss)| loss).chain(&losses);
        Ok(all.fold(Loss::default(), |sum, loss| Loss { error: sum.error + loss.error, penalty: sum.penalty + loss.penalty }))
    }

    fn is_long(&self, row: usize) -> bool {
        self.equations.rows.len(row) > SEGMENT
    }

    /// Solves the rows from `first` on, except long ones.
    fn short_rows(&self, first: usize, rows: &mut [f32], scratch: &mut Scratch) -> Result<Loss, FitError> {
        let mut sum = Loss::default();
        for (row, x) in (first..).zip(rows.chunks_mut(padded(self.equations.rank))) {
            if !self.is_long(row) {
                let loss = self.row(row, x, scratch)?;
                sum.error += loss.error;
                sum.penalty += loss.penalty;
            }
        }
        Ok(sum)
    }

    /// Solves one row into `x`, padded, which holds what it was before.
    pub(super) fn row(&self, row: usize, x: &mut [f32], scratch: &mut Scratch) -> Result<Loss, FitError> {
        if self.cancel.is_cancelled() {
            return Err(FitError::Cancelled);
        }
        let equations = &self.equations;
        equations.solve(row, x, scratch).map_err(|unsolved| {
            let (side, id, ratings, rank) = (self.side, self.ids[row], equations.rows.len(row), equations.rank);
            match unsolved {
                Unsolved::Singular => FitError::Singular { side, id, ratings, rank },
                Unsolved::NonFinite => FitError::NonFinite { side, id, ratings, rank },
            }
        })?;
        let length = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() + equations.bias.map_or(0.0, |bias| bias.length_correction(x));
        let error = if self.with_error { equations.error(row, x, scratch) } else { 0.0 };
        Ok(Loss { error, penalty: equations.ridge(row) * length })
    }
}

/// `YᵀY` of padded factor rows, `rank × rank`: f32 within 1024 rows, f64 across, at fixed places.
pub(super) fn gram_of_all(kernel: Kernel, factors: &[f32], rank: usize) -> Vec<f64> {
    const BLOCK: usize = 1024;
    let stride = padded(rank);
    let blocks: Vec<Aligned> = factors
        .par_chunks(BLOCK * stride)
        .map(|rows| {
            let mut gram = Aligned::zeroed(stride * stride);
            for panel in rows.chunks(128 * stride) {
                kernel.gram(panel, panel.len() / stride, stride, 0..stride, gram.as_mut_slice(), Ahead::default());
            }
            gram
        })
        .collect();
    let mut total = vec![0.0; rank * rank];
    for i in 0..rank {
        for j in i..rank {
            let sum = blocks.iter().map(|gram| f64::from(gram.as_slice()[i * stride + j])).sum();
            total[i * rank + j] = sum;
            total[j * rank + i] = sum;
        }
    }
    total
}
