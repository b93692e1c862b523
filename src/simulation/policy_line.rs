//! One policy through all periods, in a workspace of its own.
//!
//! A period, step by step, and what a process that died left of it:
//!
//! | step | then killed, the next process |
//! |---|---|
//! | predict the period's ratings with the model that serves; write it down | finds what was written |
//! | place the file where the pipeline looks for it | places it again: no run is there that could have taken it |
//! | create the run of the period's end and drive it | finds the run in the store by its logical date, and resumes it |
//! | read what it decided, measure the test set; write the record | reads and measures again |

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use recflow_stages::clock::SystemClock;
use recflow_stages::dataset::Dataset;
use recflow_stages::model::versions::{self, Which};
use recflow_stages::stream::scan;
use recflow_stages::{Context, PublishKey, failpoint, model};
use recflow_state::{RunFilter, RunId, RunStatus, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::cut::{Slice, day};
use super::journal::Journal;
use super::measure::{Predictor, Prequential, mean, prequential, tested};
use super::outcome::{failures, outcome};
use super::period::midnight;
use super::record::Record;
use super::setup::Policy;
use super::simulate::{Stop, Watcher};
use super::subject::{POLICY, Subject};
use super::{place, start};
use crate::engine::entropy::SystemEntropy;
use crate::engine::{AtLimit, Launch, Options, Service};
use crate::pipeline::Pipeline;
use crate::workspace::Workspace;

/// What does not change during a simulation.
pub(super) struct Stage<'a> {
    pub(super) journal: &'a Journal,
    pub(super) pipeline: &'a Pipeline,
    pub(super) subject: &'a Subject,
    pub(super) options: &'a Options,
    pub(super) stop: &'a Stop,
}

/// How a period went.
pub(super) enum Step {
    /// It is over.
    Over(Box<Record>),
    /// It was interrupted.
    Stopped,
    /// Its run failed.
    Failed { run: RunId, failures: Vec<String> },
}

/// What is measured before the run, and written down: afterwards another model may serve.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Before {
    model: String,
    prequential: Option<Prequential>,
}

/// The model that serves, and the training set that its mean is of.
struct Served {
    version: String,
    fingerprint: String,
    predictor: Predictor,
}

/// A policy at work.
pub(super) struct PolicyLine<'a> {
    stage: &'a Stage<'a>,
    policy: Policy,
    context: Context,
    workspace: Workspace,
    driver: Service,
    start: Predictor,
    served: Option<Served>,
    params: Map<String, Value>,
}

impl<'a> PolicyLine<'a> {
    /// Makes the policy's workspace if it is not there, and opens its store.
    pub(super) fn open(stage: &'a Stage<'a>, policy: Policy) -> anyhow::Result<Self> {
        let journal = stage.journal;
        let folder = journal.workspace(policy);
        let plain = Context::plain(&folder, PublishKey::new("simulation", policy.as_str(), 0));
        let context = Context { storage: recflow_stages::storage::from_environment(), cancel: stage.stop.token(), ..plain };
        start::copy(&journal.start(), &folder, &context)?;
        let workspace = Workspace::new(&folder, None)?;
        let driver = Service::start(workspace.clone(), Arc::new(SystemClock), Arc::new(SystemEntropy), stage.options.clone())?;
        stage.stop.watch(driver.handle());
        let at_start = Context { workspace: journal.start(), ..context.clone() };
        let (version, train) = serving(stage.subject, &at_start)?;
        let start = Predictor { model: model::open(&version.1)?, mean: mean(&train, &at_start)? };
        let mut params = journal.setup.ask.params.clone();
        if stage.pipeline.params.iter().any(|param| param.name == POLICY) {
            params.insert(POLICY.to_owned(), Value::String(policy.as_str().to_owned()));
        }
        Ok(Self { stage, policy, context, workspace, driver, start, served: None, params })
    }

    /// Plays period number `index`.
    pub(super) fn play(&mut self, index: usize, slice: &Slice, watcher: &mut dyn Watcher) -> anyhow::Result<Step> {
        let before = self.before(index, slice)?;
        failpoint::hit("simulation.before_run");
        let run = self.run(slice, watcher)?;
        failpoint::hit("simulation.after_run");
        let store = self.driver.store();
        match store.read(|view| view.run(&run))?.status {
            RunStatus::Succeeded => {}
            RunStatus::Cancelled if self.stage.stop.is_asked() => return Ok(Step::Stopped),
            _ => return Ok(Step::Failed { failures: failures(store, &run)?, run }),
        }
        let found = outcome(store, &run, self.stage.subject)?;
        let (model_after, test) = self.after(&before.model)?;
        let record = Record {
            slice: slice.clone(),
            run: run.to_string(),
            decision: found.decision,
            drift: found.drift,
            branch: found.branch,
            promotion: found.promotion,
            model_before: before.model,
            model_after,
            prequential: before.prequential,
            test,
            seconds: found.seconds,
        };
        self.stage.journal.write(self.policy, index, "", &record, &self.context)?;
        failpoint::hit("simulation.after_record");
        Ok(Step::Over(Box::new(record)))
    }

    /// Predicts the period with the model that serves when it begins.
    fn before(&mut self, index: usize, slice: &Slice) -> anyhow::Result<Before> {
        let journal = self.stage.journal;
        if let Some(before) = journal.read(self.policy, index, ".before")? {
            return Ok(before);
        }
        let range = self.stage.subject.rating_range;
        let ratings = match slice.ratings {
            0 => None,
            _ => Some(scan::ratings(&journal.period_file(slice), range, &self.context)?),
        };
        self.serve()?;
        let Some(served) = &self.served else { anyhow::bail!("this is a bug: no model serves") };
        let prequential = ratings.map(|ratings| prequential(&served.predictor, &self.start, &ratings));
        let before = Before { model: served.version.clone(), prequential };
        journal.write(self.policy, index, ".before", &before, &self.context)?;
        Ok(before)
    }

    /// Loads what serves now, if it is not what served before.
    fn serve(&mut self) -> anyhow::Result<()> {
        let ((version, path), train) = serving(self.stage.subject, &self.context)?;
        let is_same = |served: &Served| served.version == version && served.fingerprint == train.fingerprint();
        if !self.served.as_ref().is_some_and(is_same) {
            let predictor = Predictor { model: model::open(&path)?, mean: mean(&train, &self.context)? };
            self.served = Some(Served { version, fingerprint: train.fingerprint().to_owned(), predictor });
        }
        Ok(())
    }

    /// Executes the period's run to its end: a new one, or the one that a process that died left.
    fn run(&mut self, slice: &Slice, watcher: &mut dyn Watcher) -> anyhow::Result<RunId> {
        let logical_date = midnight(day("--from", &slice.end)?);
        let begun = self.begun(logical_date)?;
        let run = match begun {
            Some((run, RunStatus::Succeeded)) => return Ok(run),
            Some((run, _)) => {
                self.driver.resume(&run)?;
                run
            }
            None => {
                if slice.ratings > 0 {
                    let arrival = self.workspace.root().join(self.stage.subject.arrival(&slice.period));
                    place::file(&self.stage.journal.period_file(slice), &arrival, &self.context)?;
                }
                failpoint::hit("simulation.placed");
                let ask = &self.stage.journal.setup.ask;
                let (pipeline, params) = (self.stage.pipeline.clone(), self.params.clone());
                let (text, file) = (ask.text.clone(), Some(ask.file.clone()));
                let (trigger, logical_date) = (Trigger::Simulation, Some(logical_date));
                self.driver.launch(Launch { pipeline, text, file, params, trigger, logical_date, at_limit: AtLimit::Wait })?
            }
        };
        self.driver.drive(watcher.observer()).context("the run cannot go on")?;
        Ok(run)
    }

    /// The run of `logical_date`, if it was created. Runs are created in the order of the periods, so it can only be the newest.
    fn begun(&self, logical_date: Timestamp) -> anyhow::Result<Option<(RunId, RunStatus)>> {
        let newest = self.driver.store().read(|view| view.runs(1, &RunFilter::default()))?;
        let ours = newest.into_iter().find(|run| run.logical_date.0 == logical_date.as_millisecond());
        Ok(ours.map(|run| (run.id, run.status)))
    }

    /// What serves after the run, and how it and the one before do on the test set.
    fn after(&mut self, before: &str) -> anyhow::Result<(String, super::measure::Tested)> {
        // Taken out first: it may serve still.
        let kept = self.served.take().filter(|served| served.version == before);
        let models = self.workspace.root().join(&self.stage.subject.models);
        let old = match kept {
            Some(served) => served.predictor,
            None => Predictor { model: model::open(&models.join(before))?, mean: 0.0 },
        };
        self.serve()?;
        let Some(served) = &self.served else { anyhow::bail!("this is a bug: no model serves") };
        let test = self.workspace.root().join(&self.stage.subject.test);
        let ratings = Dataset::open(&test, &self.context)?.read(&self.context)?;
        Ok((served.version.clone(), tested(&old, &served.predictor, &ratings)))
    }
}

/// The version that serves in a workspace, where it lies, and the training set.
fn serving(subject: &Subject, context: &Context) -> recflow_stages::Result<((String, PathBuf), Dataset)> {
    let version = versions::find(&context.workspace.join(&subject.models), &Which::Current, context)?;
    let train = Dataset::open(&context.workspace.join(&subject.train), context)?;
    Ok(((version.name, version.path), train))
}
