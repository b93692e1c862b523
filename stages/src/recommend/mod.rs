//! What a model recommends: to all its users at once, to one, to somebody new, and what is like an item.
//!
//! How data moves: a model → [`Scorer`](crate::metrics::Scorer), blocks of users against all items → lists of item rows →
//! ids and ranks. The whole user × item matrix never exists.
//!
//! | module | what it is for |
//! |---|---|
//! | [`one`] | one list: for a user of the model, a new user, or an item |
//! | [`new_user`] | factors for somebody that the model was not trained on |
//! | [`seen`] | what users have rated already |
//! | [`ask`] | questions about a model on disk, as the command line puts them |
//! | [`batch`] | lists of many users, block by block |
//! | [`table`] | such lists as a Parquet file, published in one step |
//!
//! Scores are what [`AlsModel::predict`](crate::model::AlsModel::predict) gives, to rounding: predicted ratings, or preferences
//! if the model is implicit. Of equal scores the lower item id comes first.

pub mod ask;
pub mod batch;
pub mod new_user;
pub mod one;
pub mod seen;
pub mod table;

#[cfg(test)]
mod tests;

pub use one::{Recommended, similar_items, to_new_user, to_user};
pub use seen::Seen;
