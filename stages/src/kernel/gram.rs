//! The Gram matrix of a panel, upper triangle.

use super::lanes::Lanes;
use super::tile::{Into, Left, strip};

/// See [`super::Kernel::gram`].
///
/// # Safety
/// `V`'s instruction set is there.
#[inline(always)]
pub(super) unsafe fn gram<V: Lanes, const ROWS: usize>(panel: &[f32], depth: usize, stride: usize, out: &mut [f32]) {
    assert!(stride.is_multiple_of(super::PAD) && panel.len() >= depth * stride && out.len() >= stride * stride);
    for row in (0..stride).step_by(ROWS) {
        // The first column whose vector touches the diagonal of this strip.
        let column = row / V::LANES * V::LANES;
        // SAFETY: the assertion covers panel columns `row..row + ROWS` and `column..stride` and the same of `out`.
        unsafe {
            let left = Left { at: panel.as_ptr().add(row), stride };
            let right = Left { at: panel.as_ptr().add(column), stride };
            let out = out.as_mut_ptr().add(row * stride + column);
            strip::<V, ROWS>(depth, left, right, out, stride, stride - column, Into::Add);
        }
    }
}
