//! Readers and publishers at once.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::dataset::history;
use crate::error::ErrorKind;

#[test]
fn a_reader_stays_on_its_snapshot_however_many_are_published() {
    let place = Place::new();
    place.upsert("train", &[(1, 1, 3.0, "2005-01-01")]);
    let context = place.context("reader");
    let dataset = Dataset::open(&place.path("train"), &context).unwrap();
    for user in 2..=8 {
        place.upsert("train", &[(1, user, 3.0, "2005-01-01")]);
    }
    assert_eq!(listed(&dataset, &context), owned(&[(1, 1, 3.0, "2005-01-01")]));
    drop(dataset);
    place.upsert("train", &[(1, 9, 3.0, "2005-01-01")]);
    assert_eq!(history(&place.path("train")).unwrap().len(), 3, "once nobody reads it, the old snapshot goes");
}

#[test]
fn publishers_at_once_lose_no_row_and_readers_see_whole_snapshots() {
    let place = Place::new();
    let (train, test) = (place.path("train"), place.path("test"));
    place.upsert("train", &[(0, 0, 3.0, "2005-01-01")]);
    place.upsert("test", &[(0, 0, 3.0, "2005-01-01")]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (1..=4)
            .map(|user| {
                let (train, test, context) = (&train, &test, place.context(&format!("writer-{user}")));
                scope.spawn(move || {
                    let rows = [(1, user, 3.0, "2005-01-01"), (1, user, 3.0, "2005-02-01")];
                    // Both orders of naming: locks are taken in one order all the same.
                    let mut changes = [(train.as_path(), change(&rows)), (test.as_path(), change(&rows))];
                    if user % 2 == 0 {
                        changes.reverse();
                    }
                    publish(&changes, &context).unwrap();
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                assert_eq!(place.read("train").len() % 2, 1, "a writer adds two rows at once");
            }
        });
        let results: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        // Before looking at the results: the reader must end also when a writer failed.
        done.store(true, Ordering::Release);
        results.into_iter().for_each(|result| result.unwrap());
        reader.join().unwrap();
    });
    assert_eq!((place.read("train").len(), place.read("test").len()), (9, 9));
}

#[test]
fn waiting_for_a_publisher_can_be_cancelled() {
    let place = Place::new();
    let (path, holder, waiter) = (place.path("train"), place.context("holder"), place.context("waiter"));
    let _held = Transaction::begin(&[&path], &holder).unwrap();
    waiter.cancel.cancel();
    assert_eq!(Transaction::begin(&[&path], &waiter).unwrap_err().kind, ErrorKind::Cancelled);
}

#[test]
fn nothing_a_file_and_a_broken_link_are_told_apart() {
    let place = Place::new();
    let context = place.context("reader");
    let open = |name: &str| Dataset::open(&place.path(name), &context).unwrap_err();
    assert_eq!(open("train").message, "there is no dataset at `train`");
    fs::write(place.path("file"), "x").unwrap();
    assert!(open("file").message.ends_with("is not a dataset: it is a file"));
    place.upsert("train", &[(1, 1, 3.0, "2005-01-01")]);
    fs::remove_file(place.path(".train.snapshots/1.json")).unwrap();
    assert!(open("train").message.contains("points to a snapshot that is not there"));
}

#[test]
fn damage_is_named_by_file() {
    let place = Place::new();
    let context = place.context("reader");
    let one = [(1, 1, 3.0, "2005-01-01")];
    place.upsert("train", &one);
    place.upsert("longer", &[one[0], (2, 2, 2.0, "2005-01-01")]);
    let file = |name: &str| place.path(name).join("year=2005/month=1/part-00000.parquet");
    fs::copy(file("longer"), file("train")).unwrap();
    let error = Dataset::open(&place.path("train"), &context).unwrap().read(&context).unwrap_err();
    assert!(error.message.ends_with("holds 2 rows, the manifest says 1"), "{error}");
    for bytes in [&b""[..], b"PAR1", b"PAR1 not parquet at all, but long enough PAR1"] {
        fs::write(file("train"), bytes).unwrap();
        let error = Dataset::open(&place.path("train"), &context).unwrap().read(&context).unwrap_err();
        assert!(error.message.contains("part-00000.parquet"), "{error}");
    }
}
