//! The driver's half that records: one transaction a turn, and what happens when it fails.
//!
//! Nothing acts before it is recorded. So a store that cannot be written stops everything but what is under way; the
//! ends of attempts are kept in memory and recorded once it can be written again. How long that is waited for is
//! [`Patience`]: a person at a terminal wants to be told, a daemon must stay up.

use recflow_state::{Error, Tx, UnixMs};

use super::driver::{Driver, Todo};
use super::limits::{Gate, Lane, Usage};
use super::notice::{Notice, Observer};
use crate::executor::AttemptKey;

/// What to do while the store cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patience {
    /// Wait for a lock that another program holds (a backup, a person with `sqlite3`, a suspended process): to give up
    /// would kill attempts that have nothing to do with it. Any other failure is an error; the runs can be resumed.
    #[default]
    ForLocks,
    /// Also wait for space, a writable disk and whatever else may mend itself. Only a damaged store is an error.
    Forever,
}

impl Patience {
    pub(super) fn waits_for(self, error: &Error) -> bool {
        match error {
            Error::Busy { .. } => true,
            Error::Full { .. } | Error::ReadOnly { .. } | Error::Other { .. } => self == Patience::Forever,
            _ => false,
        }
    }
}

/// Between two tries at first, in milliseconds; doubles up to [`RETRY_MAX_MS`].
const RETRY_MS: i64 = 50;
/// Longest pause between two tries. A person who has freed some space should not have to wait long.
const RETRY_MAX_MS: i64 = 5_000;

/// How soon to look again for slots that other processes hold, in milliseconds: they do not tell when they are done.
const HELD_MS: i64 = 250;

/// The store could not be written.
#[derive(Debug)]
pub(super) struct Stuck {
    pub(super) retry_at: UnixMs,
    pause_ms: i64,
}

impl Driver {
    /// Whether the driver may go on: nothing is left over from a commit that failed. Tries again when it is time.
    pub(super) fn is_unstuck(&mut self, observer: &mut dyn Observer) -> anyhow::Result<bool> {
        let now = self.now();
        match &self.stuck {
            None => Ok(true),
            // The pause is short: a clock that was set back must not make it long.
            Some(stuck) if now < stuck.retry_at && stuck.retry_at.0 - now.0 <= stuck.pause_ms => Ok(false),
            Some(_) => {
                self.commit_and_act(observer)?;
                Ok(self.stuck.is_none())
            }
        }
    }

    /// Commits what the turn has changed, then acts. If the commit fails and is to be tried again, nothing is done: all is
    /// kept for the next try.
    pub(super) fn commit_and_act(&mut self, observer: &mut dyn Observer) -> anyhow::Result<()> {
        recflow_stages::failpoint::hit("engine.before_commit");
        if let Err(error) = self.record() {
            return self.put_off(error, observer);
        }
        if self.stuck.take().is_some() {
            tracing::info!("the store can be written again");
        }
        recflow_stages::failpoint::hit("engine.after_commit");
        for todo in std::mem::take(&mut self.todo) {
            match todo {
                Todo::Execute(attempt) => self.executor.start(*attempt),
                Todo::Release(key) => self.executor.release(key),
                Todo::Stop(key, how) => self.executor.stop(key, how),
                Todo::Tell(notice) => observer.notice(&notice),
                Todo::Answer(answer) => answer(),
            }
        }
        Ok(())
    }

    /// Writes the journal. A change that the store refuses for what it says, not for where it is written, costs its own run.
    fn record(&mut self) -> Result<(), Error> {
        let error = match self.write() {
            Err(error @ (Error::NotFound { .. } | Error::TooLarge { .. } | Error::Other { .. })) => error,
            committed => return committed,
        };
        let refused = self.journal.refused(&self.store);
        if refused.is_empty() {
            return Err(error);
        }
        for (run, error) in refused {
            self.journal.forget(&run);
            self.condemn(&run.as_str().into(), &format!("the store refused what happened: {error}"));
        }
        // Of a run that is gone from the store not even the end can be recorded.
        let still = self.journal.refused(&self.store);
        still.iter().for_each(|(run, _)| self.journal.forget(run));
        self.journal.commit(&self.store)
    }

    /// Writes the journal in one transaction. Where limits hold over processes, the tasks that fit are chosen inside it.
    fn write(&mut self) -> Result<(), Error> {
        let gated = !self.unclaimed.is_empty() || self.wants_more();
        if !gated {
            return self.journal.commit(&self.store);
        }
        let store = self.store.clone();
        store.write(|tx| {
            self.journal.apply(tx, 0)?;
            let written = self.journal.len();
            self.give_back_what_is_taken(tx)?;
            let running = tx.running_tasks()?;
            let usage = Usage::of(&running, |owner| self.is_alive(owner));
            let mut gate = Gate::new(self.options.limits.clone(), usage);
            let started = self.start_what_fits(&mut gate);
            self.unclaimed.extend(started);
            if gate.held_back() {
                self.held_until = Some(UnixMs(self.now().0 + HELD_MS));
            }
            self.journal.apply(tx, written)
        })?;
        self.unclaimed.clear();
        self.journal.clear();
        Ok(())
    }

    /// Whether a task is ready that only a look at the running ones can let start.
    fn wants_more(&self) -> bool {
        let bounded = self.options.limits.max_parallel_tasks.is_some() || !self.ready.is_open();
        bounded && self.stuck.is_none() && self.draining.is_none() && !self.ready.is_empty() && self.budget.free_slots() > 0
    }

    /// Between a commit that failed and the next try, other processes may have taken the slots of the attempts that it was to
    /// start. Those that do not fit any more go back to the queue: they have not been executed.
    fn give_back_what_is_taken(&mut self, tx: &Tx<'_>) -> Result<(), Error> {
        if self.unclaimed.is_empty() {
            return Ok(());
        }
        let mut others = tx.running_tasks()?;
        others.retain(|task| !self.unclaimed.iter().any(|key| *key.run == *task.run.as_str() && self.is_task(key, &task.task)));
        let mut gate = Gate::new(self.options.limits.clone(), Usage::of(&others, |owner| self.is_alive(owner)));
        for key in std::mem::take(&mut self.unclaimed) {
            let Some(run) = self.runs.get(&key.run) else { continue };
            let definition = &run.pipeline.tasks[key.task];
            if gate.pass(&Lane::of(run, key.task), definition.pool_slots) {
                gate.started(&run.pipeline.name, definition.id.as_str(), definition.pool());
                self.unclaimed.push(key);
            } else {
                self.todo.retain(|todo| !matches!(todo, Todo::Execute(attempt) if attempt.key == key));
                self.give_back(&key);
            }
        }
        Ok(())
    }

    fn is_task(&self, key: &AttemptKey, name: &str) -> bool {
        self.runs.get(&key.run).is_some_and(|run| run.task_id(key.task) == name)
    }

    fn put_off(&mut self, error: Error, observer: &mut dyn Observer) -> anyhow::Result<()> {
        if !self.options.patience.waits_for(&error) {
            return Err(anyhow::Error::from(error).context("cannot record what happened"));
        }
        if self.stuck.is_none() {
            tracing::error!(%error, "the store cannot be written; nothing new starts until it can");
            observer.notice(&Notice::Waiting { reason: error.to_string() });
        }
        let pause_ms = self.stuck.as_ref().map_or(RETRY_MS, |stuck| (stuck.pause_ms * 2).min(RETRY_MAX_MS));
        self.stuck = Some(Stuck { retry_at: UnixMs(self.now().0.saturating_add(pause_ms)), pause_ms });
        Ok(())
    }
}
