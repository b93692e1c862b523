//! Folders that another engine wrote.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;

use super::*;
use crate::dataset::{RatingType, history};

/// Writes a file as another engine would, from columns of its own types.
pub(super) fn foreign(place: &Place, file: &str, columns: Vec<(&str, ArrayRef)>) {
    let path = place.path(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

pub(super) fn int(values: &[Option<i32>]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

pub(super) fn days(dates: &[&str]) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(dates.iter().map(|date| parse_iso(date.as_bytes()).unwrap())))
}

pub(super) fn as_spark_writes(place: &Place, file: &str, rows: &[Rating]) {
    let column = |value: fn(&Rating) -> i32| int(&rows.iter().map(|row| Some(value(row))).collect::<Vec<_>>());
    let dates: Vec<&str> = rows.iter().map(|row| row.3).collect();
    foreign(
        place,
        file,
        vec![
            ("MOVIE_ID", column(|row| row.0)),
            ("CUST_ID", column(|row| row.1)),
            ("RATING", column(|row| row.2 as i32)),
            ("DATE", days(&dates)),
        ],
    );
}

#[test]
fn a_folder_of_spark_is_read_in_place_and_becomes_a_snapshot_without_rewriting() {
    let place = Place::new();
    as_spark_writes(&place, "train/year=2005/month=1/part-00000-4f.c000.snappy.parquet", &[(1, 1, 3.0, "2005-01-01")]);
    as_spark_writes(&place, "train/year=2005/month=2/part-00000-4f.c000.snappy.parquet", &[(1, 2, 3.0, "2005-02-01")]);
    fs::write(place.path("train/_SUCCESS"), "").unwrap();
    fs::write(place.path("train/._SUCCESS.crc"), "crc").unwrap();
    assert_eq!(place.read("train"), owned(&[(1, 1, 3.0, "2005-01-01"), (1, 2, 3.0, "2005-02-01")]));
    assert!(!place.path(".train.snapshots").exists(), "reading changes nothing");

    let inode = |month: u32| {
        fs::metadata(place.path(&format!("train/year=2005/month={month}/part-00000-4f.c000.snappy.parquet"))).map(|file| file.ino())
    };
    let before = inode(1).unwrap();
    let written = place.upsert("train", &[(9, 9, 5.0, "2005-02-02")]);
    assert_eq!((written.rows, written.snapshot), (3, 2));
    assert_eq!(inode(1).unwrap(), before, "the month that did not change is the same file");
    assert_eq!(place.files("train"), ["year=2005/month=1/part-00000-4f.c000.snappy.parquet", "year=2005/month=2/part-00000.parquet"]);
    let kept: Vec<(u64, u64)> = history(&place.path("train")).unwrap().iter().map(|manifest| (manifest.snapshot, manifest.rows)).collect();
    assert_eq!(kept, [(2, 3), (1, 2)], "the folder as it was is the snapshot before");
    let context = place.context("reader");
    let old = Dataset::open_snapshot(&place.path("train"), 1, &context).unwrap();
    assert_eq!(listed(&old, &context).len(), 2);
}

#[test]
fn an_adopted_folder_has_the_fingerprint_of_the_same_rows() {
    let place = Place::new();
    let rows = [(1, 1, 3.0, "2005-01-01"), (2, 2, 4.0, "2005-01-05"), (1, 2, 3.0, "2005-02-01")];
    as_spark_writes(&place, "spark/year=2005/month=1/a.parquet", &[rows[1]]);
    as_spark_writes(&place, "spark/year=2005/month=1/b.parquet", &[rows[0]]);
    as_spark_writes(&place, "spark/year=2005/month=2/a.parquet", &[rows[2]]);
    place.upsert("ours", &rows);
    let context = place.context("reader");
    let open = |name| Dataset::open(&place.path(name), &context).unwrap();
    assert_eq!(open("spark").fingerprint(), open("ours").fingerprint());
}

#[test]
pub(super) fn nulls_duplicates_wrong_months_and_other_types_are_mended_by_the_first_upsert() {
    let place = Place::new();
    foreign(
        &place,
        "train/year=2005/month=1/a.parquet",
        vec![
            ("cust_id", Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4), Some(4)]))),
            ("MOVIE_ID", int(&[Some(1), Some(2), Some(3), Some(4), Some(4)])),
            ("RATING", Arc::new(Float64Array::from(vec![1.0, 2.0, f64::NAN, 4.0, 3.5]))),
            ("DATE", days(&["2005-01-01"; 5])),
        ],
    );
    as_spark_writes(&place, "train/year=2005/month=02/padded.parquet", &[(5, 5, 5.0, "2005-02-01")]);
    as_spark_writes(&place, "train/year=2005/month=3/april.parquet", &[(6, 6, 1.0, "2005-04-01")]);
    let kept = owned(&[(1, 1, 1.0, "2005-01-01"), (4, 4, 4.0, "2005-01-01"), (5, 5, 5.0, "2005-02-01"), (6, 6, 1.0, "2005-04-01")]);
    assert_eq!(place.read("train").len(), 5, "reading leaves out nulls and keeps duplicates");
    let written = place.upsert("train", &[]);
    assert_eq!((written.rows, written.rating_type), (4, RatingType::Float));
    assert_eq!(place.read("train"), kept);
    assert_eq!(
        place.files("train"),
        ["year=2005/month=1/part-00000.parquet", "year=2005/month=2/part-00000.parquet", "year=2005/month=4/part-00000.parquet"]
    );
}

#[test]
pub(super) fn a_row_in_the_folder_of_a_later_month_joins_its_own_month() {
    let place = Place::new();
    as_spark_writes(&place, "train/year=2005/month=1/a.parquet", &[(1, 1, 3.0, "2005-01-01")]);
    as_spark_writes(&place, "train/year=2005/month=2/a.parquet", &[(2, 2, 3.0, "2005-01-02"), (3, 3, 3.0, "2005-02-02")]);
    place.upsert("train", &[]);
    assert_eq!(place.read("train"), owned(&[(1, 1, 3.0, "2005-01-01"), (2, 2, 3.0, "2005-01-02"), (3, 3, 3.0, "2005-02-02")]));
    assert_eq!(place.files("train").len(), 2);
}

#[test]
fn a_folder_of_something_else_is_refused_and_left_alone() {
    let place = Place::new();
    fs::create_dir_all(place.path("data/combined")).unwrap();
    fs::write(place.path("data/combined/train.txt"), "1:").unwrap();
    let (path, context) = (place.path("data"), place.context("a"));
    let error = Transaction::begin(&[&path], &context).unwrap_err();
    assert!(error.message.contains("is not a ratings dataset") && error.hint.is_some(), "{error}");
    assert!(place.path("data/combined/train.txt").is_file());
    foreign(&place, "other/year=2005/month=1/a.parquet", vec![("id", int(&[Some(1)]))]);
    let error = Dataset::open(&place.path("other"), &context).unwrap_err();
    assert!(error.message.ends_with("has no column `MOVIE_ID`; it has id"), "{error}");
}

#[test]
pub(super) fn an_empty_folder_becomes_a_dataset() {
    let place = Place::new();
    fs::create_dir(place.path("train")).unwrap();
    assert_eq!(place.upsert("train", &[(1, 1, 3.0, "2005-01-01")]).rows, 1);
    assert_eq!(place.read("train").len(), 1);
}
