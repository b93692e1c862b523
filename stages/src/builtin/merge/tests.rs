//! `merge` as a task calls it, whole and killed everywhere.

use serde_json::json;

use crate::builtin::process_stream::tests::{CSV, Place, Rating, ratings};
use crate::dataset::tests::storage::TestDisk;

/// A workspace with processed ratings and a stream, of which one key is in both.
fn with_stream() -> (Place, Vec<Rating>) {
    let place = Place::new();
    let (text, rows) = ratings();
    let (movie, user, _, date) = rows[0].clone();
    place.processed(&[(77, 7, 6, "2005-01-01".to_owned()), (movie, user, 10, date.clone())]);
    place.write(CSV, text);
    place.process("r1", json!({ "train_ratio": 1 })).unwrap();
    let mut expected: Vec<Rating> = rows[1..].to_vec();
    expected.extend([(77, 7, 6, "2005-01-01".to_owned()), (movie, user, 10, date)]);
    expected.sort();
    (place, expected)
}

#[test]
fn a_merge_moves_every_rating_and_leaves_an_empty_stream() {
    let (place, expected) = with_stream();
    let output = place.merge_on(TestDisk::new(), "r1").unwrap();
    assert_eq!((place.rows("data/processed/train"), place.both("data/streaming")), (expected, vec![]));
    let train = &output["train"];
    assert_eq!(
        [&train["stream_rows"], &train["rows_before"], &train["rows"], &train["added"]],
        [&json!(24), &json!(2), &json!(25), &json!(23)]
    );
    assert_eq!((&output["merged"], &output["test"]["added"]), (&json!(true), &json!(0)));
    assert_eq!(place.both("data/streaming/batch").len(), 24, "the batch is what the last file brought");
    // Nothing to do: said, and nothing is touched.
    let again = place.merge_on(TestDisk::new(), "r2").unwrap();
    assert_eq!((&again["merged"], &again["train"]["rows"], &again["train"]["snapshot"]), (&json!(false), &json!(25), &train["snapshot"]));
    // The stream goes on.
    place.write(CSV, "DATE,CUST_ID,MOVIE_ID,RATING\n2006-04-01,99,9,2.5\n");
    place.process("r3", json!({ "train_ratio": 1 })).unwrap();
    assert_eq!(place.both("data/streaming").len(), 1);
}

#[test]
fn a_merge_killed_at_any_instruction_has_moved_all_or_nothing_and_is_completed() {
    for operations in 0.. {
        let (place, expected) = with_stream();
        let died = place.merge_on(TestDisk::dying_after(operations), "r1").is_err();
        let (processed, stream) = (place.rows("data/processed/train"), place.rows("data/streaming/train"));
        assert!(
            (processed.len() == 2 && stream.len() == 24) || (processed == expected && stream.is_empty()),
            "after {operations}: {} and {} rows",
            processed.len(),
            stream.len()
        );
        let output = place.merge_on(TestDisk::new(), "r1").unwrap();
        assert_eq!((&output["train"]["added"], &output["train"]["stream_rows"]), (&json!(23), &json!(24)), "after {operations}");
        assert_eq!((place.rows("data/processed/train"), place.both("data/streaming")), (expected, vec![]));
        if !died {
            break;
        }
    }
}

#[test]
fn a_merge_without_a_stream_says_so_and_one_into_nothing_is_refused() {
    let place = Place::new();
    let refused = place.merge_on(TestDisk::new(), "r1").unwrap_err();
    assert_eq!(refused.message, "there is no dataset at `data/processed/train`");
    assert!(refused.hint.is_some() && place.files("data").is_empty(), "nothing was made");
    place.processed(&[(77, 7, 6, "2005-01-01".to_owned())]);
    let output = place.merge_on(TestDisk::new(), "r1").unwrap();
    assert_eq!((&output["merged"], &output["train"]["rows"]), (&json!(false), &json!(1)));
}
