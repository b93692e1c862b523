//! The Gram matrix of a panel, or of some of its columns, upper triangle.
//!
//! Rows gathered from far more factors than the caches hold arrive no faster than they are computed with. So the panel that comes
//! next is asked for while this one is computed ([`Ahead`]), a few rows with each strip of the result, as many as the processor can have under way.

use std::ops::Range;

use super::PAD;
use super::lanes::Lanes;
use super::tile::{Into, Left, strip};

/// Rows of factors that will be gathered next.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ahead<'a> {
    /// Rows of `stride` floats.
    pub(crate) factors: &'a [f32],
    /// Floats from one row to the next.
    pub(crate) stride: usize,
    /// Which of them.
    pub(crate) columns: &'a [u32],
}

impl Ahead<'_> {
    /// Asks for the part of the rows that belongs to step `step` of `steps`.
    ///
    /// # Safety
    /// `V`'s instruction set is there.
    #[inline(always)]
    unsafe fn prefetch<V: Lanes>(self, step: usize, steps: usize) {
        let part = |step: usize| step * self.columns.len() / steps;
        for &column in &self.columns[part(step)..part(step + 1)] {
            let row = self.factors.as_ptr().wrapping_add(column as usize * self.stride);
            for at in (0..self.stride).step_by(PAD) {
                // SAFETY: any address will do.
                unsafe { V::prefetch_far(row.wrapping_add(at)) };
            }
        }
    }
}

/// See [`super::Kernel::gram`].
///
/// # Safety
/// `V`'s instruction set is there.
#[inline(always)]
pub(super) unsafe fn gram<V: Lanes, const ROWS: usize>(
    panel: &[f32],
    depth: usize,
    stride: usize,
    columns: Range<usize>,
    out: &mut [f32],
    ahead: Ahead<'_>,
) {
    let width = columns.len();
    assert!(width.is_multiple_of(PAD) && columns.end <= stride && panel.len() >= depth * stride && out.len() >= width * width);
    for row in (0..width).step_by(ROWS) {
        // The first column whose vector touches the diagonal of this strip.
        let column = row / V::LANES * V::LANES;
        // SAFETY: the assertion covers columns `row..row + ROWS` and `column..width` of the range, and the same of `out`.
        unsafe {
            ahead.prefetch::<V>(row / ROWS, width / ROWS);
            let base = panel.as_ptr().wrapping_add(columns.start);
            let left = Left { at: base.wrapping_add(row), stride };
            let right = Left { at: base.wrapping_add(column), stride };
            let out = out.as_mut_ptr().add(row * width + column);
            strip::<V, ROWS>(depth, left, right, out, width, width - column, Into::Add);
        }
    }
}
