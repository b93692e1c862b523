//! What can happen to a run, and what the state machine asks for in return.

use serde::{Deserialize, Serialize};

use super::plan::TaskIx;
use super::state::RunStatus;

/// An event and the instant at which it happened, in unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// When.
    pub at_ms: i64,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Something that happened to a run. The list of a run's events is its history; replaying it gives its state.
///
/// The serialised form is stored: names and fields are pinned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins. Always first.
    Created,
    /// A queued task's `when` was false.
    Skipped {
        /// The task.
        task: TaskIx,
        /// Why, for people.
        reason: String,
    },
    /// An attempt was given a slot. Recorded before it starts.
    AttemptStarted {
        /// The task.
        task: TaskIx,
        /// Number of the attempt in this run, from 1.
        attempt: u32,
    },
    /// An attempt ended.
    AttemptEnded {
        /// The task.
        task: TaskIx,
        /// Number of the attempt.
        attempt: u32,
        /// How.
        outcome: Outcome,
    },
    /// The clock passed an instant that [`Effect::Wake`] asked for.
    TimerFired {
        /// The task.
        task: TaskIx,
        /// Which one.
        timer: Timer,
    },
    /// Somebody wants the run to stop.
    CancelRequested {
        /// At once, without a grace period.
        force: bool,
        /// Who or why, for people.
        reason: String,
    },
    /// Somebody wants these tasks, and all below them, to run again in this run.
    Cleared {
        /// The tasks named; what lies below them follows.
        tasks: Vec<TaskIx>,
    },
    /// Somebody decided how a task ended. If it had ended before, what lies below it is open again.
    Marked {
        /// The task.
        task: TaskIx,
        /// How.
        r#as: Mark,
        /// For a branch that succeeded: the directly downstream tasks that run; all, if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken: Option<Vec<TaskIx>>,
        /// Who or why, for people.
        reason: String,
    },
}

/// What a person can make of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It did not have to run.
    Skipped,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It returned an output.
    Succeeded {
        /// For a branch: the directly downstream tasks that its chosen side names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken: Option<Vec<TaskIx>>,
    },
    /// The stage found nothing to do and says so.
    Skipped {
        /// Why, for people.
        reason: String,
    },
    /// It failed.
    Failed {
        /// Whether another attempt may succeed.
        retryable: bool,
        /// Why, for people.
        reason: String,
    },
    /// It ended because it was told to.
    Stopped,
    /// Nobody knows how it ended: the process that watched it died.
    Lost {
        /// What is known, for people.
        reason: String,
    },
    /// It was stopped because the process that watched it had to end. Counts as nothing: the task goes back to the queue.
    Interrupted {
        /// What is known, for people.
        reason: String,
    },
    /// It waits for the world and gives its slot back until then.
    Deferred {
        /// When to look again.
        until_ms: i64,
    },
}

/// Which instant has passed. Names the attempt it belongs to, so that a late timer is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "timer", rename_all = "snake_case")]
pub enum Timer {
    /// The delay after failed attempt `after` is over.
    Retry {
        /// The attempt that failed.
        after: u32,
    },
    /// Attempt `attempt` has used up its time.
    Timeout {
        /// The attempt.
        attempt: u32,
    },
    /// The deferral that attempt `after` asked for is over.
    Deferral {
        /// The attempt that asked.
        after: u32,
    },
}

/// Why an attempt is told to stop. A stronger reason replaces a weaker one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It used up its time.
    TimedOut,
    /// The run is being cancelled.
    Cancelled,
    /// The run is being cancelled at once: no grace period.
    Killed,
}

/// What the driver has to do after it has recorded the event.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The task may start as soon as there is a slot: answer with [`Event::AttemptStarted`] or [`Event::Skipped`].
    Enqueue(TaskIx),
    /// Start the attempt: answer with [`Event::AttemptEnded`].
    Start {
        /// The task.
        task: TaskIx,
        /// Number of the attempt.
        attempt: u32,
    },
    /// Stop the attempt; its end is still reported by [`Event::AttemptEnded`].
    Stop {
        /// The task.
        task: TaskIx,
        /// Number of the attempt.
        attempt: u32,
        /// Why.
        reason: StopReason,
    },
    /// Send [`Event::TimerFired`] once the clock has reached `at_ms`.
    Wake {
        /// The task.
        task: TaskIx,
        /// Which timer.
        timer: Timer,
        /// When, in unix milliseconds.
        at_ms: i64,
    },
    /// The run has ended: nothing runs and nothing will.
    RunEnded(RunStatus),
}
