//! The machine that attempts execute on, without executing anything: what each of them will do follows from the seed, the run's
//! date, the task and how often it failed before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use recflow::executor::{Attempt, AttemptKey, Ended, Execute, Failure, HowToStop, LostAttempt, ProcessId, Update};
use recflow_stages::{Report, StageError};
use recflow_state::{AttemptState, RunId};
use serde_json::json;

use crate::dice::{Dice, hashed};
use crate::laws::Laws;
use crate::pipelines::Flavour;
use crate::trace::Trace;
use crate::world::Common;

/// An attempt that executes, or what is left of one whose owner died.
#[derive(Debug)]
struct Live {
    owner: String,
    key: AttemptKey,
    publish_key: String,
    fate: Fate,
    lasts: i64,
    /// What it returns if it succeeds.
    output: u64,
}

/// How an attempt ends if nobody interferes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Succeeds,
    FailsForNow,
    FailsForGood,
    HasNothingToDo,
    Hangs,
    /// Does its work, and takes no notice of being asked to stop.
    Stubborn,
}

/// Something that an attempt is about to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saying {
    Process,
    Metric,
    Ends,
    Stopped,
    /// It has ended already, and says so again.
    Echo,
}

/// All that executes, and all that will be said.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    live: Vec<Live>,
    /// By time, then in the order in which it was arranged.
    due: BTreeMap<(i64, u64), (String, AttemptKey, Saying)>,
    arranged: u64,
    /// The time that no clock jump touches.
    pub(crate) now: i64,
    pub(crate) started: u64,
}

impl Machine {
    /// When something is said next, and to whom.
    pub(crate) fn next(&self) -> Option<(i64, &str)> {
        self.due.first_key_value().map(|((at, _), (owner, ..))| (*at, owner.as_str()))
    }

    /// Whether anything of this owner executes.
    pub(crate) fn has_of(&self, owner: &str) -> bool {
        self.live.iter().any(|live| live.owner == owner)
    }

    /// Takes what this owner is to hear now.
    pub(crate) fn hear(&mut self, owner: &str) -> Vec<(AttemptKey, Update)> {
        let now = self.now;
        let ready: Vec<(i64, u64)> = self.due.range(..=(now, u64::MAX)).filter(|(_, (to, ..))| to == owner).map(|(key, _)| *key).collect();
        let mut heard = Vec::new();
        for at in ready {
            // What ended with an earlier one of them is not said any more.
            let Some((_, key, saying)) = self.due.remove(&at) else { continue };
            heard.extend(self.say(&key, saying).map(|update| (key, update)));
        }
        heard
    }

    /// An owner dies: nobody hears its attempts any more. Most die with it; what `survives` is there until it is buried.
    pub(crate) fn orphan(&mut self, owner: &str, dice: &mut Dice) {
        self.due.retain(|_, (to, ..)| to != owner);
        self.live.retain(|live| live.owner != owner || dice.percent(25));
    }

    fn arrange(&mut self, after: i64, owner: &str, key: &AttemptKey, saying: Saying) {
        self.arranged += 1;
        self.due.insert((self.now + after.max(1), self.arranged), (owner.to_owned(), key.clone(), saying));
    }

    fn say(&mut self, key: &AttemptKey, saying: Saying) -> Option<Update> {
        let ended = |result| Some(Update::Ended(Ended::without_process(result)));
        if saying == Saying::Echo {
            return ended(Err(Failure::Failed(StageError::input("said twice"))));
        }
        let position = self.live.iter().position(|live| live.key == *key)?;
        let fate = self.live[position].fate;
        match saying {
            Saying::Process => return Some(Update::Process(ProcessId { pid: 1_000 + key.attempt, start_ticks: 7 })),
            Saying::Metric => return Some(Update::Report(Report::Metric { name: "loss".to_owned(), step: 1, value: 0.5 })),
            _ => {}
        }
        let live = self.live.remove(position);
        self.due.retain(|_, (_, other, _)| other != key);
        if live.lasts % 7 == 0 {
            self.arrange(live.lasts / 2, &live.owner, key, Saying::Echo);
        }
        if saying == Saying::Stopped {
            return ended(Err(Failure::Stopped));
        }
        match fate {
            Fate::FailsForNow => {
                let error = StageError::io("read", std::path::Path::new("x"), &std::io::Error::other("disk"));
                ended(Err(Failure::Failed(error)))
            }
            Fate::FailsForGood => ended(Err(Failure::Failed(StageError::input("bad rows")))),
            Fate::HasNothingToDo => ended(Err(Failure::Failed(StageError::skipped("nothing new")))),
            Fate::Succeeds | Fate::Stubborn | Fate::Hangs => ended(Ok(json!({ "n": live.output }))),
        }
    }
}

/// The executor of one process.
#[derive(Debug)]
pub(crate) struct Hands {
    pub(crate) owner: String,
    pub(crate) common: Common,
    pub(crate) machine: Arc<Mutex<Machine>>,
    pub(crate) laws: Arc<Laws>,
    pub(crate) trace: Trace,
}

impl Hands {
    fn machine(&self) -> std::sync::MutexGuard<'_, Machine> {
        self.machine.lock().expect("nothing panics while it is held")
    }

    /// What becomes of an attempt, and how long it takes.
    fn fate(&self, attempt: &Attempt) -> (Fate, i64, u64) {
        let setting = &self.common.setting;
        let run = RunId::parse(&attempt.key.run).expect("an id");
        let attempts = self.common.store.read(|view| view.attempts(&run)).expect("reads do not fail here");
        let failed = |state| matches!(state, AttemptState::Failed | AttemptState::TimedOut);
        let failures = attempts.iter().filter(|row| row.task_id == attempt.task_id && failed(row.state)).count();
        let what = format!("{} {} {} {failures}", attempt.pipeline, attempt.logical_date, attempt.task_id);
        let mut dice = Dice::new(hashed(self.common.outcomes, &what));
        let fate = match dice.below(100) {
            0..62 => Fate::Succeeds,
            62..78 => Fate::FailsForNow,
            78..86 => Fate::FailsForGood,
            86..90 if setting.flavour != Flavour::NoSkips => Fate::HasNothingToDo,
            90..95 => Fate::Hangs,
            95..98 => Fate::Stubborn,
            _ => Fate::Succeeds,
        };
        let lasts = match fate {
            // Without a timeout nobody would end it: it does its work in the end.
            Fate::Hangs => setting.scale * 15,
            _ if dice.percent(10) => setting.scale * dice.between(10, 25) / 10,
            _ => setting.scale * dice.between(1, 10) / 10,
        };
        (fate, lasts, dice.below(10))
    }
}

impl Execute for Hands {
    fn start(&self, attempt: Attempt) {
        self.common.faults.moment();
        self.laws.of_a_start(&self.common, &attempt);
        let (fate, lasts, output) = self.fate(&attempt);
        self.trace
            .note(format_args!("{} starts {} {} #{}: {fate:?} {lasts}", self.owner, attempt.key.run, attempt.task_id, attempt.key.attempt));
        let mut machine = self.machine();
        let publish_key = attempt.publish_key.as_str().to_owned();
        let twin = machine.live.iter().find(|live| live.publish_key == publish_key);
        let twin = twin.map(|live| (live.owner.clone(), live.key.clone()));
        machine.started += 1;
        machine.live.push(Live { owner: self.owner.clone(), key: attempt.key.clone(), publish_key, fate, lasts, output });
        if lasts % 3 == 0 {
            // A child: it says that it has a process, and waits for its release.
            machine.arrange(1, &self.owner, &attempt.key, Saying::Process);
        } else {
            machine.arrange(lasts, &self.owner, &attempt.key, Saying::Ends);
        }
        drop(machine);
        assert!(twin.is_none(), "{:?} starts while {twin:?} does the same work", attempt.key);
    }

    fn release(&self, key: AttemptKey) {
        self.common.faults.moment();
        let mut machine = self.machine();
        let Some(lasts) = machine.live.iter().find(|live| live.key == key).map(|live| live.lasts) else { return };
        machine.arrange(lasts / 2, &self.owner, &key, Saying::Metric);
        machine.arrange(lasts, &self.owner, &key, Saying::Ends);
    }

    fn stop(&self, key: AttemptKey, how: HowToStop) {
        self.common.faults.moment();
        self.trace.note(format_args!("{} stops {} {} #{} {how:?}", self.owner, key.run, key.task, key.attempt));
        let mut machine = self.machine();
        let Some(live) = machine.live.iter().find(|live| live.key == key) else { return };
        let after = match (how, live.fate) {
            (HowToStop::AtOnce, _) => 1,
            (HowToStop::Gracefully, Fate::Stubborn) => self.common.setting.scale,
            (HowToStop::Gracefully, _) => live.lasts % 50 + 1,
        };
        machine.arrange(after, &self.owner, &key, Saying::Stopped);
    }

    fn bury(&self, lost: &LostAttempt) {
        self.common.faults.moment();
        let mut machine = self.machine();
        machine.live.retain(|live| live.publish_key != lost.publish_key.as_str());
    }
}
