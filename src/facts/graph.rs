//! The tasks of a pipeline and what waits for what, for whoever draws them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::stage_name;
use crate::pipeline::export::edges;
use crate::pipeline::{Pipeline, Task, TaskKind, TriggerRule};

/// The tasks of a pipeline and what waits for what.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Graph {
    /// The tasks, in the order of the file.
    pub nodes: Vec<GraphNode>,
    /// What waits for what.
    pub edges: Vec<GraphEdge>,
}

/// A task of a graph.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GraphNode {
    /// Its id.
    pub task: String,
    /// Its stage; `branch` for a branch.
    pub stage: String,
    /// What it is.
    pub kind: NodeKind,
    /// The tasks that it waits for.
    pub needs: Vec<String>,
    /// How their ends decide whether it runs.
    pub trigger_rule: TriggerRule,
    /// If this is false when its turn comes, it is skipped.
    pub when: Option<String>,
    /// What its stage does.
    pub description: Option<String>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// It runs a stage.
    Task,
    /// It decides which of the tasks below it run.
    Branch,
}

/// An edge of a graph.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GraphEdge {
    /// The task above.
    pub from: String,
    /// The task below.
    pub to: String,
    /// The condition under which a branch takes it; `else` for the side without one.
    pub label: Option<String>,
}

impl Graph {
    /// The graph of a pipeline.
    pub fn of(pipeline: &Pipeline) -> Self {
        let id = |number: usize| pipeline.tasks[number].id.as_str().to_owned();
        let node = |task: &Task| GraphNode {
            task: task.id.as_str().to_owned(),
            stage: stage_name(&task.kind).to_owned(),
            kind: if matches!(task.kind, TaskKind::Branch { .. }) { NodeKind::Branch } else { NodeKind::Task },
            needs: task.needs.iter().map(|&upstream| id(upstream)).collect(),
            trigger_rule: task.trigger_rule,
            when: task.when.as_ref().map(|when| when.source().trim().to_owned()),
            description: recflow_stages::Catalog::builtin().get(stage_name(&task.kind)).map(|stage| stage.spec.summary.to_owned()),
        };
        let edges = edges(pipeline).map(|edge| GraphEdge { from: id(edge.from), to: id(edge.to), label: edge.label });
        Self { nodes: pipeline.tasks.iter().map(node).collect(), edges: edges.collect() }
    }
}
