//! What people want of a run that another process executes: a row that the owner reads.
//!
//! Whoever wants something notes it with [`ask`]; the owner looks once a second, and at once when woken. The answer is written in
//! the transaction that records what came of it.

use recflow_state::{RunId, Tx, UnixMs};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::core::Mark;
use super::driver::Driver;
use super::journal::Write;

/// How often the owner looks, in milliseconds.
const LOOK_EVERY_MS: i64 = 1_000;

/// Something that a person wants of a run. The serialised form is stored: names and fields are pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub enum Wish {
    /// That it stops.
    Cancel {
        /// At once, without a grace period.
        force: bool,
        /// Who or why, for people.
        reason: String,
    },
    /// That a task counts as ended.
    Mark(MarkTask),
}

/// A task that a person declares ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkTask {
    /// Its id in the pipeline.
    pub task: String,
    /// How it counts.
    pub r#as: Mark,
    /// For a branch that counts as succeeded: the ids of the tasks that run; all directly below it, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Vec<String>>,
    /// For a task that counts as succeeded: what it returned; nothing, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Who or why, for people.
    pub reason: String,
}

/// Notes a wish for whoever executes the run. Returns the id under which its answer will be found.
pub fn ask(tx: &Tx<'_>, run: &RunId, wish: &Wish, now: UnixMs) -> anyhow::Result<i64> {
    Ok(tx.add_control(run, &serde_json::to_value(wish)?, now)?)
}

impl Driver {
    /// When to look for wishes, in unix milliseconds; never without a run that is under way or waits for room.
    pub(super) fn next_wishes(&self) -> Option<i64> {
        (!self.runs.is_empty() || !self.waiting.is_empty()).then_some(self.wishes_at.0)
    }

    /// Reads what people want, if it is time, and does it.
    pub(super) fn hear_wishes(&mut self) {
        let now = self.now();
        if self.next_wishes().is_none() || now < self.wishes_at && self.wishes_at.0 - now.0 <= LOOK_EVERY_MS {
            return;
        }
        self.wishes_at.0 = now.0 + LOOK_EVERY_MS;
        let wishes = match self.store.read(|view| view.open_controls(&self.owner)) {
            Ok(wishes) => wishes,
            Err(error) => return tracing::warn!(%error, "cannot read what people want of the runs"),
        };
        for row in wishes {
            let done = match serde_json::from_value(row.body) {
                Ok(Wish::Cancel { force, reason }) => {
                    self.cancel(Some(&row.run), force, &reason);
                    Ok(())
                }
                Ok(Wish::Mark(mark)) => self.mark_live(&row.run, &mark),
                Err(error) => Err(anyhow::anyhow!("this version of recflow does not understand it: {error}")),
            };
            let result = done.err().map(|error| format!("{error:#}"));
            self.journal.add(Write::Answered { run: row.run, id: row.id, at: now, result });
        }
    }
}
