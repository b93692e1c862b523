//! What a daemon lives through: disks that may not be written, a machine that sleeps, a system that is full.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use recflow_stages::estimate::machine_memory;
use recflow_state::{SlotRow, Store};

use crate::daemon::{daemon, daemon_with};
use crate::faults::SmallDisk;
use crate::sandbox::{Sandbox, skipped};

const TICK: &str = "schedule: { every: 1s, catchup: none }\ntasks:\n  a: { stage: shell, with: { script: 'echo x >> ticks' } }\n";

/// The slots of `tick` that were decided, oldest first.
fn slots(home: &Path) -> Vec<SlotRow> {
    let store = Store::open_read_only(home.join("state.db")).expect("sound");
    let mut slots = store.read(|view| view.slots("tick", 1_000)).expect("readable");
    slots.reverse();
    slots
}

/// A command as root; whether it worked.
fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_daemon_on_a_read_only_disk_says_so_and_works_once_it_is_writable() {
    let Some(disk) = SmallDisk::mount("12m") else { return };
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    sandbox.write("pipelines/tick.yaml", TICK);
    let folder = disk.path().display().to_string();
    let home = disk.path().join("home").display().to_string();
    sandbox.recflow(&["run", "p.yaml", "-q", "--home", &home]).exits(0);
    assert!(works("mount", &["-o", "remount,ro", &folder]), "nothing is open there");
    let refused = sandbox.recflow(&["daemon", "--listen", "none", "--home", &home]).exits(1);
    assert!(refused.err.contains(&home) && refused.err.contains("ead-only"), "{}", refused.all());
    assert!(refused.err.contains("hint:"), "{}", refused.all());
    let seen = sandbox.json(&["status", "latest", "--json", "--home", &home]);
    assert_eq!(seen["status"], "succeeded", "looking needs no writing");
    assert!(works("mount", &["-o", "remount,rw", &folder]));
    let daemon = daemon_with(&sandbox, &["--listen", "none", "--home", &home]);
    sandbox.wait_until("it ticks", || !sandbox.read("ticks").is_empty());
    daemon.signal(libc::SIGTERM);
    assert_eq!(daemon.wait().code, Some(0));
}

/// Files that nobody may change, until this is dropped: what a file system does to open files when it turns read-only after an error. (One with
/// open files cannot be remounted.)
struct Frozen(Vec<String>);

impl Frozen {
    fn new(files: Vec<String>) -> Option<Self> {
        let frozen = Self(files);
        if frozen.set("+i") {
            return Some(frozen);
        }
        skipped("files cannot be made immutable here (chattr +i), so no disk turns read-only");
        None
    }

    fn set(&self, flag: &str) -> bool {
        works("chattr", &[&[flag], &self.0.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.set("-i");
    }
}

/// Slots that come due meanwhile are decided afterwards, each once; the daemon stays up.
#[test]
fn a_disk_that_turns_read_only_stops_nothing_for_good() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/tick.yaml", &TICK.replace("catchup: none", "catchup: all"));
    let daemon = daemon(&sandbox);
    let ticks = || sandbox.read("ticks").lines().count();
    sandbox.wait_until("it ticks", || ticks() > 0);
    let files = ["state.db", "state.db-wal"].map(|name| sandbox.file(".recflow").join(name).display().to_string());
    let Some(frozen) = Frozen::new(files.to_vec()) else { return };
    sandbox.wait_until("the trouble is logged", || sandbox.read("daemon.log").contains("the scheduler cannot work"));
    sandbox.recflow(&["status"]).exits(0);
    let before = ticks();
    drop(frozen);
    sandbox.wait_until("it ticks on", || ticks() > before + 1);
    daemon.signal(libc::SIGTERM);
    assert_eq!(daemon.wait().code, Some(0));
    let slots = slots(&sandbox.file(".recflow"));
    let at: Vec<i64> = slots.iter().map(|slot| slot.at.0).collect();
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] == 1_000), "each second once: {at:?}");
    assert!(slots.iter().all(|slot| slot.run.is_some()), "{slots:?}");
}

/// A daemon that was stopped for less than a minute was not away: what came due meanwhile is late, not missed, even where nothing is caught up
/// with (docs/scheduling.md).
#[test]
fn what_comes_due_while_the_daemon_is_suspended_runs_late_and_once() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/tick.yaml", TICK);
    let daemon = daemon(&sandbox);
    let home = sandbox.file(".recflow");
    sandbox.wait_until("it ticks", || !slots(&home).is_empty());
    daemon.signal(libc::SIGSTOP);
    let (stopped_at, begun) = (slots(&home).len(), Instant::now());
    // Time itself is what is tested: there is no event to wait for while nobody is at work.
    sandbox.wait_until("seconds have passed", || begun.elapsed() > Duration::from_millis(3_500));
    assert_eq!(slots(&home).len(), stopped_at, "it does not run");
    sandbox.recflow(&["status"]).exits(0);
    daemon.signal(libc::SIGCONT);
    sandbox.wait_until("it ticks on", || slots(&home).len() > stopped_at + 4);
    daemon.signal(libc::SIGTERM);
    assert_eq!(daemon.wait().code, Some(0));
    let slots = slots(&home);
    let at: Vec<i64> = slots.iter().map(|slot| slot.at.0).collect();
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] == 1_000), "each second once: {at:?}");
    assert!(slots.iter().all(|slot| slot.run.is_some()), "{slots:?}");
}

/// More tasks at once than the process may have files open: they take turns, and none fails.
#[test]
fn attempts_wait_for_descriptors_and_do_not_fail_for_want_of_them() {
    let mut text = String::from("tasks:\n");
    for task in 0..60 {
        text.push_str(&format!("  t{task}: {{ stage: shell, with: {{ script: 'sleep 0.2; echo x >> did' }} }}\n"));
    }
    let sandbox = Sandbox::with(&text);
    let inner = sandbox.command(&["run", "p.yaml", "--jobs", "60", "--json"]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""]).arg(inner.get_program()).args(inner.get_args());
    let output = command.current_dir(sandbox.path()).output().expect("starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sandbox.read("did").lines().count(), 60);
}

/// A daemon fails what can never fit before it starts, in the words in which `recflow run` refuses it.
#[test]
fn a_task_that_cannot_fit_into_memory_fails_before_it_starts() {
    let sandbox = Sandbox::new();
    let text = "tasks:\n  huge: { stage: generate, with: { output: data, ratings: 2000000000 } }\n";
    if machine_memory().is_none_or(|bytes| bytes > 40 << 30) {
        return skipped("this machine has room for the largest file that can be generated, or does not tell");
    }
    sandbox.write("pipelines/huge.yaml", text);
    let _daemon = daemon(&sandbox);
    let refused = sandbox.recflow(&["run", "pipelines/huge.yaml"]).exits(2);
    let message = refused.err.lines().next().and_then(|line| line.strip_prefix("error: ")).expect("a message").to_owned();
    assert!(message.contains("task `huge` would need about"), "{}", refused.all());
    let id = sandbox.recflow(&["trigger", "huge"]).exits(0).out.trim().to_owned();
    sandbox.wait_until("it has failed", || sandbox.json(&["status", &id, "--json"])["status"] == "failed");
    assert_eq!(sandbox.json(&["status", &id, "--json"])["tasks"]["huge"]["error"], message.as_str());
    let told = sandbox.recflow(&["status", &id]).exits(0).out;
    assert!(told.contains("hint: ") && told.contains("--ignore-memory"), "{told}");
}
