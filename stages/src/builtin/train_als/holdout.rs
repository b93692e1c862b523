//! Ratings that a training does not see, to measure it on after each sweep.

use rayon::prelude::*;

use crate::matrix::RatingMatrix;
use crate::model::AlsModel;
use crate::ratings::Ratings;
use crate::split::{HashSplit, Purpose};

/// Pairs that one task scores; fixed, so that the sum does not depend on the number of threads.
const CHUNK: usize = 1 << 16;

/// Held-out ratings, as the matrix that is trained on numbers its rows.
#[derive(Debug, Clone)]
pub(super) struct Holdout {
    /// User row, item row, rating.
    pairs: Vec<(u32, u32, f32)>,
    /// Ratings of a user or an item that is not trained on. They cannot be scored.
    cold: u64,
}

impl Holdout {
    /// `ratings`, for a training on `matrix`.
    pub(super) fn of(ratings: &Ratings, matrix: &RatingMatrix) -> Self {
        let row = |at: usize| Some((matrix.users().row(ratings.user[at])?, matrix.items().row(ratings.movie[at])?, ratings.rating[at]));
        let pairs: Vec<_> = (0..ratings.len()).into_par_iter().filter_map(row).collect();
        let cold = (ratings.len() - pairs.len()) as u64;
        Self { pairs, cold }
    }

    /// How many ratings can be scored.
    pub(super) fn scored(&self) -> u64 {
        self.pairs.len() as u64
    }

    /// How many cannot.
    pub(super) fn cold(&self) -> u64 {
        self.cold
    }

    /// Root of the mean squared error of `model`, which is trained on the same matrix, in stars. There must be a pair.
    pub(super) fn rmse(&self, model: &AlsModel) -> f64 {
        let squared = |&(user, item, rating): &(u32, u32, f32)| {
            // As a model predicts it, so that `evaluate` finds the same figure.
            let predicted: f32 = model.users().row(user).iter().zip(model.items().row(item)).map(|(a, b)| a * b).sum();
            (f64::from(predicted) - f64::from(rating)).powi(2)
        };
        let sums: Vec<f64> = self.pairs.par_chunks(CHUNK).map(|pairs| pairs.iter().map(squared).sum()).collect();
        (sums.iter().sum::<f64>() / self.pairs.len() as f64).sqrt()
    }
}

/// Splits `ratings` into those to train on and those to hold out: of all pairs of a user and an item about `share`, drawn by a hash of
/// the seed and the pair. So the same pair falls on the same side whatever else is in the data, and so do all its ratings.
pub(super) fn split(ratings: &Ratings, share: f64, seed: u64) -> (Ratings, Ratings) {
    let split = HashSplit::new(seed, Purpose::HoldOut);
    let (mut kept, mut held_out) = (Ratings::with_capacity(ratings.len()), Ratings::default());
    for at in 0..ratings.len() {
        let (movie, user) = (ratings.movie[at], ratings.user[at]);
        let side = if split.draws(user, movie, share) { &mut held_out } else { &mut kept };
        side.push(movie, user, ratings.rating[at], ratings.date[at]);
    }
    (kept, held_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(users: i32, movies: i32) -> Ratings {
        let mut ratings = Ratings::default();
        (0..users * movies).for_each(|at| ratings.push(at % movies, at / movies - 5, 3.0, at));
        ratings
    }

    #[test]
    fn a_split_keeps_every_rating_draws_about_the_share_and_depends_on_seed_and_pair_alone() {
        let all = pairs(200, 100);
        let (kept, held_out) = split(&all, 0.1, 42);
        assert_eq!(kept.len() + held_out.len(), all.len());
        // 20,000 draws of 0.1: 2000, with a standard deviation of 42.
        assert!((1800..2200).contains(&held_out.len()), "{}", held_out.len());
        let of =
            |ratings: &Ratings| ratings.user.iter().copied().zip(ratings.movie.iter().copied()).collect::<std::collections::BTreeSet<_>>();
        let (smaller, other) = (split(&pairs(100, 100), 0.1, 42).1, split(&all, 0.1, 43).1);
        assert!(of(&smaller).is_subset(&of(&held_out)) && !smaller.is_empty());
        let shared = of(&other).intersection(&of(&held_out)).count();
        assert!(shared < 350, "another seed draws independently: {shared} of 2000 agree, 200 are expected");
    }

    #[test]
    fn all_ratings_of_a_pair_fall_on_one_side() {
        let mut all = pairs(40, 40);
        all.append(&mut pairs(40, 40));
        let (kept, held_out) = split(&all, 0.5, 1);
        assert!(held_out.len() > 1000 && held_out.len() % 2 == 0 && kept.len() % 2 == 0);
    }
}
