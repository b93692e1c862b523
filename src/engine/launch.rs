//! A new run: from a pipeline's text and parameters to rows in the store.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::Timestamp;
use recflow_state::{NewRun, NewTask, Run, RunId, RunStatus, Trigger, UnixMs};
use serde_json::{Map, Value};

use super::core::Event;
use super::driver::{Driver, Options, new_run_id};
use super::live::{LiveRun, stage_name};
use crate::pipeline::{EnvValue, Pipeline, RenderError, RunInfo, Scope};

/// A run to create.
#[derive(Debug)]
pub struct Launch {
    /// The checked pipeline.
    pub pipeline: Pipeline,
    /// Its text, pinned to the run.
    pub text: String,
    /// The file that it came from, for people.
    pub file: Option<String>,
    /// Resolved parameters.
    pub params: Map<String, Value>,
    /// What creates it.
    pub trigger: Trigger,
    /// The instant that it stands for; now, if not given.
    pub logical_date: Option<Timestamp>,
}

impl Driver {
    /// Creates a run and takes it over. Once this returns the run exists, whatever happens to this process.
    pub fn launch(&mut self, launch: Launch) -> anyhow::Result<RunId> {
        let now = self.now();
        let id = new_run_id(&*self.entropy);
        let logical_date = launch.logical_date.map_or(now, |date| UnixMs(date.as_millisecond()));
        let hash = blake3::hash(launch.text.as_bytes()).to_hex().to_string();
        let tasks: Vec<NewTask> = launch
            .pipeline
            .tasks
            .iter()
            .map(|task| NewTask { task_id: task.id.as_str().to_owned(), stage: stage_name(&task.kind).to_owned() })
            .collect();
        let workspace = self.workspace.root().display().to_string();
        let row = self.store.write(|tx| {
            let name = &launch.pipeline.name;
            let version = tx.pipeline_version(name, &hash, &launch.text, launch.file.as_deref(), now)?;
            let new = NewRun {
                id: id.clone(),
                pipeline: name.clone(),
                version,
                trigger: launch.trigger,
                logical_date,
                params: Value::Object(launch.params.clone()),
                owner: Some(self.owner.id().to_owned()),
                created_at: now,
                workspace: workspace.clone(),
                binary_version: env!("CARGO_PKG_VERSION").to_owned(),
            };
            tx.create_run(&new, &tasks)?;
            tx.run(&id)
        });
        let row: Run = row.context("cannot record the new run")?;
        debug_assert_eq!(row.status, RunStatus::Queued);
        let run = live_run(&row, launch.pipeline, &self.options)?;
        self.adopt(run, vec![Event::Created], false)?;
        Ok(id)
    }
}

/// A run that lives, before its first event.
pub(super) fn live_run(row: &Run, pipeline: Pipeline, options: &Options) -> anyhow::Result<LiveRun> {
    let params = row.params.as_object().cloned().unwrap_or_default();
    let info = RunInfo {
        id: row.id.as_str().to_owned(),
        logical_date: super::driver::timestamp(row.logical_date).to_string(),
        pipeline: row.pipeline.clone(),
        trigger: row.trigger.as_str().to_owned(),
    };
    let own = environment(&pipeline, &params, &info, &options.secrets).context("cannot work out `env` of the pipeline")?;
    let scope = Scope::new(params.clone(), &info, &own, &options.secrets);
    let mut env = own;
    // A parameter without a value has no variable, so that `${RECFLOW_PARAM_X:-else}` works.
    env.extend(params.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (param_variable(name), as_text(value))));
    Ok(LiveRun::new(row, pipeline, scope, env))
}

/// `env` of the pipeline: its templates see no `env`.
fn environment(
    pipeline: &Pipeline,
    params: &Map<String, Value>,
    info: &RunInfo,
    secrets: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, RenderError> {
    let scope = Scope::new(params.clone(), info, &BTreeMap::new(), secrets);
    let mut env = BTreeMap::new();
    for (name, value) in &pipeline.env {
        let value = match value {
            EnvValue::Set(template) => Some(template.render_text(&scope)?),
            EnvValue::Inherit => std::env::var(name).ok(),
        };
        if let Some(value) = value {
            env.insert(name.clone(), value);
        }
    }
    Ok(env)
}

/// The environment variable that carries a parameter: `data_dir` is `RECFLOW_PARAM_DATA_DIR`.
fn param_variable(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("RECFLOW_PARAM_{plain}")
}

/// A value as an environment variable: strings as they are, others as JSON.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
