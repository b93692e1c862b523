//! What people see of a run that is over, or of many.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};
use recflow_state::UnixMs;
use serde_json::Value;

use super::{models, text};
use crate::facts::values::field;
use crate::facts::{RunReport, TaskReport};

/// Prints a table, the state of each row in its colour: the last place where a row has that word.
pub(super) fn print_table(table: &Table, states: &[&str], color: bool, out: &mut dyn Write) -> io::Result<()> {
    for (number, line) in table.lines().enumerate() {
        let line = line.trim_end();
        let state = number.checked_sub(1).and_then(|row| states.get(row)).filter(|state| color && !state.is_empty());
        match state.and_then(|state| Some((state, line.rfind(state)?))) {
            Some((state, at)) => {
                let (start, end) = text::paint(state, color);
                writeln!(out, "{}{start}{state}{end}{}", &line[..at], &line[at + state.len()..])?;
            }
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// A table without lines; columns named in `right` are aligned to the right.
pub(super) fn table(header: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if position == 0 { 0 } else { 1 }, 1));
        if right.contains(&position) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Prints a run: its tasks, the figures that matter, where the model is, what to try next.
pub(in crate::cli) fn summary(report: &RunReport, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let (start, end) = text::paint(report.status, color);
    let took = report.seconds.map(|seconds| format!(" in {}", text::duration(seconds))).unwrap_or_default();
    writeln!(out, "{}  {start}{}{end}{took}  (run {}, {})", report.pipeline, report.status, report.run, report.trigger)?;
    if let Some(reason) = &report.reason {
        writeln!(out, "{}", text::plain(reason))?;
    }
    let tasks = report.tasks.as_ref().map_or(&[][..], |tasks| &tasks.0);
    let mut rows = table(&["task", "stage", "state", "attempts", "time", "memory"], &[3, 4, 5]);
    for task in tasks {
        rows.add_row([
            task.id.clone(),
            task.stage.clone(),
            task.state.to_owned(),
            task.attempts.to_string(),
            task.seconds.map(text::duration).unwrap_or_default(),
            task.peak_rss_mb.map(|mb| format!("{mb:.0} MiB")).unwrap_or_default(),
        ]);
    }
    writeln!(out)?;
    let states: Vec<&str> = tasks.iter().map(|task| task.state).collect();
    print_table(&rows, &states, color, out)?;
    why(tasks, out)?;
    errors(report, out, color)?;
    figures(tasks, out)?;
    next(report, tasks, out)
}

/// Says of tasks that did not run, or branched, why. Those that only follow another one that did not run are counted.
fn why(tasks: &[TaskReport], out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    let mut followers = 0;
    for task in tasks {
        let reason = match task.state {
            "skipped" | "upstream_failed" if follows_one_that_did_not_run(task, tasks) => {
                followers += 1;
                continue;
            }
            "skipped" | "upstream_failed" | "retrying" => task.reason.clone(),
            "succeeded" if task.stage == "branch" => task.output.as_ref().map(branch_words),
            _ => None,
        };
        lines.extend(reason.map(|reason| format!("{}: {}", task.id, text::plain(&reason))));
    }
    match followers {
        0 => {}
        1 => lines.push("1 task below did not run either".to_owned()),
        count => lines.push(format!("{count} tasks below did not run either")),
    }
    if !lines.is_empty() {
        writeln!(out)?;
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Whether the reason that a task did not run is the state of another one that did not: it begins with it, as the engine words it.
fn follows_one_that_did_not_run(task: &TaskReport, tasks: &[TaskReport]) -> bool {
    let Some(reason) = &task.reason else { return false };
    let did_not_run = |other: &&TaskReport| matches!(other.state, "skipped" | "upstream_failed");
    tasks.iter().filter(did_not_run).any(|other| reason.starts_with(&format!("`{}` is {}", other.id, other.state)))
}

/// Which side a branch took, and why.
pub(super) fn branch_words(output: &Value) -> String {
    let taken: Vec<&str> = output["taken"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let reason = output["reason"].as_str().unwrap_or_default();
    if taken.is_empty() { format!("took no side: {reason}") } else { format!("took {}: {reason}", taken.join(", ")) }
}

/// Prints what went wrong, task by task, with the remedy.
pub(in crate::cli) fn errors(report: &RunReport, out: &mut dyn Write, color: bool) -> io::Result<()> {
    let (start, end) = text::paint("failed", color);
    let tasks = report.tasks.as_ref().map_or(&[][..], |tasks| &tasks.0);
    for task in tasks.iter().filter(|task| task.state == "failed") {
        let error = text::plain(task.error.as_deref().unwrap_or("no reason is known"));
        writeln!(out, "\n{start}error{end}: task `{}` failed: {error}", task.id)?;
        if let Some(hint) = &task.hint {
            writeln!(out, "hint: {}", text::plain(hint))?;
        }
        if let Some(log) = task.tries.last().and_then(|attempt| attempt.log.as_ref()) {
            writeln!(out, "log:  recflow logs {} {}{}   ({}/{log})", report.run, task.id, report.flags, report.home)?;
        }
    }
    Ok(())
}

/// The figures of every evaluation and training among the tasks.
fn figures(tasks: &[TaskReport], out: &mut dyn Write) -> io::Result<()> {
    for (task, output) in tasks.iter().filter_map(|task| Some((task, task.output.as_ref()?))) {
        match task.stage.as_str() {
            "etl" => ["train", "test"].iter().try_for_each(|part| rejects(&output[*part], part, "read", out))?,
            "process_stream" => rejects(output, "stream", "rows", out)?,
            "train_als" => {
                let number = |name: &str| output[name].as_u64().map(text::count).unwrap_or_default();
                writeln!(out, "\nmodel      {}", output["path"].as_str().unwrap_or_default())?;
                writeln!(out, "           {} ratings, {} users, {} items", number("ratings"), number("users"), number("items"))?;
                if let Some(rmse) = output["holdout_rmse"].as_f64() {
                    let (done, best) = (number("iterations"), number("best_iteration"));
                    writeln!(out, "           RMSE {rmse:.4} on held-out ratings; {done} iterations, lowest after {best}")?;
                }
            }
            "tune" => search(output, out)?,
            "evaluate" => evaluation(output, out)?,
            "detect_drift" => drift(output, out)?,
            "check" => models::failed_checks(output, out)?,
            "promote" => models::verdict(output, out)?,
            _ => {}
        }
    }
    Ok(())
}

/// Lines that were left out: nobody should learn of them from the metrics. `good` names the field that counts the others.
fn rejects(output: &Value, what: &str, good: &str, out: &mut dyn Write) -> io::Result<()> {
    let number = |name: &str| output[name].as_u64().unwrap_or(0);
    if number("rejected") > 0 {
        let (rejected, read) = (text::count(number("rejected")), text::count(number("rejected") + number(good)));
        let file = output["rejects_file"].as_str().unwrap_or_default();
        writeln!(out, "\nwarning: {rejected} of {read} {what} lines were rejected: {file}")?;
    }
    Ok(())
}

/// What was measured, and what follows from it.
fn drift(output: &Value, out: &mut dyn Write) -> io::Result<()> {
    let figure = |path: &str| field(output, path).and_then(Value::as_f64).map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let verdict = if output["should_retrain"] == true { "retrain" } else { "no retrain" };
    writeln!(out, "\ndrift      {verdict}: {}", text::plain(output["reason"].as_str().unwrap_or_default()))?;
    if !output["interval"].is_object() {
        return Ok(());
    }
    let (data, model) = (figure("data_drift.score"), figure("model_drift.score"));
    writeln!(
        out,
        "           score of the data {data}, of the model {model}; interval {} to {}",
        figure("interval.lower"),
        figure("interval.upper")
    )
}

/// What a hyper-parameter search found.
fn search(output: &Value, out: &mut dyn Write) -> io::Result<()> {
    let trials = output["trials"].as_array().map(Vec::as_slice).unwrap_or_default();
    let best = &output["best"];
    let figure = |name: &str| output[name].as_f64().unwrap_or_default();
    let metric = output["metric"].as_str().unwrap_or_default();
    let (count, rank, reg, alpha, max_iter) = (trials.len(), &best["rank"], &best["reg"], &best["alpha"], &best["max_iter"]);
    let folds = output["folds"].as_array().map_or(0, Vec::len);
    let spread = if folds > 1 { format!(" ± {:.4} over {folds} folds", figure("best_std")) } else { String::new() };
    writeln!(out, "\nbest of {count} trials: rank {rank}, reg {reg}, alpha {alpha}, max_iter {max_iter}")?;
    writeln!(out, "           {metric} {:.4}{spread}", figure("best_score"))?;
    let ended = |state: &str| trials.iter().filter(|trial| trial["state"] == state).count();
    for (count, words) in [(ended("stopped"), "stopped early"), (ended("failed"), "failed")] {
        if count > 0 {
            writeln!(out, "           {count} {words}")?;
        }
    }
    Ok(())
}

fn evaluation(output: &Value, out: &mut dyn Write) -> io::Result<()> {
    let figure = |path: &str| field(output, path).and_then(Value::as_f64).map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
    let k = output["k"].as_u64().unwrap_or(10);
    let mut rows = table(&["", "RMSE", "MAE", &format!("P@{k}"), &format!("R@{k}"), &format!("NDCG@{k}")], &[1, 2, 3, 4, 5]);
    let mut add = |name: &str, prefix: &str, errors: &str| {
        rows.add_row([
            name.to_owned(),
            figure(&format!("{errors}rmse")),
            figure(&format!("{errors}mae")),
            figure(&format!("{prefix}precision_at_k")),
            figure(&format!("{prefix}recall_at_k")),
            figure(&format!("{prefix}ndcg_at_k")),
        ]);
    };
    add("model, all items", "", "");
    if output["unseen_items"].is_object() {
        add("model, unseen items", "unseen_items.", "unseen_items.");
    }
    for (name, label) in [
        ("global_mean", "global mean"),
        ("biases", "user and item biases"),
        ("most_popular.all_items", "most popular, all items"),
        ("most_popular.unseen_items", "most popular, unseen items"),
    ] {
        if field(&output["baselines"], name).is_some_and(Value::is_object) {
            let prefix = format!("baselines.{name}.");
            add(label, &prefix, &prefix);
        }
    }
    writeln!(out, "\n{}", rows.trim_fmt())?;
    let number = |name: &str| output[name].as_u64().map(text::count).unwrap_or_default();
    writeln!(out, "{} ratings scored, {} left out: user or item not in the training data", number("scored"), number("cold"))
}

fn next(report: &RunReport, tasks: &[TaskReport], out: &mut dyn Write) -> io::Result<()> {
    let (run, flags) = (&report.run, &report.flags);
    let next = match report.status {
        "succeeded" => match tasks
            .iter()
            .rev()
            .find(|task| task.output.as_ref().is_some_and(|output| output.as_object().is_some_and(|o| !o.is_empty())))
        {
            Some(task) => format!("recflow output {run} {}", task.id),
            None => return Ok(()),
        },
        "failed" | "cancelled" | "interrupted" => format!("recflow resume {run}"),
        _ => format!("recflow logs {run} -f"),
    };
    writeln!(out, "\nnext: {next}{flags}")
}

/// Prints a list of runs.
pub(in crate::cli) fn runs(reports: &[RunReport], now: UnixMs, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = table(&["run", "pipeline", "status", "trigger", "started", "time"], &[5]);
    for report in reports {
        rows.add_row([
            report.run.clone(),
            report.pipeline.clone(),
            report.status.to_owned(),
            report.trigger.to_owned(),
            text::ago(now.0 - report.created_at.0),
            report.seconds.map(text::duration).unwrap_or_default(),
        ]);
    }
    let states: Vec<&str> = reports.iter().map(|report| report.status).collect();
    print_table(&rows, &states, color, out)
}
