//! Which ratings are held out of a training: by a hash of the user and the movie, or by time.
//!
//! A hash decides for each pair by itself, so that the same pair lands in the same part whatever else is in the data, in which order
//! it is read and on how many threads; and several ratings of one movie by one user never stand on both sides.

use crate::ratings::Ratings;

/// What a split is for. Splits for different purposes are independent of each other, also with the same seed: a fold of ratings that
/// were themselves chosen by a hash must not follow that choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The folds of a hyper-parameter search.
    Tuning,
    /// What a training does not see.
    HoldOut,
    /// Training and test ratings of an import.
    Import,
    /// Training and test ratings of a stream.
    Stream,
}

impl Purpose {
    /// Any odd number that no other purpose has.
    fn salt(self) -> u64 {
        match self {
            Purpose::Tuning => 0xD6E8_FEB8_6659_FD93,
            Purpose::HoldOut => 0x686F_6C64_6F75_7421,
            Purpose::Import => 0xA076_1D64_78BD_642F,
            Purpose::Stream => 0xE703_7ED1_A0B4_28DB,
        }
    }
}

/// Cuts ratings by a hash of user and movie.
#[derive(Debug, Clone, Copy)]
pub struct HashSplit {
    seed: u64,
}

impl HashSplit {
    /// The split of that seed, for a purpose.
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        Self { seed: seed.wrapping_mul(purpose.salt()).rotate_left(32) ^ purpose.salt() }
    }

    /// An evenly distributed number for the pair.
    fn hash(self, user: i32, movie: i32) -> u64 {
        pair_hash(self.seed, u64::from(movie.cast_unsigned()), u64::from(user.cast_unsigned()))
    }

    /// Which of `parts` equal parts the pair belongs to, from 0.
    pub fn part(self, user: i32, movie: i32, parts: usize) -> usize {
        // The high half of a product is a number below `parts`, as even as the hash.
        ((u128::from(self.hash(user, movie)) * parts as u128) >> 64) as usize
    }

    /// Whether the pair is drawn, where a share (0 to 1) of all is. A larger share draws the same pairs and more.
    pub fn draws(self, user: i32, movie: i32, share: f64) -> bool {
        is_below(self.hash(user, movie), share)
    }

    /// The same for a rating of one day: the pair may be drawn with another date and not with this one.
    pub fn draws_dated(self, user: i32, movie: i32, date: i32, share: f64) -> bool {
        is_below(pair_hash(self.hash(user, movie), 0, u64::from(date.cast_unsigned())), share)
    }

    /// The latest `share` of the ratings, rounded: true where a row belongs to it. Of the day that the cut falls on, the hash chooses; so
    /// no rating that is held out is older than one that is not.
    pub fn latest(self, ratings: &Ratings, share: f64) -> Vec<bool> {
        let key = |row: usize| (ratings.date[row], self.hash(ratings.user[row], ratings.movie[row]), ratings.user[row], ratings.movie[row]);
        let count = ((ratings.len() as f64 * share).round() as usize).min(ratings.len());
        if count == 0 {
            return vec![false; ratings.len()];
        }
        let mut keys: Vec<_> = (0..ratings.len()).map(key).collect();
        let first = *keys.select_nth_unstable(ratings.len() - count).1;
        (0..ratings.len()).map(|row| key(row) >= first).collect()
    }
}

/// Of the hash the upper 53 bits count: all that fits into the fraction of an f64, so that it never rounds up to 1.
fn is_below(hash: u64, share: f64) -> bool {
    ((hash >> 11) as f64) < share * (1_u64 << 53) as f64
}

/// A fixed, even hash: splitmix64's finaliser, twice, over its three arguments.
pub(crate) fn pair_hash(seed: u64, movie: u64, user: u64) -> u64 {
    let mut z = seed ^ (movie << 32 | user).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for _ in 0..2 {
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
    }
    z
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs() -> impl Iterator<Item = (i32, i32)> {
        (1..=300).flat_map(|user| (1..=100).map(move |movie| (user, movie)))
    }

    #[test]
    fn parts_and_shares_are_even() {
        let split = HashSplit::new(42, Purpose::Tuning);
        let mut sizes = [0; 5];
        pairs().for_each(|(user, movie)| sizes[split.part(user, movie, 5)] += 1);
        // 30,000 pairs: a fifth is 6,000, its standard deviation 69.
        assert!(sizes.iter().all(|size| (5700..6300).contains(size)), "{sizes:?}");
        let held_out = pairs().filter(|&(user, movie)| split.draws(user, movie, 0.1)).count();
        assert!((2790..3210).contains(&held_out), "{held_out}");
    }

    #[test]
    fn a_split_does_not_follow_the_one_that_chose_its_ratings() {
        // `generate` draws test ratings by the same hash, with the bare seed; what is left are the training ratings.
        for seed in [0, 1, 42] {
            let split = HashSplit::new(seed, Purpose::Tuning);
            let mut sizes = [0; 5];
            let left = pairs().filter(|&(user, movie)| pair_hash(seed, movie as u64, user as u64) >= u64::MAX / 10);
            left.for_each(|(user, movie)| sizes[split.part(user, movie, 5)] += 1);
            assert!(sizes.iter().all(|size| (5100..5700).contains(size)), "seed {seed}: {sizes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_held_out_by_time_is_never_older_than_the_rest(
            rows in prop::collection::vec((0_i32..20, 0_i32..20, 0_i32..6), 1..60), share in 0.0..1.0_f64, seed: u64,
        ) {
            let mut ratings = Ratings::default();
            // One rating a day of a movie by a user, as in a dataset.
            let rows: std::collections::BTreeSet<_> = rows.into_iter().collect();
            rows.iter().for_each(|&(movie, user, date)| ratings.push(movie, user, 3.0, date));
            let split = HashSplit::new(seed, Purpose::Tuning);
            let held_out = split.latest(&ratings, share);
            let dates = |of: bool| ratings.date.iter().zip(&held_out).filter(move |(_, held)| **held == of).map(|(&date, _)| date);
            prop_assert_eq!(dates(true).count(), (ratings.len() as f64 * share).round() as usize);
            if let (Some(last), Some(first)) = (dates(false).max(), dates(true).min()) {
                prop_assert!(last <= first);
            }
            // Another order of the rows holds out the same ones.
            let mut reversed = Ratings::default();
            rows.iter().rev().for_each(|&(movie, user, date)| reversed.push(movie, user, 3.0, date));
            let mut back = split.latest(&reversed, share);
            back.reverse();
            prop_assert_eq!(held_out, back);
        }

        #[test]
        fn a_larger_share_holds_out_more_and_nothing_less(user: i32, movie: i32, seed: u64, share in 0.0..1.0_f64, more in 0.0..1.0_f64) {
            let split = HashSplit::new(seed, Purpose::Tuning);
            let more = (share + more).min(1.0);
            prop_assert!(!split.draws(user, movie, share) || split.draws(user, movie, more));
            prop_assert!(!split.draws(user, movie, 0.0));
        }
    }
}
