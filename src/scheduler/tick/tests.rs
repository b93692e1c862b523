//! What is decided about slots is on record, whatever the clock does.

use std::sync::Arc;

use recflow_stages::Catalog as Stages;
use recflow_state::SlotDecision;

use super::*;
use crate::engine::entropy::SystemEntropy;
use crate::engine::pin;
use crate::pipeline::load;

/// A pipeline `p` with this schedule, and who looks at it.
struct Scene {
    store: Store,
    workspace: Workspace,
    entry: Entry,
}

impl Scene {
    fn new(schedule: &str) -> Self {
        let store = Store::in_memory().unwrap();
        let text = format!("name: p\nschedule: {schedule}\ntasks: {{ a: {{ stage: noop }} }}\n");
        let loaded = load(&text, "p.yaml", Stages::builtin());
        let pipeline = loaded.pipeline.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let version = store.write(|tx| pin(tx, "p", &text, None, UnixMs(0))).unwrap();
        let entry = Entry { pipeline: Arc::new(pipeline), version, file: "p.yaml".into() };
        Self { store, workspace: Workspace::new(std::path::Path::new("/nowhere"), None).unwrap(), entry }
    }

    /// The first look of a process, when its clock shows this.
    fn look(&self, at: &str) {
        let ticker = Ticker { store: &self.store, workspace: &self.workspace, entropy: &SystemEntropy, is_alive: &|_| true };
        ticker.turn(&self.entry, None, at.parse().unwrap()).unwrap();
    }

    /// Whether the slot at an instant ran (`Some(true)`), was left out, or nothing is known of it.
    fn record(&self, at: &str) -> Option<bool> {
        let at = UnixMs(at.parse::<Timestamp>().unwrap().as_millisecond());
        let rows = self.store.read(|view| view.slots("p", 1_000)).unwrap();
        rows.iter().find(|row| row.at <= at && at <= row.until).map(|row| row.decision == SlotDecision::Run)
    }
}

/// Found by the simulator (seed 13000423).
#[test]
fn slots_that_come_due_again_after_the_clock_went_back_hide_none_of_the_later_ones() {
    let scene = Scene::new("{ cron: '0 * * * *', catchup: none }");
    for look in ["2026-01-02T10:30:00Z", "2026-01-02T11:00:05Z", "2026-01-02T13:30:00Z"] {
        scene.look(look);
    }
    assert_eq!((scene.record("2026-01-02T11:00:00Z"), scene.record("2026-01-02T13:00:00Z")), (Some(true), Some(false)));
    // The clock is set back by more than a day, and forward again in two steps.
    for look in ["2026-01-01T09:30:00Z", "2026-01-02T10:30:00Z", "2026-01-02T16:30:00Z"] {
        scene.look(look);
    }
    assert_eq!(scene.record("2026-01-02T11:00:00Z"), Some(true), "what has a run keeps it");
    for hour in 12..=16 {
        assert_eq!(scene.record(&format!("2026-01-02T{hour}:00:00Z")), Some(false), "{hour}:00");
    }
    let rows = scene.store.read(|view| view.slots("p", 1_000)).unwrap();
    let ranges: Vec<(i64, i64)> = rows.iter().rev().map(|row| (row.at.0, row.until.0)).collect();
    assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "no slot stands in two records: {ranges:?}");
}
