//! What watchers of a run are told. One enum, many consumers: the terminal, plain lines and, later, a web stream read
//! the same notices; a new consumer touches no producer. A notice is sent after what it tells was recorded.

use recflow_stages::{Report, StageError};
use recflow_state::{RunId, RunStatus, TaskState, UnixMs};
use serde_json::Value;

/// Something happened to a run.
#[derive(Debug)]
pub enum Notice {
    /// A run begins, or goes on after a resume.
    RunBegun {
        /// The run.
        run: RunId,
        /// Its pipeline.
        pipeline: String,
        /// Its tasks, in the pipeline's order.
        tasks: Vec<TaskNotice>,
        /// Whether it goes on after a resume.
        resumed: bool,
    },
    /// A task changed its state.
    Task {
        /// The run.
        run: RunId,
        /// The task.
        task: TaskNotice,
    },
    /// An attempt reported something.
    Report {
        /// The run.
        run: RunId,
        /// The task's position.
        position: usize,
        /// What it reported.
        report: Report,
    },
    /// The runs cannot go on for the moment.
    Waiting {
        /// What they wait for, for people.
        reason: String,
    },
    /// A run has ended.
    RunEnded {
        /// The run.
        run: RunId,
        /// How.
        status: RunStatus,
        /// Why, where that is not obvious.
        reason: Option<String>,
    },
}

/// A task as watchers see it.
#[derive(Debug, Clone)]
pub struct TaskNotice {
    /// Its position in the pipeline.
    pub position: usize,
    /// Its id.
    pub id: String,
    /// Its stage; `branch` for a branch.
    pub stage: String,
    /// Its state.
    pub state: TaskState,
    /// Attempts so far.
    pub attempts: u32,
    /// When it became what it is.
    pub at: UnixMs,
    /// When its first attempt started.
    pub started_at: Option<UnixMs>,
    /// Why it is in this state, where that is not obvious.
    pub reason: Option<String>,
    /// The error of its last attempt, where that failed.
    pub error: Option<StageError>,
    /// Its output, once it has one.
    pub output: Option<Value>,
}

/// Whoever watches runs.
pub trait Observer {
    /// Takes a notice.
    fn notice(&mut self, notice: &Notice);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Observer for Nobody {
    fn notice(&mut self, _: &Notice) {}
}
