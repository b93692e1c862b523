//! How much may be under way at once, over all processes of a store.
//!
//! `recflow.yaml` bounds tasks (`max_parallel_tasks`) and gives pools their slots; a pipeline bounds its own tasks
//! (`max_active_tasks`), a task itself (`max_active`). What is in use is derived from the rows of running tasks whose run's owner is
//! alive, read in the transaction that marks a task running: nothing is counted that could leak, and no two processes take the
//! last slot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use recflow_state::RunningTask;

use super::core::TaskIx;
use super::live::LiveRun;
use crate::pipeline::Limits;

/// What a task must pass before it may start. Tasks of one lane pass the same gates, so that the first that does not fit
/// speaks for all behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Lane {
    pub(super) pool: Option<Arc<str>>,
    /// The pipeline, where it bounds its tasks, and the bound.
    pub(super) pipeline: Option<(Arc<str>, u32)>,
    /// Pipeline and task, where the task is bounded, and the bound.
    pub(super) task: Option<(Arc<str>, Arc<str>, u32)>,
}

impl Lane {
    pub(super) fn of(run: &LiveRun, task: TaskIx) -> Self {
        let definition = &run.pipeline.tasks[task];
        let name = || Arc::from(run.pipeline.name.as_str());
        Self {
            pool: definition.pool().map(|(pool, _)| Arc::from(pool)),
            pipeline: run.pipeline.max_active_tasks.map(|limit| (name(), limit)),
            task: definition.max_active.map(|limit| (name(), definition.id.as_str().into(), limit)),
        }
    }

    /// Whether nothing but the number of slots of this process bounds it.
    pub(super) fn is_open(&self) -> bool {
        self.pool.is_none() && self.pipeline.is_none() && self.task.is_none()
    }
}

/// What is in use.
#[derive(Debug, Default)]
pub(super) struct Usage {
    tasks: u32,
    pools: BTreeMap<String, u32>,
    pipelines: BTreeMap<String, u32>,
    by_task: BTreeMap<(String, String), u32>,
}

impl Usage {
    /// Of the running tasks whose owner is alive.
    pub(super) fn of(running: &[RunningTask], mut is_alive: impl FnMut(Option<&str>) -> bool) -> Self {
        let mut usage = Self::default();
        for task in running {
            if is_alive(task.owner.as_deref()) {
                usage.add(&task.pipeline, &task.task, task.pool.as_deref().map(|pool| (pool, task.pool_slots)));
            }
        }
        usage
    }

    pub(super) fn add(&mut self, pipeline: &str, task: &str, pool: Option<(&str, u32)>) {
        self.tasks += 1;
        *self.pipelines.entry(pipeline.to_owned()).or_default() += 1;
        *self.by_task.entry((pipeline.to_owned(), task.to_owned())).or_default() += 1;
        if let Some((pool, slots)) = pool {
            *self.pools.entry(pool.to_owned()).or_default() += slots;
        }
    }

    fn fits(&self, limits: &Limits, lane: &Lane, slots: u32) -> Fit {
        if limits.max_parallel_tasks.is_some_and(|limit| self.tasks >= limit) {
            return Fit::NothingMore;
        }
        // First those that hold back a task alone: it must not keep a pool's slots from others meanwhile.
        if let Some((pipeline, limit)) = &lane.pipeline
            && self.pipelines.get(&**pipeline).is_some_and(|used| used >= limit)
        {
            return Fit::NotThisLane;
        }
        if let Some((pipeline, task, limit)) = &lane.task
            && self.by_task.get(&(pipeline.to_string(), task.to_string())).is_some_and(|used| used >= limit)
        {
            return Fit::NotThisLane;
        }
        let Some(pool) = &lane.pool else { return Fit::Fits };
        // A pool that a reload has removed has no slots: its tasks wait.
        let capacity = limits.pools.get(&**pool).copied().unwrap_or(0);
        let used = self.pools.get(&**pool).copied().unwrap_or(0);
        if used + slots > capacity { Fit::NotThisPool } else { Fit::Fits }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Fits,
    /// No other task of the lane fits either.
    NotThisLane,
    /// The task keeps its place: nothing younger of its pool overtakes it, or one that wants many slots would never start.
    NotThisPool,
    NothingMore,
}

/// Decides, within one transaction, which ready tasks may start.
#[derive(Debug)]
pub(super) struct Gate {
    limits: Limits,
    usage: Usage,
    closed_lanes: BTreeSet<Lane>,
    closed_pools: BTreeSet<Arc<str>>,
    closed: bool,
    /// Nobody has counted what is in use: what is bounded has to wait for a gate that has.
    only_open_lanes: bool,
}

impl Gate {
    pub(super) fn new(limits: Limits, usage: Usage) -> Self {
        let (closed_lanes, closed_pools) = (BTreeSet::new(), BTreeSet::new());
        Self { limits, usage, closed_lanes, closed_pools, closed: false, only_open_lanes: false }
    }

    /// A gate that lets open lanes alone pass, where nothing bounds all tasks. A task that ends as soon as it starts, such as a branch, may have
    /// others become ready that are bounded.
    pub(super) fn open() -> Self {
        Self { only_open_lanes: true, ..Self::new(Limits::default(), Usage::default()) }
    }

    /// Whether a task of this lane might still pass.
    pub(super) fn may_pass(&self, lane: &Lane) -> bool {
        let is_counted = !self.only_open_lanes || lane.is_open();
        let is_free = |pool| !self.closed_pools.contains(pool);
        is_counted && !self.closed && !self.closed_lanes.contains(lane) && lane.pool.as_ref().is_none_or(is_free)
    }

    /// Lets the first task of a lane pass, or closes what it did not pass.
    pub(super) fn pass(&mut self, lane: &Lane, slots: u32) -> bool {
        match self.usage.fits(&self.limits, lane, slots) {
            Fit::Fits => return true,
            Fit::NotThisLane => drop(self.closed_lanes.insert(lane.clone())),
            Fit::NotThisPool => drop(lane.pool.clone().map(|pool| self.closed_pools.insert(pool))),
            Fit::NothingMore => self.closed = true,
        }
        false
    }

    /// A task that passed has started.
    pub(super) fn started(&mut self, pipeline: &str, task: &str, pool: Option<(&str, u32)>) {
        self.usage.add(pipeline, task, pool);
    }

    /// Whether a task was held back.
    pub(super) fn held_back(&self) -> bool {
        self.closed || !self.closed_lanes.is_empty() || !self.closed_pools.is_empty()
    }
}
