//! The machinery itself: daemon, store, limits, what is kept.

use std::collections::BTreeMap;
use std::fs;

use recflow_state::{Result, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;

use super::dashboard::{DaemonFact, daemon};
use crate::engine::owner::{Liveness, liveness};
use crate::pipeline::Settings;
use crate::workspace::Workspace;

/// The machinery.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct System {
    /// The version of recflow.
    pub version: &'static str,
    /// The daemon.
    pub daemon: Option<DaemonFact>,
    /// The store.
    pub store: StoreFact,
    /// Pools of slots, by name.
    pub pools: Vec<PoolFact>,
    /// Most tasks at once; null without a bound.
    pub max_parallel_tasks: Option<u32>,
    /// Tasks under way.
    pub running_tasks: u32,
    /// What is kept, and for how long.
    pub retention: RetentionFact,
    /// How much comes.
    pub growth: Growth,
}

/// The store.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StoreFact {
    /// Its file.
    pub path: String,
    /// Bytes of that.
    pub bytes: u64,
    /// Bytes of the log beside it, which is folded into it from time to time.
    pub wal_bytes: u64,
    /// Runs that are kept.
    pub runs: u64,
    /// The tasks of these.
    pub task_rows: u64,
    /// The version of its schema.
    pub schema: u32,
}

/// A pool of slots.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PoolFact {
    /// Its name.
    pub pool: String,
    /// Its slots.
    pub slots: u32,
    /// Slots that tasks under way take.
    pub used: u32,
    /// Tasks that wait for one.
    pub waiting: u32,
}

/// What is kept of runs that are over.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct RetentionFact {
    /// Runs that ended longer ago are deleted.
    pub older_than_seconds: f64,
    /// Of each pipeline so many runs are kept.
    pub runs: u32,
    /// Logs of runs that ended longer ago are deleted.
    pub logs_seconds: f64,
    /// Bytes that all logs together may take.
    pub max_log_bytes: u64,
}

/// How much comes.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Growth {
    /// Runs created within 24 hours.
    pub runs_last_day: u64,
    /// Runs created within 7 days.
    pub runs_last_week: u64,
    /// Bytes of the store for each run that is kept; null without one.
    pub bytes_per_run: Option<f64>,
    /// About how many bytes a day brings, by the last week.
    pub bytes_per_day: Option<f64>,
}

const DAY_MS: i64 = 86_400_000;

impl System {
    /// Looks at the store and its files.
    pub fn of(view: &View<'_>, workspace: &Workspace, settings: &Settings, now: UnixMs) -> Result<Self> {
        let mut lives: BTreeMap<String, bool> = BTreeMap::new();
        let mut is_alive = |owner: &str| {
            let look = || matches!(liveness(&workspace.owners(), owner), Liveness::Alive { .. });
            *lives.entry(owner.to_owned()).or_insert_with(look)
        };
        let mut running = view.running_tasks()?;
        running.retain(|task| task.owner.as_deref().is_some_and(&mut is_alive));
        let waiting: BTreeMap<String, u32> = view.waiting_by_pool()?.into_iter().collect();
        let pool = |(name, slots): (&String, &u32)| PoolFact {
            pool: name.clone(),
            slots: *slots,
            used: running.iter().filter(|task| task.pool.as_ref() == Some(name)).map(|task| task.pool_slots).sum(),
            waiting: waiting.get(name).copied().unwrap_or(0),
        };
        let store = store(view, workspace)?;
        let bytes_per_run = (store.runs > 0).then(|| store.bytes as f64 / store.runs as f64);
        let week = view.runs_since(UnixMs(now.0 - 7 * DAY_MS))?;
        Ok(Self {
            version: env!("CARGO_PKG_VERSION"),
            daemon: daemon(view, workspace)?,
            pools: settings.limits.pools.iter().map(pool).collect(),
            max_parallel_tasks: settings.limits.max_parallel_tasks,
            running_tasks: u32::try_from(running.len()).unwrap_or(u32::MAX),
            retention: RetentionFact {
                older_than_seconds: settings.retention.older_than.as_secs_f64(),
                runs: settings.retention.runs,
                logs_seconds: settings.retention.logs.as_secs_f64(),
                max_log_bytes: settings.retention.max_size,
            },
            growth: Growth {
                runs_last_day: view.runs_since(UnixMs(now.0 - DAY_MS))?,
                runs_last_week: week,
                bytes_per_run,
                bytes_per_day: bytes_per_run.map(|bytes| bytes * week as f64 / 7.0),
            },
            store,
        })
    }
}

fn store(view: &View<'_>, workspace: &Workspace) -> Result<StoreFact> {
    let path = workspace.store();
    let bytes = |suffix: &str| {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        fs::metadata(file).map_or(0, |metadata| metadata.len())
    };
    Ok(StoreFact {
        bytes: bytes(""),
        wal_bytes: bytes("-wal"),
        runs: view.run_count()?,
        task_rows: view.task_count()?,
        schema: view.schema()?,
        path: path.display().to_string(),
    })
}
