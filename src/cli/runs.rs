//! `recflow runs`: runs by pipeline, status, trigger and time, page by page. Never writes.

use std::io::{self, Write};

use recflow_state::{Error, RunFilter, Trigger, UnixMs, View};

use super::exit::{Exit, Failure};
use super::status::{now, open_store, print_json, warn_of_damage};
use super::{Terminal, view, when};
use crate::facts::ListedRun;
use crate::facts::list::{Page, Wanted, page, wanted};
use crate::workspace::Workspace;

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
    let (mut filter, standing) = filter(&args, now)?;
    let look = |view: &View<'_>| {
        if let Some(selector) = &args.before {
            filter.before = Some(view.find_run(selector)?.id);
        }
        page(view, &filter, standing, args.limit, workspace)
    };
    let (page, damage) = match open_store(workspace) {
        Ok(store) => store.read_around_damage(look)?,
        // A workspace in which nothing has run yet is no error.
        Err(Error::NoStore { .. }) => (Page::default(), Vec::new()),
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
    warn_of_damage(&damage)?;
    Ok(Exit::Success)
}

/// The filter, and which of the runs that pass it are wanted.
fn filter(args: &Args, now: UnixMs) -> Result<(RunFilter, Wanted), Failure> {
    let status = args.status.as_deref().map(wanted).transpose();
    let (status, standing) = status.map_err(|error| Failure::usage(format!("`--status`: {error}")))?.unwrap_or_default();
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
    Ok((filter, standing))
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
