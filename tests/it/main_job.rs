//! The main job: text to a tested model, and what becomes of it under crashes.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::sandbox::{Sandbox, processes_with, skipped};

/// A small version of the main job: everything as in the shipped pipeline, on few ratings.
fn small() -> [&'static str; 9] {
    ["run", "quickstart", "--json", "-p", "ratings=4000", "-p", "rank=4", "-p", "max_iter=3"]
}

/// A sandbox whose quickstart gives up at the first failure.
fn without_retries() -> Sandbox {
    let sandbox = Sandbox::new();
    let shipped = include_str!("../../pipelines/quickstart.yaml");
    assert!(shipped.contains("retries: 1"));
    sandbox.write("pipelines/quickstart.yaml", &shipped.replace("retries: 1", "retries: 0"));
    sandbox
}

/// What must be the same whatever happened on the way.
fn result(run: &Value) -> Value {
    let test = &run["tasks"]["test"]["output"];
    let etl = &run["tasks"]["etl"]["output"];
    json!({
        "train": etl["train"]["fingerprint"], "test": etl["test"]["fingerprint"], "rows": etl["train"]["rows"],
        "futures": run["tasks"]["create_futures"]["output"]["rows"],
        "rmse": test["rmse"], "ndcg": test["ndcg_at_k"], "unseen": test["unseen_items"],
    })
}

fn versions(sandbox: &Sandbox) -> Vec<String> {
    let entries = std::fs::read_dir(sandbox.file("models/artifacts")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with("version_"));
    names
}

#[test]
fn the_quickstart_takes_ratings_from_text_to_a_model_that_beats_its_baselines() {
    let sandbox = Sandbox::new();
    let ran = sandbox.recflow(&["run", "quickstart"]).exits(0);
    let run = sandbox.status();
    let test = &run["tasks"]["test"]["output"];
    let figure = |path: &str| test.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {test}"));
    assert!(figure("/rmse") < figure("/baselines/biases/rmse"), "{test}");
    assert!(figure("/baselines/biases/rmse") < figure("/baselines/global_mean/rmse"), "{test}");
    for word in ["RMSE", "NDCG@10", "user and item biases", "model      models/artifacts/version_", "next: "] {
        assert!(ran.out.contains(word), "no `{word}` in\n{}", ran.out);
    }
    assert_eq!(versions(&sandbox).len(), 1);
    let head = sandbox.read("data/quickstart/future.csv");
    assert!(head.starts_with("DATE,CUST_ID,MOVIE_ID,RATING\n"), "{}", &head[..60]);
    assert!(sandbox.file("data/quickstart/parquet/train").join("year=2005").is_dir(), "a plain hive folder");
}

#[test]
fn the_same_seed_gives_the_same_result_with_any_number_of_threads_and_a_second_run_adds_nothing() {
    let (one, two) = (Sandbox::new(), Sandbox::new());
    let first = one.recflow(&[&small()[..], &["--threads", "1", "--jobs", "1"]].concat()).exits(0).json();
    let second = two.recflow(&[&small()[..], &["--threads", "3", "--jobs", "4"]].concat()).exits(0).json();
    assert_eq!(result(&first), result(&second));
    // The same ratings again: the upsert is idempotent.
    let again = one.recflow(&small()).exits(0).json();
    assert_eq!(result(&first), result(&again));
    assert_eq!(versions(&one).len(), 2, "each run trains a version of its own");
}

#[test]
fn killed_at_any_moment_and_resumed_it_ends_as_if_nothing_had_happened() {
    let undisturbed = Sandbox::new();
    let begun = Instant::now();
    let expected = result(&undisturbed.recflow(&small()).exits(0).json());
    let took = begun.elapsed();
    let mut resumed = 0;
    for round in 0..20u32 {
        let sandbox = Sandbox::new();
        let mut run = sandbox.spawn(&small());
        // Spread over the time that an undisturbed run took: the moments themselves are whatever the machine makes of it.
        std::thread::sleep(took.mul_f64((f64::from(round) + 0.5) / 20.0));
        run.signal(libc::SIGKILL);
        sandbox.wait_until("the process is dead", || run.is_over());
        if !sandbox.file(".recflow/state.db").exists() || sandbox.json(&["runs", "--json"]) == json!([]) {
            continue;
        }
        let before = sandbox.after_its_owner_died();
        let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
        assert_eq!(result(&run), expected, "round {round}, from {before}");
        assert_eq!(versions(&sandbox).len(), 1, "round {round}: one version, whatever died");
        resumed += usize::from(before["status"] == "interrupted");
    }
    assert!(resumed > 0, "no kill hit a run");
}

#[test]
fn a_crash_between_publish_and_record_publishes_once() {
    for point in ["model.after_publish", "publish.after_commit", "publish.after_switch", "engine.before_commit@9"] {
        let sandbox = without_retries();
        let mut command = sandbox.command(&small());
        let output = command.env("RECFLOW_FAILPOINT", point).output().expect("starts");
        assert_ne!(output.status.code(), Some(0), "{point} was not reached, or a retry has found the work published");
        sandbox.after_its_owner_died();
        let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
        assert_eq!(versions(&sandbox).len(), 1, "{point}");
        let clean = Sandbox::new();
        assert_eq!(result(&run), result(&clean.recflow(&small()).exits(0).json()), "{point}");
    }
}

#[test]
fn a_panic_a_signal_and_a_full_disk_are_reported_as_what_they_are() {
    let sandbox = Sandbox::new();
    let broken = |name: &str, value: &str| {
        let output =
            sandbox.command(&["stage", "generate", "output=data", "ratings=2000", "--json"]).env(name, value).output().expect("starts");
        let run: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(run["status"], "failed", "{name}={value}");
        run["tasks"]["generate"]["error"].as_str().expect("an error").to_owned()
    };
    let panic = broken("RECFLOW_FAILPOINT", "attempt.started=panic");
    assert!(panic.contains("stage `generate` panicked at ") && panic.ends_with("failpoint `attempt.started`"), "{panic}");
    let killed = broken("RECFLOW_FAILPOINT", "attempt.started");
    assert!(killed.contains("stage `generate` ended with signal 9 (killed) and no result"), "{killed}");
    let full = broken("RECFLOW_STORAGE_FULL_AFTER", "3");
    assert!(full.contains("cannot write") && full.contains("data/"), "{full}");
    assert!(!sandbox.file("data/train.txt").exists(), "nothing half-written is visible");
}

#[test]
fn ctrl_c_in_the_middle_of_a_stage_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let run = sandbox.spawn(&["run", "quickstart", "-p", "ratings=3000000"]);
    sandbox.wait_until("a stage is under way", || {
        sandbox.file(".recflow/state.db").exists() && sandbox.events().iter().any(|event| event["event"] == "attempt_started")
    });
    run.signal(libc::SIGINT);
    run.wait().exits(130);
    let status = sandbox.status();
    assert_eq!(status["status"], "cancelled");
    let id = status["run"].as_str().expect("an id");
    assert_eq!(processes_with(&format!("{id}/")), Vec::<u32>::new());
    assert!(!sandbox.file("data/quickstart/train.txt").exists(), "nothing half-written is visible");
}

#[test]
fn an_empty_input_and_rejected_lines_are_told_at_the_end_of_the_run() {
    let sandbox = Sandbox::new();
    sandbox.write("train.txt", "1:\n7,4,2005-01-02\n8,9,2005-01-02\n9,3,2005-13-01\n");
    sandbox.write("test.txt", "");
    let etl = ["stage", "etl", "train_file=train.txt", "train_output=out/train", "test_file=test.txt", "test_output=out/test"];
    let ran = sandbox.recflow(&etl).exits(0);
    assert!(ran.err.contains("warning: `test.txt` holds no ratings: `out/test` gains none"), "{}", ran.all());
    assert!(ran.out.contains("warning: 2 of 3 train lines were rejected: .recflow/rejects/"), "{}", ran.all());
    assert!(sandbox.recflow(&["logs", "latest"]).out.contains("`train.txt`: 1 ratings read, 2 lines rejected"));
}

/// `tests` read the shared data where it lies, never from the repository.
fn shared(file: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("RECFLOW_REQUIRE_SHARED").is_none(), "`{}` is required and is not there", path.display());
    skipped(&format!("`{}` is not there", path.display()));
    None
}

/// Spark's test RMSE on MovieLens 100K u1, means of three seeds (`PEERS.md` of the shared notes).
#[test]
fn movielens_100k_is_as_good_as_with_spark() {
    let (Some(convert), Some(data), Some(test)) = (shared("to_netflix.py"), shared("ml-100k/u.data.gz"), shared("ml-100k/u1.test.gz"))
    else {
        return;
    };
    let sandbox = Sandbox::new();
    let converted =
        std::process::Command::new("python3").arg(convert).arg(sandbox.file("data/combined")).arg(data).arg("--test").arg(test).output();
    assert!(converted.expect("python3").status.success());
    sandbox.recflow(&["init"]).exits(0);
    let figure = |run: &Value, path: &str| run["tasks"]["test"]["output"].pointer(path).and_then(Value::as_f64).expect("a number");
    let run = sandbox.recflow(&["run", "pipelines/etl-train-test.yaml", "--json"]).exits(0).json();
    let rmse = figure(&run, "/rmse");
    assert!((rmse / 0.9273 - 1.0).abs() < 0.01, "rank 64: {rmse}");
    assert_eq!(figure(&run, "/scored"), 19_968.0);
    for (path, spark) in [("/precision_at_k", 0.085), ("/recall_at_k", 0.037), ("/ndcg_at_k", 0.085)] {
        assert!((figure(&run, path) - spark).abs() < 0.01, "{path}: {}", figure(&run, path));
    }
    let run = sandbox.recflow(&["run", "pipelines/etl-train-test.yaml", "--json", "-p", "rank=10", "-p", "max_iter=10"]).exits(0).json();
    let rmse = figure(&run, "/rmse");
    assert!((rmse / 0.9378 - 1.0).abs() < 0.01, "rank 10: {rmse}");
}
