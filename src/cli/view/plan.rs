//! What people see of a run that has not begun.

use std::io::{self, Write};

use recflow_stages::estimate::Estimate;
use serde_json::{Map, Value, json};

use super::summary::table;
use super::text;
use crate::engine::stage_name;
use crate::pipeline::{Pipeline, Task};

/// What a run would do: tasks in an order in which they may run, the parameters, and about what it would take.
pub(in crate::cli) struct Plan<'a> {
    /// What would run.
    pub(in crate::cli) pipeline: &'a Pipeline,
    /// With these.
    pub(in crate::cli) params: &'a Map<String, Value>,
    /// Of each task.
    pub(in crate::cli) estimates: &'a [Option<Estimate>],
    /// Threads that would share the work.
    pub(in crate::cli) threads: usize,
    /// Bytes of memory of the machine.
    pub(in crate::cli) memory: Option<u64>,
}

impl Plan<'_> {
    /// Prints it as one JSON object.
    pub(in crate::cli) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let tasks: Vec<Value> = self
            .tasks()
            .map(|(task, estimate)| {
                json!({
                    "id": task.id.as_str(),
                    "stage": stage_name(&task.kind),
                    "needs": self.needs(task),
                    "trigger_rule": task.trigger_rule.to_string(),
                    "estimate": estimate,
                })
            })
            .collect();
        let plan = json!({ "pipeline": self.pipeline.name, "params": self.params, "tasks": tasks, "machine_memory_bytes": self.memory });
        serde_json::to_writer_pretty(&mut *out, &plan).map_err(io::Error::from)?;
        writeln!(out)
    }

    /// Prints it for people.
    pub(in crate::cli) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} would run {} tasks:\n", self.pipeline.name, self.pipeline.tasks.len())?;
        let mut rows = table(&["", "task", "stage", "after", "runs when"], &[0]);
        for (position, (task, _)) in self.tasks().enumerate() {
            let mut when = if task.needs.is_empty() { String::new() } else { task.trigger_rule.to_string() };
            if let Some(condition) = &task.when {
                when = format!("{when} and {}", condition.source()).trim_start_matches(" and ").to_owned();
            }
            let number = (position + 1).to_string();
            rows.add_row([number, task.id.as_str().to_owned(), stage_name(&task.kind).to_owned(), self.needs(task).join(", "), when]);
        }
        writeln!(out, "{}", rows.trim_fmt())?;
        if self.estimates.iter().any(Option::is_some) {
            self.print_estimates(out)?;
        }
        if !self.params.is_empty() {
            writeln!(out, "\nparameters:")?;
        }
        for (name, value) in self.params {
            writeln!(out, "  {name} = {value}")?;
        }
        writeln!(out, "\nnothing was run")
    }

    fn print_estimates(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\nestimates, each task alone on {} threads:\n", self.threads)?;
        let mut rows = table(&["task", "ratings", "reads", "writes", "memory", "time"], &[1, 2, 3, 4, 5]);
        for (task, estimate) in self.tasks() {
            let Some(estimate) = estimate else {
                rows.add_row([task.id.as_str(), "unknown", "", "", "", ""]);
                continue;
            };
            let ratings = text::count(estimate.rows);
            let bytes = [estimate.read_bytes, estimate.written_bytes, estimate.memory_bytes].map(text::bytes);
            let [reads, writes, memory] = bytes;
            let time = text::duration(estimate.cpu_seconds / self.threads as f64);
            rows.add_row([task.id.as_str().to_owned(), ratings, reads, writes, memory, time]);
        }
        writeln!(out, "{}", rows.trim_fmt())?;
        let most = self.estimates.iter().flatten().map(|estimate| estimate.memory_bytes).max().unwrap_or(0);
        if let Some(memory) = self.memory.filter(|memory| most > *memory) {
            writeln!(out, "\n{} do not fit into the {} of this machine", text::bytes(most), text::bytes(memory))?;
        }
        Ok(())
    }

    /// The tasks in an order in which they may run.
    fn tasks(&self) -> impl Iterator<Item = (&Task, Option<&Estimate>)> {
        let order = self.pipeline.graph().order().unwrap_or_default();
        order.into_iter().map(|number| (&self.pipeline.tasks[number], self.estimates[number].as_ref()))
    }

    fn needs(&self, task: &Task) -> Vec<&str> {
        task.needs.iter().map(|&upstream| self.pipeline.tasks[upstream].id.as_str()).collect()
    }
}
