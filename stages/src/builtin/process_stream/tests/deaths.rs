//! Whatever dies when, every rating counts once.
//!
//! `TestDisk::dying_after(n)` refuses everything from the n-th operation on: what is on disk then is what `kill -9` at that instruction leaves. Sweeping
//! n over an attempt kills it everywhere.

use std::fs;

use serde_json::{Value, json};

use super::place::{CSV, Place, ratings, timeless};
use crate::dataset::tests::storage::TestDisk;
use crate::dataset::{Begin, Change, Layout, Mode, RatingTypeChoice, Transaction};
use crate::error::ErrorKind;
use crate::ratings::Ratings;
use crate::storage::FailAfter;

/// The final state after an undisturbed run.
fn undisturbed() -> Value {
    let place = Place::new();
    place.write(CSV, ratings().0);
    timeless(place.process("r1", json!({})).unwrap())
}

/// Kills an attempt at each of its operations, hands the workspace to `then`, and says how often that was.
fn killed_everywhere(then: impl Fn(&Place, bool)) -> u64 {
    for operations in 0.. {
        let place = Place::new();
        place.write(CSV, ratings().0);
        let died = place.process_on(TestDisk::dying_after(operations), "r1", json!({})).is_err();
        then(&place, died);
        if !died {
            return operations;
        }
    }
    unreachable!("some attempt needs no more operations")
}

fn assert_complete(place: &Place, moment: &str) {
    let (text, rows) = ratings();
    assert_eq!(place.both("data/streaming"), rows, "{moment}: each rating once");
    assert_eq!(place.both("data/streaming/batch"), rows, "{moment}");
    let archived = place.files("data/streaming/archive");
    assert_eq!(archived.len(), 1, "{moment}: {archived:?}");
    assert_eq!(fs::read_to_string(place.path("data/streaming/archive").join(&archived[0])).unwrap(), text);
    assert!(!place.path(CSV).exists(), "{moment}");
    assert_eq!(place.unfinished(), [""; 0], "{moment}");
}

#[test]
fn killed_at_any_instruction_the_next_attempt_finishes_or_repeats_with_the_same_output() {
    let expected = undisturbed();
    let moments = killed_everywhere(|place, died| {
        let again = place.process("r1", json!({})).unwrap();
        assert_eq!(timeless(again), expected, "died: {died}");
        assert_complete(place, "resumed");
    });
    assert!(moments > 100, "{moments}");
}

#[test]
fn what_a_dead_run_claimed_is_adopted_by_the_next_run_and_the_dead_one_resumed_later_adds_nothing() {
    killed_everywhere(|place, _| {
        // Its own file, or what is there already.
        match place.process("r2", json!({})) {
            Ok(output) => assert_eq!(output["rows"], json!(24)),
            Err(skipped) => assert_eq!(skipped.kind, ErrorKind::Skipped),
        }
        assert_complete(place, "after the next run");
        match place.process("r1", json!({})) {
            Ok(output) => assert_eq!(output["rows"], json!(24), "it had published"),
            Err(skipped) => assert_eq!(skipped.kind, ErrorKind::Skipped),
        }
        assert_complete(place, "after the dead run was resumed");
    });
}

#[test]
fn a_file_that_arrives_between_death_and_resumption_counts_too() {
    killed_everywhere(|place, _| {
        let published = place.both("data/streaming").len() == 24;
        let replaced = !place.path(CSV).exists();
        if replaced {
            place.write(CSV, "DATE,CUST_ID,MOVIE_ID,RATING\n2006-04-01,99,9,5\n");
        }
        let again = place.process("r1", json!({})).unwrap();
        assert_eq!(again["rows"], json!(if published || !replaced { 24 } else { 25 }));
        // Work that was published is not done again with other content: the next run takes the new file.
        let next = place.process("r2", json!({}));
        assert_eq!(next.is_ok(), published && replaced, "{next:?}");
        assert_eq!(place.both("data/streaming").len(), if replaced { 25 } else { 24 });
        assert_eq!((place.unfinished(), place.files("data/streaming/archive").len()), (vec![], 1 + usize::from(replaced)));
    });
}

#[test]
fn a_disk_that_fills_up_at_any_write_loses_nothing() {
    let expected = undisturbed();
    for operations in 0.. {
        let place = Place::new();
        place.write(CSV, ratings().0);
        let full = FailAfter::new(TestDisk::new(), operations, std::io::ErrorKind::StorageFull);
        let first = place.process_on(full, "r1", json!({}));
        let again = place.process("r1", json!({})).unwrap();
        assert_eq!(timeless(again), expected, "full after {operations}");
        assert_complete(&place, &format!("full after {operations}"));
        if first.is_ok() {
            break;
        }
    }
}

#[test]
fn that_a_dead_run_had_published_is_known_after_any_number_of_merges() {
    let place = Place::new();
    let (text, rows) = ratings();
    place.processed(&[(77, 7, 6, "2005-01-01".to_owned())]);
    // Published, and killed before the file was archived: the record is what a death there leaves.
    place.write(CSV, &text);
    place.process("r1", json!({ "after": "delete" })).unwrap();
    place.write("data/streaming/.claimed/r1+task+0.1/current.csv", &text);
    let metadata = fs::metadata(place.path("data/streaming/.claimed/r1+task+0.1/current.csv")).unwrap();
    let (seconds, nanoseconds) = {
        use std::os::unix::fs::MetadataExt;
        (metadata.mtime(), metadata.mtime_nsec())
    };
    let record = json!({ "format": 1, "publish_key": "r1/task/0", "files": [{
        "original": CSV, "claimed": "data/streaming/.claimed/r1+task+0.1/current.csv", "archive": "data/streaming/archive/x.csv",
        "stamp": { "bytes": text.len(), "modified_ns": seconds * 1_000_000_000 + nanoseconds } }] });
    place.write("data/streaming/.claims/r1+task+0.json", record.to_string());
    for round in 0..5 {
        // Each leaves a snapshot of the streaming sets; only three are kept.
        place.merge_on(TestDisk::new(), &format!("m{round}")).unwrap();
        let context = place.context(&format!("w{round}"), TestDisk::new());
        let path = place.path("data/streaming/train");
        let Begin::Open(mut transaction) = Transaction::begin(&[&path], &context).unwrap() else { panic!("published") };
        let mut other = Ratings::default();
        other.push(1000 + round, 1, 3.0, 12_000);
        let change = Change { rows: vec![other].into(), mode: Mode::Append, rating_type: RatingTypeChoice::Auto };
        transaction.write(0, change, &Layout::default()).unwrap();
        transaction.commit(&json!(null)).unwrap();
    }
    let before = place.both("data/streaming");
    assert_eq!(place.process("r2", json!({})).unwrap_err().kind, ErrorKind::Skipped);
    assert_eq!(place.both("data/streaming"), before, "merged ratings do not come back");
    assert!(rows.iter().all(|row| place.both("data/processed").contains(row)));
    assert_eq!((place.files("data/streaming/archive"), place.unfinished()), (vec!["x.csv".to_owned()], vec![]));
}
