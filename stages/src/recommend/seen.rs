//! What users have rated already.

use rayon::prelude::*;

use crate::context::Context;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::model::AlsModel;
use crate::ratings::Ratings;

/// The items that each user of a model has rated, both as row numbers of the model. 4 bytes a rating.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// `items[starts[u]..starts[u + 1]]` are those of user `u`, ascending, perhaps repeated.
    starts: Vec<usize>,
    items: Vec<u32>,
}

impl Seen {
    /// Nothing, for a model of so many users.
    pub fn nothing(users: usize) -> Self {
        Self { starts: vec![0; users + 1], items: Vec::new() }
    }

    /// What `dataset` holds of users and items that `model` knows; 8 bytes a rating while it is read.
    ///
    /// # Errors
    /// Those of [`Dataset::read`].
    pub fn read(dataset: &Dataset, model: &AlsModel, context: &Context) -> Result<Self> {
        let parts = dataset.read_with(context, |ratings| known_pairs(&ratings, model))?;
        Ok(Self::of(&parts, model.users().ids().len()))
    }

    /// Pairs of user and item row, grouped by user.
    pub(super) fn of(parts: &[Vec<(u32, u32)>], users: usize) -> Self {
        let pairs = || parts.iter().flatten();
        let mut starts = vec![0_usize; users + 1];
        pairs().for_each(|&(user, _)| starts[user as usize + 1] += 1);
        (1..=users).for_each(|user| starts[user] += starts[user - 1]);
        let mut next = starts.clone();
        let mut items = vec![0; starts[users]];
        for &(user, item) in pairs() {
            let place = &mut next[user as usize];
            items[*place] = item;
            *place += 1;
        }
        let mut rest = items.as_mut_slice();
        let mut rows = Vec::with_capacity(users);
        for length in starts.windows(2).map(|pair| pair[1] - pair[0]) {
            let (row, others) = rest.split_at_mut(length);
            rows.push(row);
            rest = others;
        }
        rows.into_par_iter().with_min_len(256).for_each(<[u32]>::sort_unstable);
        Self { starts, items }
    }

    /// Whether `user` has rated `item`.
    #[inline]
    pub fn contains(&self, user: u32, item: u32) -> bool {
        self.of_user(user).binary_search(&item).is_ok()
    }

    /// The items that `user` has rated, ascending, perhaps repeated.
    #[inline]
    pub fn of_user(&self, user: u32) -> &[u32] {
        &self.items[self.starts[user as usize]..self.starts[user as usize + 1]]
    }
}

fn known_pairs(ratings: &Ratings, model: &AlsModel) -> Vec<(u32, u32)> {
    let rows = ratings.user.iter().zip(&ratings.movie);
    rows.filter_map(|(&user, &item)| model.users().ids().row(user).zip(model.items().ids().row(item))).collect()
}

/// The items that one user has rated in `dataset`, by id: ascending, each once.
///
/// # Errors
/// Those of [`Dataset::read`].
pub fn seen_by(user: i32, dataset: &Dataset, context: &Context) -> Result<Vec<i32>> {
    let of_user = |ratings: Ratings| -> Vec<i32> {
        ratings.user.iter().zip(&ratings.movie).filter(|(rater, _)| **rater == user).map(|(_, &movie)| movie).collect()
    };
    let mut items = dataset.read_with(context, of_user)?.concat();
    items.sort_unstable();
    items.dedup();
    Ok(items)
}
