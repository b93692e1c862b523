//! The stream through the binary: taken in, merged, retrained; and killed everywhere on the way.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use recflow_stages::dataset::Dataset;
use recflow_stages::{Context, PublishKey};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;

const STREAM: &str = "data/quickstart/streaming";

/// The shipped pipeline, but for its retries: they would mend what is broken here before it is looked at, after a wait.
fn pipeline() -> String {
    let shipped = include_str!("../../pipelines/drift-retrain.yaml");
    let patient = "retries: 1, ";
    assert!(shipped.contains(patient));
    shipped.replace(patient, "retries: 0, ")
}

/// It on what the quickstart left. The stream drifts, so it retrains.
const RUN: [&str; 11] = [
    "run",
    "stream.yaml",
    "--json",
    "-p",
    "stream_dir=data/quickstart/streaming",
    "-p",
    "processed_dir=data/quickstart/parquet",
    "-p",
    "rank=4",
    "-p",
    "max_iter=2",
];

/// A workspace after the quickstart, with a stream file: made once, copied for each disturbance.
struct Prepared(Sandbox);

impl Prepared {
    fn new() -> Self {
        let sandbox = Sandbox::with("");
        sandbox.recflow(&["run", "quickstart", "-p", "ratings=3000", "-p", "rank=4", "-p", "max_iter=2"]).exits(0);
        std::fs::copy(sandbox.file(&format!("{STREAM}/drift.csv")), sandbox.file(&format!("{STREAM}/current.csv"))).expect("copies");
        sandbox.write("stream.yaml", &pipeline());
        // What the quickstart recorded is not part of these tests.
        std::fs::remove_dir_all(sandbox.file(".recflow")).expect("ours");
        Self(sandbox)
    }

    fn copy(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        let copied = Command::new("cp").arg("-a").arg(self.0.file(".")).arg(sandbox.path()).status().expect("cp starts");
        assert!(copied.success());
        sandbox
    }
}

/// Movie, user, day and rating of every row, with how often it stands there.
fn rows(sandbox: &Sandbox, names: &[&str]) -> BTreeMap<(i32, i32, i32, u32), usize> {
    let context = Context::plain(sandbox.path(), PublishKey::new("reader", "reader", 0));
    let mut rows = BTreeMap::new();
    for name in names {
        let all = Dataset::open(&sandbox.file(name), &context).and_then(|dataset| dataset.read(&context)).expect("a dataset");
        for row in 0..all.len() {
            *rows.entry((all.movie[row], all.user[row], all.date[row], all.rating[row].to_bits())).or_default() += 1;
        }
    }
    rows
}

/// The rows of a stream file.
fn csv_rows(text: &str) -> Vec<(i32, i32, i32, u32)> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |text: &str| text.parse::<i32>().expect("a number");
        let date = recflow_stages::date::parse_iso(fields[0].as_bytes()).expect("a date");
        (number(fields[2]), number(fields[1]), date, fields[3].parse::<f32>().expect("a number").to_bits())
    };
    text.lines().skip(1).map(row).collect()
}

/// Names in a folder, without what is hidden.
fn names(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(sandbox.file(folder)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.') && name != "lock");
    names.sort();
    names
}

/// What must be the same whatever happened on the way: content hashes of sorted rows, figures, what lies around.
fn result(sandbox: &Sandbox, run: &Value) -> Value {
    let fingerprint = |name: &str| sandbox.json(&["data", "show", &format!("data/quickstart/{name}"), "--json"])["fingerprint"].clone();
    let datasets = ["parquet/train", "parquet/test", "streaming/train", "streaming/test", "streaming/batch/train", "streaming/batch/test"];
    let archived = names(sandbox, &format!("{STREAM}/archive"));
    let merged = &run["tasks"]["merge_streaming"]["output"];
    json!({
        "status": run["status"],
        "datasets": datasets.map(fingerprint),
        "read": run["tasks"]["process_streaming"]["output"]["rows"],
        "added": [merged["train"]["added"], merged["test"]["added"]],
        "drift_score": run["tasks"]["detect_drift"]["output"]["drift_score"],
        "taken": run["tasks"]["check_retrain"]["output"]["taken"],
        "rmse": run["tasks"]["test"]["output"]["rmse"],
        "promoted": run["tasks"]["promote"]["output"]["promoted"],
        "archive": archived.iter().map(|name| sandbox.read(&format!("{STREAM}/archive/{name}"))).collect::<Vec<_>>(),
        "arrived": sandbox.file(&format!("{STREAM}/current.csv")).exists(),
        "claims": [names(sandbox, &format!("{STREAM}/.claims")), names(sandbox, &format!("{STREAM}/.claimed"))],
        "versions": names(sandbox, "models/artifacts").len(),
        "promotions": sandbox.json(&["models", "history", "--json"]).as_array().map_or(0, Vec::len),
    })
}

/// Everything in it once: the file's ratings in the processed sets, the stream empty, the file archived.
fn assert_each_rating_once(sandbox: &Sandbox, text: &str) {
    let stored = rows(sandbox, &["data/quickstart/parquet/train", "data/quickstart/parquet/test"]);
    let arrived = csv_rows(text);
    assert!(arrived.len() == 500 && arrived.iter().all(|row| stored.get(row) == Some(&1)));
    assert!(rows(sandbox, &[&format!("{STREAM}/train"), &format!("{STREAM}/test")]).is_empty());
}

/// What an undisturbed run gives, and how long it took.
fn undisturbed(prepared: &Prepared) -> (Value, std::time::Duration) {
    let sandbox = prepared.copy();
    let text = sandbox.read(&format!("{STREAM}/current.csv"));
    let begun = Instant::now();
    let run = sandbox.recflow(&RUN).exits(0).json();
    let took = begun.elapsed();
    assert_each_rating_once(&sandbox, &text);
    let result = result(&sandbox, &run);
    assert_eq!((&result["read"], &result["archive"], &result["arrived"]), (&json!(500), &json!([text]), &json!(false)));
    assert_eq!((&result["taken"], &result["promotions"]), (&json!(["merge_streaming"]), &json!(1)));
    assert_eq!(result["claims"], json!([[], []]));
    (result, took)
}

#[test]
fn killed_at_fifty_moments_and_resumed_every_rating_counts_once() {
    let prepared = Prepared::new();
    let (expected, took) = undisturbed(&prepared);
    let text = prepared.0.read(&format!("{STREAM}/current.csv"));
    let mut resumed = 0;
    for round in 0..50u32 {
        let sandbox = prepared.copy();
        let mut run = sandbox.spawn(&RUN);
        // Spread over the time that an undisturbed run took: the moments themselves are whatever the machine makes of it.
        std::thread::sleep(took.mul_f64((f64::from(round) + 0.5) / 50.0));
        run.signal(libc::SIGKILL);
        sandbox.wait_until("the process is dead", || run.is_over());
        if !sandbox.file(".recflow/state.db").exists() || sandbox.json(&["runs", "--json"]) == json!([]) {
            continue;
        }
        let before = sandbox.after_its_owner_died();
        let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
        assert_eq!(result(&sandbox, &run), expected, "round {round}, from {before}");
        assert_each_rating_once(&sandbox, &text);
        resumed += usize::from(before["status"] == "interrupted");
    }
    assert!(resumed > 0, "no kill hit a run");
}

#[test]
fn killed_at_each_step_between_claim_publish_record_and_archive_every_rating_counts_once() {
    let prepared = Prepared::new();
    let (expected, _) = undisturbed(&prepared);
    let text = prepared.0.read(&format!("{STREAM}/current.csv"));
    let stream = ["stream.after_record", "stream.after_claim", "stream.before_archive", "stream.after_archive"];
    // Every attempt is a process of its own, so these kill the first one to publish: the stream's. The run then fails; the others interrupt it.
    let publish = ["publish.before_commit", "publish.after_commit", "publish.after_switch"];
    let engine: Vec<String> = (1..40).map(|n| format!("engine.{}_commit@{n}", if n % 2 == 0 { "before" } else { "after" })).collect();
    for point in stream.into_iter().chain(publish).chain(engine.iter().map(String::as_str)) {
        let sandbox = prepared.copy();
        let died = sandbox.command(&RUN).env("RECFLOW_FAILPOINT", point).output().expect("starts");
        if died.status.success() {
            assert!(point.starts_with("engine."), "{point} was not reached");
            continue;
        }
        if !sandbox.file(".recflow/state.db").exists() || sandbox.json(&["runs", "--json"]) == json!([]) {
            continue;
        }
        sandbox.after_its_owner_died();
        let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
        assert_eq!(result(&sandbox, &run), expected, "{point}");
        assert_each_rating_once(&sandbox, &text);
    }
}

#[test]
fn a_merge_killed_at_each_step_of_its_publication_is_finished_by_the_resumed_run() {
    let prepared = Prepared::new();
    let (expected, _) = undisturbed(&prepared);
    for point in ["publish.before_commit", "publish.after_commit", "publish.after_switch"] {
        let sandbox = prepared.copy();
        // Its first task alone: failpoints count from the start of a process, and the first publication would be the stream's.
        sandbox.recflow(&["stage", "process_stream", &format!("csv={STREAM}/current.csv"), &format!("output={STREAM}")]).exits(0);
        let merge = sandbox
            .command(&["stage", "merge", &format!("stream={STREAM}"), "processed=data/quickstart/parquet"])
            .env("RECFLOW_FAILPOINT", point)
            .output()
            .expect("starts");
        assert_ne!(merge.status.code(), Some(0), "{point} was not reached");
        let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
        let merged = &run["tasks"]["merge"]["output"];
        assert_eq!(json!([merged["train"]["added"], merged["test"]["added"]]), expected["added"], "{point}");
        assert_eq!(result(&sandbox, &run)["datasets"], expected["datasets"], "{point}");
    }
}

#[test]
fn right_after_etl_train_test_a_stream_without_drift_is_skipped_and_one_with_drift_retrains() {
    let sandbox = Sandbox::new();
    sandbox.recflow(&["stage", "generate", "output=data/combined", "stream_output=data/streaming", "ratings=20000"]).exits(0);
    sandbox.recflow(&["run", "etl-train-test", "-p", "rank=8", "-p", "max_iter=5"]).exits(0);
    let arrives = |name: &str| {
        std::fs::copy(sandbox.file(&format!("data/streaming/{name}.csv")), sandbox.file("data/streaming/current.csv")).expect("copies");
        sandbox.recflow(&["run", "drift-retrain", "--json", "-p", "rank=8", "-p", "max_iter=5"]).exits(0).json()
    };
    let state = |run: &Value, task: &str| run["tasks"][task]["state"].clone();

    let calm = arrives("nodrift");
    assert_eq!((state(&calm, "skip_retrain"), state(&calm, "train")), (json!("succeeded"), json!("skipped")));
    assert_eq!(calm["tasks"]["detect_drift"]["output"]["should_retrain"], false);

    let drifted = arrives("drift");
    assert_eq!((state(&drifted, "skip_retrain"), state(&drifted, "promote")), (json!("skipped"), json!("succeeded")));
    let reason = drifted["tasks"]["check_retrain"]["output"]["reason"].as_str().expect("words");
    assert!(reason.contains("score") && reason.contains("mean shift"), "{reason}");
    let shown = sandbox.recflow(&["status", "latest"]).exits(0).out;
    assert!(shown.contains("took merge_streaming") && shown.contains("mean shift"), "{shown}");
    // What the first run left in the stream was judged and merged with the second.
    let merged = &drifted["tasks"]["merge_streaming"]["output"];
    let added = merged["train"]["added"].as_u64().expect("rows") + merged["test"]["added"].as_u64().expect("rows");
    assert_eq!(
        added,
        calm["tasks"]["process_streaming"]["output"]["rows"].as_u64().expect("rows")
            + drifted["tasks"]["process_streaming"]["output"]["rows"].as_u64().expect("rows")
    );
}

#[test]
fn without_a_stream_file_the_run_succeeds_with_everything_skipped() {
    let sandbox = Prepared::new().copy();
    std::fs::remove_file(sandbox.file(&format!("{STREAM}/current.csv"))).expect("ours");
    let ran = sandbox.recflow(&RUN).exits(0).json();
    let states: Vec<&str> = ["process_streaming", "check_retrain", "merge_streaming", "train", "test"]
        .map(|task| ran["tasks"][task]["state"].as_str().expect("a state"))
        .into();
    assert_eq!(states, ["skipped"; 5]);
    assert_eq!(names(&sandbox, "models/artifacts").len(), 1);
    let shown = sandbox.recflow(&["status", "latest"]).exits(0).out;
    assert!(shown.contains(&format!("process_streaming: there is no stream file `{STREAM}/current.csv`")), "{shown}");
    let attempts = sandbox.events().into_iter().filter(|event| event["event"] == "attempt_ended");
    assert_eq!(attempts.map(|event| event["outcome"]["outcome"].clone()).collect::<Vec<_>>(), ["skipped"]);
}

#[test]
fn what_a_skipped_retrain_leaves_in_the_stream_is_merged_with_what_comes_next() {
    let sandbox = Prepared::new().copy();
    let (first, current) = (sandbox.read(&format!("{STREAM}/current.csv")), PathBuf::from(format!("{STREAM}/current.csv")));
    let skipped = sandbox.recflow(&[&RUN[..], &["-p", "policy=never"]].concat()).exits(0).json();
    assert_eq!((&skipped["tasks"]["train"]["state"], &skipped["tasks"]["skip_retrain"]["state"]), (&json!("skipped"), &json!("succeeded")));
    std::fs::copy(sandbox.file(&format!("{STREAM}/nodrift.csv")), sandbox.file(current.to_str().expect("UTF-8"))).expect("copies");
    let second = sandbox.read(&format!("{STREAM}/current.csv"));
    let run = sandbox.recflow(&RUN).exits(0).json();
    let output = &run["tasks"]["process_streaming"]["output"];
    let rows = |value: &Value| value["train"]["rows"].as_u64().expect("rows") + value["test"]["rows"].as_u64().expect("rows");
    assert_eq!((rows(output), rows(&output["batch"])), (1_000, 500));
    for text in [first, second] {
        assert_each_rating_once(&sandbox, &text);
    }
}
