//! One row: its normal equation summed up, solved, and its share of the loss.
//!
//! `(W + Σ w y yᵀ + λ n I) x = Σ t y` over the ratings of the row, `y` being rows of the other side; `w` and `t` are 1
//! and `r` in the explicit objective, `W` is `YᵀY` in the implicit one.

use super::batch::Batch;
use super::bias::Bias;
use super::cost::{Method, choose};
use super::errors::Side;
use super::exact::{SINGULAR, System, Term};
use super::half_step::gram_of_all;
use super::hyperparams::AlsParams;
use super::nnls::Nnls;
use super::objective::Objective;
use super::pass::Panel;
use super::rows::Rows;
use crate::kernel::{Aligned, Kernel, SMALLEST_RATIO, SYSTEMS, padded, system_floats};

/// What all rows of a half-step share.
#[derive(Debug)]
pub(super) struct Equations<'a> {
    pub(super) kernel: Kernel,
    pub(super) objective: Objective,
    pub(super) params: &'a AlsParams,
    /// Unknowns: the factors and, with biases, two more.
    pub(super) rank: usize,
    pub(super) rows: Rows<'a>,
    /// Whether ratings have different weights.
    pub(super) weighted: bool,
    /// Factors of the other side, padded rows.
    pub(super) source: &'a [f32],
    /// `YᵀY` of `source` if the objective is implicit.
    pub(super) base: Option<Base>,
    /// Where the biases of the rows stand, if there are any.
    pub(super) bias: Option<Bias>,
}

/// The Gram matrix of all factors of the other side.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// `rank × rank`, whole.
    pub(super) exact: Vec<f64>,
    /// The same rounded, in padded rows.
    pub(super) rows: Aligned,
}

impl Base {
    /// Of padded factors, if the objective is implicit: the explicit one needs none.
    pub(super) fn wanted(params: &AlsParams, kernel: Kernel, factors: &[f32]) -> Option<Self> {
        params.implicit.then(|| Self::of(kernel, factors, params.width()))
    }

    pub(super) fn of(kernel: Kernel, factors: &[f32], rank: usize) -> Self {
        let exact = gram_of_all(kernel, factors, rank);
        let stride = padded(rank);
        let mut rows = Aligned::zeroed(stride * stride);
        for (row, exact) in rows.as_mut_slice().chunks_exact_mut(stride).zip(exact.chunks_exact(rank)) {
            row.iter_mut().zip(exact).for_each(|(row, &exact)| *row = exact as f32);
        }
        Self { exact, rows }
    }
}

/// Why a row has no solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsolved {
    Singular,
    NonFinite,
}

/// Buffers of one worker.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) panel: Panel,
    /// A float for each rating of the row.
    pub(super) z: Vec<f32>,
    /// What passes add to: the right-hand side, then what the solver needs; of a batch, one system after the other.
    pub(super) sums: Aligned,
    /// Vectors of a solve.
    pub(super) work: Aligned,
    pub(super) batch: Batch,
    system: System,
    nnls: Nnls,
}

impl<'a> Equations<'a> {
    /// The equations of the `rows` of `side`, against the padded factors `source` of the other one. `mean` is that of all ratings.
    pub(super) fn new(params: &'a AlsParams, kernel: Kernel, side: Side, rows: Rows<'a>, source: &'a [f32], mean: f64) -> Self {
        Self::over(params, kernel, side, rows, source, mean, Base::wanted(params, kernel, source))
    }

    /// The same, where `YᵀY` of `source` is known already.
    pub(super) fn over(
        params: &'a AlsParams,
        kernel: Kernel,
        side: Side,
        rows: Rows<'a>,
        source: &'a [f32],
        mean: f64,
        base: Option<Base>,
    ) -> Self {
        Self {
            kernel,
            objective: Objective::new(params),
            params,
            rank: params.width(),
            weighted: params.implicit || rows.are_weighted(),
            rows,
            source,
            base,
            bias: params.biases.then(|| Bias::of(side, params.rank, mean)),
        }
    }

    /// Buffers for a thread that solves these equations.
    pub(super) fn scratch(&self) -> Scratch {
        let stride = self.stride();
        Scratch {
            panel: Panel::new(self.resident_max(), stride),
            z: Vec::new(),
            sums: Aligned::zeroed((self.batch_max() * system_floats(stride)).max(stride * (stride + 2))),
            work: Aligned::zeroed(stride * (1 + 2 * SYSTEMS)),
            batch: Batch::default(),
            system: System::default(),
            nnls: Nnls::default(),
        }
    }

    pub(super) fn stride(&self) -> usize {
        padded(self.rank)
    }

    /// `λ n` of `row`.
    pub(super) fn ridge(&self, row: usize) -> f64 {
        self.objective.ridge(self.objective.count(self.rows.slices(row)))
    }

    /// How `row` is solved.
    pub(super) fn method(&self, row: usize) -> Method {
        choose(self.params, self.stride(), self.rows.len(row), self.resident_max())
    }

    /// Solves `row` by `method` and writes it to `x` (padded), which holds what it was before. Idle threads help with a long one. The exact
    /// method is that for factors that must not be negative; other rows are solved in batches.
    pub(super) fn solve(&self, row: usize, method: Method, x: &mut [f32], scratch: &mut Scratch) -> Result<(), Unsolved> {
        scratch.panel.stays_at(Some(0));
        match method {
            Method::Exact => self.solve_nonnegative(row, x, scratch),
            Method::Gradients { steps } => self.solve_by_gradients(row, steps, x, scratch),
            Method::Blocks { block } => self.solve_by_blocks(row, block, x, scratch),
        }
    }

    /// Sums up the equation of `row`: the right-hand side and the upper triangle of the matrix, as [`Kernel::solve`] wants them.
    pub(super) fn sum_up(&self, row: usize, panel: &mut Panel, sums: &mut [f32]) {
        let (kernel, stride) = (self.kernel, self.stride());
        sums.fill(0.0);
        self.pass(row, true, panel, &mut [], sums, |rows, _, sums, ahead| {
            kernel.gram(rows, rows.len() / stride, stride, 0..stride, &mut sums[stride..], ahead);
        });
        let (rhs, gram) = sums.split_at_mut(stride);
        let (rank, ridge) = (self.rank, self.ridge(row));
        if let Some(base) = &self.base {
            for i in 0..rank {
                for j in i..rank {
                    gram[i * stride + j] = (f64::from(gram[i * stride + j]) + base.exact[i * rank + j]) as f32;
                }
            }
        }
        for i in 0..rank {
            gram[i * stride + i] = (f64::from(gram[i * stride + i]) + ridge) as f32;
        }
        // The padding solves to 0 whatever stands on its diagonal; a pivot of the row's own size does not spoil the ratio.
        for i in rank..stride {
            gram[i * stride + i] = gram[0];
        }
        if let Some(bias) = self.bias {
            bias.restrict(ridge as f32, gram, rhs);
        }
    }

    /// Solves `row` for factors that must not be negative, by an active-set method: from the sums as they are if they can be trusted, else from exact ones.
    fn solve_nonnegative(&self, row: usize, x: &mut [f32], scratch: &mut Scratch) -> Result<(), Unsolved> {
        let (rank, stride, ridge) = (self.rank, self.stride(), self.ridge(row));
        let Scratch { panel, sums, system, nnls, .. } = scratch;
        let sums = &mut sums.as_mut_slice()[..system_floats(stride)];
        self.sum_up(row, panel, sums);
        let (rhs, gram) = sums.split_at(stride);
        system.b.clear();
        system.b.extend(rhs[..rank].iter().map(|&b| f64::from(b)));
        system.a.resize(rank * rank, 0.0);
        for (i, row) in system.a.chunks_exact_mut(rank).enumerate() {
            (0..=i).for_each(|j| row[j] = f64::from(gram[j * stride + i]));
        }
        let positive_before = |unknown: usize| x[unknown] > 0.0;
        let solved = nnls.solve(system, positive_before, f64::from(SMALLEST_RATIO))
            || nnls.solve(&self.exact_system(row, ridge), positive_before, SINGULAR);
        if !solved {
            return Err(Unsolved::Singular);
        }
        x[..rank].iter_mut().zip(nnls.solution()).for_each(|(x, &exact)| *x = exact as f32);
        finite(x)
    }

    /// Solves `row` from its ratings again, in f64, slowly.
    pub(super) fn solve_in_f64(&self, row: usize, ridge: f64, x: &mut [f32]) -> Result<(), Unsolved> {
        let solution = self.exact_system(row, ridge).solve().ok_or(Unsolved::Singular)?;
        x[..self.rank].iter_mut().zip(solution).for_each(|(x, exact)| *x = exact as f32);
        finite(x)
    }

    /// The equation of `row` in f64, from its ratings again.
    pub(super) fn exact_system(&self, row: usize, ridge: f64) -> System {
        let terms = self.rows.slices(row).flat_map(|slice| slice.entries()).map(|(column, rating, recency)| Term {
            row: &self.source[column as usize * self.stride()..][..self.rank],
            weight: self.objective.weight(rating, recency),
            target: self.objective.target(rating, recency),
        });
        let mut system = System::sum(self.rank, self.base.as_ref().map(|base| &base.exact[..]), ridge, terms);
        if let Some(bias) = self.bias {
            system.b[bias.own] += ridge * bias.prior;
            system.hold(bias.one, 1.0);
        }
        system
    }

    /// What the ratings of `row`, just solved with this `scratch`, add to the loss (implicit: all its cells), without regularisation.
    pub(super) fn error(&self, row: usize, x: &[f32], scratch: &mut Scratch) -> f64 {
        let (kernel, stride) = (self.kernel, self.stride());
        let Scratch { panel, z, sums, work, .. } = scratch;
        z.clear();
        z.resize(self.rows.len(row), 0.0);
        self.pass(row, false, panel, z, &mut sums.as_mut_slice()[..stride], |rows, z, _, _| kernel.multiply(rows, stride, 0..stride, x, z));
        let entries = self.rows.slices(row).flat_map(|slice| slice.entries());
        let mut total: f64 = entries.zip(&*z).map(|(entry, &z)| self.error_of(entry, z, x)).sum();
        if let Some(base) = &self.base {
            let product = &mut work.as_mut_slice()[..stride];
            product.fill(0.0);
            kernel.multiply(base.rows.as_slice(), stride, 0..stride, x, product);
            total += x.iter().zip(&*product).map(|(&x, &product)| f64::from(x) * f64::from(product)).sum::<f64>();
        }
        total
    }

    /// What one rating adds, `z` being `s y·x`.
    #[inline]
    fn error_of(&self, (column, rating, recency): (u32, f32, f32), z: f32, x: &[f32]) -> f64 {
        if !self.weighted {
            return self.objective.error(rating, recency, z);
        }
        let scale = self.objective.weight(rating, recency).sqrt() as f32;
        if scale > 0.0 {
            return self.objective.error(rating, recency, z / scale);
        }
        // Its row was multiplied by 0.
        let y = &self.source[column as usize * self.stride()..][..self.rank];
        self.objective.error(rating, recency, y.iter().zip(x).map(|(y, x)| y * x).sum())
    }
}

/// Refuses factors that overflowed.
pub(super) fn finite(x: &[f32]) -> Result<(), Unsolved> {
    if x.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Unsolved::NonFinite) }
}
