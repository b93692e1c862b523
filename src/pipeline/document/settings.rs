//! `recflow.yaml`: what holds for a whole workspace.

use std::collections::BTreeMap;

use recflow_stages::byte_size::ByteSize;

use super::fields::{Fields, wrong_type};
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::model::TaskId;
use crate::pipeline::settings::{Limits, Retention, Settings};
use crate::pipeline::yaml::{Entry, Kind, Node};

/// The keys of `recflow.yaml`.
const KEYS: [&str; 3] = ["max_parallel_tasks", "pools", "retention"];
/// Those of its `retention`.
const RETENTION_KEYS: [&str; 4] = ["older_than", "runs", "logs", "max_size"];

/// Most tasks at once, and most slots of a pool.
const MOST: u32 = 10_000;

pub(crate) fn read(root: &Node, findings: &mut Findings) -> Settings {
    let Some(fields) = Fields::of(root, "recflow.yaml", &KEYS, findings) else { return Settings::default() };
    let limits = Limits { max_parallel_tasks: fields.whole("max_parallel_tasks", 1..=MOST, findings), pools: pools(&fields, findings) };
    let retention = fields.get("retention").map(|entry| retention(&entry.value, findings)).unwrap_or_default();
    Settings { limits, retention }
}

fn retention(node: &Node, findings: &mut Findings) -> Retention {
    let defaults = Retention::default();
    let Some(fields) = Fields::of(node, "`retention`", &RETENTION_KEYS, findings) else { return defaults };
    Retention {
        older_than: fields.duration("older_than", findings).unwrap_or(defaults.older_than),
        runs: fields.whole("runs", 1..=u32::MAX, findings).unwrap_or(defaults.runs),
        logs: fields.duration("logs", findings).unwrap_or(defaults.logs),
        max_size: fields.get("max_size").and_then(|entry| size(&entry.value, findings)).unwrap_or(defaults.max_size),
    }
}

/// A number of bytes, such as `5GB`.
fn size(node: &Node, findings: &mut Findings) -> Option<u64> {
    let read = match &node.kind {
        Kind::Text(text) => text.parse::<ByteSize>(),
        Kind::Number(number) => number.to_string().parse::<ByteSize>(),
        _ => {
            findings.push(wrong_type(node, "`max_size`", "a size").hint("such as 500MB, 5GB or 2GiB"));
            return None;
        }
    };
    read.map(|size| size.0).map_err(|error| findings.push(Diagnostic::error("invalid-size", node.span, error))).ok()
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
