//! `recflow runs`: runs by pipeline, status, trigger and time, page by page. Never writes.

use std::io::{self, Write};

use recflow_state::{Damage, Error, Reader, Run, RunFilter, RunStatus, Trigger, UnixMs};

use super::exit::{Exit, Failure};
use super::facts::{ListedRun, warn_of_damage};
use super::status::{now, open_store, print_json};
use super::{Terminal, view, when};
use crate::engine::{Standing, standing};
use crate::workspace::Workspace;

/// What `--status` takes besides the stored ones: a run whose process died.
const INTERRUPTED: &str = "interrupted";
/// Runs that are looked through at once for interrupted ones.
const PAGE: u32 = 200;

/// Arguments of `recflow runs`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow runs --status failed --since 1d
  recflow runs --pipeline drift-retrain -n 100 --json | jq '.[].seconds'
  recflow runs --before k3f9zt81m2qa

A page ends with the command for the next one.")]
pub(super) struct Args {
    /// Only runs of this pipeline.
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Only runs that stand so: queued, running, succeeded, failed, cancelled or interrupted (its process died).
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Only runs that this started: manual, schedule, event, backfill or simulation.
    #[arg(long, value_name = "TRIGGER")]
    trigger: Option<String>,
    /// Only runs created since then: 2d (ago), 2027-03-27, 2027-03-27T02:00 or 2027-03-27T01:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only runs created before then.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only runs that come after this one in the list: the next page.
    #[arg(long, value_name = "RUN")]
    before: Option<String>,
    /// How many runs to list, newest first.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Print JSON: a list of runs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let now = now();
    let (filter, interrupted) = filter(&args, now)?;
    let page = match open_store(workspace) {
        Ok(store) => page(&args, filter, interrupted, &store, workspace)?,
        // A workspace in which nothing has run yet is no error.
        Err(Error::NoStore { .. }) => Page::default(),
        Err(error) => return Err(error.into()),
    };
    let listed: Vec<ListedRun> = page.runs.iter().map(|run| ListedRun::of(workspace, run, now)).collect();
    if args.json {
        print_json(&listed, out)?;
    } else if listed.is_empty() {
        writeln!(out, "{}", nothing(&args, page.any, workspace))?;
    } else {
        let reports: Vec<_> = listed.into_iter().map(|run| run.report).collect();
        view::runs(&reports, now, terminal.out_color, out)?;
        if let Some(last) = reports.last().filter(|_| page.more) {
            let again = again(&args);
            writeln!(io::stderr(), "\nmore: recflow runs{again} --before {}{}", last.run, workspace.flags())?;
        }
    }
    out.flush()?;
    warn_of_damage(&page.damage)?;
    Ok(Exit::Success)
}

/// The filter, and whether only runs whose process died are wanted.
fn filter(args: &Args, now: UnixMs) -> Result<(RunFilter, bool), Failure> {
    let interrupted = args.status.as_deref() == Some(INTERRUPTED);
    let status = match args.status.as_deref() {
        None => None,
        Some(INTERRUPTED) => Some(RunStatus::Running),
        Some(word) => Some(RunStatus::parse(word).map_err(|error| Failure::usage(format!("`--status`: {error}, {INTERRUPTED}")))?),
    };
    let trigger = args.trigger.as_deref().map(Trigger::parse).transpose();
    let time = |flag, text: &Option<String>| text.as_deref().map(|text| when::instant(flag, text, now)).transpose();
    let filter = RunFilter {
        pipeline: args.pipeline.clone(),
        status,
        trigger: trigger.map_err(|error| Failure::usage(format!("`--trigger`: {error}")))?,
        since: time("--since", &args.since)?,
        until: time("--until", &args.until)?,
        before: None,
    };
    Ok((filter, interrupted))
}

/// One page of the list.
#[derive(Default)]
struct Page {
    runs: Vec<Run>,
    /// Whether others follow.
    more: bool,
    /// Whether there is any run at all.
    any: bool,
    damage: Vec<Damage>,
}

fn page(args: &Args, mut filter: RunFilter, interrupted: bool, store: &Reader, workspace: &Workspace) -> Result<Page, Failure> {
    let (mut page, damage) = store.read_around_damage(|view| {
        if let Some(selector) = &args.before {
            filter.before = Some(view.find_run(selector)?.id);
        }
        let wanted = |run: &Run| match (interrupted, filter.status) {
            (true, _) => matches!(standing(workspace, run), Standing::Interrupted),
            (false, Some(RunStatus::Running)) => matches!(standing(workspace, run), Standing::Live { .. }),
            (false, _) => true,
        };
        let any = !view.runs(1, &RunFilter::default())?.is_empty();
        // Whether a running run lives only its owner's lock can tell: such runs are looked through in pages. They are few.
        let sifted = filter.status == Some(RunStatus::Running);
        let limit = args.limit as usize;
        let (mut runs, mut cursor) = (Vec::new(), filter.clone());
        loop {
            let found = view.runs(if sifted { PAGE } else { args.limit + 1 }, &cursor)?;
            let last = found.last().map(|run| run.id.clone());
            let is_last = !sifted || found.len() < PAGE as usize;
            runs.extend(found.into_iter().filter(wanted));
            if is_last || runs.len() > limit {
                break;
            }
            cursor.before = last;
        }
        let more = runs.len() > limit;
        runs.truncate(limit);
        Ok(Page { runs, more, any, damage: Vec::new() })
    })?;
    page.damage = damage;
    Ok(page)
}

fn nothing(args: &Args, any: bool, workspace: &Workspace) -> String {
    let narrowed = [&args.status, &args.trigger, &args.since, &args.until, &args.before].iter().any(|given| given.is_some());
    match &args.pipeline {
        _ if !any => format!("nothing has run in `{}` yet; try `recflow run quickstart`", workspace.root().display()),
        Some(pipeline) if !narrowed => format!("no run is of a pipeline `{pipeline}`; `recflow runs` lists what ran"),
        _ => "no run is like that; `recflow runs` lists what ran".to_owned(),
    }
}

/// The options of this call, to be given again for the next page.
fn again(args: &Args) -> String {
    let given = [
        ("pipeline", &args.pipeline),
        ("status", &args.status),
        ("trigger", &args.trigger),
        ("since", &args.since),
        ("until", &args.until),
    ];
    let mut text: String = given.iter().filter_map(|(name, value)| Some(format!(" --{name} {}", value.as_ref()?))).collect();
    if args.limit != 20 {
        text.push_str(&format!(" -n {}", args.limit));
    }
    text
}
