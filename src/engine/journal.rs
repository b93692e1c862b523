//! What the next transaction will write. The driver collects everything that a turn of its loop changes and commits it
//! at once, before it acts on any of it.

use std::collections::BTreeSet;

use recflow_state::{AttemptRow, Error, Result, RunId, RunStatus, Store, TaskRow, Tx, UnixMs};
use serde_json::Value;

/// One change of the store.
#[derive(Debug)]
pub(super) enum Write {
    Event { run: RunId, at: UnixMs, body: Value },
    Run { run: RunId, status: RunStatus, started_at: Option<UnixMs>, ended_at: Option<UnixMs>, reason: Option<String> },
    Task(TaskRow),
    Attempt(Box<AttemptRow>),
    Process { run: RunId, task: String, attempt: u32, pid: u32, start_ticks: u64 },
    Progress { run: RunId, task: String, attempt: u32, progress: Value },
    Output { run: RunId, task: String, attempt: u32, value: Value },
    Metric { run: RunId, task: String, attempt: u32, name: String, step: u64, value: f64 },
    Answered { run: RunId, id: i64, at: UnixMs, result: Option<String> },
}

/// Changes in the order in which they happened.
#[derive(Debug, Default)]
pub(super) struct Journal {
    writes: Vec<Write>,
}

impl Journal {
    pub(super) fn add(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Writes all changes in one transaction; nothing if there are none. On an error they are kept, so that another
    /// try writes them all.
    pub(super) fn commit(&mut self, store: &Store) -> Result<()> {
        if self.writes.is_empty() {
            return Ok(());
        }
        store.write(|tx| self.apply(tx, 0))?;
        self.clear();
        Ok(())
    }

    /// Writes the changes from number `first` on; they stay here.
    pub(super) fn apply(&self, tx: &Tx<'_>, first: usize) -> Result<()> {
        self.writes.iter().skip(first).try_for_each(|write| apply(tx, write))
    }

    /// How many changes there are.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// Forgets all changes: they are committed.
    pub(super) fn clear(&mut self) {
        self.writes.clear();
    }

    /// The runs whose changes the store refuses while it takes those of others, and what it says of each. Nothing is written.
    pub(super) fn refused(&self, store: &Store) -> Vec<(RunId, Error)> {
        // A disk that cannot be read is no fault of a run.
        if store.write(|tx| tx.non_terminal_runs().map(drop)).is_err() {
            return Vec::new();
        }
        let runs: BTreeSet<&RunId> = self.writes.iter().map(Write::run).collect();
        let mut refused = Vec::new();
        for run in runs {
            let tried = store.write(|tx| {
                self.writes.iter().filter(|write| write.run() == run).try_for_each(|write| apply(tx, write)).map_err(Tried::Failed)?;
                Err::<(), _>(Tried::Worked)
            });
            if let Err(Tried::Failed(error @ (Error::NotFound { .. } | Error::TooLarge { .. } | Error::Other { .. }))) = tried {
                refused.push((run.clone(), error));
            }
        }
        refused
    }

    /// Drops the changes of a run.
    pub(super) fn forget(&mut self, run: &RunId) {
        self.writes.retain(|write| write.run() != run);
    }
}

/// How a try went that is rolled back in any case.
enum Tried {
    Worked,
    Failed(Error),
}

impl From<Error> for Tried {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Write {
    /// The run that it is about.
    fn run(&self) -> &RunId {
        match self {
            Self::Event { run, .. }
            | Self::Run { run, .. }
            | Self::Process { run, .. }
            | Self::Progress { run, .. }
            | Self::Output { run, .. }
            | Self::Metric { run, .. }
            | Self::Answered { run, .. } => run,
            Self::Task(row) => &row.run_id,
            Self::Attempt(row) => &row.run_id,
        }
    }
}

fn apply(tx: &Tx<'_>, write: &Write) -> Result<()> {
    match write {
        Write::Event { run, at, body } => tx.append_events(run, &[(*at, body.clone())]).map(drop),
        Write::Run { run, status, started_at, ended_at, reason } => {
            tx.update_run(run, *status, *started_at, *ended_at, reason.as_deref())?;
            match (status.is_terminal(), ended_at) {
                (true, Some(at)) => tx.add_run_end(run, *status, *at),
                _ => Ok(()),
            }
        }
        Write::Task(row) => tx.put_task(row),
        Write::Attempt(row) => tx.put_attempt(row),
        Write::Process { run, task, attempt, pid, start_ticks } => tx.set_attempt_process(run, task, *attempt, *pid, *start_ticks),
        Write::Progress { run, task, attempt, progress } => tx.set_progress(run, task, *attempt, progress),
        Write::Output { run, task, attempt, value } => tx.put_output(run, task, *attempt, value),
        Write::Answered { id, at, result, .. } => tx.answer_control(*id, *at, result.as_deref()),
        Write::Metric { run, task, attempt, name, step, value } => tx.add_metric(run, task, *attempt, name, *step, *value),
    }
}
