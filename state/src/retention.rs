//! What is no longer kept: runs that are over, texts that no run executes any more, slots of long ago.
//!
//! Selecting is a read, deleting a transaction a few runs long that asks again: what was resumed since is left alone.

use rusqlite::types::ToSql;

use crate::error::Result;
use crate::ids::{RunId, UnixMs};
use crate::select;
use crate::tx::Tx;
use crate::view::View;

/// Whether `run` may go: it is over, and no run that is not over was made from it (a replay copies its outputs, a trigger names it as cause).
macro_rules! may_go {
    ($start:literal, $rest:literal) => {
        concat!(
            $start,
            " AND +run.status IN ('succeeded', 'failed', 'cancelled') AND NOT EXISTS (SELECT 1 FROM run AS reader \
             WHERE reader.status IN ('queued', 'running') AND (reader.replay_of = run.id \
             OR CASE WHEN json_valid(reader.cause) THEN json_extract(reader.cause, '$.run') END = run.id)) ",
            $rest
        )
    };
}

pub(crate) const ENDED_BEFORE: &str = may_go!("SELECT id FROM run WHERE ended_at < ?1", "ORDER BY ended_at");
pub(crate) const ENDED_BEYOND: &str = may_go!("SELECT id FROM run WHERE pipeline = ?1", "ORDER BY seq DESC LIMIT -1 OFFSET ?2");
const DELETE_RUN: &str = may_go!("DELETE FROM run WHERE id = ?1", "");
const DELETE_TEXTS: &str = "DELETE FROM pipeline_version WHERE created_at < ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE version_id = pipeline_version.id) \
    AND NOT EXISTS (SELECT 1 FROM pipeline WHERE version_id = pipeline_version.id)";
/// Those of a pipeline before an instant, save the newest ones and those whose run is kept.
const DELETE_SLOTS: &str = "DELETE FROM slot WHERE pipeline = ?1 AND at < ?2 AND run_id IS NULL \
    AND at < coalesce((SELECT at FROM slot WHERE pipeline = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?3), at)";
const STANDING: &str = "SELECT status, ended_at FROM run WHERE id = ?1";

/// What retention has to know of a run that left files behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// There is no such run.
    No,
    /// It is not over: nothing of it may go.
    UnderWay,
    /// It is over, since then.
    Over(UnixMs),
}

impl View<'_> {
    /// The runs that were over before `cutoff`, those that ended first in front.
    pub fn ended_before(&self, cutoff: UnixMs) -> Result<Vec<RunId>> {
        self.rows("list old runs", ENDED_BEFORE, &[&cutoff], select::single::<RunId>)
    }

    /// The runs of a pipeline that are over, without the newest `keep` of these.
    pub fn ended_beyond(&self, pipeline: &str, keep: u32) -> Result<Vec<RunId>> {
        self.rows("list old runs", ENDED_BEYOND, &[&pipeline, &keep], select::single::<RunId>)
    }

    /// Whether a run is there and over.
    pub fn kept(&self, run: &RunId) -> Result<Kept> {
        let found = self.row("look for a run", STANDING, &[run], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<UnixMs>>(1)?)))?;
        // A status that nobody knows is not one that says "over".
        let is_over = |status: &str| crate::RunStatus::parse(status).is_ok_and(crate::RunStatus::is_terminal);
        Ok(match found {
            None => Kept::No,
            Some((status, Some(end))) if is_over(&status) => Kept::Over(end),
            Some(_) => Kept::UnderWay,
        })
    }
}

impl Tx<'_> {
    /// Deletes a run with all that belongs to it. Says whether that was done: not if it is not over, or one that is not over was made from it.
    pub fn delete_run(&self, run: &RunId) -> Result<bool> {
        Ok(self.change("delete a run", DELETE_RUN, &[run])? == 1)
    }

    /// Deletes the texts of pipelines first seen before `cutoff` that no run executes and that are not the current ones. Returns how many.
    pub fn delete_unused_texts(&self, cutoff: UnixMs) -> Result<usize> {
        self.change("delete old pipelines", DELETE_TEXTS, &[&cutoff])
    }

    /// Deletes the slots of a pipeline before `cutoff` whose run is not kept, save the newest `keep` slots. Returns how many.
    pub fn delete_slots(&self, pipeline: &str, cutoff: UnixMs, keep: u32) -> Result<usize> {
        let params: &[&dyn ToSql] = &[&pipeline, &cutoff, &keep.saturating_sub(1)];
        self.change("delete old slots", DELETE_SLOTS, params)
    }
}
