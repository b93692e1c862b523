//! What a training leaves when it is killed, goes on from, and tells.

use std::path::PathBuf;

use recflow_state::Store;
use serde_json::Value;

use crate::sandbox::Sandbox;

/// A workspace with small datasets of ratings and no model yet.
fn with_ratings() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.recflow(&["stage", "generate", "output=raw", "ratings=4000"]).exits(0);
    let etl = ["stage", "etl", "train_file=raw/train.txt", "train_output=data/train", "test_file=raw/test.txt", "test_output=data/test"];
    sandbox.recflow(&etl).exits(0);
    sandbox
}

const TRAIN: [&str; 9] =
    ["stage", "train_als", "ratings=data/train", "models=models", "rank=8", "max_iter=12", "checkpoint_every=4", "holdout=0.2", "--json"];

/// All files below a folder, hidden ones too, that `wanted` names.
fn files(sandbox: &Sandbox, folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![sandbox.file(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if wanted(&entry.file_name().to_string_lossy()) {
                found.push(entry.path());
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// The bytes of the factors of the only model.
fn factors(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    let parts = files(sandbox, "models", |name| name.starts_with("part-") && name.ends_with(".parquet"));
    assert_eq!(parts.len(), 2, "{parts:?}");
    parts.into_iter().map(|part| std::fs::read(part).expect("readable")).collect()
}

/// A series that the newest attempt at a task of the newest run reported.
fn series(sandbox: &Sandbox, task: &str, name: &str) -> Vec<(u64, f64)> {
    let reader = Store::open_read_only(sandbox.file(".recflow/state.db"));
    let rows = reader.and_then(|reader| reader.read(|view| view.metrics(&view.find_run("latest")?.id, task))).expect("the store opens");
    let newest = rows.iter().map(|row| row.attempt).max();
    rows.into_iter().filter(|row| row.name == name && Some(row.attempt) == newest).map(|row| (row.step, row.value)).collect()
}

/// `recflow.json` of the only model.
fn model_record(sandbox: &Sandbox) -> Value {
    let files = files(sandbox, "models", |name| name == "recflow.json");
    serde_json::from_str(&std::fs::read_to_string(&files[0]).expect("readable")).expect("JSON")
}

/// Runs the binary with a failpoint, which kills it or its stage.
fn killed(sandbox: &Sandbox, arguments: &[&str], failpoint: &str) {
    let output = sandbox.command(arguments).env("RECFLOW_FAILPOINT", failpoint).output().expect("starts");
    assert_ne!(output.status.code(), Some(0), "{failpoint} was not reached");
}

#[test]
fn a_training_killed_after_its_tenth_sweep_goes_on_from_the_eighth_and_ends_with_the_same_bytes() {
    let (undisturbed, sandbox) = (with_ratings(), with_ratings());
    undisturbed.recflow(&TRAIN).exits(0);
    let checkpoints = |sandbox: &Sandbox| files(sandbox, "models", |name| name.ends_with(".ckpt")).len();

    killed(&sandbox, &TRAIN, "train.after_sweep@10");
    assert_eq!((checkpoints(&sandbox), checkpoints(&undisturbed)), (1, 0));
    let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
    let log = sandbox.recflow(&["logs", "latest"]).exits(0).out;
    assert!(log.contains("resumed from iteration 8"), "{log}");
    assert_eq!(factors(&sandbox), factors(&undisturbed));
    assert_eq!(checkpoints(&sandbox), 0, "it goes with the publication");

    let (record, expected) = (model_record(&sandbox), model_record(&undisturbed));
    assert_eq!(record["iterations"], expected["iterations"]);
    assert_eq!(record["metrics"], expected["metrics"]);
    assert_eq!(run["tasks"]["train_als"]["output"]["iterations"], 12);
}

#[test]
fn a_checkpoint_of_a_training_that_was_published_just_before_it_died_goes_too() {
    let sandbox = with_ratings();
    killed(&sandbox, &TRAIN, "model.after_publish");
    assert_eq!(files(&sandbox, "models", |name| name.ends_with(".ckpt")).len(), 1);
    sandbox.recflow(&["resume", "latest"]).exits(0);
    assert_eq!(files(&sandbox, "models", |name| name.ends_with(".ckpt")).len(), 0);
    assert_eq!(files(&sandbox, "models", |name| name.starts_with("version_")).len(), 1);
}

#[test]
fn the_figures_of_every_sweep_are_stored_and_stand_with_the_model() {
    let sandbox = with_ratings();
    let output = sandbox.recflow(&TRAIN).exits(0).json()["tasks"]["train_als"]["output"].clone();
    let record = model_record(&sandbox);
    for name in ["loss", "train_rmse", "holdout_rmse"] {
        let stored = series(&sandbox, "train_als", name);
        assert_eq!(stored.iter().map(|point| point.0).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>(), "{name}");
        assert_eq!(stored[11].1, output[name].as_f64().expect("a number"), "{name}");
        let iterations = record["iterations"].as_array().expect("a list");
        let kept: Vec<f64> = iterations.iter().map(|iteration| iteration[name].as_f64().expect("a number")).collect();
        assert_eq!(kept, stored.iter().map(|point| point.1).collect::<Vec<_>>(), "{name}");
    }
    assert_eq!(record["holdout"]["share"], 0.2);
    assert_eq!(record["holdout"]["best_iteration"], output["best_iteration"]);
}

#[test]
fn a_model_s_figures_can_be_asked_for_by_segment() {
    let sandbox = with_ratings();
    let output = sandbox.recflow(&TRAIN).exits(0).json()["tasks"]["train_als"]["output"].clone();
    let model = format!("model={}", output["path"].as_str().expect("a path"));
    let evaluation = sandbox.recflow(&["stage", "evaluate", &model, "ratings=data/test", "train=data/train", "--json"]).exits(0).json();
    let evaluation = &evaluation["tasks"]["evaluate"]["output"];
    let asked = |path: &str| -> f64 {
        let ran = sandbox.recflow(&["output", "latest", "evaluate", path]).exits(0);
        ran.out.trim().parse().unwrap_or_else(|_| panic!("{path}: {}", ran.all()))
    };
    assert!(asked("segments.user_activity.q4.rmse") > 0.0);
    assert!(asked("segments.user_activity.q4.unseen_items.ndcg_at_k") > 0.0);
    assert!(asked("segments.item_popularity.tail.ratings_max") <= asked("segments.item_popularity.head.ratings_min"));
    let scored = |part: &str| asked(&format!("segments.{part}.scored")) + asked(&format!("segments.{part}.cold"));
    let total = evaluation["scored"].as_f64().expect("a number") + evaluation["cold"].as_f64().expect("a number");
    assert_eq!(scored("known_users") + scored("new_users"), total);
    assert_eq!(scored("known_items") + scored("new_items"), total);
    assert_eq!(evaluation["by_rating"].as_array().map(Vec::len), Some(5), "one to five stars: {evaluation}");
}

#[test]
fn a_task_killed_while_it_wrote_one_file_leaves_nothing_hidden_once_it_has_run_again() {
    let sandbox = with_ratings();
    let output = sandbox.recflow(&TRAIN).exits(0).json()["tasks"]["train_als"]["output"].clone();
    let model = format!("model={}", output["path"].as_str().expect("a path"));
    // More rows than 1 MiB sorts at once.
    let rows = (0..150_000).map(|row| format!("{},{},2005-{:02}-{:02}\n", row, row % 5 + 1, row % 12 + 1, row % 28 + 1));
    sandbox.write("many.txt", &std::iter::once("7:\n".to_owned()).chain(rows).collect::<String>());
    let futures = ["stage", "create_futures", "input=many.txt", "output=out/future.csv", "memory_limit=1MiB"];
    let recommend = ["stage", "recommend", &model, "output=out/best.parquet", "k=3"];
    let hidden = |sandbox: &Sandbox| files(sandbox, "out", |name| name.starts_with('.'));
    for (arguments, failpoint) in
        [(&futures[..], "futures.after_run@2"), (&futures, "futures.before_publish"), (&recommend, "recommend.before_publish")]
    {
        killed(&sandbox, arguments, failpoint);
        assert_ne!(hidden(&sandbox), Vec::<PathBuf>::new(), "{failpoint}");
        sandbox.recflow(&["resume", "latest"]).exits(0);
        assert_eq!(hidden(&sandbox), Vec::<PathBuf>::new(), "{failpoint}");
    }
    let stream = sandbox.read("out/future.csv");
    assert_eq!(stream.lines().count(), 150_001);
    let key = |line: &str| {
        let mut fields = line.split(',').map(str::to_owned);
        (fields.next(), fields.next().and_then(|user| user.parse::<i32>().ok()))
    };
    assert!(stream.lines().skip(1).is_sorted_by_key(key));
}
