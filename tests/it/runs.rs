//! What happens to tasks: success, failure, retries, timeouts, conditions, branches.

use serde_json::json;

use crate::sandbox::Sandbox;

#[test]
fn values_pass_between_tasks_and_keep_their_type() {
    let sandbox = Sandbox::with(
        r#"
params: { limit: { type: integer, default: 3 } }
tasks:
  make: { stage: shell, with: { script: 'echo "{\"rows\": 7, \"name\": \"x\", \"parts\": [1, 2]}" > "$RECFLOW_OUTPUT"' } }
  use:
    stage: shell
    needs: [make]
    when: tasks.make.output.rows > params.limit
    with:
      command: [sh, -c, 'printf "%s %s %s" "$1" "$2" "$3" > got.txt', sh, "{{ tasks.make.output.rows + 1 }}", "{{ tasks.make.output.name }}", "{{ tasks.make.output.parts | length }}"]
"#,
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(0).json();
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["tasks"]["make"]["output"], json!({ "rows": 7, "name": "x", "parts": [1, 2] }));
    assert_eq!(sandbox.read("got.txt"), "8 x 2");
    assert_eq!(sandbox.recflow(&["output", "latest", "make", "parts.1"]).exits(0).out, "2\n");
    assert_eq!(sandbox.recflow(&["output", "latest", "make", "name"]).exits(0).out, "x\n");
}

#[test]
fn the_json_of_a_run_is_a_stable_contract() {
    let sandbox = Sandbox::with(
        "name: tiny\nparams: { a: { type: integer, default: 1 } }\ntasks:\n  one: { stage: noop }\n  two: { stage: shell, needs: [one], with: { command: [sleep, \"0.05\"] } }\n",
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json", "-p", "a=5"]).exits(0).json();
    let keys = |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&run), ["run", "pipeline", "status", "trigger", "logical_date", "seconds", "params", "tasks"]);
    assert_eq!(keys(&run["tasks"]["two"]), ["state", "attempts", "seconds", "peak_rss_mb", "output", "error"]);
    assert_eq!((&run["pipeline"], &run["trigger"], &run["params"]), (&json!("tiny"), &json!("manual"), &json!({ "a": 5 })));
    assert_eq!(run["tasks"]["one"]["peak_rss_mb"], json!(null), "an inline stage has no process");
    let peak = run["tasks"]["two"]["peak_rss_mb"].as_f64().expect("a number");
    assert!(peak > 0.1 && peak < 8.0, "{peak} MiB: that of a small program, not of the one that started it");
    assert!(run["logical_date"].as_str().expect("text").ends_with('Z'));

    let status = sandbox.status();
    assert_eq!(status["tasks"], run["tasks"], "`status RUN --json` shows the same");
    let list = sandbox.json(&["runs", "--json"]);
    let brief = ["run", "pipeline", "status", "trigger", "logical_date", "seconds", "params"];
    assert_eq!(keys(&list[0]), [&brief[..], &["created_at", "started_at", "ended_at", "reason", "cause"]].concat());
    assert_eq!(list[0]["run"], run["run"]);
}

#[test]
fn a_failure_names_its_cause_and_stops_what_is_below() {
    let sandbox = Sandbox::with(
        "tasks:\n  bad: { stage: shell, with: { script: 'echo oops >&2; exit 3' } }\n  below: { stage: noop, needs: [bad] }\n  beside: { stage: noop }\n",
    );
    let ran = sandbox.recflow(&["run", "p.yaml"]).exits(1);
    assert!(ran.out.contains("task `bad` failed: the program ended with exit code 3: oops"), "{}", ran.all());
    let run = sandbox.status();
    assert_eq!(run["status"], "failed");
    assert_eq!(run["tasks"]["bad"]["error"], "the program ended with exit code 3: oops");
    assert_eq!([&run["tasks"]["below"]["state"], &run["tasks"]["beside"]["state"]], ["upstream_failed", "succeeded"]);
    assert!(ran.out.contains(&format!("next: recflow resume {}", run["run"].as_str().expect("an id"))), "{}", ran.all());
}

#[test]
fn an_allowed_failure_does_not_fail_the_run() {
    let sandbox = Sandbox::with(
        "tasks:\n  optional: { stage: shell, with: { command: ['false'] }, allow_failure: true }\n  after: { stage: noop, needs: [optional], trigger_rule: all_done }\n",
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(0).json();
    assert_eq!([&run["tasks"]["optional"]["state"], &run["tasks"]["after"]["state"]], ["failed", "succeeded"]);
}

#[test]
fn a_failed_attempt_is_tried_again_and_every_attempt_is_kept() {
    let sandbox = Sandbox::with(
        r#"
tasks:
  flaky:
    stage: shell
    with: { script: 'echo "try $RECFLOW_ATTEMPT"; echo x >> tries; [ "$(wc -l < tries)" -ge 3 ]' }
    retries: 4
    retry_delay: 10ms
"#,
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(0).json();
    assert_eq!((&run["tasks"]["flaky"]["state"], &run["tasks"]["flaky"]["attempts"]), (&json!("succeeded"), &json!(3)));
    let logs = sandbox.recflow(&["logs", "latest", "flaky"]).exits(0).out;
    for attempt in 1..=3 {
        assert!(logs.contains(&format!("flaky/{attempt} try {attempt}\n")), "{logs}");
    }
    let second = sandbox.recflow(&["logs", "latest", "flaky", "--attempt", "2", "--json"]).exits(0).json();
    assert_eq!((&second["line"], &second["attempt"], &second["stream"]), (&json!("try 2"), &json!(2), &json!("stdout")));
}

#[test]
fn bad_input_is_not_tried_again() {
    let sandbox =
        Sandbox::with("tasks:\n  typo: { stage: shell, with: { command: [no-such-program-of-ours] }, retries: 3, retry_delay: 10ms }\n");
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(1).json();
    assert_eq!(run["tasks"]["typo"]["attempts"], 1);
    assert_eq!(run["tasks"]["typo"]["error"], "program `no-such-program-of-ours` was not found");
}

#[test]
fn a_timeout_stops_the_program_with_all_it_started() {
    let sandbox = Sandbox::with("tasks:\n  slow: { stage: shell, with: { script: 'sleep 1000 & sleep 1000' }, timeout: 300ms }\n");
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(1).json();
    assert_eq!(run["tasks"]["slow"]["error"], "timed out after 300ms");
    let mark = format!("{}/slow/0", run["run"].as_str().expect("an id"));
    sandbox.wait_until("no process is left", || crate::sandbox::processes_with(&mark).is_empty());
}

#[test]
fn a_program_that_ends_politely_on_its_timeout_has_timed_out() {
    let sandbox = Sandbox::with(
        "tasks:\n  polite: { stage: shell, with: { script: 'echo n=1 > \"$RECFLOW_OUTPUT\"; trap \"exit 0\" TERM; while :; do sleep 0.02; done' }, timeout: 200ms }\n",
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(1).json();
    assert_eq!(run["tasks"]["polite"]["error"], "timed out after 200ms");
}

#[test]
fn a_false_condition_skips_the_task_and_what_needs_it() {
    let sandbox = Sandbox::with(
        "params: { go: { type: boolean, default: false } }\ntasks:\n  maybe: { stage: noop, when: params.go }\n  below: { stage: noop, needs: [maybe] }\n  anyway: { stage: noop, needs: [maybe], trigger_rule: none_failed }\n",
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(0).json();
    let states =
        |run: &serde_json::Value| ["maybe", "below", "anyway"].map(|task| run["tasks"][task]["state"].as_str().expect("text").to_owned());
    assert_eq!(states(&run), ["skipped", "skipped", "succeeded"]);
    let run = sandbox.recflow(&["run", "p.yaml", "--json", "-p", "go=true"]).exits(0).json();
    assert_eq!(states(&run), ["succeeded", "succeeded", "succeeded"]);
}

#[test]
fn a_branch_takes_the_first_true_side_and_says_why() {
    let sandbox = Sandbox::with(
        r#"
params: { score: { type: number, default: 1.5 } }
tasks:
  check:
    branch:
      - { when: params.score > 1, to: retrain }
      - { to: skip }
  retrain: { stage: noop, needs: [check] }
  skip: { stage: noop, needs: [check] }
  join: { stage: noop, needs: [retrain, skip], trigger_rule: none_failed_min_one_success }
"#,
    );
    let ran = sandbox.recflow(&["run", "p.yaml"]).exits(0);
    assert!(ran.out.contains("check: took retrain: params.score > 1 is true"), "{}", ran.all());
    let run = sandbox.status();
    assert_eq!(run["tasks"]["check"]["output"], json!({ "taken": ["retrain"], "reason": "params.score > 1 is true" }));
    assert_eq!([&run["tasks"]["skip"]["state"], &run["tasks"]["join"]["state"]], ["skipped", "succeeded"]);
    let run = sandbox.recflow(&["run", "p.yaml", "--json", "-p", "score=0.5"]).exits(0).json();
    assert_eq!([&run["tasks"]["retrain"]["state"], &run["tasks"]["join"]["state"]], ["skipped", "succeeded"]);
}

#[test]
fn a_branch_quotes_what_the_task_that_it_asks_says_of_itself() {
    let sandbox = Sandbox::with(
        r#"
params: { drifted: { type: boolean, default: true } }
tasks:
  look:
    stage: shell
    env: { DRIFTED: "{{ params.drifted }}" }
    with: { script: 'echo "{\"retrain\": $DRIFTED, \"reason\": \"score 1.42 > 1: KL 0.131 over 0.1\"}" > "$RECFLOW_OUTPUT"' }
  check:
    needs: [look]
    branch:
      - { when: tasks.look.output.retrain and tasks.look.output.retrain != 5, to: retrain }
      - { to: skip }
  retrain: { stage: noop, needs: [check] }
  skip: { stage: noop, needs: [check] }
"#,
    );
    let ran = sandbox.recflow(&["run", "p.yaml"]).exits(0);
    let line =
        "check: took retrain: tasks.look.output.retrain and tasks.look.output.retrain != 5 is true: score 1.42 > 1: KL 0.131 over 0.1\n";
    assert!(ran.out.contains(line), "{}", ran.all());
    let run = sandbox.recflow(&["run", "p.yaml", "--json", "-p", "drifted=false"]).exits(0).json();
    let output = &run["tasks"]["check"]["output"];
    assert_eq!(*output, json!({ "taken": ["skip"], "reason": "no other side was true: score 1.42 > 1: KL 0.131 over 0.1" }));
}

#[test]
fn a_value_that_is_not_there_fails_its_task_and_says_which() {
    let sandbox = Sandbox::with(
        "tasks:\n  make: { stage: shell, with: { script: 'echo rows=1 > \"$RECFLOW_OUTPUT\"' } }\n  use: { stage: shell, needs: [make], with: { command: [echo, '{{ tasks.make.output.cols }}'] }, retries: 3 }\n",
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(1).json();
    let error = run["tasks"]["use"]["error"].as_str().expect("text");
    assert!(error.contains("cols"), "{error}");
    assert_eq!(run["tasks"]["use"]["attempts"], 1, "another attempt would not find it either");
}

#[test]
fn an_environment_without_a_value_is_refused_before_the_run_exists() {
    let sandbox =
        Sandbox::with("env: { A: '{{ params.x[9] }}' }\nparams: { x: { type: string, default: abc } }\ntasks: { a: { stage: noop } }");
    let ran = sandbox.recflow(&["run", "p.yaml"]).exits(1);
    assert!(ran.err.contains("`env`") && ran.err.contains("params.x[9]"), "{}", ran.all());
    assert_eq!(sandbox.json(&["runs", "--json"]), json!([]));
}

#[test]
fn independent_tasks_run_side_by_side_within_the_limit() {
    // Each task waits for the other's file: one at a time, neither could end.
    let script = |own: &str, other: &str| format!("touch {own}; while [ ! -e {other} ]; do sleep 0.01; done");
    let sandbox = Sandbox::with(&format!(
        "tasks:\n  a: {{ stage: shell, with: {{ script: '{}' }}, timeout: 30s }}\n  b: {{ stage: shell, with: {{ script: '{}' }}, timeout: 30s }}\n",
        script("a", "b"),
        script("b", "a")
    ));
    sandbox.recflow(&["run", "p.yaml", "--jobs", "2"]).exits(0);

    let alone = "mkdir busy || exit 1; sleep 0.05; rmdir busy";
    let tasks: String = (0..5).map(|n| format!("  t{n}: {{ stage: shell, with: {{ script: '{alone}' }} }}\n")).collect();
    let sandbox = Sandbox::with(&format!("tasks:\n{tasks}"));
    sandbox.recflow(&["run", "p.yaml", "--jobs", "1"]).exits(0);
}
