//! Reads the fields of a map: unknown keys, types and forms are reported where they stand.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::duration;
use crate::pipeline::source::{Span, Spanned};
use crate::pipeline::yaml::{Entry, Kind, Node};

/// The fields of one map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    /// The whole map.
    pub(super) span: Span,
}

impl<'n> Fields<'n> {
    /// The fields `entries` of `what`; keys that are not `known` are reported.
    pub(super) fn open(entries: &'n [Entry], span: Span, what: &str, known: &[&str], findings: &mut Findings) -> Self {
        report_unknown(entries.iter().map(|entry| &entry.key), what, known, findings);
        Self { entries, span }
    }

    /// The fields of the document. Its keys that begin with `x-` are free, for notes and anchors.
    pub(super) fn of_document(entries: &'n [Entry], span: Span, known: &[&str], findings: &mut Findings) -> Self {
        let keys = entries.iter().map(|entry| &entry.key).filter(|key| !key.value.starts_with("x-"));
        report_unknown(keys, "a pipeline", known, findings);
        Self { entries, span }
    }

    /// The fields of `node`, if it is a map; otherwise that is reported.
    pub(super) fn of(node: &'n Node, what: &str, known: &[&str], findings: &mut Findings) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            findings.push(wrong_type(node, what, "a map"));
            return None;
        };
        Some(Self::open(entries, node.span, what, known, findings))
    }

    /// All entries, whatever their keys.
    pub(super) fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    /// The first entry of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key.value == key)
    }

    fn value(&self, key: &str) -> Option<&'n Node> {
        self.get(key).map(|entry| &entry.value)
    }

    /// A text.
    pub(super) fn text(&self, key: &str, findings: &mut Findings) -> Option<Spanned<String>> {
        text(self.value(key)?, &format!("`{key}`"), findings)
    }

    /// A text, or a list of texts.
    pub(super) fn words(&self, key: &str, findings: &mut Findings) -> Vec<Spanned<String>> {
        let Some(node) = self.value(key) else { return Vec::new() };
        match &node.kind {
            Kind::List(items) => items.iter().filter_map(|item| text(item, &format!("an element of `{key}`"), findings)).collect(),
            Kind::Text(_) => text(node, key, findings).into_iter().collect(),
            _ => {
                findings.push(wrong_type(node, &format!("`{key}`"), "a name or a list of names"));
                Vec::new()
            }
        }
    }

    /// A text that is one of the words that `parse` knows.
    pub(super) fn word<T>(
        &self,
        key: &str,
        known: &[&str],
        parse: impl Fn(&str) -> Option<T>,
        findings: &mut Findings,
    ) -> Option<Spanned<T>> {
        let word = self.text(key, findings)?;
        let parsed = parse(&word.value);
        if parsed.is_none() {
            let close = findings.did_you_mean(&word.value, known.iter().copied());
            let hint = close.unwrap_or_else(|| format!("it is one of {}", known.join(", ")));
            findings.push(Diagnostic::error("invalid-value", word.span, format!("`{}` is not a value of `{key}`", word.value)).hint(hint));
        }
        parsed.map(|value| Spanned { value, span: word.span })
    }

    /// A whole number in `range`.
    pub(super) fn whole(&self, key: &str, range: RangeInclusive<u32>, findings: &mut Findings) -> Option<u32> {
        let node = self.value(key)?;
        let number = match &node.kind {
            Kind::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
            _ => None,
        };
        let found = number.filter(|number| range.contains(number));
        if found.is_none() {
            findings.push(wrong_type(node, &format!("`{key}`"), &format!("a whole number from {} to {}", range.start(), range.end())));
        }
        found
    }

    /// A whole number in `range`, which may be below zero.
    pub(super) fn signed(&self, key: &str, range: RangeInclusive<i32>, findings: &mut Findings) -> Option<i32> {
        let node = self.value(key)?;
        let number = match &node.kind {
            Kind::Number(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
            _ => None,
        };
        let found = number.filter(|number| range.contains(number));
        if found.is_none() {
            findings.push(wrong_type(node, &format!("`{key}`"), &format!("a whole number from {} to {}", range.start(), range.end())));
        }
        found
    }

    /// A number in `range`.
    pub(super) fn number(&self, key: &str, range: RangeInclusive<f64>, findings: &mut Findings) -> Option<f64> {
        let node = self.value(key)?;
        let number = match &node.kind {
            Kind::Number(number) => number.as_f64(),
            _ => None,
        };
        let found = number.filter(|number| range.contains(number));
        if found.is_none() {
            let expected = match (*range.start(), *range.end()) {
                (f64::MIN, f64::MAX) => "a number".to_owned(),
                (least, f64::MAX) => format!("a number from {least}"),
                (least, most) => format!("a number from {least} to {most}"),
            };
            findings.push(wrong_type(node, &format!("`{key}`"), &expected));
        }
        found
    }

    /// True or false.
    pub(super) fn flag(&self, key: &str, findings: &mut Findings) -> Option<bool> {
        let node = self.value(key)?;
        match node.kind {
            Kind::Bool(flag) => Some(flag),
            _ => {
                let error = wrong_type(node, &format!("`{key}`"), "true or false");
                let is_old_boolean = matches!(node.as_text(), Some("yes" | "no" | "on" | "off" | "Yes" | "No" | "On" | "Off"));
                let hint = is_old_boolean.then(|| "in YAML 1.2, `yes`, `no`, `on` and `off` are text".to_owned());
                findings.push(error.hint_if(hint));
                None
            }
        }
    }

    /// A duration.
    pub(super) fn duration(&self, key: &str, findings: &mut Findings) -> Option<Duration> {
        let node = self.value(key)?;
        let forms = format!("durations look like {}", duration::FORMS);
        match &node.kind {
            Kind::Text(text) => match duration::parse(text) {
                Ok(duration) => return Some(duration),
                Err(message) => findings.push(Diagnostic::error("invalid-duration", node.span, message).hint(forms)),
            },
            Kind::Number(number) => {
                let error = Diagnostic::error("invalid-duration", node.span, format!("the duration `{number}` needs a unit"));
                findings.push(error.hint(format!("write `{number}s` for seconds; {forms}")));
            }
            _ => findings.push(wrong_type(node, &format!("`{key}`"), "a duration").hint(forms)),
        }
        None
    }
}

fn report_unknown<'k>(keys: impl Iterator<Item = &'k Spanned<String>>, what: &str, known: &[&str], findings: &mut Findings) {
    for key in keys.filter(|key| !known.contains(&key.value.as_str())) {
        let close = findings.did_you_mean(&key.value, known.iter().copied());
        let close = close.or_else(|| elsewhere(&key.value, known));
        let hint = close.unwrap_or_else(|| format!("known keys: {}", known.join(", ")));
        findings.push(Diagnostic::error("unknown-key", key.span, format!("unknown key `{}` in {what}", key.value)).hint(hint));
    }
}

/// What a key of another tool, or of another place, is here.
fn elsewhere(key: &str, known: &[&str]) -> Option<String> {
    let meant = match key {
        "retry" => "retries",
        "depends" | "depends_on" | "dependencies" | "upstream" => "needs",
        "steps" | "jobs" => "tasks",
        "parameters" => "params",
        "environment" => "env",
        "inputs" => "with",
        "if" | "condition" => "when",
        "operator" | "type" | "uses" => "stage",
        // Inputs of `shell`, one level too high.
        "command" | "script" | "cwd" if known.contains(&"with") => return Some(format!("put `{key}` under `with`")),
        _ => return None,
    };
    known.contains(&meant).then(|| format!("did you mean `{meant}`?"))
}

/// A text; anything else is reported.
pub(super) fn text(node: &Node, what: &str, findings: &mut Findings) -> Option<Spanned<String>> {
    match &node.kind {
        Kind::Text(text) => Some(Spanned { value: text.clone(), span: node.span }),
        Kind::Null => {
            findings.push(Diagnostic::error("wrong-type", node.span, format!("{what} is empty")).hint("give it a value, or remove it"));
            None
        }
        _ => {
            let quotable = matches!(node.kind, Kind::Number(_) | Kind::Bool(_));
            let hint = quotable.then(|| format!("if it is meant as text, put it in quotes: \"{}\"", node.to_json()));
            findings.push(wrong_type(node, what, "text").hint_if(hint));
            None
        }
    }
}

/// "expected …, found …" for the value of `what`.
pub(super) fn wrong_type(node: &Node, what: &str, expected: &str) -> Diagnostic {
    Diagnostic::error("wrong-type", node.span, format!("{what} is {}, expected {expected}", node.describe()))
}
