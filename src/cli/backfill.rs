//! `recflow backfill`: runs for the dates of the past on which a pipeline was, or would have been, due.

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use recflow_state::{Error, RunFilter};
use serde_json::json;

use super::Terminal;
use super::exit::{Exit, Failure};
use super::load::{self, ParamArgs};
use super::peer::{new_run_id, open_for_writing, wake_daemon};
use super::status::{now, open_store};
use crate::engine::pin;
use crate::pipeline::instant::{FORMS, Moment};
use crate::scheduler::backfill::{Backfill, DATES_MAX, Date, Reprocess, slots_between};
use crate::scheduler::by_hand::cancel_backfill;
use crate::workspace::Workspace;

/// Runs of a pipeline that are looked through for those of the dates.
const RUNS_MAX: u32 = 100_000;

/// Arguments of `recflow backfill`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The dates are the slots of the pipeline's schedule. The daemon executes the runs, as many at once as --max-active says.

Examples:
  recflow backfill nightly --from 2026-01-01 --to 2026-01-31 --dry-run
  recflow backfill nightly --from 2026-01-01 --to 2026-01-31 --reprocess failed --max-active 2
  recflow backfill --cancel 3"
)]
pub(super) struct Args {
    /// A pipeline's name in `pipelines/`, or a file.
    #[arg(value_name = "PIPELINE", required_unless_present = "cancel")]
    pipeline: Option<PathBuf>,
    /// Call off backfill N: what waits is cancelled, what runs is asked to end.
    #[arg(long, value_name = "N", conflicts_with_all = ["pipeline", "from", "to"])]
    cancel: Option<i64>,
    /// The first date or instant, such as 2026-01-31 or 2026-01-31T06:00; read in the schedule's zone.
    #[arg(long, value_name = "TIME", required_unless_present = "cancel")]
    from: Option<String>,
    /// The last one, included; a date stands for its last instant.
    #[arg(long, value_name = "TIME", required_unless_present = "cancel")]
    to: Option<String>,
    /// Which dates run again that had a run before.
    #[arg(long, value_name = "WHICH", default_value = "none", value_enum)]
    reprocess: Which,
    /// How many of its runs may be under way at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    max_active: u32,
    /// Newest date first.
    #[arg(long)]
    backwards: bool,
    /// List the dates, and create nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    params: ParamArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    None,
    Failed,
    Completed,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    if let Some(number) = args.cancel {
        return cancel(number, workspace, out);
    }
    let (Some(name), Some(from), Some(to)) = (&args.pipeline, &args.from, &args.to) else { return Ok(Exit::Usage) };
    let loaded = load::find(name, workspace)?;
    let Some(source) = load::accept(loaded, &mut io::stderr(), terminal.err_color)? else { return Ok(Exit::Usage) };
    let Some(params) = args.params.resolve(&source.pipeline, &mut io::stderr(), terminal.err_color)? else { return Ok(Exit::Usage) };
    let pipeline = &source.pipeline;
    let Some(schedule) = pipeline.schedules.first() else {
        let failure = Failure::usage(format!("`{}` has no schedule, so there are no dates", pipeline.name));
        return Err(failure.with_hint("give it a `schedule`, or use `recflow trigger` for single runs"));
    };
    let zone = schedule.timezone.clone();
    let span = (instant(from, &zone, false)?, instant(to, &zone, true)?);
    if span.1 < span.0 {
        return Err(Failure::usage(format!("--to {to} is before --from {from}")));
    }
    let Some(slots) = slots_between(pipeline, span) else {
        let failure = Failure::usage(format!("more than {DATES_MAX} dates lie between {from} and {to}"));
        return Err(failure.with_hint("backfill a shorter span"));
    };
    let filter = RunFilter { pipeline: Some(pipeline.name.clone()), ..RunFilter::default() };
    // Looking at the dates writes nothing.
    let runs = match open_store(workspace) {
        Ok(store) => store.read(|view| view.runs(RUNS_MAX, &filter))?,
        Err(Error::NoStore { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let reprocess = match args.reprocess {
        Which::None => Reprocess::None,
        Which::Failed => Reprocess::Failed,
        Which::Completed => Reprocess::Completed,
    };
    let backfill = Backfill { pipeline, params: &params, span, reprocess, max_active: args.max_active, backwards: args.backwards };
    let dates = backfill.dates(slots, &runs);
    if args.dry_run {
        return list(&dates, args.json, out);
    }
    let (store, at) = (open_for_writing(workspace)?, now());
    let (number, count) = store.write(|tx| {
        let version = pin(tx, &pipeline.name, &source.text, Some(&source.file), at)?;
        backfill.record(tx, workspace, version, &dates, at, new_run_id)
    })?;
    let daemon = wake_daemon(workspace, &store)?;
    match args.json {
        true => writeln!(out, "{}", json!({ "backfill": number, "runs": count, "dates": dates.len() }))?,
        false => writeln!(out, "backfill {number}: {count} runs of `{}` for {} dates", pipeline.name, dates.len())?,
    }
    if daemon.is_none() && count > 0 {
        writeln!(io::stderr(), "no daemon is at work here; the runs wait for one: `recflow daemon{}`", workspace.flags())?;
    }
    Ok(Exit::Success)
}

/// Calls a backfill off.
fn cancel(number: i64, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (store, at) = (open_for_writing(workspace)?, now());
    let Some((waiting, live)) = store.write(|tx| cancel_backfill(tx, number, at))? else {
        return Err(
            Failure::usage(format!("there is no backfill {number}")).with_hint("`recflow runs --trigger backfill` lists their runs")
        );
    };
    wake_daemon(workspace, &store)?;
    writeln!(out, "backfill {number}: {waiting} runs had not begun and are cancelled, {live} under way are asked to end")?;
    Ok(Exit::Success)
}

fn list(dates: &[Date], json: bool, out: &mut dyn Write) -> Result<Exit, Failure> {
    if json {
        let shown = |date: &Date| {
            let (run, status) = date.last.as_ref().map_or((None, None), |(run, status)| (Some(run), Some(status.as_str())));
            json!({ "time": date.at.to_string(), "would_run": date.wanted, "last_run": run, "last_status": status })
        };
        writeln!(out, "{:#}", serde_json::Value::Array(dates.iter().map(shown).collect()))?;
        return Ok(Exit::Success);
    }
    for date in dates {
        let before = date.last.as_ref().map(|(run, status)| format!("run {run} {status}"));
        match (date.wanted, before) {
            (true, None) => writeln!(out, "{}", date.at)?,
            (true, Some(before)) => writeln!(out, "{}  again: {before}", date.at)?,
            (false, before) => writeln!(out, "{}  not: {}", date.at, before.unwrap_or_default())?,
        }
    }
    writeln!(out, "{} of {} dates would run", dates.iter().filter(|date| date.wanted).count(), dates.len())?;
    Ok(Exit::Success)
}

/// An instant; a date is its first one, or its last one for the end of a span.
fn instant(text: &str, zone: &TimeZone, is_end: bool) -> Result<Timestamp, Failure> {
    let parsed = Moment::parse(text).and_then(|moment| if is_end { moment.end(zone) } else { moment.start(zone) });
    parsed.ok_or_else(|| Failure::usage(format!("`{text}` is not a date or time")).with_hint(FORMS))
}
