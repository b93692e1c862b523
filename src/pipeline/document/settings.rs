//! `recflow.yaml`: what holds for a whole workspace.

use std::collections::BTreeMap;

use super::fields::{Fields, wrong_type};
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::model::TaskId;
use crate::pipeline::settings::{Limits, Settings};
use crate::pipeline::yaml::{Entry, Kind, Node};

/// The keys of `recflow.yaml`.
const KEYS: [&str; 2] = ["max_parallel_tasks", "pools"];

/// Most tasks at once, and most slots of a pool.
const MOST: u32 = 10_000;

pub(crate) fn read(root: &Node, findings: &mut Findings) -> Settings {
    let Some(fields) = Fields::of(root, "recflow.yaml", &KEYS, findings) else { return Settings::default() };
    let limits = Limits { max_parallel_tasks: fields.whole("max_parallel_tasks", 1..=MOST, findings), pools: pools(&fields, findings) };
    Settings { limits }
}

fn pools(settings: &Fields<'_>, findings: &mut Findings) -> BTreeMap<String, u32> {
    let Some(entry) = settings.get("pools") else { return BTreeMap::new() };
    let Kind::Map(entries) = &entry.value.kind else {
        findings.push(wrong_type(&entry.value, "`pools`", "a map from names to numbers of slots").hint("such as `pools: { gpu: 2 }`"));
        return BTreeMap::new();
    };
    let names: Vec<&str> = entries.iter().map(|entry| entry.key.value.as_str()).collect();
    // Every name is known here: a pool may be called anything that a name may be.
    let fields = Fields::open(entries, entry.value.span, "`pools`", &names, findings);
    fields.entries().iter().filter_map(|entry| pool(&fields, entry, findings)).collect()
}

fn pool(pools: &Fields<'_>, Entry { key, .. }: &Entry, findings: &mut Findings) -> Option<(String, u32)> {
    if TaskId::new(&key.value).is_none() {
        let error = Diagnostic::error("invalid-name", key.span, format!("`{}` cannot be the name of a pool", key.value));
        findings.push(error.hint("a name is a letter, then letters, digits, `_` or `-`"));
        return None;
    }
    Some((key.value.clone(), pools.whole(&key.value, 1..=MOST, findings)?))
}
