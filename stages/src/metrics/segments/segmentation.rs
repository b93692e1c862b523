//! Who and what belongs to which segment, and the figures of each.

use std::collections::BTreeMap;

use super::{ItemPopularity, ItemSegment, Part, Segments, UserSegment, upper_bounds};
use crate::matrix::{Ids, RatingMatrix};
use crate::metrics::errors::{PairErrors, Prediction, grouped_errors};
use crate::metrics::ranking::Ranking;
use crate::ratings::Ratings;

/// Segments of users by activity.
pub(in crate::metrics) const QUARTERS: usize = 4;

/// Which segment each user and item of a training set belongs to, by its row.
#[derive(Debug)]
pub(in crate::metrics) struct Segmentation<'a> {
    train: &'a RatingMatrix,
    /// Training ratings of each user.
    activity: Vec<u64>,
    /// The most training ratings that a user of the first, second and third quarter has.
    quarters: Vec<u64>,
    /// Training ratings of each item.
    popularity: Vec<u64>,
    /// 0 (head), 1 or 2 of each item.
    thirds: Vec<usize>,
}

impl<'a> Segmentation<'a> {
    /// Of the training set, for the users of `test`.
    pub(in crate::metrics) fn of(train: &'a RatingMatrix, test: &Ratings) -> Self {
        let counts = |of_user: bool, rows: usize| -> Vec<u64> {
            let matrices = || train.layers().iter().map(move |layer| if of_user { &layer.by_user } else { &layer.by_item });
            (0..rows).map(|row| matrices().map(|matrix| matrix.indptr().nnz_in_outer_sz(row) as u64).sum()).collect()
        };
        let (activity, popularity) = (counts(true, train.users().len()), counts(false, train.items().len()));
        let tested = Ids::of(&test.user);
        let mut of_tested: Vec<u64> =
            tested.as_slice().iter().filter_map(|&user| train.users().row(user)).map(|row| activity[row as usize]).collect();
        of_tested.sort_unstable();
        let quarters = upper_bounds(&of_tested, QUARTERS);
        let thirds = thirds(&popularity);
        Self { train, activity, quarters, popularity, thirds }
    }

    /// The quarter, from 0, of a user, by id; none if the training set does not have them.
    pub(in crate::metrics) fn quarter(&self, user: i32) -> Option<usize> {
        let activity = self.activity[self.train.users().row(user)? as usize];
        Some(self.quarters.partition_point(|&most| most < activity).min(QUARTERS - 1))
    }

    fn third(&self, item: i32) -> Option<usize> {
        Some(self.thirds[self.train.items().row(item)? as usize])
    }

    /// The figures of each segment; `predict` is asked by the row of `test`,
    /// `rankings` are those of the quarters under `all_items` and `unseen_items`.
    pub(in crate::metrics) fn measure(
        &self,
        test: &Ratings,
        predict: impl Fn(usize) -> Prediction + Sync,
        rankings: &[(Ranking, Option<Ranking>)],
    ) -> Segments {
        const THIRDS: usize = QUARTERS;
        const USERS: usize = THIRDS + 3;
        const ITEMS: usize = USERS + 2;
        let is_new = |known: bool| usize::from(!known);
        let errors = grouped_errors(test, ITEMS + 2, predict, |row| {
            let (quarter, third) = (self.quarter(test.user[row]), self.third(test.movie[row]));
            let (users, items) = (USERS + is_new(quarter.is_some()), ITEMS + is_new(third.is_some()));
            [quarter, third.map(|third| THIRDS + third), Some(users), Some(items)]
        });
        let (users, items) = (Ids::of(&test.user), Ids::of(&test.movie));
        let part = |ids: &Ids, train: &Ids, known: bool, group: usize| {
            let count = ids.as_slice().iter().filter(|&&id| train.row(id).is_some() == known).count() as u64;
            Part { count, errors: errors[group] }
        };
        Segments {
            user_activity: self.user_activity(&users, &errors, rankings),
            item_popularity: {
                let [head, torso, tail] = [0, 1, 2].map(|third| self.item_segment(third, errors[THIRDS + third]));
                ItemPopularity { head, torso, tail }
            },
            known_users: part(&users, self.train.users(), true, USERS),
            new_users: part(&users, self.train.users(), false, USERS + 1),
            known_items: part(&items, self.train.items(), true, ITEMS),
            new_items: part(&items, self.train.items(), false, ITEMS + 1),
        }
    }

    fn user_activity(&self, users: &Ids, errors: &[PairErrors], rankings: &[(Ranking, Option<Ranking>)]) -> BTreeMap<String, UserSegment> {
        let mut ranges: [Option<Range>; QUARTERS] = [None; QUARTERS];
        for &user in users.as_slice() {
            if let Some((quarter, row)) = self.quarter(user).zip(self.train.users().row(user)) {
                ranges[quarter] = Some(Range::with(ranges[quarter], self.activity[row as usize]));
            }
        }
        let segment = |quarter: usize| {
            let Range { count, min, max } = ranges[quarter]?;
            let (all_items, unseen_items) = rankings[quarter];
            let errors = errors[quarter];
            Some((
                format!("q{}", quarter + 1),
                UserSegment { users: count, ratings_min: min, ratings_max: max, errors, all_items, unseen_items },
            ))
        };
        (0..QUARTERS).filter_map(segment).collect()
    }

    fn item_segment(&self, third: usize, errors: PairErrors) -> ItemSegment {
        let ratings = self.thirds.iter().zip(&self.popularity).filter(|(of, _)| **of == third).map(|(_, &ratings)| ratings);
        let range = ratings.fold(None, |range, ratings| Some(Range::with(range, ratings)));
        let Range { count, min, max } = range.unwrap_or_default();
        ItemSegment { items: count, ratings_min: min, ratings_max: max, errors }
    }
}

/// How many numbers there are, and between which they lie.
#[derive(Debug, Clone, Copy, Default)]
struct Range {
    count: u64,
    min: u64,
    max: u64,
}

impl Range {
    fn with(range: Option<Self>, number: u64) -> Self {
        range.map_or(Self { count: 1, min: number, max: number }, |Self { count, min, max }| Self {
            count: count + 1,
            min: min.min(number),
            max: max.max(number),
        })
    }
}

/// 0, 1 or 2 of each item: the third of all ratings that its own begin in, items taken from the most popular to the least, of equally popular
/// ones the first.
fn thirds(popularity: &[u64]) -> Vec<usize> {
    let mut ranked: Vec<usize> = (0..popularity.len()).collect();
    ranked.sort_unstable_by_key(|&item| (std::cmp::Reverse(popularity[item]), item));
    let total: u64 = popularity.iter().sum();
    let (mut before, mut thirds) = (0_u64, vec![0; popularity.len()]);
    for item in ranked {
        thirds[item] = usize::from(3 * before >= total) + usize::from(3 * before >= 2 * total);
        before += popularity[item];
    }
    thirds
}
