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
}

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

    /// Whether `user` rated `item`, both as row numbers.
    pub fn contains(&self, user: u32, item: u32) -> bool {
        // The first layer holds a rating of every rated cell.
        self.layers[0].by_user.outer_view(user as usize).is_some_and(|row| row.indices().binary_search(&item).is_ok())
    }
}
