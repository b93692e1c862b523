//! What is kept of runs that are over, and for how long.
//!
//! Decided first ([`plan()`]: pure reads, what `prune --dry-run` prints), then done ([`carry_out()`]): runs in transactions of a few, so that
//! nobody who writes waits for long; their files after the commit that deleted them. A sweep that is killed leaves files of runs that no
//! longer are, which the next one finds.
//!
//! Never touched: a run that is not over, one that such a run was made from, models, and datasets, which have retentions of their own.

mod carry_out;
mod files;
mod plan;

use std::sync::Arc;
use std::time::Duration;

use recflow_stages::clock::Clock;
use recflow_state::{Store, UnixMs};

pub use carry_out::{Swept, carry_out};
pub use files::{FileOf, Kind};
pub use plan::{Plan, plan};

use crate::pipeline::{Retention, load_settings};
use crate::workspace::Workspace;

/// How often a daemon sweeps.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Decides and does in one go.
pub fn sweep(store: &Store, workspace: &Workspace, policy: &Retention, now: UnixMs) -> recflow_state::Result<Swept> {
    let plan = store.read(|view| plan(view, workspace, policy, now))?;
    carry_out(&plan, store)
}

/// Sweeps now and every hour, on a thread of its own that lives as long as the process. Settings are read anew each time.
pub fn keep_sweeping(store: Arc<Store>, workspace: Workspace, clock: Arc<dyn Clock>) -> std::io::Result<()> {
    let sweep_once = move || {
        let policy = match load_settings(&workspace.settings()).map(|loaded| loaded.settings) {
            Ok(Some(settings)) => settings.retention,
            // To fall back to the defaults would delete what somebody wanted to keep.
            Ok(None) | Err(_) => return tracing::error!("recflow.yaml is not valid; nothing is pruned"),
        };
        match sweep(&store, &workspace, &policy, UnixMs(clock.now().as_millisecond())) {
            Ok(swept) if swept.is_nothing() => {}
            Ok(swept) => tracing::info!(runs = swept.runs, files = swept.files, bytes = swept.bytes, "pruned"),
            Err(error) => tracing::warn!(%error, "cannot prune; the next try is in an hour"),
        }
    };
    let body = move || {
        loop {
            sweep_once();
            std::thread::sleep(SWEEP_EVERY);
        }
    };
    std::thread::Builder::new().name("retention".to_owned()).spawn(body).map(drop)
}

#[cfg(test)]
mod tests;
