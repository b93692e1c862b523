//! The driver's half that records: one transaction a turn, and what happens when it fails.
//!
//! Nothing acts before it is recorded. So a store that cannot be written stops everything but what is under way; the
//! ends of attempts are kept in memory and recorded once it can be written again. How long that is waited for is
//! [`Patience`]: a person at a terminal wants to be told, a daemon must stay up.

use recflow_state::{Error, UnixMs};

use super::driver::{Driver, Todo};
use super::notice::{Notice, Observer};

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
    fn waits_for(self, error: &Error) -> bool {
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
        let error = match self.journal.commit(&self.store) {
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
