//! `prune`, `backup`, `doctor`.

use std::fs;

use recflow_state::{RunStatus, Store, UnixMs};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// A sandbox in which `p.yaml` has run `runs` times, each with a log.
fn with_runs(runs: usize) -> Sandbox {
    let sandbox =
        Sandbox::with("name: p\ntasks: { a: { stage: shell, with: { script: 'echo hello; echo n=1 > \"$RECFLOW_OUTPUT\"' } } }\n");
    for _ in 0..runs {
        sandbox.recflow(&["run", "p.yaml", "-q"]).exits(0);
    }
    sandbox
}

/// The ids of the runs, newest first.
fn runs(sandbox: &Sandbox) -> Vec<String> {
    let list = sandbox.recflow(&["runs", "--json"]).exits(0).json();
    list.as_array().expect("a list").iter().map(|run| run["run"].as_str().expect("an id").to_owned()).collect()
}

fn logs(sandbox: &Sandbox) -> usize {
    fs::read_dir(sandbox.file(".recflow/logs")).map_or(0, Iterator::count)
}

/// The verdict of one of the checks.
fn verdict(checks: &Value, name: &str) -> String {
    let checks = checks.as_array().expect("a list");
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no check `{name}` in {checks:?}"));
    check["verdict"].as_str().expect("a word").to_owned()
}

#[test]
fn prune_tells_first_and_deletes_runs_with_their_logs() {
    let sandbox = with_runs(3);
    let before = runs(&sandbox);
    let told = sandbox.recflow(&["prune", "--runs", "1", "--dry-run"]).exits(0);
    assert!(told.out.contains("would delete 2 runs and 2 files"), "{}", told.all());
    assert!(told.out.contains(&before[1]) && told.out.contains(&before[2]) && !told.out.contains(&before[0]), "{}", told.all());
    assert_eq!((runs(&sandbox), logs(&sandbox)), (before.clone(), 3), "nothing was deleted");
    let done = sandbox.recflow(&["prune", "--runs", "1", "--json"]).exits(0).json();
    assert_eq!((&done["runs"], &done["files"], &done["problems"]), (&json!(2), &json!(2), &json!([])));
    assert_eq!((runs(&sandbox), logs(&sandbox)), (before[..1].to_vec(), 1));
    assert!(sandbox.recflow(&["logs", "latest"]).exits(0).out.contains("hello"));
    assert!(sandbox.recflow(&["prune"]).exits(0).out.contains("deleted 0 runs and 0 files"));
}

#[test]
fn prune_follows_the_settings_and_spares_what_is_under_way() {
    let sandbox = with_runs(2);
    sandbox.write("recflow.yaml", "retention: { runs: 1 }\n");
    sandbox.write(
        "wait.yaml",
        "name: p\ntasks: { a: { stage: shell, with: { script: 'echo hello; touch up; while [ ! -e go ]; do sleep 0.02; done' } } }\n",
    );
    let run = sandbox.spawn(&["run", "wait.yaml"]);
    sandbox.wait_until("the program is up", || sandbox.file("up").exists());
    let done = sandbox.recflow(&["prune", "--max-size", "0", "--json"]).exits(0).json();
    assert_eq!(done["runs"], 1, "one that is over is kept beside the one under way");
    assert_eq!((runs(&sandbox).len(), logs(&sandbox)), (2, 1), "only the log under way is left");
    sandbox.write("go", "");
    run.wait().exits(0);
    sandbox.write("recflow.yaml", "retention: { rnus: 1 }\n");
    let refused = sandbox.recflow(&["prune"]).exits(2);
    assert!(refused.err.contains("did you mean `runs`?"), "{}", refused.all());
    assert_eq!(Sandbox::new().recflow(&["prune"]).exits(0).out, "deleted 0 runs and 0 files of 0B\n");
}

#[test]
fn a_backup_is_made_while_runs_go_on_and_can_be_restored() {
    let sandbox = with_runs(1);
    let stop = sandbox.file("stop");
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            while !stop.exists() {
                sandbox.recflow(&["run", "p.yaml", "-q"]).exits(0);
            }
        });
        for n in 0..5 {
            let made = sandbox.recflow(&["backup", &format!("copy{n}.db"), "--json"]).exits(0).json();
            assert_eq!(made["bytes"], fs::metadata(sandbox.file(&format!("copy{n}.db"))).expect("there").len());
        }
        fs::write(&stop, "").expect("writable");
        busy.join().expect("runs");
    });
    let refused = sandbox.recflow(&["backup", "copy0.db"]).exits(2);
    assert!(refused.err.contains("`copy0.db` exists") && refused.err.contains("--force"), "{}", refused.all());
    let before = runs(&sandbox);
    sandbox.recflow(&["backup", "copy0.db", "--force"]).exits(0);
    assert!(sandbox.recflow(&["backup", ".recflow/state.db", "--force"]).exits(1).err.contains("is the store itself"));
    let names = fs::read_dir(sandbox.path()).expect("reads").flatten().map(|entry| entry.file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "nothing is left over");

    let restored = Sandbox::new();
    fs::create_dir(restored.file(".recflow")).expect("writable");
    fs::copy(sandbox.file("copy0.db"), restored.file(".recflow/state.db")).expect("copies");
    assert_eq!(runs(&restored), before);
    assert_eq!(restored.recflow(&["output", "latest", "a"]).exits(0).json(), json!({ "n": 1 }));
    restored.write("p.yaml", "tasks: { a: { stage: noop } }");
    restored.recflow(&["run", "p.yaml", "-q"]).exits(0);
}

#[test]
fn a_backup_of_a_damaged_store_is_refused_and_leaves_nothing() {
    let sandbox = with_runs(1);
    sandbox.recflow(&["backup", "good.db"]).exits(0);
    let path = sandbox.file(".recflow/state.db");
    let mut bytes = fs::read(&path).expect("reads");
    let middle = bytes.len() / 4096 / 2 * 4096;
    bytes[middle..].fill(0x5a);
    fs::write(&path, bytes).expect("writes");
    let refused = sandbox.recflow(&["backup", "bad.db"]).exits(1);
    assert!(refused.err.contains("is damaged") && refused.err.contains("hint: restore a backup"), "{}", refused.all());
    let left: Vec<_> = fs::read_dir(sandbox.path()).expect("reads").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("bad.db")), "{left:?}");
    let checks = sandbox.recflow(&["doctor", "--json"]).exits(1).json();
    assert_eq!(verdict(&checks, "store"), "error");
}

#[test]
fn doctor_finds_nothing_wrong_where_nothing_is() {
    let empty = Sandbox::new();
    let ran = empty.recflow(&["doctor"]).exits(0);
    assert!(ran.out.contains("none yet: nothing has run here") && ran.out.contains(" 0 errors"), "{}", ran.all());
    assert!(!empty.file(".recflow").exists(), "looking creates nothing");
    let checks = with_runs(1).recflow(&["doctor", "--json"]).exits(0).json();
    for name in ["store", "rows", "runs", "daemon", "time zones", "settings", "pipelines", "datasets", "left-overs"] {
        assert_eq!(verdict(&checks, name), "ok", "{name}");
    }
}

#[test]
fn doctor_names_what_is_wrong_with_a_remedy() {
    let sandbox = with_runs(1);
    sandbox.write("pipelines/bad.yaml", "tasks: { a: { stage: nop } }\n");
    sandbox.write("recflow.yaml", "max_paralel_tasks: 1\n");
    sandbox.write("data/.train/snapshots/1/manifest.json", "{");
    let store = Store::open(sandbox.file(".recflow/state.db")).expect("opens");
    let id = store.read(|view| view.find_run("latest")).expect("a run").id;
    let lost = |tx: &recflow_state::Tx<'_>| {
        let owner = tx.run(&id)?.owner;
        tx.set_owner(&id, owner.as_deref(), Some("00ff"))?;
        tx.update_run(&id, RunStatus::Running, Some(UnixMs(0)), None, None)?;
        let daemon = json!({ "pid": 1, "started_at": "2026-01-01T00:00:00Z", "address": null, "owner": "daemon-00ff" });
        tx.put_fact("daemon", &daemon)
    };
    store.write(lost).expect("writable");
    drop(store);
    let ran = sandbox.recflow(&["doctor", "--json"]).exits(1);
    let checks = ran.json();
    for (name, expected) in [("pipelines", "error"), ("settings", "error"), ("runs", "warning"), ("daemon", "warning"), ("store", "ok")] {
        assert_eq!(verdict(&checks, name), expected, "{name}\n{}", ran.all());
    }
    let shown = sandbox.recflow(&["doctor"]).exits(1).out;
    for words in
        ["hint: recflow validate pipelines/bad.yaml", &format!("hint: recflow resume {id}"), "0 under way, 0 waiting, 1 interrupted"]
    {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
}
