//! `recflow history`: what was due when, what became of it, and why. Never writes.

use std::collections::HashSet;
use std::io::{self, Write};

use recflow_state::{Error, Result as StoreResult, Run, RunFilter, SlotRow, Trigger, UnixMs, View};
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::facts::{self, warn_of_damage};
use super::status::{now, open_store, print_json};
use super::{Terminal, view, when};
use crate::workspace::Workspace;

/// Arguments of `recflow history`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow history drift-retrain
  recflow history --since 7d --csv > history.csv
  recflow history drift-retrain --json | jq '.[] | select(.became == \"skipped\") | .reason'

An entry is a slot of a schedule, with its run or the reason why there is none, or a run that something else started.")]
pub(super) struct Args {
    /// The pipeline [default: all].
    pipeline: Option<String>,
    /// Since then: 2d (ago), 2027-03-27, 2027-03-27T02:00 or 2027-03-27T01:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Until then.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many entries, newest first.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Print JSON: a list of entries.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV with a header.
    #[arg(long)]
    csv: bool,
}

/// A slot, a run, or both.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) pipeline: String,
    /// When it was due, RFC 3339; null for a run that no schedule asked for.
    pub(super) due: Option<String>,
    /// Of several slots that were skipped together, the last one; else null.
    pub(super) due_until: Option<String>,
    /// How many slots the entry stands for; 0 for a run that no schedule asked for.
    pub(super) slots: u32,
    /// What became of it: the status of the run, `skipped`, or `deleted` for a run that is no longer kept.
    pub(super) became: String,
    /// Why it was skipped, or why the run ended as it did.
    pub(super) reason: Option<String>,
    pub(super) run: Option<String>,
    pub(super) trigger: Option<&'static str>,
    pub(super) created_at: Option<String>,
    pub(super) started_at: Option<String>,
    pub(super) ended_at: Option<String>,
    /// From due, or created, to the start of the run.
    pub(super) waited_seconds: Option<f64>,
    /// From the start of the run to its end, or to now.
    pub(super) seconds: Option<f64>,
    /// Where the entry stands among the others.
    #[serde(skip)]
    pub(super) at: UnixMs,
}

/// The span that is looked at, from the first instant on and before the second.
struct Span {
    since: UnixMs,
    until: UnixMs,
    limit: u32,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let now = now();
    let time = |flag, text: &Option<String>| text.as_deref().map(|text| when::instant(flag, text, now)).transpose();
    let span = Span {
        since: time("--since", &args.since)?.unwrap_or(UnixMs(i64::MIN)),
        until: time("--until", &args.until)?.unwrap_or(UnixMs(i64::MAX)),
        limit: args.limit,
    };
    let look = |view: &View<'_>| {
        let known = pipelines(view)?;
        let wanted: Vec<String> = match &args.pipeline {
            Some(name) => vec![name.clone()],
            None => known.clone(),
        };
        let mut entries = Vec::new();
        for pipeline in wanted {
            entries.extend(of_pipeline(&pipeline, &span, view, workspace, now)?);
        }
        Ok((entries, known))
    };
    let ((mut entries, known), damage) = match open_store(workspace) {
        Ok(store) => store.read_around_damage(look)?,
        Err(Error::NoStore { .. }) => ((Vec::new(), Vec::new()), Vec::new()),
        Err(error) => return Err(error.into()),
    };
    if let Some(name) = args.pipeline.as_ref().filter(|name| entries.is_empty() && !known.contains(name)) {
        let hint = if known.is_empty() { "nothing has run yet".to_owned() } else { format!("there are {}", known.join(", ")) };
        return Err(Failure::usage(format!("nothing is known of a pipeline `{name}`")).with_hint(hint));
    }
    // Stable: entries of one instant stay in the order of their pipelines.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    entries.truncate(args.limit as usize);
    match (args.json, args.csv) {
        (true, _) => print_json(&entries, out)?,
        (_, true) => csv(&entries, out)?,
        _ if entries.is_empty() => writeln!(out, "nothing was due and nothing ran in that time")?,
        _ => view::events(&entries, now, terminal.out_color, out)?,
    }
    out.flush()?;
    warn_of_damage(&damage)?;
    Ok(Exit::Success)
}

/// Every pipeline that has runs or slots.
fn pipelines(view: &View<'_>) -> StoreResult<Vec<String>> {
    let mut names = view.pipelines_with_runs()?;
    names.extend(view.pipelines()?.into_iter().map(|row| row.name));
    names.sort();
    names.dedup();
    Ok(names)
}

/// The newest entries of a pipeline: its slots with their runs, and the runs that have none.
fn of_pipeline(pipeline: &str, span: &Span, view: &View<'_>, workspace: &Workspace, now: UnixMs) -> StoreResult<Vec<Entry>> {
    let slots = view.slots_between(pipeline, span.since, span.until, span.limit)?;
    let filter =
        RunFilter { pipeline: Some(pipeline.to_owned()), since: Some(span.since), until: Some(span.until), ..RunFilter::default() };
    let runs = view.runs(span.limit, &filter)?;
    let mut shown = HashSet::new();
    let mut entries = Vec::with_capacity(slots.len() + runs.len());
    for slot in slots {
        // A run that cannot be read is among the damage already.
        let run = slot.run.as_ref().and_then(|id| view.run(id).ok());
        shown.extend(slot.run.clone());
        entries.push(entry(Some(&slot), run.as_ref(), workspace, now));
    }
    entries.extend(runs.iter().filter(|run| !shown.contains(&run.id)).map(|run| entry(None, Some(run), workspace, now)));
    Ok(entries)
}

fn entry(slot: Option<&SlotRow>, run: Option<&Run>, workspace: &Workspace, now: UnixMs) -> Entry {
    // The slot of a scheduled run may lie outside of the span.
    let by_schedule = run.filter(|run| run.trigger == Trigger::Schedule);
    let due = slot.map(|slot| slot.at).or(by_schedule.map(|run| run.logical_date));
    let report = run.map(|run| facts::brief(workspace, run, now));
    let at = due.or(run.map(|run| run.created_at)).unwrap_or(now);
    let waited = run.and_then(|run| run.started_at).map(|start| (start.0 - at.0).max(0) as f64 / 1e3);
    let became = match (&report, slot) {
        (Some(report), _) => report.status,
        (None, Some(slot)) if slot.decision == recflow_state::SlotDecision::Run => "deleted",
        (None, _) => "skipped",
    };
    Entry {
        pipeline: slot.map(|slot| &slot.pipeline).or(run.map(|run| &run.pipeline)).cloned().unwrap_or_default(),
        due: due.map(facts::time),
        due_until: slot.filter(|slot| slot.count > 1).map(|slot| facts::time(slot.until)),
        slots: slot.map_or(u32::from(due.is_some()), |slot| slot.count),
        became: became.to_owned(),
        reason: slot.and_then(|slot| slot.reason.clone()).or(run.and_then(|run| run.reason.clone())),
        run: run.map(|run| run.id.to_string()),
        trigger: run.map(|run| run.trigger.as_str()),
        created_at: run.map(|run| facts::time(run.created_at)),
        started_at: run.and_then(|run| run.started_at).map(facts::time),
        ended_at: run.and_then(|run| run.ended_at).map(facts::time),
        waited_seconds: waited,
        seconds: report.and_then(|report| report.seconds),
        at,
    }
}

fn csv(entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "pipeline,due,due_until,slots,became,reason,run,trigger,created_at,started_at,ended_at,waited_seconds,seconds")?;
    let text = |value: &Option<String>| quoted(value.as_deref().unwrap_or_default());
    let number = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_default();
    for entry in entries {
        let fields = [
            quoted(&entry.pipeline),
            text(&entry.due),
            text(&entry.due_until),
            entry.slots.to_string(),
            quoted(&entry.became),
            text(&entry.reason),
            text(&entry.run),
            entry.trigger.unwrap_or_default().to_owned(),
            text(&entry.created_at),
            text(&entry.started_at),
            text(&entry.ended_at),
            number(entry.waited_seconds),
            number(entry.seconds),
        ];
        writeln!(out, "{}", fields.join(","))?;
    }
    Ok(())
}

/// A field as RFC 4180 has it. A reason may begin as a formula does, which a spreadsheet must not execute.
fn quoted(field: &str) -> String {
    let defused = if field.starts_with(['=', '+', '-', '@']) { format!("'{field}") } else { field.to_owned() };
    if defused.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", defused.replace('"', "\"\"")) } else { defused }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_must_be_and_is_never_a_formula() {
        assert_eq!([quoted("plain"), quoted("a, \"b\""), quoted("=1+1")], ["plain", "\"a, \"\"b\"\"\"", "'=1+1"]);
    }
}
