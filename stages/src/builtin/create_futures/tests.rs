//! The CSV stream, and that a sort on disk gives what one in memory gives.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::sort::Row;
use super::*;
use crate::context::PublishKey;
use crate::error::ErrorKind;
use crate::stage::AnyStage;
use crate::storage::{Disk, FailAfter};

fn run(workspace: &Path, inputs: Value) -> Result<Value> {
    let context = Context::plain(workspace, PublishKey::new("run", "create_futures", 0));
    AnyStage::of::<CreateFutures>().run(inputs.as_object().unwrap().clone(), &context)
}

#[test]
fn rows_are_ordered_by_date_then_user_then_movie() {
    let workspace = tempfile::tempdir().unwrap();
    fs::write(workspace.path().join("future.txt"), "9:\n7,4,2005-12-31\n3,3.5,2005-12-30\n2:\n7,1,2005-12-31\n10,5,2005-12-31\nbad\n")
        .unwrap();
    let output = run(workspace.path(), json!({ "input": "future.txt", "output": "processed/future.csv" })).unwrap();
    assert_eq!(output, json!({ "path": "processed/future.csv", "rows": 4, "rejected": 1 }));
    assert_eq!(
        fs::read_to_string(workspace.path().join("processed/future.csv")).unwrap(),
        "DATE,CUST_ID,MOVIE_ID,RATING\n2005-12-30,3,9,3.5\n2005-12-31,7,2,1\n2005-12-31,7,9,4\n2005-12-31,10,2,5\n"
    );
}

#[test]
fn an_empty_input_gives_the_header_alone() {
    let workspace = tempfile::tempdir().unwrap();
    fs::write(workspace.path().join("future.txt"), "").unwrap();
    let output = run(workspace.path(), json!({ "input": "future.txt", "output": "future.csv" })).unwrap();
    assert_eq!(output["rows"], 0);
    assert_eq!(fs::read_to_string(workspace.path().join("future.csv")).unwrap(), "DATE,CUST_ID,MOVIE_ID,RATING\n");
}

#[test]
fn a_missing_input_and_an_output_that_would_destroy_something_are_refused() {
    let workspace = tempfile::tempdir().unwrap();
    let missing = run(workspace.path(), json!({ "input": "no.txt", "output": "future.csv" })).unwrap_err();
    assert_eq!((missing.kind, missing.message.as_str()), (ErrorKind::Input, "there is no file `no.txt`"));
    fs::write(workspace.path().join("future.txt"), "").unwrap();
    assert!(run(workspace.path(), json!({ "input": "future.txt", "output": "future.txt" })).is_err());
    assert!(run(workspace.path(), json!({ "input": "future.txt", "output": "." })).unwrap_err().message.contains("is a folder"));
    assert!(!workspace.path().join("future.csv").exists());
}

#[test]
fn a_memory_limit_too_small_to_sort_with_is_refused() {
    let workspace = tempfile::tempdir().unwrap();
    fs::write(workspace.path().join("future.txt"), "").unwrap();
    let inputs = |limit: Value| json!({ "input": "future.txt", "output": "future.csv", "memory_limit": limit });
    let error = run(workspace.path(), inputs(json!("64KiB"))).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Input, "`memory_limit` must be at least 1MiB, found 64KiB"));
    assert!(run(workspace.path(), inputs(json!("much"))).unwrap_err().message.contains("`much` is no size"));
    run(workspace.path(), inputs(json!(1 << 20))).unwrap();
}

fn any_row() -> impl Strategy<Value = (i32, i32, i32, u8)> {
    let id = || prop_oneof![-3..4_i32, any::<i32>()];
    (prop_oneof![-2..3_i32, any::<i32>()], id(), id(), 1..=10_u8)
}

/// The rows as they come out of a sort, and what lies beside the target meanwhile.
fn sorted(rows: &[(i32, i32, i32, u8)], blocks: usize, limits: Limits, folder: &Path) -> (Vec<(i32, i32, i32, u32)>, usize) {
    let (context, target) = (Context::plain(folder, PublishKey::new("run", "create_futures", 0)), folder.join("future.csv"));
    let mut sorter = Sorter::new(limits, &target, &context);
    for block in rows.chunks(blocks) {
        let mut ratings = crate::Ratings::default();
        block.iter().for_each(|&(date, user, movie, halves)| ratings.push(movie, user, f32::from(halves) / 2.0, date));
        sorter.add(&ratings).unwrap();
    }
    let sorted = sorter.finish().unwrap();
    let beside = fs::read_dir(folder).unwrap().count();
    let mut out = Vec::new();
    sorted
        .each(|Row { date, user, movie, rating }| {
            out.push((date, user, movie, rating.to_bits()));
            Ok(())
        })
        .unwrap();
    (out, beside)
}

proptest! {
    #[test]
    fn a_sort_on_disk_equals_one_in_memory_however_little_fits_and_leaves_nothing(
        rows in prop::collection::vec(any_row(), 0..120), blocks in 1..50_usize, limit in 1..40_usize, fan_in in 2..5_usize, read_bytes in 1..40_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (found, beside) = sorted(&rows, blocks, Limits { rows: limit, fan_in, read_bytes }, folder.path());
        let mut expected: Vec<_> =
            rows.iter().map(|&(date, user, movie, halves)| (date, user, movie, (f32::from(halves) / 2.0).to_bits())).collect();
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
        // A scratch folder only if there was more than fits at once.
        prop_assert_eq!(beside, usize::from(rows.len() > limit));
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_full_disk_or_a_cancellation_in_the_middle_leaves_the_old_file_and_nothing_beside() {
    let workspace = tempfile::tempdir().unwrap();
    let target = workspace.path().join("future.csv");
    fs::write(&target, "old").unwrap();
    let mut ratings = crate::Ratings::default();
    (0..200).for_each(|row| ratings.push(row % 7, row % 11, 3.0, 200 - row));
    let limits = Limits { rows: 20, fan_in: 3, read_bytes: 64 };
    let mut context = Context::plain(workspace.path(), PublishKey::new("run", "create_futures", 0));
    for operations in 0.. {
        context.storage = std::sync::Arc::new(FailAfter::new(Disk, operations, io::ErrorKind::StorageFull));
        let mut sorter = Sorter::new(limits, &target, &context);
        let written = sorter.add(&ratings).and_then(|()| write_csv(&target, sorter.finish()?, 200, &context));
        assert_eq!(fs::read_dir(workspace.path()).unwrap().count(), 1, "after {operations} operations");
        match written {
            Ok(()) => break,
            Err(error) => assert_eq!(error.kind, ErrorKind::Io, "{error}"),
        }
    }
    assert_eq!(fs::read_to_string(&target).unwrap().lines().count(), 201);
    context.cancel.cancel();
    let mut sorter = Sorter::new(limits, &target, &context);
    assert_eq!(sorter.add(&ratings).unwrap_err().kind, ErrorKind::Cancelled);
    drop(sorter);
    assert_eq!(fs::read_dir(workspace.path()).unwrap().count(), 1);
}
