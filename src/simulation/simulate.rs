//! The whole: begins a simulation or finds the one to go on with, and plays all policies.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use recflow_stages::{CancelToken, Catalog, Context, ErrorKind, Result, StageError};
use recflow_state::RunId;

use super::cut::{Knife, day};
use super::journal::{self, Held, Journal};
use super::policy_line::{PolicyLine, Stage, Step};
use super::record::{PolicyResult, Record, SimulationResult, Totals};
use super::setup::{Ask, Policy, Setup};
use super::start::Start;
use super::subject::Subject;
use crate::engine::{Handle, Observer, Options};
use crate::pipeline::Pipeline;

/// Where a simulation lies, and whether one that was not finished may go on.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder of all simulations.
    pub root: PathBuf,
    /// A folder that a person chose for this one.
    pub folder: Option<PathBuf>,
    /// Whether to begin anew in any case.
    pub fresh: bool,
    /// Makes the name of a new one.
    pub random: u64,
}

/// Stops a simulation from other threads.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    token: CancelToken,
    handle: Arc<Mutex<Option<Handle>>>,
}

impl Stop {
    /// Stops it, gracefully or at once. `reason` is what people will read at the run that was under way.
    pub fn ask(&self, force: bool, reason: &str) {
        self.token.cancel();
        if let Some(handle) = &*self.handle.lock().unwrap_or_else(PoisonError::into_inner) {
            handle.cancel(force, reason);
        }
    }

    /// Whether it was asked to stop.
    pub fn is_asked(&self) -> bool {
        self.token.is_cancelled()
    }

    /// What work in this process looks at.
    pub fn token(&self) -> CancelToken {
        self.token.clone()
    }

    pub(super) fn watch(&self, handle: Handle) {
        *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
    }
}

/// Whoever watches a simulation.
pub trait Watcher {
    /// A period begins; `number` counts from 1.
    fn begun(&mut self, policy: Policy, number: usize, of: usize, period: &str);
    /// A period is over.
    fn over(&mut self, policy: Policy, record: &Record);
    /// Who watches the run of a period.
    fn observer(&mut self) -> &mut dyn Observer;
}

/// How a simulation ended.
#[derive(Debug)]
pub enum Ended {
    /// With a result.
    Finished(Box<SimulationResult>),
    /// It was asked to stop.
    Stopped,
    /// A run failed.
    Failed {
        /// The workspace that it lies in.
        workspace: PathBuf,
        /// The period.
        period: String,
        /// The run.
        run: RunId,
        /// Its failed tasks.
        failures: Vec<String>,
    },
}

/// Begins a simulation, or finds an unfinished one with which the same command goes on. `context` is of the user's workspace. Returns whether it goes on.
///
/// # Errors
/// What is missing in the workspace or wrong with the stream; a folder that holds something else; I/O trouble; cancellation.
pub fn prepare(ask: Ask, pipeline: &Pipeline, subject: &Subject, place: &Place, context: &Context) -> Result<(Journal, bool)> {
    let (from, to) = (ask.from.as_deref().map(|text| day("--from", text)), ask.to.as_deref().map(|text| day("--to", text)));
    let (from, to) = (from.transpose()?, to.transpose()?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(StageError::input("`--from` is after `--to`"));
    }
    let knife = Knife { every: ask.every, from, to, rating_range: subject.rating_range };
    let stream = context.workspace.join(&ask.stream);
    let start = Start::open(subject, context)?;
    let state = start.state(&stream)?;
    let setup = Setup::new(ask, state, context.clock.now().to_string());
    if let Some(folder) = unfinished(place, &setup, context)? {
        return Ok((Held::take(&folder, context)?.open()?, true));
    }
    remove_abandoned(&place.root, context);
    let folder = place.folder.clone().unwrap_or_else(|| place.root.join(format!("{}-{:08x}", pipeline.name, place.random >> 32)));
    let held = Held::take(&folder, context)?;
    held.clear(context)?;
    start.place(subject, &held.folder.join("start"), context)?;
    let cut = knife.cut(&stream, &held.folder.join("periods"), context)?;
    Ok((held.begin(setup, cut, context)?, false))
}

/// Removes what is left of simulations whose process died before they existed. Best effort: what stays is in nobody's way.
fn remove_abandoned(root: &Path, context: &Context) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let folder = entry.path();
        if journal::look(&folder).is_none()
            && folder.join("lock").is_file()
            && Held::take(&folder, context).is_ok_and(|held| held.is_nothing())
        {
            let _ = context.storage.remove_dir_all(&folder);
        }
    }
}

/// The folder of an unfinished simulation of the same setup.
fn unfinished(place: &Place, setup: &Setup, context: &Context) -> Result<Option<PathBuf>> {
    let Some(folder) = &place.folder else {
        let found = journal::list(&place.root).into_iter().find(|seen| !seen.is_finished && seen.setup.fingerprint == setup.fingerprint);
        return Ok(found.filter(|_| !place.fresh).map(|seen| seen.folder));
    };
    let shown = context.display(folder);
    match journal::look(folder) {
        Some(seen) if !seen.is_finished && seen.setup.fingerprint == setup.fingerprint => Ok(Some(folder.clone())),
        Some(_) => Err(StageError::input(format!("`{shown}` holds another simulation")).with_hint("choose another folder, or remove it")),
        None => {
            let foreign = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) && !folder.join("lock").is_file();
            match foreign {
                true => Err(StageError::input(format!("`{shown}` is not empty")).with_hint("choose another folder for the simulation")),
                false => Ok(None),
            }
        }
    }
}

/// Takes the simulation that a person names: its folder (whatever has a `/` in it), its id, a unique beginning of it, or `latest`.
///
/// # Errors
/// None or several of that name; one that another process plays.
pub fn find(name: &str, root: &Path, context: &Context) -> Result<Journal> {
    if name.contains('/') {
        return Held::take_existing(&context.workspace.join(name), context)?.open();
    }
    let all = journal::list(root);
    let id = |seen: &journal::Seen| seen.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let fits: Vec<&journal::Seen> = match name {
        "latest" => all.iter().take(1).collect(),
        _ if all.iter().any(|seen| id(seen) == name) => all.iter().filter(|seen| id(seen) == name).collect(),
        _ => all.iter().filter(|seen| id(seen).starts_with(name)).collect(),
    };
    match fits[..] {
        [one] => Held::take_existing(&one.folder, context)?.open(),
        _ => {
            let names: Vec<String> = all.iter().map(id).collect();
            let message =
                if fits.is_empty() { format!("there is no simulation `{name}`") } else { format!("`{name}` begins several simulations") };
            let hint =
                if names.is_empty() { "none was begun in this workspace".to_owned() } else { format!("there are {}", names.join(", ")) };
            Err(StageError::input(message).with_hint(hint))
        }
    }
}

/// The pipeline of a simulation, as it was when that began.
///
/// # Errors
/// This version of recflow does not take its text any more.
pub fn pipeline(journal: &Journal) -> Result<Pipeline> {
    let Ask { file, text, .. } = &journal.setup.ask;
    crate::pipeline::load(text, file, Catalog::builtin()).pipeline.ok_or_else(|| {
        StageError::input(format!("the pipeline of simulation {} is not valid for this version of recflow", journal.id()))
            .with_hint(format!("go on with recflow {}", journal.setup.binary_version))
    })
}

/// Plays all policies through all periods, from where the simulation is.
///
/// # Errors
/// The store cannot be written, a model or dataset cannot be read. What is finished is kept.
pub fn simulate(
    journal: &Journal,
    pipeline: &Pipeline,
    options: &Options,
    stop: &Stop,
    watcher: &mut dyn Watcher,
) -> anyhow::Result<Ended> {
    if let Some(result) = journal.result()? {
        return Ok(Ended::Finished(Box::new(result)));
    }
    let ask = &journal.setup.ask;
    let subject = Subject::of(pipeline, &ask.params, &ask.policies)?;
    let stage = Stage { journal, pipeline, subject: &subject, options, stop };
    let mut policies = Vec::with_capacity(ask.policies.len());
    for policy in ask.policies.iter().copied() {
        match play(&stage, policy, watcher) {
            Ok(Played::Through(periods)) => policies.push(PolicyResult { policy, totals: Totals::of(&periods), periods }),
            Ok(Played::Halted(ended)) => return Ok(ended),
            Err(error) if is_cancellation(&error) && stop.is_asked() => return Ok(Ended::Stopped),
            Err(error) => return Err(error),
        }
    }
    let (id, setup) = (journal.id(), journal.setup.clone());
    let result = SimulationResult { id, setup, outside: journal.outside, malformed: journal.malformed, policies };
    let storage = recflow_stages::storage::from_environment();
    let context = Context { storage, ..Context::plain(journal.folder(), recflow_stages::PublishKey::new("simulation", "result", 0)) };
    journal.finish(&result, &context)?;
    Ok(Ended::Finished(Box::new(result)))
}

enum Played {
    Through(Vec<Record>),
    Halted(Ended),
}

/// Plays one policy; periods that are over are read.
fn play(stage: &Stage<'_>, policy: Policy, watcher: &mut dyn Watcher) -> anyhow::Result<Played> {
    let slices = &stage.journal.slices;
    let mut line: Option<PolicyLine<'_>> = None;
    let mut records = Vec::with_capacity(slices.len());
    for (index, slice) in slices.iter().enumerate() {
        if let Some(record) = stage.journal.read(policy, index, "")? {
            records.push(record);
            continue;
        }
        if stage.stop.is_asked() {
            return Ok(Played::Halted(Ended::Stopped));
        }
        let line = match &mut line {
            Some(line) => line,
            none => none.insert(PolicyLine::open(stage, policy)?),
        };
        watcher.begun(policy, index + 1, slices.len(), &slice.period);
        match line.play(index, slice, watcher)? {
            Step::Over(record) => {
                watcher.over(policy, &record);
                records.push(*record);
            }
            Step::Stopped => return Ok(Played::Halted(Ended::Stopped)),
            Step::Failed { run, failures } => {
                let (workspace, period) = (stage.journal.workspace(policy), slice.period.clone());
                return Ok(Played::Halted(Ended::Failed { workspace, period, run, failures }));
            }
        }
    }
    Ok(Played::Through(records))
}

fn is_cancellation(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<StageError>().is_some_and(|error| error.kind == ErrorKind::Cancelled))
}

impl Held {
    /// Takes the lock of a folder that must be there.
    fn take_existing(folder: &Path, context: &Context) -> Result<Self> {
        if folder.is_dir() {
            return Self::take(folder, context);
        }
        Err(StageError::io("open", folder, &io::Error::from(io::ErrorKind::NotFound)).with_hint("give the folder of a simulation"))
    }
}
