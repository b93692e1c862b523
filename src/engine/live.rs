//! A run that is under way in this process: its plan, its state, and what is known beside the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use recflow_stages::{PublishKey, StageError};
use recflow_state::{RunId, RunStatus, TaskRow, TaskState, UnixMs};
use serde_json::Value;

use super::core::{Phase, Plan, PlanTask, RunState, TaskIx, fnv1a};
use super::notice::TaskNotice;
use crate::pipeline::{Pipeline, Scope, TaskKind};

/// So many losses fail a task.
const LOSSES_MAX: u32 = 3;

/// An attempt under way.
#[derive(Debug, Clone)]
pub(super) struct Active {
    pub(super) attempt: u32,
    pub(super) started_at: UnixMs,
    /// Whether it takes part in sharing the threads, and its share.
    pub(super) computes: bool,
    pub(super) threads: usize,
    pub(super) progress_recorded_at: i64,
}

/// What is known of a task beside its state.
#[derive(Debug, Clone, Default)]
pub(super) struct TaskFacts {
    pub(super) queued_at: Option<UnixMs>,
    pub(super) started_at: Option<UnixMs>,
    pub(super) ended_at: Option<UnixMs>,
    pub(super) error: Option<StageError>,
    pub(super) output: Option<Value>,
    pub(super) active: Option<Active>,
}

/// A run under way.
#[derive(Debug)]
pub(super) struct LiveRun {
    pub(super) id: RunId,
    pub(super) key: Arc<str>,
    pub(super) pipeline: Pipeline,
    pub(super) plan: Plan,
    pub(super) state: RunState,
    pub(super) scope: Scope,
    /// Environment of every task's process: `env` of the pipeline, and the parameters.
    pub(super) env: BTreeMap<String, String>,
    pub(super) logical_date: Timestamp,
    /// Where the clock of its stages stands, in a simulation.
    pub(super) clock_at: Option<Timestamp>,
    /// Tasks of runs of higher priority start first.
    pub(super) priority: i32,
    /// The backfill that it belongs to.
    pub(super) backfill: Option<i64>,
    pub(super) started_at: Option<UnixMs>,
    pub(super) ended_at: Option<UnixMs>,
    pub(super) facts: Vec<TaskFacts>,
}

/// The plan of a checked pipeline.
pub(super) fn plan_of(pipeline: &Pipeline, logical_date: Timestamp) -> Plan {
    let tasks = pipeline
        .tasks
        .iter()
        .map(|task| PlanTask {
            id: task.id.as_str().to_owned(),
            needs: task.needs.clone(),
            rule: task.trigger_rule,
            retry: task.retry,
            timeout_ms: task.timeout.map(|timeout| i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX)),
            allow_failure: task.allow_failure,
            max_lost: LOSSES_MAX,
        })
        .collect();
    let seed = fnv1a(0, pipeline.name.bytes().chain(logical_date.as_millisecond().to_le_bytes()));
    Plan::new(tasks, seed)
}

/// What a task does, in a word: its stage, or `branch`.
pub fn stage_name(kind: &TaskKind) -> &str {
    match kind {
        TaskKind::Stage { stage, .. } => stage,
        TaskKind::Branch { .. } => "branch",
    }
}

impl LiveRun {
    /// A run whose state is still that before its first event.
    pub(super) fn new(id: RunId, pipeline: Pipeline, logical_date: Timestamp, scope: Scope, env: BTreeMap<String, String>) -> Self {
        let plan = plan_of(&pipeline, logical_date);
        Self {
            key: id.as_str().into(),
            id,
            state: RunState::new(&plan),
            facts: vec![TaskFacts::default(); plan.len()],
            plan,
            priority: pipeline.priority,
            backfill: None,
            pipeline,
            scope,
            env,
            logical_date,
            clock_at: None,
            started_at: None,
            ended_at: None,
        }
    }

    pub(super) fn task_id(&self, task: TaskIx) -> &str {
        self.pipeline.tasks[task].id.as_str()
    }

    /// Names the work of a task across retries and resumes.
    pub(super) fn publish_key(&self, task: TaskIx) -> PublishKey {
        PublishKey::new(self.id.as_str(), self.task_id(task), self.state.tasks[task].generation)
    }

    /// Notes when a task entered the state that it is in now.
    pub(super) fn note_times(&mut self, task: TaskIx, now: UnixMs) {
        let facts = &mut self.facts[task];
        let id = self.pipeline.tasks[task].id.clone();
        match &self.state.tasks[task].phase {
            Phase::Waiting => {
                *facts = TaskFacts::default();
                self.scope.clear_output(&id);
            }
            Phase::Queued => facts.queued_at = Some(now),
            Phase::Running { .. } => {
                facts.started_at.get_or_insert(now);
            }
            Phase::Retrying { .. } | Phase::Deferred { .. } => {}
            phase => {
                debug_assert!(phase.is_terminal());
                facts.ended_at = Some(now);
            }
        }
        self.scope.set_state(&id, self.state.tasks[task].phase.token());
    }

    pub(super) fn status(&self) -> RunStatus {
        use super::core::RunStatus as Core;
        match self.state.status {
            Core::Queued => RunStatus::Queued,
            Core::Running => RunStatus::Running,
            Core::Succeeded => RunStatus::Succeeded,
            Core::Failed => RunStatus::Failed,
            Core::Cancelled => RunStatus::Cancelled,
        }
    }

    /// Why the run ended as it did.
    pub(super) fn reason(&self) -> Option<String> {
        if let Some(reason) = &self.state.cancelling {
            return Some(reason.clone());
        }
        let failed = |(task, plan): &(usize, &PlanTask)| self.state.tasks[*task].phase == Phase::Failed && !plan.allow_failure;
        let names: Vec<String> = self.plan.tasks.iter().enumerate().filter(failed).map(|(_, plan)| format!("`{}`", plan.id)).collect();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("task {one} failed")),
            [first, rest @ ..] => Some(format!("task {first} and {} more failed", rest.len())),
        }
    }

    pub(super) fn task_row(&self, task: TaskIx) -> TaskRow {
        let (record, facts) = (&self.state.tasks[task], &self.facts[task]);
        TaskRow {
            run_id: self.id.clone(),
            position: u32::try_from(task).unwrap_or(u32::MAX),
            task_id: self.task_id(task).to_owned(),
            stage: stage_name(&self.pipeline.tasks[task].kind).to_owned(),
            state: state_of(&record.phase),
            generation: record.generation,
            attempts: record.attempts,
            queued_at: facts.queued_at,
            started_at: facts.started_at,
            ended_at: facts.ended_at,
            reason: record.reason.clone(),
            error: facts.error.as_ref().and_then(|error| serde_json::to_value(error).ok()),
        }
    }

    pub(super) fn task_notice(&self, task: TaskIx, now: UnixMs) -> TaskNotice {
        let (record, facts) = (&self.state.tasks[task], &self.facts[task]);
        TaskNotice {
            position: task,
            id: self.task_id(task).to_owned(),
            stage: stage_name(&self.pipeline.tasks[task].kind).to_owned(),
            state: state_of(&record.phase),
            attempts: record.attempts,
            at: now,
            started_at: facts.started_at,
            reason: record.reason.clone(),
            error: facts.error.clone(),
            output: facts.output.clone(),
        }
    }
}

/// The stored state of a phase.
fn state_of(phase: &Phase) -> TaskState {
    match phase {
        Phase::Waiting => TaskState::Waiting,
        Phase::Queued => TaskState::Queued,
        Phase::Running { .. } => TaskState::Running,
        Phase::Retrying { .. } => TaskState::Retrying,
        Phase::Deferred { .. } => TaskState::Deferred,
        Phase::Succeeded { .. } => TaskState::Succeeded,
        Phase::Failed => TaskState::Failed,
        Phase::Skipped => TaskState::Skipped,
        Phase::UpstreamFailed => TaskState::UpstreamFailed,
        Phase::Cancelled => TaskState::Cancelled,
    }
}
