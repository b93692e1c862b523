use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ratings::Ratings;

fn ratings(rows: &[(i32, i32, f32, i32)]) -> Ratings {
    let mut ratings = Ratings::default();
    for &(movie, user, rating, date) in rows {
        ratings.push(movie, user, rating, date);
    }
    ratings
}

/// All entries of all layers as (user id, item id, rating), by user and by item.
fn cells(matrix: &RatingMatrix) -> [Vec<(i32, i32, f32)>; 2] {
    let (users, items) = (matrix.users().as_slice(), matrix.items().as_slice());
    let mut sides = [Vec::new(), Vec::new()];
    for layer in matrix.layers() {
        sides[0].extend(layer.by_user.iter().map(|(&rating, (user, item))| (users[user as usize], items[item as usize], rating)));
        sides[1].extend(layer.by_item.iter().map(|(&rating, (item, user))| (users[user as usize], items[item as usize], rating)));
    }
    for side in &mut sides {
        side.sort_by(|a, b| a.partial_cmp(b).unwrap());
    }
    sides
}

#[test]
fn the_worked_example_of_the_module_holds() {
    let matrix = RatingMatrix::build(&ratings(&[(10, 9, 3.0, 0), (20, 7, 4.0, 0), (10, 7, 5.0, 0)]), Duplicates::Latest).unwrap();
    assert_eq!((matrix.users().as_slice(), matrix.items().as_slice()), (&[7, 9][..], &[10, 20][..]));
    let Layer { by_user, by_item, .. } = &matrix.layers()[0];
    assert_eq!((by_user.indptr().raw_storage(), by_user.indices(), by_user.data()), (&[0, 2, 3][..], &[0, 1, 0][..], &[5.0, 4.0, 3.0][..]));
    assert_eq!((by_item.indptr().raw_storage(), by_item.indices(), by_item.data()), (&[0, 2, 3][..], &[0, 1, 0][..], &[5.0, 3.0, 4.0][..]));
    assert!(matrix.contains(0, 1) && !matrix.contains(1, 1));
}

#[test]
fn the_latest_rating_of_a_cell_counts_and_of_one_date_the_highest() {
    let rows = ratings(&[(1, 1, 5.0, 10), (1, 1, 2.0, 20), (1, 1, 3.0, 20), (2, 1, 1.0, 0), (1, 1, 4.0, 15)]);
    let matrix = RatingMatrix::build(&rows, Duplicates::Latest).unwrap();
    assert_eq!(cells(&matrix)[0], [(1, 1, 3.0), (1, 2, 1.0)]);
    assert_eq!(matrix.layers().len(), 1);
}

#[test]
fn all_ratings_of_a_cell_are_kept_and_never_added_up() {
    let rows = ratings(&[(1, 1, 3.0, 10), (1, 1, 4.0, 20), (2, 1, 1.0, 0)]);
    let matrix = RatingMatrix::build(&rows, Duplicates::All).unwrap();
    assert_eq!(matrix.nnz(), 3);
    assert_eq!(matrix.layers().len(), 2);
    assert_eq!(cells(&matrix)[1], [(1, 1, 3.0), (1, 1, 4.0), (1, 2, 1.0)]);
}

#[test]
fn a_weight_halves_with_every_half_life_and_stays_with_its_rating_on_both_sides() {
    let rows = ratings(&[(10, 9, 3.0, 70), (20, 7, 4.0, 90), (10, 7, 5.0, 100), (20, 9, 1.0, -900), (20, 7, 2.0, 80)]);
    let matrix = RatingMatrix::build_recent(&rows, Duplicates::Latest, 10.0).unwrap();
    let Layer { by_user, by_item, weights } = &matrix.layers()[0];
    let weights = weights.as_ref().unwrap();
    assert_eq!((by_user.data(), &weights.by_user[..]), (&[5.0, 4.0, 3.0, 1.0][..], &[1.0, 0.5, 0.125, WEIGHT_MIN][..]));
    assert_eq!((by_item.data(), &weights.by_item[..]), (&[5.0, 3.0, 4.0, 1.0][..], &[1.0, 0.125, 0.5, WEIGHT_MIN][..]));
    assert!((matrix.weight() - 1.625).abs() < 1e-5 && RatingMatrix::build(&rows, Duplicates::Latest).unwrap().weight() == 4.0);
}

#[test]
fn no_ratings_and_broken_ratings_are_refused_by_name() {
    let error = RatingMatrix::build(&Ratings::default(), Duplicates::Latest).unwrap_err();
    assert_eq!(error.message, "there are no ratings to build a matrix from");
    let error = RatingMatrix::build(&ratings(&[(1, 1, 3.0, 0), (2, 8, f32::NAN, 0)]), Duplicates::Latest).unwrap_err();
    assert_eq!(error.message, "the rating of movie 2 by user 8 is NaN, not a finite number");
}

#[test]
fn extreme_ids_have_rows() {
    let ids = Ids::of(&[i32::MAX, i32::MIN, 0, i32::MAX]);
    assert_eq!(ids.as_slice(), [i32::MIN, 0, i32::MAX]);
    assert_eq!([i32::MIN, 0, i32::MAX, 1].map(|id| ids.row(id)), [Some(0), Some(1), Some(2), None]);
}

proptest! {
    #[test]
    fn a_matrix_holds_what_a_map_would(
        rows in prop::collection::vec((0_i32..9, -4_i32..5, 1_u8..6, 0_i32..3), 1..80),
        threads in 1_usize..4,
    ) {
        let rows: Vec<(i32, i32, f32, i32)> = rows.into_iter().map(|(m, u, r, d)| (m * 1000, u, f32::from(r), d)).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let build = |duplicates| pool.install(|| RatingMatrix::build(&ratings(&rows), duplicates)).unwrap();

        let mut latest: BTreeMap<(i32, i32), (i32, f32)> = BTreeMap::new();
        for &(movie, user, rating, date) in &rows {
            let best = latest.entry((user, movie)).or_insert((date, rating));
            if (date, rating) > *best { *best = (date, rating); }
        }
        let latest: Vec<_> = latest.into_iter().map(|((user, movie), (_, rating))| (user, movie, rating)).collect();
        let matrix = build(Duplicates::Latest);
        prop_assert_eq!(&cells(&matrix), &[latest.clone(), latest]);

        let mut all: Vec<_> = rows.iter().map(|&(movie, user, rating, _)| (user, movie, rating)).collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let matrix = build(Duplicates::All);
        prop_assert_eq!(&cells(&matrix), &[all.clone(), all]);
    }

    #[test]
    fn every_id_has_its_place_and_no_other_id_has_one(ids in prop::collection::vec(any::<i32>(), 0..30), wide: bool) {
        let ids: Vec<i32> = ids.into_iter().map(|id| if wide { id } else { id % 50 }).collect();
        let dense = Ids::of(&ids);
        for (row, &id) in dense.as_slice().iter().enumerate() {
            prop_assert_eq!(dense.row(id), Some(row as u32));
            prop_assert!(ids.contains(&id));
        }
        for id in ids {
            prop_assert!(dense.row(id).is_some());
            prop_assert_eq!(dense.row(id.wrapping_add(1)).is_some(), dense.as_slice().contains(&id.wrapping_add(1)));
        }
    }
}
