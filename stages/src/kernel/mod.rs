//! Small dense kernels in f32, chosen at run time for the processor at hand.
//!
//! ALS and top-k scoring spend nearly all their time in one operation: a block of `Σ_p left[p][i] · right[p][j]`
//! that stays in registers ([`tile`]). Everything here is built from it:
//!
//! | function | computes | used for |
//! |---|---|---|
//! | [`Kernel::gather`] | copies factor rows into a packed panel, `rhs += Σ target · row` | normal equations |
//! | [`Kernel::gram`] | `out += panelᵀ · panel`, upper triangle | normal equations |
//! | [`Kernel::multiply`], [`Kernel::multiply_transposed`] | a panel, or its transpose, times a vector | conjugate gradients, blocks, training loss |
//! | [`Kernel::solve`] | `x` of `A x = b` by Cholesky, several side by side | normal equations |
//! | [`Kernel::scores`] | a block of users against a block of items, transposed panels | top-k |
//!
//! The code is written once, generic over [`lanes::Lanes`], and compiled for AVX-512, AVX2 with FMA and plain
//! Rust; BLAS reaches a tenth of the machine's peak on matrices this small. Results are bit-identical between
//! runs on one instruction set and agree to rounding between instruction sets.
//!
//! *Memory.* Large buffers ask for large pages ([`huge_pages`]).
//!
//! *Padding.* Rows are padded with zeros to a multiple of [`PAD`] floats ([`padded`]) and live in [`Aligned`]
//! buffers, so that every vector load hits one cache line.

mod aligned;
mod cholesky;
mod gather;
mod gram;
pub(crate) mod huge_pages;
mod lanes;
mod panel;
mod scores;
mod tile;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use aligned::Aligned;
pub(crate) use cholesky::{Refused, SMALLEST_RATIO, SYSTEMS, system_floats};
pub(crate) use gram::Ahead;
pub(crate) use scores::{SCORE_ITEMS, SCORE_USERS};

/// Row lengths are multiples of this many floats: one cache line.
pub(crate) const PAD: usize = 16;

/// `rank` rounded up to a multiple of [`PAD`].
pub(crate) const fn padded(rank: usize) -> usize {
    rank.div_ceil(PAD) * PAD
}

/// An instruction set that the kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

/// The kernels for one instruction set that this processor is known to have. Cheap to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kernel(Isa);

impl Kernel {
    /// The fastest kernels that this processor runs.
    pub(crate) fn detect() -> Self {
        Self::available().next().unwrap_or(Self(Isa::Portable))
    }

    /// All kernels that this processor runs, fastest first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let vector = {
            let avx512 = is_x86_feature_detected!("avx512f");
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            avx512.then_some(Isa::Avx512).into_iter().chain(avx2.then_some(Isa::Avx2))
        };
        #[cfg(not(target_arch = "x86_64"))]
        let vector = std::iter::empty();
        vector.chain([Isa::Portable]).map(Self)
    }

    /// The name of the instruction set, for logs and benchmarks.
    pub(crate) fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        }
    }
}

/// Defines the methods of [`Kernel`]: for each, one copy of the generic function per instruction set, and the
/// choice between them. `$rows` is the height of the register tile: as many accumulators as the registers hold.
macro_rules! dispatch {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)? = $module:ident;)*) => {
        #[cfg(target_arch = "x86_64")]
        mod avx512 {
            use super::*;
            $(#[target_feature(enable = "avx512f")]
            pub(super) fn $name($($arg: $type),*) $(-> $ret)? {
                // SAFETY: this function is compiled for AVX-512, which is what these lanes need.
                unsafe { super::$module::$name::<lanes::Avx512, 8>($($arg),*) }
            })*
        }
        #[cfg(target_arch = "x86_64")]
        mod avx2 {
            use super::*;
            $(#[target_feature(enable = "avx2,fma")]
            pub(super) fn $name($($arg: $type),*) $(-> $ret)? {
                // SAFETY: this function is compiled for AVX2 and FMA, which is what these lanes need.
                unsafe { super::$module::$name::<lanes::Avx2, 4>($($arg),*) }
            })*
        }
        impl Kernel {
            $($(#[$doc])*
            #[inline]
            #[allow(clippy::too_many_arguments, reason = "kernels take slices and sizes; a struct would only rename them")]
            pub(crate) fn $name(self, $($arg: $type),*) $(-> $ret)? {
                match self.0 {
                    // SAFETY: `detect` and `available` make this variant only where the processor has AVX-512.
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => unsafe { avx512::$name($($arg),*) },
                    // SAFETY: `detect` and `available` make this variant only where it has AVX2 and FMA.
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => unsafe { avx2::$name($($arg),*) },
                    // SAFETY: plain Rust, which every processor runs.
                    Isa::Portable => unsafe { $module::$name::<lanes::Portable, 4>($($arg),*) },
                }
            })*
        }
    };
}

dispatch! {
    /// Copies `columns.len()` rows of `factors` (each `stride` floats) into `panel`, one after the other, row `p`
    /// multiplied by `scales[p]` if given, and adds `targets[p] · factors[columns[p]]` (unscaled) to `rhs`.
    ///
    /// Panics if a column lies outside `factors` or a slice is too short.
    fn gather(factors: &[f32], stride: usize, columns: &[u32], scales: Option<&[f32]>, targets: &[f32], panel: &mut [f32], rhs: &mut [f32]) = gather;
    /// Adds the upper triangle of `panelᵀ · panel` to `out`, of those `columns` alone: `panel` is `depth × stride`, `out` as wide and as high as
    /// there are columns, both row-major. The range begins and ends at multiples of [`PAD`]. What lies below the diagonal of `out` is undefined.
    /// Meanwhile the rows of `ahead` are asked for.
    fn gram(panel: &[f32], depth: usize, stride: usize, columns: Range<usize>, out: &mut [f32], ahead: Ahead<'_>) = gram;
    /// `out[p] += panel[p][columns] · x` for each `p`: `panel` has rows of `stride`, and as many as `out` is long. The range begins and ends at
    /// multiples of [`PAD`].
    fn multiply(panel: &[f32], stride: usize, columns: Range<usize>, x: &[f32], out: &mut [f32]) = panel;
    /// `out += Σ_p weights[p] · panel[p][columns]`, the same with the panel transposed.
    fn multiply_transposed(panel: &[f32], stride: usize, columns: Range<usize>, weights: &[f32], out: &mut [f32]) = panel;
    /// Solves `A x = b` in place for each of up to 64 systems, of [`system_floats`] floats each: `b`, which becomes `x`, then the upper triangle of `A`,
    /// `n × n` row-major, which is destroyed. `work` has room for `2 n` floats for each of [`SYSTEMS`], which are solved side by side. `n` is a
    /// multiple of [`PAD`], and so is the padding: an unused row has 1 on its diagonal and 0 elsewhere.
    ///
    /// Refuses systems whose pivots differ so much that f32 cannot be trusted with them.
    fn solve(systems: &mut [f32], work: &mut [f32], n: usize) -> Refused = cholesky;
    /// Scores of [`SCORE_USERS`] users against [`SCORE_ITEMS`] items, `out[u · SCORE_ITEMS + i]`. Both factor
    /// blocks are transposed: `users[p · SCORE_USERS + u]`, `items[p · SCORE_ITEMS + i]` for `p` below `rank`.
    fn scores(users: &[f32], items: &[f32], rank: usize, out: &mut [f32]) = scores;
}
