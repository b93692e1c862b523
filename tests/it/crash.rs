//! `kill -9` of everything at any moment, and `recflow resume`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::sandbox::{Sandbox, processes_with};

/// Ten tasks that each leave a trace, some side by side.
fn traces() -> String {
    let mut text = String::from("tasks:\n");
    for task in 0..10 {
        let needs = match task {
            0 => String::new(),
            1..=3 => ", needs: [t0]".to_owned(),
            4 => ", needs: [t1, t2, t3]".to_owned(),
            _ => format!(", needs: [t{}]", task - 1),
        };
        let script = format!("echo start >> trace-{task}; sleep 0.02; echo end >> trace-{task}");
        text.push_str(&format!("  t{task}: {{ stage: shell, with: {{ script: '{script}' }}{needs} }}\n"));
    }
    text
}

/// How often each task was recorded as succeeded.
fn successes(sandbox: &Sandbox) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    for event in sandbox.events() {
        if event["event"] == "attempt_ended" && event["outcome"]["outcome"] == "succeeded" {
            *counts.entry(event["task"].as_u64().expect("a number")).or_default() += 1;
        }
    }
    counts
}

#[test]
fn a_run_killed_at_twenty_moments_is_resumed_and_nothing_that_succeeded_runs_again() {
    for round in 0..20u64 {
        let sandbox = Sandbox::with(&traces());
        let mut run = sandbox.spawn(&["run", "p.yaml", "--jobs", "2"]);
        std::thread::sleep(Duration::from_millis(3 + round * 17 % 260));
        run.signal(libc::SIGKILL);
        sandbox.wait_until("the process is dead", || run.is_over());
        if !sandbox.file(".recflow/state.db").exists() || sandbox.json(&["runs", "--json"]) == json!([]) {
            continue;
        }
        let before = sandbox.after_its_owner_died();
        assert!(["interrupted", "succeeded"].contains(&before["status"].as_str().expect("text")), "{before}");
        let done: Vec<u64> = successes(&sandbox).into_keys().collect();
        let traces_before: Vec<String> = done.iter().map(|task| sandbox.read(&format!("trace-{task}"))).collect();

        let after = sandbox.recflow(&["resume", "latest", "--json", "--jobs", "2"]).exits(0).json();
        assert_eq!(after["status"], "succeeded", "round {round}");
        assert_eq!(successes(&sandbox), (0..10).map(|task| (task, 1)).collect(), "round {round}: each task succeeds once");
        for (task, before) in done.iter().zip(traces_before) {
            assert_eq!(sandbox.read(&format!("trace-{task}")), before, "round {round}: t{task} had succeeded and ran again");
        }
        for task in 0..10 {
            assert!(sandbox.read(&format!("trace-{task}")).ends_with("end\n"), "round {round}: t{task} is complete");
        }
    }
}

#[test]
fn when_the_owner_dies_its_programs_die_with_their_children() {
    let sandbox = Sandbox::with(
        "tasks:\n  tree: { stage: shell, with: { script: '(while :; do sleep 0.02; done) & touch up; while :; do sleep 0.02; done' } }\n",
    );
    let mut run = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the program is up", || sandbox.file("up").exists());
    let mark = format!("{}/tree/0", sandbox.status()["run"].as_str().expect("an id"));
    assert!(processes_with(&mark).len() >= 2, "script and its child");
    run.signal(libc::SIGKILL);
    sandbox.wait_until("the process is dead", || run.is_over());
    sandbox.wait_until("no process is left", || processes_with(&mark).is_empty());
    assert_eq!(sandbox.after_its_owner_died()["status"], "interrupted");
    let shown = sandbox.recflow(&["status", "latest"]).exits(0).out;
    assert!(shown.contains("next: recflow resume") && !shown.contains("under way"), "{shown}");
}

#[test]
fn a_live_run_is_not_resumed_and_its_owner_is_named() {
    let sandbox = Sandbox::with("tasks:\n  wait: { stage: shell, with: { script: 'touch up; while [ ! -e go ]; do sleep 0.02; done' } }\n");
    let run = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the program is up", || sandbox.file("up").exists());
    let refused = sandbox.recflow(&["resume", "latest"]).exits(1);
    assert!(refused.err.contains(&format!("is under way in process {}", run.pid())), "{}", refused.all());
    assert_eq!(sandbox.status()["status"], "running");
    sandbox.write("go", "");
    run.wait().exits(0);
}

#[test]
fn resuming_a_run_that_succeeded_prints_its_result() {
    let sandbox = Sandbox::with("tasks:\n  a: { stage: shell, with: { script: 'echo x >> ran; echo n=1 > \"$RECFLOW_OUTPUT\"' } }\n");
    let first = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(0).json();
    let again = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
    assert_eq!(again, first);
    assert_eq!(sandbox.read("ran"), "x\n");
}

#[test]
fn resume_runs_what_failed_and_what_is_below_and_keeps_the_rest() {
    let sandbox = Sandbox::with(
        r#"
tasks:
  good: { stage: shell, with: { script: 'echo x >> good; echo n=5 > "$RECFLOW_OUTPUT"' } }
  bad: { stage: shell, needs: [good], with: { script: 'echo x >> bad; [ -e mended ]' } }
  below: { stage: shell, needs: [bad], with: { command: [sh, -c, 'echo "$1" > below', sh, "{{ tasks.good.output.n }}"] } }
"#,
    );
    sandbox.recflow(&["run", "p.yaml"]).exits(1);
    sandbox.write("mended", "");
    // The definition is pinned: what the file says now does not matter.
    sandbox.write("p.yaml", "tasks: { other: { stage: noop } }");
    let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
    assert_eq!(run["tasks"]["bad"]["attempts"], 2);
    assert_eq!([sandbox.read("good"), sandbox.read("bad"), sandbox.read("below")], ["x\n", "x\nx\n", "5\n"]);
}

#[test]
fn a_task_whose_owner_dies_three_times_fails_with_that_reason() {
    let sandbox = Sandbox::with("tasks:\n  fatal: { stage: shell, with: { script: 'kill -9 $PPID; sleep 10' } }\n");
    for arguments in [["run", "p.yaml"], ["resume", "latest"], ["resume", "latest"]] {
        sandbox.recflow(&arguments);
        assert_eq!(sandbox.after_its_owner_died()["status"], "interrupted");
    }
    let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(1).json();
    let error = run["tasks"]["fatal"]["error"].as_str().expect("an error").to_owned();
    assert!(error.contains("lost 3 times"), "{error}");
}
