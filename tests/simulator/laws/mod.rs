//! What must hold, judged from the rows alone: nothing here asks the engine or the scheduler what they think.
//!
//! | module | law |
//! |---|---|
//! | this one | a task that starts may: its rule allows it, no limit is exceeded, its work has not been done |
//! | [`ends`] | a run that is over is over for a reason, and its events tell what its rows say |
//! | [`slots`] | each instant at which a schedule fires has one slot; each slot that runs, one run |
//! | [`triggers`] | each event is used at most once, and once where nothing spoke against it |

pub(crate) mod ends;
pub(crate) mod slots;
pub(crate) mod triggers;

use std::collections::BTreeMap;

use recflow::executor::Attempt;
use recflow::pipeline::TriggerRule;
use recflow_state::{AttemptState, Run, RunId, RunStatus, TaskRow, TaskState};

use crate::world::Common;

/// The laws that hold at any moment.
#[derive(Debug, Default)]
pub(crate) struct Laws;

impl Laws {
    /// An attempt starts: it was recorded as running before.
    pub(crate) fn of_a_start(&self, common: &Common, attempt: &Attempt) {
        let id = RunId::parse(&attempt.key.run).expect("an id");
        let (run, tasks, attempts) =
            common.store.read(|view| Ok((view.run(&id)?, view.tasks(&id)?, view.attempts(&id)?))).expect("reads do not fail here");
        let task = &tasks[attempt.key.task];
        assert_eq!((task.state, run.status), (TaskState::Running, RunStatus::Running), "{id} {} starts unrecorded", task.task_id);
        let definition = common.definition(&run);
        let task_definition = &definition.tasks[attempt.key.task];
        let upstream: Vec<TaskState> = task_definition.needs.iter().map(|need| tasks[*need].state).collect();
        assert!(
            allows(task_definition.trigger_rule, &upstream),
            "{id} {} starts: {} of {upstream:?}",
            task.task_id,
            task_definition.trigger_rule
        );
        let done = attempts
            .iter()
            .find(|row| row.task_id == task.task_id && row.generation == task.generation && row.state == AttemptState::Succeeded);
        assert!(done.is_none(), "{id} {} does again what attempt {:?} has done", task.task_id, done.map(|row| row.number));
        within_limits(common, &run);
        within_own_limit(common, &run, task);
    }

    /// A run has ended.
    pub(crate) fn of_an_end(&self, common: &Common, run: &RunId) {
        ends::of_a_run(common, run);
    }
}

/// Whether a rule lets a task run, from the table of Airflow's documentation.
fn allows(rule: TriggerRule, upstream: &[TaskState]) -> bool {
    let count = |wanted: &[TaskState]| upstream.iter().filter(|state| wanted.contains(state)).count();
    let (n, succeeded, skipped) = (upstream.len(), count(&[TaskState::Succeeded]), count(&[TaskState::Skipped]));
    let failed = count(&[TaskState::Failed, TaskState::Cancelled]);
    let upstream_failed = count(&[TaskState::UpstreamFailed]);
    let done = succeeded + skipped + failed + upstream_failed == n;
    n == 0
        || match rule {
            TriggerRule::AllSuccess => succeeded == n,
            TriggerRule::AllFailed => failed + upstream_failed == n,
            TriggerRule::AllDone => done,
            TriggerRule::AllDoneMinOneSuccess => done && succeeded >= 1,
            TriggerRule::AllSkipped => skipped == n,
            TriggerRule::OneSuccess => succeeded >= 1,
            TriggerRule::OneFailed => failed + upstream_failed >= 1,
            TriggerRule::OneDone => succeeded + failed >= 1,
            TriggerRule::NoneFailed => done && failed + upstream_failed == 0,
            TriggerRule::NoneFailedMinOneSuccess => done && failed + upstream_failed == 0 && succeeded >= 1,
            TriggerRule::NoneSkipped => done && skipped == 0,
            TriggerRule::Always => true,
        }
}

/// What is under way at once, over all processes that live.
fn within_limits(common: &Common, started: &Run) {
    let (running, active) =
        common.store.read(|view| Ok((view.running_tasks()?, view.active_runs(&started.pipeline)?))).expect("reads do not fail here");
    let active: Vec<_> = active.into_iter().filter(|run| common.village.lives(run.owner.as_deref())).collect();
    let running: Vec<_> = running.into_iter().filter(|task| common.village.lives(task.owner.as_deref())).collect();
    if let Some(most) = common.limits.max_parallel_tasks {
        assert!(running.len() <= most as usize, "{} tasks run, {most} may", running.len());
    }
    let mut pools: BTreeMap<&str, u32> = BTreeMap::new();
    for task in &running {
        if let Some(pool) = &task.pool {
            *pools.entry(pool).or_default() += task.pool_slots;
        }
    }
    for (pool, used) in pools {
        let slots = common.limits.pools[pool];
        assert!(used <= slots, "{used} slots of pool {pool} are in use, it has {slots}");
    }
    let definition = common.definition(started);
    let of_pipeline = || running.iter().filter(|task| task.pipeline == started.pipeline);
    if let Some(most) = definition.max_active_tasks {
        assert!(of_pipeline().count() <= most as usize, "{} tasks of {} run, {most} may", of_pipeline().count(), started.pipeline);
    }
    let count = active.len();
    if let Some(most) = definition.max_active_runs {
        assert!(count <= most as usize, "{count} runs of {} are under way, {most} may", started.pipeline);
    }
    let Some(backfill) = started.backfill else { return };
    let most = common.store.read(|view| view.backfill(backfill)).expect("reads do not fail here").expect("recorded").max_active;
    let count = active.iter().filter(|run| run.backfill == Some(backfill)).count();
    assert!(count <= most as usize, "{count} runs of backfill {backfill} are under way, {most} may");
}

/// A task's own bound changes with an edit: it holds among runs of one version.
fn within_own_limit(common: &Common, run: &Run, task: &TaskRow) {
    let Some(most) = common.definition(run).tasks[task.position as usize].max_active else { return };
    let running = common.store.read(|view| view.running_tasks()).expect("reads do not fail here");
    let same_version = |other: &RunId| common.store.read(|view| view.run(other)).is_ok_and(|other| other.version == run.version);
    let of_task = running.iter().filter(|other| other.pipeline == run.pipeline && other.task == task.task_id && same_version(&other.run));
    let count = of_task.filter(|other| common.village.lives(other.owner.as_deref())).count();
    assert!(count <= most as usize, "{count} attempts of {} {} are under way, {most} may", run.pipeline, task.task_id);
}
