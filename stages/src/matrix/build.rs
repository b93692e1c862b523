//! From columns of ratings to a [`RatingMatrix`].

use std::ops::Range;

use rayon::prelude::*;
use sprs::CsMatI;

use super::grouping::{Entries, Grouped, Transposed, group};
use super::{Duplicates, Ids, Layer, RatingMatrix, WEIGHT_MIN, Weights};
use crate::error::{Result, StageError};
use crate::ratings::Ratings;

/// A rating and its date in days.
type Dated = (f32, i32);

/// Ratings as entries of an item × user matrix of row numbers, of each of which `value` is kept.
struct ByItem<'a, F> {
    ratings: &'a Ratings,
    users: &'a Ids,
    items: &'a Ids,
    value: F,
}

impl<V, F: Fn(&Ratings, usize) -> V + Sync> Entries<V> for ByItem<'_, F> {
    fn units(&self) -> usize {
        self.ratings.len()
    }
    fn visit(&self, units: Range<usize>, mut each: impl FnMut(u32, u32, V)) {
        let Ratings { movie, user, .. } = self.ratings;
        for at in units {
            // Every id of `ratings` is in `users` and `items`, which were made from them.
            if let (Some(item), Some(user)) = (self.items.row(movie[at]), self.users.row(user[at])) {
                each(item, user, (self.value)(self.ratings, at));
            }
        }
    }
}

/// The ratings by user, each with what `value` says of it. Those of a user are in the order of their items, those of one cell in that of the input.
fn by_user<V: Copy + Send + Sync + Default>(
    ratings: &Ratings,
    (users, items): (&Ids, &Ids),
    value: impl Fn(&Ratings, usize) -> V + Sync,
) -> Grouped<V> {
    let by_item = group(&ByItem { ratings, users, items, value }, items.len());
    // Entries arrive item by item, so each user's come out in the order of their items.
    group(&Transposed(&by_item), users.len())
}

impl RatingMatrix {
    /// The matrix of `ratings`.
    ///
    /// # Errors
    /// No ratings at all, or a rating that is not a finite number.
    pub fn build(ratings: &Ratings, duplicates: Duplicates) -> Result<Self> {
        let (users, items) = ids(ratings)?;
        // Dates only matter where a cell has several ratings, which a dataset of `etl` has not: most matrices are built without.
        let undated = by_user(ratings, (&users, &items), |ratings, at| ratings.rating[at]);
        let layers = if has_single_cells(&undated) {
            vec![undated]
        } else {
            drop(undated);
            let dated = by_user(ratings, (&users, &items), |ratings, at| (ratings.rating[at], ratings.date[at]));
            resolve(dated, duplicates).into_iter().map(|layer| layer.map(|(rating, _)| rating)).collect()
        };
        let layers = layers.into_iter().map(|by_user| layer(by_user, items.len())).collect::<Result<_>>()?;
        Ok(Self { users, items, layers })
    }

    /// The matrix of `ratings`, each with a weight that halves with every `half_life` days that it is older than the newest one, down to
    /// [`WEIGHT_MIN`]. The half-life is a number above 0.
    ///
    /// # Errors
    /// Those of [`Self::build`].
    pub fn build_recent(ratings: &Ratings, duplicates: Duplicates, half_life: f64) -> Result<Self> {
        let (users, items) = ids(ratings)?;
        let newest = ratings.date.iter().copied().max().unwrap_or_default();
        let weight = |date: i32| {
            let half_lives = (i64::from(newest) - i64::from(date)) as f64 / half_life;
            (0.5_f64.powf(half_lives) as f32).max(WEIGHT_MIN)
        };
        let dated = by_user(ratings, (&users, &items), |ratings, at| (ratings.rating[at], ratings.date[at]));
        let layers = if has_single_cells(&dated) { vec![dated] } else { resolve(dated, duplicates) };
        let layers = layers.into_iter().map(|by_user| {
            let weighted = by_user.map(|(rating, date)| (rating, weight(date)));
            let by_item = group(&Transposed(&weighted), items.len());
            let weights = Weights { by_user: seconds(&weighted), by_item: seconds(&by_item) };
            let layer = layer(weighted.map(|(rating, _)| rating), items.len())?;
            Ok(Layer { weights: Some(weights), ..layer })
        });
        let layers = layers.collect::<Result<_>>()?;
        Ok(Self { users, items, layers })
    }
}

/// The users and the items of `ratings`, once those are fit to be trained on.
fn ids(ratings: &Ratings) -> Result<(Ids, Ids)> {
    if ratings.is_empty() {
        return Err(StageError::input("there are no ratings to build a matrix from"));
    }
    if let Some(at) = ratings.rating.par_iter().position_first(|rating| !rating.is_finite()) {
        let Ratings { movie, user, rating, .. } = ratings;
        let message = format!("the rating of movie {} by user {} is {}, not a finite number", movie[at], user[at], rating[at]);
        return Err(StageError::input(message).with_hint("run `etl` on the source again; it rejects such rows"));
    }
    Ok(rayon::join(|| Ids::of(&ratings.user), || Ids::of(&ratings.movie)))
}

/// The second half of each value, in order.
fn seconds(grouped: &Grouped<(f32, f32)>) -> Vec<f32> {
    grouped.values.par_iter().map(|value| value.1).collect()
}

/// Whether no cell has more than one rating. `by_user` has ascending, perhaps repeated, columns.
fn has_single_cells<V: Sync>(by_user: &Grouped<V>) -> bool {
    by_user.starts.par_windows(2).all(|row| by_user.columns[row[0]..row[1]].is_sorted_by(|a, b| a < b))
}

/// Resolves cells with several ratings. `by_user` has ascending, perhaps repeated, columns.
fn resolve(mut by_user: Grouped<Dated>, duplicates: Duplicates) -> Vec<Grouped<Dated>> {
    let mut layers: Vec<Grouped<Dated>> = Vec::new();
    let row_count = by_user.starts.len() - 1;
    for row in 0..row_count {
        let mut from = by_user.starts[row];
        let end = by_user.starts[row + 1];
        while from < end {
            let column = by_user.columns[from];
            let cell = from..from + by_user.columns[from..end].iter().take_while(|&&other| other == column).count();
            from = cell.end;
            let ratings = &mut by_user.values[cell];
            // Latest first, of one date the highest first; so the order of the input has no say.
            ratings.sort_by(|a, b| b.1.cmp(&a.1).then(b.0.total_cmp(&a.0)));
            let kept = if duplicates == Duplicates::Latest { 1 } else { ratings.len() };
            for (depth, &rating) in ratings[..kept].iter().enumerate() {
                if depth == layers.len() {
                    layers.push(Grouped { starts: vec![0; row_count + 1], columns: Vec::new(), values: Vec::new() });
                }
                layers[depth].columns.push(column);
                layers[depth].values.push(rating);
            }
        }
        for layer in &mut layers {
            layer.starts[row + 1] = layer.columns.len();
        }
    }
    layers
}

/// Both orders of one layer, in checked containers.
fn layer(by_user: Grouped<f32>, items: usize) -> Result<Layer> {
    let users = by_user.starts.len() - 1;
    let by_item = group(&Transposed(&by_user), items);
    Ok(Layer { by_user: checked(by_user, users, items)?, by_item: checked(by_item, items, users)?, weights: None })
}

/// `grouped` as `sprs` knows it, which checks its structure.
fn checked(grouped: Grouped<f32>, rows: usize, columns: usize) -> Result<CsMatI<f32, u32, usize>> {
    CsMatI::try_new((rows, columns), grouped.starts, grouped.columns, grouped.values)
        .map_err(|(.., error)| StageError::bug(format!("the rating matrix is malformed: {error}")))
}
