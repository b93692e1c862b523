//! One row's normal equation in f64, written for clarity: `(W + Σ w y yᵀ + ridge I) x = Σ t y`.
//!
//! Used for rows that f32 cannot solve, a few at most, and by [`super::nnls`].

use std::ops::Range;

/// A rating as the equation sees it: the other side's row, `w` and `t`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term<'a> {
    /// `y`
    pub(super) row: &'a [f32],
    /// `w`
    pub(super) weight: f64,
    /// `t`
    pub(super) target: f64,
}

/// Two pivots that differ by more than this factor make the system singular for f64: what is left of the smaller
/// one is rounding.
pub(super) const SINGULAR: f64 = 1e-12;

/// `A x = b` of one row.
#[derive(Debug, Clone, Default)]
pub(super) struct System {
    /// `A`, `n × n` row-major. It is symmetric; what stands above the diagonal is not read.
    pub(super) a: Vec<f64>,
    /// `b`, of `n`.
    pub(super) b: Vec<f64>,
}

impl System {
    /// Sums up the equation of a row. `base` is `W`, `rank × rank`, where there is one.
    pub(super) fn sum<'a>(rank: usize, base: Option<&[f64]>, ridge: f64, terms: impl Iterator<Item = Term<'a>>) -> Self {
        let mut a = base.map_or_else(|| vec![0.0; rank * rank], <[f64]>::to_vec);
        let mut b = vec![0.0; rank];
        for Term { row, weight, target } in terms {
            for i in 0..rank {
                let y = f64::from(row[i]);
                b[i] += target * y;
                for j in 0..=i {
                    a[i * rank + j] += weight * y * f64::from(row[j]);
                }
            }
        }
        for i in 0..rank {
            a[i * rank + i] += ridge;
        }
        Self { a, b }
    }

    /// Makes `value` the solution of one unknown, whatever the equation says of it.
    pub(super) fn hold(&mut self, unknown: usize, value: f64) {
        let n = self.b.len();
        for other in 0..n {
            let at = other.max(unknown) * n + other.min(unknown);
            self.b[other] -= value * self.a[at];
            self.a[at] = 0.0;
        }
        // A pivot of the equation's own size.
        let pivot = self.a[if unknown == 0 { n * n - 1 } else { 0 }];
        (self.a[unknown * n + unknown], self.b[unknown]) = (pivot, value * pivot);
    }

    /// `A[i][j]`.
    pub(super) fn a(&self, i: usize, j: usize) -> f64 {
        self.a[i.max(j) * self.b.len() + i.min(j)]
    }

    /// The part of it that is about some `unknowns`, the others being as `x` has them.
    pub(super) fn part(&self, unknowns: Range<usize>, x: &[f32]) -> Self {
        let others = |i: usize| (0..self.b.len()).filter(|j| !unknowns.contains(j)).map(|j| self.a(i, j) * f64::from(x[j])).sum::<f64>();
        let a = unknowns.clone().flat_map(|i| unknowns.clone().map(move |j| self.a(i, j))).collect();
        let b = unknowns.clone().map(|i| self.b[i] - others(i)).collect();
        Self { a, b }
    }

    /// Whether all that is read of it are finite numbers.
    pub(super) fn is_finite(&self) -> bool {
        let mut rows = self.a.chunks(self.b.len().max(1)).enumerate();
        self.b.iter().all(|b| b.is_finite()) && rows.all(|(i, row)| row[..=i].iter().all(|a| a.is_finite()))
    }

    /// `x`; `None` if the system is singular.
    pub(super) fn solve(mut self) -> Option<Vec<f64>> {
        let n = self.b.len();
        cholesky(&mut self.a, &mut self.b, n, SINGULAR).then_some(self.b)
    }
}

/// Solves `A x = b` in place from the lower triangle of `a`; false if a pivot is at most `smallest_ratio` of another one
/// before it, or no number.
pub(super) fn cholesky(a: &mut [f64], b: &mut [f64], n: usize, smallest_ratio: f64) -> bool {
    let mut largest = 0.0_f64;
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|p| a[i * n + p] * a[j * n + p]).sum();
            let rest = a[i * n + j] - known;
            if i != j {
                a[i * n + j] = rest / a[j * n + j];
                continue;
            }
            largest = largest.max(a[i * n + i]);
            if !rest.is_finite() || rest <= smallest_ratio * largest {
                return false;
            }
            a[i * n + i] = rest.sqrt();
        }
        let known: f64 = (0..i).map(|p| a[i * n + p] * b[p]).sum();
        b[i] = (b[i] - known) / a[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|p| a[p * n + i] * b[p]).sum();
        b[i] = (b[i] - known) / a[i * n + i];
    }
    true
}
