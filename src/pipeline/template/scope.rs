//! What templates see.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::engine::into_engine;
use crate::pipeline::model::TaskId;

/// What templates see as `run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The run's id.
    pub id: String,
    /// The instant that the run is for, RFC 3339.
    pub logical_date: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// What created the run: `manual`, `schedule`, `backfill`, `event`.
    pub trigger: String,
}

/// What templates see: `params`, `run`, `env`, `secrets`, and `tasks` as they end.
///
/// Cheap to clone, and cheap to render against whatever the number of tasks: values are converted once, when they
/// are set. `Debug` shows no values, since secrets are among them.
#[derive(Clone)]
pub struct Scope {
    params: minijinja::Value,
    run: minijinja::Value,
    env: minijinja::Value,
    secrets: minijinja::Value,
    event: minijinja::Value,
    tasks: Arc<Tasks>,
}

/// `tasks`: looked up by id, never listed.
#[derive(Debug, Clone, Default)]
struct Tasks(BTreeMap<String, TaskView>);

/// `tasks.ID`.
#[derive(Debug, Clone, Default)]
struct TaskView {
    output: Option<minijinja::Value>,
    state: Option<String>,
}

impl Scope {
    /// A scope in which no task has ended yet. `env` and `secrets` are what expressions read by those names.
    pub fn new(params: Map<String, Value>, run: &RunInfo, env: &BTreeMap<String, String>, secrets: &BTreeMap<String, String>) -> Self {
        Self {
            params: into_engine(Value::Object(params)),
            run: minijinja::Value::from(minijinja::value::Serde(run)),
            env: minijinja::Value::from(minijinja::value::Serde(env)),
            secrets: minijinja::Value::from(minijinja::value::Serde(secrets)),
            event: minijinja::Value::UNDEFINED,
            tasks: Arc::default(),
        }
    }

    /// What a trigger on a pipeline sees: a run of that one.
    pub fn of_run(run: Value) -> Self {
        Self { run: into_engine(run), ..Self::empty() }
    }

    /// What a trigger on a file or dataset sees: what happened.
    pub fn of_event(event: Value) -> Self {
        Self { event: into_engine(event), ..Self::empty() }
    }

    /// A scope with nothing in it, for expressions that read nothing.
    pub(crate) fn empty() -> Self {
        let nothing = || into_engine(Value::Object(Map::new()));
        Self { params: nothing(), run: nothing(), env: nothing(), secrets: nothing(), event: nothing(), tasks: Arc::default() }
    }

    /// Makes `output` readable as `tasks.ID.output`.
    pub fn set_output(&mut self, task: &TaskId, output: Value) {
        self.task(task).output = Some(into_engine(output));
    }

    /// Makes `tasks.ID.output` null again: the task has been cleared.
    pub fn clear_output(&mut self, task: &TaskId) {
        self.task(task).output = None;
    }

    /// Makes `state` readable as `tasks.ID.state`: `succeeded`, `failed`, `skipped`, …
    ///
    /// `tasks.ID.output` of a task without an output is null, so that `tasks.ID.output.x | default(0)` works.
    pub fn set_state(&mut self, task: &TaskId, state: impl Into<String>) {
        self.task(task).state = Some(state.into());
    }

    fn task(&mut self, task: &TaskId) -> &mut TaskView {
        Arc::make_mut(&mut self.tasks).0.entry(task.as_str().to_owned()).or_default()
    }

    pub(super) fn to_engine(&self) -> minijinja::Value {
        minijinja::context! {
            params => self.params.clone(),
            run => self.run.clone(),
            env => self.env.clone(),
            secrets => self.secrets.clone(),
            event => self.event.clone(),
            tasks => minijinja::Value::from_dyn_object(self.tasks.clone()),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("tasks", &self.tasks.0.keys()).finish_non_exhaustive()
    }
}

impl Object for Tasks {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let task = self.0.get(key.as_str()?)?;
        Some(minijinja::Value::from_object(task.clone()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

impl Object for TaskView {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        match key.as_str()? {
            "output" => Some(self.output.clone().unwrap_or(minijinja::Value::from(()))),
            "state" => self.state.as_deref().map(minijinja::Value::from),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["output", "state"])
    }
}
