//! One list of recommendations.

use serde::Serialize;

use crate::context::CancelToken;
use crate::error::{Result, StageError};
use crate::kernel::{Aligned, padded};
use crate::matrix::Ids;
use crate::metrics::Scorer;
use crate::metrics::top::Scored;
use crate::model::{AlsModel, Factors};

/// One place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Recommended {
    /// Place in the list, from 1.
    pub rank: u32,
    /// `MOVIE_ID`.
    pub item: i32,
    /// Predicted rating or preference; for similar items the cosine, -1 to 1. Higher is better.
    pub score: f32,
}

/// The `k` best items for a user of the model, but for those that `is_excluded` (by id). Fewer if there are no more.
///
/// # Errors
/// The model does not know the user.
pub fn to_user(model: &AlsModel, user: i32, k: usize, is_excluded: impl Fn(i32) -> bool + Sync) -> Result<Vec<Recommended>> {
    let row = model.users().ids().row(user).ok_or_else(|| unknown_user(user))?;
    Ok(best(model, row, k, is_excluded))
}

/// The `k` best items for somebody with these factors, of the model's rank: see [`super::new_user`].
pub fn to_new_user(model: &AlsModel, factors: &[f32], k: usize, is_excluded: impl Fn(i32) -> bool + Sync) -> Vec<Recommended> {
    best(&AlsModel::new(only(factors), model.items().clone()), 0, k, is_excluded)
}

/// The `k` items whose factors point most nearly where those of `item` do, by cosine `y_i·y_j / (|y_i| |y_j|)`; not the item itself.
/// Items whose factors are all 0 point nowhere and are left out. Only the first `factors` of each row say what an item is like; biases come after them.
///
/// # Errors
/// The model does not know the item, or its factors are all 0.
pub fn similar_items(model: &AlsModel, factors: usize, item: i32, k: usize) -> Result<Vec<Recommended>> {
    let row = model.items().ids().row(item).ok_or_else(|| unknown_item(item))?;
    let directions = directions(model.items(), factors);
    if is_zero(directions.row(row)) {
        let message = format!("item {item} has factors of 0 only, so nothing is like it");
        return Err(StageError::numeric(message).with_hint("train with more iterations or a smaller `reg`"));
    }
    let query = only(directions.row(row));
    let model = AlsModel::new(query, directions);
    let is_excluded = |other: i32| other == item || model.items().of(other).is_some_and(is_zero);
    Ok(best(&model, 0, k, is_excluded))
}

/// The failure for a user that the model does not know.
pub fn unknown_user(user: impl std::fmt::Display) -> StageError {
    StageError::input(format!("the model does not know user {user}: it was trained on no rating of theirs"))
        .with_hint("`recflow recommend --fold-in ITEM=RATING,…` recommends to somebody new; training again takes in newer ratings")
}

/// The failure for an item that the model does not know.
pub fn unknown_item(item: impl std::fmt::Display) -> StageError {
    StageError::input(format!("the model does not know item {item}: it was trained on no rating of it"))
        .with_hint("training again takes in newer ratings")
}

/// The list of the user at `row`, scored as in a batch: the same digits.
fn best(model: &AlsModel, row: u32, k: usize, is_excluded: impl Fn(i32) -> bool + Sync) -> Vec<Recommended> {
    let ids = model.items().ids().as_slice();
    let is_seen = |_: u32, item: u32| is_excluded(ids[item as usize]);
    let lists = Scorer::new(model).best(&[row], k.clamp(1, ids.len()), &CancelToken::new(), is_seen, |_, best| best.unseen);
    lists.into_iter().flat_map(|list| ranked(&list, ids).collect::<Vec<_>>()).collect()
}

/// A list with its ranks and ids.
pub(super) fn ranked<'a>(list: &'a [Scored], ids: &'a [i32]) -> impl Iterator<Item = Recommended> + 'a {
    let place = |(rank, scored): (u32, &Scored)| Recommended { rank, item: ids[scored.item as usize], score: scored.score };
    (1..).zip(list).map(place)
}

/// Factors of one row, whose id says nothing.
fn only(factors: &[f32]) -> Factors {
    let mut rows = Aligned::zeroed(padded(factors.len()));
    rows.as_mut_slice()[..factors.len()].copy_from_slice(factors);
    Factors::from_padded(Ids::of(&[0]), factors.len(), rows)
}

/// The first `rank` factors of each row at length 1; those of length 0 stay.
fn directions(factors: &Factors, rank: usize) -> Factors {
    let rank = rank.min(factors.rank());
    let mut rows = Aligned::zeroed(factors.ids().len() * padded(rank));
    for (to, row) in rows.as_mut_slice().chunks_exact_mut(padded(rank)).zip(0..) {
        let from = &factors.row(row)[..rank];
        let length = from.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        if length > 0.0 {
            to.iter_mut().zip(from).for_each(|(to, &x)| *to = (f64::from(x) / length) as f32);
        }
    }
    Factors::from_padded(factors.ids().clone(), rank, rows)
}

fn is_zero(row: &[f32]) -> bool {
    row.iter().all(|&x| x == 0.0)
}
