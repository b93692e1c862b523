//! A task of a run as `--json` shows it.

use std::collections::BTreeMap;

use recflow_stages::StageError;
use recflow_state::{AttemptRow, TaskRow, TaskState, UnixMs};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::units::{mebibytes, seconds};

/// Tasks in the pipeline's order.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "BTreeMap<String, TaskReport>")]
pub struct Tasks(pub Vec<TaskReport>);

impl Serialize for Tasks {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|task| (&task.id, task)))
    }
}

/// A task.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TaskReport {
    /// Its id in the pipeline.
    #[serde(skip)]
    pub id: String,
    /// Its stage.
    #[serde(skip)]
    pub stage: String,
    /// Where it stands.
    pub state: &'static str,
    /// Attempts started.
    pub attempts: u32,
    /// From its first attempt's start to its end, or to now; null if it never started.
    pub seconds: Option<f64>,
    /// Of the largest of its processes, in MiB; null without a process.
    pub peak_rss_mb: Option<f64>,
    /// What it returned; null unless it succeeded.
    pub output: Option<Value>,
    /// What went wrong, causes included.
    pub error: Option<String>,
    /// What to do about the error.
    #[serde(skip)]
    pub hint: Option<String>,
    /// Why it is in this state, for people.
    #[serde(skip)]
    pub reason: Option<String>,
    /// Its attempts, by number.
    #[serde(skip)]
    pub tries: Vec<AttemptRow>,
}

/// What the rows of a task say; `now` is the end of what is under way, `None` where that is not known.
pub(super) fn report(task: TaskRow, tries: Vec<AttemptRow>, output: Option<Value>, now: Option<UnixMs>) -> TaskReport {
    let error: Option<StageError> = task.error.and_then(|error| serde_json::from_value(error).ok());
    let failed = task.state == TaskState::Failed;
    TaskReport {
        state: task.state.as_str(),
        attempts: task.attempts,
        seconds: task.started_at.zip(task.ended_at.or(now)).map(|(start, end)| seconds(start, end)),
        peak_rss_mb: tries.iter().filter_map(|attempt| attempt.peak_rss_bytes).max().map(mebibytes),
        // An output that a cleared task had before is not its output now.
        output: output.filter(|_| task.state == TaskState::Succeeded),
        // A timeout has a reason and no error of the stage's own.
        error: error.as_ref().map(ToString::to_string).or_else(|| task.reason.clone().filter(|_| failed)),
        hint: error.and_then(|error| error.hint),
        reason: task.reason,
        id: task.task_id,
        stage: task.stage,
        tries,
    }
}
