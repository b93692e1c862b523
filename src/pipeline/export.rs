//! The graph of tasks for other programs: Mermaid, Graphviz, JSON.

use serde_json::{Value, json};

use super::model::{Pipeline, Task, TaskKind, TriggerRule};

/// A Mermaid flow chart.
pub fn mermaid(pipeline: &Pipeline) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = "flowchart TD\n".to_owned();
    for (number, task) in pipeline.tasks.iter().enumerate() {
        let id = task.id.as_str();
        text.push_str(&match &task.kind {
            TaskKind::Branch { .. } => format!("    t{number}{{\"{id}\"}}\n"),
            TaskKind::Stage { stage, .. } if stage == id => format!("    t{number}[\"{id}\"]\n"),
            TaskKind::Stage { stage, .. } => format!("    t{number}[\"{id}<br/>{}\"]\n", escape(stage)),
        });
    }
    for edge in edges(pipeline) {
        let arrow = edge.label.map_or("-->".to_owned(), |label| format!("-->|\"{}\"|", escape(&label)));
        text.push_str(&format!("    t{} {arrow} t{}\n", edge.from, edge.to));
    }
    text
}

/// A Graphviz graph.
pub fn dot(pipeline: &Pipeline) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " "));
    let mut text = format!("digraph {} {{\n    rankdir=TB;\n    node [shape=box];\n", quote(&pipeline.name));
    for task in &pipeline.tasks {
        let id = task.id.as_str();
        let attributes = match &task.kind {
            TaskKind::Branch { .. } => "shape=diamond".to_owned(),
            TaskKind::Stage { stage, .. } if stage == id => String::new(),
            TaskKind::Stage { stage, .. } => format!("label=\"{id}\\n{}\"", stage.replace('"', "")),
        };
        text.push_str(&format!("    {} [{attributes}];\n", quote(id)));
    }
    for edge in edges(pipeline) {
        let id = |number: usize| quote(pipeline.tasks[number].id.as_str());
        let label = edge.label.map(|label| format!(" [label={}]", quote(&label))).unwrap_or_default();
        text.push_str(&format!("    {} -> {}{label};\n", id(edge.from), id(edge.to)));
    }
    text.push_str("}\n");
    text
}

/// Tasks, edges and an order of execution.
pub fn json(pipeline: &Pipeline) -> Value {
    let id = |number: &usize| pipeline.tasks[*number].id.as_str();
    let task = |task: &Task| {
        let mut value = json!({ "id": task.id, "needs": task.needs.iter().map(id).collect::<Vec<_>>() });
        match &task.kind {
            TaskKind::Stage { stage, .. } => value["stage"] = json!(stage),
            TaskKind::Branch { sides } => {
                let side = |side: &super::Side| {
                    let when = side.when.as_ref().map(|when| when.source());
                    json!({ "when": when, "to": side.to.iter().map(id).collect::<Vec<_>>() })
                };
                value["branch"] = sides.iter().map(side).collect();
            }
        }
        if let Some(when) = &task.when {
            value["when"] = json!(when.source());
        }
        if task.trigger_rule != TriggerRule::default() {
            value["trigger_rule"] = json!(task.trigger_rule);
        }
        value
    };
    let order = pipeline.graph().order().unwrap_or_default();
    json!({
        "pipeline": pipeline.name,
        "tasks": pipeline.tasks.iter().map(task).collect::<Vec<_>>(),
        "edges": edges(pipeline).map(|edge| json!({ "from": id(&edge.from), "to": id(&edge.to) })).collect::<Vec<_>>(),
        "order": order.iter().map(id).collect::<Vec<_>>(),
    })
}

/// An edge of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The number of the task above.
    pub from: usize,
    /// The number of the task below.
    pub to: usize,
    /// The condition under which a branch takes it.
    pub label: Option<String>,
}

/// All edges, by the task below.
pub fn edges(pipeline: &Pipeline) -> impl Iterator<Item = Edge> {
    let of_task = |(to, task): (usize, &Task)| task.needs.iter().map(move |from| (*from, to)).collect::<Vec<_>>();
    let all: Vec<(usize, usize)> = pipeline.tasks.iter().enumerate().flat_map(of_task).collect();
    all.into_iter().map(|(from, to)| Edge { from, to, label: condition(&pipeline.tasks[from], to) })
}

fn condition(from: &Task, to: usize) -> Option<String> {
    let TaskKind::Branch { sides } = &from.kind else { return None };
    let side = sides.iter().find(|side| side.to.contains(&to))?;
    Some(side.when.as_ref().map_or("else".to_owned(), |when| when.source().trim().to_owned()))
}
