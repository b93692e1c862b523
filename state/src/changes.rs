//! What changed, in order: the log that browsers follow.
//!
//! Triggers of the schema write it in the transaction of the change itself, so whichever process makes it, nothing is missed and nothing is
//! told that did not happen. The newest 20,000 changes are kept.

use rusqlite::Row;
use serde_json::Value;

use crate::error::Result;
use crate::ids::RunId;
use crate::json::FromJson;
use crate::select;
use crate::tx::Tx;
use crate::view::View;

/// Something changed.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    /// Its number; grows by one.
    pub seq: u64,
    /// What changed: `run`, `task`, `pipeline` or `model`.
    pub kind: String,
    /// The pipeline that it belongs to.
    pub pipeline: Option<String>,
    /// The run.
    pub run: Option<RunId>,
    /// The task.
    pub task: Option<String>,
    /// What a run or a task became.
    pub state: Option<String>,
    /// Of a task under way: how far it is now, which may be farther than it was then.
    pub progress: Option<Value>,
}

pub(crate) const CHANGES_AFTER: &str = "SELECT seq, kind, pipeline, run_id, task_id, state, CASE WHEN kind = 'task' AND state = 'running' THEN \
    (SELECT progress FROM attempt WHERE attempt.run_id = change.run_id AND attempt.task_id = change.task_id ORDER BY number DESC LIMIT 1) END \
    AS progress FROM change WHERE seq > ?2 ORDER BY seq LIMIT ?1";
const KEPT: &str = "SELECT (SELECT min(seq) FROM change), (SELECT max(seq) FROM change)";
const ADD_MODEL: &str = "INSERT INTO change (kind) VALUES ('model')";

fn change(row: &Row<'_>) -> rusqlite::Result<ChangeRow> {
    Ok(ChangeRow {
        seq: select::unsigned(row, "seq")?,
        kind: row.get("kind")?,
        pipeline: row.get("pipeline")?,
        run: row.get("run_id")?,
        task: row.get("task_id")?,
        state: row.get("state")?,
        progress: row.get::<_, Option<FromJson>>("progress")?.map(|json| json.0),
    })
}

impl View<'_> {
    /// The first and the last change that are kept; none if nothing has changed yet.
    pub fn changes_kept(&self) -> Result<Option<(u64, u64)>> {
        let kept =
            self.row("read which changes are kept", KEPT, &[], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)))?;
        let number = |seq: i64| u64::try_from(seq).unwrap_or(0);
        Ok(kept.and_then(|(first, last)| Some((number(first?), number(last?)))))
    }

    /// The first `limit` changes behind the one with that number.
    pub fn changes_after(&self, seq: u64, limit: u32) -> Result<Vec<ChangeRow>> {
        self.rows("read what changed", CHANGES_AFTER, &[&limit, &select::signed(seq)], change)
    }
}

impl Tx<'_> {
    /// Notes that another model serves. Models lie in files: what changes them tells of it.
    pub fn note_model_change(&self) -> Result<()> {
        self.change("note that a model changed", ADD_MODEL, &[]).map(drop)
    }
}
