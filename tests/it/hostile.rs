//! Programs, environments and neighbours that do what they should not.

use std::ffi::OsStr;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use serde_json::json;

use crate::sandbox::{Sandbox, processes_with};

#[test]
fn an_environment_variable_that_is_not_text_is_passed_over() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    let odd = OsStr::from_bytes(b"\xff");
    let mut command = sandbox.command(&["run", "p.yaml"]);
    let ran = command.env("LATIN1", odd).env("RECFLOW_SECRET_ODD", odd).output().expect("starts");
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
}

#[test]
fn an_output_that_is_no_file_any_more_fails_its_task_and_holds_up_no_other() {
    let sandbox = Sandbox::with(
        r#"
tasks:
  pipe: { stage: shell, with: { script: 'rm "$RECFLOW_OUTPUT"; mkfifo "$RECFLOW_OUTPUT"' } }
  device: { stage: shell, with: { script: 'rm "$RECFLOW_OUTPUT"; ln -s /dev/zero "$RECFLOW_OUTPUT"' } }
  other: { stage: shell, needs: [pipe, device], trigger_rule: all_done, with: { script: 'true' } }
"#,
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(1).json();
    for task in ["pipe", "device"] {
        assert_eq!(run["tasks"][task]["error"], "$RECFLOW_OUTPUT is not a file any more");
    }
    assert_eq!(run["tasks"]["other"]["state"], "succeeded");
}

#[test]
fn broken_json_is_never_taken_for_a_key_and_a_value() {
    let sandbox = Sandbox::with(
        r#"
tasks:
  comma: { stage: shell, with: { script: 'printf "{\"url\": \"http://x?a=b\",}" > "$RECFLOW_OUTPUT"' } }
  nan: { stage: shell, with: { script: 'printf "{\"loss\": NaN, \"query\": \"a=b\"}" > "$RECFLOW_OUTPUT"' } }
  long: { stage: shell, with: { script: 'head -c 500000 /dev/zero | tr "\0" x > "$RECFLOW_OUTPUT"' } }
  digits: { stage: shell, with: { script: 'echo id=123456789012345678901234567890 > "$RECFLOW_OUTPUT"' } }
"#,
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(1).json();
    let error = |task: &str| run["tasks"][task]["error"].as_str().unwrap_or_else(|| panic!("{run:#}")).to_owned();
    assert_eq!(error("comma"), "the output begins like JSON and is not: trailing comma at line 1 column 24");
    assert!(error("nan").starts_with("the output begins like JSON and is not: "), "{}", error("nan"));
    assert!(error("long").len() < 500, "{} bytes of error", error("long").len());
    assert_eq!(run["tasks"]["digits"]["output"], json!({ "id": "123456789012345678901234567890" }), "no digit is lost");
}

#[test]
fn what_a_program_wrote_does_not_steer_the_terminal() {
    let sandbox =
        Sandbox::with("tasks:\n  a: { stage: shell, with: { script: 'printf \"\\033]0;owned\\007\\033[2Jred\\n\" >&2; exit 3' } }\n");
    let ran = sandbox.recflow(&["run", "p.yaml"]).exits(1);
    let status = sandbox.recflow(&["status", "latest"]).exits(0);
    for text in [&ran.out, &ran.err, &status.out] {
        assert!(text.contains("red") && !text.contains(['\x1b', '\x07']), "{text:?}");
    }
}

#[test]
fn a_reader_that_stops_reading_does_not_change_the_exit_code() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    let mut ends = [0; 2];
    // SAFETY: pipe fills the array with two new descriptors; each is owned once, and one is closed here.
    let write_end = unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        libc::close(ends[0]);
        std::fs::File::from_raw_fd(ends[1])
    };
    let status = sandbox.command(&["run", "p.yaml", "--json"]).stdout(write_end).status().expect("starts");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_store_that_somebody_has_locked_is_waited_for() {
    let sandbox = Sandbox::with(
        "tasks:\n  first: { stage: shell, with: { script: 'touch up; while [ ! -e go ]; do sleep 0.02; done' } }\n  second: { stage: noop, needs: [first] }\n",
    );
    let run = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the program is up", || sandbox.file("up").exists());
    let store = recflow_state::Store::open(sandbox.file(".recflow/state.db")).expect("a store");
    let held: Result<(), recflow_state::Error> = store.write(|_| {
        sandbox.write("go", "");
        // Longer than SQLite itself waits.
        std::thread::sleep(Duration::from_secs(6));
        Ok(())
    });
    held.expect("nothing was written");
    let ran = run.wait().exits(0);
    assert!(ran.err.contains("waiting: the store") && ran.err.contains("was locked by another process"), "{}", ran.all());
}

#[test]
fn a_run_that_cannot_be_resumed_stays_what_it_was() {
    let sandbox = Sandbox::with("env: { KEY: \"{{ secrets.KEY }}\" }\ntasks:\n  a: { stage: shell, with: { script: '[ -e mended ]' } }\n");
    sandbox.command(&["run", "p.yaml"]).env("RECFLOW_SECRET_KEY", "abcdefgh").output().expect("starts");
    let before = sandbox.status();
    assert_eq!(before["status"], "failed");
    let refused = sandbox.recflow(&["resume", "latest"]).exits(1);
    assert!(refused.err.contains("`secrets.KEY` is not defined"), "{}", refused.all());
    assert_eq!(sandbox.status(), before);
    sandbox.write("mended", "");
    let resumed = sandbox.command(&["resume", "latest"]).env("RECFLOW_SECRET_KEY", "abcdefgh").output().expect("starts");
    assert_eq!(resumed.status.code(), Some(0), "{resumed:?}");
}

#[test]
fn a_cleared_task_that_fails_shows_no_output_of_its_former_life() {
    let sandbox = Sandbox::with(
        r#"
tasks:
  bad: { stage: shell, with: { script: '[ -e mended ]' } }
  fickle: { stage: shell, needs: [bad], trigger_rule: all_done, allow_failure: true, with: { script: '[ ! -e mended ]; echo n=1 > "$RECFLOW_OUTPUT"' } }
  reads: { stage: shell, needs: [fickle], trigger_rule: all_done, with: { command: [sh, -c, 'echo "$1" > read', sh, "{{ tasks.fickle.output.n | default('none') }}"] } }
"#,
    );
    sandbox.recflow(&["run", "p.yaml"]).exits(1);
    assert_eq!(sandbox.read("read"), "1\n");
    sandbox.write("mended", "");
    sandbox.recflow(&["resume", "latest"]).exits(0);
    assert_eq!(sandbox.read("read"), "none\n");
}

#[test]
fn an_inline_stage_that_hangs_is_left_behind_when_it_has_to_stop() {
    let sandbox = Sandbox::new();
    sandbox.recflow(&["run", "quickstart", "-q", "-p", "ratings=1000", "-p", "rank=2", "-p", "max_iter=1"]).exits(0);
    let models = std::fs::read_dir(sandbox.file("models/artifacts")).expect("models").flatten();
    let version = models.map(|entry| entry.path()).find(|path| path.join("recflow.json").exists()).expect("a version");
    // A read from it never ends, as one from a dead file server.
    std::fs::remove_file(version.join("recflow.json")).expect("ours");
    let path = std::ffi::CString::new(version.join("recflow.json").as_os_str().as_bytes()).expect("no zero byte");
    // SAFETY: the path is a C string that outlives the call.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
    let run = sandbox.spawn(&["stage", "find_model", "models=models/artifacts"]);
    sandbox.wait_until("the stage is under way", || sandbox.status()["tasks"]["find_model"]["state"] == "running");
    run.signal(libc::SIGINT);
    sandbox.wait_until("the cancellation is recorded", || sandbox.events().iter().any(|event| event["event"] == "cancel_requested"));
    run.signal(libc::SIGINT);
    run.wait().exits(130);
    assert_eq!(sandbox.status()["status"], "cancelled");
}

#[test]
fn a_third_ctrl_c_ends_a_program_that_nobody_listens_to() {
    let sandbox =
        Sandbox::with("tasks:\n  a: { stage: shell, with: { script: 'touch up; sleep 2; echo' } }\n  b: { stage: noop, needs: [a] }\n");
    let mut ends = [0; 2];
    // SAFETY: pipe fills the array with two new descriptors, each owned once below; write reads from a live buffer.
    let (_read_end, write_end) = unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        let size = libc::fcntl(ends[1], libc::F_SETPIPE_SZ, 4096);
        let full = vec![b'x'; size as usize];
        assert_eq!(libc::write(ends[1], full.as_ptr().cast(), full.len()), size as isize);
        (std::fs::File::from_raw_fd(ends[0]), std::fs::File::from_raw_fd(ends[1]))
    };
    // The first notice already blocks: standard error is full and nobody reads it.
    let mut run = sandbox.spawn_with(&["run", "p.yaml"], |command| _ = command.stderr(write_end));
    sandbox.wait_until("the run is recorded", || sandbox.file(".recflow/state.db").exists() && !sandbox.events().is_empty());
    for _ in 0..2 {
        run.signal(libc::SIGINT);
        std::thread::sleep(Duration::from_millis(600));
    }
    sandbox.wait_until("it has ended", || {
        run.signal(libc::SIGINT);
        std::thread::sleep(Duration::from_millis(200));
        run.is_over()
    });
    assert_eq!(sandbox.status()["status"], "interrupted");
}

#[test]
fn with_nohup_a_run_outlives_its_terminal() {
    let sandbox = Sandbox::with("tasks:\n  a: { stage: shell, with: { script: 'touch up; while [ ! -e go ]; do sleep 0.02; done' } }\n");
    let run = sandbox.spawn_with(&["run", "p.yaml"], |command| {
        // SAFETY: signal is async-signal-safe and takes no pointers.
        unsafe {
            command.pre_exec(|| {
                libc::signal(libc::SIGHUP, libc::SIG_IGN);
                Ok(())
            });
        }
    });
    sandbox.wait_until("the program is up", || sandbox.file("up").exists());
    run.signal(libc::SIGHUP);
    std::thread::sleep(Duration::from_millis(300));
    sandbox.write("go", "");
    run.wait().exits(0);
}

#[test]
fn parameters_too_large_for_an_environment_do_not_concern_stages_and_are_named_to_programs() {
    let sandbox = Sandbox::with(
        "params: { big: { type: string, default: y } }\ntasks:\n  make: { stage: generate, with: { output: data, ratings: 1000 } }\n  show: { stage: shell, retries: 3, retry_delay: 1h, with: { script: 'true' } }\n",
    );
    sandbox.write("values.json", &json!({ "big": "z".repeat(200_000) }).to_string());
    let ran = sandbox.recflow(&["run", "p.yaml", "--params", "values.json"]).exits(1);
    let run = sandbox.status();
    assert_eq!([&run["tasks"]["make"]["state"], &run["tasks"]["show"]["state"]], ["succeeded", "failed"]);
    assert!(ran.out.contains("RECFLOW_PARAM_BIG alone has 200000 bytes"), "{}", ran.all());
}

#[test]
fn a_script_on_the_command_line_keeps_its_braces() {
    let sandbox = Sandbox::new();
    sandbox.recflow(&["stage", "shell", "-q", "script=echo '{{.Names}} {{ 1 }}' > got.txt"]).exits(0);
    assert_eq!(sandbox.read("got.txt"), "{{.Names}} {{ 1 }}\n");
}

#[test]
fn an_owner_that_cannot_be_looked_at_is_not_taken_for_dead() {
    let sandbox = Sandbox::with("tasks:\n  fatal: { stage: shell, with: { script: 'kill -9 $PPID; sleep 10' } }\n");
    sandbox.recflow(&["run", "p.yaml"]);
    sandbox.wait_until("the run is seen as interrupted", || sandbox.status()["status"] == "interrupted");
    let owner = std::fs::read_dir(sandbox.file(".recflow/owners")).expect("owners").flatten().map(|entry| entry.path());
    let owner = owner.filter(|path| path.extension().is_none()).last().expect("the dead one");
    std::fs::remove_file(&owner).expect("ours");
    // It leads to itself, so opening it fails, and not because it is not there.
    std::os::unix::fs::symlink(owner.file_name().expect("a name"), &owner).expect("writable");
    assert_eq!(sandbox.status()["status"], "running");
    std::fs::remove_file(&owner).expect("ours");
    assert_eq!(sandbox.status()["status"], "interrupted");
}

#[test]
fn what_left_its_process_group_is_ended_before_the_attempt_runs_again() {
    let sandbox = Sandbox::with(
        "tasks:\n  a: { stage: shell, with: { script: '[ ! -e up ] || exit 0; setsid sh -c \"touch up; while :; do sleep 0.02; done\" & while [ ! -e up ]; do sleep 0.02; done; kill -9 $PPID; sleep 10' } }\n",
    );
    sandbox.recflow(&["run", "p.yaml"]);
    sandbox.wait_until("the run is seen as interrupted", || sandbox.status()["status"] == "interrupted");
    let mark = format!("{}/a/0", sandbox.status()["run"].as_str().expect("an id"));
    assert!(!processes_with(&mark).is_empty(), "it lives on in a session of its own");
    sandbox.recflow(&["resume", "latest"]).exits(0);
    sandbox.wait_until("no process is left", || processes_with(&mark).is_empty());
}
