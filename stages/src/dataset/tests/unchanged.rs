//! Work that changes nothing: no snapshot, and yet done once.

use super::*;
use crate::dataset::{SNAPSHOTS_KEPT, history, published, rollback};

const ROWS: [Rating; 2] = [(1, 1, 3.0, "2005-01-01"), (2, 2, 4.0, "2005-02-01")];

fn snapshots(place: &Place, name: &str) -> Vec<u64> {
    history(&place.path(name)).unwrap().iter().map(|manifest| manifest.snapshot).collect()
}

#[test]
pub(super) fn an_upsert_of_rows_that_are_all_there_writes_no_snapshot() {
    let place = Place::new();
    assert!(place.upsert("train", &ROWS).changed);
    for run in ["b", "c"] {
        let again = publish(&[(&place.path("train"), change(&ROWS))], &place.context(run)).unwrap().remove(0);
        assert_eq!((again.changed, again.snapshot, again.rows, again.duplicates), (false, 1, 2, 2));
    }
    let lower = place.upsert("train", &[(1, 1, 2.0, "2005-01-01")]);
    assert!(!lower.changed, "a lower rating changes nothing");
    assert_eq!(snapshots(&place, "train"), [1]);
    assert!(place.upsert("train", &[(1, 1, 5.0, "2005-01-01")]).changed);
    assert_eq!(snapshots(&place, "train"), [2, 1]);
}

#[test]
fn an_overwrite_and_another_rating_type_are_always_written() {
    let place = Place::new();
    place.upsert("train", &ROWS);
    let with = |change: Change, run: &str| publish(&[(&place.path("train"), change)], &place.context(run)).unwrap().remove(0).changed;
    assert!(with(Change { mode: Mode::Overwrite, ..change(&ROWS) }, "a"), "perhaps with another layout");
    assert!(with(Change { rating_type: RatingTypeChoice::Float, ..change(&ROWS) }, "b"));
    assert!(!with(change(&ROWS), "c"));
    assert!(with(Change { mode: Mode::Append, ..change(&ROWS) }, "d"));
    assert!(with(change(&[]), "e"), "the duplicates go");
    assert!(!with(change(&[]), "f"));
}

#[test]
fn work_that_changed_nothing_is_found_to_be_done_and_not_done_again_after_a_rollback() {
    let place = Place::new();
    let path = place.path("train");
    place.upsert("train", &ROWS[..1]);
    place.upsert("train", &ROWS);
    let context = place.context("same");
    publish(&[(&path, change(&ROWS))], &context).unwrap();
    rollback(&path, None, &place.context("back")).unwrap();
    // The record of the run was lost, say: its resumption must not undo the rollback.
    assert_eq!(published(&[&path], &context).unwrap().unwrap()["rows"], 2);
    assert!(publish(&[(&path, change(&ROWS))], &context).unwrap().is_empty());
    assert_eq!(place.read("train").len(), 1);
}

#[test]
fn of_two_datasets_only_the_one_that_changes_gets_a_snapshot_and_both_bear_the_key() {
    let place = Place::new();
    let (train, test) = (place.path("train"), place.path("test"));
    publish(&[(&train, change(&ROWS)), (&test, change(&ROWS))], &place.context("a")).unwrap();
    let more = change(&[(9, 9, 5.0, "2005-03-03")]);
    let context = place.context("b");
    let written = publish(&[(&train, more.clone()), (&test, change(&ROWS))], &context).unwrap();
    assert_eq!(written.iter().map(|written| (written.snapshot, written.changed)).collect::<Vec<_>>(), [(2, true), (1, false)]);
    assert_eq!((snapshots(&place, "train"), snapshots(&place, "test")), (vec![2, 1], vec![1]));
    assert!(published(&[&train, &test], &context).unwrap().is_some());
    assert!(publish(&[(&train, more), (&test, change(&ROWS))], &context).unwrap().is_empty());
}

#[test]
fn the_record_is_bounded_and_goes_with_its_snapshot() {
    let place = Place::new();
    let path = place.path("train");
    place.upsert("train", &ROWS);
    for run in 0..40 {
        publish(&[(&path, change(&ROWS))], &place.context(&format!("run{run}"))).unwrap();
    }
    let record = place.path(".train.snapshots/1.unchanged.json");
    let works = serde_json::from_slice::<serde_json::Value>(&std::fs::read(&record).unwrap()).unwrap()["works"].as_array().unwrap().len();
    assert_eq!(works, 32);
    assert!(published(&[&path], &place.context("run39")).unwrap().is_some());
    assert!(published(&[&path], &place.context("run0")).unwrap().is_none());
    for user in 0..SNAPSHOTS_KEPT as i32 {
        place.upsert("train", &[(7, user, 3.0, "2005-01-01")]);
    }
    assert!(!record.exists());
}
