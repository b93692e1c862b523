//! Asks something of the process that executes a run, whichever that is, and waits for its answer.

use std::time::{Duration, Instant};

use recflow_state::{Run, Store, UnixMs};

use super::wake::wake;
use super::wish::{Wish, ask};
use crate::workspace::Workspace;

/// How long an answer is waited for: an owner looks once a second if it cannot be woken.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// It was done.
    Done,
    /// It cannot be done; why, for people.
    Refused(String),
    /// Nobody has answered yet. The wish stands.
    Unanswered,
}

/// Notes a wish for the process that executes `run`, wakes that process, and waits for its answer. Must not be called on a driver's thread.
///
/// # Errors
/// If the store cannot be read or written.
pub fn request(store: &Store, workspace: &Workspace, run: &Run, wish: &Wish, now: UnixMs) -> anyhow::Result<Granted> {
    let id = store.write(|tx| ask(tx, &run.id, wish, now))?;
    if let Some(owner) = &run.owner {
        wake(&workspace.owners(), owner);
    }
    let begun = Instant::now();
    while begun.elapsed() < ANSWER_WITHIN {
        if let Some(row) = store.read(|view| view.control(id))?
            && row.done_at.is_some()
        {
            return Ok(row.result.map_or(Granted::Done, Granted::Refused));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(Granted::Unanswered)
}
