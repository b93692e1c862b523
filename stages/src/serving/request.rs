//! What can be asked of a served model, and what it answers.

use serde::{Deserialize, Serialize};

use crate::error::StageError;
use crate::names::Id;

/// The longest list.
pub const K_MAX: usize = 1_000;

/// The most ratings of somebody new. A solve grows with them: at rank 64 so many take about a millisecond.
pub const RATINGS_MAX: usize = 10_000;

/// A list that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// For whom.
    pub whom: Whom,
    /// Places in the list, 1 to [`K_MAX`]; there are fewer if there are no more items.
    pub k: usize,
}

/// For whom a list is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Whom {
    /// A user, by the id that the ratings came with.
    User {
        /// The id.
        user: Id,
        /// Whether to leave out what they rated in the dataset that the model was trained on. [`ServedModel::read_seen`](super::ServedModel::read_seen) must have
        /// been called.
        exclude_seen: bool,
    },
    /// Somebody new, by their ratings (item and stars). What they rated is left out.
    NewUser {
        /// Each item once; up to [`RATINGS_MAX`].
        ratings: Vec<(Id, f32)>,
    },
}

/// A list of items.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// Best first.
    pub items: Vec<ListedItem>,
    /// What the list stands on if nothing is known about the user.
    pub fallback: Option<Fallback>,
    /// Items that somebody new rated and the model does not know; these ratings said nothing.
    pub unknown_items: Vec<Id>,
}

/// One place in a list, by the original id.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedItem {
    /// The item.
    pub item: Id,
    /// Predicted rating or, if the model is implicit, preference; with [`Fallback::Popular`] the number of ratings. Higher is better.
    pub score: f64,
}

/// What a list stands on for somebody about whom nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// The items that have the most ratings in the dataset that the model was trained on.
    Popular,
}

/// Why a request has no list.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// Nothing is known about the user, and the version does not know which items are popular.
    Unknown(StageError),
    /// The request makes no sense, whatever the model: an item rated twice, say.
    Invalid(StageError),
    /// This model cannot answer such a request: it lacks what a training by recflow keeps with it, or its equations have no solution.
    Unable(StageError),
}

impl Refusal {
    /// What is the matter, and what to do about it.
    pub fn error(&self) -> &StageError {
        let (Self::Unknown(error) | Self::Invalid(error) | Self::Unable(error)) = self;
        error
    }
}
