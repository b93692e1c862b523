//! Which items are relevant to which user: those of their test items rated at or above a threshold.

use rayon::prelude::*;

use crate::ratings::Ratings;

/// The relevant items of each user that has any, users ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relevance {
    users: Vec<i32>,
    /// `items[starts[i]..starts[i + 1]]` are those of `users[i]`, ascending, without duplicates.
    starts: Vec<usize>,
    items: Vec<i32>,
}

impl Relevance {
    /// Relevant is a rating of at least `threshold`; one such rating among several of an item is enough.
    pub fn of(test: &Ratings, threshold: f64) -> Self {
        let mut pairs: Vec<(i32, i32)> = (0..test.len())
            .into_par_iter()
            .filter(|&row| f64::from(test.rating[row]) >= threshold)
            .map(|row| (test.user[row], test.movie[row]))
            .collect();
        pairs.par_sort_unstable();
        pairs.dedup();
        let mut relevance = Self { starts: vec![0], ..Self::default() };
        for of_user in pairs.chunk_by(|a, b| a.0 == b.0) {
            relevance.users.push(of_user[0].0);
            relevance.items.extend(of_user.iter().map(|pair| pair.1));
            relevance.starts.push(relevance.items.len());
        }
        relevance
    }

    /// The users with a relevant item, ascending.
    pub fn users(&self) -> &[i32] {
        &self.users
    }

    /// The relevant items of the user at `place` in [`Self::users`], ascending.
    pub fn items(&self, place: usize) -> &[i32] {
        &self.items[self.starts[place]..self.starts[place + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_without_a_relevant_item_do_not_count_and_pairs_count_once() {
        let mut test = Ratings::default();
        for (movie, user, rating) in [(5, 2, 4.0), (3, 2, 5.0), (5, 2, 1.0), (3, 2, 4.5), (3, 1, 3.5), (9, -1, 4.0)] {
            test.push(movie, user, rating, 0);
        }
        let relevance = Relevance::of(&test, 4.0);
        assert_eq!(relevance.users(), [-1, 2]);
        assert_eq!((relevance.items(0), relevance.items(1)), (&[9][..], &[3, 5][..]));
    }
}
