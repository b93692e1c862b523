//! `process_stream` as a task calls it.

mod deaths;
mod place;

use std::fs;

use serde_json::{Value, json};

pub(crate) use self::place::{CSV, Place, Rating, ratings};
use crate::error::ErrorKind;

#[test]
fn a_file_is_split_published_and_archived() {
    let place = Place::new();
    let (text, rows) = ratings();
    place.write(CSV, format!("{text}bad line\n"));
    let output = place.process("r1", json!({ "train_ratio": 0.7 })).unwrap();
    assert_eq!((&output["rows"], &output["rejected"], &output["rejected_by_kind"]), (&json!(24), &json!(1), &json!({ "row_length": 1 })));
    assert_eq!(place.both("data/streaming"), rows);
    assert_eq!(place.both("data/streaming/batch"), rows);
    assert_eq!(place.rows("data/streaming/train"), place.rows("data/streaming/batch/train"));
    let train = place.rows("data/streaming/train").len();
    assert!((10..24).contains(&train), "{train}");
    assert_eq!((&output["train"]["path"], &output["train"]["added"]), (&json!("data/streaming/train"), &json!(train)));
    assert_eq!(output["batch"]["test"]["received"], json!(24 - train));
    assert!(!place.path(CSV).exists());
    let archived = place.files("data/streaming/archive");
    assert!(archived.len() == 1 && archived[0].ends_with("Z-current.csv"), "{archived:?}");
    assert_eq!(output["files"][0]["archive"], json!(format!("data/streaming/archive/{}", archived[0])));
    let rejects = fs::read_to_string(place.path(output["rejects_file"].as_str().unwrap())).unwrap();
    assert!(rejects.ends_with("data/streaming/current.csv\t26\trow_length\tbad line\n"), "{rejects}");
    assert_eq!(place.unfinished(), [""; 0]);
}

#[test]
fn a_second_file_adds_to_the_stream_and_replaces_the_batch_and_a_repeated_one_adds_nothing() {
    let place = Place::new();
    let (text, rows) = ratings();
    place.write(CSV, &text);
    place.process("r1", json!({})).unwrap();
    place.write(CSV, "RATING,DATE,MOVIE_ID,CUST_ID\n5,2006-04-01,9,9\n");
    let output = place.process("r2", json!({ "after": "delete" })).unwrap();
    assert_eq!((place.both("data/streaming").len(), place.both("data/streaming/batch").len()), (25, 1));
    assert_eq!(output["files"][0]["archive"], Value::Null);
    place.write(CSV, &text);
    let output = place.process("r3", json!({})).unwrap();
    let added = output["train"]["added"].as_i64().unwrap() + output["test"]["added"].as_i64().unwrap();
    assert_eq!((added, place.both("data/streaming").len(), place.both("data/streaming/batch")), (0, 25, rows));
    assert_eq!(place.files("data/streaming/archive").len(), 2, "the one in between was deleted");
}

#[test]
fn without_a_file_the_task_is_skipped_fails_or_succeeds_with_no_ratings() {
    let place = Place::new();
    let skipped = place.process("r1", json!({})).unwrap_err();
    assert_eq!((skipped.kind, skipped.message.as_str()), (ErrorKind::Skipped, "there is no stream file `data/streaming/current.csv`"));
    let failed = place.process("r1", json!({ "on_missing": "fail" })).unwrap_err();
    assert!(failed.kind.is_retryable() && failed.hint.is_some());
    place.write("data/streaming/current.csv", "");
    let empty = place.process("r1", json!({})).unwrap_err();
    assert_eq!(empty.message, "`data/streaming/current.csv` is left alone: it is empty");
    let output = place.process("r1", json!({ "on_missing": "succeed" })).unwrap();
    assert_eq!((&output["rows"], &output["files"], &output["train"]["rows"]), (&json!(0), &json!([]), &json!(0)));
    assert_eq!(place.unfinished(), [""; 0]);
}

#[test]
fn several_files_compressed_or_not_are_one_batch() {
    let place = Place::new();
    let (text, mut rows) = ratings();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    place.write("data/streaming/a.csv.gz", gzip.finish().unwrap());
    place.write("data/streaming/b.csv", "\u{feff}date,cust_id,movie_id,rating\r\n2006-05-01,7,7,3.5");
    place.write("data/streaming/c.csv.tmp", "half");
    let output = place.process("r1", json!({ "csv": "data/streaming/*.csv*" })).unwrap();
    rows.push((7, 7, 7, "2006-05-01".to_owned()));
    rows.sort();
    assert_eq!(place.both("data/streaming"), rows);
    assert_eq!((&output["files"][0]["rows"], &output["files"][1]["rows"]), (&json!(24), &json!(1)));
    // One half star: train and test are of one type.
    assert_eq!((&output["train"]["rating_type"], &output["test"]["rating_type"]), (&json!("float"), &json!("float")));
    assert_eq!(place.files("data/streaming/archive").len(), 2);
    assert!(place.path("data/streaming/c.csv.tmp").exists());
}

#[test]
fn a_file_that_cannot_be_accepted_is_put_back_and_nothing_is_published() {
    let place = Place::new();
    for (text, inputs, message) in [
        ("userId,movieId,rating\n1,2,3\n", json!({}), "`data/streaming/current.csv` has no column DATE in line 1"),
        (
            "DATE,CUST_ID,MOVIE_ID,RATING\nx\n",
            json!({}),
            "`data/streaming/current.csv` has no good row: all 1 lines with content were rejected",
        ),
        (
            "DATE,CUST_ID,MOVIE_ID,RATING\n2006-01-01,1,1,1\nx\n",
            json!({ "max_bad_rows": 0 }),
            "`data/streaming/current.csv` has 1 malformed lines beside 1 good rows, `max_bad_rows` allows 0",
        ),
    ] {
        place.write(CSV, text);
        let error = place.process("r1", inputs).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Input, message));
        assert!(error.hint.is_some());
        assert_eq!(fs::read_to_string(place.path(CSV)).unwrap(), text);
        assert_eq!((place.unfinished(), place.both("data/streaming")), (vec![], vec![]));
    }
}
