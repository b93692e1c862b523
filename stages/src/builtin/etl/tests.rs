//! `etl` as a task calls it: JSON in, JSON out.

use std::fs;
use std::io;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::context::PublishKey;
use crate::dataset::{Dataset, history};
use crate::error::ErrorKind;
use crate::stage::AnyStage;
use crate::storage::{Disk, FailAfter};

const TRAIN: &str = "1:\n1,3,2005-01-01\n2,4,2005-02-01\nx,4,2005-02-01\n2:\n1,5,2005-01-01\n1,4,2005-01-01\n";
const TEST: &str = "1:\n9,1,2005-03-01\n";

struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("train.txt"), TRAIN).unwrap();
        fs::write(folder.path().join("test.txt"), TEST).unwrap();
        Self(folder)
    }

    fn context(&self, run: &str) -> Context {
        Context::plain(self.0.path(), PublishKey::new(run, "etl", 0))
    }

    fn run(&self, run: &str, inputs: Value) -> Result<Value> {
        etl(inputs, &self.context(run))
    }

    fn rows(&self, dataset: &str) -> usize {
        let context = self.context("reader");
        Dataset::open(&self.0.path().join(dataset), &context).unwrap().read(&context).unwrap().len()
    }
}

fn etl(inputs: Value, context: &Context) -> Result<Value> {
    AnyStage::of::<Etl>().run(inputs.as_object().unwrap().clone(), context)
}

fn both() -> Value {
    json!({ "train_file": "train.txt", "train_output": "parquet/train", "test_file": "test.txt", "test_output": "parquet/test" })
}

fn with(mut inputs: Value, key: &str, value: Value) -> Value {
    inputs[key] = value;
    inputs
}

#[test]
fn the_output_counts_what_was_read_rejected_and_folded() {
    let workspace = Workspace::new();
    let output = workspace.run("a", both()).unwrap();
    let train = &output["train"];
    assert_eq!(train["path"], "parquet/train");
    assert_eq!(
        (&train["read"], &train["rows"], &train["rejected"], &train["duplicates"], &train["files"]),
        (&json!(4), &json!(3), &json!(1), &json!(1), &json!(2))
    );
    assert_eq!(train["rejected_by_kind"], json!({ "bad_id": 1 }));
    assert_eq!(train["rejects_file"], ".recflow/rejects/a_etl_0.train.tsv");
    assert_eq!((&output["test"]["rows"], &output["test"]["rejects_file"]), (&json!(1), &Value::Null));
    assert_eq!((workspace.rows("parquet/train"), workspace.rows("parquet/test")), (3, 1));
}

#[test]
fn a_second_run_over_the_same_files_changes_nothing_and_says_so() {
    let workspace = Workspace::new();
    let first = workspace.run("a", both()).unwrap();
    let second = workspace.run("b", both()).unwrap();
    assert_eq!((&second["train"]["fingerprint"], &second["train"]["rows"]), (&first["train"]["fingerprint"], &first["train"]["rows"]));
    assert_eq!((&first["train"]["changed"], &second["train"]["changed"]), (&json!(true), &json!(false)));
    assert_eq!(second["train"]["snapshot"], 1);
    assert_eq!(workspace.run("b", both()).unwrap(), second, "the attempt is found to be done");
}

#[test]
fn a_repeated_attempt_returns_what_the_first_one_published_even_if_the_files_are_gone() {
    let workspace = Workspace::new();
    let first = workspace.run("a", both()).unwrap();
    fs::remove_file(workspace.0.path().join("train.txt")).unwrap();
    assert_eq!(workspace.run("a", both()).unwrap(), first);
    assert_eq!(history(&workspace.0.path().join("parquet/train")).unwrap().len(), 1);
}

#[test]
fn without_a_test_file_there_is_one_dataset() {
    let workspace = Workspace::new();
    let output = workspace.run("a", json!({ "train_file": "train.txt", "train_output": "train" })).unwrap();
    assert!(output.get("test").is_none());
    let half = json!({ "train_file": "train.txt", "train_output": "train", "test_file": "test.txt" });
    assert_eq!(workspace.run("b", half).unwrap_err().message, "`test_file` is given without `test_output`");
}

#[test]
fn too_many_bad_rows_fail_before_anything_is_published() {
    let workspace = Workspace::new();
    let error = workspace.run("a", with(both(), "max_bad_rows", json!(0))).unwrap_err();
    assert!(error.message.contains("`max_bad_rows` allows 0"), "{error}");
    assert!(!workspace.0.path().join("parquet").exists());
    assert!(workspace.run("b", with(both(), "max_bad_rows", json!("20%"))).is_ok());
}

#[test]
fn half_stars_in_either_file_make_both_new_datasets_float() {
    let workspace = Workspace::new();
    fs::write(workspace.0.path().join("train.txt"), "1:\n1,3.5,2005-01-01\n").unwrap();
    let output = workspace.run("a", both()).unwrap();
    assert_eq!((&output["train"]["rating_type"], &output["test"]["rating_type"]), (&json!("float"), &json!("float")));
    assert!(workspace.run("b", with(both(), "rating_type", json!("int"))).unwrap_err().hint.unwrap().contains("rating_type: float"));
}

#[test]
fn options_of_the_files_are_checked_by_name() {
    let workspace = Workspace::new();
    let options = with(both(), "write_options", json!({ "row_group_rows": 2, "statistics": "none", "dictionary": false }));
    assert!(workspace.run("a", with(options, "compression", json!("zstd"))).is_ok());
    let error = workspace.run("b", with(both(), "write_options", json!({ "row_group_row": 2 }))).unwrap_err();
    assert!(error.message.contains("unknown input `row_group_row`"), "{error}");
    assert!(workspace.run("c", with(both(), "compression", json!("lzo"))).unwrap_err().message.contains("one of snappy, zstd, none"));
}

#[test]
fn a_month_is_split_into_as_many_files_as_asked_and_row_groups_are_as_long() {
    let workspace = Workspace::new();
    let text: String = (1..=10).map(|user| format!("{user},3,2005-01-01\n")).collect();
    fs::write(workspace.0.path().join("train.txt"), format!("1:\n{text}2:\n1,3,2005-02-01\n")).unwrap();
    let options = json!({ "train_file": "train.txt", "train_output": "train", "target_repartition": 4, "row_group_rows": 2 });
    let output = workspace.run("a", options.clone()).unwrap();
    assert_eq!((&output["train"]["files"], &output["train"]["rows"]), (&json!(5), &json!(11)), "four of January, one of February");
    let newest = &history(&workspace.0.path().join("train")).unwrap()[0];
    let rows: Vec<u64> = newest.partitions[0].files.iter().map(|file| file.rows).collect();
    assert_eq!(rows, [3, 3, 3, 1]);
    let file = fs::File::open(workspace.0.path().join("train/year=2005/month=1/part-00000.parquet")).unwrap();
    let reader = parquet::file::reader::SerializedFileReader::new(file).unwrap();
    assert_eq!(parquet::file::reader::FileReader::num_row_groups(&reader), 2);
    let error = workspace.run("b", with(options.clone(), "target_file_size", json!(1000))).unwrap_err();
    assert_eq!(error.message, "`target_file_size` and `target_repartition` both say how a month is split");
    assert!(workspace.run("c", with(options.clone(), "write_options", json!({ "row_group_rows": 3 }))).is_err());
    assert!(workspace.run("d", with(options, "target_repartition", json!(0))).is_err());
}

#[test]
fn a_list_of_files_is_one_input_and_no_file_may_lie_in_an_output() {
    let workspace = Workspace::new();
    let output = workspace.run("a", with(both(), "train_file", json!(["train.txt", "test.txt"]))).unwrap();
    assert_eq!((&output["train"]["read"], &output["train"]["rows"]), (&json!(5), &json!(4)));
    let refused = |files: Value| workspace.run("b", with(both(), "train_file", files)).unwrap_err();
    assert_eq!(refused(json!(["train.txt", "no.txt"])).message, "there is no file `no.txt`");
    assert!(refused(json!(["train.txt", "parquet/train/x.txt"])).message.contains("one another"));
    assert_eq!(refused(json!([])).kind, ErrorKind::Input);
}

#[test]
fn paths_that_lie_in_one_another_are_refused_and_nothing_is_touched() {
    let workspace = Workspace::new();
    let refused = |inputs: Value| workspace.run("a", inputs).unwrap_err();
    for (key, path) in
        [("train_output", "train.txt"), ("train_output", "."), ("train_output", "test.txt/x"), ("test_output", "parquet/train/test")]
    {
        let error = refused(with(both(), key, json!(path)));
        assert!(error.message.contains("one another") || error.message.contains("lies in"), "{key}={path}: {error}");
    }
    assert!(refused(with(both(), "test_output", json!("parquet/train"))).message.contains("lies in"));
    assert_eq!(refused(with(both(), "train_file", json!("no.txt"))).message, "there is no file `no.txt`");
    let mut left: Vec<String> =
        fs::read_dir(workspace.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.retain(|name| name != ".recflow");
    left.sort();
    assert_eq!(left, ["test.txt", "train.txt"]);
}

#[test]
fn a_full_disk_at_any_write_leaves_the_old_content_and_the_rerun_is_right() {
    let workspace = Workspace::new();
    workspace.run("old", json!({ "train_file": "test.txt", "train_output": "parquet/train" })).unwrap();
    for operations in (0..).step_by(7) {
        let key = format!("fault-{operations}");
        let storage = Arc::new(FailAfter::new(Disk, operations, io::ErrorKind::StorageFull));
        let result = etl(both(), &Context { storage, ..workspace.context(&key) });
        match result {
            Ok(_) => {
                assert!(operations > 30, "a disk that takes {operations} operations was never full");
                break;
            }
            Err(error) => assert_eq!(error.kind, ErrorKind::Io, "{error}"),
        }
        let rows = workspace.rows("parquet/train");
        assert!(rows == 1 || rows == 4, "{rows} rows after a fault at operation {operations}");
    }
    assert_eq!(workspace.run("new", both()).unwrap()["train"]["rows"], 4);
}

/// All files of a dataset: path and bytes.
fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.canonicalize().unwrap()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(folder.canonicalize().unwrap()).unwrap().display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_memory_limit_gives_the_same_bytes_and_leaves_nothing_beside() {
    let workspace = Workspace::new();
    // More than the 8 million rows of 8 bytes that half of the least limit holds.
    let mut text = String::with_capacity(160 << 20);
    for movie in 1..=90 {
        text.push_str(&format!("{movie}:\n"));
        for row in 0..100_000_u32 {
            let user = row.wrapping_mul(2_654_435_761) % 1_000_000;
            text.push_str(&format!("{user},{},200{}-{:02}-17\n", user % 5 + 1, user % 6, user % 12 + 1));
        }
    }
    fs::write(workspace.0.path().join("train.txt"), text).unwrap();
    let inputs = |output: &str| json!({ "train_file": "train.txt", "train_output": output });
    let free = workspace.run("a", inputs("free/train")).unwrap();
    let bound = workspace.run("b", with(inputs("bound/train"), "memory_limit", json!("128MiB"))).unwrap();
    assert_eq!(bound["train"]["fingerprint"], free["train"]["fingerprint"]);
    let folder = |name: &str| workspace.0.path().join(name);
    assert!(files(&folder("bound/train")) == files(&folder("free/train")));
    let beside: Vec<_> = fs::read_dir(folder("bound")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside.len(), 2, "the dataset and its snapshots: {beside:?}");
}

#[test]
fn a_memory_limit_that_is_too_small_is_refused() {
    let workspace = Workspace::new();
    let error = workspace.run("a", with(both(), "memory_limit", json!("1MiB"))).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Input, "`memory_limit` must be at least 128MiB, found 1MiB"));
}
