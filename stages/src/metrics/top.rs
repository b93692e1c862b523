//! The best of a stream of scored items.

use std::cmp::Ordering;

/// An item and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Row number of the item.
    pub item: u32,
    /// Higher is better.
    pub score: f32,
}

impl Scored {
    /// Best first: by score, of equal scores the lower item.
    fn better_first(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.item.cmp(&other.item))
    }
}

/// Keeps the `k` best items of those offered in ascending order of item.
///
/// Same result as sorting all and taking `k`. Candidates gather in a buffer of `2 k`; when it is full, a selection
/// throws the worse half away. So an offer costs one comparison, nearly always.
#[derive(Debug, Clone)]
pub struct Top {
    k: usize,
    candidates: Vec<Scored>,
    bar: f32,
}

impl Top {
    /// Room for the best `k` items, at least 1.
    pub fn new(k: usize) -> Self {
        assert!(k > 0);
        Self { k, candidates: Vec::with_capacity(2 * k), bar: f32::NEG_INFINITY }
    }

    /// The score that an item must exceed to matter. An equal score does not: the item comes later.
    #[inline]
    pub fn bar(&self) -> f32 {
        self.bar
    }

    /// Takes an item into consideration. Its row is above those offered before.
    #[inline]
    pub fn offer(&mut self, item: u32, score: f32) {
        if score > self.bar {
            self.candidates.push(Scored { item, score });
            if self.candidates.len() == 2 * self.k {
                self.select();
            }
        }
    }

    fn select(&mut self) {
        let (_, worst, _) = self.candidates.select_nth_unstable_by(self.k - 1, Scored::better_first);
        self.bar = worst.score;
        self.candidates.truncate(self.k);
    }

    /// The best items, best first.
    pub fn finish(mut self) -> Vec<Scored> {
        self.candidates.sort_unstable_by(Scored::better_first);
        self.candidates.truncate(self.k);
        self.candidates
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_best_k_are_what_sorting_gives(scores in prop::collection::vec(-3_i8..4, 0..60), k in 1_usize..20) {
            let mut top = Top::new(k);
            for (item, &score) in (0..).zip(&scores) {
                top.offer(item, f32::from(score));
            }
            let mut sorted: Vec<Scored> = (0..).zip(&scores).map(|(item, &score)| Scored { item, score: f32::from(score) }).collect();
            sorted.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
            sorted.truncate(k);
            prop_assert_eq!(top.finish(), sorted);
        }
    }

    #[test]
    fn not_a_number_is_never_recommended() {
        let mut top = Top::new(2);
        for (item, score) in [(0, f32::NAN), (1, 1.0), (2, f32::NAN)] {
            top.offer(item, score);
        }
        assert_eq!(top.finish(), [Scored { item: 1, score: 1.0 }]);
    }
}
