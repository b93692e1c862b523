//! A trained model in memory.

use super::cold_start::ColdRule;
use crate::kernel::{Aligned, padded};
use crate::matrix::Ids;

/// The factors of one side: a vector of `rank` floats for each id.
#[derive(Debug, Clone)]
pub struct Factors {
    ids: Ids,
    rank: usize,
    /// Rows of `padded(rank)` floats, zeros behind the first `rank`.
    rows: Aligned,
}

impl Factors {
    /// Factors for `ids` from rows of `padded(rank)` floats.
    pub(crate) fn from_padded(ids: Ids, rank: usize, rows: Aligned) -> Self {
        assert_eq!(rows.as_slice().len(), ids.len() * padded(rank));
        Self { ids, rank, rows }
    }

    /// The ids that have factors; an id's row is its place.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Floats in a vector.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// All vectors, each padded with zeros to `padded(rank)` floats.
    pub(crate) fn padded_rows(&self) -> &[f32] {
        self.rows.as_slice()
    }

    /// The factors of the ids that `keep`.
    fn only(&self, keep: impl Fn(i32) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.ids.len()).filter(|&row| keep(self.ids.as_slice()[row])).collect();
        let stride = padded(self.rank);
        let mut rows = Aligned::zeroed(kept.len() * stride);
        for (to, &row) in rows.as_mut_slice().chunks_mut(stride).zip(&kept) {
            to.copy_from_slice(&self.rows.as_slice()[row * stride..][..stride]);
        }
        Self { ids: Ids::from_ascending(kept.into_iter().map(|row| self.ids.as_slice()[row]).collect()), rank: self.rank, rows }
    }

    /// All vectors as [`Self::padded_rows`] has them, to write to; the padding must stay 0.
    pub(crate) fn padded_rows_mut(&mut self) -> &mut [f32] {
        self.rows.as_mut_slice()
    }

    /// All vectors as [`Self::padded_rows`] has them, for good.
    pub(crate) fn into_padded_rows(self) -> Aligned {
        self.rows
    }

    /// Takes over the vectors of all ids that `other`, of the same rank, knows.
    pub(crate) fn copy_known(&mut self, other: &Self) {
        let stride = padded(self.rank);
        for (row, &id) in self.rows.as_mut_slice().chunks_exact_mut(stride).zip(self.ids.as_slice()) {
            if let Some(theirs) = other.of(id) {
                row[..self.rank].copy_from_slice(theirs);
            }
        }
    }

    /// The vector at `row`. Panics beyond the last row.
    pub fn row(&self, row: u32) -> &[f32] {
        &self.rows.as_slice()[row as usize * padded(self.rank)..][..self.rank]
    }

    /// The vector of `id`, if it is known.
    pub fn of(&self, id: i32) -> Option<&[f32]> {
        self.ids.row(id).map(|row| self.row(row))
    }
}

/// User and item factors. The predicted rating is their dot product.
#[derive(Debug, Clone)]
pub struct AlsModel {
    users: Factors,
    items: Factors,
    cold_rule: ColdRule,
}

impl AlsModel {
    /// A model of two sides of the same rank, which predicts nothing for pairs it does not know.
    pub(crate) fn new(users: Factors, items: Factors) -> Self {
        assert_eq!(users.rank, items.rank);
        Self { users, items, cold_rule: ColdRule::default() }
    }

    /// The same model with another rule for pairs it does not know.
    #[must_use]
    pub fn with_cold_rule(self, cold_rule: ColdRule) -> Self {
        Self { cold_rule, ..self }
    }

    /// The same model with only the items that `keep`.
    #[must_use]
    pub(crate) fn with_items(&self, keep: impl Fn(i32) -> bool) -> Self {
        Self { users: self.users.clone(), items: self.items.only(keep), cold_rule: self.cold_rule }
    }

    /// What is predicted where [`Self::predict`] has nothing.
    pub fn cold_rule(&self) -> ColdRule {
        self.cold_rule
    }

    /// Users (`CUST_ID`).
    pub fn users(&self) -> &Factors {
        &self.users
    }

    /// Items (`MOVIE_ID`).
    pub fn items(&self) -> &Factors {
        &self.items
    }

    /// Users and items, to train further.
    pub(crate) fn sides_mut(&mut self) -> (&mut Factors, &mut Factors) {
        (&mut self.users, &mut self.items)
    }

    /// Floats in a vector.
    pub fn rank(&self) -> usize {
        self.users.rank
    }

    /// The predicted rating; `None` if the user or the item is not in the model: see [`Self::cold_rule`].
    pub fn predict(&self, user: i32, item: i32) -> Option<f32> {
        let (user, item) = (self.users.of(user)?, self.items.of(item)?);
        Some(user.iter().zip(item).map(|(a, b)| a * b).sum())
    }
}
