//! Stages and their inputs: the stage exists, and what is written under `with` fits its schema.

use std::collections::HashMap;

use recflow_stages::schema::{self, Problem, Step, Wrong};
use recflow_stages::{AnyStage, Misfit, StageSpec};
use serde_json::{Map, Value};

use super::Checked;
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::source::{Span, Spanned};
use crate::pipeline::template::{TemplateMap, TemplateValue};
use crate::pipeline::yaml::{Kind, Node};

/// The stage whose script is not a template.
pub(super) const SHELL: &str = "shell";
/// Most problems of one task's inputs that are looked at.
const MAX_PROBLEMS: usize = 200;

impl Checked<'_> {
    /// Checks the stage of a task and its literal inputs. Templates are skipped, unless they are one lone reference
    /// whose declared type cannot fit.
    pub(super) fn check_inputs(&self, number: usize, stage: &Spanned<String>, with: &TemplateMap, findings: &mut Findings) {
        let Some(known @ AnyStage { spec, .. }) = self.catalog.get(&stage.value) else {
            let names = self.catalog.iter().map(|stage| stage.spec.name);
            let hint = findings.did_you_mean(&stage.value, names).unwrap_or_else(|| match stage.value.as_str() {
                "bash" | "sh" | "command" | "script" | "python" | "spark" => "stage `shell` runs other programs".to_owned(),
                _ => "`recflow stages` lists the stages".to_owned(),
            });
            findings.push(Diagnostic::error("unknown-stage", stage.span, format!("unknown stage `{}`", stage.value)).hint(hint));
            return;
        };
        let node = self.document.tasks[number].with.map(|(_, node)| node);
        let mut stand_ins = StandIns { checked: self, places: HashMap::new() };
        let inputs = stand_ins.entries(with.iter(), &mut Vec::new());
        let inputs = Value::Object(inputs);
        for problem in schema::check(&spec.inputs, &inputs).iter().take(MAX_PROBLEMS) {
            let diagnostic = match (stand_ins.places.get(&path(&problem.place)), &problem.wrong) {
                (None, _) => problem_at(problem, spec, stage, node, findings),
                (Some(Some((source, words))), Wrong::Type { expected, .. }) => {
                    let span = node.map_or(stage.span, |node| find(node, &problem.place).span);
                    let message = format!("the input `{}` is {expected}, and `{source}` is {words}", path(&problem.place));
                    Diagnostic::error("invalid-input", span, message)
                }
                (Some(_), _) => continue,
            };
            findings.push(diagnostic);
        }
        // What a template stands in for is not known yet: the attempt asks again.
        if let Some(Misfit { input, error }) = known.misfit(&inputs).filter(|misfit| !stand_ins.are_in(misfit.input)) {
            let span = node.map_or(stage.span, |node| find(node, &[Step::Key(input.to_owned())]).span);
            findings.push(Diagnostic::error("invalid-input", span, error.message).hint_if(error.hint));
        }
        if spec.name == SHELL {
            check_shell(stage, node, findings);
        }
    }
}

/// Puts values in the place of templates while the inputs are checked.
struct StandIns<'a> {
    checked: &'a Checked<'a>,
    /// Where a template stands, and if it is a reference of a known type: the reference and the type in words.
    places: HashMap<String, Option<(String, &'static str)>>,
}

impl StandIns<'_> {
    /// Whether a template stands in the place of the input, or somewhere in it.
    fn are_in(&self, input: &str) -> bool {
        let is_in = |place: &str| place.strip_prefix(input).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.places.keys().any(|place| is_in(place))
    }

    fn entries<'v>(&mut self, entries: impl Iterator<Item = (&'v str, &'v TemplateValue)>, place: &mut Vec<Step>) -> Map<String, Value> {
        let mut members = Map::new();
        for (key, value) in entries {
            place.push(Step::Key(key.to_owned()));
            members.insert(key.to_owned(), self.value(value, place));
            place.pop();
        }
        members
    }

    fn value(&mut self, value: &TemplateValue, place: &mut Vec<Step>) -> Value {
        match value {
            TemplateValue::Literal(value) => value.clone(),
            TemplateValue::Map(entries) => Value::Object(self.entries(entries.iter().map(|(key, value)| (key.as_str(), value)), place)),
            TemplateValue::List(items) => {
                let mut elements = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    place.push(Step::Index(index));
                    elements.push(self.value(item, place));
                    place.pop();
                }
                Value::Array(elements)
            }
            TemplateValue::Template(template) => {
                let sample = match template.lone() {
                    Some(expression) => self.checked.sample(expression).map(|sample| (expression.source(), sample)),
                    None => None,
                };
                let known = sample.as_ref().map(|(source, sample)| (source.trim().to_owned(), sample.words));
                // Longer text becomes a string, but of unknown content, so its problems are not reported either.
                let value = sample.map_or_else(|| Value::String(template.source().to_owned()), |(_, sample)| sample.value);
                self.places.insert(path(place), known);
                value
            }
        }
    }
}

fn problem_at(problem: &Problem, spec: &StageSpec, stage: &Spanned<String>, with: Option<&Node>, findings: &mut Findings) -> Diagnostic {
    let found = with.map(|node| find(node, &problem.place));
    let value_span = found.as_ref().map_or(stage.span, |found| found.span);
    match &problem.wrong {
        Wrong::Missing { key } if problem.place.is_empty() => {
            let message = format!("the input `{key}` of stage `{}` is missing", spec.name);
            let about = spec.inputs["properties"][key]["description"].as_str().map(first_sentence);
            let hint =
                about.map_or_else(|| format!("add `{key}: …` under `with`"), |about| format!("add `{key}: …` under `with`: {about}"));
            Diagnostic::error("missing-input", stage.span, message).hint(hint)
        }
        Wrong::Missing { key } => {
            Diagnostic::error("missing-input", value_span, format!("`{key}` of the input `{}` is missing", path(&problem.place)))
        }
        Wrong::Unknown { key, known } => {
            let span = found.and_then(|found| found.key_of(key)).unwrap_or(value_span);
            let hint = findings.did_you_mean(key, known.iter().map(String::as_str));
            let hint = hint.unwrap_or_else(|| match known.as_slice() {
                [] => format!("stage `{}` takes no inputs", spec.name),
                known => format!("it takes {}", known.join(", ")),
            });
            Diagnostic::error("unknown-input", span, format!("stage `{}` has no input `{key}`", spec.name)).hint(hint)
        }
        Wrong::Type { expected, found } | Wrong::Value { expected, found } => {
            // An optional enum lists null among its values; to leave the input out is how one writes that.
            let expected = expected.trim_end_matches(", null");
            let message = format!("the input `{}` is {found}, expected {expected}", path(&problem.place));
            let is_line = spec.name == SHELL && path(&problem.place) == "command" && found.starts_with("the string");
            let hint = "write a list, `[program, argument, …]`; `script` instead of `command` takes a line for a shell";
            Diagnostic::error("invalid-input", value_span, message).hint_if(is_line.then(|| hint.to_owned()))
        }
    }
}

/// The schema cannot say that `shell` takes one of two inputs.
fn check_shell(stage: &Spanned<String>, with: Option<&Node>, findings: &mut Findings) {
    let found = |key: &str| with.and_then(|node| Found { node, span: node.span }.key_of(key));
    match (found("command"), found("script")) {
        (Some(command), Some(script)) => {
            let error = Diagnostic::error("invalid-input", script, "stage `shell` takes `command` or `script`, not both");
            findings.push(error.related(command, "the command"));
        }
        (None, None) => {
            let error = Diagnostic::error("missing-input", stage.span, "stage `shell` needs `command` or `script`");
            findings.push(error.hint("add `command: [program, argument, …]` or `script: …` under `with`"));
        }
        _ => {}
    }
}

/// A place in `with`.
struct Found<'n> {
    node: &'n Node,
    span: Span,
}

impl Found<'_> {
    fn key_of(&self, key: &str) -> Option<Span> {
        match &self.node.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key.value == key).map(|entry| entry.key.span),
            _ => None,
        }
    }
}

fn find<'n>(root: &'n Node, place: &[Step]) -> Found<'n> {
    let mut node = root;
    for step in place {
        let next = match (step, &node.kind) {
            (Step::Key(key), Kind::Map(entries)) => entries.iter().find(|entry| entry.key.value == *key).map(|entry| &entry.value),
            (Step::Index(index), Kind::List(items)) => items.get(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        node = next;
    }
    Found { node, span: node.span }
}

fn path(place: &[Step]) -> String {
    let mut path = String::new();
    for step in place {
        match step {
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => path.push_str(&format!(".{key}")),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

fn first_sentence(text: &str) -> String {
    let text = text.replace('\n', " ");
    text.split_once(". ").map_or(text.as_str(), |(first, _)| first).trim_end_matches('.').to_owned()
}
