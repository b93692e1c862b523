//! What a run decided, read from the store.

use recflow_state::{RunId, Store, TaskState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::subject::Subject;
use crate::engine::timestamp;

/// What came of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Nothing arrived; nothing was judged.
    NoRatings,
    /// The model stays: no retraining.
    Keep,
    /// A new model was trained and did not win.
    Retrain,
    /// A new model was trained and serves now.
    Promote,
}

impl Decision {
    /// Words for people.
    pub fn words(self) -> &'static str {
        match self {
            Decision::NoRatings => "no ratings",
            Decision::Keep => "keep",
            Decision::Retrain => "retrain, not promoted",
            Decision::Promote => "retrain, promoted",
        }
    }

    /// Whether a model was trained.
    pub fn retrains(self) -> bool {
        matches!(self, Decision::Retrain | Decision::Promote)
    }
}

/// What `detect_drift` found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The score; above 1 it speaks for a retraining.
    pub score: f64,
    /// Lower end of its interval.
    pub lower: Option<f64>,
    /// Upper end of its interval.
    pub upper: Option<f64>,
    /// What it advises.
    pub should_retrain: bool,
    /// Why.
    pub reason: String,
}

/// What a run decided.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) decision: Decision,
    pub(super) drift: Option<Drift>,
    /// Why the branch went where it went.
    pub(super) branch: Option<String>,
    /// What `promote` said.
    pub(super) promotion: Option<String>,
    /// From start to end, by the real clock.
    pub(super) seconds: f64,
}

/// Reads what run `id` decided.
///
/// # Errors
/// The store cannot be read.
pub(super) fn outcome(store: &Store, id: &RunId, subject: &Subject) -> recflow_state::Result<Outcome> {
    let (run, tasks, outputs) = store.read(|view| Ok((view.run(id)?, view.tasks(id)?, view.outputs(id)?)))?;
    let succeeded = |name: &str| tasks.iter().any(|task| task.task_id == name && task.state == TaskState::Succeeded);
    // An output of a task that was cleared since is none.
    let output = |name: &String| outputs.get(name).filter(|_| succeeded(name));
    let promotion = output(&subject.promote);
    let decision = if promotion.is_some_and(|output| output["promoted"] == true) {
        Decision::Promote
    } else if subject.trainings.iter().any(|training| succeeded(training)) {
        Decision::Retrain
    } else if succeeded(&subject.detect) {
        Decision::Keep
    } else {
        Decision::NoRatings
    };
    let text = |value: Option<&Value>| value.and_then(|output| output["reason"].as_str()).map(str::to_owned);
    let seconds =
        run.started_at.zip(run.ended_at).map_or(0.0, |(start, end)| timestamp(end).duration_since(timestamp(start)).as_secs_f64());
    Ok(Outcome {
        decision,
        drift: output(&subject.detect).and_then(drift),
        branch: text(subject.branches.iter().find_map(output)),
        promotion: text(promotion),
        seconds,
    })
}

fn drift(output: &Value) -> Option<Drift> {
    Some(Drift {
        score: output["drift_score"].as_f64()?,
        lower: output["interval"]["lower"].as_f64(),
        upper: output["interval"]["upper"].as_f64(),
        should_retrain: output["should_retrain"].as_bool()?,
        reason: output["reason"].as_str().unwrap_or_default().to_owned(),
    })
}

/// Why a run failed: its failed tasks, each with its error.
///
/// # Errors
/// The store cannot be read.
pub(super) fn failures(store: &Store, id: &RunId) -> recflow_state::Result<Vec<String>> {
    let tasks = store.read(|view| view.tasks(id))?;
    let message = |error: Option<Value>| error.and_then(|error| error["message"].as_str().map(str::to_owned));
    let failed = tasks.into_iter().filter(|task| task.state == TaskState::Failed);
    Ok(failed.map(|task| format!("`{}`: {}", task.task_id, message(task.error).or(task.reason).unwrap_or_default())).collect())
}
