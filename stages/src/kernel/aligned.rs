//! A buffer of floats that starts at a cache line.

use super::{PAD, huge_pages};

/// One cache line of floats.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; PAD]);

/// Floats in whole cache lines, zeroed at first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aligned(Vec<Line>);

impl Aligned {
    /// `floats` zeros, rounded up to whole cache lines.
    pub(crate) fn zeroed(floats: usize) -> Self {
        Self(huge_pages::filled(Line([0.0; PAD]), floats.div_ceil(PAD)))
    }

    /// The floats.
    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: `Line` is `repr(C)` and holds nothing but `PAD` floats, so the lines are one run of floats.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * PAD) }
    }

    /// The floats, to write to.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as in `as_slice`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * PAD) }
    }
}
