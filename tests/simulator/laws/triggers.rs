//! No event is lost, none is used twice.

use std::collections::{BTreeMap, BTreeSet};

use recflow::pipeline::{EndStatus, EventSource, EventTrigger, Pipeline};
use recflow_state::{RunFilter, Trigger};
use serde_json::Value;

use crate::world::Common;

/// What a trigger had seen when it was seen first.
#[derive(Debug, Default)]
pub(crate) struct FirstSeen(BTreeMap<String, Value>);

impl FirstSeen {
    /// To be called after each look.
    pub(crate) fn after_a_look<'a>(&mut self, common: &Common, pipelines: impl Iterator<Item = &'a Pipeline>) {
        for (pipeline, trigger) in triggers(pipelines) {
            if self.0.contains_key(&pipeline.name) {
                continue;
            }
            let state = common.store.read(|view| view.trigger_state(&pipeline.name, &trigger.key())).expect("reads do not fail here");
            if let Some(state) = state {
                self.0.insert(pipeline.name.clone(), state.seen);
            }
        }
    }
}

/// A pipeline here has one trigger at most.
fn triggers<'a>(pipelines: impl Iterator<Item = &'a Pipeline>) -> impl Iterator<Item = (&'a Pipeline, &'a EventTrigger)> {
    pipelines.filter_map(|pipeline| Some((pipeline, pipeline.triggers.first()?)))
}

/// `paused`: pipelines that were paused at some time, whose events may have passed by.
pub(crate) fn at_rest<'a>(
    common: &Common,
    pipelines: impl Iterator<Item = &'a Pipeline>,
    first_seen: &FirstSeen,
    paused: &BTreeSet<String>,
) {
    for (pipeline, trigger) in triggers(pipelines) {
        let Some(first) = first_seen.0.get(&pipeline.name) else { continue };
        let filter = RunFilter { pipeline: Some(pipeline.name.clone()), ..RunFilter::default() };
        let runs = common.store.read(|view| view.runs(u32::MAX, &filter)).expect("reads do not fail here");
        let causes: Vec<Value> = runs.iter().filter(|run| run.trigger == Trigger::Event).filter_map(|run| run.cause.clone()).collect();
        let free = !paused.contains(&pipeline.name);
        match &trigger.source {
            EventSource::Pipeline { name, status } => {
                let all = free && trigger.when.is_none() && trigger.debounce.is_zero();
                let some = free && trigger.when.is_none();
                of_ends(common, pipeline, (name, *status), first, &causes, all, some);
            }
            EventSource::File { pattern } => of_files(common, pipeline, pattern, first, &causes, free),
            EventSource::Dataset { path } => of_a_dataset(common, pipeline, path, first, &causes, free),
        }
    }
}

fn of_ends(
    common: &Common,
    pipeline: &Pipeline,
    (name, status): (&str, EndStatus),
    first: &Value,
    causes: &[Value],
    all: bool,
    some: bool,
) {
    let after = first["end"].as_i64().unwrap_or(0);
    let ends = common.store.read(|view| view.run_ends(after, u32::MAX)).expect("reads do not fail here");
    let wanted =
        |end: &&recflow_state::RunEnd| end.pipeline == name && (status == EndStatus::Any || status.as_str() == end.status.as_str());
    let mut open: BTreeMap<String, i64> = BTreeMap::new();
    for end in ends.iter().filter(wanted) {
        *open.entry(format!("{} {}", end.run, end.status.as_str())).or_default() += 1;
    }
    let any = !open.is_empty();
    for cause in causes {
        let what = format!("{} {}", cause["run"].as_str().unwrap_or_default(), cause["status"].as_str().unwrap_or_default());
        let left = open.entry(what.clone()).or_default();
        *left -= 1;
        assert!(*left >= 0, "{} was started once too often by the end of {what}", pipeline.name);
    }
    let lost: Vec<&String> = open.iter().filter(|(_, left)| **left > 0).map(|(what, _)| what).collect();
    assert!(!all || lost.is_empty(), "{} was not started by the ends of {lost:?}", pipeline.name);
    assert!(!some || !any || !causes.is_empty(), "{} was never started", pipeline.name);
}

fn of_files(common: &Common, pipeline: &Pipeline, pattern: &str, first: &Value, causes: &[Value], free: bool) {
    let folder = pattern.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut used: BTreeMap<&str, u32> = BTreeMap::new();
    for path in causes.iter().filter_map(|cause| cause["files"].as_array()).flatten().filter_map(Value::as_str) {
        *used.entry(path).or_default() += 1;
    }
    for path in common.files.of(folder).keys() {
        let times = used.get(path.as_str()).copied().unwrap_or(0);
        assert!(times <= 1, "{} took {path} {times} times", pipeline.name);
        let is_new = first["files"].get(path).is_none();
        assert!(times == 1 || !free || !is_new, "{} did not take {path}", pipeline.name);
    }
}

fn of_a_dataset(common: &Common, pipeline: &Pipeline, path: &str, first: &Value, causes: &[Value], free: bool) {
    let snapshots: Vec<&str> = causes.iter().filter_map(|cause| cause["snapshot"].as_str()).collect();
    let distinct: BTreeSet<&str> = snapshots.iter().copied().collect();
    assert_eq!(distinct.len(), snapshots.len(), "{} was started twice by a snapshot: {snapshots:?}", pipeline.name);
    let newest = common.files.of(path).into_keys().next_back();
    if let Some(newest) = newest.filter(|newest| free && first["snapshot"].as_str() != Some(newest)) {
        assert!(distinct.contains(newest.as_str()), "{} missed the snapshot {newest}", pipeline.name);
    }
}
