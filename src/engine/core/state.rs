//! The state of a run.

use serde::{Deserialize, Serialize};

use super::event::StopReason;
use super::plan::{Plan, TaskIx};
use super::rules::Counts;

/// Where a run stands. `interrupted` is not stored: it is a run that is not over and whose owner is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Created, nothing has started yet.
    Queued,
    /// Under way.
    Running,
    /// Over: no task failed, but for those that were allowed to.
    Succeeded,
    /// Over: a task failed that was not allowed to.
    Failed,
    /// Over: somebody stopped it.
    Cancelled,
}

impl RunStatus {
    /// Whether the run is over.
    pub fn is_terminal(self) -> bool {
        matches!(self, RunStatus::Succeeded | RunStatus::Failed | RunStatus::Cancelled)
    }
}

/// Where a task stands. Each variant carries exactly the data that exists in that state, so that a message meant for
/// another state is recognised.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Its upstream tasks have not ended in a way that decides.
    Waiting,
    /// It may start as soon as there is a slot.
    Queued,
    /// An attempt is under way.
    Running {
        /// Number of the attempt, from 1.
        attempt: u32,
        /// Set once it was told to stop.
        stopping: Option<StopReason>,
    },
    /// An attempt failed; the next one is due.
    Retrying {
        /// The attempt that failed.
        after: u32,
        /// When the next one is due, in unix milliseconds.
        due_ms: i64,
    },
    /// It waits for the world without holding a slot.
    Deferred {
        /// The attempt that asked.
        after: u32,
        /// When to look again, in unix milliseconds.
        until_ms: i64,
    },
    /// Ended well.
    Succeeded {
        /// For a branch: the directly downstream tasks that its chosen side names.
        taken: Option<Vec<TaskIx>>,
    },
    /// Ended badly, with no retry left.
    Failed,
    /// Did not have to run.
    Skipped,
    /// Could not run because of how its upstream tasks ended.
    UpstreamFailed,
    /// The run was stopped first.
    Cancelled,
}

impl Phase {
    /// The one lowercase token that API, log and database use. Stored, so pinned.
    pub fn token(&self) -> &'static str {
        match self {
            Phase::Waiting => "waiting",
            Phase::Queued => "queued",
            Phase::Running { .. } => "running",
            Phase::Retrying { .. } => "retrying",
            Phase::Deferred { .. } => "deferred",
            Phase::Succeeded { .. } => "succeeded",
            Phase::Failed => "failed",
            Phase::Skipped => "skipped",
            Phase::UpstreamFailed => "upstream_failed",
            Phase::Cancelled => "cancelled",
        }
    }

    /// Whether the task has ended.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Phase::Succeeded { .. } | Phase::Failed | Phase::Skipped | Phase::UpstreamFailed | Phase::Cancelled)
    }
}

/// One task of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRecord {
    /// Where it stands.
    pub phase: Phase,
    /// Attempts started in this run, also before a clear: the next attempt's number less one.
    pub attempts: u32,
    /// Attempts that failed since the last clear; decides whether a retry is left.
    pub failures: u32,
    /// Attempts that were lost since the last clear.
    pub lost: u32,
    /// Counts deliberate re-runs of work that had succeeded; part of the publish key.
    pub generation: u32,
    /// Why it is in this state, for people, where that is not obvious.
    pub reason: Option<String>,
    /// How its upstream tasks have ended so far.
    pub upstream: Counts,
}

/// A run: the fold of its events over [`RunState::new`].
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    /// Where it stands.
    pub status: RunStatus,
    /// One record a task, in the plan's order.
    pub tasks: Vec<TaskRecord>,
    /// Set once somebody wants the run to stop: why.
    pub cancelling: Option<String>,
    /// Tasks that have not ended.
    pub(super) open: usize,
}

impl RunState {
    /// The state before the first event.
    pub fn new(plan: &Plan) -> Self {
        let tasks = plan
            .tasks
            .iter()
            .map(|task| TaskRecord {
                phase: Phase::Waiting,
                attempts: 0,
                failures: 0,
                lost: 0,
                generation: 0,
                reason: None,
                upstream: Counts::of(task.needs.len()),
            })
            .collect();
        Self { status: RunStatus::Queued, tasks, cancelling: None, open: plan.len() }
    }

    /// Tasks whose attempt is under way, with its number.
    pub fn running(&self) -> impl Iterator<Item = (TaskIx, u32)> {
        self.tasks.iter().enumerate().filter_map(|(task, record)| match record.phase {
            Phase::Running { attempt, .. } => Some((task, attempt)),
            _ => None,
        })
    }
}
