//! What stages returned: charts where recflow knows the stage, and every output as a table.

use std::collections::BTreeMap;

use recflow_stages::report::chart::Tone;
use recflow_stages::report::data::decode;
use recflow_stages::report::data::training::Training;
use recflow_stages::report::markup::Markup;
use recflow_stages::report::parts::{Cell, Table, callout, card, folded, missing, words};
use recflow_stages::report::{Section, sections as of_stages};
use recflow_state::MetricRow;
use serde_json::Value;

use super::RunPage;
use crate::facts::TaskReport;

/// An output is shown to so many lines; `recflow output` has it whole.
const LINES_MAX: usize = 300;

/// The sections.
pub(super) fn sections(run: &RunPage) -> Vec<Section> {
    let mut all = Vec::new();
    all.extend(of_stage(run, "detect_drift", |output| Ok(of_stages::drift::section(&decode(output, "drift", "detect_drift")?))));
    all.extend(of_stage(run, "evaluate", |output| Ok(of_stages::evaluation::section(&decode(output, "evaluation", "evaluate")?))));
    let trainings: Vec<Training> = run.tasks().iter().filter_map(|task| training(task, run.metrics.get(&task.id)?)).collect();
    if !trainings.is_empty() {
        all.push(of_stages::training::section(&trainings));
    }
    all.extend(models(run));
    all.extend(params(run));
    all.extend(outputs(run));
    all
}

/// The sections of all tasks of a stage. What cannot be read as its output is left to the table of outputs.
fn of_stage(run: &RunPage, stage: &str, section: impl Fn(Value) -> recflow_stages::Result<Section>) -> Vec<Section> {
    let outputs: Vec<_> = run.outputs(stage).collect();
    let several = outputs.len() > 1;
    let sections = outputs.into_iter().filter_map(|(task, output)| {
        let section = section(output.clone()).ok()?;
        if !several {
            return Some(section);
        }
        let (id, title) = (format!("{}-{}", section.id, task.id), format!("{} of {}", section.title, task.id));
        Some(Section { id, title, ..section })
    });
    sections.collect()
}

/// The series of a task's last attempt that have more than one point; none if there is no such.
fn training(task: &TaskReport, metrics: &[MetricRow]) -> Option<Training> {
    let last = metrics.iter().map(|metric| metric.attempt).max()?;
    let mut series: BTreeMap<String, Vec<(u64, f64)>> = BTreeMap::new();
    for metric in metrics.iter().filter(|metric| metric.attempt == last) {
        series.entry(metric.name.clone()).or_default().push((metric.step, metric.value));
    }
    series.retain(|_, points| points.len() > 1);
    let best = task.output.as_ref().and_then(|output| output["best_iteration"].as_u64());
    (!series.is_empty()).then(|| Training { name: task.id.clone(), best, series })
}

fn models(run: &RunPage) -> Option<Section> {
    let models = run.models.as_ref()?;
    let mut section = match &models.versions {
        Ok(versions) => of_stages::models::section(versions, &models.folder),
        Err(why) => Section {
            id: "models".to_owned(),
            title: "Models".to_owned(),
            body: missing(&format!("The versions in `{}` cannot be read: {why}", models.folder), "Make the report again once they can."),
        },
    };
    let mut body = Markup::new();
    for (_, output) in run.outputs("promote") {
        let (tone, verdict) = if output["promoted"] == true { (Tone::Good, "Promoted") } else { (Tone::Warning, "Not promoted") };
        let version = output["challenger"]["version"].as_str().unwrap_or_default();
        body.push(callout(tone, &format!("{verdict}: {version}"), &[output["reason"].as_str().unwrap_or_default().to_owned()]));
    }
    body.push(section.body);
    section.body = body;
    Some(section)
}

fn params(run: &RunPage) -> Option<Section> {
    let params = run.facts.params.as_object().filter(|params| !params.is_empty())?;
    let rows = params.iter().map(|(name, value)| -> Vec<Cell> { vec![name.clone().into(), plain(value).into()] });
    let table = Table { columns: vec![words("Parameter"), words("Value")], rows: rows.collect() };
    Some(Section { id: "params".to_owned(), title: "Parameters".to_owned(), body: card(table.draw()) })
}

fn outputs(run: &RunPage) -> Option<Section> {
    let with_output = run.tasks().iter().filter_map(|task| Some((task, task.output.as_ref()?)));
    let mut body = Markup::new();
    for (task, output) in with_output {
        let mut lines = Vec::new();
        flatten("", output, &mut lines);
        if lines.is_empty() {
            continue;
        }
        let hidden = lines.len().saturating_sub(LINES_MAX);
        lines.truncate(LINES_MAX);
        if hidden > 0 {
            lines.push(("…".to_owned(), format!("{hidden} more: recflow output {} {}", run.facts.run, task.id)));
        }
        let rows = lines.into_iter().map(|(name, value)| -> Vec<Cell> { vec![name.into(), value.into()] });
        let table = Table { columns: vec![words("Field"), words("Value")], rows: rows.collect() };
        body.push(card(folded(&format!("{} ({})", task.id, task.stage), table.draw())));
    }
    (!body.is_empty()).then(|| Section { id: "outputs".to_owned(), title: "Outputs".to_owned(), body })
}

/// Every value below `value` with the way to it, as `recflow output` takes it.
fn flatten(path: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| flatten(&below(name), value, lines)),
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.iter().enumerate().for_each(|(number, item)| flatten(&below(&number.to_string()), item, lines));
        }
        value => lines.push((path.to_owned(), plain(value))),
    }
}

/// Text as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
