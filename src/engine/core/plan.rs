//! What the state machine needs to know of a pipeline, and nothing else.

use crate::pipeline::{RetryPolicy, TriggerRule};

/// Number of a task in its pipeline: its position in the document, from 0.
pub type TaskIx = usize;

/// A task as the state machine sees it.
#[derive(Debug, Clone)]
pub struct PlanTask {
    /// Its id in the pipeline, for messages.
    pub id: String,
    /// Tasks directly upstream, each once.
    pub needs: Vec<TaskIx>,
    /// When it runs, given how its upstream tasks ended.
    pub rule: TriggerRule,
    /// How often and when a failed attempt is tried again.
    pub retry: RetryPolicy,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: Option<i64>,
    /// Whether the run may succeed although this task failed.
    pub allow_failure: bool,
    /// After this many lost attempts the task fails, so that an attempt which kills the machine does not loop.
    pub max_lost: u32,
}

/// An acyclic graph of tasks.
#[derive(Debug, Clone)]
pub struct Plan {
    /// All tasks, in document order.
    pub tasks: Vec<PlanTask>,
    /// Tasks directly downstream of each task.
    pub downstream: Vec<Vec<TaskIx>>,
    /// Seeds the jitter of retry delays: a hash of pipeline and logical date, so that a replay gives the same delays.
    pub jitter_seed: u64,
}

impl Plan {
    /// A plan of the given tasks. Their `needs` must be in range and acyclic: the pipeline's check saw to it.
    pub fn new(tasks: Vec<PlanTask>, jitter_seed: u64) -> Self {
        let mut downstream = vec![Vec::new(); tasks.len()];
        for (task, plan) in tasks.iter().enumerate() {
            for &upstream in &plan.needs {
                assert!(
                    upstream < tasks.len() && upstream != task,
                    "task `{}` needs task {upstream}, which is not one of {}",
                    plan.id,
                    tasks.len()
                );
                downstream[upstream].push(task);
            }
        }
        Self { tasks, downstream, jitter_seed }
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Marks every task that lies below one of `roots`, the roots themselves included.
    pub fn with_descendants(&self, roots: impl IntoIterator<Item = TaskIx>) -> Vec<bool> {
        let mut marked = vec![false; self.len()];
        let mut open: Vec<TaskIx> = roots.into_iter().collect();
        while let Some(task) = open.pop() {
            if !std::mem::replace(&mut marked[task], true) {
                open.extend(&self.downstream[task]);
            }
        }
        marked
    }
}
