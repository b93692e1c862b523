//! `tasks`.

use super::fields::{Fields, wrong_type};
use super::header::{read_env, read_retry};
use super::{RawLimits, RawSide, RawTask, limits};
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::model::{TaskId, TriggerRule};
use crate::pipeline::source::Span;
use crate::pipeline::yaml::{Entry, Kind, Node};

/// The keys of a task.
pub(crate) const KEYS: [&str; 16] = [
    "stage",
    "needs",
    "with",
    "when",
    "branch",
    "trigger_rule",
    "retries",
    "retry_delay",
    "retry_backoff",
    "timeout",
    "allow_failure",
    "env",
    "pool",
    "pool_slots",
    "priority",
    "max_active",
];

pub(super) fn read_all<'n>(entry: &'n Entry, findings: &mut Findings) -> Vec<RawTask<'n>> {
    match &entry.value.kind {
        Kind::Map(entries) if !entries.is_empty() => entries.iter().map(|entry| read_one(entry, findings)).collect(),
        Kind::Map(_) | Kind::Null => {
            let error = Diagnostic::error("missing-key", entry.key.span, "`tasks` is empty: a pipeline without tasks does nothing");
            findings.push(error.hint("add at least one task, such as `hello: { stage: noop }`"));
            Vec::new()
        }
        Kind::List(_) => {
            let error = wrong_type(&entry.value, "`tasks`", "a map from ids to tasks");
            findings.push(error.hint("write `ID:` before each task instead of `-`"));
            Vec::new()
        }
        _ => {
            findings.push(wrong_type(&entry.value, "`tasks`", "a map from ids to tasks"));
            Vec::new()
        }
    }
}

/// A task, even if all in it is wrong: others may refer to it.
fn read_one<'n>(entry: &'n Entry, findings: &mut Findings) -> RawTask<'n> {
    check_id(entry, findings);
    let mut task = RawTask {
        id: entry.key.clone(),
        stage: None,
        with: None,
        needs: Vec::new(),
        when: None,
        branch: None,
        trigger_rule: None,
        retry: super::Retry::default(),
        allow_failure: false,
        env: &[],
        limits: RawLimits::default(),
    };
    let Kind::Map(entries) = &entry.value.kind else {
        let hint = entry.value.as_text().map(|stage| format!("write `{}: {{ stage: {stage} }}`", entry.key.value));
        findings.push(wrong_type(&entry.value, &format!("the task `{}`", entry.key.value), "a map").hint_if(hint));
        return task;
    };
    let fields = Fields::open(entries, entry.value.span, "a task", &KEYS, findings);
    let rules = TriggerRule::ALL.map(TriggerRule::as_str);
    task.stage = fields.text("stage", findings);
    task.with = read_with(&fields, findings);
    task.needs = fields.words("needs", findings);
    task.when = fields.get("when").map(|entry| &entry.value);
    task.branch = fields.get("branch").map(|entry| (entry.key.span, read_sides(&entry.value, findings)));
    task.trigger_rule = fields.word("trigger_rule", &rules, TriggerRule::from_word, findings);
    task.retry = read_retry(&fields, findings);
    task.allow_failure = fields.flag("allow_failure", findings).unwrap_or(false);
    task.env = read_env(&fields, findings);
    task.limits = limits::read(&fields, findings);
    check_kind(entry, &fields, findings);
    task
}

fn check_id(entry: &Entry, findings: &mut Findings) {
    let id = &entry.key.value;
    if TaskId::new(id).is_some() {
        return;
    }
    if id.len() > TaskId::MAX_LENGTH {
        let message = format!("a task id has at most {} characters, this one has {}", TaskId::MAX_LENGTH, id.chars().count());
        findings.push(Diagnostic::error("invalid-name", entry.key.span, message));
        return;
    }
    let mut better: String = id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    if !better.starts_with(|c: char| c.is_ascii_alphabetic()) {
        better = format!("t{better}");
    }
    let error = Diagnostic::error("invalid-name", entry.key.span, format!("`{id}` cannot be a task id"));
    findings.push(error.hint(format!("an id is a letter, then letters, digits, `_` or `-`, such as `{better}`")));
}

/// A task has a stage or a branch.
fn check_kind(entry: &Entry, fields: &Fields<'_>, findings: &mut Findings) {
    match (fields.get("stage"), fields.get("branch")) {
        (Some(stage), Some(branch)) => {
            let error = Diagnostic::error("stage-or-branch", branch.key.span, "a task has `stage` or `branch`, not both");
            findings.push(error.related(stage.key.span, "the stage").hint("let the branch be a task of its own that needs this one"));
        }
        (None, None) => {
            let message = format!("the task `{}` has neither `stage` nor `branch`", entry.key.value);
            findings.push(Diagnostic::error("stage-or-branch", entry.key.span, message).hint("`recflow stages` lists the stages"));
        }
        (None, Some(_)) => {
            if let Some(with) = fields.get("with") {
                findings.push(Diagnostic::error("stage-or-branch", with.key.span, "a branch takes no `with`"));
            }
        }
        (Some(_), None) => {}
    }
}

fn read_with<'n>(fields: &Fields<'n>, findings: &mut Findings) -> Option<(Span, &'n Node)> {
    let entry = fields.get("with")?;
    match entry.value.kind {
        Kind::Map(_) => Some((entry.key.span, &entry.value)),
        Kind::Null => None,
        _ => {
            findings.push(wrong_type(&entry.value, "`with`", "a map of inputs"));
            None
        }
    }
}

fn read_sides<'n>(node: &'n Node, findings: &mut Findings) -> Vec<RawSide<'n>> {
    let Kind::List(items) = &node.kind else {
        findings.push(wrong_type(node, "`branch`", "a list of sides").hint("write `- { when: …, to: TASK }` for each side"));
        return Vec::new();
    };
    if items.is_empty() {
        findings.push(Diagnostic::error("branch-side", node.span, "this branch has no sides"));
    }
    items.iter().filter_map(|item| read_side(item, findings)).collect()
}

fn read_side<'n>(node: &'n Node, findings: &mut Findings) -> Option<RawSide<'n>> {
    let fields = Fields::of(node, "a side of a branch", &["when", "to"], findings)?;
    let to = fields.words("to", findings);
    if fields.get("to").is_none() {
        let error = Diagnostic::error("missing-key", node.span, "this side leads nowhere: `to` is missing");
        findings.push(error.hint("name the task that runs if this side is taken; a `noop` if nothing should"));
    }
    Some(RawSide { span: node.span, when: fields.get("when").map(|entry| &entry.value), to })
}
