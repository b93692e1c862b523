//! Ctrl-C.

use serde_json::json;

use crate::sandbox::{Sandbox, processes_with};

const STUBBORN: &str = r#"
tasks:
  polite: { stage: shell, with: { script: 'trap "echo bye > bye.txt; exit 0" TERM; touch up; while :; do sleep 0.02; done' } }
  never: { stage: noop, needs: [polite], trigger_rule: all_done }
"#;

#[test]
fn the_first_ctrl_c_lets_programs_end_and_starts_nothing_new() {
    let sandbox = Sandbox::with(STUBBORN);
    let run = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the program is up", || sandbox.file("up").exists());
    run.signal(libc::SIGINT);
    let ran = run.wait().exits(130);
    assert_eq!(sandbox.read("bye.txt"), "bye\n", "{}", ran.all());
    let status = sandbox.status();
    assert_eq!(status["status"], "cancelled");
    // Its exit code was 0, but it has not done its work; what is below never starts.
    assert_eq!([&status["tasks"]["polite"]["state"], &status["tasks"]["never"]["state"]], ["cancelled", "cancelled"]);
}

#[test]
fn the_second_ctrl_c_kills_at_once_with_all_that_was_started() {
    let sandbox = Sandbox::with(
        "tasks:\n  deaf: { stage: shell, with: { script: 'trap \"\" TERM INT; (trap \"\" TERM INT; while :; do sleep 0.02; done) & touch up; while :; do sleep 0.02; done' } }\n",
    );
    let run = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the program is up", || sandbox.file("up").exists());
    run.signal(libc::SIGINT);
    sandbox.wait_until("the cancellation is recorded", || sandbox.events().iter().any(|event| event["event"] == "cancel_requested"));
    run.signal(libc::SIGINT);
    run.wait().exits(130);
    let status = sandbox.status();
    assert_eq!([&status["status"], &status["tasks"]["deaf"]["state"]], ["cancelled", "cancelled"]);
    let mark = format!("{}/deaf/0", status["run"].as_str().expect("an id"));
    sandbox.wait_until("no process is left", || processes_with(&mark).is_empty());
}

#[test]
fn a_cancelled_run_can_be_resumed() {
    let sandbox = Sandbox::with(
        "tasks:\n  first: { stage: shell, with: { script: 'echo x >> first.txt' } }\n  wait: { stage: shell, needs: [first], with: { script: 'touch up; [ -e go ] || sleep 1000' } }\n  last: { stage: noop, needs: [wait] }\n",
    );
    let run = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the program is up", || sandbox.file("up").exists());
    run.signal(libc::SIGTERM);
    run.wait().exits(130);
    sandbox.write("go", "");
    let run = sandbox.recflow(&["resume", "latest", "--json"]).exits(0).json();
    assert_eq!(run["status"], "succeeded");
    assert_eq!(sandbox.read("first.txt"), "x\n", "what had succeeded does not run again");
    assert_eq!(run["tasks"]["wait"]["attempts"], json!(2));
}
