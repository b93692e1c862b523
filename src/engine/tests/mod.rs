//! The driver as a machine: turned by hand over a store in memory, with a clock that stands and hands that only note what they are told.

mod control;
mod limits;
mod lives;
mod take_over;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use recflow_stages::{Catalog, StageError};
use recflow_state::{RunId, RunStatus, Store, TaskState, Trigger, UnixMs};
use serde_json::{Value, json};

use super::entropy::Entropy;
use super::owner::{Liveness, Owners};
use super::*;
use crate::executor::{Attempt, AttemptKey, Ended, Execute, Failure, HowToStop, LostAttempt, Update};
use crate::pipeline::Limits;
use crate::workspace::Workspace;
use recflow_stages::clock::{Clock, ManualClock};

/// What the executor was told.
#[derive(Debug, Default, Clone)]
struct Hands(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    started: Vec<Attempt>,
    stopped: Vec<(AttemptKey, HowToStop)>,
    buried: Vec<LostAttempt>,
}

impl Execute for Hands {
    fn start(&self, attempt: Attempt) {
        self.0.lock().unwrap().started.push(attempt);
    }
    fn release(&self, _: AttemptKey) {}
    fn stop(&self, key: AttemptKey, how: HowToStop) {
        self.0.lock().unwrap().stopped.push((key, how));
    }
    fn bury(&self, lost: &LostAttempt) {
        self.0.lock().unwrap().buried.push(lost.clone());
    }
}

/// Owners that live until they are killed.
#[derive(Debug, Default)]
struct Village(Mutex<BTreeSet<String>>);

impl Owners for Village {
    fn liveness(&self, id: &str) -> Liveness {
        if self.0.lock().unwrap().contains(id) { Liveness::Alive { pid: Some(7) } } else { Liveness::Dead }
    }
}

#[derive(Debug)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn next(&self) -> u64 {
        self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }
}

/// A store, a clock, and who is alive: what several drivers share.
struct World {
    store: Arc<Store>,
    clock: Arc<ManualClock>,
    village: Arc<Village>,
    entropy: Arc<Counting>,
}

/// One process.
struct Process {
    driver: Driver,
    hands: Hands,
    /// Attempts under way, by task.
    attempts: BTreeMap<String, Vec<AttemptKey>>,
}

impl World {
    fn new() -> Self {
        Self {
            store: Arc::new(Store::in_memory().unwrap()),
            clock: Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap())),
            village: Arc::default(),
            entropy: Arc::new(Counting(AtomicU64::new(1))),
        }
    }

    fn process(&self, owner: &str, jobs: usize, limits: Limits) -> Process {
        self.village.0.lock().unwrap().insert(owner.to_owned());
        let hands = Hands::default();
        let parts = Parts {
            store: self.store.clone(),
            workspace: Workspace::new(Path::new("/nowhere"), None).unwrap(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            owners: self.village.clone(),
            owner: owner.to_owned(),
            executor: Box::new(hands.clone()),
        };
        let options = Options {
            jobs,
            threads: 2,
            grace: Duration::from_secs(10),
            secrets: BTreeMap::new(),
            patience: Patience::Forever,
            role: Role::Daemon,
            limits,
            memory: None,
        };
        Process { driver: Driver::new(parts, options), hands, attempts: BTreeMap::new() }
    }

    /// The process dies: its lock is free, and nothing of it is heard again.
    fn kill(&self, process: Process) {
        self.village.0.lock().unwrap().remove(&process.driver.owner);
    }

    fn pass(&self, time: Duration) {
        self.clock.advance_ms(time.as_millis() as i64);
    }

    fn status(&self, run: &RunId) -> RunStatus {
        self.store.read(|view| view.run(run)).unwrap().status
    }

    fn reason(&self, run: &RunId) -> String {
        self.store.read(|view| view.run(run)).unwrap().reason.unwrap_or_default()
    }

    /// The states of all tasks, joined.
    fn tasks(&self, run: &RunId) -> String {
        let tasks = self.store.read(|view| view.tasks(run)).unwrap();
        tasks.iter().map(|task| task.state.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn running(&self) -> usize {
        self.store.read(|view| view.running_tasks()).unwrap().len()
    }
}

fn launch(text: &str) -> Launch {
    let loaded = crate::pipeline::load(text, "p.yaml", Catalog::builtin());
    let pipeline = loaded.pipeline.unwrap_or_else(|| panic!("{}", loaded.source.text()));
    let (params, file) = (serde_json::Map::new(), None);
    Launch { pipeline, text: text.to_owned(), file, params, trigger: Trigger::Manual, logical_date: None, at_limit: AtLimit::Wait }
}

impl Process {
    fn launch(&mut self, text: &str) -> RunId {
        let run = self.driver.launch(launch(text)).unwrap();
        self.turn();
        run
    }

    /// A turn; returns the tasks whose attempts were started in it, in order.
    fn turn(&mut self) -> Vec<String> {
        self.driver.turn(&mut Nobody).unwrap();
        let started = std::mem::take(&mut self.hands.0.lock().unwrap().started);
        started
            .into_iter()
            .map(|attempt| {
                self.attempts.entry(attempt.task_id.clone()).or_default().push(attempt.key);
                attempt.task_id
            })
            .collect()
    }

    /// The oldest attempt of a task ends; then a turn.
    fn end(&mut self, task: &str, result: Result<Value, Failure>) -> Vec<String> {
        let attempts = self.attempts.get_mut(task).filter(|attempts| !attempts.is_empty());
        let key = attempts.unwrap_or_else(|| panic!("no attempt of `{task}` is under way")).remove(0);
        self.driver.take(Message::Attempt(key, Update::Ended(Ended::without_process(result))));
        self.turn()
    }

    fn succeed(&mut self, task: &str) -> Vec<String> {
        self.end(task, Ok(json!({ "by": task })))
    }

    fn fail(&mut self, task: &str) -> Vec<String> {
        self.end(task, Err(Failure::Failed(StageError::input("boom"))))
    }

    fn stopped(&self) -> Vec<HowToStop> {
        self.hands.0.lock().unwrap().stopped.iter().map(|(_, how)| *how).collect()
    }
}
