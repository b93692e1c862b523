//! The register tile: `out[r][c] ± Σ_p left[p][r] · right[p][c]`.

use super::lanes::Lanes;

/// A row-major matrix by pointer and row length.
#[derive(Clone, Copy)]
pub(super) struct Left {
    /// First element of the tile's first row.
    pub(super) at: *const f32,
    /// Floats from one row to the next.
    pub(super) stride: usize,
}

/// Where the products go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
    /// `out += products`
    Add,
    /// `out -= products`
    Subtract,
    /// `out = products`
    Set,
}

/// One tile of `ROWS × (VECTORS · LANES)` products summed over `depth`, kept in registers throughout; the old
/// content of `out` joins last, so that a long sum is a sum of short ones, which rounds less.
///
/// # Safety
/// `V`'s instruction set is there. `left` is valid for `depth` rows of `ROWS` floats, `right` for `depth` rows
/// and `out` for `ROWS` rows of `VECTORS · LANES` floats, each at its stride.
#[inline(always)]
pub(super) unsafe fn tile<V: Lanes, const ROWS: usize, const VECTORS: usize>(
    depth: usize,
    left: Left,
    right: Left,
    out: *mut f32,
    out_stride: usize,
    into: Into,
) {
    // SAFETY: every offset stays inside what the caller vouches for.
    unsafe {
        let mut sums = [[V::splat(0.0); VECTORS]; ROWS];
        let (mut left_row, mut right_row) = (left.at, right.at);
        for _ in 0..depth {
            let mut vectors = [V::splat(0.0); VECTORS];
            for (v, vector) in vectors.iter_mut().enumerate() {
                *vector = V::load(right_row.add(v * V::LANES));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let factor = V::splat(*left_row.add(r));
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = sum.plus_product(factor, vector);
                }
            }
            // Wrapping: after the last row the pointers may lie past the allocation, and are not read.
            left_row = left_row.wrapping_add(left.stride);
            right_row = right_row.wrapping_add(right.stride);
        }
        let one = V::splat(1.0);
        for (r, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                let to = out.add(r * out_stride + v * V::LANES);
                match into {
                    Into::Add => V::load(to).plus(*sum).store(to),
                    Into::Subtract => V::load(to).minus_product(*sum, one).store(to),
                    Into::Set => sum.store(to),
                }
            }
        }
    }
}

/// A strip of `ROWS × columns` in tiles of three, two and one vectors: the widest that the registers hold, but
/// four as two and two, since a tile of one vector waits for its loads.
///
/// # Safety
/// As [`tile`], with `columns` (a multiple of `LANES`) in place of `VECTORS · LANES`.
#[inline(always)]
pub(super) unsafe fn strip<V: Lanes, const ROWS: usize>(
    depth: usize,
    left: Left,
    right: Left,
    out: *mut f32,
    out_stride: usize,
    columns: usize,
    into: Into,
) {
    let mut column = 0;
    while column < columns {
        let vectors = (columns - column) / V::LANES;
        // SAFETY: `column` plus the tile's width stays within `columns`.
        unsafe {
            let right = Left { at: right.at.add(column), stride: right.stride };
            let out = out.add(column);
            match vectors {
                1 => tile::<V, ROWS, 1>(depth, left, right, out, out_stride, into),
                2 | 4 => tile::<V, ROWS, 2>(depth, left, right, out, out_stride, into),
                _ => tile::<V, ROWS, 3>(depth, left, right, out, out_stride, into),
            }
        }
        column += match vectors {
            1 => 1,
            2 | 4 => 2,
            _ => 3,
        } * V::LANES;
    }
}
