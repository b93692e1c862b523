//! A run as an HTML page: what happened, why, and what it found.
//!
//! | module | what it shows |
//! |---|---|
//! | `tasks` | the graph, the timeline and the table of tasks; what failed |
//! | `found` | what stages returned: charts where recflow knows the stage, a table otherwise |

mod found;
mod tasks;

use std::collections::BTreeMap;

use recflow_stages::report::chart::Tone;
use recflow_stages::report::data::models::Version;
use recflow_stages::report::markup::Markup;
use recflow_stages::report::parts::{Tile, callout, tiles};
use recflow_stages::report::{Page, Section, number};
use recflow_state::{MetricRow, UnixMs};

use super::summary::branch_words;
use crate::engine::timestamp;
use crate::facts::{RunReport, TaskReport};
use crate::pipeline::Pipeline;

/// All that a page tells.
#[derive(Debug)]
pub(in crate::cli) struct RunPage {
    /// The run and its tasks.
    pub(in crate::cli) facts: RunReport,
    /// The series that each task reported.
    pub(in crate::cli) metrics: BTreeMap<String, Vec<MetricRow>>,
    /// What was run; none if this recflow does not accept the text any more.
    pub(in crate::cli) pipeline: Option<Pipeline>,
    /// The models beside the one that the run trained or used.
    pub(in crate::cli) models: Option<Models>,
    /// When the page is made.
    pub(in crate::cli) now: UnixMs,
}

/// A folder of models as it is now.
#[derive(Debug)]
pub(in crate::cli) struct Models {
    /// Relative to the workspace.
    pub(in crate::cli) folder: String,
    /// What lies there, or why that is not known.
    pub(in crate::cli) versions: Result<Vec<Version>, String>,
}

impl RunPage {
    fn tasks(&self) -> &[TaskReport] {
        self.facts.tasks.as_ref().map_or(&[], |tasks| &tasks.0)
    }

    /// The outputs of tasks of a stage, with their tasks.
    fn outputs<'p>(&'p self, stage: &str) -> impl Iterator<Item = (&'p TaskReport, &'p serde_json::Value)> {
        self.tasks().iter().filter(move |task| task.stage == stage).filter_map(|task| Some((task, task.output.as_ref()?)))
    }

    /// The folder of models that the run trained into, or else took one from.
    pub(in crate::cli) fn models_folder(&self) -> Option<String> {
        let version = ["train_als", "find_model"]
            .into_iter()
            .flat_map(|stage| self.outputs(stage))
            .find_map(|(_, output)| output["path"].as_str())?;
        version.rsplit_once('/').map(|(folder, _)| folder.to_owned())
    }
}

/// The page.
pub(in crate::cli) fn page(run: &RunPage) -> Page {
    let RunReport { run: id, pipeline, status, trigger, logical_date, created_at, .. } = &run.facts;
    let mut sections = vec![overview(run), tasks::section(run)];
    sections.extend(found::sections(run));
    Page {
        title: format!("{pipeline}: {status}"),
        lead: format!("Run {id}, {trigger}, for {logical_date}; created {}", instant(*created_at)),
        sections,
        footer: format!(
            "Made by recflow {} at {}. This file needs no network and runs no script.",
            env!("CARGO_PKG_VERSION"),
            instant(run.now)
        ),
    }
}

fn overview(run: &RunPage) -> Section {
    let facts = &run.facts;
    let mut body = Markup::new();
    if let Some(reason) = &facts.reason {
        body.push(callout(tone(facts.status), "How it ended", std::slice::from_ref(reason)));
    }
    for task in run.tasks().iter().filter(|task| task.state == "failed") {
        let error = task.error.clone().unwrap_or_else(|| "no reason is known".to_owned());
        let lines: Vec<String> = [Some(error), task.hint.as_ref().map(|hint| format!("Hint: {hint}"))].into_iter().flatten().collect();
        body.push(callout(Tone::Bad, &format!("{} failed", task.id), &lines));
    }
    for (task, output) in run.outputs("branch") {
        body.push(callout(Tone::Plain, &format!("Decision of {}", task.id), &[branch_words(output)]));
    }
    let ended = |state: &str| run.tasks().iter().filter(|task| task.state == state).count();
    let others = run.tasks().len() - ended("succeeded") - ended("skipped") - ended("failed");
    let tile = |name: &str, value: String, note: String, tone| Tile { name: name.to_owned(), value, note, tone };
    let memory = run.tasks().iter().filter_map(|task| Some((task.peak_rss_mb?, &task.id))).max_by(|a, b| a.0.total_cmp(&b.0));
    body.push(tiles(&[
        tile("State", facts.status.to_owned(), facts.pipeline.clone(), tone(facts.status)),
        tile(
            "Time",
            facts.seconds.map_or_else(|| number::UNKNOWN.to_owned(), number::duration),
            "from the first task's start".to_owned(),
            Tone::Plain,
        ),
        tile(
            "Tasks",
            format!("{} of {}", ended("succeeded"), run.tasks().len()),
            format!("succeeded; {} skipped, {} failed, {others} other", ended("skipped"), ended("failed")),
            Tone::Plain,
        ),
        tile(
            "Largest task",
            memory.map_or_else(|| number::UNKNOWN.to_owned(), |(mebibytes, _)| format!("{mebibytes:.0} MiB")),
            memory.map_or_else(String::new, |(_, task)| task.clone()),
            Tone::Plain,
        ),
    ]));
    Section { id: "overview".to_owned(), title: "Overview".to_owned(), body }
}

/// The colour of a state.
fn tone(state: &str) -> Tone {
    match state {
        "succeeded" => Tone::Good,
        "failed" | "upstream_failed" => Tone::Bad,
        "retrying" | "cancelled" | "interrupted" => Tone::Warning,
        "skipped" | "waiting" | "queued" | "deferred" => Tone::Muted,
        _ => Tone::Plain,
    }
}

fn instant(at: UnixMs) -> String {
    timestamp(at).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
