//! The lists of many users judged at several lengths at once.
//!
//! Beside what one list tells about one user ([`ranking`](super::ranking)) there is what all lists tell together:
//!
//! ```text
//! coverage@K = items that stand in at least one list / items of the catalogue
//! novelty@K  = mean over users of (1 / |l|) Σ_{i in l} log2(U / n_i)
//! ```
//!
//! `U` being the users of the training set and `n_i` how many of them rated the item (at least 1). Coverage is the *catalogue coverage* of
//! Ge, Delgado-Battenfeld, Jannach: *Beyond accuracy*, RecSys 2010; novelty the mean *self-information* of Zhou et al.: *Solving the
//! apparent diversity-accuracy dilemma of recommender systems*, PNAS 2010, in bits: 0 for what everybody rated.

use std::sync::atomic::{AtomicU32, Ordering};

use super::ranking::{OneRanking, Ranking};
use crate::matrix::RatingMatrix;

/// Stands for an item that is in no list.
const NOWHERE: u32 = u32::MAX;

/// Judges lists of items of one catalogue, whose rows are numbered from 0.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    ks: &'a [usize],
    /// `log2(U / n_i)` of each row of the catalogue, if there is a training set.
    self_information: Option<&'a [f64]>,
    /// The best place, from 0, that a list gave each row. So one pass tells the coverage at every length.
    best_place: Vec<AtomicU32>,
}

impl<'a> Judge<'a> {
    /// For a catalogue of so many items, and lists of each of the lengths `ks`.
    pub(super) fn new(ks: &'a [usize], catalogue: usize, self_information: Option<&'a [f64]>) -> Self {
        Self { ks, self_information, best_place: (0..catalogue).map(|_| AtomicU32::new(NOWHERE)).collect() }
    }

    /// Judges one list, best item first, at each length: catalogue rows and ids. `relevant` as in [`OneRanking::of`].
    pub(super) fn one(&self, list: impl Iterator<Item = (u32, i32)>, relevant: &[i32]) -> Vec<OneRanking> {
        let longest = self.ks.iter().copied().max().unwrap_or(0);
        let list: Vec<(u32, i32)> = list.take(longest).collect();
        for (&(row, _), place) in list.iter().zip(0..) {
            self.best_place[row as usize].fetch_min(place, Ordering::Relaxed);
        }
        let at = |&k: &usize| {
            let list = &list[..k.min(list.len())];
            let novelty = self.self_information.filter(|_| !list.is_empty()).map(|of| {
                let sum: f64 = list.iter().map(|&(row, _)| of[row as usize]).sum();
                sum / list.len() as f64
            });
            OneRanking::of(list.iter().map(|&(_, id)| id), relevant, k).with_novelty(novelty)
        };
        self.ks.iter().map(at).collect()
    }

    /// The means at each length, over users in the order given.
    pub(super) fn means(&self, users: &[Vec<OneRanking>]) -> Vec<Ranking> {
        let at = |(index, &k): (usize, &usize)| {
            let ranking = Ranking::mean(users.iter().map(|user| user[index]));
            let covered = self.best_place.iter().filter(|place| (place.load(Ordering::Relaxed) as usize) < k).count();
            let coverage = (ranking.ranked_users > 0).then(|| covered as f64 / self.best_place.len() as f64);
            Ranking { coverage_at_k: coverage, ..ranking }
        };
        self.ks.iter().enumerate().map(at).collect()
    }
}

/// `log2(U / n_i)` of each of `items` in the training set. An item that nobody rated there counts as rated by one.
pub(super) fn self_information(train: &RatingMatrix, items: &[i32]) -> Vec<f64> {
    let users = train.users().len() as f64;
    // The first layer holds a rating of every rated cell, so it counts users.
    let raters = |row: u32| train.layers()[0].by_item.indptr().nnz_in_outer_sz(row as usize);
    items.iter().map(|&item| (users / train.items().row(item).map_or(1, raters).max(1) as f64).log2()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Duplicates;
    use crate::ratings::Ratings;

    #[test]
    fn coverage_and_novelty_by_hand() {
        // Four users; item 10 was rated by all of them, 20 by two, 30 by one; 40 by none.
        let mut ratings = Ratings::default();
        for (user, item) in [(1, 10), (2, 10), (3, 10), (4, 10), (1, 20), (2, 20), (3, 30)] {
            ratings.push(item, user, 3.0, 0);
        }
        let train = RatingMatrix::build(&ratings, Duplicates::Latest).unwrap();
        let information = self_information(&train, &[10, 20, 30, 40]);
        assert_eq!(information, [0.0, 1.0, 2.0, 2.0]);

        let judge = Judge::new(&[1, 3], 4, Some(&information));
        // Lists 10, 20, 30 and 10, 30: one item of four at length 1, three at length 3.
        let users = [judge.one([(0, 10), (1, 20), (2, 30)].into_iter(), &[20]), judge.one([(0, 10), (2, 30)].into_iter(), &[10])];
        let means = judge.means(&users);
        assert_eq!([means[0].coverage_at_k, means[1].coverage_at_k], [Some(0.25), Some(0.75)]);
        assert_eq!([means[0].novelty_at_k, means[1].novelty_at_k], [Some(0.0), Some(1.0)]);
        assert_eq!([means[0].hit_rate_at_k, means[1].hit_rate_at_k], [Some(0.5), Some(1.0)]);
        assert_eq!(Judge::new(&[1], 4, None).means(&[])[0], Ranking::default());
    }
}
