//! References: does a path in a template lead to something that will be there?

use std::ops::Range;

use serde_json::{Value, json};

use super::Checked;
use super::outputs::{self, Field};
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::params::ParamType;
use crate::pipeline::source::Span;
use crate::pipeline::template::{Expression, RUN_FIELDS, Reference, Step};

/// From where a template looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Viewpoint {
    /// The pipeline's `env`: known before any task runs.
    Pipeline,
    /// A task, which sees those upstream of it.
    Task(usize),
    /// A trigger on another pipeline, which sees a run of that one as `run`.
    OtherRun,
    /// A trigger on a file or dataset, which sees what happened as `event`.
    Event,
}

/// A mistake in an expression; where the expression stands is not known here.
pub(super) struct Problem {
    code: &'static str,
    message: String,
    range: Range<usize>,
    hint: Option<String>,
    related: Option<(Span, String)>,
}

impl Problem {
    fn new(code: &'static str, range: &Range<usize>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), range: range.clone(), hint: None, related: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn at(self, locate: impl Fn(Range<usize>) -> Span) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code, locate(self.range), self.message).hint_if(self.hint);
        match self.related {
            Some((span, text)) => diagnostic.related(span, text),
            None => diagnostic,
        }
    }
}

/// A value of the type that a lone reference will have.
pub(super) struct Sample {
    pub(super) value: Value,
    /// The type in words.
    pub(super) words: &'static str,
}

/// The fields of the run that a trigger on a pipeline sees.
const OTHER_RUN_FIELDS: [&str; 8] = ["id", "pipeline", "status", "trigger", "logical_date", "params", "outputs", "reason"];
/// The fields of what a trigger on a file or dataset sees.
const EVENT_FIELDS: [&str; 4] = ["path", "name", "paths", "snapshot"];

/// A trigger sees one name and its fields.
fn trigger_sees(
    reference: &Reference,
    named: Option<(&str, &Range<usize>)>,
    root: &str,
    fields: &[&'static str],
    findings: &mut Findings,
) -> Result<(), Problem> {
    if reference.root != root {
        return Err(Problem::new("unknown-name", &reference.range, format!("this trigger sees only `{root}`")));
    }
    match named {
        Some((name, range)) if !fields.contains(&name) => {
            let hint = findings.did_you_mean(name, fields.iter().copied()).unwrap_or_else(|| format!("there are {}", fields.join(", ")));
            Err(Problem::new("unknown-name", range, format!("`{root}` of a trigger has no `{name}`")).hint(hint))
        }
        _ => Ok(()),
    }
}

impl Checked<'_> {
    /// Checks one reference of the expression `source`.
    pub(super) fn check_reference(
        &self,
        reference: &Reference,
        source: &str,
        view: Viewpoint,
        findings: &mut Findings,
    ) -> Result<(), Problem> {
        let named = reference.steps.first().and_then(|(step, range)| match step {
            Step::Key(name) => Some((name.as_str(), range)),
            Step::Index | Step::Dynamic => None,
        });
        match view {
            Viewpoint::OtherRun => return trigger_sees(reference, named, "run", &OTHER_RUN_FIELDS, findings),
            Viewpoint::Event => return trigger_sees(reference, named, "event", &EVENT_FIELDS, findings),
            Viewpoint::Pipeline | Viewpoint::Task(_) => {}
        }
        match (reference.root.as_str(), named) {
            ("event", _) => Err(Problem::new("unknown-name", &reference.range, "only a trigger under `on` sees `event`")
                .hint("hand it to the run as a parameter: `params: { path: \"{{ event.path }}\" }`")),
            ("params", Some((name, range))) => self.check_param(name, range, findings),
            ("run", Some((name, range))) if !RUN_FIELDS.contains(&name) => {
                let hint = findings.did_you_mean(name, RUN_FIELDS).unwrap_or_else(|| format!("a run has {}", RUN_FIELDS.join(", ")));
                Err(Problem::new("unknown-name", range, format!("a run has no `{name}`")).hint(hint))
            }
            ("env", _) if matches!(view, Viewpoint::Pipeline) => {
                Err(Problem::new("unknown-name", &reference.range, "one variable of `env` cannot read another"))
            }
            ("env", Some((name, range))) => self.check_variable(name, range, findings),
            ("tasks", named) => self.check_task(reference, named, source, view, findings),
            _ => Ok(()),
        }
    }

    fn check_param(&self, name: &str, range: &Range<usize>, findings: &mut Findings) -> Result<(), Problem> {
        if self.params.contains_key(name) {
            return Ok(());
        }
        let hint = findings.did_you_mean(name, self.document.params.iter().map(|param| param.name.as_str()));
        let hint = hint.unwrap_or_else(|| format!("declare it under `params`: `{name}: {{ type: string }}`"));
        Err(Problem::new("unknown-param", range, format!("the pipeline declares no parameter `{name}`")).hint(hint))
    }

    fn check_variable(&self, name: &str, range: &Range<usize>, findings: &mut Findings) -> Result<(), Problem> {
        if self.variables.contains(name) {
            return Ok(());
        }
        let hint = findings.did_you_mean(name, self.document.env.iter().map(|entry| entry.key.value.as_str()));
        let hint =
            hint.unwrap_or_else(|| format!("templates see only the pipeline's `env`: add `{name}:` there to pass the variable through"));
        Err(Problem::new("unknown-env", range, format!("the pipeline's `env` has no `{name}`")).hint(hint))
    }

    fn check_task(
        &self,
        reference: &Reference,
        named: Option<(&str, &Range<usize>)>,
        source: &str,
        view: Viewpoint,
        findings: &mut Findings,
    ) -> Result<(), Problem> {
        let Viewpoint::Task(viewer) = view else {
            return Err(Problem::new("not-upstream", &reference.range, "`env` is settled before any task has run"));
        };
        let Some((id, range)) = named else {
            return Err(Problem::new("unknown-task", &reference.range, "a task must be named here, as in `tasks.train.output`"));
        };
        let Some(&number) = self.numbers.get(id) else { return Err(self.unknown_task(reference, id, range, source, findings)) };
        let viewer_id = &self.document.tasks[viewer].id;
        if number == viewer {
            return Err(Problem::new("not-upstream", range, format!("the task `{id}` cannot read its own output")));
        }
        if !self.graph.is_upstream(number, viewer) {
            let message = format!("`{id}` is not upstream of `{}`, so it may not have run yet", viewer_id.value);
            let mut problem =
                Problem::new("not-upstream", range, message).hint(format!("add `{id}` to the `needs` of `{}`", viewer_id.value));
            problem.related = Some((viewer_id.span, "this task does not wait for it".to_owned()));
            return Err(problem);
        }
        match reference.steps.get(1) {
            Some((Step::Key(field), _)) if field == "output" => self.check_output(number, reference, findings),
            Some((Step::Key(field), _)) if field == "state" => Ok(()),
            Some((Step::Key(field), range)) => {
                let message = format!("a task has `output` and `state`, not `{field}`");
                Err(Problem::new("unknown-output-field", range, message).hint(format!("did you mean `tasks.{id}.output.{field}`?")))
            }
            _ => {
                let message = format!("`tasks.{id}` has two parts: `output` and `state`");
                Err(Problem::new("unknown-output-field", &reference.range, message).hint(format!("write `tasks.{id}.output`")))
            }
        }
    }

    fn unknown_task(&self, reference: &Reference, id: &str, range: &Range<usize>, source: &str, findings: &mut Findings) -> Problem {
        // `tasks.find-model.output` is a subtraction to Jinja.
        let dashed = (reference.steps.len() == 1).then(|| {
            let rest = &source[range.end..];
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
            format!("{id}{}", &rest[..length])
        });
        if let Some(dashed) = dashed.filter(|dashed| dashed.contains('-') && self.numbers.contains_key(dashed.as_str())) {
            let end = range.start + dashed.len();
            let message = format!("in an expression, `-` subtracts, so `{dashed}` is not read as one name");
            return Problem::new("unknown-task", &(range.start..end), message).hint(format!("write `tasks[\"{dashed}\"]`"));
        }
        let hint = findings.did_you_mean(id, self.document.tasks.iter().map(|task| task.id.value.as_str()));
        let mut problem = Problem::new("unknown-task", range, format!("no task is called `{id}`"));
        problem.hint = hint;
        problem
    }

    fn check_output(&self, number: usize, reference: &Reference, findings: &mut Findings) -> Result<(), Problem> {
        let Some(mut schema) = self.output_schema(number) else { return Ok(()) };
        for (step, range) in &reference.steps[2..] {
            let Step::Key(key) = step else {
                match outputs::element(schema) {
                    Some(element) => schema = element,
                    None => return Ok(()),
                }
                continue;
            };
            match outputs::field(schema, key) {
                Field::Known(field) => schema = field,
                Field::Anything => return Ok(()),
                Field::Unknown(known) => {
                    let task = &self.document.tasks[number];
                    let giver = task.stage.as_ref().map_or("a branch".to_owned(), |stage| format!("stage `{}`", stage.value));
                    let message = format!("the output of `{}` ({giver}) has no `{key}`", task.id.value);
                    let hint = findings.did_you_mean(key, known.iter().copied());
                    let all =
                        if known.is_empty() { "there are no fields here".to_owned() } else { format!("there are {}", known.join(", ")) };
                    return Err(Problem::new("unknown-output-field", range, message).hint(hint.unwrap_or(all)));
                }
            }
        }
        Ok(())
    }

    /// The schema of a task's output, if its stage is known.
    fn output_schema(&self, number: usize) -> Option<&Value> {
        let task = &self.document.tasks[number];
        match &task.stage {
            Some(stage) => self.catalog.get(&stage.value).map(|stage| &stage.spec.output),
            None if task.branch.is_some() => Some(outputs::branch()),
            None => None,
        }
    }

    /// What an expression that is one lone reference will be, if its type is declared.
    pub(super) fn sample(&self, expression: &Expression) -> Option<Sample> {
        let references = expression.references();
        let [reference] = references.as_slice() else { return None };
        if expression.source().trim() != &expression.source()[reference.range.clone()] {
            return None;
        }
        match (reference.root.as_str(), reference.steps.as_slice()) {
            ("params", [(Step::Key(name), _)]) => Some(match self.params.get(name.as_str())?.kind {
                ParamType::Integer => Sample { value: json!(1), words: "a whole number" },
                ParamType::Number => Sample { value: json!(1.0), words: "a number" },
                ParamType::Boolean => Sample { value: json!(true), words: "true or false" },
                _ => Sample { value: json!("text"), words: "a string" },
            }),
            ("tasks", [(Step::Key(task), _), (Step::Key(output), _), steps @ ..]) if output == "output" => {
                let mut schema = self.output_schema(*self.numbers.get(task.as_str())?)?;
                for (step, _) in steps {
                    schema = match step {
                        Step::Key(key) => match outputs::field(schema, key) {
                            Field::Known(field) => field,
                            Field::Anything | Field::Unknown(_) => return None,
                        },
                        Step::Index | Step::Dynamic => outputs::element(schema)?,
                    };
                }
                outputs::sample(schema).map(|(value, words)| Sample { value, words })
            }
            ("run", [_]) | ("env" | "secrets", [_]) => Some(Sample { value: json!("text"), words: "a string" }),
            _ => None,
        }
    }
}
