//! A simulation while it goes on: a line for each period that is over; on a terminal, below it, what is under way.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use recflow_stages::{Level, Report};
use recflow_state::TaskState;

use super::super::Terminal;
use super::text;
use crate::engine::{Notice, Observer};
use crate::simulation::{Journal, Policy, Record, Watcher};

/// Writes to standard error.
#[derive(Debug)]
pub(in crate::cli) struct Watch {
    quiet: bool,
    bar: Option<ProgressBar>,
    /// `drift 3/12 2005-03`.
    at: String,
    tasks: Vec<String>,
}

impl Watch {
    pub(in crate::cli) fn new(quiet: bool, terminal: &Terminal) -> Self {
        let bar = (terminal.live && !quiet).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(12));
            if let Ok(style) = ProgressStyle::with_template("{wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar
        });
        Self { quiet, bar, at: String::new(), tasks: Vec::new() }
    }

    /// A line that stays. One that cannot be written is a line less.
    fn line(&self, line: &str) {
        match (&self.bar, self.quiet) {
            (_, true) => {}
            (Some(bar), _) => bar.suspend(|| {
                let _ = writeln!(io::stderr(), "{line}");
            }),
            (None, _) => {
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }

    /// What is under way.
    fn now(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}  {}", self.at, text::plain(what)));
        }
    }

    /// A new simulation begins.
    pub(in crate::cli) fn prepared(&self, journal: &Journal) {
        let ratings: u64 = journal.slices.iter().map(|slice| slice.ratings).sum();
        let (periods, words) = (journal.slices.len(), if journal.slices.len() == 1 { "period" } else { "periods" });
        self.line(&format!("simulation {}: {periods} {words}, {} ratings", journal.id(), text::count(ratings)));
        if journal.malformed > 0 {
            self.line(&format!("warning: {} malformed lines of the stream are left out", text::count(journal.malformed)));
        }
    }

    /// One that was not finished goes on.
    pub(in crate::cli) fn resumed(&self, journal: &Journal) {
        let (done, all) = journal.progress();
        if done == all {
            return self.line(&format!("simulation {} is over", journal.id()));
        }
        self.line(&format!("resuming simulation {} at period {} of {all}", journal.id(), done + 1));
    }

    /// Nothing is under way any more.
    pub(in crate::cli) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Watcher for Watch {
    fn begun(&mut self, policy: Policy, number: usize, of: usize, period: &str) {
        self.at = format!("{} {number}/{of} {period}", policy.as_str());
        self.now("");
        if let Some(bar) = &self.bar {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
    }

    fn over(&mut self, _: Policy, record: &Record) {
        let score = record.drift.as_ref().map(|drift| format!(", score {:.2}", drift.score)).unwrap_or_default();
        let rmse = record.prequential.as_ref().and_then(|found| found.model.all.rmse.zip(found.start.all.rmse));
        let rmse = rmse.map(|(model, start)| format!("; RMSE {model:.4}, without retraining {start:.4}")).unwrap_or_default();
        self.line(&format!("{}: {} ratings{score}: {}{rmse}", self.at, text::count(record.slice.ratings), record.decision.words()));
    }

    fn observer(&mut self) -> &mut dyn Observer {
        self
    }
}

impl Observer for Watch {
    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::RunBegun { tasks, .. } => self.tasks = tasks.iter().map(|task| task.id.clone()).collect(),
            Notice::Task { task, .. } if task.state == TaskState::Running => self.now(&task.id),
            Notice::Report { position, report, .. } => {
                let task = self.tasks.get(*position).map_or("", String::as_str);
                match report {
                    Report::Progress(progress) => self.now(&format!("{task}  {}", text::progress(progress, Duration::ZERO))),
                    Report::Log { level: Level::Warn | Level::Error, message } => {
                        self.line(&format!("{}: {task}: warning: {}", self.at, text::plain(message)));
                    }
                    Report::Log { .. } | Report::Metric { .. } => {}
                }
            }
            Notice::Waiting { reason } => self.line(&format!("waiting: {reason}")),
            Notice::Task { .. } | Notice::RunEnded { .. } => {}
        }
    }
}
