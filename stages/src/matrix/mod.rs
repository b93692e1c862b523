//! Ratings as compressed sparse rows, by user and by item, over dense row numbers.
//!
//! [`Ratings`](crate::Ratings) → [`RatingMatrix::build`]: ids become row numbers ([`Ids`]), a stable parallel
//! counting sort (`grouping`) orders the entries, cells rated twice are resolved ([`Duplicates`]).
//!
//! # The contract
//!
//! A matrix has one or more [`Layer`]s; nearly always one. Each holds the same entries twice, as
//! `sprs::CsMatI<f32, u32, usize>` in CSR: `by_user` of shape `(users, items)` and `by_item`, its transpose. For each:
//!
//! - `indptr` has `rows + 1` entries, starts at 0, never decreases and ends at the number of entries;
//! - the column indices of a row strictly ascend and lie below the number of columns;
//! - values are finite.
//!
//! `build` checks ratings for finiteness and hands the rest to `CsMatI::try_new`, which checks it always.
//!
//! Over all layers, every row and every column has an entry: ids come from the entries themselves. Strictly
//! ascending columns leave no room for a cell with two ratings, so under [`Duplicates::All`] the m-th rating
//! of a cell stands in the m-th layer. (`sprs`' own triplet builder would add them up: 3 and 4 stars make 7.)
//!
//! ```text
//! movie,user,rating    10,7,5.0   10,9,3.0   20,7,4.0
//! users = [7, 9]       items = [10, 20]
//! by_user: indptr [0, 2, 3], indices [0, 1, 0], data [5.0, 4.0, 3.0]
//! by_item: indptr [0, 2, 3], indices [0, 1, 0], data [5.0, 3.0, 4.0]
//! ```

mod build;
mod grouping;
mod ids;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sprs::CsMatI;

pub use ids::Ids;

/// What becomes of a user's several ratings of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Duplicates {
    /// The one with the latest date counts; of several on that date the highest.
    #[default]
    Latest,
    /// Each counts, as in Spark.
    All,
}

/// Ratings by user and by item. See the module for the contract.
#[derive(Debug, Clone)]
pub struct RatingMatrix {
    users: Ids,
    items: Ids,
    layers: Vec<Layer>,
}

/// The same entries by user and by item.
#[derive(Debug, Clone)]
pub struct Layer {
    /// One row a user, ascending item row numbers.
    pub by_user: CsMatI<f32, u32, usize>,
    /// One row an item, ascending user row numbers: the transpose.
    pub by_item: CsMatI<f32, u32, usize>,
    /// How much each rating counts; `None`: all the same.
    pub(crate) weights: Option<Weights>,
}

/// Weights of the entries of a layer, more than 0 and at most 1.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// In the order of the entries of `by_user`.
    pub(crate) by_user: Vec<f32>,
    /// In the order of the entries of `by_item`.
    pub(crate) by_item: Vec<f32>,
}

/// The least weight: of a rating twenty half-lives old. A row of nothing but such ratings can still be solved.
pub const WEIGHT_MIN: f32 = 1e-6;

impl RatingMatrix {
    /// The users, in the order of the rows of `by_user`.
    pub fn users(&self) -> &Ids {
        &self.users
    }

    /// The items, in the order of the rows of `by_item`.
    pub fn items(&self) -> &Ids {
        &self.items
    }

    /// The layers, at least one.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// How many ratings there are, over all layers.
    pub fn nnz(&self) -> usize {
        self.layers.iter().map(|layer| layer.by_user.nnz()).sum()
    }

    /// What the ratings weigh together: as much as there are, unless they have weights.
    pub fn weight(&self) -> f64 {
        let of = |layer: &Layer| {
            layer
                .weights
                .as_ref()
                .map_or(layer.by_user.nnz() as f64, |weights| weights.by_user.iter().map(|&weight| f64::from(weight)).sum())
        };
        self.layers.iter().map(of).sum()
    }

    /// The mean of all ratings, whatever their weights.
    pub fn mean(&self) -> f64 {
        let ratings = self.layers.iter().flat_map(|layer| layer.by_user.data());
        ratings.map(|&rating| f64::from(rating)).sum::<f64>() / self.nnz() as f64
    }

    /// Whether `user` rated `item`, both as row numbers.
    pub fn contains(&self, user: u32, item: u32) -> bool {
        // The first layer holds a rating of every rated cell.
        self.layers[0].by_user.outer_view(user as usize).is_some_and(|row| row.indices().binary_search(&item).is_ok())
    }
}
