//! The checks that need more than one place: names that must name something, edges, inputs, templates.
//!
//! Each file is one family. All of them run, whatever the others find, and what one could not make sense of is left
//! out of the next, so that one mistake is reported once. The [`Pipeline`] is built along the way and used only if
//! no error was found.

mod branches;
mod events;
mod inputs;
mod joins;
mod needs;
mod outputs;
mod references;
mod templates;

use std::collections::{HashMap, HashSet};

use recflow_stages::Catalog;

use super::diagnostic::{Diagnostic, Findings};
use super::document::{Document, RawTask, Retry};
use super::graph::TaskGraph;
use super::model::{EnvValue, Pipeline, RetryPolicy, Task, TaskId, TaskKind};
use super::params::ParamSpec;
use super::source::Source;
use super::template::{Template, TemplateMap};
use super::yaml::{Entry, Kind};
use references::Viewpoint;

/// What all checks read.
struct Checked<'a> {
    source: &'a Source,
    catalog: &'a Catalog,
    document: &'a Document<'a>,
    /// Task numbers by id.
    numbers: HashMap<&'a str, usize>,
    params: HashMap<&'a str, &'a ParamSpec>,
    /// Names of the pipeline's variables.
    variables: HashSet<&'a str>,
    graph: TaskGraph,
}

/// Checks the document and builds the pipeline. `None` if a task cannot be built; whether there are errors at all is
/// for the caller to ask `findings`.
pub(super) fn check(document: &Document<'_>, source: &Source, catalog: &Catalog, findings: &mut Findings) -> Option<Pipeline> {
    let numbers = document.tasks.iter().enumerate().map(|(number, task)| (task.id.value.as_str(), number)).collect();
    let needs = needs::resolve(document, &numbers, findings);
    let graph = TaskGraph::new(needs.iter().map(|needs| needs.as_slice()));
    needs::report_cycles(document, &graph, findings);
    let params = document.params.iter().map(|param| (param.name.as_str(), param)).collect();
    let variables = document.env.iter().map(|entry| entry.key.value.as_str()).collect();
    let checked = Checked { source, catalog, document, numbers, params, variables, graph };
    let env = checked.pipeline_env(findings);
    let tasks: Vec<Option<Task>> = (0..document.tasks.len()).map(|number| checked.task(number, findings)).collect();
    let tasks: Option<Vec<Task>> = tasks.into_iter().collect();
    let triggers = checked.triggers(findings);
    joins::warn(&checked, findings);
    Some(Pipeline {
        name: pipeline_name(document, source, findings)?,
        description: document.description.clone(),
        tags: document.tags.clone(),
        params: document.params.clone(),
        schedules: document.schedules.clone(),
        triggers,
        paused: document.paused,
        max_active_runs: document.max_active_runs,
        max_active_tasks: document.max_active_tasks,
        priority: document.priority,
        env,
        tasks: tasks?,
    })
}

/// The `name`, or else the file's stem.
fn pipeline_name(document: &Document<'_>, source: &Source, findings: &mut Findings) -> Option<String> {
    let hint = "a name is a letter, then letters, digits, `_` or `-`";
    if let Some(name) = &document.name {
        if TaskId::new(&name.value).is_none() {
            findings.push(
                Diagnostic::error("invalid-name", name.span, format!("`{}` cannot be the name of a pipeline", name.value)).hint(hint),
            );
            return None;
        }
        return Some(name.value.clone());
    }
    let stem = std::path::Path::new(source.file()).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let stem = stem.trim_matches(['<', '>']); // `<stdin>`
    if TaskId::new(stem).is_none() {
        let message = format!("`name` is missing, and the file's own name, `{stem}`, cannot serve as one");
        findings.push(Diagnostic::error("missing-key", document.first_key, message).hint(hint));
        return None;
    }
    Some(stem.to_owned())
}

impl Checked<'_> {
    fn task(&self, number: usize, findings: &mut Findings) -> Option<Task> {
        let raw = &self.document.tasks[number];
        let view = Viewpoint::Task(number);
        let kind = self.kind(number, raw, findings);
        let when = raw.when.map(|node| self.condition(node, view, findings));
        let env = raw.env.iter().map(|entry| self.task_variable(entry, view, findings)).collect();
        let retry = inherited(&raw.retry, &self.document.defaults);
        Some(Task {
            id: TaskId::new(&raw.id.value)?,
            needs: self.graph.needs(number).to_vec(),
            kind: kind?,
            when: match when {
                Some(condition) => Some(condition?),
                None => None,
            },
            trigger_rule: raw.trigger_rule.as_ref().map(|rule| rule.value).unwrap_or_default(),
            retry: policy(&retry),
            timeout: retry.timeout,
            allow_failure: raw.allow_failure,
            env,
            pool: raw.limits.pool.clone(),
            pool_slots: raw.limits.pool_slots.unwrap_or(1),
            priority: raw.limits.priority.unwrap_or(0),
            max_active: raw.limits.max_active,
        })
    }

    fn kind(&self, number: usize, raw: &RawTask<'_>, findings: &mut Findings) -> Option<TaskKind> {
        if let Some((_, sides)) = &raw.branch {
            let sides = self.sides(number, sides, findings);
            return raw.stage.is_none().then_some(TaskKind::Branch { sides });
        }
        let with = raw.with.map(|(_, node)| self.inputs_template(number, node, findings)).unwrap_or_default();
        let stage = raw.stage.as_ref()?;
        self.check_inputs(number, stage, &with, findings);
        Some(TaskKind::Stage { stage: stage.value.clone(), with })
    }

    fn inputs_template(&self, number: usize, node: &super::yaml::Node, findings: &mut Findings) -> TemplateMap {
        let Kind::Map(entries) = &node.kind else { return TemplateMap::default() };
        let is_shell = self.document.tasks[number].stage.as_ref().is_some_and(|stage| stage.value == inputs::SHELL);
        let value = |entry: &Entry| {
            let value = if is_shell && entry.key.value == "script" {
                self.script(&entry.value, findings)
            } else {
                self.template_value(&entry.value, Viewpoint::Task(number), findings)
            };
            (entry.key.value.clone(), value)
        };
        TemplateMap::new(entries.iter().map(value).collect())
    }

    fn task_variable(&self, entry: &Entry, view: Viewpoint, findings: &mut Findings) -> (String, Template) {
        if matches!(entry.value.kind, Kind::Null) {
            let error = Diagnostic::error("wrong-type", entry.key.span, format!("the variable `{}` is empty", entry.key.value));
            findings.push(error.hint("write \"\" for an empty text; only the pipeline's own `env` passes variables through"));
        }
        (entry.key.value.clone(), self.text_template(&entry.value, view, findings))
    }

    fn pipeline_env(&self, findings: &mut Findings) -> Vec<(String, EnvValue)> {
        let variable = |entry: &Entry| {
            let value = match entry.value.kind {
                Kind::Null => EnvValue::Inherit,
                _ => EnvValue::Set(self.text_template(&entry.value, Viewpoint::Pipeline, findings)),
            };
            (entry.key.value.clone(), value)
        };
        self.document.env.iter().map(variable).collect()
    }
}

/// What a task says of attempts, and for the rest what `defaults` say.
fn inherited(task: &Retry, defaults: &Retry) -> Retry {
    Retry {
        retries: task.retries.or(defaults.retries),
        delay: task.delay.or(defaults.delay),
        backoff: task.backoff.or(defaults.backoff),
        timeout: task.timeout.or(defaults.timeout),
    }
}

fn policy(retry: &Retry) -> RetryPolicy {
    let base = RetryPolicy::default();
    let (factor, cap, jitter) =
        retry.backoff.map_or((base.factor, base.cap, base.jitter), |backoff| (backoff.factor, backoff.cap, backoff.jitter));
    RetryPolicy { retries: retry.retries.unwrap_or(base.retries), delay: retry.delay.unwrap_or(base.delay), factor, cap, jitter }
}
