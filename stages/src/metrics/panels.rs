//! The items of a model laid out for scoring, and the scan that scores blocks of users against all of them.
//!
//! Items stand in transposed panels of `rank × SCORE_ITEMS` floats. A panel is read once for all blocks of a scan and stays in the first-level cache
//! meanwhile, so up to [`SCORE_USERS`] users cost what one does.

use rayon::prelude::*;

use crate::kernel::{Aligned, Kernel, SCORE_ITEMS, SCORE_USERS};
use crate::model::Factors;

/// Item factors, ready to be scored. As large as the factors.
#[derive(Debug)]
pub(crate) struct ItemPanels {
    kernel: Kernel,
    rank: usize,
    items: usize,
    /// One panel after the other; zeros behind the last item.
    panels: Aligned,
}

impl ItemPanels {
    /// Copies the factors into panels.
    pub(crate) fn new(factors: &Factors) -> Self {
        let (rank, items) = (factors.rank(), factors.ids().len());
        let mut panels = Aligned::zeroed(items.div_ceil(SCORE_ITEMS) * rank * SCORE_ITEMS);
        panels.as_mut_slice().par_chunks_mut(rank * SCORE_ITEMS).enumerate().for_each(|(block, panel)| {
            for item in block * SCORE_ITEMS..((block + 1) * SCORE_ITEMS).min(items) {
                for (p, &x) in factors.row(item as u32).iter().enumerate() {
                    panel[p * SCORE_ITEMS + item % SCORE_ITEMS] = x;
                }
            }
        });
        Self { kernel: Kernel::detect(), rank, items, panels }
    }

    /// Up to [`SCORE_USERS`] users' factors, transposed, as [`Self::scan`] takes them; zeros for missing ones.
    pub(crate) fn block<'a>(&self, users: impl Iterator<Item = &'a [f32]>) -> Aligned {
        let mut block = Aligned::zeroed(self.rank * SCORE_USERS);
        for (place, factors) in users.take(SCORE_USERS).enumerate() {
            for (p, &x) in factors.iter().enumerate() {
                block.as_mut_slice()[p * SCORE_USERS + place] = x;
            }
        }
        block
    }

    /// Scores all items for all `blocks`, in ascending order of items: `take(block, first, scores)` is handed the scores of the items from `first`
    /// on, [`SCORE_ITEMS`] a user and fewer at the end, one slice for each of the block's [`SCORE_USERS`] places.
    pub(crate) fn scan(&self, blocks: &[Aligned], mut take: impl FnMut(usize, u32, [&[f32]; SCORE_USERS])) {
        let mut scores = Aligned::zeroed(SCORE_USERS * SCORE_ITEMS);
        for (panel, first) in self.panels.as_slice().chunks(self.rank * SCORE_ITEMS).zip((0..).step_by(SCORE_ITEMS)) {
            let count = SCORE_ITEMS.min(self.items - first);
            for (number, block) in blocks.iter().enumerate() {
                self.kernel.scores(block.as_slice(), panel, self.rank, scores.as_mut_slice());
                let scores = scores.as_slice();
                take(number, first as u32, std::array::from_fn(|user| &scores[user * SCORE_ITEMS..][..count]));
            }
        }
    }
}
