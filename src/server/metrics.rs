//! The daemon's figures, in the text form that Prometheus reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use recflow_state::{RunStatus, Store, TaskState};

use super::serving::Figures;
use crate::engine::{Notice, Observer};
use crate::scheduler::daemon::Pulse;

type Labels = Vec<(&'static str, &'static str)>;

/// Counts what happens, and asks the store for what is the case when somebody reads.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    runs: Family<Labels, Counter>,
    tasks: Family<Labels, Counter>,
    store: Arc<Store>,
    pulse: Pulse,
    gauges: Gauges,
    /// What the recommender counts.
    pub(crate) recommender: Figures,
}

#[derive(Debug, Clone, Default)]
struct Gauges {
    active_runs: Gauge,
    queued_runs: Gauge,
    running_tasks: Gauge,
    store_bytes: Gauge,
    looked_at: Gauge<f64, AtomicU64>,
    paused: Gauge<i64, AtomicI64>,
    invalid: Gauge<i64, AtomicI64>,
}

impl Metrics {
    /// Figures of a daemon's store.
    pub fn new(store: Arc<Store>, pulse: Pulse) -> Self {
        let mut registry = Registry::with_prefix("recflow");
        let (runs, tasks, gauges) = (Family::default(), Family::default(), Gauges::default());
        registry.register("runs", "Runs that ended since the daemon started, by status", runs.clone());
        registry.register("tasks", "Tasks that ended since the daemon started, by state", tasks.clone());
        registry.register("active_runs", "Runs under way, over all processes", gauges.active_runs.clone());
        registry.register("queued_runs", "Runs that wait to be claimed", gauges.queued_runs.clone());
        registry.register("running_tasks", "Tasks under way, over all processes", gauges.running_tasks.clone());
        registry.register("store_bytes", "Size of the store and its log", gauges.store_bytes.clone());
        registry.register("scheduler_look_seconds", "When the scheduler looked last, as Unix time", gauges.looked_at.clone());
        registry.register("paused_pipelines", "Pipelines that are paused", gauges.paused.clone());
        registry.register("invalid_pipelines", "Pipelines whose file is not valid", gauges.invalid.clone());
        let recommender = Figures::register(&mut registry);
        Self { registry: Arc::new(registry), runs, tasks, store, pulse, gauges, recommender }
    }

    /// All figures as text.
    pub fn text(&self) -> String {
        self.refresh();
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// What the store says now. If it cannot be read, the figures stay what they were: the scheduler's look tells of the trouble.
    fn refresh(&self) {
        let read = self.store.read(|view| {
            let queued: u32 = view.unclaimed()?.iter().map(|(_, count)| count).sum();
            let active = view.non_terminal_runs()?.iter().filter(|run| run.status == RunStatus::Running).count();
            Ok((queued, active, view.running_tasks()?.len(), view.pipelines()?))
        });
        if let Ok((queued, active, running, pipelines)) = read {
            let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
            self.gauges.queued_runs.set(i64::from(queued));
            self.gauges.active_runs.set(count(active));
            self.gauges.running_tasks.set(count(running));
            self.gauges.paused.set(count(pipelines.iter().filter(|row| row.paused_at.is_some() && row.present).count()));
            self.gauges.invalid.set(count(pipelines.iter().filter(|row| row.error.is_some() && row.present).count()));
        }
        let bytes = |suffix: &str| {
            let mut path = self.store.path().as_os_str().to_owned();
            path.push(suffix);
            std::fs::metadata(path).map_or(0, |metadata| metadata.len())
        };
        self.gauges.store_bytes.set(i64::try_from(bytes("") + bytes("-wal")).unwrap_or(i64::MAX));
        self.gauges.looked_at.set(self.pulse.last().0 as f64 / 1e3);
    }
}

impl Observer for Metrics {
    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::RunEnded { status, .. } => drop(self.runs.get_or_create(&vec![("status", status.as_str())]).inc()),
            Notice::Task { task, .. } if task.state.is_terminal() || task.state == TaskState::Retrying => {
                self.tasks.get_or_create(&vec![("state", task.state.as_str())]).inc();
            }
            _ => {}
        }
    }
}
