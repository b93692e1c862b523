//! Somebody that the model was not trained on, from a few ratings of theirs.
//!
//! *Folding in*: the items stay as they are, and one row of the users' half-step is solved, with the objective, the
//! regularisation and the constraints that the model was trained with ([`als`](crate::als)). For a user of the training set and
//! all of their ratings this gives the factors that the model has.

use std::collections::HashSet;

use crate::als::{AlsParams, FitError, FoldIn};
use crate::error::{Result, StageError};
use crate::model::AlsModel;
use crate::names::{Id, Names};

/// What is known about somebody new.
#[derive(Debug, Clone, PartialEq)]
pub struct NewUser {
    /// Their factors, of the model's rank.
    pub factors: Vec<f32>,
    /// Items they rated that the model does not know; these ratings said nothing.
    pub unknown_items: Vec<i32>,
}

/// Makes ready to fold in to `model`. `params` are those of its training.
///
/// # Errors
/// Parameters that no training can have had.
pub fn prepare(model: &AlsModel, params: &AlsParams) -> Result<FoldIn> {
    // The rank is that of the factors at hand, whatever the record says.
    let params = AlsParams { rank: params.rank_of_width(model.rank()), ..params.clone() }.check()?;
    Ok(FoldIn::new(&params, model.items()))
}

/// The factors of somebody with these `ratings` (item id and stars), each item once. `params` are those of the training.
///
/// # Errors
/// Those of [`prepare`] and [`fold_in_with`].
pub fn fold_in(model: &AlsModel, params: &AlsParams, ratings: &[(i32, f32)]) -> Result<NewUser> {
    fold_in_with(&prepare(model, params)?, model, ratings)
}

/// The same by what [`prepare`] made of `model`.
///
/// # Errors
/// An item twice; a rating that is not finite; no item that the model knows; a model without regularisation and fewer ratings than factors.
pub fn fold_in_with(prepared: &FoldIn, model: &AlsModel, ratings: &[(i32, f32)]) -> Result<NewUser> {
    let mut sorted = ratings.to_vec();
    sorted.sort_by_key(|&(item, _)| item);
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(StageError::input(format!("item {} is rated twice", pair[0].0)).with_hint("give each item one rating"));
    }
    if let Some((item, rating)) = sorted.iter().find(|(_, rating)| !rating.is_finite()) {
        return Err(StageError::input(format!("the rating of item {item} is {rating}, not a finite number")));
    }
    let ids = model.items().ids();
    let (known, unknown_items): (Vec<_>, Vec<_>) =
        sorted.iter().map(|&(item, rating)| ids.row(item).map(|row| (row, rating)).ok_or(item)).partition(std::result::Result::is_ok);
    let known: Vec<(u32, f32)> = known.into_iter().flatten().collect();
    if known.is_empty() {
        let message = "the model knows none of the rated items, so nothing is known about this user";
        return Err(StageError::input(message).with_hint("give ratings of items that the model was trained on"));
    }
    let factors = prepared.solve(model.items(), &known).map_err(|error| match error {
        FitError::Singular { ratings, rank, .. } => {
            StageError::numeric(format!("{ratings} ratings do not determine the {rank} factors of a user: the model has no regularisation"))
                .with_hint(format!("give at least {rank} ratings, or train with `reg` above 0"))
        }
        FitError::NonFinite { .. } => {
            StageError::numeric("the factors of this user are not finite numbers").with_hint("are the ratings huge?")
        }
        FitError::Cancelled => StageError::cancelled(),
    })?;
    Ok(NewUser { factors, unknown_items: unknown_items.into_iter().filter_map(std::result::Result::err).collect() })
}

/// Ratings by the number of their item, and the items that have none.
pub(crate) type ByNumber = (Vec<(i32, f32)>, Vec<Id>);

/// Ratings of items by their original ids: those that have a number, by it, and the ids that have none.
///
/// # Errors
/// An item twice; a rating that is not finite.
pub(crate) fn by_number(names: &Names, ratings: &[(Id, f32)]) -> Result<ByNumber> {
    let (mut known, mut unknown, mut rated) = (Vec::with_capacity(ratings.len()), Vec::new(), HashSet::new());
    for (item, rating) in ratings {
        if !rating.is_finite() {
            return Err(StageError::input(format!("the rating of item {item} is {rating}, not a finite number")));
        }
        match names.item(item) {
            Some(number) if !rated.insert(number) => {
                return Err(StageError::input(format!("item {item} is rated twice")).with_hint("give each item one rating"));
            }
            Some(number) => known.push((number, *rating)),
            None => unknown.push(item.clone()),
        }
    }
    Ok((known, unknown))
}
