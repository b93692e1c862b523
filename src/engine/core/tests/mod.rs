//! Tests of the state machine: every rule in every situation, each transition by hand, and random histories.

mod histories;
mod rules;
mod transitions;

use std::time::Duration;

use super::*;
use crate::pipeline::{RetryPolicy, TriggerRule};

/// A task that needs `needs`, with Airflow's defaults.
fn task(id: &str, needs: &[TaskIx]) -> PlanTask {
    PlanTask {
        id: id.to_owned(),
        needs: needs.to_vec(),
        rule: TriggerRule::AllSuccess,
        retry: RetryPolicy { retries: 0, delay: Duration::from_secs(30), factor: 1.0, cap: None, jitter: 0.0 },
        timeout_ms: None,
        allow_failure: false,
        max_lost: 3,
    }
}

/// A run being driven by hand.
struct Driven {
    plan: Plan,
    state: RunState,
    now_ms: i64,
}

impl Driven {
    /// A run that has just been created.
    fn new(tasks: Vec<PlanTask>) -> Self {
        let plan = Plan::new(tasks, 7);
        let mut driven = Self { state: RunState::new(&plan), plan, now_ms: 1_000 };
        driven.apply(Event::Created);
        driven
    }

    fn apply(&mut self, event: Event) -> Step {
        self.state.apply(&self.plan, &Stamped { at_ms: self.now_ms, event }).unwrap()
    }

    /// Starts the next attempt of a task and ends it.
    fn run(&mut self, task: TaskIx, outcome: Outcome) -> Step {
        let attempt = self.start(task);
        self.apply(Event::AttemptEnded { task, attempt, outcome })
    }

    fn start(&mut self, task: TaskIx) -> u32 {
        let attempt = self.state.tasks[task].attempts + 1;
        self.apply(Event::AttemptStarted { task, attempt });
        attempt
    }

    fn succeed(&mut self, task: TaskIx) -> Step {
        self.run(task, Outcome::Succeeded { taken: None })
    }

    fn fail(&mut self, task: TaskIx) -> Step {
        self.run(task, Outcome::Failed { retryable: true, reason: "boom".to_owned() })
    }

    /// The tokens of all tasks, joined: `succeeded skipped`.
    fn tokens(&self) -> String {
        self.state.tasks.iter().map(|record| record.phase.token()).collect::<Vec<_>>().join(" ")
    }
}
