//! One row: its normal equation summed up, solved, and its share of the loss.
//!
//! `(W + Σ w y yᵀ + λ n I) x = Σ t y` over the ratings of the row, `y` being rows of the other side; `w` and `t` are 1
//! and `r` in the explicit objective, `W` is `YᵀY` in the implicit one. Panels of [`PANEL`] gathered rows are what
//! the Gram kernel sees.

use rayon::prelude::*;
use sprs::CsMatI;

use super::exact::{SINGULAR, System, Term};
use super::nnls::Nnls;
use super::objective::Objective;
use crate::kernel::{Aligned, Kernel, SMALLEST_RATIO, padded};

/// Gathered rows a panel. 128 rows of 64 floats are 32 KiB: they stay in the first-level cache while used.
const PANEL: usize = 128;

/// Ratings a segment. A longer row is summed by several threads, one segment at a time, and its segments are added
/// in f64; the cuts depend on the row alone.
pub(super) const SEGMENT: usize = 4096;

/// The ratings of all rows of one side.
#[derive(Debug, Clone)]
pub(super) struct Rows<'a>(pub(super) Vec<&'a CsMatI<f32, u32, usize>>);

impl<'a> Rows<'a> {
    /// How many rows there are.
    pub(super) fn count(&self) -> usize {
        self.0.first().map_or(0, |layer| layer.rows())
    }

    /// The ratings of `row`: row numbers of the other side and values, one pair of slices a layer.
    pub(super) fn slices(&self, row: usize) -> impl Iterator<Item = (&'a [u32], &'a [f32])> {
        self.0.iter().map(move |layer| {
            let range = layer.indptr().outer_inds_sz(row);
            (&layer.indices()[range.clone()], &layer.data()[range])
        })
    }

    /// The ratings of `row` in pieces of at most `length`.
    fn pieces(&self, row: usize, length: usize) -> impl Iterator<Item = (&'a [u32], &'a [f32])> {
        self.slices(row).flat_map(move |(columns, ratings)| columns.chunks(length).zip(ratings.chunks(length)))
    }

    /// How many ratings `row` has.
    pub(super) fn len(&self, row: usize) -> usize {
        self.0.iter().map(|layer| layer.indptr().nnz_in_outer_sz(row)).sum()
    }
}

/// What all rows of a half-step share.
#[derive(Debug)]
pub(super) struct Equations<'a> {
    pub(super) kernel: Kernel,
    pub(super) objective: Objective,
    pub(super) rank: usize,
    /// Whether factors must not be negative.
    pub(super) nonnegative: bool,
    pub(super) rows: Rows<'a>,
    /// Factors of the other side, padded rows.
    pub(super) source: &'a [f32],
    /// `YᵀY` of `source` if the objective is implicit: `rank × rank`, whole.
    pub(super) base: Option<Vec<f64>>,
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
    panel: Aligned,
    sums: Sums,
    work: Aligned,
    scales: Vec<f32>,
    targets: Vec<f32>,
    predicted: Vec<f32>,
    system: System,
    nnls: Nnls,
}

/// `Σ w y yᵀ` (upper triangle) and `Σ t y`.
#[derive(Debug)]
struct Sums {
    gram: Aligned,
    rhs: Aligned,
}

impl Sums {
    fn zeroed(stride: usize) -> Self {
        Self { gram: Aligned::zeroed(stride * stride), rhs: Aligned::zeroed(stride) }
    }
}

impl Scratch {
    pub(super) fn new(rank: usize) -> Self {
        let stride = padded(rank);
        Self {
            panel: Aligned::zeroed(PANEL * stride),
            sums: Sums::zeroed(stride),
            work: Aligned::zeroed(2 * stride),
            scales: vec![0.0; PANEL],
            targets: vec![0.0; PANEL],
            predicted: vec![0.0; PANEL],
            system: System::default(),
            nnls: Nnls::default(),
        }
    }
}

impl Equations<'_> {
    fn stride(&self) -> usize {
        padded(self.rank)
    }

    /// `λ n` of `row`.
    pub(super) fn ridge(&self, row: usize) -> f64 {
        self.objective.ridge(self.objective.count(self.rows.slices(row).map(|(_, ratings)| ratings)))
    }

    /// Solves `row` on the calling thread and writes it to `x` (padded), which holds what it was before.
    pub(super) fn solve(&self, row: usize, x: &mut [f32], scratch: &mut Scratch) -> Result<(), Unsolved> {
        scratch.sums.gram.as_mut_slice().fill(0.0);
        scratch.sums.rhs.as_mut_slice().fill(0.0);
        for (columns, ratings) in self.rows.pieces(row, PANEL) {
            self.add_panel(columns, ratings, scratch);
        }
        self.finish(row, x, scratch)
    }

    /// Solves a row of more than [`SEGMENT`] ratings with the help of idle threads.
    pub(super) fn solve_long(&self, row: usize, x: &mut [f32], scratch: &mut Scratch) -> Result<(), Unsolved> {
        let segments: Vec<_> = self.rows.pieces(row, SEGMENT).collect();
        let partial: Vec<Sums> = segments
            .into_par_iter()
            .map(|(columns, ratings)| {
                let mut scratch = Scratch::new(self.rank);
                for (columns, ratings) in columns.chunks(PANEL).zip(ratings.chunks(PANEL)) {
                    self.add_panel(columns, ratings, &mut scratch);
                }
                scratch.sums
            })
            .collect();
        // In f64: there may be thousands of segments, each with the rounding of its own 4096 ratings already.
        let total = |of: fn(&Sums) -> &Aligned, to: &mut Aligned| {
            for (at, to) in to.as_mut_slice().iter_mut().enumerate() {
                *to = partial.iter().map(|sums| f64::from(of(sums).as_slice()[at])).sum::<f64>() as f32;
            }
        };
        total(|sums| &sums.gram, &mut scratch.sums.gram);
        total(|sums| &sums.rhs, &mut scratch.sums.rhs);
        self.finish(row, x, scratch)
    }

    /// Adds up to [`PANEL`] ratings to the sums.
    fn add_panel(&self, columns: &[u32], ratings: &[f32], scratch: &mut Scratch) {
        let stride = self.stride();
        let Scratch { panel, sums, scales, targets, .. } = scratch;
        let (panel, rhs) = (panel.as_mut_slice(), sums.rhs.as_mut_slice());
        if self.objective.is_implicit() {
            // The weight goes half to each side of `y yᵀ`.
            for ((scale, target), &rating) in scales.iter_mut().zip(targets.iter_mut()).zip(ratings) {
                *scale = self.objective.weight(rating).sqrt() as f32;
                *target = self.objective.target(rating) as f32;
            }
            let (scales, targets) = (&scales[..ratings.len()], &targets[..ratings.len()]);
            self.kernel.gather(self.source, stride, columns, Some(scales), targets, panel, rhs);
        } else {
            self.kernel.gather(self.source, stride, columns, None, ratings, panel, rhs);
        }
        self.kernel.gram(panel, columns.len(), stride, sums.gram.as_mut_slice());
    }

    /// Completes the equation that `scratch` holds the sums of, and solves it.
    fn finish(&self, row: usize, x: &mut [f32], scratch: &mut Scratch) -> Result<(), Unsolved> {
        let (rank, stride) = (self.rank, self.stride());
        let ridge = self.ridge(row);
        let gram = scratch.sums.gram.as_mut_slice();
        if let Some(base) = &self.base {
            for i in 0..rank {
                for j in i..rank {
                    gram[i * stride + j] = (f64::from(gram[i * stride + j]) + base[i * rank + j]) as f32;
                }
            }
        }
        for i in 0..rank {
            gram[i * stride + i] = (f64::from(gram[i * stride + i]) + ridge) as f32;
        }
        if self.nonnegative {
            return self.finish_nonnegative(row, ridge, x, scratch);
        }
        // The padding solves to 0 whatever stands on its diagonal; a pivot of the row's own size does not spoil the ratio.
        for i in rank..stride {
            gram[i * stride + i] = gram[0];
        }
        let rhs = scratch.sums.rhs.as_mut_slice();
        if self.kernel.solve(gram, rhs, scratch.work.as_mut_slice(), stride).is_ok() {
            x.copy_from_slice(&rhs[..stride]);
        } else {
            let solution = self.exact_system(row, ridge).solve().ok_or(Unsolved::Singular)?;
            x[..rank].iter_mut().zip(solution).for_each(|(x, exact)| *x = exact as f32);
        }
        finite(x)
    }

    /// [`Self::finish`] for factors that must not be negative: the sums as they are if they can be trusted, else exact ones.
    fn finish_nonnegative(&self, row: usize, ridge: f64, x: &mut [f32], scratch: &mut Scratch) -> Result<(), Unsolved> {
        let (rank, stride) = (self.rank, self.stride());
        let Scratch { sums, system, nnls, .. } = scratch;
        let (gram, rhs) = (sums.gram.as_slice(), sums.rhs.as_slice());
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

    /// The equation of `row` in f64, from its ratings again.
    fn exact_system(&self, row: usize, ridge: f64) -> System {
        let terms = self.rows.slices(row).flat_map(|(columns, ratings)| columns.iter().zip(ratings)).map(|(&column, &rating)| Term {
            row: &self.source[column as usize * self.stride()..][..self.rank],
            weight: self.objective.weight(rating),
            target: self.objective.target(rating),
        });
        System::sum(self.rank, self.base.as_deref(), ridge, terms)
    }

    /// What the ratings of `row` (implicit: all its cells) add to the loss, without regularisation.
    pub(super) fn error(&self, row: usize, x: &[f32], scratch: &mut Scratch) -> f64 {
        let mut total = 0.0;
        for (columns, ratings) in self.rows.pieces(row, PANEL) {
            let predicted = &mut scratch.predicted[..columns.len()];
            self.kernel.dots(self.source, self.stride(), columns, x, predicted);
            total += ratings.iter().zip(predicted).map(|(&rating, predicted)| self.objective.error(rating, *predicted)).sum::<f64>();
        }
        if let Some(base) = &self.base {
            let rank = self.rank;
            for i in 0..rank {
                let product: f64 = (0..rank).map(|j| base[i * rank + j] * f64::from(x[j])).sum();
                total += f64::from(x[i]) * product;
            }
        }
        total
    }
}

/// Refuses factors that overflowed.
fn finite(x: &[f32]) -> Result<(), Unsolved> {
    if x.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Unsolved::NonFinite) }
}
