//! What people see of model versions.

use std::collections::BTreeMap;
use std::io::{self, Write};

use recflow_stages::model::catalog::{Details, Listed};
use recflow_stages::model::promotion::{Decision, Promotion};
use recflow_stages::model::prune::Pruned;
use recflow_state::UnixMs;
use serde_json::Value;

use super::summary::table;
use super::text;

/// Prints the versions, newest first.
pub(in crate::cli) fn models(listed: &[Listed], now: UnixMs, out: &mut dyn Write) -> io::Result<()> {
    if listed.is_empty() {
        return writeln!(out, "no model versions here; stage `train_als` publishes one");
    }
    let header = ["version", "", "trained", "rank", "reg", "sweeps", "ratings", "RMSE", "MAE", "train RMSE", "trained on", "measured on"];
    let mut lines = table(&header, &[3, 4, 5, 6, 7, 8, 9]);
    for model in listed {
        let created: Option<jiff::Timestamp> = model.created_at.as_ref().and_then(|at| at.parse().ok());
        let params = model.params.as_ref();
        lines.add_row([
            model.version.clone(),
            if model.current { "current".to_owned() } else { String::new() },
            created.map(|at| text::ago(now.0 - at.as_millisecond())).unwrap_or_default(),
            model.rank.to_string(),
            params.map(|params| params.reg.to_string()).unwrap_or_default(),
            params.map(|params| params.max_iter.to_string()).unwrap_or_default(),
            model.ratings.map(text::count).unwrap_or_default(),
            figure(&model.metrics, "rmse"),
            figure(&model.metrics, "mae"),
            figure(&model.metrics, "train_rmse"),
            model.dataset.as_ref().map(|dataset| dataset.path.clone()).unwrap_or_default(),
            model.measured_on.clone().unwrap_or_default(),
        ]);
    }
    writeln!(out, "{}", lines.trim_fmt())?;
    if !listed.iter().any(|model| model.current) {
        writeln!(out, "\nno version is current; stage `promote` or `recflow models promote VERSION` makes one so")?;
    }
    Ok(())
}

/// A figure with four decimals; a dash where there is none.
fn figure(metrics: &BTreeMap<String, f64>, name: &str) -> String {
    metrics.get(name).map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

/// Prints a version in full.
pub(in crate::cli) fn model(details: &Details, out: &mut dyn Write) -> io::Result<()> {
    let model = &details.listed;
    writeln!(out, "{}{}\n", model.version, if model.current { "  current" } else { "" })?;
    writeln!(out, "path        {}", model.path)?;
    if let Some(at) = &model.created_at {
        writeln!(out, "trained     {at}")?;
    }
    if let Some(dataset) = &model.dataset {
        writeln!(out, "trained on  {}, {} rows, fingerprint {}", dataset.path, text::count(dataset.rows), dataset.fingerprint)?;
    }
    let sides = [(model.ratings, "ratings"), (model.users, "users"), (model.items, "items")];
    let sides: Vec<String> = sides.iter().filter_map(|(number, what)| Some(format!("{} {what}", text::count((*number)?)))).collect();
    match &model.params {
        Some(params) => {
            writeln!(out, "content     {}", sides.join(", "))?;
            // A struct of numbers and words: every parameter under its own name.
            let params = serde_json::to_value(params).map_err(io::Error::from)?;
            let params = params.as_object().into_iter().flatten().map(|(name, value)| format!("{name} {}", word(value)));
            writeln!(out, "parameters  {}", params.collect::<Vec<_>>().join(", "))?;
        }
        None => writeln!(out, "parameters  rank {}; the rest is unknown: another program saved it", model.rank)?,
    }
    let training = ["loss", "train_rmse"].iter().filter_map(|name| Some(format!("{name} {:.4}", model.metrics.get(*name)?)));
    let training: Vec<String> = training.collect();
    if !training.is_empty() {
        writeln!(out, "training    {}", training.join(", "))?;
    }
    measured(details, out)?;
    if !details.decisions.is_empty() {
        writeln!(out)?;
        decisions(&details.decisions, out)?;
    }
    Ok(())
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn measured(details: &Details, out: &mut dyn Write) -> io::Result<()> {
    if details.evaluations.is_empty() {
        return Ok(());
    }
    let mut lines = table(&["measured", "on", "RMSE", "MAE", "scored", "by"], &[2, 3, 4]);
    for evaluation in &details.evaluations {
        let metrics = &evaluation.metrics;
        lines.add_row([
            evaluation.evaluated_at.clone(),
            evaluation.ratings.path.clone(),
            figure(metrics, "rmse"),
            figure(metrics, "mae"),
            metrics.get("scored").map(|scored| text::count(*scored as u64)).unwrap_or_default(),
            evaluation.publish_key.to_string(),
        ]);
    }
    writeln!(out, "\n{}", lines.trim_fmt())
}

/// Prints decisions, newest first.
pub(in crate::cli) fn decisions(decisions: &[Promotion], out: &mut dyn Write) -> io::Result<()> {
    if decisions.is_empty() {
        return writeln!(out, "nothing was decided yet; stage `promote` compares a version with the current one");
    }
    let mut lines = table(&["decided", "outcome", "version", "by", "why"], &[]);
    for decision in decisions {
        let outcome = match (decision.decision, decision.promoted) {
            (Decision::Rollback, _) => "rolled back",
            (_, true) => "promoted",
            (_, false) => "not promoted",
        };
        let by = match decision.decision {
            Decision::Comparison => decision.publish_key.to_string(),
            Decision::Person | Decision::Rollback => "a person".to_owned(),
        };
        lines.add_row([decision.decided_at.clone(), outcome.to_owned(), decision.version.clone(), by, text::plain(&decision.reason)]);
    }
    writeln!(out, "{}", lines.trim_fmt())
}

/// Prints what a promotion by hand or a rollback did.
pub(in crate::cli) fn promoted(done: &Promotion, out: &mut dyn Write) -> io::Result<()> {
    let before = match &done.previous {
        Some(previous) => format!(" (it was {previous} before)"),
        None => String::new(),
    };
    writeln!(out, "{} is current{before}: {}", done.version, text::plain(&done.reason))
}

/// Prints what became of the old versions.
pub(in crate::cli) fn pruned(pruned: &Pruned, out: &mut dyn Write) -> io::Result<()> {
    let bytes = pruned.removed.iter().map(|removed| removed.bytes).sum();
    match (pruned.removed.len(), pruned.dry_run) {
        (0, _) => writeln!(out, "nothing to remove")?,
        (versions, true) => writeln!(out, "would remove {versions} ({}):", text::bytes(bytes))?,
        (versions, false) => writeln!(out, "removed {versions} ({}):", text::bytes(bytes))?,
    }
    for removed in &pruned.removed {
        writeln!(out, "  {}", removed.version)?;
    }
    for kept in &pruned.kept {
        writeln!(out, "kept {}: {}", kept.version, kept.why)?;
    }
    Ok(())
}

/// Prints what stage `promote` decided, in a summary of its run.
pub(super) fn verdict(output: &Value, out: &mut dyn Write) -> io::Result<()> {
    let challenger = output["challenger"]["version"].as_str().unwrap_or_default();
    let outcome = if output["promoted"] == true { "is current now" } else { "was not promoted" };
    writeln!(out, "\n{challenger} {outcome}: {}", text::plain(output["reason"].as_str().unwrap_or_default()))
}

/// Prints what stage `check` found wrong and let pass (`on_failure: warn`), in a summary of its run.
pub(super) fn failed_checks(output: &Value, out: &mut dyn Write) -> io::Result<()> {
    let checks = output["checks"].as_array().into_iter().flatten();
    for message in checks.filter(|check| check["passed"] == false).filter_map(|check| check["message"].as_str()) {
        writeln!(out, "\nwarning: {}", text::plain(message))?;
    }
    Ok(())
}
