//! Rows picked from a factor matrix and packed, for the other kernels to work on.

use super::lanes::Lanes;

/// Rows ahead of the one being copied that are asked for: about what one memory latency covers.
const AHEAD: usize = 8;

/// See [`super::Kernel::gather`].
///
/// # Safety
/// `V`'s instruction set is there.
#[inline(always)]
pub(super) unsafe fn gather<V: Lanes, const ROWS: usize>(
    factors: &[f32],
    stride: usize,
    columns: &[u32],
    scales: Option<&[f32]>,
    targets: &[f32],
    panel: &mut [f32],
    rhs: &mut [f32],
) {
    assert!(stride.is_multiple_of(super::PAD) && rhs.len() >= stride && panel.len() >= columns.len() * stride);
    assert!(targets.len() == columns.len() && scales.is_none_or(|scales| scales.len() == columns.len()));
    // Blocks of columns, so that the sums of `rhs` stay in registers while all rows pass by.
    let mut from = 0;
    while from < stride {
        let vectors = (stride - from) / V::LANES;
        // SAFETY: columns `from..from + width` lie below `stride`, which the assertions above relate to the slices.
        unsafe {
            if vectors >= 4 {
                block::<V, 4>(factors, stride, from, columns, scales, targets, panel, rhs);
                from += 4 * V::LANES;
            } else {
                block::<V, 1>(factors, stride, from, columns, scales, targets, panel, rhs);
                from += V::LANES;
            }
        }
    }
}

/// [`gather`] for the columns `from..from + VECTORS · LANES`.
///
/// # Safety
/// `V`'s instruction set is there, those columns lie below `stride`, and the slices are as long as `gather` says.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the arguments of `gather` and one more")]
unsafe fn block<V: Lanes, const VECTORS: usize>(
    factors: &[f32],
    stride: usize,
    from: usize,
    columns: &[u32],
    scales: Option<&[f32]>,
    targets: &[f32],
    panel: &mut [f32],
    rhs: &mut [f32],
) {
    // SAFETY: `row_at` checks each row; panel row `p` and `rhs` are long enough, as the caller vouches.
    unsafe {
        let mut sums = [V::splat(0.0); VECTORS];
        for (p, (&column, &target)) in columns.iter().zip(targets).enumerate() {
            if let Some(&later) = columns.get(p + AHEAD) {
                let at = factors.as_ptr().wrapping_add(later as usize * stride + from);
                for v in 0..VECTORS {
                    V::prefetch(at.wrapping_add(v * V::LANES));
                }
            }
            let row = row_at(factors, stride, column).add(from);
            let to = panel.as_mut_ptr().add(p * stride + from);
            let target = V::splat(target);
            let scale = V::splat(scales.map_or(1.0, |scales| scales[p]));
            for (v, sum) in sums.iter_mut().enumerate() {
                let vector = V::load(row.add(v * V::LANES));
                vector.times(scale).store(to.add(v * V::LANES));
                *sum = sum.plus_product(target, vector);
            }
        }
        for (v, sum) in sums.into_iter().enumerate() {
            let to = rhs.as_mut_ptr().add(from + v * V::LANES);
            V::load(to).plus(sum).store(to);
        }
    }
}

/// Row `column` of `factors`; valid for `stride` floats. Panics if there is no such row.
#[inline(always)]
fn row_at(factors: &[f32], stride: usize, column: u32) -> *const f32 {
    factors[column as usize * stride..][..stride].as_ptr()
}
