//! What people see of many runs: `status`, `runs`, `history`, and logs that are followed.

use std::io::{BufRead, BufReader};

use recflow_state::{NewRun, RunId, RunStatus, SlotDecision, SlotRow, Store, Trigger, UnixMs};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// 2026-01-01T00:00:00Z.
const EPOCH: i64 = 1_767_225_600_000;
const HOUR: i64 = 3_600_000;

/// A stored run of `pipeline`, created `hour` hours after the epoch.
fn add_run(store: &Store, n: u64, pipeline: &str, trigger: Trigger, hour: i64, status: RunStatus) -> RunId {
    let id = RunId::from_random(n);
    let at = UnixMs(EPOCH + hour * HOUR);
    let fill = |tx: &recflow_state::Tx<'_>| {
        let run = NewRun {
            id: id.clone(),
            pipeline: pipeline.to_owned(),
            version: tx.pipeline_version(pipeline, "h", "tasks: { a: { stage: noop } }", None, at)?,
            trigger,
            logical_date: at,
            params: json!({}),
            owner: None,
            created_at: at,
            workspace: String::new(),
            binary_version: String::new(),
            priority: 0,
            cause: None,
            backfill: None,
            replay_of: None,
        };
        tx.create_run(&run, &[])?;
        let (start, end) = (UnixMs(at.0 + 1_000), UnixMs(at.0 + 3_500));
        match status {
            RunStatus::Queued => Ok(()),
            RunStatus::Running => tx.update_run(&id, status, Some(start), None, None),
            _ => tx.update_run(&id, status, Some(start), Some(end), None),
        }
    };
    store.write(fill).expect("writable");
    id
}

fn store(sandbox: &Sandbox) -> Store {
    Store::open(sandbox.file(".recflow/state.db")).expect("opens")
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|run| run["run"].as_str().expect("an id")).collect()
}

#[test]
fn runs_are_filtered_and_paged() {
    let sandbox = Sandbox::new();
    let kept = store(&sandbox);
    let a = add_run(&kept, 1, "etl", Trigger::Schedule, 0, RunStatus::Succeeded);
    let b = add_run(&kept, 2, "etl", Trigger::Manual, 1, RunStatus::Failed);
    let c = add_run(&kept, 3, "train", Trigger::Schedule, 2, RunStatus::Running);
    let d = add_run(&kept, 4, "etl", Trigger::Schedule, 3, RunStatus::Queued);
    drop(kept);
    let list = |arguments: &[&str]| sandbox.recflow(&[&["runs", "--json"], arguments].concat()).exits(0).json();
    let expect = |arguments: &[&str], expected: &[&RunId]| {
        assert_eq!(ids(&list(arguments)), expected.iter().map(|id| id.as_str()).collect::<Vec<_>>(), "{arguments:?}");
    };
    expect(&[], &[&d, &c, &b, &a]);
    expect(&["--pipeline", "etl", "--trigger", "schedule"], &[&d, &a]);
    expect(&["--status", "failed"], &[&b]);
    expect(&["--status", "queued"], &[&d]);
    expect(&["--status", "interrupted"], &[&c]);
    expect(&["--status", "running"], &[]);
    expect(&["--since", "2026-01-01T01:00:00Z", "--until", "2026-01-01T03:00:00Z"], &[&c, &b]);
    expect(&["-n", "2", "--before", c.as_str()], &[&b, &a]);
    let first = &list(&["-n", "1"])[0];
    assert_eq!(
        (&first["status"], &first["created_at"], &first["ended_at"]),
        (&json!("queued"), &json!("2026-01-01T03:00:00Z"), &Value::Null)
    );

    let page = sandbox.recflow(&["runs", "--pipeline", "etl", "-n", "2"]).exits(0);
    assert!(page.err.contains(&format!("more: recflow runs --pipeline etl -n 2 --before {b}")), "{}", page.all());
    for (arguments, words) in [
        (
            &["runs", "--status", "done"][..],
            "unknown run status `done`: expected one of queued, running, succeeded, failed, cancelled, interrupted",
        ),
        (&["runs", "--trigger", "cron"], "unknown trigger `cron`"),
        (&["runs", "--since", "yesterday"], "`--since yesterday` is not a date or time"),
        (&["runs", "--before", "zzzz"], "no run matches `zzzz`"),
    ] {
        let ran = sandbox.recflow(arguments).exits(2);
        assert!(ran.err.contains(words), "{}", ran.all());
    }
}

#[test]
fn the_history_tells_what_was_due_and_what_became_of_it() {
    let sandbox = Sandbox::new();
    let kept = store(&sandbox);
    let ran = add_run(&kept, 1, "etl", Trigger::Schedule, 1, RunStatus::Succeeded);
    let by_hand = add_run(&kept, 2, "etl", Trigger::Manual, 2, RunStatus::Failed);
    let slot = |hour: i64, count: u32, run: Option<&RunId>, reason: Option<&str>| SlotRow {
        pipeline: "etl".to_owned(),
        at: UnixMs(EPOCH + hour * HOUR),
        until: UnixMs(EPOCH + (hour + i64::from(count) - 1) * HOUR),
        count,
        decision: if run.is_some() { SlotDecision::Run } else { SlotDecision::Skipped },
        reason: reason.map(str::to_owned),
        run: run.cloned(),
        decided_at: UnixMs(EPOCH),
    };
    for slot in [slot(1, 1, Some(&ran), None), slot(3, 4, None, Some("paused, \"for now\""))] {
        assert!(kept.write(|tx| tx.add_slot(&slot)).expect("writable"));
    }
    drop(kept);
    let entries = sandbox.recflow(&["history", "etl", "--json"]).exits(0).json();
    let line = |entry: &Value| {
        json!([entry["due"], entry["slots"], entry["became"], entry["reason"], entry["run"], entry["waited_seconds"], entry["seconds"]])
    };
    assert_eq!(
        entries.as_array().expect("a list").iter().map(line).collect::<Vec<_>>(),
        [
            json!(["2026-01-01T03:00:00Z", 4, "skipped", "paused, \"for now\"", null, null, null]),
            json!([null, 0, "failed", null, by_hand, 1.0, 2.5]),
            json!(["2026-01-01T01:00:00Z", 1, "succeeded", null, ran, 1.0, 2.5]),
        ]
    );
    let csv = sandbox.recflow(&["history", "--csv", "--since", "2026-01-01T01:30:00Z"]).exits(0).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3, "{csv}");
    assert_eq!(lines[1], "etl,2026-01-01T03:00:00Z,2026-01-01T06:00:00Z,4,skipped,\"paused, \"\"for now\"\"\",,,,,,,");
    let table = sandbox.recflow(&["history"]).exits(0).out;
    assert!(table.contains("2026-01-01T03:00:00Z to 2026-01-01T06:00:00Z (4 slots)") && table.contains("(manual)"), "{table}");
    let unknown = sandbox.recflow(&["history", "elt"]).exits(2);
    assert!(unknown.err.contains("nothing is known of a pipeline `elt`") && unknown.err.contains("there are etl"), "{}", unknown.all());
    sandbox.recflow(&["runs"]).exits(0);
    assert_eq!(Sandbox::new().recflow(&["history", "--json"]).exits(0).out, "[]\n");
}

const DAILY: &str = "schedule: { cron: '0 3 * * *', timezone: Europe/Prague }\ntasks: { a: { stage: noop } }\n";

#[test]
fn the_dashboard_shows_pipelines_results_what_is_next_and_what_is_wrong() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/daily.yaml", DAILY);
    sandbox.write("pipelines/asleep.yaml", &format!("paused: true\n{DAILY}"));
    sandbox.write("pipelines/broken.yaml", "tasks: { a: { stage: nop } }\n");
    let shown = sandbox.recflow(&["status"]).exits(0);
    assert!(
        shown.out.contains("nothing has run") && shown.out.contains("never ran") && shown.out.contains("daemon: none"),
        "{}",
        shown.all()
    );

    for status in [RunStatus::Failed, RunStatus::Succeeded, RunStatus::Cancelled, RunStatus::Succeeded] {
        let kept = store(&sandbox);
        let n = kept.read(|view| view.runs(9, &recflow_state::RunFilter::default())).expect("reads").len() as u64;
        add_run(&kept, n + 1, "daily", Trigger::Schedule, n as i64, status);
    }
    add_run(&store(&sandbox), 9, "gone", Trigger::Manual, 9, RunStatus::Queued);
    let all = sandbox.recflow(&["status", "--json"]).exits(0).json();
    let names: Vec<&str> = all["pipelines"].as_array().expect("a list").iter().map(|p| p["pipeline"].as_str().expect("a name")).collect();
    assert_eq!(names, ["asleep", "broken", "daily", "gone"]);
    let [asleep, broken, daily] = [&all["pipelines"][0], &all["pipelines"][1], &all["pipelines"][2]];
    assert_eq!((&asleep["paused"], &asleep["next"]), (&json!(true), &Value::Null));
    assert!(broken["error"].as_str().expect("an error").contains("`nop`"), "{broken}");
    assert_eq!(daily["results"], json!(["failed", "succeeded", "cancelled", "succeeded"]));
    assert!(["T01:00:00Z", "T02:00:00Z"].iter().any(|end| daily["next"].as_str().expect("a time").ends_with(end)), "{daily}");
    assert_eq!((&all["queued"], &all["running"], &all["daemon"]), (&json!({ "gone": 1 }), &json!([]), &Value::Null));

    let shown = sandbox.recflow(&["status"]).exits(0);
    for words in ["✗✓■✓", "(", "03:00)", "paused", "invalid: pipelines/broken.yaml", "waiting to run: 1 of gone", "daemon: none"] {
        assert!(shown.out.contains(words), "{words}\n{}", shown.all());
    }
}

#[test]
fn the_dashboard_shows_what_runs_now_and_watches_on() {
    let sandbox = Sandbox::with(
        "name: slow\ntasks:\n  wait: { stage: shell, with: { script: 'touch up; while [ ! -e go ]; do sleep 0.02; done' } }\n",
    );
    let run = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the program is up", || sandbox.file("up").exists());
    let all = sandbox.recflow(&["status", "--json"]).exits(0).json();
    assert_eq!((&all["running"][0]["task"], &all["running"][0]["stage"]), (&json!("wait"), &json!("shell")));
    let mut watch = sandbox.command(&["status", "--watch"]).stdout(std::process::Stdio::piped()).spawn().expect("starts");
    let mut frames = BufReader::new(watch.stdout.take().expect("piped")).lines().map_while(Result::ok);
    assert!(frames.any(|line| line.contains("running now")) && frames.any(|line| line.contains("slow")));
    sandbox.write("go", "");
    run.wait().exits(0);
    assert!(frames.any(|line| line.contains("succeeded")), "a later frame shows the end");
    watch.kill().expect("ours");
    watch.wait().expect("ours");
}

#[test]
fn followed_logs_go_on_when_another_process_takes_the_run_over() {
    let sandbox = Sandbox::with(
        "tasks:\n  wait: { stage: shell, with: { script: 'echo begun; touch up; while [ ! -e go ]; do sleep 0.02; done; echo done' } }\n",
    );
    let mut run = sandbox.spawn(&["run", "p.yaml"]);
    // What a program has written is in the log a moment later; a kill in between loses it.
    sandbox.wait_until("its line is logged", || sandbox.file("up").exists() && sandbox.recflow(&["logs", "latest"]).out.contains("begun"));
    let logs = sandbox.spawn(&["logs", "latest", "-f"]);
    run.signal(libc::SIGKILL);
    sandbox.wait_until("the process is dead", || run.is_over());
    sandbox.after_its_owner_died();
    sandbox.write("go", "");
    sandbox.recflow(&["resume", "latest"]).exits(0);
    let followed = logs.wait().exits(0);
    assert!(followed.out.contains("wait/1 begun") && followed.out.contains("wait/2 done"), "{}", followed.all());
}
