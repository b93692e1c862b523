//! A disk that is full, folders that may not be written, files that may not be read.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::sandbox::{Sandbox, skipped};

/// `nobody` on Debian; any user without rights will do.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    // SAFETY: geteuid takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Root may write and read everything: such tests run as `nobody` if they can.
fn as_unprivileged(command: &mut Command) {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
}

#[test]
fn a_workspace_that_may_not_be_written_is_an_error_that_names_the_folder() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    std::fs::set_permissions(sandbox.path(), std::fs::Permissions::from_mode(0o555)).expect("ours");
    let binary = readable_binary();
    let ran = sandbox.spawn_with(&["run", "p.yaml"], |command| {
        replace_program(command, binary.path().join("recflow").as_path());
        as_unprivileged(command);
    });
    let ran = ran.wait().exits(1);
    std::fs::set_permissions(sandbox.path(), std::fs::Permissions::from_mode(0o755)).expect("ours");
    assert!(ran.err.contains(".recflow") && ran.err.contains("ermission denied"), "{}", ran.all());
    assert!(!sandbox.file(".recflow").exists());
}

#[test]
fn a_pipeline_that_may_not_be_read_is_a_usage_error() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    std::fs::set_permissions(sandbox.file("p.yaml"), std::fs::Permissions::from_mode(0o000)).expect("ours");
    std::fs::set_permissions(sandbox.path(), std::fs::Permissions::from_mode(0o777)).expect("ours");
    let binary = readable_binary();
    let ran = sandbox.spawn_with(&["run", "p.yaml"], |command| {
        replace_program(command, binary.path().join("recflow").as_path());
        as_unprivileged(command);
    });
    let ran = ran.wait().exits(2);
    assert!(ran.err.contains("cannot read `p.yaml`"), "{}", ran.all());
}

#[test]
fn status_works_in_a_workspace_that_may_not_be_written() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    sandbox.recflow(&["run", "p.yaml"]).exits(0);
    for folder in ["", ".recflow"] {
        std::fs::set_permissions(sandbox.file(folder), std::fs::Permissions::from_mode(0o555)).expect("ours");
    }
    let binary = readable_binary();
    let ran = sandbox.spawn_with(&["status", "--json"], |command| {
        replace_program(command, binary.path().join("recflow").as_path());
        as_unprivileged(command);
    });
    let ran = ran.wait();
    for folder in ["", ".recflow"] {
        std::fs::set_permissions(sandbox.file(folder), std::fs::Permissions::from_mode(0o755)).expect("ours");
    }
    assert_eq!(ran.exits(0).json()["pipelines"][0]["last"]["status"], "succeeded");
}

#[test]
fn a_full_disk_loses_nothing_that_was_recorded_and_the_run_can_go_on() {
    let Some(disk) = SmallDisk::mount("12m") else { return };
    // What follows the filling needs more room than the file system has blocks left.
    let mut text = String::from(
        "params: { fill: { type: string } }\ntasks:\n  first: { stage: shell, with: { script: 'echo x >> first' } }\n  t0: { stage: shell, needs: [first], with: { script: 'echo x >> filled; dd if=/dev/zero of=\"$RECFLOW_PARAM_FILL\" bs=4k || true' } }\n",
    );
    for task in 1..80 {
        text.push_str(&format!("  t{task}: {{ stage: noop, needs: [t{}] }}\n", task - 1));
    }
    let sandbox = Sandbox::with(&text);
    let fill = disk.path().join("fill");
    let (home, fill_param) = (disk.path().join("home").display().to_string(), format!("fill={}", fill.display()));
    let full = sandbox.recflow(&["run", "p.yaml", "--home", &home, "-p", &fill_param]).exits(1);
    assert!(full.err.contains("no space left for the store"), "{}", full.all());
    assert!(full.err.contains("hint:") && full.err.contains("recflow resume"), "{}", full.all());

    std::fs::remove_file(&fill).expect("ours");
    let status = sandbox.json(&["status", "latest", "--home", &home, "--json"]);
    assert_eq!((&status["status"], &status["tasks"]["first"]["state"]), (&"interrupted".into(), &"succeeded".into()));
    std::fs::create_dir(&fill).expect("so that nothing is filled again");
    let run = sandbox.recflow(&["resume", "latest", "--home", &home, "--json"]).exits(0).json();
    assert_eq!(run["status"], "succeeded");
    assert_eq!(sandbox.read("first"), "x\n", "what had succeeded does not run again");
}

/// A file system of a few megabytes. `None`, loudly, where mounting is not permitted.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        skipped("mounting a tmpfs is not permitted here, so the disk cannot be filled");
        None
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

/// The binary where anybody may execute it: the checkout may lie in a folder that `nobody` cannot enter.
fn readable_binary() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("ours");
    std::fs::copy(env!("CARGO_BIN_EXE_recflow"), folder.path().join("recflow")).expect("copies");
    folder
}

fn replace_program(command: &mut Command, program: &std::path::Path) {
    let mut other = Command::new(program);
    other.args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    other.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    *command = other;
}

#[test]
fn a_stage_killed_for_want_of_memory_is_reported_as_that() {
    let Some(group) = MemoryLimit::new(40 << 20) else { return };
    let sandbox = Sandbox::new();
    let ran = sandbox.spawn_with(&["stage", "generate", "output=data", "ratings=4000000", "--json"], |command| {
        let inner = std::mem::replace(command, Command::new("sh"));
        command.arg("-c").arg("echo $$ > \"$0\" && exec \"$@\"").arg(group.0.join("cgroup.procs"));
        command.arg(inner.get_program()).args(inner.get_args()).current_dir(sandbox.path());
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    });
    let run = ran.wait().exits(1).json();
    let error = run["tasks"]["generate"]["error"].as_str().expect("an error");
    assert!(error.starts_with("stage `generate` was killed by the kernel: out of memory, at "), "{error}");
    assert!(!sandbox.file("data/train.txt").exists(), "nothing half-written is visible");
}

/// A control group with little memory. `None`, loudly, where none may be made.
struct MemoryLimit(std::path::PathBuf);

impl MemoryLimit {
    fn new(bytes: u64) -> Option<Self> {
        let name = format!("recflow-test-{}", std::process::id());
        // Version 1 of control groups, then version 2.
        for (root, limit) in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")] {
            let folder = std::path::Path::new(root).join(&name);
            if std::fs::create_dir(&folder).is_err() {
                continue;
            }
            // In a control group the kernel has made the file; elsewhere opening it fails.
            let group = Self(folder);
            let opened = std::fs::OpenOptions::new().write(true).open(group.0.join(limit));
            if opened.and_then(|mut file| std::io::Write::write_all(&mut file, bytes.to_string().as_bytes())).is_ok() {
                return Some(group);
            }
        }
        skipped("no control group may be made here, so memory cannot be made scarce");
        None
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}
