//! `recflow run`: executes a pipeline here and now.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use recflow_stages::clock::SystemClock;
use recflow_stages::estimate::machine_memory;
use recflow_state::{RunId, Trigger};

use super::exit::{Exit, Failure};
use super::load::{self, ParamArgs, Source};
use super::signals::{Interrupts, cancel_on_signal};
use super::{Terminal, plan, view};
use crate::engine::entropy::SystemEntropy;
use crate::engine::{AtLimit, Launch, Options, Patience, Role, Service};
use crate::facts;
use crate::pipeline::Limits;
use crate::workspace::Workspace;

/// Arguments of `recflow run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow run quickstart
  recflow run pipelines/etl-train-test.yaml -p rank=32 -p max_iter=10
  recflow run pipelines/etl-train-test.yaml --params prod.yaml --json | jq .tasks.test.output.rmse
  recflow run pipelines/etl-train-test.yaml --dry-run")]
pub(super) struct Args {
    /// A pipeline's file, the name of one in `pipelines/`, or of one that ships with recflow; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    params: ParamArgs,
    #[command(flatten)]
    execution: Execution,
    /// Show what would run, in which order, and about what it would take, and run nothing.
    #[arg(long)]
    dry_run: bool,
}

/// How runs execute and what is printed: shared by `run`, `resume` and `stage`.
#[derive(Debug, clap::Args)]
pub(super) struct Execution {
    #[command(flatten)]
    resources: Resources,
    /// Print the run as one JSON object, with the outputs of all tasks.
    #[arg(long)]
    pub(super) json: bool,
    /// Print nothing but errors.
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Fail, instead of waiting, if `max_active_runs` runs of the pipeline are under way.
    #[arg(long)]
    no_wait: bool,
    /// Start even if a task would need more memory than the machine has.
    #[arg(long)]
    ignore_memory: bool,
}

/// What runs may use of the machine.
#[derive(Debug, clap::Args)]
pub(super) struct Resources {
    /// How many tasks may run at once [default: the number of cores].
    #[arg(short, long, value_name = "N", env = "RECFLOW_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Threads that all computing tasks together may use [default: the number of cores].
    #[arg(long, value_name = "N", env = "RECFLOW_THREADS", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// A prefix of environment variables whose values templates read as `secrets.NAME`.
const SECRET_PREFIX: &str = "RECFLOW_SECRET_";

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut loaded = load::find(&args.file, workspace)?;
    load::settings(workspace, &mut io::stderr(), terminal.err_color)?.limits.apply(&mut loaded);
    let Some(source) = load::accept(loaded, &mut io::stderr(), terminal.err_color)? else { return Ok(Exit::Usage) };
    let Some(params) = args.params.resolve(&source.pipeline, &mut io::stderr(), terminal.err_color)? else { return Ok(Exit::Usage) };
    if args.dry_run {
        plan::print(&source.pipeline, &params, workspace, args.execution.json, out)?;
        return Ok(Exit::Success);
    }
    launch(source, params, &args.execution, workspace, terminal, out)
}

/// Creates a run, executes it and prints its result.
pub(super) fn launch(
    source: Source,
    params: serde_json::Map<String, serde_json::Value>,
    execution: &Execution,
    workspace: &Workspace,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    if !execution.ignore_memory {
        plan::check_memory(&source.pipeline, &plan::estimates(&source.pipeline, &params, workspace), machine_memory())?;
    }
    let (mut driver, interrupts) = driver(execution, workspace)?;
    let Source { pipeline, text, file } = source;
    let at_limit = if execution.no_wait { AtLimit::Refuse } else { AtLimit::Wait };
    let launch = Launch { pipeline, text, file: Some(file), params, trigger: Trigger::Manual, logical_date: None, at_limit };
    let id = driver.launch(launch)?;
    finish(driver, &id, &interrupts, execution, workspace, terminal, out)
}

/// The secrets in the environment. Variables that are not text are none: templates know only text.
fn secrets() -> BTreeMap<String, String> {
    let text =
        |(name, value): (OsString, OsString)| Some((name.to_str()?.strip_prefix(SECRET_PREFIX)?.to_owned(), value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// What `recflow.yaml` of the workspace says of how much may run at once.
pub(super) fn limits(workspace: &Workspace) -> Result<Limits, Failure> {
    Ok(load::settings(workspace, &mut io::stderr(), false)?.limits)
}

/// A driver that Ctrl-C cancels.
pub(super) fn driver(execution: &Execution, workspace: &Workspace) -> Result<(Service, Interrupts), Failure> {
    let driver = Service::start(
        workspace.clone(),
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        options(&execution.resources, limits(workspace)?),
    )?;
    let handle = driver.handle();
    let interrupts = cancel_on_signal(move |force, reason| handle.cancel(force, reason))?;
    Ok((driver, interrupts))
}

/// What the command line says about how runs execute.
pub(super) fn options(resources: &Resources, limits: Limits) -> Options {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Options {
        jobs: resources.jobs.map_or(cores, usize::from),
        threads: resources.threads.map_or(cores, usize::from),
        grace: Duration::from_secs(10),
        secrets: secrets(),
        patience: Patience::ForLocks,
        role: Role::Command,
        limits,
    }
}

/// Executes what the driver has taken over and prints the result of run `id`.
pub(super) fn finish(
    mut driver: Service,
    id: &RunId,
    interrupts: &Interrupts,
    execution: &Execution,
    workspace: &Workspace,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut observer = view::observer(execution.quiet || execution.json && !terminal.live, terminal);
    let driven = driver.drive(&mut *observer);
    drop(observer);
    driven.map_err(|error| {
        Failure::from(error).with_hint(format!("what had succeeded is kept: `recflow resume {id}` goes on once the cause is mended"))
    })?;
    let printed = print_result(&driver, id, execution, workspace, terminal, out).and_then(|()| Ok(out.flush()?));
    match printed {
        // Whoever stopped reading (`recflow run … | head`) has not made the run fail.
        Err(failure) if !failure.is_broken_pipe() => return Err(failure),
        _ => {}
    }
    let status = driver.store().read(|view| view.run(id))?.status;
    Ok(match status {
        recflow_state::RunStatus::Succeeded => Exit::Success,
        recflow_state::RunStatus::Cancelled if interrupts.any() => Exit::Interrupted,
        _ => Exit::Failed,
    })
}

/// Prints a run as `--json`, `--quiet` or neither ask for.
pub(super) fn print_result(
    driver: &Service,
    id: &RunId,
    execution: &Execution,
    workspace: &Workspace,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let now = super::status::now();
    let mut failed = Ok(());
    let report = driver.store().read(|view| facts::full(workspace, view, id, now))?;
    if execution.json {
        failed = serde_json::to_writer_pretty(&mut *out, &report).map_err(io::Error::from).and_then(|()| writeln!(out));
    } else if !execution.quiet {
        failed = view::summary(&report, terminal.out_color, out);
    }
    failed?;
    if execution.json || execution.quiet {
        view::errors(&report, &mut io::stderr(), terminal.err_color)?;
    }
    Ok(())
}
