//! Which ratings are the past and which the future.

use std::fmt;

use super::model::Drawn;
use crate::split::pair_hash;

/// A file that a rating goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Train,
    Test,
    Future,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Train => "train",
            Part::Test => "test",
            Part::Future => "future",
        })
    }
}

/// The part of each rating: the last twentieth by time is the future (ties by user, then movie); of the others a tenth is test, drawn by a hash
/// of the seed and the pair.
pub(super) fn split(movies: &[Vec<Drawn>], seed: u64) -> Vec<Vec<Part>> {
    let key = |movie: usize, drawn: &Drawn| (drawn.date, drawn.user, movie);
    let mut keys: Vec<(i32, u32, usize)> =
        movies.iter().enumerate().flat_map(|(movie, drawn)| drawn.iter().map(move |drawn| key(movie, drawn))).collect();
    let future = keys.len() / 20;
    let first = keys.len() - future;
    // The first rating of the future; none if the future is empty.
    let cut = (future > 0).then(|| *keys.select_nth_unstable(first).1);
    let part = |movie: usize, drawn: &Drawn| {
        if cut.is_some_and(|cut| key(movie, drawn) >= cut) {
            Part::Future
        } else if pair_hash(seed, movie as u64, u64::from(drawn.user)) < u64::MAX / 10 {
            Part::Test
        } else {
            Part::Train
        }
    };
    movies.iter().enumerate().map(|(movie, drawn)| drawn.iter().map(|drawn| part(movie, drawn)).collect()).collect()
}
