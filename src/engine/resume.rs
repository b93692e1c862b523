//! A run that goes on: rebuilt from its events, its lost attempts cleaned up, its failures cleared.

use anyhow::{Context as _, bail};
use recflow_state::{AttemptRow, AttemptState, EventRow, Run, RunId, RunStatus, TaskRow, TaskState, UnixMs};

use super::claim::valid;
use super::core::{Event, Outcome, Phase, Stamped, TaskIx};
use super::driver::Driver;
use super::journal::Write;
use super::live::LiveRun;
use super::owner::{Liveness, LockFiles, Owners, is_daemon};
use crate::executor::{LostAttempt, ProcessId};
use crate::workspace::Workspace;

/// How often to try again what could not be recovered because of the store, in milliseconds.
const RECOVER_EVERY_MS: i64 = 1_000;

/// Where a run stands, asked from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Over.
    Over,
    /// Under way in a live process.
    Live {
        /// The process, where it is known.
        pid: Option<u32>,
    },
    /// Not begun: it waits for a daemon to claim it.
    Unclaimed,
    /// Not over, and its owner is dead: shown as `interrupted`.
    Interrupted,
}

/// Asks whether a run is over, under way or interrupted.
pub fn standing(workspace: &Workspace, run: &Run) -> Standing {
    standing_of(&LockFiles::new(workspace.owners()), run)
}

/// The same, of owners that need not be lock files.
pub(super) fn standing_of(owners: &dyn Owners, run: &Run) -> Standing {
    if run.status.is_terminal() {
        return Standing::Over;
    }
    match run.owner.as_deref().map(|owner| owners.liveness(owner)) {
        Some(Liveness::Alive { pid }) => Standing::Live { pid },
        None if run.status == RunStatus::Queued => Standing::Unclaimed,
        Some(Liveness::Dead) | None => Standing::Interrupted,
    }
}

impl Driver {
    /// Takes over a run that failed, was cancelled or was interrupted. What had succeeded is kept; failed tasks and all
    /// below them run again. Refuses a run that succeeded or that a live process owns.
    pub fn resume(&mut self, id: &RunId) -> anyhow::Result<()> {
        if self.store.read(|view| view.run(id))?.status == RunStatus::Succeeded {
            bail!("run {id} has succeeded; there is nothing to resume");
        }
        self.resume_left(id)
    }

    fn resume_left(&mut self, id: &RunId) -> anyhow::Result<()> {
        self.take_over_with(id, |run, events, now| {
            events.extend(clearing(run, events, now)?);
            Ok(())
        })
    }

    /// Whether a run is under way in this process, or about to be.
    fn is_here(&self, id: &RunId) -> bool {
        self.runs.contains_key(id.as_str()) || self.waiting.iter().any(|waiting| waiting.is(id))
    }

    /// Recovers what could not be recovered before, if it is time.
    pub(super) fn recover_the_rest(&mut self) {
        if self.recover_at.is_some_and(|at| at <= self.now() || at.0 - self.now().0 > RECOVER_EVERY_MS)
            && let Err(error) = self.recover()
        {
            tracing::warn!(error = format!("{error:#}"), "cannot resume what an earlier process left");
            self.recover_at = Some(UnixMs(self.now().0 + RECOVER_EVERY_MS));
        }
    }

    /// Resumes every run that a daemon left behind when it died, and returns how many. One that cannot go on ends as failed, with the
    /// reason; it keeps none of the others. While the store cannot be written that is tried again: a full disk is no fault of a run.
    pub fn recover(&mut self) -> anyhow::Result<usize> {
        self.recover_at = None;
        let open = self.store.read(|view| view.non_terminal_runs())?;
        let mut recovered = 0;
        for row in open {
            // What this process took over and could not bring to life is nobody's, too.
            let is_own = row.owner.as_deref() == Some(&self.owner);
            let left = is_own || (row.owner.as_deref().is_some_and(is_daemon) && !self.is_alive(row.owner.as_deref()));
            if !left || self.is_here(&row.id) {
                continue;
            }
            match self.resume_left(&row.id) {
                Ok(()) => recovered += 1,
                Err(error) if error.downcast_ref().is_some_and(|error| self.options.patience.waits_for(error)) => {
                    tracing::warn!(run = %row.id, %error, "the run cannot be resumed yet");
                    self.recover_at = Some(UnixMs(self.now().0 + RECOVER_EVERY_MS));
                }
                Err(error) => {
                    tracing::error!(run = %row.id, error = format!("{error:#}"), "the run cannot be resumed");
                    self.fail(&row, &format!("it cannot be resumed: {error:#}"))?;
                }
            }
        }
        Ok(recovered)
    }

    /// Takes over a run that no live process owns. `add` says which events follow those that tell of its lost attempts.
    pub(super) fn take_over_with(
        &mut self,
        id: &RunId,
        add: impl FnOnce(&mut LiveRun, &mut Vec<Event>, UnixMs) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.is_here(id) {
            bail!("run {id} is under way here");
        }
        let row = self.take_over(id)?;
        let brought = self.rebuild(&row).and_then(|(mut run, attempts)| {
            let now = self.now();
            let mut events = Vec::new();
            // Also of a run that ended before it had begun, because its definition was not valid then.
            if run.state.status == super::core::RunStatus::Queued {
                events.push(Event::Created);
            }
            let lost: Vec<(TaskIx, u32)> = run.state.running().collect();
            let reason = "the recflow process that ran it died".to_owned();
            events.extend(lost.iter().map(|&(task, attempt)| Event::AttemptEnded {
                task,
                attempt,
                outcome: Outcome::Lost { reason: reason.clone() },
            }));
            add(&mut run, &mut events, now)?;
            Ok((run, attempts, lost, events))
        });
        let (run, attempts, lost, events) = match brought {
            Ok(brought) => brought,
            Err(error) => {
                if let Err(stuck) = self.put_back(&row) {
                    // It is this process's and must not stay so.
                    self.recover_at = Some(UnixMs(self.now().0 + RECOVER_EVERY_MS));
                    return Err(stuck);
                }
                return Err(error);
            }
        };
        for (task, attempt) in lost {
            self.lose(&run, &attempts, task, attempt);
        }
        if events.is_empty() && run.state.status.is_terminal() {
            return self.close(&run);
        }
        self.wait_for_room(run, events, true);
        Ok(())
    }

    /// Gives a run that is over, and in which nothing is left to do, its end back: whoever took it over died before it did anything.
    fn close(&self, run: &LiveRun) -> anyhow::Result<()> {
        let ended_at = run.facts.iter().filter_map(|facts| facts.ended_at).max();
        self.store.write(|tx| tx.update_run(&run.id, run.status(), run.started_at, ended_at, run.reason().as_deref()))?;
        Ok(())
    }

    /// Makes this process the owner of a run that nobody executes; it waits for room then, like a new one. Asked and done in one
    /// transaction, so that of two that resume at once the second one finds the run under way.
    fn take_over(&self, id: &RunId) -> anyhow::Result<Run> {
        self.store.write(|tx| {
            let row = tx.run(id)?;
            match standing_of(&*self.owners, &row) {
                Standing::Live { .. } if row.owner.as_deref() == Some(&self.owner) => {}
                Standing::Live { pid: Some(pid) } => bail!("run {id} is under way in process {pid}"),
                Standing::Live { pid: None } => bail!("run {id} is under way in another process"),
                Standing::Over | Standing::Unclaimed | Standing::Interrupted => {}
            }
            let taken = tx.set_owner(id, row.owner.as_deref(), Some(&self.owner))?;
            debug_assert!(taken, "the row was read in this transaction");
            tx.update_run(id, RunStatus::Queued, row.started_at, None, None)?;
            // What was lost executes no more: it must not hold a slot in the name of its new owner.
            for task in tx.tasks(id)?.into_iter().filter(|task| task.state == TaskState::Running) {
                tx.put_task(&TaskRow { state: TaskState::Queued, ..task })?;
            }
            Ok(row)
        })
    }

    /// Undoes [`Driver::take_over`]: a run that cannot be resumed stays what it was.
    fn put_back(&self, row: &Run) -> anyhow::Result<()> {
        self.store.write(|tx| {
            tx.set_owner(&row.id, Some(&self.owner), row.owner.as_deref())?;
            tx.update_run(&row.id, row.status, row.started_at, row.ended_at, row.reason.as_deref())
        })?;
        Ok(())
    }

    /// The run as its events tell it.
    pub(super) fn rebuild(&self, row: &Run) -> anyhow::Result<(LiveRun, Vec<AttemptRow>)> {
        let id = &row.id;
        let (text, events, tasks, attempts, outputs) = self.store.read(|view| {
            Ok((view.pipeline_text(row.version)?, view.events(id)?, view.tasks(id)?, view.attempts(id)?, view.outputs(id)?))
        })?;
        let mut run = self.seed(row, valid(row, &text.text, text.file.as_deref())?)?;
        run.started_at = row.started_at;
        for event in events {
            replay(&mut run, event).with_context(|| format!("the stored history of run {id} is damaged"))?;
        }
        for task in tasks {
            let Some(facts) = run.facts.get_mut(task.position as usize) else { continue };
            facts.queued_at = task.queued_at;
            facts.started_at = task.started_at;
            facts.ended_at = task.ended_at;
            facts.error = task.error.and_then(|error| serde_json::from_value(error).ok());
            let definition = run.pipeline.tasks[task.position as usize].id.clone();
            run.scope.set_state(&definition, task.state.as_str());
            // The output of a task that has been cleared since is not its output now.
            if task.state == TaskState::Succeeded
                && let Some(output) = outputs.get(definition.as_str())
            {
                run.scope.set_output(&definition, output.clone());
                run.facts[task.position as usize].output = Some(output.clone());
            }
        }
        Ok((run, attempts))
    }

    /// Kills what is left of an attempt whose owner died, and records it as lost.
    fn lose(&mut self, run: &LiveRun, attempts: &[AttemptRow], task: TaskIx, attempt: u32) {
        let (name, now) = (run.task_id(task), self.now());
        if let Some(row) = attempts.iter().find(|row| row.task_id == name && row.number == attempt) {
            let process = row.pid.zip(row.pid_start).map(|(pid, start_ticks)| ProcessId { pid, start_ticks });
            self.executor.bury(&LostAttempt {
                run: run.id.as_str().to_owned(),
                task_id: name.to_owned(),
                attempt,
                publish_key: run.publish_key(task),
                process,
                home: self.workspace.home().to_owned(),
            });
            self.journal.add(Write::Attempt(Box::new(AttemptRow { state: AttemptState::Lost, ended_at: Some(now), ..row.clone() })));
        }
    }
}

fn replay(run: &mut LiveRun, row: EventRow) -> anyhow::Result<()> {
    let event: Event = serde_json::from_value(row.body).with_context(|| format!("event {}", row.seq))?;
    run.state.apply(&run.plan, &Stamped { at_ms: row.at.0, event }).with_context(|| format!("event {}", row.seq))?;
    Ok(())
}

/// The event that lets failed tasks run again: if the run was over, or a cancellation comes to its end with `events`.
/// A run that ends because its last attempt was lost too often has failed; it takes another resume to insist.
fn clearing(run: &LiveRun, events: &[Event], now: UnixMs) -> anyhow::Result<Option<Event>> {
    let mut ahead = run.state.clone();
    for event in events {
        ahead.apply(&run.plan, &Stamped { at_ms: now.0, event: event.clone() })?;
    }
    if !run.state.status.is_terminal() && ahead.status != super::core::RunStatus::Cancelled {
        return Ok(None);
    }
    let again = |phase: &Phase| matches!(phase, Phase::Failed | Phase::UpstreamFailed | Phase::Cancelled);
    let tasks: Vec<TaskIx> = (0..run.plan.len()).filter(|task| again(&ahead.tasks[*task].phase)).collect();
    Ok((!tasks.is_empty()).then_some(Event::Cleared { tasks }))
}
