//! What a running stage may reach. A stage never calls up: it gets a [`Context`] and uses that.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, SystemClock};
use crate::error::{Result, StageError};
use crate::stage::WorkspacePath;
use crate::storage::{Disk, Storage};

/// Names one piece of work across retries and resumes: `run/task/generation`.
///
/// A dataset snapshot or a model version that already bears the key of the attempt at hand was published
/// by an earlier try whose record was lost. The stage then returns that result instead of doing the work,
/// and publishing, a second time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PublishKey(String);

impl PublishKey {
    /// The key of a task's work in a run. `generation` counts a person's deliberate re-runs of the task.
    pub fn new(run: &str, task: &str, generation: u32) -> Self {
        Self(format!("{run}/{task}/{generation}"))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublishKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Asks a stage to stop. Cheap to clone, checked once per block of work.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that nobody has cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the stage to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the stage was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What a count counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Ratings.
    Rows,
    /// Bytes of input.
    Bytes,
    /// Sweeps over both factor matrices.
    Iterations,
    /// Users.
    Users,
    /// Anything else.
    Items,
}

/// How far a stage has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What it does now, as a person would say it: `parse`, `iteration`.
    pub phase: String,
    /// How much is done.
    pub done: u64,
    /// How much there is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What is counted.
    pub unit: Unit,
    /// Figures worth showing beside the bar, such as the loss.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For the curious.
    Debug,
    /// Normal operation.
    Info,
    /// Something a person should look at; the stage goes on.
    Warn,
    /// Something failed.
    Error,
}

/// One message from a running stage to whoever watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "report")]
pub enum Report {
    /// How far it has come. Only the latest counts.
    Progress(Progress),
    /// One point of a series that is kept, such as the loss at an iteration.
    Metric {
        /// Name of the series.
        name: String,
        /// Position in the series, from 1.
        step: u64,
        /// Value there.
        value: f64,
    },
    /// A line for the attempt's log.
    Log {
        /// How much it matters.
        level: Level,
        /// The text, one line.
        message: String,
    },
}

/// Receives what a stage reports. Called from any thread.
pub trait Reporter: Send + Sync {
    /// Takes one report. Must not block for long: kernels call it.
    fn report(&self, report: Report);
}

/// Throws reports away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _: Report) {}
}

/// What a running stage may reach.
///
/// CPU work uses rayon's current pool, which the caller sizes; a stage makes no pool of its own.
#[derive(Clone)]
pub struct Context {
    /// The folder that relative paths refer to.
    pub workspace: PathBuf,
    /// Names this piece of work across retries and resumes.
    pub publish_key: PublishKey,
    /// The instant the run stands for.
    pub logical_date: Timestamp,
    /// Every write to disk goes through here.
    pub storage: Arc<dyn Storage>,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Who hears of progress.
    pub reporter: Arc<dyn Reporter>,
    /// Set when the stage should stop.
    pub cancel: CancelToken,
    /// Where a stage may leave files for people, such as rejected rows: `.recflow` of the workspace.
    pub home: PathBuf,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("workspace", &self.workspace).field("publish_key", &self.publish_key).finish_non_exhaustive()
    }
}

impl Context {
    /// A context over the real disk and clock that reports to nobody. Tests and benchmarks start here.
    pub fn plain(workspace: impl Into<PathBuf>, publish_key: PublishKey) -> Self {
        let workspace = workspace.into();
        Self {
            home: workspace.join(".recflow"),
            workspace,
            publish_key,
            logical_date: SystemClock.now(),
            storage: Arc::new(Disk),
            clock: Arc::new(SystemClock),
            reporter: Arc::new(Silent),
            cancel: CancelToken::new(),
        }
    }

    /// The file that an input names.
    pub fn resolve(&self, path: &WorkspacePath) -> PathBuf {
        self.workspace.join(path.as_str())
    }

    /// `path` as a user would write it: relative to the workspace where it lies inside.
    pub fn display(&self, path: &Path) -> String {
        path.strip_prefix(&self.workspace).unwrap_or(path).display().to_string()
    }

    /// Reports how far the stage has come.
    pub fn progress(&self, phase: &str, done: u64, total: Option<u64>, unit: Unit) {
        self.reporter.report(Report::Progress(Progress { phase: phase.to_owned(), done, total, unit, metrics: BTreeMap::new() }));
    }

    /// Keeps one point of a series.
    pub fn metric(&self, name: &str, step: u64, value: f64) {
        self.reporter.report(Report::Metric { name: name.to_owned(), step, value });
    }

    /// Writes a line to the attempt's log.
    pub fn info(&self, message: impl Into<String>) {
        self.reporter.report(Report::Log { level: Level::Info, message: message.into() });
    }

    /// Writes a warning to the attempt's log; people see it at the end of the run too.
    pub fn warn(&self, message: impl Into<String>) {
        self.reporter.report(Report::Log { level: Level::Warn, message: message.into() });
    }

    /// Returns [`StageError::cancelled`] once the stage was asked to stop. Call it once per block of work.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(StageError::cancelled()) } else { Ok(()) }
    }
}
