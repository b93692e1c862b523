//! `needs`: every name is a task, and no task waits for itself.

use std::collections::HashMap;

use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::document::Document;
use crate::pipeline::graph::TaskGraph;
use crate::pipeline::source::Span;

/// Most edges of a cycle that are shown with their source lines; the message names all tasks anyway.
const MAX_EDGES_SHOWN: usize = 6;

/// The task numbers of each task's `needs`, without those that name nothing.
pub(super) fn resolve(document: &Document<'_>, numbers: &HashMap<&str, usize>, findings: &mut Findings) -> Vec<Vec<usize>> {
    let mut all = Vec::with_capacity(document.tasks.len());
    for task in &document.tasks {
        let mut first: HashMap<usize, Span> = HashMap::with_capacity(task.needs.len());
        let mut needs = Vec::with_capacity(task.needs.len());
        for need in &task.needs {
            let Some(&number) = numbers.get(need.value.as_str()) else {
                let hint = findings.did_you_mean(&need.value, document.tasks.iter().map(|task| task.id.value.as_str()));
                findings.push(Diagnostic::error("unknown-task", need.span, format!("no task is called `{}`", need.value)).hint_if(hint));
                continue;
            };
            if let Some(earlier) = first.insert(number, need.span) {
                let message = format!("`{}` is needed twice", need.value);
                findings.push(Diagnostic::warning("duplicate-need", need.span, message).related(earlier, "first here"));
                continue;
            }
            needs.push(number);
        }
        all.push(needs);
    }
    all
}

/// Reports each cycle once, with the `needs` that make it.
pub(super) fn report_cycles(document: &Document<'_>, graph: &TaskGraph, findings: &mut Findings) {
    for cycle in graph.cycles() {
        let id = |number: usize| document.tasks[number].id.value.as_str();
        // The place where `task` says that it needs `above`.
        let edge = |above: usize, task: usize| {
            let needs = &document.tasks[task].needs;
            needs.iter().find(|need| need.value == id(above)).map_or(document.tasks[task].id.span, |need| need.span)
        };
        if let [task] = cycle[..] {
            let error = Diagnostic::error("cycle", edge(task, task), format!("the task `{}` needs itself", id(task)));
            findings.push(error.hint("remove it from its own `needs`"));
            continue;
        }
        let mut names: Vec<&str> = cycle.iter().map(|task| id(*task)).collect();
        names.push(names[0]);
        let next = |place: usize| cycle[(place + 1) % cycle.len()];
        let last = cycle.len() - 1;
        let mut error =
            Diagnostic::error("cycle", edge(cycle[last], next(last)), format!("the tasks wait for each other: {}", names.join(" -> ")));
        error = error.label(format!("{} waits for {}", id(next(last)), id(cycle[last])));
        for place in (0..last).take(MAX_EDGES_SHOWN) {
            error = error.related(edge(cycle[place], next(place)), format!("{} waits for {}", id(next(place)), id(cycle[place])));
        }
        findings.push(error.hint("remove one of these `needs`"));
    }
}
