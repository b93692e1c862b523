//! `recflow runs`, `status`, `logs` and `models` of a server.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::Value;

use super::super::exit::{Exit, Failure};
use super::super::logs::Tail;
use super::super::status::{now, print_json};
use super::super::{Terminal, logs, models, runs, status, view, when};
use super::Remote;
use super::read::text;
use crate::engine::timestamp;
use crate::workspace::Workspace;

/// How often a followed run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// So many runs are looked through for the beginning of an id.
const SEARCHED_MAX: usize = 5_000;

impl Remote {
    /// The id that a person means: `latest`, an id, or the beginning of one.
    pub(super) fn find_run(&self, selector: &str) -> Result<String, Failure> {
        if recflow_state::RunId::parse(selector).is_ok() {
            return Ok(selector.to_owned());
        }
        let is_latest = selector == "latest";
        let runs = self.list("runs", &[], if is_latest { 1 } else { SEARCHED_MAX })?;
        let ids: Vec<String> = runs.iter().map(|run| text(run, "run")).filter(|id| is_latest || id.starts_with(selector)).collect();
        match ids.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Failure::usage(format!("no run matches `{selector}`")).with_hint("`recflow runs` lists them")),
            _ => {
                Err(Failure::usage(format!("several runs match `{selector}`: {}", ids.join(", ")))
                    .with_hint("give more characters of the id"))
            }
        }
    }

    pub(super) fn runs(&self, args: &runs::Args, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
        if args.before.is_some() {
            return Err(Failure::usage("--before is for a workspace").with_hint("give a larger -n"));
        }
        let time = |flag, text: &Option<String>| text.as_deref().map(|text| when::instant(flag, text, now())).transpose();
        let given = [
            ("pipeline", args.pipeline.clone()),
            ("status", args.status.clone()),
            ("trigger", args.trigger.clone()),
            ("since", time("--since", &args.since)?.map(|at| timestamp(at).to_string())),
            ("until", time("--until", &args.until)?.map(|at| timestamp(at).to_string())),
        ];
        let query: Vec<(&str, String)> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let items = self.list("runs", &query, args.limit as usize)?;
        if args.json {
            print_json(&items, out)?;
        } else if items.is_empty() {
            writeln!(out, "no run is like that")?;
        } else {
            let reports = items.iter().map(|item| self.report(item)).collect::<Result<Vec<_>, _>>()?;
            view::runs(&reports, now(), terminal.out_color, out)?;
        }
        Ok(Exit::Success)
    }

    pub(super) fn status_of(
        &self,
        args: &status::Args,
        workspace: &Workspace,
        terminal: &Terminal,
        out: &mut dyn Write,
    ) -> Result<Exit, Failure> {
        if args.watch {
            return Err(Failure::usage("--watch is for a workspace").with_hint("the server's pages show everything live"));
        }
        if let Some(selector) = &args.run {
            let report = self.report(&self.get(&format!("runs/{}", self.find_run(selector)?), &[])?)?;
            if args.json {
                print_json(&report, out)?;
            } else {
                view::summary(&report, terminal.out_color, out)?;
                view::details(&report, now(), out)?;
            }
            return Ok(Exit::Success);
        }
        let dashboard = self.dashboard(&self.list("pipelines", &[], usize::MAX)?, &self.get("overview", &[])?)?;
        if args.json {
            print_json(&dashboard, out)?
        } else {
            view::dashboard(&dashboard, workspace, now(), terminal.out_color, out)?
        }
        Ok(Exit::Success)
    }

    pub(super) fn models(&self, args: &models::Args, out: &mut dyn Write) -> Result<Exit, Failure> {
        if !args.is_list() {
            return Err(
                Failure::usage("of a server's models `recflow models` shows the list").with_hint("the API has the rest: docs/api.md")
            );
        }
        let mut items = self.list("models", &[("folder", args.models.display().to_string())], usize::MAX)?;
        for item in &mut items {
            // What the list of a workspace does not have.
            item.as_object_mut().map(|item| item.shift_remove("promotions"));
        }
        if args.json {
            print_json(&items, out)?;
        } else {
            let listed = serde_json::from_value::<Vec<_>>(Value::Array(items)).map_err(|error| self.strange(&error.to_string()))?;
            view::models(&listed, now(), out)?;
        }
        Ok(Exit::Success)
    }

    pub(super) fn logs(&self, args: &logs::Args, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
        let id = self.find_run(&args.run)?;
        let mut tails: Vec<Tail> = Vec::new();
        loop {
            // Asked before reading: what was written before the end is there to be read after it.
            let run = self.get(&format!("runs/{id}"), &[])?;
            let is_over = !args.follow || matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled"));
            self.add_tails(&run, args, &mut tails)?;
            for tail in &mut tails {
                self.print_new(&id, tail, args.json, terminal.out_color, out)?;
            }
            out.flush()?;
            if is_over {
                break;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        if tails.iter().all(|tail| tail.read == 0) {
            writeln!(io::stderr(), "run {id} has written no such log")?;
        }
        Ok(Exit::Success)
    }

    /// Adds a tail for each attempt that has started since, in the order of the tasks' starts.
    fn add_tails(&self, run: &Value, args: &logs::Args, tails: &mut Vec<Tail>) -> Result<(), Failure> {
        let mut tasks: Vec<&Value> = run["tasks"].as_array().into_iter().flatten().collect();
        if let Some(task) = &args.task
            && !tasks.iter().any(|row| row["task"] == **task)
        {
            let names: Vec<String> = tasks.iter().map(|row| text(row, "task")).collect();
            return Err(Failure::usage(format!("the run has no task `{task}`")).with_hint(format!("its tasks are {}", names.join(", "))));
        }
        tasks.retain(|row| args.task.as_ref().is_none_or(|task| row["task"] == **task));
        tasks.sort_by_key(|row| text(row, "started_at"));
        for row in tasks {
            let attempts = row["attempts"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
            for attempt in (1..=attempts).filter(|number| args.attempt.is_none_or(|wanted| wanted == *number)) {
                let task = text(row, "task");
                if !tails.iter().any(|tail| tail.task == task && tail.attempt == attempt) {
                    tails.push(Tail::elsewhere(task, attempt));
                }
            }
        }
        Ok(())
    }

    fn print_new(&self, run: &str, tail: &mut Tail, json: bool, color: bool, out: &mut dyn Write) -> Result<(), Failure> {
        let path = format!("runs/{run}/tasks/{}/attempts/{}/log", tail.task, tail.attempt);
        loop {
            let part = self.get(&path, &[("offset", tail.read.to_string())])?;
            let before = tail.read;
            tail.print_from(part["text"].as_str().unwrap_or_default().as_bytes(), json, color, out)?;
            if tail.read == before || part["next_offset"].as_u64() >= part["size"].as_u64() {
                return Ok(());
            }
        }
    }
}
