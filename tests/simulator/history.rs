//! One history: what happens when, from one seed, on one thread.
//!
//! Time passes from event to event: something that an attempt says, a process that wakes, a look of the scheduler, something that people do
//! or that goes wrong. Processes act one after the other; each of their actions may be their last.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use recflow::engine::{Message, Role};
use recflow::pipeline::{Loaded, Pipeline};
use recflow_stages::clock::{Clock, ManualClock};
use recflow_state::{RunFilter, RunStatus, TaskState, Trigger, UnixMs};

use crate::dice::{Dice, Ids};
use crate::faults::Crash;
use crate::laws::{Laws, ends, slots, triggers};
use crate::machine::Machine;
use crate::pipelines::{Blueprint, Flavour, Setting};
use crate::process::Process;
use crate::trace::Trace;
use crate::world::Common;

/// More steps than any history takes that comes to rest.
const STEPS_MAX: u64 = 200_000;

/// How often the scheduler looks at least, in milliseconds.
const NAP: i64 = 20_000;

/// How the scheduled runs of a history ended: by pipeline and slot, the states of all tasks.
pub(crate) type Ends = BTreeMap<(String, UnixMs), Vec<TaskState>>;

/// What came of a history.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) runs: usize,
    pub(crate) attempts: u64,
    pub(crate) fingerprint: blake3::Hash,
    pub(crate) text: String,
    pub(crate) ends: Ends,
    /// Runs that ended otherwise only because their attempts were lost too often.
    pub(crate) unlucky: BTreeSet<(String, UnixMs)>,
}

/// A history under way.
pub(crate) struct History {
    pub(crate) dice: Dice,
    pub(crate) common: Common,
    pub(crate) machine: Arc<Mutex<Machine>>,
    laws: Arc<Laws>,
    trace: Trace,
    pub(crate) processes: Vec<Process>,
    pub(crate) blueprints: Vec<Blueprint>,
    /// The text of each pipeline as it is now.
    pub(crate) texts: BTreeMap<String, Arc<Loaded>>,
    pub(crate) paused: BTreeSet<String>,
    first_slots: slots::FirstSeen,
    first_triggers: triggers::FirstSeen,
    jobs: usize,
    births: u64,
    steps: u64,
    /// When people do something next, or something goes wrong; never, once all is calm.
    next_act: Option<i64>,
    /// When the next daemon starts, while there is none.
    daemon_at: Option<i64>,
    /// Whether the last look had nothing to wait for.
    nothing_due: bool,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Hear,
    Turn(usize),
    Look(usize),
    Act,
    Daemon,
}

/// What kind of history a seed tells.
pub(crate) fn flavour(seed: u64) -> Flavour {
    match Dice::new(seed).below(8) {
        0 => Flavour::NoSkips,
        1 => Flavour::NoAllSuccess,
        _ => Flavour::Wild,
    }
}

/// Plays the history of a seed to its end, and panics where it breaks a law. Without `faults` nothing goes wrong but attempts.
pub(crate) fn play(seed: u64, faults: bool, trace: &Trace) -> Told {
    let mut history = History::new(seed, trace.clone());
    history.next_act = (faults || history.common.setting.flavour == Flavour::Wild).then_some(0);
    while history.next_act.is_some_and(|_| history.machine().now < history.common.setting.scale * 60) {
        history.step();
    }
    history.calm();
    history.told()
}

impl History {
    fn new(seed: u64, trace: Trace) -> Self {
        let flavour = flavour(seed);
        let mut dice = Dice::new(seed ^ 0x5eed);
        let scale = if flavour == Flavour::Wild { *dice.pick(&[1_000, 1_000, 10_000, 60_000, 600_000]) } else { 1_000 };
        // Shortly before clocks are changed, in one zone or another.
        let starts =
            ["2026-01-01T00:00:00Z", "2027-03-28T00:40:00Z", "2027-10-31T00:10:00Z", "2027-03-14T06:30:00Z", "2027-04-03T14:30:00Z"];
        let start: Timestamp = dice.pick(&starts).parse().expect("an instant");
        let setting = Setting { flavour, scale, start, end: start + SignedDuration::from_millis(scale * 70) };
        let mut drawn = dice.fork();
        let blueprints: Vec<Blueprint> = (0..dice.between(1, 8)).map(|index| Blueprint::draw(&mut drawn, &setting, index as u64)).collect();
        let texts = blueprints.iter().map(|blueprint| blueprint.loaded(&mut drawn, &setting)).collect();
        let limits = recflow::pipeline::Limits {
            max_parallel_tasks: dice.percent(50).then(|| dice.between(2, 5) as u32),
            pools: [("a".to_owned(), 2), ("b".to_owned(), 1)].into(),
        };
        let (ids, outcomes, jobs) = (Ids(Mutex::new(dice.fork())), dice.next(), dice.between(1, 6) as usize);
        Self {
            common: Common::new(ManualClock::new(start), ids, setting, limits, outcomes),
            dice,
            machine: Arc::default(),
            laws: Arc::new(Laws),
            trace,
            processes: Vec::new(),
            blueprints,
            texts,
            paused: BTreeSet::new(),
            first_slots: slots::FirstSeen::default(),
            first_triggers: triggers::FirstSeen::default(),
            jobs,
            births: 0,
            steps: 0,
            next_act: None,
            daemon_at: Some(0),
            nothing_due: false,
        }
    }

    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().expect("nothing panics while it is held")
    }

    /// The time that no jump touches.
    pub(crate) fn now(&self) -> i64 {
        self.machine().now
    }

    /// The time that processes see.
    pub(crate) fn clock(&self) -> UnixMs {
        UnixMs(self.common.clock.now().as_millisecond())
    }

    fn pipelines(&self) -> impl Iterator<Item = &Pipeline> + Clone {
        self.texts.values().filter_map(|loaded| loaded.pipeline.as_ref())
    }

    /// The next thing happens.
    fn step(&mut self) {
        self.steps += 1;
        assert!(self.steps < STEPS_MAX, "it does not come to rest");
        let Some((at, next)) = self.next() else { return };
        let pass = at - self.now();
        if pass > 0 {
            self.common.clock.advance_ms(pass);
            self.machine().now = at;
        }
        self.trace.note(format_args!("{} {next:?}", self.now()));
        match next {
            Next::Hear => {
                let owner = self.machine().next().map(|(_, owner)| owner.to_owned());
                if let Some(index) = self.processes.iter().position(|process| Some(&process.owner) == owner.as_ref()) {
                    self.turn(index);
                }
            }
            Next::Turn(index) => self.turn(index),
            Next::Look(index) => self.look(index),
            Next::Act => {
                let pause = self.common.setting.scale * self.dice.between(2, 20) / 10;
                let rarer = if self.common.setting.flavour == Flavour::Wild { 1 } else { 4 };
                self.next_act = Some(self.now() + pause * rarer);
                self.act();
            }
            Next::Daemon => self.start_daemon(),
        }
    }

    fn next(&self) -> Option<(i64, Next)> {
        let machine = self.machine();
        let hears = machine.next().map(|(at, _)| (at, Next::Hear));
        let turns = self.processes.iter().enumerate().filter_map(|(index, process)| Some((process.wake?, Next::Turn(index))));
        let looks =
            self.processes.iter().enumerate().filter_map(|(index, process)| Some((process.daemon.as_ref()?.look, Next::Look(index))));
        let acts = self.next_act.map(|at| (at, Next::Act));
        let births = self.daemon_at.map(|at| (at, Next::Daemon));
        hears.into_iter().chain(turns).chain(looks).chain(acts).chain(births).min()
    }

    fn turn(&mut self, index: usize) {
        let heard = self.machine().hear(&self.processes[index].owner);
        for (key, update) in heard {
            self.processes[index].driver.take(Message::Attempt(key, update));
        }
        if self.guard(index, Process::turn).is_some() {
            self.after(index);
        }
    }

    /// After a process has acted: when it wakes next, or that it has nothing left to do.
    pub(crate) fn after(&mut self, index: usize) {
        // At the end nobody needs a quick answer.
        let latest = if self.next_act.is_some() { self.common.setting.scale / 10 } else { self.common.setting.scale };
        let late = self.dice.between(0, latest);
        let (now, clock) = (self.now(), self.clock());
        let process = &mut self.processes[index];
        let is_over = match process.daemon {
            Some(_) => process.driver.is_over(),
            None => process.driver.is_idle(),
        };
        if process.has_ended_a_run() {
            self.nudge();
        }
        let process = &mut self.processes[index];
        process.wake = process.driver.next_wake().map(|at| now + (at.0 - clock.0).max(1) + late);
        if is_over {
            let owner = &self.processes[index].owner;
            assert!(!self.machine().has_of(owner), "{owner} leaves attempts behind");
            self.bury(index);
        }
    }

    fn look(&mut self, index: usize) {
        let (clock, texts) = (self.clock(), std::mem::take(&mut self.texts));
        let looked = self.guard(index, |process| Ok(process.look(&texts, clock)));
        let pipelines = texts.values().filter_map(|loaded| loaded.pipeline.as_ref());
        self.first_slots.after_a_look(&self.common, pipelines.clone(), recflow::engine::timestamp(clock));
        self.first_triggers.after_a_look(&self.common, pipelines);
        self.texts = texts;
        let Some(looked) = looked else { return };
        self.nothing_due = matches!(looked, Ok(None));
        let (now, early) = (self.now(), self.dice.between(0, NAP));
        let next = match looked {
            Ok(Some(at)) if at.0 - clock.0 > NAP => now + at.0 - clock.0 - early,
            Ok(Some(at)) => now + (at.0 - clock.0).max(1),
            Ok(None) => now + NAP.max(self.common.setting.scale * 2),
            Err(_) => now + 500,
        };
        if let Some(daemon) = self.processes[index].daemon.as_mut() {
            daemon.look = next;
        }
        self.after(index);
    }

    /// Has the daemon look soon: something may have changed.
    pub(crate) fn nudge(&mut self) {
        self.nothing_due = false;
        let soon = self.now() + self.dice.between(1, 500);
        for daemon in self.processes.iter_mut().filter_map(|process| process.daemon.as_mut()).filter(|daemon| daemon.look < i64::MAX) {
            daemon.look = daemon.look.min(soon);
        }
    }

    /// Lets a process act. It may die of it; `None` then.
    pub(crate) fn guard<T>(&mut self, index: usize, act: impl FnOnce(&mut Process) -> anyhow::Result<T>) -> Option<T> {
        let process = &mut self.processes[index];
        self.common.faults.set_acting(true);
        let acted = catch_unwind(AssertUnwindSafe(|| act(process)));
        self.common.faults.set_acting(false);
        match acted {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => self.trace.note(format_args!("{} gives up: {error:#}", self.processes[index].owner)),
            Err(panic) if panic.is::<Crash>() => self.trace.note(format_args!("{} dies", self.processes[index].owner)),
            Err(panic) => resume_unwind(panic),
        }
        self.bury(index);
        None
    }

    /// A process is gone. A daemon is started again after a while.
    pub(crate) fn bury(&mut self, index: usize) {
        let process = self.processes.remove(index);
        self.common.village.dies(&process.owner);
        let mut dice = self.dice.fork();
        self.machine().orphan(&process.owner, &mut dice);
        if process.daemon.is_some() {
            self.daemon_at = Some(self.now() + dice.between(0, self.common.setting.scale * 3));
        }
        self.nudge();
    }

    /// A process begins, and does `first`.
    pub(crate) fn start(&mut self, role: Role, first: impl FnOnce(&mut Process) -> anyhow::Result<()>) {
        self.births += 1;
        let owner = if role == Role::Daemon { format!("daemon-{:016x}", self.births) } else { format!("{:016x}", self.births) };
        self.common.village.is_born(&owner);
        self.processes.push(Process::new(&owner, role, self.jobs, &self.common, &self.machine, &self.laws, &self.trace));
        let index = self.processes.len() - 1;
        if self.guard(index, first).is_some() {
            let now = self.now();
            let process = &mut self.processes[index];
            process.wake = Some(now + 1);
            if let Some(daemon) = process.daemon.as_mut() {
                daemon.look = now + 1;
            }
        }
    }

    fn start_daemon(&mut self) {
        self.daemon_at = None;
        self.start(Role::Daemon, |process| process.driver.recover().map(drop));
    }

    /// Nothing goes wrong any more, and people go home. Then everything must end.
    fn calm(&mut self) {
        self.next_act = None;
        self.common.faults.disarm();
        self.common.faults.sicken(None);
        let clock = self.clock();
        for name in self.texts.keys() {
            self.common.store.write(|tx| tx.set_paused(name, false, clock)).expect("the store is well");
        }
        self.nudge();
        while !self.is_at_rest() {
            self.step();
        }
        ends::at_rest(&self.common);
        slots::at_rest(&self.common, self.pipelines(), &self.first_slots);
        triggers::at_rest(&self.common, self.pipelines(), &self.first_triggers, &self.paused);
    }

    /// Whether nothing will happen any more. What dead commands left is taken up by somebody first.
    fn is_at_rest(&mut self) -> bool {
        let [process] = self.processes.as_slice() else { return false };
        let all_seen = self.pipelines().all(|pipeline| pipeline.schedules.is_empty() || self.first_slots.has(&pipeline.name));
        let is_quiet = process.daemon.is_some() && process.driver.is_idle() && self.machine().next().is_none();
        if !is_quiet || !self.nothing_due || !all_seen {
            return false;
        }
        let open = self.common.store.read(|view| view.non_terminal_runs()).expect("the store is well");
        let left = open.iter().find(|run| run.owner.is_some() && !self.common.village.lives(run.owner.as_deref()));
        if let Some(run) = left.map(|run| run.id.clone()) {
            self.start(Role::Command, |process| process.driver.resume(&run));
            return false;
        }
        // What still waits has had its look: it waits for ever.
        open.iter().all(|run| run.status != RunStatus::Queued) || self.looks_again()
    }

    /// Runs that waited while the last look was made get another one, and one only.
    fn looks_again(&mut self) -> bool {
        let before = self.steps;
        self.nudge();
        for _ in 0..20 {
            self.step();
        }
        let open = self.common.store.read(|view| view.non_terminal_runs()).expect("the store is well");
        assert!(self.steps > before);
        !open.is_empty() && self.processes.len() == 1 && self.processes[0].driver.is_idle()
    }

    fn told(&self) -> Told {
        let runs = self.common.store.read(|view| view.runs(u32::MAX, &RunFilter::default())).expect("reads do not fail here");
        let mut ends = Ends::new();
        let mut unlucky = BTreeSet::new();
        for run in &runs {
            let (tasks, events, attempts) = self
                .common
                .store
                .read(|view| Ok((view.tasks(&run.id)?, view.events(&run.id)?, view.attempts(&run.id)?)))
                .expect("reads do not fail here");
            self.trace.note(format_args!("{run:?} {tasks:?} {events:?} {attempts:?}"));
            if run.trigger == Trigger::Schedule && run.replay_of.is_none() {
                let key = (run.pipeline.clone(), run.logical_date);
                if tasks.iter().any(|task| task.reason.as_ref().is_some_and(|reason| reason.starts_with("lost 3 times"))) {
                    unlucky.insert(key.clone());
                }
                ends.insert(key, tasks.iter().map(|task| task.state).collect());
            }
        }
        let attempts = self.machine().started;
        Told { runs: runs.len(), attempts, fingerprint: self.trace.fingerprint(), text: self.trace.text(), ends, unlucky }
    }
}
