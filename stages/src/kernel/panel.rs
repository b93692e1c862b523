//! A gathered panel times a vector, and its transpose times a vector: what solvers need that never form a Gram matrix.

use std::ops::Range;

use super::lanes::Lanes;

/// See [`super::Kernel::multiply`].
///
/// # Safety
/// `V`'s instruction set is there.
#[inline(always)]
pub(super) unsafe fn multiply<V: Lanes, const ROWS: usize>(
    panel: &[f32],
    stride: usize,
    columns: Range<usize>,
    x: &[f32],
    out: &mut [f32],
) {
    let (width, depth) = (columns.len(), out.len());
    assert!(width.is_multiple_of(super::PAD) && columns.end <= stride && x.len() >= width && panel.len() >= depth * stride);
    // SAFETY: rows below `depth` and columns up to `columns.end` lie in `panel`; `x` has `width` floats.
    unsafe {
        let base = panel.as_ptr().add(columns.start);
        let whole = depth / ROWS * ROWS;
        for first in (0..whole).step_by(ROWS) {
            dots::<V, ROWS>(base.add(first * stride), stride, x.as_ptr(), width, &mut out[first..]);
        }
        for row in whole..depth {
            dots::<V, 1>(base.add(row * stride), stride, x.as_ptr(), width, &mut out[row..]);
        }
    }
}

/// Adds the products of `COUNT` rows with `x` to `out`: as many sums side by side, since each alone waits for itself.
///
/// # Safety
/// `V`'s instruction set is there; the rows and `x` have `width` floats, a multiple of `LANES`.
#[inline(always)]
unsafe fn dots<V: Lanes, const COUNT: usize>(rows: *const f32, stride: usize, x: *const f32, width: usize, out: &mut [f32]) {
    // SAFETY: as the caller vouches.
    unsafe {
        let mut sums = [V::splat(0.0); COUNT];
        for at in (0..width).step_by(V::LANES) {
            let x = V::load(x.add(at));
            for (row, sum) in sums.iter_mut().enumerate() {
                *sum = sum.plus_product(V::load(rows.add(row * stride + at)), x);
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out += sum.sum();
        }
    }
}

/// See [`super::Kernel::multiply_transposed`].
///
/// # Safety
/// `V`'s instruction set is there.
#[inline(always)]
pub(super) unsafe fn multiply_transposed<V: Lanes, const ROWS: usize>(
    panel: &[f32],
    stride: usize,
    columns: Range<usize>,
    weights: &[f32],
    out: &mut [f32],
) {
    let (width, depth) = (columns.len(), weights.len());
    assert!(width.is_multiple_of(super::PAD) && columns.end <= stride && out.len() >= width && panel.len() >= depth * stride);
    // Blocks of columns, so that their sums stay in registers while all rows pass by.
    let mut from = 0;
    while from < width {
        let vectors = (width - from) / V::LANES;
        // SAFETY: columns `from..from + vectors` of the range lie in every row of `panel` below `depth`, and in `out`.
        unsafe {
            let (base, out) = (panel.as_ptr().add(columns.start + from), out.as_mut_ptr().add(from));
            from += V::LANES
                * match vectors {
                    4.. => weighted_sum::<V, 4>(base, stride, weights, out),
                    2.. => weighted_sum::<V, 2>(base, stride, weights, out),
                    _ => weighted_sum::<V, 1>(base, stride, weights, out),
                };
        }
    }
}

/// Adds the weighted sum of the rows to `out`, for `VECTORS · LANES` columns; returns `VECTORS`. Even and odd rows are summed apart,
/// twice as many sums that need not wait for one another.
///
/// # Safety
/// `V`'s instruction set is there; `weights.len()` rows and `out` have `VECTORS · LANES` floats.
#[inline(always)]
unsafe fn weighted_sum<V: Lanes, const VECTORS: usize>(rows: *const f32, stride: usize, weights: &[f32], out: *mut f32) -> usize {
    // SAFETY: as the caller vouches.
    unsafe {
        let mut sums = [[V::splat(0.0); VECTORS]; 2];
        for (pair, weights) in weights.chunks(2).enumerate() {
            for (odd, (&weight, sums)) in weights.iter().zip(&mut sums).enumerate() {
                let (row, weight) = (rows.add((2 * pair + odd) * stride), V::splat(weight));
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.plus_product(weight, V::load(row.add(v * V::LANES)));
                }
            }
        }
        let [even, odd] = sums;
        for (v, (even, odd)) in even.into_iter().zip(odd).enumerate() {
            let to = out.add(v * V::LANES);
            V::load(to).plus(even.plus(odd)).store(to);
        }
    }
    VECTORS
}
