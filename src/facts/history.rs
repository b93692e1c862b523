//! What was due when, what became of it, and why: slots with their runs, and runs that no schedule asked for.

use std::collections::HashSet;

use recflow_state::{Result, Run, RunFilter, SlotDecision, SlotRow, Trigger, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;

use super::run::brief;
use super::units::{seconds, time};
use crate::workspace::Workspace;

/// A slot, a run, or both.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Entry {
    /// The pipeline.
    pub pipeline: String,
    /// When it was due, RFC 3339; null for a run that no schedule asked for.
    pub due: Option<String>,
    /// Of several slots that were skipped together, the last one; else null.
    pub due_until: Option<String>,
    /// How many slots the entry stands for; 0 for a run that no schedule asked for.
    pub slots: u32,
    /// What became of it: the status of the run, `skipped`, or `deleted` for a run that is no longer kept.
    pub became: String,
    /// Why it was skipped, or why the run ended as it did.
    pub reason: Option<String>,
    /// The run, if there was one.
    pub run: Option<String>,
    /// What created it.
    pub trigger: Option<&'static str>,
    /// When it was created, RFC 3339, as the two below.
    pub created_at: Option<String>,
    /// When its first task could start.
    pub started_at: Option<String>,
    /// When it was over.
    pub ended_at: Option<String>,
    /// From due, or created, to the start of the run.
    pub waited_seconds: Option<f64>,
    /// From the start of the run to its end, or to now.
    pub seconds: Option<f64>,
    /// Where the entry stands among the others.
    #[serde(skip)]
    pub at: UnixMs,
}

/// The span that is looked at, from the first instant on and before the second.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// From here on.
    pub since: UnixMs,
    /// Before this.
    pub until: UnixMs,
    /// How many entries at most.
    pub limit: u32,
}

/// The newest entries of these pipelines in a span, newest first.
pub fn history(pipelines: &[String], span: &Span, view: &View<'_>, workspace: &Workspace, now: UnixMs) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for pipeline in pipelines {
        entries.extend(of_pipeline(pipeline, span, view, workspace, now)?);
    }
    // Stable: entries of one instant stay in the order of their pipelines.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    entries.truncate(span.limit as usize);
    Ok(entries)
}

/// Every pipeline that has runs or slots.
pub fn names(view: &View<'_>) -> Result<Vec<String>> {
    let mut names = view.pipelines_with_runs()?;
    names.extend(view.pipelines()?.into_iter().map(|row| row.name));
    names.sort();
    names.dedup();
    Ok(names)
}

/// The newest entries of a pipeline: its slots with their runs, and the runs that have none.
fn of_pipeline(pipeline: &str, span: &Span, view: &View<'_>, workspace: &Workspace, now: UnixMs) -> Result<Vec<Entry>> {
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
    let report = run.map(|run| brief(workspace, run, now));
    let at = due.or(run.map(|run| run.created_at)).unwrap_or(now);
    let waited = run.and_then(|run| run.started_at).map(|start| seconds(at, start));
    let became = match (&report, slot) {
        (Some(report), _) => report.status,
        (None, Some(slot)) if slot.decision == SlotDecision::Run => "deleted",
        (None, _) => "skipped",
    };
    Entry {
        pipeline: slot.map(|slot| &slot.pipeline).or(run.map(|run| &run.pipeline)).cloned().unwrap_or_default(),
        due: due.map(time),
        due_until: slot.filter(|slot| slot.count > 1).map(|slot| time(slot.until)),
        slots: slot.map_or(u32::from(due.is_some()), |slot| slot.count),
        became: became.to_owned(),
        reason: slot.and_then(|slot| slot.reason.clone()).or(run.and_then(|run| run.reason.clone())),
        run: run.map(|run| run.id.to_string()),
        trigger: run.map(|run| run.trigger.as_str()),
        created_at: run.map(|run| time(run.created_at)),
        started_at: run.and_then(|run| run.started_at).map(time),
        ended_at: run.and_then(|run| run.ended_at).map(time),
        waited_seconds: waited,
        seconds: report.and_then(|report| report.seconds),
        at,
    }
}
