//! The driver: feeds the state machine, records what it says, then does it.
//!
//! One thread owns every run of this process. A turn of its loop takes the messages that have come (attempts that
//! reported or ended, cancellations), fires the timers that are due, starts what fits, commits all changes in one
//! transaction ([`Journal`]) and only then acts: starts and stops attempts, tells observers. A process that dies between
//! any two of these steps can be resumed from the store alone.
//!
//! Messages arrive on one unbounded channel: executor threads must not block, and the reports of an attempt are
//! throttled where they are made.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use recflow_stages::clock::Clock;
use recflow_state::{Store, UnixMs};

use super::budget::Budget;
use super::core::{Effect, Event, Phase, Stamped, StopReason, TaskIx, Timer};
use super::entropy::Entropy;
use super::journal::{Journal, Write};
use super::live::{LiveRun, stage_name};
use super::notice::{Notice, Observer};
use super::owner::Owner;
use super::prepare::{Prepared, prepare, shares_threads};
use crate::executor::log::Mask;
use crate::executor::{Attempt, AttemptKey, Executor, Failure, HowToStop, Update};
use crate::workspace::Workspace;

/// So many messages are taken in one turn at most.
const MESSAGES_PER_TURN: usize = 1_000;

/// What a caller decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// Most attempts at once.
    pub jobs: usize,
    /// Threads that all computing stages together may use.
    pub threads: usize,
    /// How long a process may take to end after it was told to.
    pub grace: Duration,
    /// Values for `secrets.NAME`; masked wherever text is stored.
    pub secrets: BTreeMap<String, String>,
}

/// A message to the driver.
enum Message {
    Attempt(AttemptKey, Update),
    Cancel { force: bool, reason: String },
}

/// Sends messages to a driver from other threads.
#[derive(Debug, Clone)]
pub struct Handle {
    outbox: Sender<Message>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Message::Attempt(key, _) => write!(f, "Attempt({key:?})"),
            Message::Cancel { force, reason } => write!(f, "Cancel({force}, {reason})"),
        }
    }
}

impl Handle {
    /// Cancels every run of the driver: gracefully, or at once. `reason` is what people will read.
    pub fn cancel(&self, force: bool, reason: &str) {
        // A driver that is gone has nothing left to cancel.
        let _ = self.outbox.send(Message::Cancel { force, reason: reason.to_owned() });
    }
}

/// What to do after the commit.
pub(super) enum Todo {
    Execute(Box<Attempt>),
    Release(AttemptKey),
    Stop(AttemptKey, HowToStop),
    Tell(Box<Notice>),
}

/// A task whose turn comes when there is a slot: by the instant at which it became ready, then by run and position.
type Turn = (UnixMs, u64, Arc<str>, TaskIx);
type Alarm = (i64, Arc<str>, TaskIx, TimerKey);

/// [`Timer`] in an order, for the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TimerKey {
    Retry(u32),
    Timeout(u32),
    Deferral(u32),
}

/// Executes runs.
pub struct Driver {
    pub(super) store: Arc<Store>,
    pub(super) workspace: Workspace,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) owner: Owner,
    pub(super) options: Options,
    pub(super) journal: Journal,
    executor: Executor,
    handle: Handle,
    inbox: Receiver<Message>,
    pub(super) runs: BTreeMap<Arc<str>, LiveRun>,
    ready: BTreeSet<Turn>,
    turns: u64,
    timers: BinaryHeap<Reverse<Alarm>>,
    pub(super) budget: Budget,
    pub(super) todo: Vec<Todo>,
    pub(super) mask: Mask,
    pub(super) secrets: Arc<[String]>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("workspace", &self.workspace).field("runs", &self.runs.keys()).finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver without runs. Registers this process as an owner and opens the store, creating both where needed.
    pub fn start(workspace: Workspace, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, options: Options) -> anyhow::Result<Self> {
        let owners = workspace.owners();
        let owner = Owner::register(&owners, entropy.next())
            .with_context(|| format!("cannot register as an owner of runs in `{}`", owners.display()))?;
        let store = Store::open_unless_used(workspace.store(), || super::owner::any_alive(&owners, Some(owner.id())))?;
        let (outbox, inbox) = channel();
        let sink_outbox = outbox.clone();
        let executor = Executor::start(Arc::new(move |key, update| {
            let _ = sink_outbox.send(Message::Attempt(key.clone(), update));
        }))
        .context("cannot start the executor")?;
        let secrets: Arc<[String]> = options.secrets.values().cloned().collect();
        Ok(Self {
            store: Arc::new(store),
            workspace,
            clock,
            entropy,
            owner,
            budget: Budget::new(options.jobs, options.threads),
            mask: Mask::new(&secrets),
            secrets,
            options,
            journal: Journal::default(),
            executor,
            handle: Handle { outbox },
            inbox,
            runs: BTreeMap::new(),
            ready: BTreeSet::new(),
            turns: 0,
            timers: BinaryHeap::new(),
            todo: Vec::new(),
        })
    }

    /// Sends messages to this driver from other threads.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The store that this driver writes.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(super) fn now(&self) -> UnixMs {
        UnixMs(self.clock.now().as_millisecond())
    }

    /// Takes over a run and applies the events that bring it to life. Nothing starts before [`Driver::drive`].
    pub(super) fn adopt(&mut self, run: LiveRun, events: Vec<Event>, resumed: bool) -> anyhow::Result<()> {
        let key = run.key.clone();
        let now = self.now();
        let tasks = (0..run.plan.len()).map(|task| run.task_notice(task, now)).collect();
        self.tell(Notice::RunBegun { run: run.id.clone(), pipeline: run.pipeline.name.clone(), tasks, resumed });
        for (task, record) in run.state.tasks.iter().enumerate() {
            match record.phase {
                Phase::Queued => self.enqueue(&key, task),
                Phase::Retrying { after, due_ms } => self.wake(&key, task, Timer::Retry { after }, due_ms),
                Phase::Deferred { after, until_ms } => self.wake(&key, task, Timer::Deferral { after }, until_ms),
                _ => {}
            }
        }
        self.runs.insert(key.clone(), run);
        events.into_iter().try_for_each(|event| self.advance(&key, event))
    }

    /// Executes all adopted runs to their end.
    ///
    /// An error means that the store could not be written: what is under way is killed, and the runs can be resumed.
    pub fn drive(&mut self, observer: &mut dyn Observer) -> anyhow::Result<()> {
        loop {
            self.start_what_fits()?;
            self.commit_and_act(observer)?;
            self.runs.retain(|_, run| !run.state.status.is_terminal());
            if self.runs.is_empty() {
                return Ok(());
            }
            self.wait()?;
        }
    }

    /// Waits for a message or a timer, then takes all that have come.
    fn wait(&mut self) -> anyhow::Result<()> {
        let first = match self.timers.peek() {
            None => self.inbox.recv().ok(),
            Some(Reverse((at_ms, ..))) => {
                let pause = Duration::from_millis(u64::try_from(at_ms - self.now().0).unwrap_or(0));
                self.inbox.recv_timeout(pause).ok()
            }
        };
        if let Some(message) = first {
            self.take(message)?;
        }
        // Bounded, so that a talkative attempt cannot put off the commit.
        for message in self.inbox.try_iter().take(MESSAGES_PER_TURN).collect::<Vec<_>>() {
            self.take(message)?;
        }
        let now = self.now().0;
        while self.timers.peek().is_some_and(|Reverse((at_ms, ..))| *at_ms <= now) {
            let Some(Reverse((_, run, task, key))) = self.timers.pop() else { break };
            let timer = match key {
                TimerKey::Retry(after) => Timer::Retry { after },
                TimerKey::Timeout(attempt) => Timer::Timeout { attempt },
                TimerKey::Deferral(after) => Timer::Deferral { after },
            };
            self.advance(&run, Event::TimerFired { task, timer })?;
        }
        Ok(())
    }

    fn take(&mut self, message: Message) -> anyhow::Result<()> {
        match message {
            Message::Attempt(key, Update::Process(process)) => {
                if let Some(run) = self.runs.get(&key.run) {
                    let (run, task) = (run.id.clone(), run.task_id(key.task).to_owned());
                    self.journal.add(Write::Process {
                        run,
                        task,
                        attempt: key.attempt,
                        pid: process.pid,
                        start_ticks: process.start_ticks,
                    });
                    self.todo.push(Todo::Release(key));
                }
                Ok(())
            }
            Message::Attempt(key, Update::Report(report)) => {
                self.reported(&key, report);
                Ok(())
            }
            Message::Attempt(key, Update::Ended(ended)) => self.ended(&key, ended),
            Message::Cancel { force, reason } => {
                let keys: Vec<Arc<str>> = self.runs.keys().cloned().collect();
                keys.iter().try_for_each(|key| self.advance(key, Event::CancelRequested { force, reason: reason.clone() }))
            }
        }
    }

    /// Starts queued tasks while there are slots.
    fn start_what_fits(&mut self) -> anyhow::Result<()> {
        while self.budget.free_slots() > 0 {
            let Some((_, _, key, task)) = self.ready.pop_first() else { return Ok(()) };
            let Some(run) = self.runs.get(&key) else { continue };
            if run.state.tasks[task].phase != Phase::Queued {
                continue;
            }
            match prepare(run, task) {
                Prepared::Skip { reason } => self.advance(&key, Event::Skipped { task, reason })?,
                Prepared::Decided { taken, output } => self.at_once(&key, task, Ok(output), Some(taken))?,
                Prepared::Refused(error) => self.at_once(&key, task, Err(Failure::Failed(error)), None)?,
                Prepared::Ready { work, inputs, env } => self.start_attempt(&key, task, work, &inputs, env)?,
            }
        }
        Ok(())
    }

    /// How many of the tasks that will get the slots still free are computing ones.
    pub(super) fn computing_soon(&self) -> usize {
        let next = self.ready.iter().take(self.budget.free_slots().saturating_sub(1));
        next.filter(|(_, _, key, task)| self.runs.get(key).is_some_and(|run| shares_threads(stage_name(&run.pipeline.tasks[*task].kind))))
            .count()
    }

    /// Advances a run by one event: notes what changed for the next commit, and what is to be done after it.
    pub(super) fn advance(&mut self, key: &Arc<str>, event: Event) -> anyhow::Result<()> {
        let now = self.now();
        let Some(run) = self.runs.get_mut(key) else { return Ok(()) };
        let stamped = Stamped { at_ms: now.0, event };
        let step = run.state.apply(&run.plan, &stamped).with_context(|| format!("this is a bug: run {}", run.id))?;
        if step.is_stale() {
            return Ok(());
        }
        self.journal.add(Write::Event { run: run.id.clone(), at: now, body: serde_json::to_value(&stamped.event)? });
        for &task in &step.changed {
            run.note_times(task, now);
            self.journal.add(Write::Task(run.task_row(task)));
            self.todo.push(Todo::Tell(Box::new(Notice::Task { run: run.id.clone(), task: run.task_notice(task, now) })));
        }
        if step.run_changed {
            run.started_at.get_or_insert(now);
            run.ended_at = run.state.status.is_terminal().then_some(now);
            let (status, started_at, ended_at, reason) = (run.status(), run.started_at, run.ended_at, run.reason());
            self.journal.add(Write::Run { run: run.id.clone(), status, started_at, ended_at, reason });
        }
        for effect in step.effects {
            self.carry_out(key, effect);
        }
        Ok(())
    }

    fn carry_out(&mut self, key: &Arc<str>, effect: Effect) {
        match effect {
            Effect::Enqueue(task) => self.enqueue(key, task),
            // The driver itself sent the event that leads here, and starts the attempt with the inputs it has rendered.
            Effect::Start { .. } => {}
            Effect::Stop { task, attempt, reason } => {
                let how = if reason == StopReason::Killed { HowToStop::AtOnce } else { HowToStop::Gracefully };
                self.todo.push(Todo::Stop(AttemptKey { run: key.clone(), task, attempt }, how));
            }
            Effect::Wake { task, timer, at_ms } => self.wake(key, task, timer, at_ms),
            Effect::RunEnded(_) => {
                if let Some(run) = self.runs.get(key) {
                    let (run, status, reason) = (run.id.clone(), run.status(), run.reason());
                    self.tell(Notice::RunEnded { run, status, reason });
                }
            }
        }
    }

    pub(super) fn tell(&mut self, notice: Notice) {
        self.todo.push(Todo::Tell(Box::new(notice)));
    }

    fn enqueue(&mut self, key: &Arc<str>, task: TaskIx) {
        self.turns += 1;
        self.ready.insert((self.now(), self.turns, key.clone(), task));
    }

    fn wake(&mut self, key: &Arc<str>, task: TaskIx, timer: Timer, at_ms: i64) {
        let timer = match timer {
            Timer::Retry { after } => TimerKey::Retry(after),
            Timer::Timeout { attempt } => TimerKey::Timeout(attempt),
            Timer::Deferral { after } => TimerKey::Deferral(after),
        };
        self.timers.push(Reverse((at_ms, key.clone(), task, timer)));
    }

    /// Commits the journal. Another program that has the store locked (a backup, a person with `sqlite3`, a suspended
    /// process) is waited for: to give up would kill attempts that have nothing to do with it.
    fn commit(&mut self, observer: &mut dyn Observer) -> anyhow::Result<()> {
        let mut told = false;
        loop {
            match self.journal.commit(&self.store) {
                Err(error @ recflow_state::Error::Busy { .. }) => {
                    if !std::mem::replace(&mut told, true) {
                        observer.notice(&Notice::Waiting { reason: error.to_string() });
                    }
                }
                committed => return committed.context("cannot record what happened"),
            }
        }
    }

    fn commit_and_act(&mut self, observer: &mut dyn Observer) -> anyhow::Result<()> {
        recflow_stages::failpoint::hit("engine.before_commit");
        self.commit(observer)?;
        recflow_stages::failpoint::hit("engine.after_commit");
        for todo in self.todo.drain(..) {
            match todo {
                Todo::Execute(attempt) => self.executor.execute(*attempt),
                Todo::Release(key) => self.executor.release(key),
                Todo::Stop(key, how) => self.executor.stop(key, how),
                Todo::Tell(notice) => observer.notice(&notice),
            }
        }
        Ok(())
    }
}

/// An instant of the store as one of jiff's.
pub fn timestamp(at: UnixMs) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}
