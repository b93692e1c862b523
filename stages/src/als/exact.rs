//! One row's normal equation in f64, written for clarity: `(W + Σ w y yᵀ + ridge I) x = Σ t y`.
//!
//! Used for rows that f32 cannot solve, a few at most; the oracle of the tests is built on it as well.

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
const SINGULAR: f64 = 1e-12;

/// Solves one row; `None` if the system is singular. `base` is `W`, `rank × rank`, where there is one.
pub(super) fn solve<'a>(rank: usize, base: Option<&[f64]>, ridge: f64, terms: impl Iterator<Item = Term<'a>>) -> Option<Vec<f64>> {
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
    cholesky(&mut a, &mut b, rank).then_some(b)
}

/// Solves `A x = b` in place from the lower triangle of `a`; false if a pivot is lost.
fn cholesky(a: &mut [f64], b: &mut [f64], n: usize) -> bool {
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
            if !rest.is_finite() || rest <= SINGULAR * largest {
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
