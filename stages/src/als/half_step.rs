//! All rows of one side solved against the other, in parallel.

use std::ops::AddAssign;

use rayon::prelude::*;

use super::batch::Formed;
use super::cost::Method;
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

impl AddAssign for Loss {
    fn add_assign(&mut self, other: Self) {
        self.error += other.error;
        self.penalty += other.penalty;
    }
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
                    let loss = self.solve(row, x.as_mut_slice(), |_| true, scratch)?;
                    Ok((x, loss))
                },
            )
            .collect::<Result<_, FitError>>()?;
        let losses: Vec<Loss> = out
            .par_chunks_mut(stride * CHUNK)
            .enumerate()
            .map_init(
                || self.equations.scratch(),
                |scratch, (chunk, rows)| self.solve(chunk * CHUNK, rows, |row| !self.is_long(row), scratch),
            )
            .collect::<Result<_, FitError>>()?;
        for (&row, (x, _)) in long.iter().zip(&solved) {
            out[row * stride..][..stride].copy_from_slice(x.as_slice());
        }
        // In the order of rows, so that the sum does not depend on who was first.
        let mut sum = Loss::default();
        solved.iter().map(|(_, loss)| *loss).chain(losses).for_each(|loss| sum += loss);
        Ok(sum)
    }

    fn is_long(&self, row: usize) -> bool {
        self.equations.rows.len(row) > SEGMENT
    }

    /// Solves the rows from `first` on that `which` picks into `out`; what they add to the loss.
    pub(super) fn solve(
        &self,
        first: usize,
        out: &mut [f32],
        which: impl Fn(usize) -> bool,
        scratch: &mut Scratch,
    ) -> Result<Loss, FitError> {
        let (equations, stride) = (&self.equations, padded(self.equations.rank));
        let mut sum = Loss::default();
        // What an attempt that failed may have left.
        scratch.batch.clear();
        for row in (first..first + out.len() / stride).filter(|&row| which(row)) {
            if self.cancel.is_cancelled() {
                return Err(FitError::Cancelled);
            }
            let method = equations.method(row);
            let in_batch = method == Method::Exact && !equations.params.nonnegative;
            if !(in_batch && equations.has_room(&scratch.batch, row, self.with_error)) {
                sum += self.finish_batch(first, out, scratch)?;
            }
            if in_batch {
                equations.form(row, self.with_error, scratch);
                continue;
            }
            let x = &mut out[(row - first) * stride..][..stride];
            equations.solve(row, method, x, scratch).map_err(|unsolved| self.by_name(row, unsolved))?;
            sum += self.loss(row, x, 0, scratch);
        }
        sum += self.finish_batch(first, out, scratch)?;
        Ok(sum)
    }

    /// Solves the rows whose equations are formed; `out` begins with row `first`.
    fn finish_batch(&self, first: usize, out: &mut [f32], scratch: &mut Scratch) -> Result<Loss, FitError> {
        let (equations, stride) = (&self.equations, padded(self.equations.rank));
        let refused = equations.solve_formed(scratch);
        let (mut sum, mut index) = (Loss::default(), 0);
        while let Some(Formed { row, from }) = scratch.batch.get(index) {
            let x = &mut out[(row - first) * stride..][..stride];
            equations.take_solution(index, row, refused, x, scratch).map_err(|unsolved| self.by_name(row, unsolved))?;
            sum += self.loss(row, x, from, scratch);
            index += 1;
        }
        scratch.batch.clear();
        Ok(sum)
    }

    /// What `row`, just solved, adds to the loss; what was gathered of it begins at `from` in the panel.
    fn loss(&self, row: usize, x: &[f32], from: usize, scratch: &mut Scratch) -> Loss {
        let equations = &self.equations;
        let length = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() + equations.bias.map_or(0.0, |bias| bias.length_correction(x));
        scratch.panel.stays_at(Some(from));
        let error = if self.with_error { equations.error(row, x, scratch) } else { 0.0 };
        Loss { error, penalty: equations.ridge(row) * length }
    }

    fn by_name(&self, row: usize, unsolved: Unsolved) -> FitError {
        let (side, id, ratings, rank) = (self.side, self.ids[row], self.equations.rows.len(row), self.equations.rank);
        match unsolved {
            Unsolved::Singular => FitError::Singular { side, id, ratings, rank },
            Unsolved::NonFinite => FitError::NonFinite { side, id, ratings, rank },
        }
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
