//! The raw document: what was typed, with its places, before anything is looked up.
//!
//! [`read`] turns the tree of nodes into a [`Document`]. It reports unknown keys and values of the wrong type or form;
//! whether names name something, and everything that needs two places at once, is for `check`. Fields with mistakes
//! are left out, so that the rest can still be checked.

mod events;
mod fields;
mod header;
mod limits;
mod params;
mod schedules;
pub(crate) mod settings;
mod tasks;

use std::time::Duration;

use super::diagnostic::{Diagnostic, Findings};
use super::model::TriggerRule;
use super::params::ParamSpec;
use super::schedule::Schedule;
use super::source::{Source, Span, Spanned};
use super::yaml::{Entry, Kind, Node};
pub(crate) use events::RawTrigger;
use fields::Fields;

#[cfg(test)]
pub(crate) use {
    events::KEYS as TRIGGER_KEYS, header::DEFAULTS_KEYS, params::KEYS as PARAM_KEYS, schedules::KEYS as SCHEDULE_KEYS,
    tasks::KEYS as TASK_KEYS,
};

/// A pipeline as it was typed.
#[derive(Debug)]
pub(crate) struct Document<'n> {
    /// Where to point when something is missing that has no place of its own.
    pub(crate) first_key: Span,
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) params: Vec<ParamSpec>,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) triggers: Vec<RawTrigger<'n>>,
    pub(crate) paused: bool,
    pub(crate) max_active_runs: Option<u32>,
    pub(crate) max_active_tasks: Option<u32>,
    pub(crate) priority: i32,
    pub(crate) defaults: Retry,
    pub(crate) env: &'n [Entry],
    pub(crate) tasks: Vec<RawTask<'n>>,
}

/// A task as it was typed.
#[derive(Debug)]
pub(crate) struct RawTask<'n> {
    pub(crate) id: Spanned<String>,
    pub(crate) stage: Option<Spanned<String>>,
    /// The key `with` and its map.
    pub(crate) with: Option<(Span, &'n Node)>,
    pub(crate) needs: Vec<Spanned<String>>,
    pub(crate) when: Option<&'n Node>,
    /// The key `branch` and its sides.
    pub(crate) branch: Option<(Span, Vec<RawSide<'n>>)>,
    pub(crate) trigger_rule: Option<Spanned<TriggerRule>>,
    pub(crate) retry: Retry,
    pub(crate) allow_failure: bool,
    pub(crate) env: &'n [Entry],
    pub(crate) limits: RawLimits,
}

/// What a task says of how much may run at once.
#[derive(Debug, Default, Clone)]
pub(crate) struct RawLimits {
    pub(crate) pool: Option<Spanned<String>>,
    pub(crate) pool_slots: Option<u32>,
    pub(crate) priority: Option<i32>,
    pub(crate) max_active: Option<u32>,
}

/// A side of a branch as it was typed.
#[derive(Debug)]
pub(crate) struct RawSide<'n> {
    pub(crate) span: Span,
    pub(crate) when: Option<&'n Node>,
    pub(crate) to: Vec<Spanned<String>>,
}

/// What a task or `defaults` says of attempts; what is not said is inherited.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Retry {
    pub(crate) retries: Option<u32>,
    pub(crate) delay: Option<Duration>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) timeout: Option<Duration>,
}

/// `retry_backoff`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    pub(crate) factor: f64,
    pub(crate) cap: Option<Duration>,
    pub(crate) jitter: f64,
}

/// The keys of a pipeline.
pub(crate) const KEYS: [&str; 13] = [
    "name",
    "description",
    "tags",
    "params",
    "schedule",
    "on",
    "paused",
    "max_active_runs",
    "max_active_tasks",
    "priority",
    "defaults",
    "env",
    "tasks",
];

/// Reads the document under `root`. `None` if there is nothing that could hold tasks.
pub(crate) fn read<'n>(root: &'n Node, source: &Source, findings: &mut Findings) -> Option<Document<'n>> {
    let Kind::Map(entries) = &root.kind else {
        let error =
            Diagnostic::error("wrong-type", root.span, format!("a pipeline is a map with the key `tasks`, found {}", root.describe()));
        findings.push(error);
        return None;
    };
    let fields = Fields::of_document(entries, root.span, &KEYS, findings);
    let first_key = entries.first().map_or(root.span, |entry| entry.key.span);
    let tasks = match fields.get("tasks") {
        Some(entry) => tasks::read_all(entry, findings),
        None => {
            let error = Diagnostic::error("missing-key", first_key, "`tasks` is missing: a pipeline without tasks does nothing");
            findings.push(error.hint("add `tasks:` with at least one task, such as `hello: { stage: noop }`"));
            Vec::new()
        }
    };
    Some(Document {
        first_key,
        name: fields.text("name", findings),
        description: fields.text("description", findings).map(|text| text.value),
        tags: fields.words("tags", findings).into_iter().map(|tag| tag.value).collect(),
        params: params::read_all(&fields, source, findings),
        schedules: schedules::read_all(&fields, source, findings),
        triggers: events::read_all(&fields, findings),
        paused: fields.flag("paused", findings).unwrap_or(false),
        max_active_runs: fields.whole("max_active_runs", 1..=10_000, findings),
        max_active_tasks: fields.whole("max_active_tasks", 1..=10_000, findings),
        priority: fields.signed("priority", -1_000..=1_000, findings).unwrap_or(0),
        defaults: header::read_defaults(&fields, findings),
        env: header::read_env(&fields, findings),
        tasks,
    })
}
