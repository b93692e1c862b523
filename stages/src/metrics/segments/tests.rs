//! Segments by hand, and that nothing falls between them.

use proptest::prelude::*;

use super::by_rating::RATING_BINS;
use super::*;
use crate::matrix::{Duplicates, RatingMatrix};
use crate::metrics::errors::Prediction;
use crate::ratings::Ratings;

fn ratings(rows: &[(i32, i32, f32)]) -> Ratings {
    let mut ratings = Ratings::default();
    rows.iter().for_each(|&(user, movie, rating)| ratings.push(movie, user, rating, 0));
    ratings
}

/// User u (1 to 4) rated items 1 to u; item i was rated by 5 - i of them.
fn staircase() -> RatingMatrix {
    let rows: Vec<_> = (1..=4).flat_map(|user| (1..=user).map(move |item| (user, item, 3.0))).collect();
    RatingMatrix::build(&ratings(&rows), Duplicates::Latest).unwrap()
}

fn measured(train: &RatingMatrix, test: &Ratings) -> Segments {
    let segmentation = Segmentation::of(train, test);
    // Predicts 3 for known users.
    let predict = |row: usize| if test.user[row] <= 4 { Prediction::Known(3.0) } else { Prediction::Cold(None) };
    segmentation.measure(test, predict, &[(Ranking::default(), None); QUARTERS])
}

#[test]
fn segments_by_hand() {
    // One test rating of each of users 1 to 4, off by 0, 1, 2 and 1 stars; user 9 and item 50 are new.
    let test = ratings(&[(1, 4, 3.0), (2, 4, 4.0), (3, 1, 5.0), (4, 50, 2.0), (9, 1, 1.0)]);
    let found = measured(&staircase(), &test);
    let quarters: Vec<_> = found.user_activity.iter().map(|(name, of)| (name.as_str(), of.users, of.ratings_min, of.ratings_max)).collect();
    assert_eq!(quarters, [("q1", 1, 1, 1), ("q2", 1, 2, 2), ("q3", 1, 3, 3), ("q4", 1, 4, 4)]);
    assert_eq!(found.user_activity["q3"].errors, PairErrors { rmse: Some(2.0), mae: Some(2.0), scored: 1, cold: 0 });
    // Ten ratings: item 1 holds 4, of which the first begins the first third; item 2 begins at 4 of 10, items 3 and 4 at 7 and 9.
    let ItemPopularity { head, torso, tail } = &found.item_popularity;
    assert_eq!((head.items, torso.items, tail.items), (1, 1, 2));
    assert_eq!((head.ratings_max, tail.ratings_min, tail.ratings_max), (4, 1, 2));
    assert_eq!((head.errors.scored, head.errors.cold, head.errors.rmse), (1, 1, Some(2.0)));
    assert_eq!((tail.errors.scored, tail.errors.rmse), (2, Some(0.5_f64.sqrt())));
    assert_eq!((found.known_users.count, found.new_users.count), (4, 1));
    assert_eq!(found.new_users.errors, PairErrors { rmse: None, mae: None, scored: 0, cold: 1 });
    assert_eq!((found.known_items.count, found.new_items.count, found.new_items.errors.mae), (2, 1, Some(1.0)));
}

#[test]
fn users_of_one_activity_stand_in_one_segment() {
    // Six users with one rating, one with two.
    let rows: Vec<_> = (1..=6).map(|user| (user, 1, 3.0)).chain([(7, 1, 3.0), (7, 2, 3.0)]).collect();
    let train = RatingMatrix::build(&ratings(&rows), Duplicates::Latest).unwrap();
    let found = measured(&train, &ratings(&rows));
    let users: Vec<_> = found.user_activity.iter().map(|(name, of)| (name.as_str(), of.users, of.ratings_max)).collect();
    assert_eq!(users, [("q1", 6, 1), ("q4", 1, 2)]);
}

#[test]
fn errors_by_rating_name_each_value_and_many_values_share_bins() {
    let test = ratings(&[(1, 1, 5.0), (1, 2, 1.0), (2, 1, 5.0), (2, 2, 3.5)]);
    let found = by_rating(&test, |_| Prediction::Known(3.0));
    let bins: Vec<_> = found.iter().map(|bin| (bin.rating_min, bin.rating_max, bin.ratings, bin.errors.mae)).collect();
    assert_eq!(bins, [(1.0, 1.0, 1, Some(2.0)), (3.5, 3.5, 1, Some(0.5)), (5.0, 5.0, 2, Some(2.0))]);
    let many: Vec<_> = (0..100).map(|at| (1, at, at as f32)).collect();
    let found = by_rating(&ratings(&many), |_| Prediction::Cold(None));
    assert_eq!(found.len(), RATING_BINS);
    assert!(found.iter().all(|bin| (bin.ratings, bin.rating_max - bin.rating_min, bin.errors.cold) == (10, 9.0, 10)));
    assert!(by_rating(&Ratings::default(), |_| Prediction::Known(3.0)).is_empty());
}

proptest! {
    #[test]
    fn every_rating_falls_into_one_segment_of_each_kind(
        train in prop::collection::vec((0..30_i32, 0..20_i32), 1..200),
        test in prop::collection::vec((0..40_i32, 0..30_i32, 1..=10_u8), 1..100),
    ) {
        let train: Vec<_> = train.into_iter().map(|(user, item)| (user, item, 3.0)).collect();
        let train = RatingMatrix::build(&ratings(&train), Duplicates::Latest).unwrap();
        let test: Vec<_> = test.into_iter().map(|(user, item, halves)| (user, item, f32::from(halves) / 2.0)).collect();
        let test = ratings(&test);
        let found = Segmentation::of(&train, &test).measure(&test, |_| Prediction::Known(3.0), &[(Ranking::default(), None); QUARTERS]);
        let rows = |errors: &PairErrors| errors.scored;
        let total = test.len() as u64;
        prop_assert_eq!(rows(&found.known_users.errors) + rows(&found.new_users.errors), total);
        prop_assert_eq!(rows(&found.known_items.errors) + rows(&found.new_items.errors), total);
        let quarters: u64 = found.user_activity.values().map(|of| rows(&of.errors)).sum();
        prop_assert_eq!(quarters, rows(&found.known_users.errors));
        prop_assert_eq!(found.user_activity.values().map(|of| of.users).sum::<u64>(), found.known_users.count);
        let ItemPopularity { head, torso, tail } = &found.item_popularity;
        prop_assert_eq!(rows(&head.errors) + rows(&torso.errors) + rows(&tail.errors), rows(&found.known_items.errors));
        prop_assert_eq!(head.items + torso.items + tail.items, train.items().len() as u64);
        prop_assert!(torso.items == 0 || head.ratings_min >= torso.ratings_max);
        let bounds: Vec<_> = found.user_activity.values().flat_map(|of| [of.ratings_min, of.ratings_max]).collect();
        prop_assert!(bounds.is_sorted());
        prop_assert_eq!(by_rating(&test, |_| Prediction::Known(3.0)).iter().map(|bin| bin.ratings).sum::<u64>(), total);
    }
}
