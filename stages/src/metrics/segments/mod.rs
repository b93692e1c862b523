//! For whom and for what a model is good: errors and rankings by segment.
//!
//! A model may be good on the whole and useless to whoever has just arrived. Segments are made of the training set:
//!
//! - users by activity: the users of the test set that are in the training set, in quarters by the number of their training ratings, `q1` the
//!   least active. Users of one number stand in one segment, so segments may differ in size, and one may be missing;
//! - items by popularity: items ordered by the number of their training ratings and cut where a third, and two thirds, of all training
//!   ratings are reached. So `head`, `torso` and `tail` stand on about as many ratings each, and the tail is most of the catalogue;
//! - users and items that are in the training set (known), and those that are not (new).
//!
//! And, without a training set too, by what was rated: a model that predicts the mean for everything has its errors at both ends.
//!
//! | module | what it is for |
//! |---|---|
//! | `segmentation` | who and what belongs to which segment, and the figures of each |
//! | `by_rating` | errors by the rating itself |

mod by_rating;
mod segmentation;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use self::by_rating::by_rating;
pub(super) use self::segmentation::{QUARTERS, Segmentation};
use super::errors::PairErrors;
use super::ranking::Ranking;

/// Figures by segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Segments {
    /// Known users by the number of their training ratings, in quarters: `q1` holds the least active, `q4` the most.
    pub user_activity: BTreeMap<String, UserSegment>,
    /// Known items by the number of their training ratings.
    pub item_popularity: ItemPopularity,
    /// Ratings of users that are in the training set.
    pub known_users: Part,
    /// Ratings of users that are not.
    pub new_users: Part,
    /// Ratings of items that are in the training set.
    pub known_items: Part,
    /// Ratings of items that are not.
    pub new_items: Part,
}

/// Users of about the same activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct UserSegment {
    /// Users of the test set in it.
    pub users: u64,
    /// Training ratings of the least active of them.
    pub ratings_min: u64,
    /// Training ratings of the most active of them.
    pub ratings_max: u64,
    /// Errors over their test ratings.
    #[serde(flatten)]
    pub errors: PairErrors,
    /// Their rankings under `all_items`, at the first length. Coverage is a figure of all users, and absent.
    pub all_items: Ranking,
    /// The same under `unseen_items`; absent if that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen_items: Option<Ranking>,
}

/// Items from the most popular to the least: each segment was given about a third of the training ratings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ItemPopularity {
    /// The most popular items.
    pub head: ItemSegment,
    /// Those between.
    pub torso: ItemSegment,
    /// The least popular ones.
    pub tail: ItemSegment,
}

/// Items of about the same popularity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ItemSegment {
    /// Items of the training set in it.
    pub items: u64,
    /// Training ratings of the least popular of them.
    pub ratings_min: u64,
    /// Training ratings of the most popular of them.
    pub ratings_max: u64,
    /// Errors over their test ratings.
    #[serde(flatten)]
    pub errors: PairErrors,
}

/// A part of the test set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Part {
    /// Users, or items, of the test set in it.
    pub count: u64,
    /// Errors over their test ratings.
    #[serde(flatten)]
    pub errors: PairErrors,
}

/// The test ratings of one value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct RatingBin {
    /// The lowest rating in it.
    pub rating_min: f64,
    /// The highest; the same, unless there are more than 20 different ones.
    pub rating_max: f64,
    /// Test ratings in it.
    pub ratings: u64,
    /// Errors over them.
    #[serde(flatten)]
    pub errors: PairErrors,
}

/// The highest number of each of `parts` equally long parts of `sorted` but the last, ascending.
fn upper_bounds<T: Copy>(sorted: &[T], parts: usize) -> Vec<T> {
    (1..parts).filter_map(|part| sorted.get((part * sorted.len()).div_ceil(parts).checked_sub(1)?).copied()).collect()
}
