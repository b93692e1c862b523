//! What people do: start, pause, fill dates, stop, resume, replay, mark, prune.

use serde_json::json;

use super::{Asker, each};

const STEPS: &str = "
name: steps
schedule: { cron: '0 3 * * *' }
paused: true
params: { n: { type: integer, default: 3, minimum: 1 } }
tasks:
  a: { stage: shell, with: { script: 'echo a$RECFLOW_PARAM_N >> did; echo \"{\\\"n\\\": 7}\" > $RECFLOW_OUTPUT' } }
  b: { needs: [a], stage: shell, with: { script: 'test -e fine; echo \"{\\\"k\\\": 1}\" > $RECFLOW_OUTPUT' } }
  c: { needs: [b], stage: shell, env: { K: '{{ tasks.b.output.k }}' }, with: { script: 'echo c$K >> did' } }
";
const SLOW: &str = "tasks: { a: { stage: shell, with: { script: 'touch up; sleep 1000' } } }\n";

fn asker() -> Asker {
    Asker::new(|sandbox| {
        sandbox.write("pipelines/steps.yaml", STEPS);
        sandbox.write("pipelines/slow.yaml", SLOW);
    })
}

#[test]
fn a_run_is_started_with_parameters_that_fit_and_a_text_that_is_valid() {
    let asker = asker();
    asker.sandbox().write("fine", "");
    let run = asker.run("steps", &json!({ "params": { "n": 5 }, "logical_date": "2026-01-31" }));
    let shown = asker.read(&format!("runs/{run}"));
    assert_eq!(
        (&shown["status"], &shown["params"], &shown["logical_date"]),
        (&json!("succeeded"), &json!({ "n": 5 }), &json!("2026-01-31T00:00:00Z"))
    );
    assert_eq!((asker.sandbox().read("did").as_str(), &shown["cause"]["by"]), ("a5\nc1\n", &json!("ann")));

    let problem = asker.post("pipelines/steps/runs", &json!({ "params": { "n": 0, "m": 1 } })).is(422).json();
    let told: Vec<_> =
        problem["diagnostics"].as_array().expect("a list").iter().map(|found| json!([found["label"], found["message"]])).collect();
    assert_eq!(told, [json!(["m", "unknown parameter `m`"]), json!(["n", "parameter `n`: expected at least 1, found 0"])]);
    for body in [json!({ "params": 3 }), json!({ "parameters": {} }), json!({ "logical_date": "soon" }), json!([])] {
        Asker::refused(asker.post("pipelines/steps/runs", &body), 400, "bad-request");
    }
    Asker::refused(asker.post("pipelines/stebs/runs", &json!({})), 404, "unknown-pipeline");

    // Whoever starts a run means the text that they see, not the one before it, which stays in force for the clock.
    asker.sandbox().write("pipelines/steps.yaml", "name: steps\ntasks: { a: { stage: nop } }\n");
    let problem = asker.post("pipelines/steps/runs", &json!({})).is(422).json();
    let told = asker.sandbox().recflow(&["validate", "--json", "pipelines/steps.yaml"]).exits(2).json();
    assert_eq!((&problem["type"], &problem["diagnostics"]), (&json!("urn:recflow:problem:invalid-pipeline"), &told[0]["diagnostics"]));
    std::fs::remove_file(asker.sandbox().file("pipelines/steps.yaml")).expect("it is there");
    Asker::refused(asker.post("pipelines/steps/runs", &json!({})), 409, "no-file");
}

#[test]
fn a_pipeline_is_paused_and_dates_of_the_past_are_filled_and_called_off() {
    let asker = asker();
    assert_eq!(asker.post("pipelines/steps/unpause", &json!({})).is(200).json(), json!({ "pipeline": "steps", "paused": false }));
    assert_eq!(asker.read("pipelines/steps")["paused"], false);
    assert_eq!(asker.post("pipelines/steps/pause", &json!({})).is(200).json()["paused"], true);
    assert_eq!((&asker.read("pipelines/steps")["paused"], &asker.read("pipelines/steps")["next"]), (&json!(true), &json!(null)));
    Asker::refused(asker.post("pipelines/nothing/pause", &json!({})), 404, "unknown-pipeline");

    let span = json!({ "from": "2026-01-01", "to": "2026-01-03", "dry_run": true });
    let dry = asker.post("pipelines/steps/backfills", &span).is(200).json();
    assert_eq!(each(&json!({ "items": dry["dates"] }), "date"), ["2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z", "2026-01-03T03:00:00Z"]);
    assert_eq!((&dry["backfill"], each(&json!({ "items": dry["dates"] }), "becomes")), (&json!(null), vec!["run".to_owned(); 3]));
    assert_eq!(asker.read("runs")["items"], json!([]), "nothing was created");
    asker.sandbox().write("fine", "");
    let filled = asker.post("pipelines/steps/backfills", &json!({ "from": "2026-01-01", "to": "2026-01-01" })).is(200).json();
    assert_eq!((&filled["backfill"], &filled["runs"]), (&json!(1), &json!(1)));
    asker.sandbox().wait_until("it has run", || each(&asker.read("runs?trigger=backfill"), "status") == ["succeeded"]);
    let again = asker.post("pipelines/steps/backfills", &span).is(200).json();
    assert_eq!(each(&json!({ "items": again["dates"] }), "becomes"), ["nothing", "run", "run"]);
    let all = json!({ "from": "2026-01-01", "to": "2026-01-02", "dry_run": true, "reprocess": "all", "backwards": true });
    assert_eq!(
        each(&json!({ "items": asker.post("pipelines/steps/backfills", &all).is(200).json()["dates"] }), "becomes"),
        ["run", "again"]
    );
    assert_eq!(asker.delete("backfills/1").is(200).json(), json!({ "backfill": 1, "cancelled": 0, "asked": 0 }));
    Asker::refused(asker.delete("backfills/7"), 404, "unknown-backfill");
    Asker::refused(asker.post("pipelines/slow/backfills", &json!({ "from": "2026-01-01", "to": "2026-01-03" })), 409, "no-schedule");
    Asker::refused(asker.post("pipelines/steps/backfills", &json!({ "from": "2026-01-03", "to": "2026-01-01" })), 422, "empty-span");
    Asker::refused(asker.post("pipelines/steps/backfills", &json!({ "from": "1700-01-03", "to": "2026-01-01" })), 422, "too-many-dates");
    Asker::refused(
        asker.post("pipelines/steps/backfills", &json!({ "from": "2026-01-01", "to": "2026-01-02", "max_active": 0 })),
        400,
        "bad-request",
    );
}

#[test]
fn a_run_that_failed_goes_on_is_repeated_and_a_task_of_it_is_marked_with_an_output() {
    let asker = asker();
    let run = asker.run("steps", &json!({}));
    Asker::refused(asker.post(&format!("runs/{run}/cancel"), &json!({})), 409, "run-over");
    let said = Asker::refused(asker.post(&format!("runs/{run}/tasks/x/mark"), &json!({ "status": "failed" })), 404, "unknown-task");
    assert!(said.contains("its tasks are a, b, c"), "{said}");
    let mark = |body| asker.post(&format!("runs/{run}/tasks/b/mark"), &body);
    Asker::refused(mark(json!({ "status": "failed", "output": 7 })), 409, "refused");
    Asker::refused(mark(json!({ "status": "fine" })), 400, "bad-request");
    mark(json!({ "status": "succeeded", "output": { "k": 9 }, "reason": "looked at it" })).is(200);
    assert_eq!((asker.ended(&run).as_str(), asker.sandbox().read("did").as_str()), ("succeeded", "a3\nc9\n"));
    let task = asker.read(&format!("runs/{run}/tasks/b"));
    assert_eq!((&task["state"], &task["output"]), (&json!("succeeded"), &json!({ "k": 9 })));
    assert!(task["reason"].as_str().is_some_and(|reason| reason.contains("marked by ann: looked at it")), "{task}");
    Asker::refused(asker.post(&format!("runs/{run}/resume"), &json!({})), 409, "run-over");

    Asker::refused(asker.post(&format!("runs/{run}/replay"), &json!({ "from": "x" })), 404, "unknown-task");
    let again =
        asker.post(&format!("runs/{run}/replay"), &json!({ "from": "b" })).is(201).json()["run"].as_str().expect("an id").to_owned();
    assert_eq!(asker.ended(&again), "failed");
    assert_eq!(asker.read(&format!("runs/{again}"))["replay_of"], json!(run));
    asker.sandbox().write("fine", "");
    asker.post(&format!("runs/{again}/resume"), &json!({})).is(200);
    assert_eq!((asker.ended(&again).as_str(), asker.sandbox().read("did").as_str()), ("succeeded", "a3\nc9\nc1\n"));
}

#[test]
fn a_run_under_way_is_marked_and_stopped_and_not_resumed() {
    let asker = asker();
    let start = || asker.post("pipelines/slow/runs", &json!({})).is(201).json()["run"].as_str().expect("an id").to_owned();
    let run = start();
    asker.sandbox().wait_until("it is under way", || asker.sandbox().file("up").exists());
    for (path, body) in [("resume", json!({})), ("replay", json!({ "from": "a" }))] {
        Asker::refused(asker.post(&format!("runs/{run}/{path}"), &body), 409, "run-under-way");
    }
    let shown = asker.read(&format!("runs/{run}"));
    assert_eq!(
        (&shown["owner"]["pid"], &shown["cancellable"], &shown["resumable"]),
        (&json!(asker.site.daemon.pid()), &json!(true), &json!(false))
    );
    asker.post(&format!("runs/{run}/cancel"), &json!({ "force": true, "reason": "enough" })).is(200);
    assert_eq!(asker.ended(&run), "cancelled");
    assert!(asker.read(&format!("runs/{run}"))["reason"].as_str().is_some_and(|reason| reason.contains("cancelled by ann: enough")));
    std::fs::remove_file(asker.sandbox().file("up")).expect("it is there");
    let run = start();
    asker.sandbox().wait_until("it is under way", || asker.sandbox().file("up").exists());
    asker.post(&format!("runs/{run}/tasks/a/mark"), &json!({ "status": "succeeded" })).is(200);
    assert_eq!(asker.ended(&run), "succeeded");
    // What a process that died has left is ended, too.
    let mut lost = asker.sandbox().spawn(&["run", "pipelines/slow.yaml", "-q"]);
    asker.sandbox().wait_until("it is under way", || each(&asker.read("runs?status=running"), "pipeline") == ["slow"]);
    lost.signal(libc::SIGKILL);
    asker.sandbox().wait_until("it is dead", || lost.is_over());
    asker.sandbox().wait_until("it is interrupted", || each(&asker.read("runs?status=interrupted"), "pipeline") == ["slow"]);
    let left = each(&asker.read("runs?status=interrupted"), "run").remove(0);
    asker.post(&format!("runs/{left}/cancel"), &json!({})).is(200);
    assert_eq!(asker.ended(&left), "cancelled");
}

#[test]
fn old_runs_are_deleted_as_the_workspace_says() {
    let asker = asker();
    asker.sandbox().write("fine", "");
    let runs: Vec<String> = (0..3).map(|_| asker.run("steps", &json!({}))).collect();
    asker.sandbox().write("recflow.yaml", "retention: { runs: 1 }\n");
    let dry = asker.post("system/prune", &json!({ "dry_run": true })).is(200).json();
    assert_eq!((&dry["dry_run"], &dry["runs"]), (&json!(true), &json!(2)));
    assert_eq!(each(&asker.read("runs"), "run").len(), 3);
    assert_eq!(asker.post("system/prune", &json!({})).is(200).json()["runs"], 2);
    assert_eq!(each(&asker.read("runs"), "run"), [runs[2].as_str()]);
    let copy = asker.post("system/backup", &json!({})).is(200).json();
    let copy = recflow_state::Store::open_read_only(copy["path"].as_str().expect("a path")).expect("a store");
    assert_eq!(copy.read(|view| view.run_count()).expect("readable"), 1);
}
