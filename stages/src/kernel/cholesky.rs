//! Cholesky factorisation `A = Uᵀ U` and the two triangular solves, in f32.
//!
//! Left-looking by strips of `ROWS` rows: the strip first loses what the rows above explain, which is the same
//! register tile as the Gram matrix (with depth = rows above), then its rows are eliminated among themselves.
//! Vectors start at the lane that holds the diagonal, so elements left of it in the same vector are computed
//! too; nothing reads them. The reciprocals of the diagonal are kept, so that the solves never divide.

use super::lanes::Lanes;
use super::tile::{Into, Left, strip};

/// The pivots of a system differ so much that f32 cannot be trusted with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IllConditioned;

/// The smallest trusted ratio of two pivots. The condition number is at least their ratio, usually some ten times
/// that; an f32 solution errs by about 6e-8 times the condition number, and the sweeps of a training amplify it. At
/// this ratio three sweeps stay within 1e-3 of exact ones in thousands of random cases; at 3e-3 some do not.
pub(crate) const SMALLEST_RATIO: f32 = 1e-2;

/// See [`super::Kernel::solve`].
///
/// # Safety
/// `V`'s instruction set is there.
#[inline(always)]
pub(super) unsafe fn solve<V: Lanes, const ROWS: usize>(
    a: &mut [f32],
    b: &mut [f32],
    work: &mut [f32],
    n: usize,
) -> Result<(), IllConditioned> {
    assert!(n.is_multiple_of(super::PAD) && a.len() >= n * n && b.len() >= n && work.len() >= 2 * n);
    let (reciprocals, x) = work[..2 * n].split_at_mut(n);
    // SAFETY: `a` is `n × n`, the vectors have `n` elements, `n` is a multiple of `ROWS` and `LANES`.
    unsafe {
        factorise::<V, ROWS>(a, reciprocals, n)?;
        forward::<V>(a, reciprocals, b, x, n);
        backward::<V>(a, reciprocals, x, b, n);
    }
    Ok(())
}

/// Turns the upper triangle of `a` into `U` and writes the reciprocals of its diagonal.
///
/// # Safety
/// `V`'s instruction set is there, `a` is `n × n`, `n` a multiple of `ROWS` and `LANES`.
#[inline(always)]
unsafe fn factorise<V: Lanes, const ROWS: usize>(a: &mut [f32], reciprocals: &mut [f32], n: usize) -> Result<(), IllConditioned> {
    let (mut smallest, mut largest) = (f32::INFINITY, 0.0_f32);
    let base = a.as_mut_ptr();
    for top in (0..n).step_by(ROWS) {
        let column = top / V::LANES * V::LANES;
        // SAFETY: rows `0..top` are read, rows `top..top + ROWS` written: disjoint, all inside `a`.
        unsafe {
            let left = Left { at: base.add(top), stride: n };
            let right = Left { at: base.add(column), stride: n };
            strip::<V, ROWS>(top, left, right, base.add(top * n + column), n, n - column, Into::Subtract);
        }
        for (row, kept) in (top..).zip(&mut reciprocals[top..top + ROWS]) {
            // SAFETY: `row` is below `n`.
            let pivot = unsafe { *base.add(row * n + row) };
            smallest = smallest.min(pivot);
            largest = largest.max(pivot);
            if !pivot.is_finite() || smallest <= largest * SMALLEST_RATIO {
                return Err(IllConditioned);
            }
            let reciprocal = 1.0 / pivot.sqrt();
            *kept = reciprocal;
            // SAFETY: `row` and the rows of the strip after it are different rows of `a`.
            unsafe { eliminate::<V>(base, n, row, top + ROWS, reciprocal) };
        }
    }
    Ok(())
}

/// Scales row `row` and takes it out of the rows after it, up to `end`.
///
/// # Safety
/// `V`'s instruction set is there; `base` is an `n × n` matrix and `end` at most `n`.
#[inline(always)]
unsafe fn eliminate<V: Lanes>(base: *mut f32, n: usize, row: usize, end: usize, reciprocal: f32) {
    // SAFETY: all rows lie below `end`, all columns below `n`.
    unsafe {
        let source = base.add(row * n);
        let scale = V::splat(reciprocal);
        for at in (row / V::LANES * V::LANES..n).step_by(V::LANES) {
            V::load(source.add(at)).times(scale).store(source.add(at));
        }
        for later in row + 1..end {
            let target = base.add(later * n);
            let factor = V::splat(*source.add(later));
            for at in (later / V::LANES * V::LANES..n).step_by(V::LANES) {
                V::load(target.add(at)).minus_product(factor, V::load(source.add(at))).store(target.add(at));
            }
        }
    }
}

/// `y` of `Uᵀ y = b`; destroys `b`.
///
/// # Safety
/// `V`'s instruction set is there; `a` is `n × n`, the vectors have `n` elements.
#[inline(always)]
unsafe fn forward<V: Lanes>(a: &[f32], reciprocals: &[f32], b: &mut [f32], y: &mut [f32], n: usize) {
    for row in 0..n {
        let value = b[row] * reciprocals[row];
        // Kept apart from `b`, whose elements up to `row` the vectors below overwrite.
        y[row] = value;
        // SAFETY: columns up to `n` of row `row` and of `b`.
        unsafe {
            let (source, target, value) = (a.as_ptr().add(row * n), b.as_mut_ptr(), V::splat(value));
            for at in (row / V::LANES * V::LANES..n).step_by(V::LANES) {
                V::load(target.add(at)).minus_product(value, V::load(source.add(at))).store(target.add(at));
            }
        }
    }
}

/// `x` of `U x = y`.
///
/// # Safety
/// `V`'s instruction set is there; `a` is `n × n`, the vectors have `n` elements.
#[inline(always)]
unsafe fn backward<V: Lanes>(a: &[f32], reciprocals: &[f32], y: &[f32], x: &mut [f32], n: usize) {
    // Zeros, so that what stands at or left of the diagonal adds nothing to the sums.
    x[..n].fill(0.0);
    for row in (0..n).rev() {
        // SAFETY: columns up to `n` of row `row` and of `x`.
        let known = unsafe {
            let (source, mut sum) = (a.as_ptr().add(row * n), V::splat(0.0));
            for at in (row / V::LANES * V::LANES..n).step_by(V::LANES) {
                sum = sum.plus_product(V::load(source.add(at)), V::load(x.as_ptr().add(at)));
            }
            sum.sum()
        };
        x[row] = (y[row] - known) * reciprocals[row];
    }
}
