//! `recflow schedule`: when pipelines will start by themselves.

use std::io::{self, Write};
use std::path::PathBuf;

use recflow_stages::clock::{Clock, SystemClock};

use super::exit::{Exit, Failure};
use super::{Terminal, load, view};
use crate::facts::firings::{FiringFact, preview};
use crate::pipeline::instant::{FORMS, Moment};
use crate::pipeline::{Loaded, Pipeline, files_in};
use crate::scheduler::Firing;
use crate::workspace::Workspace;

/// Firings of a pipeline that is asked for by name, unless told otherwise.
const FIRINGS_OF_ONE: u32 = 20;
/// Firings of each pipeline of the workspace.
const FIRINGS_OF_EACH: u32 = 3;

const EXAMPLES: &str = "Examples:
  recflow schedule
  recflow schedule drift-retrain --next 5
  recflow schedule etl.yaml --from 2027-03-27 --json | jq -r '.[].local'

With --json: a list of {time, local, dst}: the instant in UTC, the wall clock of the schedule's zone, and `gap` or `overlap` where a
change of that clock plays a part. Without a pipeline, each has its `pipeline` too. Exit code 2 if a pipeline is invalid.";

/// Tell when pipelines will start by themselves.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A pipeline's file, or its name as `recflow run` takes it [default: all in the workspace's `pipelines/`].
    #[arg(value_name = "PIPELINE|FILE")]
    pipeline: Option<PathBuf>,
    /// How many firings of each pipeline [default: 20; 3 without a pipeline].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    next: Option<u32>,
    /// Firings strictly after this: 2027-03-27, 2027-03-27T02:00 (in the schedule's zone) or 2027-03-27T01:00:00Z [default: now].
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let from = beginning(args.from.as_deref())?;
    let loaded = match &args.pipeline {
        Some(name) => vec![load::find(name, workspace)?],
        None => all(workspace)?,
    };
    for one in &loaded {
        io::stderr().write_all(one.render(terminal.err_color).as_bytes())?;
    }
    let pipelines: Vec<&Pipeline> = loaded.iter().filter_map(|one| one.pipeline.as_ref()).collect();
    match &pipelines[..] {
        [] if args.pipeline.is_some() => return Ok(Exit::Usage),
        [pipeline] if args.pipeline.is_some() && pipeline.schedules.is_empty() => return Err(unscheduled(pipeline)),
        _ => {}
    }
    let count = args.next.unwrap_or(if args.pipeline.is_some() { FIRINGS_OF_ONE } else { FIRINGS_OF_EACH });
    let scheduled = pipelines.iter().filter(|pipeline| !pipeline.schedules.is_empty());
    let one = |pipeline| {
        let firings = preview(pipeline, from, count as usize);
        firings.map(|firings| (pipeline, firings)).ok_or_else(|| Failure::usage("--from lies outside of the years that are known"))
    };
    let previews: Vec<(&Pipeline, Vec<Firing>)> = scheduled.map(|pipeline| one(*pipeline)).collect::<Result<_, Failure>>()?;
    if args.json {
        let facts: Vec<FiringFact> = previews
            .iter()
            .flat_map(|(pipeline, firings)| {
                firings.iter().map(|firing| FiringFact::of(firing, args.pipeline.is_none().then(|| pipeline.name.clone())))
            })
            .collect();
        serde_json::to_writer_pretty(&mut *out, &facts).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        view::schedule(&previews, SystemClock.now(), out)?;
    }
    Ok(if loaded.iter().all(Loaded::is_ok) { Exit::Success } else { Exit::Usage })
}

fn unscheduled(pipeline: &Pipeline) -> Failure {
    let failure = Failure::usage(format!("the pipeline `{}` has no schedule: it starts only when someone runs it", pipeline.name));
    failure.with_hint("add one to its file, such as `schedule: { cron: \"0 3 * * *\", timezone: Europe/Prague }`")
}

/// The pipelines of the workspace, by file name.
fn all(workspace: &Workspace) -> Result<Vec<Loaded>, Failure> {
    let folder = workspace.root().join("pipelines");
    let files: Vec<PathBuf> = files_in(&folder).map_err(|error| {
        let failure = Failure::usage(format!("cannot list the pipelines in `{}`: {error}", folder.display()));
        failure.with_hint("name a pipeline, or write the shipped ones into this workspace with `recflow init`")
    })?;
    Ok(files.iter().map(|file| super::validate::read(file, workspace)).collect())
}

/// Where the preview begins: `--from`, which each schedule reads in its own zone.
fn beginning(text: Option<&str>) -> Result<Moment, Failure> {
    let Some(text) = text else { return Ok(Moment::Instant(SystemClock.now())) };
    Moment::parse(text).ok_or_else(|| Failure::usage(format!("`--from {text}` is not a date or time")).with_hint(FORMS))
}
