//! The executor as the engine sees it. The engine decides and records; whoever implements [`Execute`] acts: the
//! [`Executor`](super::Executor) with processes, a simulator without any.

use std::fmt::Debug;
use std::path::PathBuf;

use recflow_stages::PublishKey;

use super::output::remove_lost_output;
use super::process::{kill_leftovers, kill_marked};
use super::request::{Attempt, AttemptKey, HowToStop, ProcessId};

/// Carries out attempts. No call waits for what it asks for; what happens is reported as [`super::Update`]s.
pub trait Execute: Debug + Send {
    /// Starts an attempt. Its end is reported in any case.
    fn start(&self, attempt: Attempt);

    /// Lets a child begin, once its process has been recorded. Others need no release.
    fn release(&self, key: AttemptKey);

    /// Stops an attempt; one that is not under way any more is fine.
    fn stop(&self, key: AttemptKey, how: HowToStop);

    /// Removes what is left of an attempt whose owner died: its processes first, so that nothing of it runs beside the next attempt.
    fn bury(&self, lost: &LostAttempt);
}

/// An attempt whose owner died.
#[derive(Debug, Clone)]
pub struct LostAttempt {
    /// The run.
    pub run: String,
    /// The task's id in its pipeline.
    pub task_id: String,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Names the work: all its processes carry it in their environment.
    pub publish_key: PublishKey,
    /// Its process, if the owner had time to record it.
    pub process: Option<ProcessId>,
    /// `.recflow` of the workspace.
    pub home: PathBuf,
}

impl LostAttempt {
    pub(super) fn bury(&self) {
        let mark = self.publish_key.as_str();
        if let Some(process) = self.process {
            kill_leftovers(process, mark);
        }
        // A process that the owner had no time to record, or that left its group.
        kill_marked(mark);
        remove_lost_output(&self.home, &self.run, &self.task_id, self.attempt);
    }
}
