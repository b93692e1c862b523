//! `recflow data`: looking at datasets, and going back.

use serde_json::{Value, json};

use crate::sandbox::{Ran, Sandbox, skipped};

const TRAIN: &str = "8:\n1,3,2005-01-05\n2,4,2005-01-06\n9:\n1,5,2005-12-31\n";

/// A sandbox with the dataset `data/train`, of as many snapshots as texts.
fn with_dataset(texts: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    for text in texts {
        sandbox.write("train.txt", text);
        etl(&sandbox, &["train_file=train.txt"]).exits(0);
    }
    sandbox
}

fn etl(sandbox: &Sandbox, inputs: &[&str]) -> Ran {
    sandbox.recflow(&[&["stage", "etl", "train_output=data/train", "--json"], inputs].concat())
}

fn snapshots(sandbox: &Sandbox) -> Vec<(u64, u64)> {
    let history = sandbox.json(&["data", "history", "data/train", "--json"]);
    let entries = history.as_array().expect("a list").iter();
    entries.map(|entry| (entry["snapshot"].as_u64().expect("a number"), entry["rows"].as_u64().expect("a number"))).collect()
}

#[test]
fn show_tells_rows_months_ratings_schema_and_who_wrote_it() {
    let sandbox = with_dataset(&[TRAIN]);
    let shown = sandbox.json(&["data", "show", "data/train", "--json"]);
    assert_eq!((&shown["rows"], &shown["files"], &shown["snapshot"], &shown["mode"]), (&json!(3), &json!(2), &json!(1), &json!("upsert")));
    assert_eq!(shown["months"], json!([{ "year": 2005, "month": 1, "rows": 2 }, { "year": 2005, "month": 12, "rows": 1 }]));
    assert_eq!(shown["ratings"], json!([3, 4, 5].map(|stars| json!({ "rating": f64::from(stars), "rows": 1 }))));
    assert_eq!(shown["columns"][3], json!({ "name": "DATE", "type": "date32" }));
    let run = sandbox.status()["run"].as_str().expect("an id").to_owned();
    assert_eq!(shown["publish_key"], format!("{run}/etl/0"));
    let text = sandbox.recflow(&["data", "show", "data/train"]).exits(0).out;
    for part in ["3 rows in 2 files", "snapshot     1 (upsert)", &run, "RATING int32", "2005-12", "█"] {
        assert!(text.contains(part), "`{part}` is missing in\n{text}");
    }
}

#[test]
fn show_path_prints_the_folder_of_the_snapshot_and_nothing_else() {
    let sandbox = with_dataset(&[TRAIN]);
    let out = sandbox.recflow(&["data", "show", "data/train", "--path"]).exits(0).out;
    let folder = sandbox.file("data/.train.snapshots/1").canonicalize().expect("there");
    assert_eq!(out, format!("{}\n", folder.display()));
}

#[test]
fn a_rollback_goes_back_in_one_step_and_a_run_goes_on_from_there() {
    let sandbox = with_dataset(&[TRAIN, "8:\n7,1,2005-01-05\n"]);
    assert_eq!(snapshots(&sandbox), [(2, 4), (1, 3)]);
    let before = sandbox.json(&["data", "show", "data/train", "--json"]);
    let ran = sandbox.recflow(&["data", "rollback", "data/train"]).exits(0);
    assert_eq!(ran.out, "snapshot 3 is current: the content of 1, 3 rows (it was 2 before)\n");
    let after = sandbox.json(&["data", "show", "data/train", "--json"]);
    assert_ne!(after["fingerprint"], before["fingerprint"]);
    assert_eq!((&after["restores"], &after["mode"]), (&json!(1), &Value::Null));
    let text = sandbox.recflow(&["data", "history", "data/train"]).exits(0).out;
    assert!(text.contains("rollback to 1") && text.contains("current"), "{text}");
    // Forward again, by number.
    let forward = sandbox.json(&["data", "rollback", "data/train", "2", "--json"]);
    assert_eq!((&forward["snapshot"], &forward["rows"]), (&json!(4), &json!(4)));
    assert_eq!(snapshots(&sandbox), [(4, 4), (3, 3), (2, 4)]);
}

#[test]
fn killed_at_any_step_of_a_rollback_the_dataset_is_whole() {
    for (point, rows) in [("publish.before_commit", 4), ("publish.after_commit", 3), ("publish.after_switch", 3)] {
        let sandbox = with_dataset(&[TRAIN, "8:\n7,1,2005-01-05\n"]);
        let output = sandbox.command(&["data", "rollback", "data/train"]).env("RECFLOW_FAILPOINT", point).output().expect("starts");
        assert_eq!(output.status.code(), None, "{point} was not reached");
        assert_eq!(sandbox.json(&["data", "show", "data/train", "--json"])["rows"], rows, "{point}");
        // The next publisher finds nothing in its way.
        etl(&sandbox, &["train_file=train.txt"]).exits(0);
    }
}

#[test]
fn prune_keeps_as_many_as_asked_and_never_the_current_one_goes() {
    let sandbox = with_dataset(&[TRAIN, "8:\n7,1,2005-01-05\n", "8:\n9,1,2005-01-05\n"]);
    assert_eq!(sandbox.recflow(&["data", "prune", "data/train"]).exits(0).out, "nothing to remove\n");
    assert_eq!(sandbox.recflow(&["data", "prune", "data/train", "--keep", "1"]).exits(0).out, "removed: 1, 2\n");
    assert_eq!(snapshots(&sandbox), [(3, 5)]);
    sandbox.recflow(&["data", "prune", "data/train", "--keep", "0"]).exits(2);
    let ran = sandbox.recflow(&["data", "rollback", "data/train"]).exits(1);
    assert!(ran.err.contains("no snapshot older than the current content") && ran.err.contains("no other snapshot is kept"), "{}", ran.err);
}

#[test]
fn ratings_that_are_all_there_make_no_new_snapshot_and_the_log_says_so() {
    let sandbox = with_dataset(&[TRAIN]);
    let run = etl(&sandbox, &["train_file=train.txt"]).exits(0).json();
    let output = &run["tasks"]["etl"]["output"]["train"];
    assert_eq!((&output["changed"], &output["snapshot"], &output["duplicates"]), (&json!(false), &json!(1), &json!(3)));
    assert_eq!(snapshots(&sandbox), [(1, 3)]);
    let log = sandbox.recflow(&["logs", "latest", "etl"]).exits(0).out;
    assert!(log.contains("`data/train` holds these ratings already: snapshot 1 stays"), "{log}");
}

#[test]
fn list_finds_the_datasets_of_a_workspace_from_anywhere() {
    let sandbox = with_dataset(&[TRAIN]);
    std::fs::create_dir_all(sandbox.file("spark/year=2005/month=1")).expect("writable");
    let found = sandbox.json(&["data", "list", "--json"]);
    let paths: Vec<&str> = found.as_array().expect("a list").iter().filter_map(|entry| entry["path"].as_str()).collect();
    assert_eq!(paths, ["data/train", "spark"]);
    let text = sandbox.recflow(&["data", "list", "data"]).exits(0).out;
    assert!(text.contains("train") && !text.contains("spark"), "{text}");
    let elsewhere = Sandbox::new();
    let root = sandbox.path().to_str().expect("UTF-8");
    assert_eq!(elsewhere.json(&["data", "show", "data/train", "--json", "--workspace", root])["rows"], 3);
    let ran = elsewhere.recflow(&["data", "show", "data/train"]).exits(1);
    assert!(ran.err.contains("there is no dataset at `data/train`") && ran.err.contains("hint:"), "{}", ran.err);
    assert!(elsewhere.recflow(&["data", "list"]).exits(0).out.contains("no datasets here"));
}

fn gzip(sandbox: &Sandbox, name: &str) -> Vec<u8> {
    let output = std::process::Command::new("gzip").arg("-c").arg(sandbox.file(name)).output().expect("gzip starts");
    assert!(output.status.success());
    output.stdout
}

#[test]
fn compressed_files_and_lists_of_files_give_the_dataset_that_their_text_gives() {
    let sandbox = with_dataset(&[TRAIN]);
    let expected = sandbox.json(&["data", "show", "data/train", "--json"])["fingerprint"].clone();
    std::fs::write(sandbox.file("packed.gz"), gzip(&sandbox, "train.txt")).expect("writable");
    etl(&sandbox, &["train_file=packed.gz", "mode=overwrite"]).exits(0);
    assert_eq!(sandbox.json(&["data", "show", "data/train", "--json"])["fingerprint"], expected);
    let (first, second) = TRAIN.split_at(TRAIN.find("9:").expect("a header"));
    sandbox.write("a.txt", first);
    sandbox.write("b.txt", second);
    etl(&sandbox, &["train_file=[\"a.txt\", \"b.txt\"]", "mode=overwrite"]).exits(0);
    assert_eq!(sandbox.json(&["data", "show", "data/train", "--json"])["fingerprint"], expected);
}

#[test]
fn a_truncated_gz_is_named_and_publishes_nothing() {
    let sandbox = with_dataset(&[TRAIN]);
    let whole = gzip(&sandbox, "train.txt");
    std::fs::write(sandbox.file("cut.gz"), &whole[..whole.len() - 9]).expect("writable");
    let run = etl(&sandbox, &["train_file=[\"train.txt\", \"cut.gz\"]"]).exits(1).json();
    let error = run["tasks"]["etl"]["error"].as_str().expect("an error").to_owned();
    assert!(error.starts_with("`cut.gz` is truncated or damaged"), "{error}");
    assert_eq!(snapshots(&sandbox), [(1, 3)]);
    let run = sandbox.json(&["stage", "create_futures", "input=cut.gz", "output=future.csv", "--json"]);
    assert_eq!(run["status"], "failed");
    assert!(!sandbox.file("future.csv").exists());
}

#[test]
fn snapshots_on_another_mount_cannot_be_linked_and_are_copied() {
    use std::os::unix::fs::MetadataExt;
    let sandbox = with_dataset(&[TRAIN]);
    // The kernel links nothing across mounts, not even within one file system.
    let folder = sandbox.file("data/.train.snapshots/1");
    let mount = |arguments: &[&str]| {
        let output = std::process::Command::new("mount").args(arguments).args([&folder, &folder]).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !mount(&["--bind"]) {
        skipped("binding a mount is not permitted here");
        return;
    }
    sandbox.write("train.txt", "8:\n7,1,2005-02-05\n");
    let ran = etl(&sandbox, &["train_file=train.txt"]);
    let kept = |snapshot: u32| {
        let file = sandbox.file(&format!("data/.train.snapshots/{snapshot}/year=2005/month=12/part-00000.parquet"));
        (std::fs::metadata(&file).expect("kept").ino(), std::fs::read(file).expect("readable"))
    };
    let (before, after) = (kept(1), kept(2));
    let unmounted = std::process::Command::new("umount").arg(&folder).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    ran.exits(0);
    assert_ne!(before.0, after.0);
    assert_eq!(before.1, after.1);
}
