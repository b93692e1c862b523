//! The tasks of a run: how they depend on each other, when each attempt ran, how each ended.

use recflow_stages::report::Section;
use recflow_stages::report::chart::{Graph, Lane, Node, Span, Timeline, Tone};
use recflow_stages::report::markup::Markup;
use recflow_stages::report::number::{UNKNOWN, duration};
use recflow_stages::report::parts::{Cell, Table, graph, numbers, prose, titled_card, titled_figure, words};
use recflow_state::AttemptState;

use super::{RunPage, tone};
use crate::facts::TaskReport;

/// Larger graphs are no help to anybody.
const DRAWN_MAX: usize = 150;

/// The section.
pub(super) fn section(run: &RunPage) -> Section {
    let mut body = Markup::new();
    if let Some(drawing) = drawn(run) {
        body.push(drawing);
    }
    body.push(timeline(run));
    body.push(titled_card("All tasks", "In the pipeline's order.", table(run.tasks()).draw()));
    Section { id: "tasks".to_owned(), title: "Tasks".to_owned(), body }
}

/// The graph, unless the pipeline is not known or too large.
fn drawn(run: &RunPage) -> Option<Markup> {
    let pipeline = run.pipeline.as_ref().filter(|pipeline| pipeline.tasks.len() <= DRAWN_MAX)?;
    let node = |definition: &crate::pipeline::Task| {
        let task = run.tasks().iter().find(|task| task.id == definition.id.as_str());
        let note = task.map_or_else(String::new, |task| {
            format!("{}{}", task.state, task.seconds.map(|seconds| format!(", {}", duration(seconds))).unwrap_or_default())
        });
        Node {
            label: definition.id.as_str().to_owned(),
            note,
            tone: task.map_or(Tone::Plain, |task| tone(task.state)),
            needs: definition.needs.clone(),
        }
    };
    let drawing = Graph {
        title: format!("Tasks of {}", pipeline.name),
        description: run.tasks().iter().map(|task| format!("{}: {}. ", task.id, task.state)).collect(),
        nodes: pipeline.tasks.iter().map(node).collect(),
    };
    Some(graph("What depended on what", "Each task below those that it waited for, with its state.", drawing.draw()))
}

fn timeline(run: &RunPage) -> Markup {
    let attempts = || run.tasks().iter().flat_map(|task| &task.tries);
    let Some(start) = attempts().map(|attempt| attempt.started_at.0).min() else { return Markup::new() };
    // An interrupted attempt ended nobody knows when; one that goes on is drawn up to now.
    let now = (run.facts.status != "interrupted").then_some(run.now.0);
    let lane = |task: &TaskReport| Lane {
        label: task.id.clone(),
        figure: format!("{}{}", task.state, task.seconds.map(|seconds| format!(", {}", duration(seconds))).unwrap_or_default()),
        tone: tone(task.state),
        spans: task
            .tries
            .iter()
            .map(|attempt| {
                let seconds = |at: i64| (at - start) as f64 / 1e3;
                let from = seconds(attempt.started_at.0);
                let to = attempt.ended_at.map(|at| at.0).or(now).map_or(from, seconds);
                let tone = match attempt.state {
                    AttemptState::Succeeded => Tone::Good,
                    AttemptState::Running => Tone::Plain,
                    AttemptState::Failed => Tone::Bad,
                    _ => Tone::Warning,
                };
                Span {
                    from,
                    to,
                    tone,
                    note: format!("{}, attempt {}: {}, {}", task.id, attempt.number, attempt.state, duration(to - from)),
                }
            })
            .collect(),
    };
    let chart = Timeline {
        title: "When each task ran".to_owned(),
        description: run.tasks().iter().filter_map(|task| Some(format!("{}: {}. ", task.id, duration(task.seconds?)))).collect(),
        lanes: run.tasks().iter().map(lane).collect(),
    };
    titled_figure("When each task ran", "A bar an attempt.", chart.draw())
}

fn table(tasks: &[TaskReport]) -> Table {
    let row = |task: &TaskReport| -> Vec<Cell> {
        let why = task.error.clone().or_else(|| task.reason.clone()).unwrap_or_default();
        vec![
            task.id.clone().into(),
            task.stage.clone().into(),
            Cell::toned(task.state, tone(task.state)),
            task.attempts.to_string().into(),
            task.seconds.map_or_else(|| UNKNOWN.to_owned(), duration).into(),
            task.peak_rss_mb.map_or_else(|| UNKNOWN.to_owned(), |mebibytes| format!("{mebibytes:.0} MiB")).into(),
            prose(&why).into(),
        ]
    };
    let columns =
        vec![words("Task"), words("Stage"), words("State"), numbers("Attempts"), numbers("Time"), numbers("Memory"), words("Why")];
    Table { columns, rows: tasks.iter().map(row).collect() }
}
