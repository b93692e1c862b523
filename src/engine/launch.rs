//! A new run: from a pipeline's text and parameters to rows in the store.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::Timestamp;
use recflow_state::{RunId, Trigger, UnixMs};
use serde_json::{Map, Value};

use super::core::Event;
use super::driver::{Driver, Options};
use super::enqueue::{Enqueue, enqueue, pin};
use super::live::LiveRun;
use crate::executor::as_text;
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
    /// What to do if `max_active_runs` of the pipeline are under way.
    pub at_limit: AtLimit,
}

/// What becomes of a new run while as many of its pipeline are under way as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtLimit {
    /// It waits for its turn.
    #[default]
    Wait,
    /// It is not created.
    Refuse,
}

impl Driver {
    /// Creates a run and takes it over. Once this returns the run exists, whatever happens to this process. It begins with the next
    /// turn, or when fewer runs of its pipeline than `max_active_runs` are under way.
    pub fn launch(&mut self, launch: Launch) -> anyhow::Result<RunId> {
        let now = self.now();
        let id = RunId::from_random(self.entropy.next());
        let logical_date = launch.logical_date.map_or(now, |date| UnixMs(date.as_millisecond()));
        // Before anything is recorded: a pipeline whose `env` has no value is refused, not begun.
        let seed = Seed { id: &id, pipeline: &launch.pipeline.name, params: &launch.params, trigger: launch.trigger, logical_date };
        let run = seed.grow(launch.pipeline.clone(), &self.options)?;
        self.store.write(|tx| {
            if launch.at_limit == AtLimit::Refuse {
                self.room(tx, &run)?.map_err(anyhow::Error::msg)?;
            }
            let name = &launch.pipeline.name;
            let version = pin(tx, name, &launch.text, launch.file.as_deref(), now)?;
            let new = Enqueue {
                id: id.clone(),
                pipeline: &launch.pipeline,
                version,
                params: &launch.params,
                trigger: launch.trigger,
                logical_date,
                owner: Some(self.owner.clone()),
                cause: None,
                backfill: None,
                replay_of: None,
            };
            enqueue(tx, &self.workspace, new, now).context("cannot record the new run")
        })?;
        self.wait_for_room(run, vec![Event::Created], false);
        Ok(id)
    }
}

/// What a run is grown from, new or stored.
pub(super) struct Seed<'a> {
    pub(super) id: &'a RunId,
    pub(super) pipeline: &'a str,
    pub(super) params: &'a Map<String, Value>,
    pub(super) trigger: Trigger,
    pub(super) logical_date: UnixMs,
}

impl Seed<'_> {
    /// A run that lives, before its first event. Fails if `env` of the pipeline has no value.
    pub(super) fn grow(&self, pipeline: Pipeline, options: &Options) -> anyhow::Result<LiveRun> {
        let logical_date = super::driver::timestamp(self.logical_date);
        let info = RunInfo {
            id: self.id.as_str().to_owned(),
            logical_date: logical_date.to_string(),
            pipeline: self.pipeline.to_owned(),
            trigger: self.trigger.as_str().to_owned(),
        };
        let own = environment(&pipeline, self.params, &info, &options.secrets).context("cannot work out `env` of the pipeline")?;
        let scope = Scope::new(self.params.clone(), &info, &own, &options.secrets);
        let mut env = own;
        // A parameter without a value has no variable, so that `${RECFLOW_PARAM_X:-else}` works.
        let given = self.params.iter().filter(|(_, value)| !value.is_null());
        env.extend(given.map(|(name, value)| (param_variable(name), as_text(value))));
        let mut run = LiveRun::new(self.id.clone(), pipeline, logical_date, scope, env);
        run.clock_at = (self.trigger == Trigger::Simulation).then_some(logical_date);
        Ok(run)
    }
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
