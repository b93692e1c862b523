//! Rows that are solved exactly, a few at a time: their equations are formed one after the other and solved side by side, since one by itself leaves the
//! processor waiting (see [`Kernel::solve`](crate::kernel::Kernel::solve)). What was gathered of a row stays in the thread's panel until its error has been summed up, if it
//! is to be. The factors of a row do not depend on its company.

use super::normal_equation::{Equations, Scratch, Unsolved, finite};
use crate::kernel::{Refused, SYSTEMS, system_floats};

/// Rows whose equations are formed and not yet solved.
#[derive(Debug, Default)]
pub(super) struct Batch {
    rows: Vec<Formed>,
    /// Gathered rows that stay in the panel.
    gathered: usize,
}

/// A row of a [`Batch`]; its equation stands in the place of the scratch that it has in the batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Formed {
    pub(super) row: usize,
    /// Where what was gathered of it begins in the panel.
    pub(super) from: usize,
}

impl Batch {
    /// The `index`-th row, if there are so many.
    pub(super) fn get(&self, index: usize) -> Option<Formed> {
        self.rows.get(index).copied()
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.gathered = 0;
    }
}

impl Equations<'_> {
    /// The most rows of a batch: beyond rank 128 several matrices would push one another out of the second-level cache, and a single one has enough to do.
    pub(super) fn batch_max(&self) -> usize {
        if self.stride() <= 128 { SYSTEMS } else { 1 }
    }

    /// Whether `batch` has room for `row`. An empty one always has.
    pub(super) fn has_room(&self, batch: &Batch, row: usize, keep: bool) -> bool {
        let fits = !keep || batch.gathered + self.rows.len(row) <= self.resident_max();
        batch.rows.is_empty() || (batch.rows.len() < self.batch_max() && fits)
    }

    /// Forms the equation of `row` and adds it to the batch of `scratch`, which has room for it. With `keep` what is gathered stays, unless it is too much.
    pub(super) fn form(&self, row: usize, keep: bool, scratch: &mut Scratch) {
        let from = scratch.batch.gathered;
        let place = scratch.batch.rows.len();
        scratch.panel.stays_at(keep.then_some(from));
        scratch.batch.rows.push(Formed { row, from });
        if keep {
            scratch.batch.gathered = (from + self.rows.len(row)).min(self.resident_max());
        }
        let size = system_floats(self.stride());
        let Scratch { panel, sums, .. } = scratch;
        self.sum_up(row, panel, &mut sums.as_mut_slice()[place * size..][..size]);
    }

    /// Solves all equations of the batch, where they stand.
    pub(super) fn solve_formed(&self, scratch: &mut Scratch) -> Refused {
        let floats = scratch.batch.rows.len() * system_floats(self.stride());
        let Scratch { sums, work, .. } = scratch;
        self.kernel.solve(&mut sums.as_mut_slice()[..floats], work.as_mut_slice(), self.stride())
    }

    /// Writes the solution of the `index`-th row to `x` (padded): that of [`Self::solve_formed`], or, if it was `refused`, one in f64.
    pub(super) fn take_solution(
        &self,
        index: usize,
        row: usize,
        refused: Refused,
        x: &mut [f32],
        scratch: &Scratch,
    ) -> Result<(), Unsolved> {
        if refused.contains(index) {
            return self.solve_in_f64(row, self.ridge(row), x);
        }
        let stride = self.stride();
        x.copy_from_slice(&scratch.sums.as_slice()[index * system_floats(stride)..][..stride]);
        if let Some(bias) = self.bias {
            x[bias.one] = 1.0;
        }
        finite(x)
    }
}
