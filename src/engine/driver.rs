//! The driver: feeds the state machine, records what it says, then does it.
//!
//! A synchronous machine that owns runs: it never waits and has no thread. [`Driver::take`] takes in what has happened
//! (attempts that reported or ended, what people want); [`Driver::turn`] fires the timers that are due, starts what fits,
//! commits all changes in one transaction ([`Journal`]) and only then acts: starts and stops attempts, tells observers;
//! [`Driver::next_wake`] says when to turn again if nothing comes. A process that dies between any two of these steps
//! can be resumed from the store alone. Clock, randomness, executor and the owners' liveness are traits, so that a
//! simulator drives the very same code; the loop that waits is [`Service`](super::Service).
//!
//! What goes wrong in one run ends that run ([`Driver::condemn`]); only a store that cannot be written concerns all.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use recflow_stages::StageError;
use recflow_stages::clock::Clock;
use recflow_state::{RunId, RunStatus, Store, TaskRow, TaskState, UnixMs};

use super::alarms::Alarms;
use super::budget::Budget;
use super::claim::Waiting;
use super::commit::{Patience, Stuck};
use super::core::{Effect, Event, Phase, Stamped, Step, StopReason, TaskIx};
use super::drain::Draining;
use super::entropy::Entropy;
use super::journal::{Journal, Write};
use super::limits::{Gate, Lane};
use super::live::{LiveRun, stage_name};
use super::message::{Message, Reply};
use super::notice::{Notice, Observer};
use super::owner::{Owners, Role};
use super::prepare::{Prepared, prepare, shares_threads};
use super::ready::Ready;
use crate::executor::log::Mask;
use crate::executor::{Attempt, AttemptKey, Execute, Failure, HowToStop, Update};
use crate::pipeline::Limits;
use crate::workspace::Workspace;

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
    /// What to do while the store cannot be written.
    pub patience: Patience,
    /// What kind of owner of runs this is.
    pub role: Role,
    /// How much may be under way at once over all processes of the store.
    pub limits: Limits,
    /// The most memory that a task may be estimated to need, in bytes; `None` lets any start.
    pub memory: Option<u64>,
}

/// What a driver stands on. A simulator brings its own.
#[derive(Debug)]
pub struct Parts {
    /// Where all is recorded.
    pub store: Arc<Store>,
    /// Where relative paths lead.
    pub workspace: Workspace,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// Who knows whether the owners of other runs live.
    pub owners: Arc<dyn Owners>,
    /// The id under which this driver owns runs.
    pub owner: String,
    /// What carries out attempts.
    pub executor: Box<dyn Execute>,
}

/// What to do after the commit.
pub(super) enum Todo {
    Execute(Box<Attempt>),
    Release(AttemptKey),
    Stop(AttemptKey, HowToStop),
    Tell(Box<Notice>),
    Answer(Box<dyn FnOnce() + Send>),
}

/// Executes runs.
pub struct Driver {
    pub(super) store: Arc<Store>,
    pub(super) workspace: Workspace,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) owners: Arc<dyn Owners>,
    pub(super) owner: String,
    pub(super) executor: Box<dyn Execute>,
    pub(super) options: Options,
    pub(super) journal: Journal,
    pub(super) runs: BTreeMap<Arc<str>, LiveRun>,
    pub(super) ready: Ready,
    pub(super) alarms: Alarms,
    /// The latest instant that the clock has shown.
    seen: UnixMs,
    pub(super) budget: Budget,
    pub(super) todo: Vec<Todo>,
    /// Set while the store cannot be written.
    pub(super) stuck: Option<Stuck>,
    /// Attempts that a failed commit was to start.
    pub(super) unclaimed: Vec<AttemptKey>,
    /// When to look again whether what other processes held is free.
    pub(super) held_until: Option<UnixMs>,
    /// Runs of this process that wait until there is room for them, and when to look again.
    pub(super) waiting: Vec<Waiting>,
    pub(super) look_again_at: UnixMs,
    /// When to try again to resume what could not be resumed because of the store.
    pub(super) recover_at: Option<UnixMs>,
    /// When to look again for what people want.
    pub(super) wishes_at: UnixMs,
    pub(super) draining: Option<Draining>,
    stopped: bool,
    pub(super) mask: Mask,
    pub(super) secrets: Arc<[String]>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("workspace", &self.workspace).field("runs", &self.runs.keys()).finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver without runs.
    pub fn new(parts: Parts, options: Options) -> Self {
        let Parts { store, workspace, clock, entropy, owners, owner, executor } = parts;
        let secrets: Arc<[String]> = options.secrets.values().cloned().collect();
        Self {
            store,
            workspace,
            entropy,
            owners,
            owner,
            executor,
            budget: Budget::new(options.jobs, options.threads),
            mask: Mask::new(&secrets),
            secrets,
            options,
            journal: Journal::default(),
            runs: BTreeMap::new(),
            ready: Ready::default(),
            alarms: Alarms::default(),
            seen: UnixMs(clock.now().as_millisecond()),
            clock,
            todo: Vec::new(),
            stuck: None,
            unclaimed: Vec::new(),
            held_until: None,
            waiting: Vec::new(),
            look_again_at: UnixMs(0),
            recover_at: None,
            wishes_at: UnixMs(0),
            draining: None,
            stopped: false,
        }
    }

    /// The store that this driver writes.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Whether it has no run, and nothing is left to record.
    pub fn is_idle(&self) -> bool {
        self.runs.is_empty() && self.waiting.is_empty() && self.stuck.is_none() && self.recover_at.is_none()
    }

    /// Whether it was told to stop, or to drain and has done so.
    pub fn is_over(&self) -> bool {
        self.stopped || self.is_drained()
    }

    pub(super) fn now(&self) -> UnixMs {
        UnixMs(self.clock.now().as_millisecond())
    }

    /// Takes in what has happened. Nothing is recorded or done before the next [`Driver::turn`].
    pub fn take(&mut self, message: Message) {
        match message {
            Message::Attempt(key, Update::Process(process)) => {
                if let Some(run) = self.runs.get(&key.run) {
                    let (run, task) = (run.id.clone(), run.task_id(key.task).to_owned());
                    let (pid, start_ticks) = (process.pid, process.start_ticks);
                    self.journal.add(Write::Process { run, task, attempt: key.attempt, pid, start_ticks });
                    self.todo.push(Todo::Release(key));
                }
            }
            Message::Attempt(key, Update::Report(report)) => self.reported(&key, report),
            Message::Attempt(key, Update::Ended(ended)) => self.ended(&key, ended),
            Message::Launch(launch, reply) => {
                let launched = self.launch(*launch);
                self.answer(reply, launched);
            }
            Message::Adopt(run, reply) => {
                let claimed = self.claim(&run);
                self.answer(reply, claimed);
            }
            Message::Resume(run, reply) => {
                let resumed = self.resume(&run);
                self.answer(reply, resumed);
            }
            Message::Mark(run, mark, reply) => {
                let marked = self.mark(&run, &mark);
                self.answer(reply, marked);
            }
            Message::Replay { run, from, reply } => {
                let replayed = self.replay(&run, &from);
                self.answer(reply, replayed);
            }
            Message::Recover(reply) => {
                let recovered = self.recover();
                self.answer(reply, recovered);
            }
            Message::Limit(limits) => self.options.limits = limits,
            Message::Cancel { run, force, reason } => self.cancel(run.as_ref(), force, &reason),
            Message::Drain { until } => self.drain(UnixMs(until.as_millisecond())),
            Message::Stop => self.stopped = true,
            Message::Wake => (self.wishes_at, self.look_again_at) = (UnixMs(0), UnixMs(0)),
        }
    }

    /// Cancels a run, or all.
    pub(super) fn cancel(&mut self, run: Option<&RunId>, force: bool, reason: &str) {
        let is_meant = |id: &str| run.is_none_or(|run| run.as_str() == id);
        self.begin_to_cancel(|id| is_meant(id.as_str()));
        for key in self.runs.keys().filter(|key| is_meant(key)).cloned().collect::<Vec<_>>() {
            self.advance(&key, Event::CancelRequested { force, reason: reason.to_owned() });
        }
    }

    /// Fires due timers, starts what fits, commits, and acts.
    ///
    /// An error means that the store cannot be written and that [`Options::patience`] is at its end. Nothing of what was
    /// not committed has been done.
    pub fn turn(&mut self, observer: &mut dyn Observer) -> anyhow::Result<()> {
        self.stop_the_drained();
        if !self.is_unstuck(observer)? {
            return Ok(());
        }
        self.look_at_the_clock();
        self.recover_the_rest();
        self.hear_wishes();
        self.begin_what_may(observer)?;
        self.held_until = None;
        if self.options.limits.max_parallel_tasks.is_none() && self.ready.is_open() {
            self.start_what_fits(&mut Gate::open());
        }
        self.commit_and_act(observer)?;
        // A run that is over may still have an attempt: one that was killed because a person marked its task.
        self.runs.retain(|_, run| !run.state.status.is_terminal() || run.facts.iter().any(|facts| facts.active.is_some()));
        Ok(())
    }

    /// When to turn again if no message comes; `None` if there is nothing to wait for.
    pub fn next_wake(&self) -> Option<UnixMs> {
        let next = match &self.stuck {
            Some(stuck) => Some(stuck.retry_at),
            None => [self.alarms.next_ms(), self.next_look(), self.next_wishes()].into_iter().flatten().min().map(UnixMs),
        };
        let drained = self.draining.as_ref().and_then(Draining::next_wake);
        [next, drained, self.held_until, self.recover_at].into_iter().flatten().min()
    }

    /// Fires the timers that are due.
    fn look_at_the_clock(&mut self) {
        let now = self.now();
        if now < self.seen {
            self.alarms.set_back(self.seen.0 - now.0);
        }
        self.seen = now;
        while let Some((run, task, timer)) = self.alarms.pop_due(now.0) {
            self.advance(&run, Event::TimerFired { task, timer });
        }
    }

    /// Takes over a run and applies the events that bring it to life. Nothing starts before the next [`Driver::turn`].
    pub(super) fn adopt(&mut self, run: LiveRun, events: Vec<Event>, resumed: bool) {
        let key = run.key.clone();
        let now = self.now();
        let tasks = (0..run.plan.len()).map(|task| run.task_notice(task, now)).collect();
        self.tell(Notice::RunBegun { run: run.id.clone(), pipeline: run.pipeline.name.clone(), tasks, resumed });
        let mut queued = Vec::new();
        for (task, record) in run.state.tasks.iter().enumerate() {
            match record.phase {
                Phase::Queued => queued.push(task),
                Phase::Retrying { after, due_ms } => self.alarms.set(due_ms, &key, task, super::core::Timer::Retry { after }),
                Phase::Deferred { after, until_ms } => self.alarms.set(until_ms, &key, task, super::core::Timer::Deferral { after }),
                _ => {}
            }
        }
        self.runs.insert(key.clone(), run);
        queued.into_iter().for_each(|task| self.enqueue(&key, task));
        for event in events {
            self.advance(&key, event);
        }
    }

    /// Starts queued tasks while there are slots, and returns the attempts that are to execute.
    pub(super) fn start_what_fits(&mut self, gate: &mut Gate) -> Vec<AttemptKey> {
        let mut started = Vec::new();
        while self.draining.is_none() && self.budget.free_slots() > 0 {
            let Some((lane, key, task)) = self.ready.first(gate) else { break };
            let Some(run) = self.runs.get(&key).filter(|run| run.state.tasks[task].phase == Phase::Queued) else {
                self.ready.take(&lane);
                continue;
            };
            let definition = &run.pipeline.tasks[task];
            if !gate.pass(&lane, definition.pool_slots) {
                continue;
            }
            gate.started(&run.pipeline.name, definition.id.as_str(), definition.pool());
            self.ready.take(&lane);
            started.extend(self.start(&key, task));
        }
        started
    }

    /// Starts a queued task, or ends it at once where nothing has to execute.
    fn start(&mut self, key: &Arc<str>, task: TaskIx) -> Option<AttemptKey> {
        let run = self.runs.get(key)?;
        let prepared = catch_unwind(AssertUnwindSafe(|| prepare(run, task)))
            .unwrap_or_else(|_| Prepared::Refused(StageError::bug("its inputs could not be rendered: a template made recflow panic")));
        match prepared {
            Prepared::Skip { reason } => self.advance(key, Event::Skipped { task, reason }),
            Prepared::Decided { taken, output } => self.at_once(key, task, Ok(output), Some(taken)),
            Prepared::Refused(error) => self.at_once(key, task, Err(Failure::Failed(error)), None),
            Prepared::Ready { work, inputs, env } => match self.does_not_fit(run.task_id(task), &work) {
                Some(error) => self.at_once(key, task, Err(Failure::Failed(error)), None),
                None => return self.start_attempt(key, task, work, &inputs, env),
            },
        }
        None
    }

    /// How many of the tasks that will get the slots still free are computing ones.
    pub(super) fn computing_soon(&self) -> usize {
        let free = self.budget.free_slots().saturating_sub(1);
        let computes = |run: &LiveRun, task: TaskIx| shares_threads(stage_name(&run.pipeline.tasks[task].kind));
        let next = self.ready.soon(free).take(free);
        next.filter(|(key, task)| self.runs.get(*key).is_some_and(|run| computes(run, *task))).count()
    }

    /// Advances a run by one event: notes what changed for the next commit, and what is to be done after it.
    pub(super) fn advance(&mut self, key: &Arc<str>, event: Event) {
        let now = self.now();
        let Some(run) = self.runs.get_mut(key) else { return };
        let stamped = Stamped { at_ms: now.0, event };
        let (step, body) = match apply(run, &stamped) {
            Ok(applied) => applied,
            Err(error) => return self.condemn(key, &format!("this is a bug: {error}")),
        };
        if step.is_stale() {
            return;
        }
        self.journal.add(Write::Event { run: run.id.clone(), at: now, body });
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
            Effect::Wake { task, timer, at_ms } => self.alarms.set(at_ms, key, task, timer),
            Effect::RunEnded(_) => {
                if let Some(run) = self.runs.get(key) {
                    let (run, status, reason) = (run.id.clone(), run.status(), run.reason());
                    self.tell(Notice::RunEnded { run, status, reason });
                }
            }
        }
    }

    /// Ends a run that cannot go on, whatever the state machine thinks: a bug, a history that cannot be continued, a row
    /// that the store refuses. Only its rows say so; its events end where they were sound, and a resume goes on from there.
    pub(super) fn condemn(&mut self, key: &Arc<str>, reason: &str) {
        let Some(mut run) = self.runs.remove(key) else { return };
        let now = self.now();
        tracing::error!(run = %run.id, reason, "the run cannot go on");
        self.todo.retain(|todo| !matches!(todo, Todo::Execute(attempt) if attempt.key.run == *key));
        for task in 0..run.plan.len() {
            let Some(active) = run.facts[task].active.take() else { continue };
            self.budget.give_back(active.computes, active.threads);
            self.todo.push(Todo::Stop(AttemptKey { run: key.clone(), task, attempt: active.attempt }, HowToStop::AtOnce));
        }
        for task in (0..run.plan.len()).filter(|task| !run.state.tasks[*task].phase.is_terminal()) {
            let row = run.task_row(task);
            let reason = Some(reason.to_owned());
            self.journal.add(Write::Task(TaskRow { state: TaskState::Cancelled, ended_at: Some(now), reason, ..row }));
        }
        let (run, started_at) = (run.id, run.started_at);
        let reason = Some(reason.to_owned());
        let status = RunStatus::Failed;
        self.journal.add(Write::Run { run: run.clone(), status, started_at, ended_at: Some(now), reason: reason.clone() });
        self.tell(Notice::RunEnded { run, status, reason });
    }

    pub(super) fn tell(&mut self, notice: Notice) {
        self.todo.push(Todo::Tell(Box::new(notice)));
    }

    /// Answers once what led to the answer is recorded.
    fn answer<T: Send + 'static>(&mut self, reply: Reply<T>, result: anyhow::Result<T>) {
        self.todo.push(Todo::Answer(Box::new(move || reply(result))));
    }

    fn enqueue(&mut self, key: &Arc<str>, task: TaskIx) {
        let now = self.now();
        if let Some(run) = self.runs.get(key) {
            self.ready.add(Lane::of(run, task), (run.priority, run.pipeline.tasks[task].priority), now, key, task);
        }
    }
}

/// Applies an event to a run's state, and gives it in its stored form too. A panic is a bug of one run, not the end of all.
fn apply(run: &mut LiveRun, stamped: &Stamped) -> anyhow::Result<(Step, serde_json::Value)> {
    let step = catch_unwind(AssertUnwindSafe(|| run.state.apply(&run.plan, stamped)))
        .map_err(|_| anyhow::anyhow!("the state machine panicked at {:?}", stamped.event))??;
    Ok((step, serde_json::to_value(&stamped.event)?))
}

/// An instant of the store as one of jiff's.
pub fn timestamp(at: UnixMs) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}
