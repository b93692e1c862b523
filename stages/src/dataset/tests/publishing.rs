//! What a publication does to the rows and files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use proptest::prelude::*;

use super::*;
use crate::dataset::{Compression, RatingType, history, published};

#[test]
pub(super) fn rows_land_in_the_month_of_their_date_and_are_read_in_order() {
    let place = Place::new();
    let written = place.upsert("train", &[(2, 1, 3.0, "2005-12-01"), (1, 9, 4.0, "2005-02-28"), (1, 2, 5.0, "2005-12-31")]);
    assert_eq!((written.rows, written.files, written.duplicates, written.rating_type), (3, 2, 0, RatingType::Int));
    assert_eq!(place.files("train"), ["year=2005/month=12/part-00000.parquet", "year=2005/month=2/part-00000.parquet"]);
    assert_eq!(
        place.read("train"),
        owned(&[(1, 9, 4.0, "2005-02-28"), (1, 2, 5.0, "2005-12-31"), (2, 1, 3.0, "2005-12-01")]),
        "months in order of time"
    );
    assert!(fs::symlink_metadata(place.path("train")).unwrap().is_symlink());
}

#[test]
pub(super) fn an_upsert_keeps_one_row_a_key_with_the_highest_rating() {
    let place = Place::new();
    place.upsert("train", &[(1, 1, 3.0, "2005-01-01"), (1, 1, 2.0, "2005-01-02"), (1, 2, 1.0, "2005-01-01")]);
    let written = place
        .upsert("train", &[(1, 1, 4.0, "2005-01-01"), (1, 1, 1.0, "2005-01-02"), (9, 9, 5.0, "2005-01-01"), (9, 9, 5.0, "2005-01-01")]);
    assert_eq!(
        place.read("train"),
        owned(&[(1, 1, 4.0, "2005-01-01"), (1, 1, 2.0, "2005-01-02"), (1, 2, 1.0, "2005-01-01"), (9, 9, 5.0, "2005-01-01")]),
        "the same user and movie on two dates are two ratings"
    );
    assert_eq!((written.rows, written.duplicates), (4, 3));
}

#[test]
fn only_months_that_change_are_rewritten() {
    let place = Place::new();
    place.upsert("train", &[(1, 1, 3.0, "2005-01-01"), (1, 1, 3.0, "2005-02-01"), (1, 1, 3.0, "2005-03-01")]);
    let inode = |month: u32| fs::metadata(place.path("train").join(format!("year=2005/month={month}/part-00000.parquet"))).unwrap().ino();
    let before = [inode(1), inode(2), inode(3)];
    // January gets a row, February one that it already has.
    place.upsert("train", &[(2, 1, 3.0, "2005-01-01"), (1, 1, 3.0, "2005-02-01")]);
    assert_ne!(inode(1), before[0]);
    assert_eq!([inode(2), inode(3)], before[1..]);
}

#[test]
pub(super) fn the_same_rows_give_the_same_bytes_and_fingerprint_however_they_arrive() {
    let rows = [(1, 1, 3.0, "2005-01-01"), (2, 1, 4.0, "2005-01-01"), (1, 2, 5.0, "2005-02-01"), (7, 7, 1.0, "2004-07-07")];
    let place = Place::new();
    place.upsert("once", &rows);
    for row in rows.iter().rev() {
        place.upsert("piecemeal", &[*row]);
    }
    let context = place.context("reader");
    let open = |name| Dataset::open(&place.path(name), &context).unwrap();
    assert_eq!(open("once").fingerprint(), open("piecemeal").fingerprint());
    assert_eq!(place.files("once"), place.files("piecemeal"));
    for file in place.files("once") {
        assert_eq!(fs::read(place.path("once").join(&file)).unwrap(), fs::read(place.path("piecemeal").join(&file)).unwrap(), "{file}");
    }
    place.upsert("piecemeal", &[(7, 7, 2.0, "2004-07-07")]);
    assert_ne!(open("once").fingerprint(), open("piecemeal").fingerprint());
}

#[test]
pub(super) fn overwrite_replaces_and_append_keeps_duplicates_until_an_upsert() {
    let place = Place::new();
    let path = place.path("train");
    let with =
        |mode, rows: &[Rating], run: &str| publish(&[(&path, Change { mode, ..change(rows) })], &place.context(run)).unwrap().remove(0);
    place.upsert("train", &[(1, 1, 3.0, "2005-01-01"), (1, 1, 3.0, "2005-02-01")]);
    with(Mode::Overwrite, &[(5, 5, 5.0, "2005-05-05"), (5, 5, 4.0, "2005-05-05")], "a");
    assert_eq!(place.read("train"), owned(&[(5, 5, 5.0, "2005-05-05")]));
    let appended = with(Mode::Append, &[(5, 5, 5.0, "2005-05-05"), (6, 6, 1.0, "2005-06-06")], "b");
    assert_eq!((appended.rows, appended.duplicates), (3, 0));
    // The upsert names another month, but leaves no duplicate anywhere.
    let upserted = with(Mode::Upsert, &[(6, 6, 1.0, "2005-06-06")], "c");
    assert_eq!((upserted.rows, upserted.duplicates), (2, 2));
}

#[test]
pub(super) fn half_stars_make_a_float_dataset_and_are_refused_in_one_of_whole_stars() {
    let place = Place::new();
    let path = place.path("train");
    assert_eq!(place.upsert("halves", &[(1, 1, 3.5, "2005-01-01")]).rating_type, RatingType::Float);
    assert_eq!(place.upsert("halves", &[(1, 2, 3.0, "2005-01-01")]).rating_type, RatingType::Float, "auto keeps the type");
    place.upsert("train", &[(1, 1, 3.0, "2005-01-01"), (1, 1, 4.0, "2005-02-01")]);
    let halves = change(&[(1, 2, 3.5, "2005-01-01")]);
    let refused = publish(&[(&path, halves.clone())], &place.context("a")).unwrap_err();
    assert!(refused.hint.unwrap().contains("rating_type: float"));
    assert_eq!(place.read("train").len(), 2);
    // The remedy works: the whole dataset changes its type, so that it has one.
    let converted = publish(&[(&path, Change { rating_type: RatingTypeChoice::Float, ..halves })], &place.context("b")).unwrap().remove(0);
    assert_eq!((converted.rows, converted.rating_type), (3, RatingType::Float));
    assert_eq!(place.read("train"), owned(&[(1, 1, 3.0, "2005-01-01"), (1, 2, 3.5, "2005-01-01"), (1, 1, 4.0, "2005-02-01")]));
    let back = Change { rating_type: RatingTypeChoice::Int, ..change(&[]) };
    assert!(publish(&[(&path, back)], &place.context("c")).unwrap_err().message.contains("half stars"));
}

#[test]
pub(super) fn the_same_work_is_published_once_even_after_others_published() {
    let place = Place::new();
    let (train, test) = (place.path("train"), place.path("test"));
    let context = place.context("a");
    let both = [(train.as_path(), change(&[(1, 1, 3.0, "2005-01-01")])), (test.as_path(), change(&[(2, 2, 3.0, "2005-01-01")]))];
    assert_eq!(published(&[&train, &test], &context).unwrap(), None);
    publish(&both, &context).unwrap();
    place.upsert("train", &[(7, 7, 3.0, "2005-01-01")]);
    assert_eq!(published(&[&train, &test], &context).unwrap().unwrap()["rows"], 2);
    assert!(publish(&both, &context).unwrap().is_empty(), "begin returns the recorded output");
    assert_eq!(history(&train).unwrap().len(), 2);
    // Somebody removed the dataset: then the work is to be done again.
    fs::remove_file(&test).unwrap();
    assert_eq!(published(&[&train, &test], &context).unwrap(), None);
    assert_eq!(publish(&both, &context).unwrap().len(), 2);
}

#[test]
pub(super) fn the_last_three_snapshots_are_kept() {
    let place = Place::new();
    for user in 1..=5 {
        place.upsert("train", &[(1, user, 3.0, "2005-01-01")]);
    }
    let kept: Vec<(u64, u64)> = history(&place.path("train")).unwrap().iter().map(|manifest| (manifest.snapshot, manifest.rows)).collect();
    assert_eq!(kept, [(5, 5), (4, 4), (3, 3)]);
    let context = place.context("reader");
    assert_eq!(Dataset::open_snapshot(&place.path("train"), 4, &context).unwrap().read(&context).unwrap().len(), 4);
    assert!(Dataset::open_snapshot(&place.path("train"), 1, &context).is_err());
}

#[test]
fn a_partition_is_split_at_the_target_size_and_every_codec_is_read_back() {
    let place = Place::new();
    let mut rows = Ratings::default();
    for user in 0..100_000 {
        rows.push(user % 97, (user * 7919) % 1_000_003, ((user % 5) + 1) as f32, 12_784 + user % 28);
    }
    for (compression, name) in [(Compression::Snappy, "snappy"), (Compression::Zstd, "zstd"), (Compression::None, "none")] {
        let (path, context) = (place.path(name), place.context(name));
        let Begin::Open(mut transaction) = Transaction::begin(&[&path], &context).unwrap() else { panic!("nothing was published yet") };
        let layout = Layout { compression, target_file_bytes: Some(100_000), ..Layout::default() };
        let change = Change { rows: vec![rows.clone()], mode: Mode::Upsert, rating_type: RatingTypeChoice::Auto };
        let written = transaction.write(0, (&change).into(), &layout).unwrap();
        transaction.commit(&()).unwrap();
        assert!(written.files > 1, "{name}");
        assert_eq!(Dataset::open(&path, &context).unwrap().read(&context).unwrap().len(), 100_000);
    }
    let context = place.context("reader");
    let fingerprint = |name| Dataset::open(&place.path(name), &context).unwrap().fingerprint().to_owned();
    assert_eq!(fingerprint("snappy"), fingerprint("zstd"));
}

#[test]
pub(super) fn an_empty_dataset_can_be_published_opened_and_filled() {
    let place = Place::new();
    assert_eq!(place.upsert("train", &[]).rows, 0);
    assert!(place.read("train").is_empty());
    assert_eq!(place.upsert("train", &[(1, 1, 3.5, "2005-01-01")]).rating_type, RatingType::Float, "no rows, no type to keep");
}

#[test]
fn a_dataset_named_twice_and_a_snapshot_as_target_are_refused() {
    let place = Place::new();
    place.upsert("train", &[(1, 1, 3.0, "2005-01-01")]);
    let (path, alias, context) = (place.path("train"), place.path("./train/"), place.context("a"));
    assert!(Transaction::begin(&[&path, &alias], &context).unwrap_err().message.contains("twice"));
    assert!(Transaction::begin(&[&path.canonicalize().unwrap()], &context).unwrap_err().message.contains("is a snapshot"));
}

/// What an upsert means, on a map.
fn model(batches: &[Vec<Rating>]) -> Vec<(i32, i32, f32, String)> {
    let mut map: BTreeMap<(&str, i32, i32, &str), f32> = BTreeMap::new();
    for &(movie, user, stars, date) in batches.iter().flatten() {
        let kept = map.entry((&date[..7], movie, user, date)).or_insert(stars);
        *kept = kept.max(stars);
    }
    map.into_iter().map(|((_, movie, user, date), stars)| (movie, user, stars, date.to_owned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_sequence_of_upserts_agrees_with_a_map(batches in prop::collection::vec(prop::collection::vec((0..3_i32, 0..3_i32, 1..6_i32, 0..4_usize), 0..8), 1..4)) {
        let dates = ["2004-12-31", "2005-01-01", "2005-01-02", "2005-11-01"];
        let batches: Vec<Vec<Rating>> =
            batches.iter().map(|batch| batch.iter().map(|&(movie, user, stars, date)| (movie, user, stars as f32, dates[date])).collect()).collect();
        let place = Place::new();
        for batch in &batches {
            place.upsert("train", batch);
        }
        prop_assert_eq!(place.read("train"), model(&batches));
    }
}

/// For those who run it under other circumstances.
pub(super) fn upserts_agree_with_a_map() {
    any_sequence_of_upserts_agrees_with_a_map();
}
