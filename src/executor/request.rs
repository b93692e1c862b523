//! What the executor is asked and what it answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use recflow_stages::clock::{Clock, ManualClock, SystemClock};
use recflow_stages::{PublishKey, Report, StageError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Names an attempt among all that are under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey {
    /// The run's id.
    pub run: Arc<str>,
    /// The task's number in its pipeline.
    pub task: usize,
    /// The attempt's number, from 1.
    pub attempt: u32,
}

/// One attempt to execute. Everything is decided: no template is left, every path is known.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Names it.
    pub key: AttemptKey,
    /// The task's id in its pipeline.
    pub task_id: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// What to do.
    pub work: Work,
    /// Names the work across retries and resumes.
    pub publish_key: PublishKey,
    /// The instant the run stands for.
    pub logical_date: Timestamp,
    /// Where the stage's clock stands, in a simulation; else it is the system's.
    pub clock_at: Option<Timestamp>,
    /// The folder that relative paths refer to.
    pub workspace: PathBuf,
    /// `.recflow` of the workspace.
    pub home: PathBuf,
    /// Threads that a computing stage may use.
    pub threads: usize,
    /// Environment of the process, on top of recflow's own.
    pub env: BTreeMap<String, String>,
    /// File that takes the attempt's log.
    pub log: PathBuf,
    /// Secret values, masked before anything is written.
    pub secrets: Arc<[String]>,
    /// How long a process may take to end after it was told to.
    pub grace: Duration,
}

/// The clock of a stage: the system's, or one that stands still where a simulation has got to, so that what is named after the
/// time has the same name however long an attempt takes.
pub(super) fn stage_clock(stands_at: Option<Timestamp>) -> Arc<dyn Clock> {
    match stands_at {
        Some(instant) => Arc::new(ManualClock::new(instant)),
        None => Arc::new(SystemClock),
    }
}

/// What an attempt does.
#[derive(Debug, Clone)]
pub enum Work {
    /// A stage, on a thread of this process.
    Inline {
        /// The stage's name.
        stage: String,
        /// Its inputs.
        inputs: Map<String, Value>,
    },
    /// A stage, in a child process.
    Child {
        /// The stage's name.
        stage: String,
        /// Its inputs.
        inputs: Map<String, Value>,
    },
    /// Another program: the inputs of stage `shell`.
    Program {
        /// The inputs.
        inputs: Map<String, Value>,
    },
}

/// How hard to stop an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HowToStop {
    /// Ask, then kill after the grace period.
    Gracefully,
    /// Kill.
    AtOnce,
}

/// A process that can be recognised later: a pid alone may have been given to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process id, and id of the process group that it leads.
    pub pid: u32,
    /// When it started, in the kernel's clock ticks since boot; 0 where the system does not tell.
    pub start_ticks: u64,
}

/// What the executor says of an attempt.
#[derive(Debug)]
pub enum Update {
    /// It has a process now. A child waits until [`super::Execute::release`] before it begins.
    Process(ProcessId),
    /// It reported something.
    Report(Report),
    /// It ended.
    Ended(Ended),
}

/// How an attempt ended.
#[derive(Debug)]
pub struct Ended {
    /// Its output, or why there is none.
    pub result: Result<Value, Failure>,
    /// How its process ended, in words: `exit code 1`, `signal 9`.
    pub exit: Option<String>,
    /// Largest resident set of its process, in bytes.
    pub peak_rss_bytes: Option<u64>,
    /// CPU time of its process and of those it waited for, user and system, in milliseconds.
    pub cpu_ms: Option<u64>,
}

/// Why an attempt has no output.
#[derive(Debug)]
pub enum Failure {
    /// It failed.
    Failed(StageError),
    /// It was told to stop, and stopped.
    Stopped,
}

impl Ended {
    /// The end of an attempt that had no process.
    pub fn without_process(result: Result<Value, Failure>) -> Self {
        Self { result, exit: None, peak_rss_bytes: None, cpu_ms: None }
    }
}

/// The largest output a task may return, in bytes of JSON.
pub const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// Receives what happens to attempts, on the executor's threads. Must not block for long.
pub type Sink = Arc<dyn Fn(&AttemptKey, Update) + Send + Sync>;
