//! One look at all ratings of a row: their factors, gathered piece by piece, and what is summed up over them.
//!
//! Every solver sees a row through [`Equations::pass`]. A pass calls `each` with pieces of up to [`PANEL`] gathered rows `s y` (`s² = w`, the
//! weight of the rating), with the part of `z` that belongs to them (one float a rating, which the solver may keep from pass to pass), with the sums
//! to add to, and with what will be gathered next. The first pass of a row gathers, and adds `Σ t y`, the right-hand side, to the first `stride` sums. What becomes of the
//! gathered rows depends on how many there are:
//!
//! - up to [`Equations::resident_max`] stay in the thread's panel, in its second-level cache, and later passes read them there, if there are any ([`Panel::stays_at`]);
//! - more are gathered again in each pass, each piece into the place of the one before;
//! - of more than [`SEGMENT`] idle threads take a segment each; its sums are added in f64, in the order of the segments.
//!
//! All three depend on the row alone, so that its sums do not depend on the number of threads.

use rayon::prelude::*;

use super::normal_equation::Equations;
use super::rows::Slice;
use crate::kernel::{Ahead, Aligned};

/// Gathered rows a piece. 128 rows of 64 floats are 32 KiB: they stay in the first-level cache while used.
pub(super) const PANEL: usize = 128;

/// Ratings a segment. A longer row is summed by several threads, one segment at a time; the cuts depend on the row alone.
pub(super) const SEGMENT: usize = 4096;

/// Bytes of gathered rows that stay from pass to pass: half of a usual second-level cache.
pub(super) const RESIDENT_BYTES: usize = 512 << 10;

/// A thread's room for gathered rows.
#[derive(Debug)]
pub(super) struct Panel {
    rows: Aligned,
    scales: Vec<f32>,
    targets: Vec<f32>,
    /// Where right-hand sides go that are known already.
    spare: Aligned,
    /// Where the rows of the present row begin, if they stay.
    stays_at: Option<usize>,
}

impl Panel {
    /// Room for `rows` rows, [`PANEL`] at least.
    pub(super) fn new(rows: usize, stride: usize) -> Self {
        let rows = Aligned::zeroed(rows.max(PANEL) * stride);
        Self { rows, scales: vec![0.0; PANEL], targets: vec![0.0; PANEL], spare: Aligned::zeroed(stride), stays_at: None }
    }

    /// Says where what is gathered next stays for later passes, or was gathered that a later pass looks at; `None`: nowhere, there is but one pass.
    pub(super) fn stays_at(&mut self, from: Option<usize>) {
        self.stays_at = from;
    }
}

impl Equations<'_> {
    /// The longest row whose gathered rows stay in the thread's panel.
    pub(super) fn resident_max(&self) -> usize {
        (RESIDENT_BYTES / (4 * self.stride())).clamp(PANEL, SEGMENT)
    }

    /// Looks at all ratings of `row`; see the module. `first` says whether this is the first pass of the row with this `panel`; `z` has a float for each
    /// rating, or none at all if `each` needs none.
    pub(super) fn pass(
        &self,
        row: usize,
        first: bool,
        panel: &mut Panel,
        z: &mut [f32],
        sums: &mut [f32],
        each: impl Fn(&[f32], &mut [f32], &mut [f32], Ahead<'_>) + Sync,
    ) {
        let (length, stride) = (self.rows.len(row), self.stride());
        if let Some(mut at) = panel.stays_at.filter(|_| length <= self.resident_max()) {
            let mut rest = z;
            let mut pieces = self.rows.pieces(row, PANEL).peekable();
            while let Some(piece) = pieces.next() {
                if first {
                    self.gather(piece, at, true, panel, sums);
                }
                let (count, next) = (piece.len(), pieces.peek().filter(|_| first));
                each(&panel.rows.as_slice()[at * stride..][..count * stride], take(&mut rest, count), sums, self.ahead(next));
                at += count;
            }
        } else if length <= SEGMENT {
            let mut rest = z;
            for piece in self.rows.pieces(row, SEGMENT) {
                let z = take(&mut rest, piece.len());
                self.stream(piece, first, panel, z, sums, &each);
            }
        } else {
            self.pass_in_parallel(row, first, z, sums, &each);
        }
    }

    fn pass_in_parallel(
        &self,
        row: usize,
        first: bool,
        z: &mut [f32],
        sums: &mut [f32],
        each: &(impl Fn(&[f32], &mut [f32], &mut [f32], Ahead<'_>) + Sync),
    ) {
        let mut rest = z;
        let segments: Vec<_> = self.rows.pieces(row, SEGMENT).map(|segment| (segment, take(&mut rest, segment.len()))).collect();
        let width = sums.len();
        let partial: Vec<Aligned> = segments
            .into_par_iter()
            .map_init(
                || Panel::new(PANEL, self.stride()),
                |panel, (segment, z)| {
                    let mut sums = Aligned::zeroed(width);
                    self.stream(segment, first, panel, z, sums.as_mut_slice(), each);
                    sums
                },
            )
            .collect();
        // In f64: there may be thousands of segments, each with the rounding of its own 4096 ratings already.
        for (at, sum) in sums.iter_mut().enumerate() {
            *sum = (f64::from(*sum) + partial.iter().map(|sums| f64::from(sums.as_slice()[at])).sum::<f64>()) as f32;
        }
    }

    /// Gathers the ratings of a segment piece by piece, each into the place of the one before.
    fn stream(
        &self,
        segment: Slice<'_>,
        first: bool,
        panel: &mut Panel,
        z: &mut [f32],
        sums: &mut [f32],
        each: &impl Fn(&[f32], &mut [f32], &mut [f32], Ahead<'_>),
    ) {
        let mut rest = z;
        let mut pieces = segment.chunks(PANEL).peekable();
        while let Some(piece) = pieces.next() {
            self.gather(piece, 0, first, panel, sums);
            let rows = &panel.rows.as_slice()[..piece.len() * self.stride()];
            each(rows, take(&mut rest, piece.len()), sums, self.ahead(pieces.peek()));
        }
    }

    /// What will be gathered for the `next` piece.
    fn ahead<'s>(&'s self, next: Option<&Slice<'s>>) -> Ahead<'s> {
        let columns = next.map_or(&[][..], |next| next.columns);
        Ahead { factors: self.source, stride: self.stride(), columns }
    }

    /// Copies the rows of up to [`PANEL`] ratings, scaled, to the panel from row `at` on, and adds `Σ t y` to `sums` if asked to.
    fn gather(&self, piece: Slice<'_>, at: usize, with_targets: bool, panel: &mut Panel, sums: &mut [f32]) {
        let stride = self.stride();
        let Panel { rows, scales, targets, spare, .. } = panel;
        let rows = &mut rows.as_mut_slice()[at * stride..];
        let sums = if with_targets { sums } else { spare.as_mut_slice() };
        if !self.weighted {
            return self.kernel.gather(self.source, stride, piece.columns, None, piece.ratings, rows, sums);
        }
        // The weight goes half to each side of `y yᵀ`.
        for ((scale, target), (_, rating, weight)) in scales.iter_mut().zip(targets.iter_mut()).zip(piece.entries()) {
            *scale = self.objective.weight(rating, weight).sqrt() as f32;
            *target = self.objective.target(rating, weight) as f32;
        }
        let (scales, targets) = (&scales[..piece.len()], &targets[..piece.len()]);
        self.kernel.gather(self.source, stride, piece.columns, Some(scales), targets, rows, sums);
    }
}

/// The first `count` of `rest`, which loses them; nothing if there is nothing.
fn take<'a>(rest: &mut &'a mut [f32], count: usize) -> &'a mut [f32] {
    let all = std::mem::take(rest);
    let (taken, others) = all.split_at_mut(count.min(all.len()));
    *rest = others;
    taken
}
