//! What is trained on and what is held out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Unit};
use crate::error::{Result, StageError};
use crate::matrix::{Duplicates, RatingMatrix};
use crate::ratings::Ratings;
use crate::split::{HashSplit, Purpose};

/// How ratings are held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Kind {
    /// Cross-validation: each of `folds` parts is held out once, and a trial's score is the mean.
    #[default]
    KFold,
    /// A random `share` is held out.
    HoldOut,
    /// The latest `share` is held out: training on the past, judged on the future.
    HoldOutByTime,
}

/// How ratings are held out, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Validation {
    /// `k_fold`, `hold_out` (at random) or `hold_out_by_time`.
    #[serde(default)]
    pub kind: Kind,
    /// Parts of `k_fold`; 5 by default.
    #[schemars(range(min = 2, max = FOLDS_MAX))]
    pub folds: Option<usize>,
    /// Share of the ratings that the other two hold out; 0.1 by default.
    #[schemars(range(min = 0.001, max = 0.999))]
    pub share: Option<f64>,
}

/// Parts of a cross-validation if nobody says.
const FOLDS: usize = 5;

/// Share held out if nobody says.
const SHARE: f64 = 0.1;

/// The most parts of a cross-validation.
pub const FOLDS_MAX: usize = 20;

/// A training part, ready for ALS, and the ratings held out of it. All trials share it.
#[derive(Debug)]
pub struct Fold {
    /// What is trained on.
    pub matrix: RatingMatrix,
    /// What is held out; ratings of users and items that the training part does not have are among it.
    pub held_out: Ratings,
}

/// A fold in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct FoldSize {
    /// Ratings trained on.
    pub ratings: u64,
    /// Ratings held out.
    pub held_out: u64,
    /// Of those, ratings of a user or an item that the training part does not have: no trial can predict them, so none is judged by them.
    pub cold: u64,
}

/// [`Validation`], checked: the parts that rows are in.
enum Parts {
    /// Each of so many is held out once.
    Folds(usize),
    /// 0 is held out, 1 never.
    HoldOut,
}

impl Validation {
    /// Holds ratings out, and builds the matrix of each training part, once for all trials. `seed` has its say wherever chance does.
    ///
    /// # Errors
    /// `folds` or `share` out of range, or given where they mean nothing; a fold without ratings on both sides; a fold
    /// whose held-out ratings are all of users or items that its training part does not have.
    pub fn split(&self, ratings: &Ratings, duplicates: Duplicates, seed: u64, context: &Context) -> Result<Vec<Fold>> {
        let (parts, of_row) = self.parts(ratings, seed)?;
        let count = match parts {
            Parts::Folds(folds) => folds,
            Parts::HoldOut => 1,
        };
        let mut folds = Vec::with_capacity(count);
        for number in 0..count {
            context.check_cancelled()?;
            context.progress("fold", number as u64, Some(count as u64), Unit::Items);
            let fold = Fold::build(ratings, |row| usize::from(of_row[row]) == number, duplicates)?;
            fold.check().map_err(|what| {
                let message = format!("fold {} of {count} has {what}", number + 1);
                StageError::input(message)
                    .with_hint("use more ratings, fewer `folds` or another `share`; `k_fold` where time leaves nothing")
            })?;
            folds.push(fold);
        }
        Ok(folds)
    }

    /// How many folds there are, each with a matrix of its own, and the share of the ratings that is trained on in each.
    pub fn shape(&self) -> (usize, f64) {
        match self.kind {
            Kind::KFold => {
                let folds = self.folds.unwrap_or(FOLDS).max(1);
                (folds, 1.0 - 1.0 / folds as f64)
            }
            Kind::HoldOut | Kind::HoldOutByTime => (1, 1.0 - self.share.unwrap_or(SHARE)),
        }
    }

    /// The part of each row.
    fn parts(&self, ratings: &Ratings, seed: u64) -> Result<(Parts, Vec<u8>)> {
        let (folds, share) = (self.folds.unwrap_or(FOLDS), self.share.unwrap_or(SHARE));
        if !(2..=FOLDS_MAX).contains(&folds) {
            return Err(StageError::input(format!("`validation.folds` must be 2 to {FOLDS_MAX}, found {folds}")));
        }
        if !(0.001..=0.999).contains(&share) {
            return Err(StageError::input(format!("`validation.share` must be 0.001 to 0.999, found {share}")));
        }
        let meaningless = match self.kind {
            Kind::KFold => self.share.map(|_| "`validation.share` means nothing with `kind: k_fold`"),
            Kind::HoldOut | Kind::HoldOutByTime => self.folds.map(|_| "`validation.folds` means nothing without `kind: k_fold`"),
        };
        if let Some(message) = meaningless {
            return Err(StageError::input(message).with_hint("leave it out, or write another `kind`"));
        }
        let split = HashSplit::new(seed, Purpose::Tuning);
        let pairs = || ratings.user.iter().zip(&ratings.movie);
        Ok(match self.kind {
            // At most `FOLDS_MAX`, so a byte holds it.
            Kind::KFold => (Parts::Folds(folds), pairs().map(|(&user, &movie)| split.part(user, movie, folds) as u8).collect()),
            Kind::HoldOut => (Parts::HoldOut, pairs().map(|(&user, &movie)| u8::from(!split.draws(user, movie, share))).collect()),
            Kind::HoldOutByTime => (Parts::HoldOut, split.latest(ratings, share).into_iter().map(|latest| u8::from(!latest)).collect()),
        })
    }
}

impl Fold {
    fn build(ratings: &Ratings, is_held_out: impl Fn(usize) -> bool, duplicates: Duplicates) -> Result<Self> {
        let count = (0..ratings.len()).filter(|&row| is_held_out(row)).count();
        let (mut train, mut held_out) = (Ratings::with_capacity(ratings.len() - count), Ratings::with_capacity(count));
        for row in 0..ratings.len() {
            let part = if is_held_out(row) { &mut held_out } else { &mut train };
            part.push(ratings.movie[row], ratings.user[row], ratings.rating[row], ratings.date[row]);
        }
        Ok(Self { matrix: RatingMatrix::build(&train, duplicates)?, held_out })
    }

    /// Its figures.
    pub fn size(&self) -> FoldSize {
        let is_cold = |(user, movie): (&i32, &i32)| self.matrix.users().row(*user).and(self.matrix.items().row(*movie)).is_none();
        let cold = self.held_out.user.iter().zip(&self.held_out.movie).filter(|&pair| is_cold(pair)).count();
        FoldSize { ratings: self.matrix.nnz() as u64, held_out: self.held_out.len() as u64, cold: cold as u64 }
    }

    /// What is wrong with it, in words.
    fn check(&self) -> Result<(), String> {
        let FoldSize { held_out, cold, .. } = self.size();
        match held_out {
            0 => Err("no ratings held out".to_owned()),
            _ if cold == held_out => Err(format!("{held_out} ratings held out, all of users or items that are in no other rating")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::PublishKey;

    fn context() -> Context {
        Context::plain("/nonexistent", PublishKey::new("r", "t", 0))
    }

    fn validation(value: serde_json::Value) -> Validation {
        serde_json::from_value(value).unwrap()
    }

    fn ratings(users: i32, movies: i32) -> Ratings {
        let mut ratings = Ratings::default();
        for (user, movie) in (0..users).flat_map(|user| (0..movies).map(move |movie| (user, movie))) {
            ratings.push(movie, user, 3.0, (user * 7 + movie * 3) % 10);
        }
        ratings
    }

    fn cells(ratings: &Ratings) -> Vec<(i32, i32, i32)> {
        let mut cells: Vec<_> = (0..ratings.len()).map(|row| (ratings.user[row], ratings.movie[row], ratings.date[row])).collect();
        cells.sort_unstable();
        cells
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_parts_of_a_cross_validation_are_disjoint_and_cover(seed: u64, folds in 2_usize..6) {
            let ratings = ratings(20, 15);
            let split = validation(json!({ "folds": folds })).split(&ratings, Duplicates::Latest, seed, &context()).unwrap();
            prop_assert_eq!(split.len(), folds);
            let mut all: Vec<_> = split.iter().flat_map(|fold| cells(&fold.held_out)).collect();
            all.sort_unstable();
            prop_assert_eq!(all, cells(&ratings));
            for fold in &split {
                prop_assert_eq!(fold.matrix.nnz() + fold.held_out.len(), ratings.len());
                for (user, movie, _) in cells(&fold.held_out) {
                    let cell = fold.matrix.users().row(user).zip(fold.matrix.items().row(movie));
                    prop_assert!(!cell.is_some_and(|(user, movie)| fold.matrix.contains(user, movie)));
                }
            }
        }
    }

    #[test]
    fn two_ratings_of_one_movie_by_one_user_are_held_out_together() {
        let mut ratings = ratings(20, 15);
        let again = ratings.clone();
        (0..again.len()).for_each(|row| ratings.push(again.movie[row], again.user[row], 4.0, 99));
        for fold in validation(json!({ "folds": 3 })).split(&ratings, Duplicates::All, 1, &context()).unwrap() {
            assert_eq!(fold.matrix.layers().len(), 2);
            assert_eq!(fold.matrix.layers()[0].by_user.nnz(), fold.matrix.layers()[1].by_user.nnz());
        }
    }

    #[test]
    fn the_future_is_held_out_by_time() {
        let ratings = ratings(20, 15);
        let fold = &validation(json!({ "kind": "hold_out_by_time", "share": 0.25 }))
            .split(&ratings, Duplicates::Latest, 1, &context())
            .unwrap()[0];
        assert_eq!((fold.matrix.nnz(), fold.held_out.len()), (225, 75));
        // 30 ratings a day: two days, and half of the third-last.
        let first = *fold.held_out.date.iter().min().unwrap();
        assert_eq!((first, fold.held_out.date.iter().filter(|&&date| date == 7).count()), (7, 15));
    }

    #[test]
    fn a_random_share_is_held_out_and_cold_ratings_are_counted() {
        let mut ratings = ratings(20, 15);
        ratings.push(99, 99, 5.0, 1_000);
        let by_time = validation(json!({ "kind": "hold_out_by_time", "share": 0.01 }));
        let size = by_time.split(&ratings, Duplicates::Latest, 1, &context()).unwrap()[0].size();
        assert_eq!(size, FoldSize { ratings: 298, held_out: 3, cold: 1 });
        let random = validation(json!({ "kind": "hold_out", "share": 0.3 }));
        let size = random.split(&ratings, Duplicates::Latest, 1, &context()).unwrap()[0].size();
        assert!((70..110).contains(&size.held_out) && size.ratings + size.held_out == 301, "{size:?}");
    }

    #[test]
    fn what_cannot_be_split_is_refused_by_name() {
        let refused = |value, ratings: &Ratings| {
            validation(value).split(ratings, Duplicates::Latest, 1, &context()).map(|folds| folds.len()).unwrap_err().message
        };
        let few = ratings(1, 3);
        assert!(refused(json!({ "folds": 20 }), &few).contains("no ratings held out"));
        assert_eq!(
            refused(json!({ "kind": "hold_out_by_time", "share": 0.4 }), &few),
            "fold 1 of 1 has 1 ratings held out, all of users or items that are in no other rating"
        );
        assert_eq!(refused(json!({ "share": 0.2 }), &few), "`validation.share` means nothing with `kind: k_fold`");
        assert_eq!(refused(json!({ "kind": "hold_out", "folds": 3 }), &few), "`validation.folds` means nothing without `kind: k_fold`");
        assert_eq!(refused(json!({ "folds": 1 }), &few), "`validation.folds` must be 2 to 20, found 1");
    }
}
