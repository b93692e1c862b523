//! What `recflow status RUN` shows beyond the summary: how far running tasks are, every attempt of tasks that needed
//! several, and what each task returned.

use std::io::{self, Write};
use std::time::Duration;

use recflow_stages::{Progress, StageError};
use recflow_state::{AttemptRow, AttemptState, UnixMs};
use serde_json::Value;

use super::text;
use crate::facts::{RunReport, TaskReport};

/// An output is cut to so many characters; `recflow output` has it whole.
const OUTPUT_CHARS_MAX: usize = 100;

/// Prints the details of a run.
pub(in crate::cli) fn details(report: &RunReport, now: UnixMs, out: &mut dyn Write) -> io::Result<()> {
    let tasks = report.tasks.as_ref().map_or(&[][..], |tasks| &tasks.0);
    // Of an interrupted run nothing is under way, whatever its rows say: its recflow died before it could write the end.
    if report.status != "interrupted" {
        section("under way", tasks, out, |task| under_way(task, now))?;
    }
    section("attempts", tasks, out, attempts)?;
    section("outputs", tasks, out, |task| output(task).into_iter().collect())
}

fn section(title: &str, tasks: &[TaskReport], out: &mut dyn Write, lines: impl Fn(&TaskReport) -> Vec<String>) -> io::Result<()> {
    let width = tasks.iter().map(|task| task.id.chars().count()).max().unwrap_or(0);
    let mut title = Some(title);
    for task in tasks {
        for line in lines(task) {
            if let Some(title) = title.take() {
                writeln!(out, "\n{title}")?;
            }
            writeln!(out, "  {:width$}  {line}", task.id)?;
        }
    }
    Ok(())
}

fn under_way(task: &TaskReport, now: UnixMs) -> Vec<String> {
    let Some(attempt) = task.tries.last().filter(|attempt| attempt.state == AttemptState::Running && task.state == "running") else {
        return Vec::new();
    };
    let elapsed = Duration::from_millis((now.0 - attempt.started_at.0).max(0).unsigned_abs());
    let process = attempt.pid.map(|pid| format!("pid {pid}, ")).unwrap_or_default();
    let progress: Option<Progress> = attempt.progress.clone().and_then(|progress| serde_json::from_value(progress).ok());
    let progress = progress.map(|progress| format!("  {}", text::progress(&progress, elapsed))).unwrap_or_default();
    vec![format!("{process}{}{progress}", text::duration(elapsed.as_secs_f64()))]
}

fn attempts(task: &TaskReport) -> Vec<String> {
    if task.tries.len() < 2 {
        return Vec::new();
    }
    task.tries.iter().map(attempt).collect()
}

fn attempt(attempt: &AttemptRow) -> String {
    let took = attempt.ended_at.map(|end| format!(" in {}", text::duration((end.0 - attempt.started_at.0).max(0) as f64 / 1e3)));
    let error: Option<StageError> = attempt.error.clone().and_then(|error| serde_json::from_value(error).ok());
    let error = error.map(|error| format!(": {error}")).unwrap_or_default();
    format!("{}. {}{}{error}", attempt.number, attempt.state, took.unwrap_or_default())
}

fn output(task: &TaskReport) -> Option<String> {
    let output = task.output.as_ref().filter(|output| !matches!(output, Value::Object(members) if members.is_empty()))?;
    let text = output.to_string();
    match text.char_indices().nth(OUTPUT_CHARS_MAX) {
        Some((cut, _)) => Some(format!("{}…", &text[..cut])),
        None => Some(text),
    }
}
