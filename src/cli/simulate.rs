//! `recflow simulate`: plays a pipeline that watches a stream through ratings of the past.

use std::io::{self, Write};
use std::path::PathBuf;

use recflow_stages::Context;
use recflow_stages::storage::write_atomically;

use super::ask;
use super::exit::{Exit, Failure};
use super::load::{self, ParamArgs};
use super::run::{Resources, limits, options};
use super::signals::cancel_on_signal;
use super::{Terminal, view};
use crate::engine::entropy::{Entropy, SystemEntropy};
use crate::simulation::{self, Ask, Ended, Every, Journal, Place, Policy, SimulationResult, Stop, Subject};
use crate::workspace::Workspace;

/// Arguments of `recflow simulate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For each period its ratings arrive as a stream file and the pipeline runs with the period's end as its date, in a copy of
the workspace: your datasets and models are not touched. The same command goes on with a simulation that was not finished.

Examples:
  recflow simulate drift-retrain --every month
  recflow simulate drift-retrain --every week --policy drift,always,never -p rank=32
  recflow simulate drift-retrain --every quarter --from 2005-01-01 --to 2005-12-31 --json
  recflow simulate --resume latest"
)]
pub(super) struct Args {
    /// A pipeline's file, or its name as `recflow run` takes it; it takes in a stream, judges drift and promotes.
    #[arg(value_name = "FILE", required_unless_present = "resume")]
    file: Option<PathBuf>,
    /// The stream, relative to the workspace: CSV ordered by date, as `create_futures` writes it.
    #[arg(long, value_name = "CSV", default_value = "data/processed/future.csv")]
    stream: String,
    /// How long a period is. Weeks begin on Monday.
    #[arg(long, value_name = "PERIOD", required_unless_present = "resume")]
    every: Option<Every>,
    /// Leave out ratings before this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<String>,
    /// Leave out ratings after this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<String>,
    /// Who decides whether to retrain; several are compared.
    #[arg(long, value_name = "POLICY", value_delimiter = ',', default_value = "drift")]
    policy: Vec<Policy>,
    #[command(flatten)]
    params: ParamArgs,
    /// Where the simulation lies, relative to the workspace [default: .recflow/simulations/NAME].
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Go on with this simulation: its id, a unique beginning of it, `latest`, or its folder.
    #[arg(long, value_name = "SIMULATION", conflicts_with_all = ["file", "stream", "every", "from", "to", "policy", "param", "params", "output", "fresh"])]
    resume: Option<String>,
    /// Begin anew, even if a simulation of this command was not finished.
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    resources: Resources,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    /// Print nothing but errors.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let stop = Stop::default();
    let asked = stop.clone();
    let _interrupts = cancel_on_signal(move |force, reason| asked.ask(force, reason))?;
    let context = Context { storage: recflow_stages::storage::from_environment(), cancel: stop.token(), ..ask::context(workspace) };
    let root = workspace.home().join("simulations");
    let mut watch = view::Watch::new(args.quiet, terminal);
    let resources = options(&args.resources, limits(workspace)?);
    let journal = match &args.resume {
        Some(name) => {
            let journal = simulation::find(name, &root, &context).map_err(Failure::misuse)?;
            watch.resumed(&journal);
            journal
        }
        None => match begin(&args, &root, workspace, &context, terminal, &mut watch) {
            Ok(Some(journal)) => journal,
            Ok(None) => return Ok(Exit::Usage),
            Err(_) if stop.is_asked() => return Ok(Exit::Interrupted),
            Err(failure) => return Err(failure),
        },
    };
    let pipeline = simulation::pipeline(&journal).map_err(Failure::stage)?;
    let again = format!("recflow simulate --resume {}{}", named(&args, &journal), workspace.flags());
    let ended = simulation::simulate(&journal, &pipeline, &resources, &stop, &mut watch)
        .map_err(|error| Failure::from(error).with_hint(format!("what is finished is kept: `{again}` goes on once the cause is mended")))?;
    watch.clear();
    match ended {
        Ended::Finished(result) => {
            let page = journal.folder().join("report.html");
            let text = view::simulation_page(&result).render();
            write_atomically(&*context.storage, &page, |file| file.write_all(text.as_bytes())).map_err(Failure::stage)?;
            print(&result, &journal, &args, out)?;
            Ok(Exit::Success)
        }
        Ended::Stopped => {
            writeln!(io::stderr(), "stopped; `{again}` goes on")?;
            Ok(Exit::Interrupted)
        }
        Ended::Failed { workspace, period, run, failures } => {
            let flags = Workspace::new(&workspace, None)?.flags();
            let why = if failures.is_empty() { String::new() } else { format!(": {}", failures.join("; ")) };
            Err(Failure::failed(format!("the run of period {period} failed{why}"))
                .with_hint(format!("`recflow logs {run}{flags}` tells more; `{again}` goes on once the cause is mended")))
        }
    }
}

/// How a person names this simulation again.
fn named(args: &Args, journal: &Journal) -> String {
    match &args.output {
        Some(folder) if folder.components().count() > 1 => folder.display().to_string(),
        Some(folder) => format!("./{}", folder.display()),
        None => args.resume.clone().filter(|name| name.contains('/')).unwrap_or_else(|| journal.id()),
    }
}

/// Begins a simulation or goes on with an unfinished one. `None` if the pipeline is not valid; its diagnostics are printed.
fn begin(
    args: &Args,
    root: &std::path::Path,
    workspace: &Workspace,
    context: &Context,
    terminal: &Terminal,
    watch: &mut view::Watch,
) -> Result<Option<Journal>, Failure> {
    let (Some(file), Some(every)) = (&args.file, args.every) else {
        return Err(Failure::usage("a pipeline and `--every` are needed"));
    };
    let loaded = load::find(file, workspace)?;
    let Some(source) = load::accept(loaded, &mut io::stderr(), terminal.err_color)? else { return Ok(None) };
    let Some(params) = args.params.resolve(&source.pipeline, &mut io::stderr(), terminal.err_color)? else { return Ok(None) };
    let mut policies = Vec::new();
    for policy in &args.policy {
        if !policies.contains(policy) {
            policies.push(*policy);
        }
    }
    let subject = Subject::of(&source.pipeline, &params, &policies).map_err(Failure::misuse)?;
    let ask = Ask {
        file: source.file,
        text: source.text,
        params,
        stream: args.stream.clone(),
        every,
        from: args.from.clone(),
        to: args.to.clone(),
        policies,
    };
    let folder = args.output.as_ref().map(|folder| workspace.root().join(folder));
    let place = Place { root: root.to_owned(), folder, fresh: args.fresh, random: SystemEntropy.next() };
    let (journal, resumed) = simulation::prepare(ask, &source.pipeline, &subject, &place, context).map_err(Failure::stage)?;
    if resumed {
        watch.resumed(&journal)
    } else {
        watch.prepared(&journal)
    }
    Ok(Some(journal))
}

fn print(result: &SimulationResult, journal: &Journal, args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    if args.json {
        serde_json::to_writer_pretty(&mut *out, result).map_err(io::Error::from)?;
        writeln!(out)?;
    } else if !args.quiet {
        view::simulation(result, journal.folder(), out)?;
    }
    Ok(())
}
