//! Model versions through the binary: `recflow models`, stage `promote` under crashes, stage `check` in a run.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// Trains on few ratings and promotes, without retries: a crash is the end of the run.
const PIPELINE: &str = "
name: p
params:
  rank: { type: integer, default: 2 }
  floor: { type: number, default: 5 }
tasks:
  train:
    stage: train_als
    with: { ratings: data/quickstart/parquet/train, models: models/artifacts, rank: '{{ params.rank }}', max_iter: 2 }
  test:
    stage: evaluate
    needs: [train]
    with: { model: '{{ tasks.train.output.path }}', ratings: data/quickstart/parquet/test, record: true }
  check:
    stage: check
    needs: [test]
    with:
      ratings: data/quickstart/parquet/test
      min_rows: 10
      metrics: { rmse: { value: '{{ tasks.test.output.rmse }}', max: '{{ params.floor }}' } }
  promote:
    stage: promote
    needs: [check]
    with: { models: models/artifacts, challenger: '{{ tasks.train.output.version }}', ratings: data/quickstart/parquet/test, tolerance: 3 }
";

/// A workspace with the quickstart's ratings and one version, not promoted.
fn with_a_version() -> (Sandbox, String) {
    let sandbox = Sandbox::with(PIPELINE);
    let run = sandbox.recflow(&["run", "quickstart", "--json", "-p", "ratings=4000", "-p", "rank=4", "-p", "max_iter=3"]).exits(0).json();
    let version = text(&run["tasks"]["train"]["output"]["version"]);
    (sandbox, version)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn train(sandbox: &Sandbox, rank: u32) -> String {
    let rank = format!("rank={rank}");
    let inputs = ["stage", "train_als", "ratings=data/quickstart/parquet/train", "models=models/artifacts", "max_iter=2", "--json", &rank];
    text(&sandbox.recflow(&inputs).exits(0).json()["tasks"]["train_als"]["output"]["version"])
}

fn current(sandbox: &Sandbox) -> Option<String> {
    let listed = sandbox.json(&["models", "--json"]);
    let mut current = listed.as_array().expect("a list").iter().filter(|model| model["current"] == true);
    let version = current.next().map(|model| text(&model["version"]));
    assert!(current.next().is_none(), "{listed}");
    version
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn the_list_tells_parameters_data_figures_and_which_version_serves() {
    let (sandbox, first) = with_a_version();
    let second = train(&sandbox, 8);
    let listed = sandbox.json(&["models", "--json"]);
    let versions: Vec<String> = listed.as_array().expect("a list").iter().map(|model| text(&model["version"])).collect();
    assert_eq!(versions, [second.clone(), first.clone()]);
    assert_eq!((&listed[0]["params"]["rank"], &listed[0]["params"]["max_iter"], &listed[1]["rank"]), (&json!(8), &json!(2), &json!(4)));
    assert_eq!(listed[1]["dataset"]["path"], "data/quickstart/parquet/train");
    // The quickstart's test recorded its figures; nothing has measured the second.
    let rmse = sandbox.json(&["output", "latest", "train_als", "--json"]);
    assert!(rmse["train_rmse"].is_f64() && listed[0]["metrics"]["rmse"].is_null());
    assert_eq!(listed[1]["measured_on"], "data/quickstart/parquet/test");

    sandbox.recflow(&["models", "promote", &first, "--reason", "it is known"]).exits(0);
    let out = sandbox.recflow(&["models"]).exits(0).out;
    let lines: Vec<Vec<&str>> = out.lines().map(words).collect();
    let header = "version trained rank reg sweeps ratings RMSE MAE train RMSE trained on measured on";
    assert_eq!((lines[0].join(" ").as_str(), lines.len()), (header, 3));
    let shown = |name: &str| format!("{:.4}", listed[1]["metrics"][name].as_f64().expect("a number"));
    let [trained, rest] = [&lines[2][2..4], &lines[2][4..]];
    assert_eq!((&lines[2][..2], trained[1]), (&[first.as_str(), "current"][..], "ago"));
    assert_eq!(rest[..3], ["4", "0.1", "3"]);
    let figures = [shown("rmse"), shown("mae"), shown("train_rmse")];
    let ends = [&figures[0], &figures[1], &figures[2], "data/quickstart/parquet/train", "data/quickstart/parquet/test"];
    assert_eq!(rest[rest.len() - 5..], ends);
    assert_eq!((lines[1][0], &lines[1][lines[1].len() - 4..lines[1].len() - 2]), (second.as_str(), &["–", "–"][..]));

    let shown = sandbox.recflow(&["models", "show"]).exits(0).out;
    for part in
        ["  current", "rank 4, reg 0.1, max_iter 3, seed 42", "fingerprint ", "data/quickstart/parquet/test", "a person", "it is known"]
    {
        assert!(shown.contains(part), "`{part}` is missing in\n{shown}");
    }
    let details = sandbox.json(&["models", "show", &first, "--json"]);
    assert_eq!(
        (&details["decisions"][0]["decision"], &details["evaluations"][0]["metrics"]["rmse"]),
        (&json!("person"), &listed[1]["metrics"]["rmse"])
    );
    let found = sandbox.recflow(&["stage", "find_model", "models=models/artifacts", "which=current", "--json"]).exits(0).json();
    assert_eq!(found["tasks"]["find_model"]["output"]["metrics"]["rmse"], listed[1]["metrics"]["rmse"]);
}

#[test]
fn a_person_promotes_goes_back_and_reads_why() {
    let (sandbox, first) = with_a_version();
    let second = train(&sandbox, 2);
    assert!(sandbox.recflow(&["models"]).exits(0).out.contains("no version is current"));
    let ran = sandbox.recflow(&["models", "promote", &first, "--reason", "first of all"]).exits(0);
    assert_eq!(ran.out, format!("{first} is current: first of all\n"));
    let ran = sandbox.recflow(&["models", "promote", "latest", "--reason", "newer"]).exits(0);
    assert_eq!(ran.out, format!("{second} is current (it was {first} before): newer\n"));
    let again = sandbox.recflow(&["models", "promote", &second, "--reason", "newer"]).exits(0);
    assert_eq!(again.out, format!("{second} is the current version already\n"));
    let ran = sandbox.recflow(&["models", "rollback", "--reason", "complaints"]).exits(0);
    assert_eq!(ran.out, format!("{first} is current (it was {second} before): complaints\n"));
    assert_eq!(current(&sandbox), Some(first.clone()));
    let history = sandbox.recflow(&["models", "history"]).exits(0).out;
    let lines: Vec<String> = history.lines().skip(1).map(|line| words(line)[1..].join(" ")).collect();
    let expected = [
        format!("rolled back {first} a person complaints"),
        format!("promoted {second} a person newer"),
        format!("promoted {first} a person first of all"),
    ];
    assert_eq!(lines, expected);
    let ran = sandbox.recflow(&["models", "rollback"]).exits(1);
    assert!(ran.err.contains("was current before and is still there") && ran.err.contains("hint:"), "{}", ran.err);
    let ran = sandbox.recflow(&["models", "promote", "version_x", "--reason", "?"]).exits(1);
    assert!(ran.err.contains(&format!("newest there: {second}, {first}")), "{}", ran.err);
    sandbox.recflow(&["models", "promote", &first]).exits(2);
    // Another folder, where nothing is.
    assert_eq!(sandbox.json(&["models", "--models", "elsewhere", "--json"]), json!([]));
    assert!(sandbox.recflow(&["models", "list", "--models", "elsewhere"]).exits(0).out.contains("no model versions here"));
}

#[test]
fn a_run_promotes_with_a_reason_and_the_summary_says_it() {
    let (sandbox, _) = with_a_version();
    let ran = sandbox.recflow(&["run", "p.yaml"]).exits(0);
    let output = sandbox.status()["tasks"]["promote"]["output"].clone();
    let version = text(&output["current"]);
    let verdict = format!("{version} is current now: no version was promoted before; RMSE ");
    assert!(ran.out.contains(&verdict), "{}", ran.out);
    let run = text(&sandbox.status()["run"]);
    let history = sandbox.json(&["models", "history", "--json"]);
    assert_eq!((text(&history[0]["publish_key"]), &history[0]["reason"]), (format!("{run}/promote/0"), &output["reason"]));
    sandbox.recflow(&["run", "p.yaml", "-p", "rank=6"]).exits(0);
    let output = sandbox.status()["tasks"]["promote"]["output"].clone();
    assert_eq!((output["champion"]["version"].as_str(), output["previous"].as_str()), (Some(version.as_str()), Some(version.as_str())));
    assert!(output["challenger"]["coverage"].as_f64().expect("a share") > 0.9, "{output}");
}

#[test]
fn killed_before_or_after_the_switch_and_resumed_it_is_decided_once() {
    for point in ["promote.before_switch", "promote.after_switch"] {
        let (sandbox, first) = with_a_version();
        sandbox.recflow(&["models", "promote", &first, "--reason", "first"]).exits(0);
        let output = sandbox.command(&["run", "p.yaml", "--json"]).env("RECFLOW_FAILPOINT", point).output().expect("starts");
        assert_eq!(output.status.code(), Some(1), "{point} was not reached");
        let left = current(&sandbox).expect("a version serves at any instant");
        assert_eq!(left == first, point == "promote.before_switch");
        let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
        let output = &run["tasks"]["promote"]["output"];
        assert_eq!((&output["promoted"], text(&output["previous"])), (&json!(true), first), "{point}");
        assert_eq!(current(&sandbox), Some(text(&output["current"])));
        let history = sandbox.json(&["models", "history", "--json"]);
        let decided = history.as_array().expect("a list").iter().filter(|record| record["decision"] == "comparison");
        assert_eq!(decided.count(), 1, "{point}: {history}");
    }
}

#[test]
fn prune_removes_what_nothing_needs_and_can_tell_beforehand() {
    let (sandbox, first) = with_a_version();
    let middle: Vec<String> = (2..5).map(|rank| train(&sandbox, rank)).collect();
    let last = train(&sandbox, 6);
    sandbox.recflow(&["models", "promote", &first, "--reason", "it works"]).exits(0);
    // A run that was interrupted names one of them.
    sandbox.write("q.yaml", &format!("name: q\ntasks: {{ a: {{ stage: shell, with: {{ script: 'sleep 600; echo {}' }} }} }}\n", middle[1]));
    let run = sandbox.spawn(&["run", "q.yaml"]);
    sandbox.wait_until("the task is under way", || {
        sandbox.status()["pipeline"] == "q" && sandbox.events().iter().any(|event| event["event"] == "attempt_started")
    });
    let plan = sandbox.recflow(&["models", "prune", "--keep", "1", "--dry-run"]).exits(0).out;
    assert!(plan.starts_with("would remove 2 ("), "{plan}");
    run.signal(libc::SIGKILL);
    run.wait();
    sandbox.after_its_owner_died();
    let pruned = sandbox.json(&["models", "prune", "--keep", "1", "--json"]);
    let names = |list: &Value| list.as_array().expect("a list").iter().map(|entry| text(&entry["version"])).collect::<Vec<_>>();
    assert_eq!(names(&pruned["removed"]), [middle[2].clone(), middle[0].clone()]);
    let kept = [(&middle[1], "a run that is not over names it"), (&first, "it is the current one")];
    let kept = kept.map(|(version, why)| json!({ "version": version, "why": why }));
    assert_eq!(pruned["kept"], json!(kept));
    let left = sandbox.json(&["models", "--json"]);
    assert_eq!(names(&left), [last, middle[1].clone(), first]);
    assert!(sandbox.recflow(&["models", "prune", "--keep", "3"]).exits(0).out.starts_with("nothing to remove"));
}

#[test]
fn a_check_stops_the_run_before_anything_is_promoted() {
    let (sandbox, _) = with_a_version();
    let ran = sandbox.recflow(&["run", "p.yaml", "-p", "floor=0.01"]).exits(1);
    assert!(ran.out.contains("1 of 2 checks failed: `rmse`: found "), "{}", ran.all());
    let run = sandbox.status();
    assert_eq!((&run["tasks"]["promote"]["state"], current(&sandbox)), (&json!("upstream_failed"), None));
    let ran = sandbox.recflow(&["stage", "check", "ratings=data/quickstart/parquet/test", "min_rows=1000000", "on_failure=warn"]).exits(0);
    assert!(ran.out.contains("\nwarning: rows of `data/quickstart/parquet/test`: found "), "{}", ran.all());
}
