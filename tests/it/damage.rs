//! What is left to be seen when a part is damaged, locked or read-only: `docs/guarantees.md` says it, these tests show it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use recflow_state::{RunFilter, RunStatus, Store, UnixMs};

use crate::sandbox::{Ran, Sandbox};

/// Two runs of one pipeline with two tasks each; returns the ids, the newest first.
fn two_runs() -> (Sandbox, [String; 2]) {
    let sandbox = Sandbox::with(
        "name: p\ntasks:\n  a: { stage: shell, with: { script: 'echo from a; echo n=1 > \"$RECFLOW_OUTPUT\"' } }\n  b: { stage: shell, needs: [a], with: { script: 'echo from b' } }\n",
    );
    let ids =
        [(); 2].map(|()| sandbox.recflow(&["run", "p.yaml", "--json", "-q"]).exits(0).json()["run"].as_str().expect("an id").to_owned());
    let [first, second] = ids;
    (sandbox, [second, first])
}

/// Replaces text in the store's file where only one place holds it, as a bad disk would: the pages stay sound.
fn replace_in_store(sandbox: &Sandbox, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    // Closing the last connection folds the log into the file.
    drop(Store::open(sandbox.file(".recflow/state.db")).expect("opens"));
    let path = sandbox.file(".recflow/state.db");
    let mut bytes = fs::read(&path).expect("reads");
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, window)| *window == from.as_bytes()).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "`{from}` is nowhere");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    fs::write(&path, bytes).expect("writes");
}

fn says(ran: &Ran, words: &str) {
    assert!(ran.err.contains(words), "{words}\n{}", ran.all());
}

#[test]
fn a_run_with_a_status_that_nobody_knows_is_named_and_the_others_are_shown() {
    let (sandbox, [newest, oldest]) = two_runs();
    let store = Store::open(sandbox.file(".recflow/state.db")).expect("opens");
    let id = store.read(|view| view.find_run(&newest)).expect("there").id;
    store.write(|tx| tx.update_run(&id, RunStatus::Cancelled, Some(UnixMs(0)), Some(UnixMs(1)), None)).expect("writable");
    drop(store);
    replace_in_store(&sandbox, "cancelled", "exploding");

    let warning = format!(
        "warning: a row of the store is damaged and left out: id {newest}, pipeline p: column `status`: unknown run status `exploding`"
    );
    let listed = sandbox.recflow(&["runs"]).exits(0);
    says(&listed, &warning);
    assert!(listed.out.contains(&oldest) && !listed.out.contains(&newest), "{}", listed.all());
    let status = sandbox.recflow(&["status"]).exits(0);
    says(&status, &warning);
    assert!(status.out.contains(&oldest), "{}", status.all());
    says(&sandbox.recflow(&["history"]).exits(0), &warning);
    let named = sandbox.recflow(&["status", &newest]).exits(1);
    says(&named, "column `status`: unknown run status `exploding`");
    assert!(sandbox.recflow(&["logs", &oldest]).exits(0).out.contains("from a"));
    let checks = sandbox.recflow(&["doctor"]).exits(1);
    assert!(checks.out.contains("1 rows cannot be read") && checks.out.contains(&newest), "{}", checks.all());
    sandbox.recflow(&["run", "p.yaml", "-q"]).exits(0);
}

#[test]
fn an_attempt_that_cannot_be_read_does_not_hide_the_other_tasks() {
    let (sandbox, [newest, _]) = two_runs();
    replace_in_store(&sandbox, "{\"n\":1}", "{\"n\":1]");
    let status = sandbox.recflow(&["status", &newest]).exits(0);
    says(&status, &format!("run_id {newest}, task_id a"));
    assert!(status.out.contains("succeeded") && status.out.contains("\nb "), "{}", status.all());
    let logs = sandbox.recflow(&["logs", &newest]).exits(0);
    says(&logs, "column `output`");
    assert!(logs.out.contains("from b"), "{}", logs.all());
}

#[test]
fn a_damaged_log_is_shown_as_far_as_it_can_be() {
    let (sandbox, [newest, _]) = two_runs();
    let log = sandbox.file(&format!(".recflow/logs/{newest}/a/1.jsonl"));
    let mut bytes = fs::read(&log).expect("reads");
    bytes.splice(0..0, *b"\x00\xff\x1b[2Jgarbage\n{\"t\":\"2026\n");
    fs::write(&log, bytes).expect("writes");
    let shown = sandbox.recflow(&["logs", &newest]).exits(0);
    says(&shown, "warning: lines of the log of a/1 that are damaged: 2");
    assert!(shown.out.contains("from a") && shown.out.contains("from b") && !shown.out.contains('\u{1b}'), "{}", shown.all());
    for line in sandbox.recflow(&["logs", &newest, "--json"]).exits(0).out.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    }

    fs::remove_file(&log).expect("ours");
    fs::create_dir(&log).expect("ours");
    let shown = sandbox.recflow(&["logs", &newest]).exits(0);
    says(&shown, "warning: cannot read the log of a/1");
    assert!(shown.out.contains("from b"), "{}", shown.all());
}

#[test]
fn who_looks_waits_for_nobody_and_who_writes_waits_for_no_reader() {
    let (sandbox, _) = two_runs();
    let store = Store::open(sandbox.file(".recflow/state.db")).expect("opens");
    // A reader that keeps its snapshot for the whole time.
    let seen = store.read(|view| {
        let before = view.runs(9, &RunFilter::default())?.len();
        sandbox.recflow(&["run", "p.yaml", "-q"]).exits(0);
        sandbox.recflow(&["backup", "copy.db"]).exits(0);
        Ok((before, view.runs(9, &RunFilter::default())?.len()))
    });
    assert_eq!(seen.expect("reads"), (2, 2), "its snapshot stands still");
    // A writer that keeps the lock: who looks does not notice.
    let looked = store.write(|_| {
        sandbox.recflow(&["status"]).exits(0);
        sandbox.recflow(&["logs", "latest"]).exits(0);
        sandbox.recflow(&["doctor"]).exits(0);
        let refused = sandbox.recflow(&["prune", "--runs", "1"]).exits(1);
        says(&refused, "was locked by another process for 5 seconds");
        Ok::<_, recflow_state::Error>(sandbox.recflow(&["runs", "--json"]).exits(0).json().as_array().map(Vec::len))
    });
    assert_eq!(looked.expect("nothing was written"), Some(3));
}

#[test]
fn on_a_folder_that_may_not_be_written_all_that_looks_works() {
    let (sandbox, [newest, _]) = two_runs();
    // Root may write anywhere: that a look leaves no file behind is what can be seen as root, too.
    let home = sandbox.file(".recflow");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o555)).expect("ours");
    let names = || {
        let mut names: Vec<_> = fs::read_dir(&home).expect("reads").flatten().map(|entry| entry.file_name()).collect();
        names.retain(|name| !name.to_string_lossy().ends_with("-shm") && !name.to_string_lossy().ends_with("-wal"));
        names.sort();
        names
    };
    let before = names();
    for arguments in
        [&["status"][..], &["status", &newest], &["runs"], &["history"], &["logs", &newest], &["doctor"], &["prune", "--dry-run"]]
    {
        sandbox.recflow(arguments).exits(0);
    }
    assert_eq!(names(), before);
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("ours");
}
