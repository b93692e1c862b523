//! What a sweep would delete. Reads only.

use std::collections::HashSet;

use recflow_state::{Kept, Result, RunId, UnixMs, View};

use super::files::{self, FileOf, Kind};
use crate::pipeline::Retention;
use crate::workspace::Workspace;

/// A file without a run may belong to one that is just being restored or copied: it is left alone for so long.
const ORPHAN_MS_MIN: i64 = 3_600_000;
/// Slots are kept for so long however many there are: until then they tell that a clock which was set back has fired already.
const SLOTS_MS_MIN: i64 = 7 * 86_400_000;

/// What a sweep deletes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Runs, those that go by age in front.
    pub runs: Vec<RunId>,
    /// Files: those of these runs, those of no run, old logs.
    pub files: Vec<FileOf>,
    /// Pipelines whose slots are looked through.
    pub pipelines: Vec<String>,
    /// Slots before this go.
    pub slots_before: UnixMs,
    /// Those before this go too, save so many of each pipeline.
    pub surplus_slots_before: UnixMs,
    /// How many slots, and runs, of a pipeline are kept.
    pub keep: u32,
}

/// What `policy` says of the store and the files at `now`.
pub fn plan(view: &View<'_>, workspace: &Workspace, policy: &Retention, now: UnixMs) -> Result<Plan> {
    let ago = |age: std::time::Duration| UnixMs(now.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)));
    let mut pipelines = view.pipelines_with_runs()?;
    let mut runs = view.ended_before(ago(policy.older_than))?;
    let mut doomed: HashSet<RunId> = runs.iter().cloned().collect();
    for pipeline in &pipelines {
        let surplus = view.ended_beyond(pipeline, policy.runs)?;
        runs.extend(surplus.into_iter().filter(|run| doomed.insert(run.clone())));
    }
    pipelines.extend(view.pipelines()?.into_iter().map(|row| row.name));
    pipelines.sort();
    pipelines.dedup();
    let files = doomed_files(files::all(workspace), &doomed, view, policy, ago(policy.logs), now)?;
    let (slots_before, grace) = (ago(policy.older_than), UnixMs(now.0 - SLOTS_MS_MIN));
    Ok(Plan { runs, files, pipelines, slots_before, surplus_slots_before: grace, keep: policy.runs })
}

/// The files that go: with their run, without one, by age, and the oldest logs until the rest fits.
fn doomed_files(
    all: Vec<FileOf>,
    doomed: &HashSet<RunId>,
    view: &View<'_>,
    policy: &Retention,
    logs_before: UnixMs,
    now: UnixMs,
) -> Result<Vec<FileOf>> {
    let mut going = Vec::new();
    let mut logs: Vec<(UnixMs, FileOf)> = Vec::new();
    let mut held_bytes = 0;
    for file in all {
        if doomed.contains(&file.run) {
            going.push(file);
            continue;
        }
        match view.kept(&file.run)? {
            Kept::No if file.modified.0 < now.0.saturating_sub(ORPHAN_MS_MIN) => going.push(file),
            Kept::Over(end) if file.kind == Kind::Logs && end < logs_before => going.push(file),
            Kept::Over(end) if file.kind == Kind::Logs => logs.push((end, file)),
            Kept::UnderWay if file.kind == Kind::Logs => held_bytes += file.bytes,
            Kept::No | Kept::Over(_) | Kept::UnderWay => {}
        }
    }
    // Newest first: what fits stays.
    logs.sort_by_key(|(end, file)| (std::cmp::Reverse(*end), file.run.clone()));
    let mut full = false;
    for (_, file) in logs {
        full = full || held_bytes + file.bytes > policy.max_size;
        if full {
            going.push(file);
        } else {
            held_bytes += file.bytes;
        }
    }
    Ok(going)
}
