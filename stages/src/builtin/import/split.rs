//! Test ratings out of the same files as training ratings.

use rayon::prelude::*;

use crate::ratings::Ratings;

/// Which ratings are test ratings. A pure function of the rating, so that importing more, or the same again, never moves one from one
/// side to the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Split {
    /// A share, drawn by user and item: a pair that was rated twice is on one side.
    Ratio {
        /// Above 0, below 1.
        ratio: f64,
        seed: u64,
    },
    /// Those of this day and later, in days since 1970-01-01.
    From(i32),
}

impl Split {
    /// Training ratings and test ratings, each in their order.
    pub(super) fn apply(self, blocks: Vec<Ratings>) -> [Vec<Ratings>; 2] {
        let halves: Vec<(Ratings, Ratings)> = blocks.into_par_iter().map(|block| self.block(&block)).collect();
        let (train, test) = halves.into_iter().unzip();
        [train, test]
    }

    fn block(self, block: &Ratings) -> (Ratings, Ratings) {
        let (mut train, mut test) = (Ratings::default(), Ratings::default());
        for row in 0..block.len() {
            let (movie, user, date) = (block.movie[row], block.user[row], block.date[row]);
            let side = if self.is_test(user, movie, date) { &mut test } else { &mut train };
            side.push(movie, user, block.rating[row], date);
        }
        (train, test)
    }

    fn is_test(self, user: i32, movie: i32, date: i32) -> bool {
        match self {
            Split::From(day) => date >= day,
            Split::Ratio { ratio, seed } => {
                let pair = u64::from(user as u32) << 32 | u64::from(movie as u32);
                // The upper 53 bits are a number in [0, 1) that f64 holds exactly.
                ((mix(mix(seed) ^ pair) >> 11) as f64) < ratio * (1_u64 << 53) as f64
            }
        }
    }
}

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of the input changes half of the output's.
fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Ratings {
        let mut block = Ratings::default();
        (0..100)
            .flat_map(|user| (0..100).map(move |movie| (user, movie)))
            .for_each(|(user, movie)| block.push(movie, user, 3.0, user + movie));
        block
    }

    #[test]
    fn a_share_is_drawn_evenly_by_user_and_item_and_by_the_seed() {
        let of = |seed| Split::Ratio { ratio: 0.2, seed }.apply(vec![block()]);
        let [train, test] = of(42);
        assert_eq!(train[0].len() + test[0].len(), 10_000);
        // Four standard deviations of a binomial of 10,000 draws at 0.2.
        assert!((1_840..2_160).contains(&test[0].len()), "{}", test[0].len());
        assert_eq!(of(42)[1], test);
        assert_ne!(of(43)[1], test);
        let mut users = test[0].user.clone();
        users.dedup();
        assert_eq!(users.len(), 100, "every user has some");
        let mut later = block();
        later.date.iter_mut().for_each(|date| *date += 1);
        assert_eq!(Split::Ratio { ratio: 0.2, seed: 42 }.apply(vec![later])[1][0].user, test[0].user, "the day does not matter");
    }

    #[test]
    fn from_a_day_on() {
        let [train, test] = Split::From(100).apply(vec![block()]);
        assert!(train[0].date.iter().all(|&date| date < 100) && test[0].date.iter().all(|&date| date >= 100));
        assert_eq!(train[0].len() + test[0].len(), 10_000);
    }
}
