//! Conditional triggers: a run of another pipeline, a dataset, a file.
//!
//! What a trigger has seen is kept in the store and moves in the transaction that creates the run, so that an event is neither lost nor
//! used twice. What was there when a trigger is first seen starts nothing.

use std::collections::BTreeMap;

use recflow_state::{Run, RunId, SlotRow, Trigger, TriggerStateRow, Tx, UnixMs};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::catalog::Entry;
use super::tick::{Ticker, resolve};
use super::world::World;
use crate::engine::timestamp;
use crate::pipeline::{EndStatus, EventSource, EventTrigger, ParamInput, Pipeline, Scope};

/// So many ends of runs are taken in at one look at most.
const ENDS_PER_LOOK: u32 = 1_000;

/// So many runs in a row may have led to one another: pipelines that wait for each other would never stop.
const CHAIN_MAX: u64 = 50;

/// What a trigger has seen. The serialised form is stored: names and fields are pinned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
struct Seen {
    /// Number of the last end of a run.
    #[serde(default)]
    end: i64,
    /// The snapshot of the dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    /// The files and what each looked like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, String>,
}

/// Something that has happened and may start a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Happened {
    /// What templates see: as `run` if a run of another pipeline ended, else as `event`.
    scope: Value,
    /// What the run's row says of it.
    cause: Value,
}

/// A trigger's state and what a look made of it.
struct Looked {
    state: TriggerStateRow,
    fires: Vec<Happened>,
    changed: bool,
    /// When to look again because something has to be quiet until then.
    next: Option<UnixMs>,
}

impl Ticker<'_> {
    /// Looks at the triggers of a pipeline. Returns the runs that were created, and when to look again although nothing happens.
    pub fn look_at_triggers(&self, entry: &Entry, world: &dyn World, now: UnixMs) -> recflow_state::Result<(Vec<RunId>, Option<UnixMs>)> {
        let mut created = Vec::new();
        let mut next = None;
        for trigger in &entry.pipeline.triggers {
            let found = world.look(&trigger.source);
            if !self.may_have_news(&entry.pipeline.name, trigger, &found)? {
                continue;
            }
            let runs = self.store.write(|tx| {
                let looked = self.look(tx, entry, trigger, &found, now)?;
                next = [next, looked.next].into_iter().flatten().min();
                if looked.changed {
                    tx.put_trigger_state(&looked.state)?;
                }
                let mut runs = Vec::new();
                for happened in looked.fires {
                    runs.extend(self.fire(tx, entry, trigger, &happened, now)?);
                }
                recflow_state::Result::Ok(runs)
            })?;
            created.extend(runs);
        }
        Ok((created, next))
    }

    /// Whether there may be something to write: most looks find nothing, and read only.
    fn may_have_news(&self, pipeline: &str, trigger: &EventTrigger, found: &Found) -> recflow_state::Result<bool> {
        let (state, last_end) = self.store.read(|view| Ok((view.trigger_state(pipeline, &trigger.key())?, view.last_run_end()?)))?;
        let Some(state) = state.filter(|state| state.pending.is_none()) else { return Ok(true) };
        let seen = seen(&state);
        Ok(match trigger.source {
            EventSource::Pipeline { .. } => seen.end != last_end,
            EventSource::Dataset { .. } | EventSource::File { .. } => found.differs(&seen),
        })
    }

    fn look(&self, tx: &Tx<'_>, entry: &Entry, trigger: &EventTrigger, found: &Found, now: UnixMs) -> recflow_state::Result<Looked> {
        let (pipeline, key) = (&entry.pipeline.name, trigger.key());
        let Some(state) = tx.trigger_state(pipeline, &key)? else {
            let seen = Seen { end: tx.last_run_end()?, snapshot: found.snapshot.clone(), files: found.files.clone() };
            let state = TriggerStateRow { pipeline: pipeline.clone(), key, seen: json!(seen), pending: None, pending_since: None };
            return Ok(Looked { state, fires: Vec::new(), changed: true, next: None });
        };
        let mut seen = seen(&state);
        let paused = tx.pipeline(pipeline)?.is_some_and(|row| row.paused_at.is_some());
        let mut happened = match &trigger.source {
            EventSource::Pipeline { name, status } => self.ended(tx, trigger, name, *status, &mut seen)?,
            EventSource::Dataset { path } => new_snapshot(path, found, &mut seen),
            EventSource::File { .. } => new_files(found, &mut seen, state.pending.as_ref()),
        };
        if paused {
            happened.clear();
        }
        Ok(debounced(trigger, state, &seen, happened, paused, now))
    }

    /// The ends of runs that the trigger waits for.
    fn ended(
        &self,
        tx: &Tx<'_>,
        trigger: &EventTrigger,
        name: &str,
        status: EndStatus,
        seen: &mut Seen,
    ) -> recflow_state::Result<Vec<Happened>> {
        let mut happened = Vec::new();
        for end in tx.run_ends(seen.end, ENDS_PER_LOOK)? {
            seen.end = end.seq;
            let wanted = status == EndStatus::Any || status.as_str() == end.status.as_str();
            if end.pipeline != name || !wanted {
                continue;
            }
            let run = tx.run(&end.run)?;
            let scope = shown(&run, end.status.as_str(), tx.outputs(&end.run)?);
            let before = run.cause.as_ref().and_then(|cause| cause["chain"].as_u64()).unwrap_or(0);
            let cause = json!({ "pipeline": name, "run": end.run, "status": end.status.as_str(), "chain": before + 1 });
            happened.push(Happened { scope, cause });
        }
        // The condition of a file or dataset is asked when it fires; that of a run must not let others wait with it.
        happened.retain(|happened| is_wanted(trigger, happened).unwrap_or(true));
        Ok(happened)
    }

    /// Creates the run of something that happened.
    fn fire(
        &self,
        tx: &Tx<'_>,
        entry: &Entry,
        trigger: &EventTrigger,
        happened: &Happened,
        now: UnixMs,
    ) -> recflow_state::Result<Option<RunId>> {
        let pipeline = &*entry.pipeline;
        let chained = happened.cause["chain"].as_u64().unwrap_or(0) > CHAIN_MAX;
        let chain = if chained { Err(format!("{CHAIN_MAX} runs in a row have started one another")) } else { Ok(()) };
        let params = match chain
            .and_then(|()| is_wanted(trigger, happened))
            .and_then(|wanted| wanted.then(|| params(pipeline, trigger, happened)).transpose())
        {
            Ok(Some(params)) => params,
            Ok(None) => return Ok(None),
            Err(why) => {
                tracing::warn!(pipeline = pipeline.name, trigger = trigger.key(), why, "an event starts nothing");
                tx.add_slot(&SlotRow::skipped(&pipeline.name, now, &format!("trigger `{}`: {why}", trigger.key()), now))?;
                return Ok(None);
            }
        };
        self.create(tx, entry, &params, Trigger::Event, now, happened.cause.clone(), now).map(Some)
    }
}

/// What a look at the world found for a trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The snapshot of the dataset, if it has one.
    pub snapshot: Option<String>,
    /// The files that match, and what tells one content of each from another.
    pub files: BTreeMap<String, String>,
}

impl Found {
    fn differs(&self, seen: &Seen) -> bool {
        self.snapshot != seen.snapshot || self.files != seen.files
    }
}

fn seen(state: &TriggerStateRow) -> Seen {
    // What cannot be read counts as never seen: everything that is there now, once.
    serde_json::from_value(state.seen.clone()).unwrap_or_default()
}

fn new_snapshot(path: &str, found: &Found, seen: &mut Seen) -> Vec<Happened> {
    if found.snapshot == seen.snapshot {
        return Vec::new();
    }
    seen.snapshot.clone_from(&found.snapshot);
    let Some(snapshot) = &found.snapshot else { return Vec::new() };
    let name = path.rsplit('/').next().unwrap_or(path);
    let scope = json!({ "path": path, "name": name, "paths": [path], "snapshot": snapshot });
    vec![Happened { scope, cause: json!({ "dataset": path, "snapshot": snapshot }) }]
}

/// New files, together with those that wait to be complete already.
fn new_files(found: &Found, seen: &mut Seen, pending: Option<&Value>) -> Vec<Happened> {
    let new: Vec<&String> = found.files.iter().filter(|(path, stamp)| seen.files.get(*path) != Some(stamp)).map(|(path, _)| path).collect();
    let some_new = !new.is_empty();
    let waiting = pending.and_then(|pending| pending["scope"]["paths"].as_array()).into_iter().flatten().filter_map(Value::as_str);
    let mut paths: Vec<String> = waiting.filter(|path| found.files.contains_key(*path)).map(str::to_owned).collect();
    paths.extend(new.into_iter().cloned());
    paths.sort();
    paths.dedup();
    seen.files.clone_from(&found.files);
    let Some(path) = paths.last().filter(|_| some_new) else { return Vec::new() };
    let name = path.rsplit('/').next().unwrap_or(path);
    let scope = json!({ "path": path, "name": name, "paths": paths, "snapshot": null });
    vec![Happened { scope, cause: json!({ "files": paths }) }]
}

/// Holds back what happened until it has been quiet for long enough.
fn debounced(
    trigger: &EventTrigger,
    before: TriggerStateRow,
    seen: &Seen,
    mut happened: Vec<Happened>,
    paused: bool,
    now: UnixMs,
) -> Looked {
    let wait = i64::try_from(trigger.debounce.as_millis()).unwrap_or(i64::MAX);
    let mut state = TriggerStateRow { seen: json!(seen), ..before.clone() };
    let mut fires = Vec::new();
    if paused {
        (state.pending, state.pending_since) = (None, None);
    } else if wait == 0 {
        fires.append(&mut happened);
    } else if let Some(latest) = happened.pop() {
        (state.pending, state.pending_since) = (Some(json!(latest)), Some(now));
    }
    let due = state.pending_since.map(|since| UnixMs(since.0.saturating_add(wait)));
    // A clock that went back must not make it wait longer than asked.
    if due.is_some_and(|due| due <= now || due.0 - now.0 > wait) {
        fires.extend(state.pending.take().and_then(|pending| serde_json::from_value(pending).ok()));
        state.pending_since = None;
    }
    let next = state.pending_since.map(|since| UnixMs(since.0.saturating_add(wait)));
    Looked { changed: state != before, state, fires, next }
}

fn scope(trigger: &EventTrigger, happened: &Happened) -> Scope {
    match trigger.source {
        EventSource::Pipeline { .. } => Scope::of_run(happened.scope.clone()),
        EventSource::Dataset { .. } | EventSource::File { .. } => Scope::of_event(happened.scope.clone()),
    }
}

fn is_wanted(trigger: &EventTrigger, happened: &Happened) -> Result<bool, String> {
    let Some(when) = &trigger.when else { return Ok(true) };
    when.evaluate(&scope(trigger, happened)).map_err(|error| error.to_string())
}

/// The run's parameters: those that the trigger gives, and defaults.
fn params(pipeline: &Pipeline, trigger: &EventTrigger, happened: &Happened) -> Result<Map<String, Value>, String> {
    let given = trigger.params.render(&scope(trigger, happened)).map_err(|error| error.to_string())?;
    let given: Vec<(String, ParamInput)> = given.into_iter().map(|(name, value)| (name, ParamInput::Json(value))).collect();
    resolve(pipeline, &given)
}

/// A run as a trigger on its pipeline sees it.
fn shown(run: &Run, status: &str, outputs: BTreeMap<String, Value>) -> Value {
    json!({
        "id": run.id,
        "pipeline": run.pipeline,
        "status": status,
        "trigger": run.trigger.as_str(),
        "logical_date": timestamp(run.logical_date).to_string(),
        "params": run.params,
        "outputs": outputs,
        "reason": run.reason,
    })
}

#[cfg(test)]
mod tests;
