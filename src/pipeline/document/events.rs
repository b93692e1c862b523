//! `on`: one map or a list of maps.

use std::time::Duration;

use super::fields::{Fields, wrong_type};
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::model::TaskId;
use crate::pipeline::source::Span;
use crate::pipeline::trigger::{EndStatus, EventSource, EventTrigger};
use crate::pipeline::yaml::{Entry, Kind, Node};

/// The keys of a trigger.
pub(crate) const KEYS: [&str; 7] = ["pipeline", "dataset", "file", "status", "when", "debounce", "params"];
const SOURCES: [&str; 3] = ["pipeline", "dataset", "file"];

/// A trigger as it was typed; its templates are for `check`.
#[derive(Debug)]
pub(crate) struct RawTrigger<'n> {
    pub(crate) span: Span,
    pub(crate) source: EventSource,
    pub(crate) debounce: Duration,
    pub(crate) when: Option<&'n Node>,
    pub(crate) params: &'n [Entry],
}

pub(super) fn read_all<'n>(pipeline: &Fields<'n>, findings: &mut Findings) -> Vec<RawTrigger<'n>> {
    match pipeline.get("on").map(|entry| &entry.value) {
        None => Vec::new(),
        Some(Node { kind: Kind::List(items), .. }) => items.iter().filter_map(|item| read_one(item, findings)).collect(),
        Some(node) => read_one(node, findings).into_iter().collect(),
    }
}

fn read_one<'n>(node: &'n Node, findings: &mut Findings) -> Option<RawTrigger<'n>> {
    let fields = Fields::of(node, "a trigger", &KEYS, findings)?;
    let source = read_source(&fields, findings);
    let quiet = if fields.get("file").is_some() { EventTrigger::FILE_QUIET } else { Duration::ZERO };
    let debounce = if fields.get("debounce").is_some() { fields.duration("debounce", findings)? } else { quiet };
    let params: &[Entry] = match fields.get("params").map(|entry| &entry.value) {
        None => &[],
        Some(Node { kind: Kind::Map(entries), .. }) => entries,
        Some(other) => {
            findings.push(wrong_type(other, "`params`", "a map of parameters"));
            &[]
        }
    };
    Some(RawTrigger { span: node.span, source: source?, debounce, when: fields.get("when").map(|entry| &entry.value), params })
}

fn read_source(fields: &Fields<'_>, findings: &mut Findings) -> Option<EventSource> {
    let given: Vec<&Entry> = SOURCES.iter().filter_map(|key| fields.get(key)).collect();
    let [entry] = given.as_slice() else {
        let (span, message) = match given.get(1) {
            None => (fields.span, "a trigger needs one of `pipeline`, `dataset` and `file`"),
            Some(second) => (second.key.span, "a trigger watches one thing"),
        };
        findings.push(Diagnostic::error("invalid-value", span, message).hint("for several, write a list of triggers"));
        return None;
    };
    let key = entry.key.value.as_str();
    if key != "pipeline"
        && let Some(status) = fields.get("status")
    {
        findings.push(Diagnostic::error("invalid-value", status.key.span, format!("a {key} has no status")));
    }
    let text = fields.text(key, findings)?;
    let status = fields.word("status", EndStatus::WORDS, EndStatus::from_word, findings).map(|word| word.value).unwrap_or_default();
    let wrong = |message: String, hint: &str| Diagnostic::error("invalid-value", text.span, message).hint(hint.to_owned());
    match key {
        "pipeline" if TaskId::new(&text.value).is_none() => {
            findings.push(wrong(
                format!("`{}` cannot be the name of a pipeline", text.value),
                "write the `name` of the pipeline, not its file",
            ));
            None
        }
        "pipeline" => Some(EventSource::Pipeline { name: text.value, status }),
        _ if text.value.is_empty() => {
            findings.push(wrong(format!("`{key}` is empty"), "write a path relative to the workspace"));
            None
        }
        "dataset" => Some(EventSource::Dataset { path: text.value }),
        _ => {
            let folder = text.value.rsplit_once('/').map_or("", |(folder, _)| folder);
            if folder.contains(['*', '?']) {
                findings
                    .push(wrong("only the last part of a file's path may have `*` or `?`".to_owned(), "write a trigger for each folder"));
                return None;
            }
            Some(EventSource::File { pattern: text.value })
        }
    }
}
