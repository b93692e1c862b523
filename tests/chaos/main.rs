//! The daemon as a real process, killed at random: `kill -9` of it or of its children, round after round. Afterwards each slot has exactly one
//! run, each run has ended, and each has published exactly once.
//!
//! `make test` plays a few rounds, `make chaos ROUNDS=500` as many as one wants. `SEED` repeats the same moments, as far as a real machine does.

#[path = "../it/sandbox.rs"]
#[expect(dead_code, reason = "made for many tests, of which these are few")]
mod sandbox;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::time::Duration;

use recflow_state::{Reader, RunFilter, RunStatus, SlotDecision, Store, TaskState, UnixMs};
use sandbox::{Running, Sandbox, processes_with};

const PIPELINES: usize = 20;

/// Notes each beginning, and publishes under its key: once, whatever dies. `overlaps` is written if two do the same work at once.
const SCRIPT: &str = r#"key=$(printf %s "$RECFLOW_PUBLISH_KEY" | tr / _)
exec 9>"locks/$key"
flock -n 9 || echo "$key" >> overlaps
sleep 0.03
set -C
( : > "published/$key" ) 2> /dev/null || [ -e "published/$key" ]
"#;

/// Pipeline `number`, due each second or, at last, in a year.
fn text(number: usize, every: &str) -> String {
    let script = SCRIPT.replace('\n', "\n        ");
    // Some queue behind themselves, some have a second task.
    let most = if number.is_multiple_of(3) { "max_active_runs: 1\n" } else { "" };
    let second = if number.is_multiple_of(2) { "  second: { stage: noop, needs: [first] }\n" } else { "" };
    format!(
        "schedule: {{ every: {every}, catchup: all }}\n{most}tasks:\n  first:\n    stage: shell\n    retries: 20\n    retry_delay: 10ms\n    \
         with:\n      script: |\n        {script}\n{second}"
    )
}

struct Chaos {
    sandbox: Sandbox,
    daemon: Option<Running>,
    dice: u64,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let sandbox = Sandbox::new();
        for folder in ["locks", "published"] {
            std::fs::create_dir(sandbox.file(folder)).expect("writable");
        }
        let chaos = Self { sandbox, daemon: None, dice: seed };
        chaos.define("1s");
        chaos
    }

    fn define(&self, every: &str) {
        for number in 0..PIPELINES {
            self.sandbox.write(&format!("pipelines/p{number}.yaml"), &text(number, every));
        }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % n
    }

    fn start(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.sandbox.file("daemon.log")).expect("writable");
        let errors = log.try_clone().expect("a descriptor");
        self.daemon = Some(self.sandbox.spawn_with(&["daemon", "--listen", "none"], |command| {
            command.stdout(log).stderr(errors);
        }));
    }

    /// Kills the daemon, or some of its children, after a random while.
    fn round(&mut self) {
        std::thread::sleep(Duration::from_millis(self.below(700)));
        if self.below(4) == 0 {
            let children = self.children();
            for child in children.into_iter().take(5) {
                if self.below(2) == 0 {
                    // SAFETY: kill takes no pointers. A pid that has been given to another process since was one of ours a moment ago.
                    unsafe { libc::kill(child as libc::pid_t, libc::SIGKILL) };
                }
            }
            return;
        }
        if let Some(mut daemon) = self.daemon.take() {
            daemon.signal(libc::SIGKILL);
            self.sandbox.wait_until("the daemon is dead", || daemon.is_over());
        }
        self.start();
    }

    /// What the daemon's attempts started: they carry a publish key of this workspace.
    fn children(&self) -> Vec<u32> {
        let ours = processes_with(&self.sandbox.path().display().to_string());
        let attempts: BTreeSet<u32> = processes_with("RECFLOW_PUBLISH_KEY=").into_iter().collect();
        ours.into_iter().filter(|pid| attempts.contains(pid)).collect()
    }

    fn reader(&self) -> Reader {
        Store::open_read_only(self.sandbox.file(".recflow/state.db")).expect("a store")
    }

    /// Nothing more is due, and everything ends.
    fn come_to_rest(&mut self) {
        self.define("365d");
        let reader = self.reader();
        let open = || reader.read(|view| view.non_terminal_runs()).expect("readable").len();
        let mut left = usize::MAX;
        // Many runs may wait; as long as they become fewer, that takes the time it takes. None for two seconds: the edit has been seen.
        while left > 0 {
            self.sandbox.wait_until("fewer runs are left", || open() < left);
            std::thread::sleep(Duration::from_secs(2));
            left = open().min(left - 1);
        }
        let mut daemon = self.daemon.take().expect("it runs");
        daemon.signal(libc::SIGTERM);
        self.sandbox.wait_until("the daemon has drained", || daemon.is_over());
    }

    /// Returns how many runs there were.
    fn check(&self) -> usize {
        assert_eq!(self.reader().read(|view| view.integrity()).expect("readable"), [""; 0]);
        assert_eq!(self.sandbox.read("overlaps"), "", "two attempts did the same work at once");
        let left = processes_with(&self.sandbox.path().display().to_string());
        assert_eq!(left, [0; 0], "processes are left");
        let published: BTreeSet<String> = std::fs::read_dir(self.sandbox.file("published"))
            .expect("readable")
            .map(|entry| entry.expect("readable").file_name().into_string().expect("text"))
            .collect();
        let keys: BTreeSet<String> = (0..PIPELINES).flat_map(|number| self.check_pipeline(&format!("p{number}"), &published)).collect();
        let strangers: Vec<_> = published.difference(&keys).collect();
        assert!(strangers.is_empty(), "published twice, under another key: {strangers:?}");
        keys.len()
    }

    /// The keys under which the runs of a pipeline publish.
    fn check_pipeline(&self, name: &str, published: &BTreeSet<String>) -> Vec<String> {
        let filter = RunFilter { pipeline: Some(name.to_owned()), ..RunFilter::default() };
        let (mut slots, runs) =
            self.reader().read(|view| Ok((view.slots(name, u32::MAX)?, view.runs(u32::MAX, &filter)?))).expect("readable");
        slots.reverse();
        for pair in slots.windows(2) {
            assert_eq!(pair[1].at, UnixMs(pair[0].until.0 + 1_000), "a slot of {name} is lost");
        }
        let ran: Vec<_> = slots.iter().filter(|slot| slot.decision == SlotDecision::Run).map(|slot| slot.run.clone()).collect();
        let mut of_runs: Vec<_> = runs.iter().map(|run| Some(run.id.clone())).collect();
        of_runs.sort();
        let mut of_slots = ran.clone();
        of_slots.sort();
        assert_eq!(of_slots, of_runs, "each slot of {name} has one run");
        let mut keys = Vec::new();
        for run in &runs {
            let tasks = self.reader().read(|view| view.tasks(&run.id)).expect("readable");
            let lost_often = tasks.iter().any(|task| task.reason.as_ref().is_some_and(|reason| reason.starts_with("lost 3 times")));
            let ended_well = run.status == RunStatus::Succeeded && tasks.iter().all(|task| task.state == TaskState::Succeeded);
            let errors: Vec<_> = tasks.iter().filter_map(|task| task.error.as_ref()).collect();
            assert!(ended_well || lost_often, "{} of {name} is {}: {:?} {errors:?}", run.id, run.status, run.reason);
            let key = format!("{}_first_0", run.id);
            assert!(published.contains(&key) || lost_often, "{} of {name} has published nothing", run.id);
            keys.push(key);
        }
        keys
    }
}

#[test]
fn a_daemon_killed_at_random_moments_runs_each_slot_once() {
    let given = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (rounds, seed) = (given("ROUNDS").unwrap_or(8), given("SEED").unwrap_or(1));
    let mut chaos = Chaos::new(seed);
    chaos.start();
    chaos.sandbox.wait_until("the store is there", || chaos.sandbox.file(".recflow/state.db").exists());
    for round in 1..=rounds {
        chaos.round();
        if round % 50 == 0 {
            eprintln!("{round} rounds");
        }
    }
    chaos.come_to_rest();
    let runs = chaos.check();
    eprintln!("{rounds} rounds, {runs} runs");
    assert!(runs > 0);
}
