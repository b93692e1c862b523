//! Ids that are not numbers: text on the outside, dense `int32` inside.
//!
//! Everything below `MOVIE_ID` and `CUST_ID` counts in 32-bit integers: rows, matrices, factors, Spark's `ALSModel`. Where the data have
//! other ids (`A1YJEY40YUW4SE`, 64-bit hashes), `import` gives each distinct one the next number, from 0, in order of first
//! appearance, and keeps the list: beside the snapshots of the dataset, and in every model that is trained on it. Whoever
//! asks or reads results uses the original ids.
//!
//! | module | what it is for |
//! |---|---|
//! | `map` | [`NameMap`]: one side's list, both ways |
//! | `id` | [`Id`]: an id as people write it |
//! | `file` | such a list as a Parquet file |
//! | `column` | numbers as a column of original ids |
//! | `compare` | whether two lists can mean the same ids |

mod column;
mod compare;
mod file;
mod id;
mod map;

use std::sync::Arc;

pub(crate) use column::ids_or_names;
pub(crate) use compare::check_same;
pub(crate) use file::{fingerprint, read, write};
pub use id::Id;
pub use map::NameMap;

/// The original ids of both sides. A side without a map has numbers of its own: what stands in the data is the id.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Those of `CUST_ID`.
    pub users: Option<Arc<NameMap>>,
    /// Those of `MOVIE_ID`.
    pub items: Option<Arc<NameMap>>,
}

impl Names {
    /// Whether neither side has a map.
    pub fn is_empty(&self) -> bool {
        self.users.is_none() && self.items.is_none()
    }

    /// The `CUST_ID` of a user, if there is one of that name.
    pub fn user(&self, id: &Id) -> Option<i32> {
        id.resolve(self.users.as_deref())
    }

    /// The `MOVIE_ID` of an item, if there is one of that name.
    pub fn item(&self, id: &Id) -> Option<i32> {
        id.resolve(self.items.as_deref())
    }

    /// The user of a `CUST_ID`, as the data had it.
    pub fn user_of(&self, id: i32) -> Id {
        Id::show(id, self.users.as_deref())
    }

    /// The item of a `MOVIE_ID`, as the data had it.
    pub fn item_of(&self, id: i32) -> Id {
        Id::show(id, self.items.as_deref())
    }
}
