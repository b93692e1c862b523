//! The ratings of one side, row by row.

use sprs::CsMatI;

use super::errors::Side;
use crate::matrix::{Layer, RatingMatrix};

/// The ratings of all rows of one side, layer by layer.
#[derive(Debug, Clone)]
pub(super) struct Rows<'a>(pub(super) Vec<Weighted<'a>>);

/// The entries of a layer, and their weights if they have any.
type Weighted<'a> = (&'a CsMatI<f32, u32, usize>, Option<&'a [f32]>);

/// Some ratings of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice<'a> {
    /// Row numbers of the other side.
    pub(super) columns: &'a [u32],
    /// Values.
    pub(super) ratings: &'a [f32],
    /// How much each counts; `None`: 1.
    pub(super) weights: Option<&'a [f32]>,
}

impl<'a> Slice<'a> {
    /// How many there are.
    pub(super) fn len(self) -> usize {
        self.columns.len()
    }

    /// What they weigh together.
    pub(super) fn weight(self) -> f64 {
        self.weights.map_or(self.len() as f64, |weights| weights.iter().map(|&weight| f64::from(weight)).sum())
    }

    /// The same ratings in slices of at most `length`.
    pub(super) fn chunks(self, length: usize) -> impl Iterator<Item = Self> {
        (0..self.len()).step_by(length).map(move |from| {
            let range = from..(from + length).min(self.len());
            let weights = self.weights.map(|weights| &weights[range.clone()]);
            Self { columns: &self.columns[range.clone()], ratings: &self.ratings[range], weights }
        })
    }

    /// Column, value and weight of each rating.
    pub(super) fn entries(self) -> impl Iterator<Item = (u32, f32, f32)> + use<'a> {
        let weight = move |at: usize| self.weights.map_or(1.0, |weights| weights[at]);
        self.columns.iter().zip(self.ratings).enumerate().map(move |(at, (&column, &rating))| (column, rating, weight(at)))
    }
}

impl<'a> Rows<'a> {
    /// The rows of `side` of a matrix.
    pub(super) fn of(matrix: &'a RatingMatrix, side: Side) -> Self {
        let of = |layer: &'a Layer| match side {
            Side::User => (&layer.by_user, layer.weights.as_ref().map(|weights| &weights.by_user[..])),
            Side::Item => (&layer.by_item, layer.weights.as_ref().map(|weights| &weights.by_item[..])),
        };
        Self(matrix.layers().iter().map(of).collect())
    }

    /// How many rows there are.
    pub(super) fn count(&self) -> usize {
        self.0.first().map_or(0, |(layer, _)| layer.rows())
    }

    /// Whether ratings have weights.
    pub(super) fn are_weighted(&self) -> bool {
        self.0.iter().any(|(_, weights)| weights.is_some())
    }

    /// The ratings of `row`, one slice a layer.
    pub(super) fn slices(&self, row: usize) -> impl Iterator<Item = Slice<'a>> {
        self.0.iter().map(move |(layer, weights)| {
            let range = layer.indptr().outer_inds_sz(row);
            let weights = weights.map(|weights| &weights[range.clone()]);
            Slice { columns: &layer.indices()[range.clone()], ratings: &layer.data()[range], weights }
        })
    }

    /// The ratings of `row` in pieces of at most `length`.
    pub(super) fn pieces(&self, row: usize, length: usize) -> impl Iterator<Item = Slice<'a>> {
        self.slices(row).flat_map(move |slice| slice.chunks(length))
    }

    /// How many ratings `row` has.
    pub(super) fn len(&self, row: usize) -> usize {
        self.0.iter().map(|(layer, _)| layer.indptr().nnz_in_outer_sz(row)).sum()
    }
}
