//! `defaults` and `env`, and the fields about attempts that tasks share with `defaults`.

use super::fields::{Fields, wrong_type};
use super::{Backoff, Retry};
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::model::RetryPolicy;
use crate::pipeline::yaml::{Entry, Kind};

/// The keys of `defaults`.
pub(crate) const DEFAULTS_KEYS: [&str; 4] = ["retries", "retry_delay", "retry_backoff", "timeout"];

pub(super) fn read_defaults(pipeline: &Fields<'_>, findings: &mut Findings) -> Retry {
    let Some(entry) = pipeline.get("defaults") else { return Retry::default() };
    let fields = Fields::of(&entry.value, "`defaults`", &DEFAULTS_KEYS, findings);
    fields.map(|fields| read_retry(&fields, findings)).unwrap_or_default()
}

/// The fields of attempts, of a task or of `defaults`.
pub(super) fn read_retry(fields: &Fields<'_>, findings: &mut Findings) -> Retry {
    let timeout = fields.duration("timeout", findings);
    if let (Some(timeout), Some(entry)) = (timeout, fields.get("timeout"))
        && timeout.is_zero()
    {
        findings.push(Diagnostic::error("invalid-duration", entry.value.span, "a timeout of nothing ends every attempt at once"));
    }
    Retry {
        retries: fields.whole("retries", 0..=RetryPolicy::MAX_RETRIES, findings),
        delay: fields.duration("retry_delay", findings),
        backoff: read_backoff(fields, findings),
        timeout,
    }
}

fn read_backoff(fields: &Fields<'_>, findings: &mut Findings) -> Option<Backoff> {
    let entry = fields.get("retry_backoff")?;
    let backoff = Fields::of(&entry.value, "`retry_backoff`", &["factor", "cap", "jitter"], findings)?;
    let jitter = match backoff.get("jitter").map(|entry| &entry.value.kind) {
        None | Some(Kind::Bool(false)) => 0.0,
        Some(Kind::Bool(true)) => RetryPolicy::JITTER,
        Some(_) => backoff.number("jitter", 0.0..=1.0, findings).unwrap_or(0.0),
    };
    Some(Backoff {
        factor: backoff.get("factor").map_or(Some(RetryPolicy::FACTOR), |_| backoff.number("factor", 1.0..=100.0, findings)).unwrap_or(1.0),
        cap: backoff.duration("cap", findings),
        jitter,
    })
}

/// The entries of `env`, of a task or of the pipeline. Names are checked here, values later.
pub(super) fn read_env<'n>(fields: &Fields<'n>, findings: &mut Findings) -> &'n [Entry] {
    let Some(entry) = fields.get("env") else { return &[] };
    let Kind::Map(entries) = &entry.value.kind else {
        findings.push(wrong_type(&entry.value, "`env`", "a map of variables"));
        return &[];
    };
    for Entry { key, value } in entries {
        let is_name = key.value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            let error = Diagnostic::error("invalid-name", key.span, format!("`{}` cannot be the name of a variable", key.value));
            findings.push(error.hint("a name has letters, digits and `_`, and does not begin with a digit"));
        } else if key.value.starts_with("RECFLOW_") {
            let error = Diagnostic::error("invalid-name", key.span, format!("`{}` is one of recflow's own variables", key.value));
            findings.push(error.hint("names that begin with `RECFLOW_` are reserved"));
        }
        if matches!(value.kind, Kind::List(_) | Kind::Map(_)) {
            findings.push(wrong_type(value, &format!("the variable `{}`", key.value), "text, a number or true or false"));
        }
    }
    entries
}
