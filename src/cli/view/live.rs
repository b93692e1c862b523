//! The live view: one line a task on a terminal, with a bar for those that say how far they are.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use recflow_stages::{Level, Report};
use recflow_state::TaskState;

use super::text;
use crate::engine::{Notice, Observer, TaskNotice};

/// A run with more tasks than this shows only those that are under way or went wrong.
const ROWS_MAX: usize = 24;

/// Draws on standard error.
#[derive(Debug)]
pub(super) struct Live {
    screen: MultiProgress,
    rows: Vec<Row>,
    compact: bool,
    /// Of a compact view: how many tasks are where.
    tally: Option<ProgressBar>,
    states: Vec<TaskState>,
    color: bool,
    begun: Instant,
}

#[derive(Debug)]
struct Row {
    bar: Option<ProgressBar>,
    id: String,
    width: usize,
    phase: String,
    phase_begun: Instant,
}

impl Live {
    pub(super) fn new(color: bool) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(12));
        Self { screen, rows: Vec::new(), compact: false, tally: None, states: Vec::new(), color, begun: Instant::now() }
    }

    fn begin(&mut self, tasks: &[TaskNotice]) {
        self.compact = tasks.len() > ROWS_MAX;
        self.states = tasks.iter().map(|task| task.state).collect();
        if self.compact {
            let tally = self.screen.add(ProgressBar::no_length());
            if let Ok(style) = ProgressStyle::with_template("  {wide_msg}") {
                tally.set_style(style);
            }
            self.tally = Some(tally);
        }
        let width = tasks.iter().map(|task| task.id.chars().count()).max().unwrap_or(0);
        for task in tasks {
            let mut row = Row { bar: None, id: task.id.clone(), width, phase: String::new(), phase_begun: Instant::now() };
            if !self.compact {
                row.show(&self.screen);
            }
            self.rows.push(row);
            self.task(task);
        }
    }

    fn task(&mut self, task: &TaskNotice) {
        let (color, compact) = (self.color, self.compact);
        if let Some(state) = self.states.get_mut(task.position) {
            *state = task.state;
        }
        if let Some(tally) = &self.tally {
            tally.set_message(text::tally(&self.states));
        }
        let Some(row) = self.rows.get_mut(task.position) else { return };
        let quiet_end = matches!(task.state, TaskState::Succeeded | TaskState::Skipped | TaskState::Waiting | TaskState::Queued);
        if compact && quiet_end {
            if let Some(bar) = row.bar.take() {
                bar.finish_and_clear();
            }
            return;
        }
        row.show(&self.screen);
        let took = task.started_at.map_or(0.0, |start| (task.at.0 - start.0) as f64 / 1e3);
        let attempt = if task.attempts > 1 { format!(" (attempt {})", task.attempts) } else { String::new() };
        let reason = match (&task.error, &task.reason) {
            (Some(error), _) if task.state == TaskState::Failed => format!("  {error}"),
            (_, Some(reason)) => format!("  {reason}"),
            _ => String::new(),
        };
        let (start, end) = text::paint(task.state.as_str(), color);
        let word = format!("{start}{} {}{end}{attempt}", text::sign(task.state), task.state);
        match task.state {
            TaskState::Running => row.running(&word),
            TaskState::Succeeded => row.still(&format!("{word} in {}", text::duration(took))),
            _ => row.still(&format!("{word}{}", text::plain(&reason))),
        }
    }
}

impl Row {
    fn show(&mut self, screen: &MultiProgress) {
        if self.bar.is_none() {
            let bar = screen.add(ProgressBar::no_length());
            bar.set_prefix(format!("{:width$}", self.id, width = self.width));
            self.bar = Some(bar);
        }
    }

    fn style(&self, template: &str) {
        if let (Some(bar), Ok(style)) = (&self.bar, ProgressStyle::with_template(template)) {
            bar.set_style(style.progress_chars("━╸─"));
        }
    }

    fn still(&mut self, message: &str) {
        self.style("  {prefix}  {wide_msg}");
        if let Some(bar) = &self.bar {
            bar.disable_steady_tick();
            bar.set_message(message.to_owned());
            bar.tick();
        }
    }

    fn running(&mut self, word: &str) {
        self.phase.clear();
        self.style("  {prefix}  {wide_msg} {elapsed}");
        if let Some(bar) = &self.bar {
            bar.reset_elapsed();
            bar.set_message(word.to_owned());
            bar.enable_steady_tick(Duration::from_millis(250));
        }
    }

    fn progress(&mut self, progress: &recflow_stages::Progress) {
        if self.phase != progress.phase {
            self.phase.clone_from(&progress.phase);
            self.phase_begun = Instant::now();
            self.style(match progress.total {
                Some(_) => "  {prefix}  {bar:24.cyan/dim} {percent:>3}%  {wide_msg} {elapsed}",
                None => "  {prefix}  {wide_msg} {elapsed}",
            });
        }
        if let Some(bar) = &self.bar {
            if let Some(total) = progress.total {
                bar.set_length(total);
                bar.set_position(progress.done);
            }
            bar.set_message(text::progress(progress, self.phase_begun.elapsed()));
        }
    }
}

impl Observer for Live {
    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::RunBegun { run, pipeline, tasks, resumed } => {
                self.begun = Instant::now();
                let verb = if *resumed { "resumed" } else { "started" };
                let _ = self.screen.println(format!("{pipeline}  run {run} {verb}"));
                self.begin(tasks);
            }
            Notice::Task { task, .. } => self.task(task),
            Notice::Report { position, report, .. } => match report {
                Report::Progress(progress) => {
                    if let Some(row) = self.rows.get_mut(*position) {
                        row.progress(progress);
                    }
                }
                Report::Log { level: Level::Warn | Level::Error, message } => {
                    let id = self.rows.get(*position).map_or("", |row| row.id.as_str());
                    let _ = self.screen.println(format!("  {id}: warning: {}", text::plain(message)));
                }
                Report::Log { .. } | Report::Metric { .. } => {}
            },
            Notice::Waiting { reason } => {
                let _ = self.screen.println(format!("waiting: {reason}"));
            }
            Notice::RunEnded { .. } => {
                for bar in self.rows.iter().filter_map(|row| row.bar.as_ref()).chain(&self.tally) {
                    bar.disable_steady_tick();
                    bar.abandon();
                }
            }
        }
    }
}

/// What stays on the screen is the summary; the live lines make room for it.
impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.screen.clear();
    }
}
