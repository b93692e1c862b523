//! What people have pipelines do, whether they ask on a command line or over HTTP: start now, stop starting by themselves.

use recflow_state::{PipelineRow, Result, RunId, Trigger, Tx, UnixMs};
use serde_json::{Map, Value};

use crate::engine::{Enqueue, Wish, ask, enqueue, pin};
use crate::pipeline::Pipeline;
use crate::workspace::Workspace;

/// A run that somebody asks for.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Its id.
    pub id: RunId,
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// Its text.
    pub text: &'a str,
    /// What that is known by.
    pub file: &'a str,
    /// Resolved parameters.
    pub params: &'a Map<String, Value>,
    /// The instant that it stands for.
    pub logical_date: UnixMs,
    /// Who asks.
    pub by: Option<String>,
}

/// Records a run that waits for a daemon to claim it.
///
/// # Errors
/// If the store cannot be written.
pub fn trigger(tx: &Tx<'_>, workspace: &Workspace, ask: Ask<'_>, now: UnixMs) -> Result<()> {
    let version = pin(tx, &ask.pipeline.name, ask.text, Some(ask.file), now)?;
    let run = Enqueue {
        id: ask.id,
        pipeline: ask.pipeline,
        version,
        params: ask.params,
        trigger: Trigger::Manual,
        logical_date: ask.logical_date,
        owner: None,
        cause: Some(serde_json::json!({ "by": ask.by })),
        backfill: None,
        replay_of: None,
    };
    enqueue(tx, workspace, run, now)
}

/// Has a pipeline start by hand only, or by itself again. Says whether that was news. The name must be that of a pipeline; a daemon need not
/// have seen it yet.
///
/// # Errors
/// If the store cannot be written.
pub fn set_paused(tx: &Tx<'_>, name: &str, paused: bool, now: UnixMs) -> Result<bool> {
    if tx.pipeline(name)?.is_none() {
        let row =
            PipelineRow { name: name.to_owned(), file: None, version: None, error: None, present: true, paused_at: None, changed_at: now };
        tx.put_pipeline(&row)?;
    }
    tx.set_paused(name, paused, now)
}

/// Calls a backfill off: what waits is cancelled, what runs is asked to end. Returns how many runs each of these are; `None` if there is no
/// such backfill.
///
/// # Errors
/// If the store cannot be written.
pub fn cancel_backfill(tx: &Tx<'_>, number: i64, now: UnixMs) -> anyhow::Result<Option<(usize, usize)>> {
    if tx.backfill(number)?.is_none() {
        return Ok(None);
    }
    let reason = format!("backfill {number} was called off");
    let (mut waiting, mut live) = (0, 0);
    tx.cancel_backfill(number, now)?;
    for run in tx.open_runs_of_backfill(number)? {
        if tx.cancel_unclaimed(&run.id, now, &reason)? {
            waiting += 1;
        } else {
            ask(tx, &run.id, &Wish::Cancel { force: false, reason: reason.clone() }, now)?;
            live += 1;
        }
    }
    Ok(Some((waiting, live)))
}
