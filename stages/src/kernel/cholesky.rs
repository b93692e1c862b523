//! Cholesky factorisation `A = Uᵀ U` and the two triangular solves, in f32, of several systems side by side.
//!
//! Left-looking by strips of `ROWS` rows: the strip first loses what the rows above explain, which is the same
//! register tile as the Gram matrix (with depth = rows above), then its rows are eliminated among themselves.
//! Vectors start at the lane that holds the diagonal, so elements left of it in the same vector are computed
//! too; nothing reads them. The reciprocals of the diagonal are kept, so that the solves never divide.
//!
//! All but the tile is a chain in which each step waits for the one before: a root and a division a row, then 2 n dependent
//! steps of the solves. One system leaves the processor idle for most of it. So `SYSTEMS` of them take each step in turn: what one
//! waits for, the others fill. The arithmetic of a system does not depend on its company.

use super::lanes::Lanes;
use super::tile::{Into, Left, strip};

/// The smallest trusted ratio of two pivots. The condition number is at least their ratio, usually some ten times
/// that; an f32 solution errs by about 6e-8 times the condition number, and the sweeps of a training amplify it. At
/// this ratio three sweeps stay within 1e-3 of exact ones in thousands of random cases; at 3e-3 some do not.
pub(crate) const SMALLEST_RATIO: f32 = 1e-2;

/// Systems solved side by side: enough to fill the waits, few enough that they stay in the second-level cache.
pub(crate) const SYSTEMS: usize = 4;

/// Floats of a system of `n` unknowns: its right-hand side, then its matrix.
pub(crate) const fn system_floats(n: usize) -> usize {
    n + n * n
}

/// See [`super::Kernel::solve`].
///
/// # Safety
/// `V`'s instruction set is there.
#[inline(always)]
pub(super) unsafe fn solve<V: Lanes, const ROWS: usize>(systems: &mut [f32], work: &mut [f32], n: usize) -> Refused {
    let size = system_floats(n);
    assert!(n.is_multiple_of(super::PAD) && n > 0 && systems.len().is_multiple_of(size) && work.len() >= 2 * n * SYSTEMS);
    let mut refused = Refused(0);
    let mut groups = systems.chunks_exact_mut(SYSTEMS * size);
    let mut first = 0;
    for group in &mut groups {
        // SAFETY: `group` holds `SYSTEMS` systems and `work` room for each; `n` is a multiple of `ROWS` and `LANES`.
        refused.0 |= unsafe { solve_group::<V, ROWS, SYSTEMS>(group, work, n) } << first;
        first += SYSTEMS;
    }
    for system in groups.into_remainder().chunks_exact_mut(size) {
        // SAFETY: as above, with one system.
        refused.0 |= unsafe { solve_group::<V, ROWS, 1>(system, work, n) } << first;
        first += 1;
    }
    refused
}

/// Which systems f32 cannot be trusted with: their pivots differ too much. Their unknowns are of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused(u64);

impl Refused {
    /// Whether the system at `index` is one of them.
    pub(crate) fn contains(self, index: usize) -> bool {
        self.0 >> index & 1 == 1
    }
}

/// Where one system lies.
#[derive(Clone, Copy)]
struct System {
    /// `n × n`.
    a: *mut f32,
    /// `n`: the right-hand side, which becomes the unknowns.
    b: *mut f32,
    /// `n`: the reciprocals of the diagonal.
    reciprocals: *mut f32,
    /// `n`: the unknowns of the first solve.
    y: *mut f32,
}

/// Solves `COUNT` systems; the bits of those refused.
///
/// # Safety
/// `V`'s instruction set is there; `systems` are `COUNT` systems, `work` has `2 n` floats for each, `n` is a multiple of `ROWS` and `LANES`.
#[inline(always)]
unsafe fn solve_group<V: Lanes, const ROWS: usize, const COUNT: usize>(systems: &mut [f32], work: &mut [f32], n: usize) -> u64 {
    let (base, work) = (systems.as_mut_ptr(), work.as_mut_ptr());
    // SAFETY: each part lies in what the caller vouches for, and overlaps no other.
    unsafe {
        let systems: [System; COUNT] = std::array::from_fn(|s| {
            let (b, work) = (base.add(s * system_floats(n)), work.add(2 * n * s));
            System { a: b.add(n), b, reciprocals: work, y: work.add(n) }
        });
        let refused = factorise::<V, ROWS, COUNT>(&systems, n);
        for row in 0..n {
            systems.iter().for_each(|system| forward::<V>(*system, row, n));
        }
        // Zeros, so that what stands at or left of the diagonal adds nothing to the sums.
        systems.iter().for_each(|system| system.b.write_bytes(0, n));
        for row in (0..n).rev() {
            systems.iter().for_each(|system| backward::<V>(*system, row, n));
        }
        refused
    }
}

/// Turns the upper triangle of each matrix into `U` and writes the reciprocals of its diagonal; the bits of the systems refused.
///
/// # Safety
/// `V`'s instruction set is there, the systems have `n` unknowns, `n` is a multiple of `ROWS` and `LANES`.
#[inline(always)]
unsafe fn factorise<V: Lanes, const ROWS: usize, const COUNT: usize>(systems: &[System; COUNT], n: usize) -> u64 {
    let (mut smallest, mut largest, mut refused) = ([f32::INFINITY; COUNT], [0.0_f32; COUNT], 0);
    for top in (0..n).step_by(ROWS) {
        let column = top / V::LANES * V::LANES;
        for system in systems {
            // SAFETY: rows `0..top` are read, rows `top..top + ROWS` written: disjoint, all inside the matrix.
            unsafe {
                let left = Left { at: system.a.add(top), stride: n };
                let right = Left { at: system.a.add(column), stride: n };
                strip::<V, ROWS>(top, left, right, system.a.add(top * n + column), n, n - column, Into::Subtract);
            }
        }
        for row in top..top + ROWS {
            for (s, system) in systems.iter().enumerate() {
                // SAFETY: `row` is below `n`.
                let pivot = unsafe { *system.a.add(row * n + row) };
                smallest[s] = smallest[s].min(pivot);
                largest[s] = largest[s].max(pivot);
                if !pivot.is_finite() || smallest[s] <= largest[s] * SMALLEST_RATIO {
                    refused |= 1 << s;
                }
                // SAFETY: as above.
                unsafe { *system.reciprocals.add(row) = 1.0 / pivot.sqrt() };
            }
            for system in systems {
                // SAFETY: `row` and the rows of the strip after it are different rows of the matrix.
                unsafe { eliminate::<V>(system.a, n, row, top + ROWS, *system.reciprocals.add(row)) };
            }
        }
    }
    refused
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

/// Step `row` of `Uᵀ y = b`; what is left of `b` after the last one means nothing.
///
/// # Safety
/// `V`'s instruction set is there; the system has `n` unknowns, of which `row` is one.
#[inline(always)]
unsafe fn forward<V: Lanes>(system: System, row: usize, n: usize) {
    // SAFETY: columns up to `n` of row `row` and of `b`.
    unsafe {
        let value = *system.b.add(row) * *system.reciprocals.add(row);
        // Kept apart from `b`, whose elements up to `row` the vectors below overwrite.
        *system.y.add(row) = value;
        let (source, value) = (system.a.add(row * n), V::splat(value));
        for at in (row / V::LANES * V::LANES..n).step_by(V::LANES) {
            V::load(system.b.add(at)).minus_product(value, V::load(source.add(at))).store(system.b.add(at));
        }
    }
}

/// Step `row` of `U x = y`, from the last to the first; `x` takes the place of `b`, which is 0 up to `row`.
///
/// # Safety
/// `V`'s instruction set is there; the system has `n` unknowns, of which `row` is one.
#[inline(always)]
unsafe fn backward<V: Lanes>(system: System, row: usize, n: usize) {
    // SAFETY: columns up to `n` of row `row` and of `x`.
    unsafe {
        let (source, mut sum) = (system.a.add(row * n), V::splat(0.0));
        for at in (row / V::LANES * V::LANES..n).step_by(V::LANES) {
            sum = sum.plus_product(V::load(source.add(at)), V::load(system.b.add(at)));
        }
        *system.b.add(row) = (*system.y.add(row) - sum.sum()) * *system.reciprocals.add(row);
    }
}
