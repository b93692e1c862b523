//! From columns of ratings to a [`RatingMatrix`].

use std::ops::Range;

use rayon::prelude::*;
use sprs::CsMatI;

use super::grouping::{Entries, Grouped, Transposed, group};
use super::{Duplicates, Ids, Layer, RatingMatrix};
use crate::error::{Result, StageError};
use crate::ratings::Ratings;

/// A rating and its date in days.
type Dated = (f32, i32);

/// Ratings as entries of an item × user matrix of row numbers.
struct ByItem<'a> {
    ratings: &'a Ratings,
    users: &'a Ids,
    items: &'a Ids,
}

impl Entries<Dated> for ByItem<'_> {
    fn units(&self) -> usize {
        self.ratings.len()
    }
    fn visit(&self, units: Range<usize>, mut each: impl FnMut(u32, u32, Dated)) {
        let Ratings { movie, user, rating, date } = self.ratings;
        for at in units {
            // Every id of `ratings` is in `users` and `items`, which were made from them.
            if let (Some(item), Some(user)) = (self.items.row(movie[at]), self.users.row(user[at])) {
                each(item, user, (rating[at], date[at]));
            }
        }
    }
}

impl RatingMatrix {
    /// The matrix of `ratings`.
    ///
    /// # Errors
    /// No ratings at all, or a rating that is not a finite number.
    pub fn build(ratings: &Ratings, duplicates: Duplicates) -> Result<Self> {
        if ratings.is_empty() {
            return Err(StageError::input("there are no ratings to build a matrix from"));
        }
        if let Some(at) = ratings.rating.par_iter().position_first(|rating| !rating.is_finite()) {
            let Ratings { movie, user, rating, .. } = ratings;
            let message = format!("the rating of movie {} by user {} is {}, not a finite number", movie[at], user[at], rating[at]);
            return Err(StageError::input(message).with_hint("run `etl` on the source again; it rejects such rows"));
        }
        let (users, items) = rayon::join(|| Ids::of(&ratings.user), || Ids::of(&ratings.movie));
        let by_item = group(&ByItem { ratings, users: &users, items: &items }, items.len());
        // Entries arrive item by item, so each user's come out in the order of their items.
        let by_user = group(&Transposed(&by_item), users.len());
        drop(by_item);
        let layers = resolve(by_user, duplicates).into_iter().map(|by_user| layer(by_user, items.len())).collect::<Result<_>>()?;
        Ok(Self { users, items, layers })
    }
}

/// Resolves cells with several ratings and drops the dates. `by_user` has ascending, perhaps repeated, columns.
fn resolve(mut by_user: Grouped<Dated>, duplicates: Duplicates) -> Vec<Grouped<f32>> {
    let rows = by_user.starts.par_windows(2);
    if rows.all(|row| by_user.columns[row[0]..row[1]].is_sorted_by(|a, b| a < b)) {
        let values = by_user.values.into_par_iter().map(|(rating, _)| rating).collect();
        return vec![Grouped { starts: by_user.starts, columns: by_user.columns, values }];
    }
    let mut layers: Vec<Grouped<f32>> = Vec::new();
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
            for (depth, &(rating, _)) in ratings[..kept].iter().enumerate() {
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
    Ok(Layer { by_user: checked(by_user, users, items)?, by_item: checked(by_item, items, users)? })
}

/// `grouped` as `sprs` knows it, which checks its structure.
fn checked(grouped: Grouped<f32>, rows: usize, columns: usize) -> Result<CsMatI<f32, u32, usize>> {
    CsMatI::try_new((rows, columns), grouped.starts, grouped.columns, grouped.values)
        .map_err(|(.., error)| StageError::bug(format!("the rating matrix is malformed: {error}")))
}
