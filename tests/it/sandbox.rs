//! A workspace in a temporary folder, and the binary run in it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Longest that a test waits for something that must happen. Not a measure of speed: a machine under load is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A workspace that vanishes with the test.
pub(crate) struct Sandbox {
    folder: TempDir,
}

/// What a run of the binary gave.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A sandbox that holds the pipeline `p.yaml`.
    pub(crate) fn with(pipeline: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("p.yaml", pipeline);
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        std::fs::create_dir_all(path.parent().expect("inside the sandbox")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// The binary with its arguments, as a user's shell in this workspace would start it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recflow"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RECFLOW_") || name == "NO_COLOR" {
                command.env_remove(name);
            }
        }
        command
    }

    pub(crate) fn recflow(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().expect("the binary starts"))
    }

    /// Runs the binary and reads its standard output as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.recflow(arguments).json()
    }

    /// Starts the binary in a process group of its own, with nobody reading what it says.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Running {
        self.spawn_with(arguments, |_| {})
    }

    pub(crate) fn spawn_with(&self, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Running {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        change(&mut command);
        Running { child: command.spawn().expect("the binary starts") }
    }

    /// Waits until `what` holds; fails with the sandbox's status otherwise.
    pub(crate) fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}\n{}", self.recflow(&["status", "latest"]).all());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The only run, or the newest.
    pub(crate) fn status(&self) -> Value {
        self.json(&["status", "latest", "--json"])
    }

    /// The newest run once nobody holds its owner's lock: a child that was just being forked when the owner died may
    /// hold it for an instant.
    pub(crate) fn after_its_owner_died(&self) -> Value {
        self.wait_until("the owner's lock is free", || self.status()["status"] != "running");
        self.status()
    }

    /// The events of the newest run as they are stored; none if there is no run yet.
    pub(crate) fn events(&self) -> Vec<Value> {
        let reader = recflow_state::Store::open_read_only(self.file(".recflow/state.db"));
        let events = reader.and_then(|reader| reader.read(|view| view.events(&view.find_run("latest")?.id)));
        events.unwrap_or_default().into_iter().map(|event| event.body).collect()
    }
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Fails unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.all());
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in\n{}", self.all()))
    }

    pub(crate) fn all(&self) -> String {
        format!("exit code {:?}\n--- standard output\n{}\n--- standard error\n{}", self.code, self.out, self.err)
    }
}

/// A binary under way.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it says on standard error from now on, for a test that reads it while it runs.
    pub(crate) fn take_stderr(&mut self) -> std::process::ChildStderr {
        self.child.stderr.take().expect("piped, and taken once")
    }

    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: kill takes no pointers; the child has not been reaped, so the pid is its own.
        unsafe {
            libc::kill(self.child.id() as libc::pid_t, signal);
        }
    }

    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_some()
    }

    pub(crate) fn wait(mut self) -> Ran {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut stderr = self.child.stderr.take().expect("piped");
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            bytes
        });
        let _ = self.child.stdout.take().expect("piped").read_to_end(&mut out);
        err.append(&mut reader.join().expect("reads"));
        let status = self.child.wait().expect("a child of ours");
        Ran::of(Output { status, stdout: out, stderr: err })
    }
}

/// A test that fails half-way leaves no process behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processes whose command line or environment speaks of `needle`, this one left out.
pub(crate) fn processes_with(needle: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let zombie = String::from_utf8_lossy(&read("stat")).rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'));
        let speaks = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
        if pid != std::process::id() && !zombie && (speaks(&read("cmdline")) || speaks(&read("environ"))) {
            found.push(pid);
        }
    }
    found
}

/// Says loudly that a test could not do its work here.
#[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
pub(crate) fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}
