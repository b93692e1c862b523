//! How runs end: for a reason, and as their events tell.

use recflow::engine::core::{Event, Plan, PlanTask, RunState, Stamped};
use recflow::pipeline::Pipeline;
use recflow_state::{Run, RunFilter, RunId, RunStatus, TaskRow, TaskState};

use crate::world::Common;

/// A run that is over.
pub(crate) fn of_a_run(common: &Common, id: &RunId) {
    let (run, tasks) = common.store.read(|view| Ok((view.run(id)?, view.tasks(id)?))).expect("reads do not fail here");
    // It may have been opened again in the same breath.
    if !run.status.is_terminal() {
        return;
    }
    let definition = common.definition(&run);
    // One that was called off before anybody executed it has no history.
    if told(common, &run, &definition, &tasks) {
        judged(&run, &definition, &tasks);
    }
}

/// Once faults have stopped and time has passed: every run is over.
pub(crate) fn at_rest(common: &Common) {
    let runs = common.store.read(|view| view.runs(u32::MAX, &RunFilter::default())).expect("reads do not fail here");
    for run in &runs {
        assert!(run.status.is_terminal(), "{} of {} stays {} ({:?}, owner {:?})", run.id, run.pipeline, run.status, run.reason, run.owner);
        let reason = run.reason.as_deref().unwrap_or_default();
        assert!(!reason.contains("bug") && !reason.contains("refused what happened"), "{} ended: {reason}", run.id);
        of_a_run(common, &run.id);
    }
}

/// Its status follows from its tasks.
fn judged(run: &Run, definition: &Pipeline, tasks: &[TaskRow]) {
    let open = tasks.iter().find(|task| !task.state.is_terminal());
    assert!(open.is_none(), "{} is {}, its task {:?} is not over", run.id, run.status, open);
    let broken = tasks.iter().zip(&definition.tasks).any(|(task, definition)| task.state == TaskState::Failed && !definition.allow_failure);
    match run.status {
        RunStatus::Succeeded => assert!(!broken, "{} succeeded with a failed task", run.id),
        RunStatus::Failed => assert!(broken, "{} failed without a failed task: {:?}", run.id, run.reason),
        RunStatus::Cancelled => assert!(run.reason.is_some(), "{} was cancelled for no reason", run.id),
        RunStatus::Queued | RunStatus::Running => panic!("{} has ended and is {}", run.id, run.status),
    }
}

/// Its events, applied from the beginning, give its rows. False if it has none.
fn told(common: &Common, run: &Run, definition: &Pipeline, tasks: &[TaskRow]) -> bool {
    let events = common.store.read(|view| view.events(&run.id)).expect("reads do not fail here");
    let plan = plan(definition);
    let mut state = RunState::new(&plan);
    for row in &events {
        let event: Event = serde_json::from_value(row.body.clone()).expect("an event");
        let stamped = Stamped { at_ms: row.at.0, event };
        state.apply(&plan, &stamped).unwrap_or_else(|error| panic!("{} event {}: {error}", run.id, row.seq));
    }
    if events.is_empty() {
        return false;
    }
    for (row, record) in tasks.iter().zip(&state.tasks) {
        let told = (record.phase.token(), record.attempts, record.generation);
        assert_eq!((row.state.as_str(), row.attempts, row.generation), told, "{} {}: row and events differ", run.id, row.task_id);
    }
    let told = format!("{:?}", state.status).to_lowercase();
    assert_eq!(run.status.as_str(), told, "{}: row and events differ", run.id);
    true
}

fn plan(definition: &Pipeline) -> Plan {
    let task = |task: &recflow::pipeline::Task| PlanTask {
        id: task.id.as_str().to_owned(),
        needs: task.needs.clone(),
        rule: task.trigger_rule,
        retry: task.retry,
        timeout_ms: task.timeout.map(|timeout| timeout.as_millis() as i64),
        allow_failure: task.allow_failure,
        max_lost: 3,
    };
    Plan::new(definition.tasks.iter().map(task).collect(), 0)
}
