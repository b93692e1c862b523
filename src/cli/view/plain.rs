//! Plain lines, for files and pipes: one a change of state, and now and then one of progress.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use recflow_stages::{Level, Report};
use recflow_state::TaskState;

use super::text;
use crate::engine::{Notice, Observer, TaskNotice};

/// Progress of a task is told at most this often.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// Writes lines to standard error.
#[derive(Debug, Default)]
pub(super) struct Plain {
    tasks: Vec<String>,
    told: HashMap<usize, Instant>,
    phases: HashMap<usize, (String, Instant)>,
    states: HashMap<usize, (TaskState, u32)>,
}

impl Plain {
    /// A line that cannot be written is a line less: the run goes on.
    fn line(&self, id: &str, what: &str) {
        let width = self.tasks.iter().map(String::len).max().unwrap_or(0);
        let _ = writeln!(io::stderr(), "  {id:width$}  {}", text::plain(what));
    }

    fn task(&self, task: &TaskNotice) {
        let reason = task.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let attempt = if task.attempts > 1 { format!(" (attempt {})", task.attempts) } else { String::new() };
        let text = match task.state {
            TaskState::Waiting | TaskState::Queued => return,
            TaskState::Running => format!("running{attempt}"),
            TaskState::Succeeded => {
                let took = task.started_at.map_or(0.0, |start| (task.at.0 - start.0) as f64 / 1e3);
                format!("succeeded in {}{attempt}", text::duration(took))
            }
            TaskState::Failed => match &task.error {
                Some(error) => format!("failed{attempt}: {error}"),
                None => format!("failed{attempt}{reason}"),
            },
            state => format!("{state}{reason}"),
        };
        self.line(&task.id, &text);
    }
}

impl Observer for Plain {
    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::RunBegun { run, pipeline, tasks, resumed } => {
                self.tasks = tasks.iter().map(|task| task.id.clone()).collect();
                let verb = if *resumed { "resumed" } else { "started" };
                let _ = writeln!(io::stderr(), "run {run} of {pipeline} {verb}");
            }
            Notice::Task { task, .. } => {
                // A task that is told to stop is still running: no news.
                if self.states.insert(task.position, (task.state, task.attempts)) != Some((task.state, task.attempts)) {
                    self.task(task);
                }
            }
            Notice::Report { position, report, .. } => {
                let Some(id) = self.tasks.get(*position) else { return };
                match report {
                    Report::Log { level: Level::Warn | Level::Error, message } => self.line(id, &format!("warning: {message}")),
                    Report::Progress(progress) => {
                        let begun = match self.phases.get(position) {
                            Some((phase, begun)) if *phase == progress.phase => *begun,
                            _ => {
                                self.phases.insert(*position, (progress.phase.clone(), Instant::now()));
                                Instant::now()
                            }
                        };
                        let last = *self.told.entry(*position).or_insert_with(Instant::now);
                        if last.elapsed() >= PROGRESS_EVERY {
                            self.told.insert(*position, Instant::now());
                            self.line(id, &text::progress(progress, begun.elapsed()));
                        }
                    }
                    Report::Log { .. } | Report::Metric { .. } => {}
                }
            }
            Notice::Waiting { reason } => {
                let _ = writeln!(io::stderr(), "waiting: {reason}");
            }
            Notice::RunEnded { run, status, reason } => {
                let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let _ = writeln!(io::stderr(), "run {run} {status}{reason}");
            }
        }
    }
}
