//! What people are told about things that wait, are held back or cannot be: the right fact, and what to do.

use crate::daemon::daemon;
use crate::sandbox::Sandbox;

const NOOP: &str = "tasks: { a: { stage: noop } }\n";

#[test]
fn a_replay_below_what_failed_is_refused_with_the_place_to_begin() {
    let sandbox = Sandbox::with(
        "tasks:\n  a: { stage: noop }\n  b: { needs: [a], stage: shell, with: { script: 'exit 1' } }\n  c: { needs: [b], stage: noop }\n  d: { needs: [c], stage: noop }\n",
    );
    sandbox.recflow(&["run", "p.yaml", "-q"]).exits(1);
    let id = sandbox.status()["run"].as_str().expect("an id").to_owned();
    let refused = sandbox.recflow(&["replay", &id, "--from", "d"]).exits(1);
    assert!(refused.err.contains("task `d` would not run again") && refused.err.contains("`c` is upstream_failed"), "{}", refused.all());
    assert!(refused.err.contains(&format!("recflow replay {id} --from b")), "{}", refused.all());
    assert_eq!(sandbox.json(&["runs", "--json"]).as_array().map(Vec::len), Some(1), "no run was made");
}

#[test]
fn the_last_results_stay_in_sight_while_runs_wait() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/p.yaml", NOOP);
    sandbox.recflow(&["run", "p", "-q"]).exits(0);
    for _ in 0..12 {
        sandbox.recflow(&["trigger", "p"]).exits(0);
    }
    let pipeline = &sandbox.json(&["status", "--json"])["pipelines"][0];
    assert_eq!((&pipeline["queued"], &pipeline["last"]["status"]), (&12.into(), &"succeeded".into()));
    assert_eq!(pipeline["results"], serde_json::json!(["succeeded"]));
    let told = sandbox.recflow(&["status"]).exits(0).out;
    assert!(told.contains("12 queued"), "{told}");
}

/// Whoever may add a file to `pipelines/` must not steer the terminals of those who look.
#[test]
fn names_of_files_do_not_steer_the_terminal() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/\u{1b}[31mevil\u{7}.yaml", "tasks: [");
    sandbox.write("pipelines/\u{1b}]0;title\u{7}.yaml", NOOP);
    sandbox.write("pipelines/good.yaml", NOOP);
    let daemon = daemon(&sandbox);
    sandbox.recflow(&["trigger", "good", "--wait"]).exits(0);
    for arguments in [&["status"][..], &["validate"], &["schedule"], &["trigger", "bad"], &["pause", "bad"], &["doctor"], &["history"]] {
        let told = sandbox.recflow(arguments).all();
        assert!(told.chars().all(|c| !c.is_control() || c == '\n'), "{arguments:?}: {told:?}");
    }
    daemon.signal(libc::SIGTERM);
    daemon.wait();
    let log = sandbox.read("daemon.log");
    assert!(log.chars().all(|c| !c.is_control() || c == '\n'), "{log:?}");
}

#[test]
fn a_schedule_says_that_it_is_paused() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/night.yaml", &format!("schedule: {{ cron: '0 3 * * *' }}\n{NOOP}"));
    sandbox.write("pipelines/never.yaml", &format!("paused: true\nschedule: {{ cron: '0 3 * * *' }}\n{NOOP}"));
    let told = sandbox.recflow(&["schedule"]).exits(0).out;
    assert_eq!(told.matches("paused: it starts by hand only until `recflow unpause never`").count(), 1, "{told}");
    assert_eq!(told.matches("paused").count(), 1, "{told}");
    let _daemon = daemon(&sandbox);
    sandbox.recflow(&["pause", "night"]).exits(0);
    let told = sandbox.recflow(&["schedule", "night"]).exits(0).out;
    assert!(told.contains("until `recflow unpause night`"), "{told}");
}

#[test]
fn a_pipeline_that_is_not_there_is_answered_with_those_that_are() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/nightly.yaml", NOOP);
    sandbox.write("pipelines/weekly.yaml", NOOP);
    let refused = sandbox.recflow(&["trigger", "nighty"]).exits(2);
    assert!(refused.err.contains("did you mean `nightly`?") && refused.err.contains("(nightly, weekly)"), "{}", refused.all());
}

#[test]
fn a_backup_into_a_folder_that_is_not_there_names_it_and_the_remedy() {
    let sandbox = Sandbox::with(NOOP);
    sandbox.recflow(&["run", "p.yaml", "-q"]).exits(0);
    let refused = sandbox.recflow(&["backup", "no/such/copy.db"]).exits(2);
    assert!(refused.err.contains("there is no folder `no/such`") && refused.err.contains("mkdir -p no/such"), "{}", refused.all());
    sandbox.recflow(&["backup", "copy.db"]).exits(0);
}

#[test]
fn logs_of_a_run_that_waits_say_what_for() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/p.yaml", "tasks: { a: { stage: shell, with: { command: [echo, hello] } } }\n");
    let id = sandbox.recflow(&["trigger", "p"]).exits(0).out.trim().to_owned();
    let errors = sandbox.file("errors");
    let follower = sandbox.spawn_with(&["logs", &id, "-f"], |command| {
        command.stderr(std::fs::File::create(&errors).expect("ours"));
    });
    sandbox.wait_until("it says why", || sandbox.read("errors").contains(&format!("run {id} is queued; waiting for a daemon")));
    let _daemon = daemon(&sandbox);
    let mut follower = follower;
    sandbox.wait_until("the run is over", || follower.is_over());
    assert_eq!(sandbox.read("errors").lines().count(), 1);
}
