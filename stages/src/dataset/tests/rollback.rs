//! Going back, shortening the history, and what people are told of a dataset.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::*;
use crate::dataset::{Partition, SNAPSHOTS_KEPT, find, fork, history, overview, prune_snapshots, published, rollback, snapshots};

/// `train` with so many snapshots; number `n` holds `n` rows of January.
fn grown(snapshots: i32) -> Place {
    let place = Place::new();
    for user in 1..=snapshots {
        place.upsert("train", &[(1, user, 3.0, "2005-01-01")]);
    }
    place
}

fn numbers(place: &Place) -> Vec<(u64, Option<u64>, u64)> {
    history(&place.path("train")).unwrap().iter().map(|manifest| (manifest.snapshot, manifest.restores, manifest.rows)).collect()
}

#[test]
fn a_rollback_is_a_new_snapshot_with_the_files_of_the_old_one() {
    let place = grown(2);
    let old = Dataset::open_snapshot(&place.path("train"), 1, &place.context("reader")).unwrap();
    let inode = |folder: &Path| fs::metadata(folder.join("year=2005/month=1/part-00000.parquet")).unwrap().ino();
    let done = rollback(&place.path("train"), None, &place.context("back")).unwrap();
    assert_eq!((done.snapshot, done.restores, done.replaces, done.rows), (3, 1, 2, 1));
    assert_eq!(place.read("train"), owned(&[(1, 1, 3.0, "2005-01-01")]));
    assert_eq!(inode(&place.path("train")), inode(old.dir()));
    assert_eq!(done.fingerprint, old.fingerprint());
    // Work goes on from there, and nobody holds the oldest any more.
    drop(old);
    place.upsert("train", &[(1, 9, 3.0, "2005-01-01")]);
    assert_eq!(numbers(&place), [(4, None, 2), (3, Some(1), 1), (2, None, 2)]);
}

#[test]
pub(super) fn rolling_back_again_goes_further_back_and_a_number_goes_anywhere() {
    let place = grown(3);
    let back = |to, run: &str| rollback(&place.path("train"), to, &place.context(run)).map(|done| (done.snapshot, done.rows));
    assert_eq!(back(None, "a"), Ok((4, 2)));
    // Publishing pruned snapshot 1; what is left is younger than the content of 4, which is that of 2.
    let error = back(None, "b").unwrap_err();
    assert_eq!(error.message, "`train` has no snapshot older than the current content");
    assert_eq!(error.hint.unwrap(), "kept beside the current one: 3, 2");
    assert_eq!(back(Some(3), "c"), Ok((5, 3)));
    assert_eq!(back(Some(4), "d"), Ok((6, 2)));
    assert_eq!(history(&place.path("train")).unwrap()[0].restores, Some(2), "what was restored in the first place");
    place.upsert("train", &[(1, 7, 3.0, "2005-01-01")]);
    assert_eq!(back(None, "e"), Ok((8, 2)), "the snapshot before, be it a rollback itself");
    assert!(back(Some(8), "f").unwrap_err().message.ends_with("is the current one"));
    assert!(back(Some(99), "g").unwrap_err().message.ends_with("has no snapshot 99"));
}

#[test]
fn work_that_was_rolled_back_is_not_done_again_by_a_resume() {
    let place = grown(1);
    let (path, bad) = (place.path("train"), place.context("bad"));
    publish(&[(&path, change(&[(6, 6, 1.0, "2005-06-06")]))], &bad).unwrap();
    rollback(&path, None, &place.context("back")).unwrap();
    assert!(published(&[&path], &bad).unwrap().is_some());
    assert!(publish(&[(&path, change(&[(6, 6, 1.0, "2005-06-06")]))], &bad).unwrap().is_empty());
    assert_eq!(place.read("train").len(), 1);
}

#[test]
pub(super) fn a_reader_keeps_its_snapshot_through_rollbacks_and_prunes() {
    let place = grown(3);
    let (path, context) = (place.path("train"), place.context("reader"));
    let held = Dataset::open_snapshot(&path, 1, &context).unwrap();
    rollback(&path, Some(2), &place.context("back")).unwrap();
    let pruned = prune_snapshots(&path, 1, &context).unwrap();
    assert_eq!((pruned.removed, pruned.held), (vec![2, 3], vec![1]));
    assert_eq!(listed(&held, &context).len(), 1);
    assert_eq!(place.read("train").len(), 2);
    drop(held);
    assert_eq!(prune_snapshots(&path, 0, &context).unwrap().removed, [1]);
    assert_eq!(numbers(&place), [(4, Some(2), 2)], "the current one stays whatever is asked");
}

#[test]
fn what_cannot_go_back_says_why_and_creates_nothing() {
    let place = Place::new();
    let context = place.context("back");
    assert_eq!(rollback(&place.path("none"), None, &context).unwrap_err().message, "there is no dataset at `none`");
    place.upsert("train", &[(1, 1, 3.0, "2005-01-01")]);
    fs::rename(place.path("train").canonicalize().unwrap(), place.path("plain")).unwrap();
    assert!(rollback(&place.path("plain"), None, &context).unwrap_err().message.contains("has no snapshots"));
    assert_eq!(prune_snapshots(&place.path("plain"), 1, &context).unwrap(), Default::default());
    assert!(!place.path(".none.snapshots").exists() && !place.path(".plain.snapshots").exists());
}

#[test]
fn a_full_disk_at_any_step_of_a_rollback_leaves_the_old_or_the_new_content() {
    use crate::storage::FailAfter;
    for operations in 0.. {
        let place = grown(2);
        let storage = Arc::new(FailAfter::new(storage::TestDisk::new(), operations, std::io::ErrorKind::StorageFull));
        let result = rollback(&place.path("train"), None, &Context { storage, ..place.context("back") });
        let rows = place.read("train").len();
        assert!(rows == 1 || rows == 2, "{rows} rows after a fault at operation {operations}");
        if result.is_ok() {
            assert!(operations > 5, "a disk that takes {operations} operations was never full");
            assert_eq!(rows, 1);
            break;
        }
        place.upsert("train", &[(1, 1, 3.0, "2005-01-01")]);
    }
}

#[test]
fn an_overview_counts_months_and_ratings_from_the_rows() {
    let place = Place::new();
    place.upsert("train", &[(1, 1, 3.5, "2005-12-01"), (1, 2, 5.0, "2005-12-01"), (1, 3, 5.0, "2004-02-29")]);
    let context = place.context("reader");
    let overview = overview(&Dataset::open(&place.path("train"), &context).unwrap(), &context).unwrap();
    let months: Vec<(Partition, u64)> = overview.months.iter().map(|month| (month.month, month.rows)).collect();
    assert_eq!(months, [(Partition { year: 2004, month: 2 }, 1), (Partition { year: 2005, month: 12 }, 2)]);
    let ratings: Vec<(f32, u64)> = overview.ratings.iter().map(|rating| (rating.rating, rating.rows)).collect();
    assert_eq!(ratings, [(3.5, 1), (5.0, 2)]);
    assert_eq!((overview.info.snapshot, overview.info.files, overview.info.rows), (Some(1), 2, 3));
    assert_eq!(overview.columns[2].kind, "float32");
    assert_eq!(overview.dir, place.path("train").canonicalize().unwrap());
}

#[test]
fn a_list_finds_published_plain_and_broken_datasets_and_follows_no_link() {
    let place = grown(SNAPSHOTS_KEPT as i32);
    let context = place.context("reader");
    fs::create_dir_all(place.path("deep/plain/year=2005/month=1")).unwrap();
    std::os::unix::fs::symlink(".", place.path("circle")).unwrap();
    place.upsert("broken", &[(1, 1, 3.0, "2005-01-01")]);
    fs::write(place.path(".broken.snapshots/1.json"), "{").unwrap();
    let found = find(place.folder.path(), &context).unwrap();
    let names: Vec<(&str, Option<u64>, bool)> = found
        .iter()
        .map(|entry| (entry.path.to_str().unwrap(), entry.info.as_ref().and_then(|info| info.snapshot), entry.error.is_some()))
        .collect();
    assert_eq!(names, [("broken", None, true), ("deep/plain", None, false), ("train", Some(3), false)]);
    assert_eq!(snapshots(&place.path("train"), &context).unwrap().len(), SNAPSHOTS_KEPT);
    assert!(snapshots(&place.path("none"), &context).is_err());
}

#[test]
fn a_fork_has_the_content_of_the_original_and_goes_its_own_way() {
    let place = grown(2);
    let original = Dataset::open(&place.path("train"), &place.context("reader")).unwrap();
    for _ in 0..2 {
        fork(&original, &place.path("elsewhere/train"), &place.context("fork")).unwrap();
    }
    let copy = Dataset::open(&place.path("elsewhere/train"), &place.context("reader")).unwrap();
    assert_eq!((copy.fingerprint(), copy.manifest().snapshot), (original.fingerprint(), 1));
    let inode = |folder: &Path| fs::metadata(folder.join("year=2005/month=1/part-00000.parquet")).unwrap().ino();
    assert_eq!(inode(copy.dir()), inode(original.dir()), "links, no copies");
    place.upsert("elsewhere/train", &[(9, 9, 1.0, "2005-01-02")]);
    assert_eq!((place.read("elsewhere/train").len(), place.read("train").len()), (3, 2));
}
