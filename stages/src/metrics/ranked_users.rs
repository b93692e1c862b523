//! The users that lists are made for, and their lists under each protocol.

use rayon::prelude::*;

use super::baselines::MostPopular;
use super::evaluation::Popularity;
use super::lists::{Judge, self_information};
use super::ranking::{OneRanking, Ranking};
use super::relevance::Relevance;
use super::scoring::Scorer;
use super::top::Scored;
use crate::context::{Context, Unit};
use crate::error::Result;
use crate::matrix::RatingMatrix;
use crate::model::AlsModel;
use crate::ratings::Ratings;

/// The model's rankings under two protocols.
pub(super) struct Ranked {
    /// Under `all_items`, one a length.
    pub(super) all_items: Vec<Ranking>,
    /// Under `unseen_items`, likewise.
    pub(super) unseen_items: Vec<Ranking>,
    /// Both at the first length, of each group of users, without coverage.
    pub(super) by_group: Vec<(Ranking, Ranking)>,
}

/// The users that have a relevant test item and that the model knows.
pub(super) struct RankedUsers<'a> {
    model: &'a AlsModel,
    train: Option<&'a RatingMatrix>,
    /// Lengths of the lists.
    ks: &'a [usize],
    relevance: Relevance,
    /// Of each user the place in `relevance` and the row in the model.
    places: Vec<usize>,
    rows: Vec<u32>,
    /// Of the model's items, if there is a training set.
    self_information: Option<Vec<f64>>,
}

impl<'a> RankedUsers<'a> {
    pub(super) fn of(relevance: Relevance, model: &'a AlsModel, train: Option<&'a RatingMatrix>, ks: &'a [usize]) -> Self {
        let known = relevance.users().iter().enumerate().filter_map(|(place, &user)| Some((place, model.users().ids().row(user)?)));
        let (places, rows) = known.unzip();
        let self_information = train.map(|train| self_information(train, model.items().ids().as_slice()));
        Self { model, train, ks, relevance, places, rows, self_information }
    }

    /// The relevant items of the `index`-th user ranked for.
    fn relevant(&self, index: usize) -> &[i32] {
        self.relevance.items(self.places[index])
    }

    /// The id of the user at `row` of the model.
    fn id(&self, row: u32) -> i32 {
        self.model.users().ids().as_slice()[row as usize]
    }

    /// A judge over the model's items.
    fn judge(&self) -> Judge<'_> {
        Judge::new(self.ks, self.model.items().ids().len(), self.self_information.as_deref())
    }

    /// The model's rankings. `group` tells which of so many `groups` a user belongs to, by id.
    pub(super) fn rank(&self, groups: usize, group: impl Fn(i32) -> Option<usize>, context: &Context) -> Result<Ranked> {
        context.progress("rank", 0, Some(self.rows.len() as u64), Unit::Users);
        let item_ids = self.model.items().ids().as_slice();
        let seen = |user: u32, item: u32| self.train.is_some_and(|train| rated(train, self.id(user), item_ids[item as usize]));
        let longest = self.ks.iter().copied().max().unwrap_or(1).min(item_ids.len());
        let (of_all, of_unseen) = (self.judge(), self.judge());
        let lists = Scorer::new(self.model).best(&self.rows, longest, &context.cancel, seen, |index, best| {
            let one = |judge: &Judge<'_>, list: &[Scored]| {
                judge.one(list.iter().map(|scored| (scored.item, item_ids[scored.item as usize])), self.relevant(index))
            };
            (one(&of_all, &best.all), one(&of_unseen, &best.unseen))
        });
        context.check_cancelled()?;
        context.progress("rank", lists.len() as u64, Some(self.rows.len() as u64), Unit::Users);
        let (all, unseen): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
        let groups_of_users: Vec<Option<usize>> = self.rows.iter().map(|&row| group(self.id(row))).collect();
        let mean_of = |users: &[Vec<OneRanking>], wanted: usize| {
            let of_group = users.iter().zip(&groups_of_users).filter(|(_, group)| **group == Some(wanted));
            Ranking::mean(of_group.map(|(user, _)| user[0]))
        };
        let by_group = (0..groups).map(|group| (mean_of(&all, group), mean_of(&unseen, group))).collect();
        Ok(Ranked { all_items: of_all.means(&all), unseen_items: of_unseen.means(&unseen), by_group })
    }

    /// The model's ranking of each user's own test items (protocol `test_items`), one a length.
    pub(super) fn rank_test_items(&self, test: &Ratings) -> Vec<Ranking> {
        // Every test item is "relevant" to this threshold.
        let rated_in_test = Relevance::of(test, f64::NEG_INFINITY);
        let (judge, items) = (self.judge(), self.model.items().ids());
        let one = |(index, &row): (usize, &u32)| {
            let user = self.id(row);
            let theirs = rated_in_test.users().binary_search(&user).map_or(&[][..], |place| rated_in_test.items(place));
            let mut scored: Vec<(f32, u32, i32)> =
                theirs.iter().filter_map(|&item| Some((self.model.predict(user, item)?, items.row(item)?, item))).collect();
            scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            judge.one(scored.into_iter().map(|(_, row, item)| (row, item)), self.relevant(index))
        };
        let users: Vec<_> = self.rows.par_iter().enumerate().map(one).collect();
        judge.means(&users)
    }

    /// What the most popular items of `train` reach for the same users, one a length.
    pub(super) fn popularity(&self, train: &RatingMatrix) -> Vec<Popularity> {
        let popular = MostPopular::fit(train);
        let information = self_information(train, train.items().as_slice());
        let items = || popular.items().iter().filter_map(|&item| Some((train.items().row(item)?, item)));
        let judge = || Judge::new(self.ks, train.items().len(), Some(&information));
        let (of_all, of_unseen) = (judge(), judge());
        let users = || self.rows.iter().map(|&row| self.id(row)).enumerate();
        let all: Vec<_> = users().map(|(index, _)| of_all.one(items(), self.relevant(index))).collect();
        let unseen: Vec<_> = users()
            .map(|(index, user)| of_unseen.one(items().filter(|&(_, item)| !rated(train, user, item)), self.relevant(index)))
            .collect();
        let both = of_all.means(&all).into_iter().zip(of_unseen.means(&unseen));
        both.map(|(all_items, unseen_items)| Popularity { all_items, unseen_items }).collect()
    }
}

/// The ranking of the `k` best items for each user, of those not rated in `train` if there is one: what
/// [`evaluate`](super::evaluate) reports as `unseen_items`, or for all items.
///
/// # Errors
/// Cancellation.
pub fn ranking_of(model: &AlsModel, relevance: &Relevance, train: Option<&RatingMatrix>, k: usize, context: &Context) -> Result<Ranking> {
    let ks = [k];
    let ranked = RankedUsers::of(relevance.clone(), model, train, &ks).rank(0, |_| None, context)?;
    Ok(if train.is_some() { ranked.unseen_items[0] } else { ranked.all_items[0] })
}

/// Whether the user rated the item in `train`, both by id.
fn rated(train: &RatingMatrix, user: i32, item: i32) -> bool {
    let cell = train.users().row(user).zip(train.items().row(item));
    cell.is_some_and(|(user, item)| train.contains(user, item))
}
