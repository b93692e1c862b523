//! One reader for all viewers: it asks the store what has changed, and tells everybody. Without viewers it ends.

use std::sync::{Arc, Weak};
use std::time::Duration;

use recflow_state::ChangeRow;
use tokio::sync::{Mutex, broadcast};

use crate::server::Api;
use crate::server::problem::Problem;

/// How often the store is asked. A question of some ten microseconds, whoever watches.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// Changes read at once.
pub(super) const CHANGES_AT_ONCE: u32 = 500;
/// Readings that a viewer may be behind; then it reads the store itself.
const READINGS_KEPT: usize = 64;

/// What changes, for all viewers.
#[derive(Debug)]
pub struct Feed {
    readings: broadcast::Sender<Arc<[ChangeRow]>>,
    /// Whether the reader runs.
    running: Arc<Mutex<bool>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { readings: broadcast::Sender::new(READINGS_KEPT), running: Arc::default() }
    }
}

impl Feed {
    /// All readings from now on: whatever changes after this returns is in one of them, each change in its order, without a gap.
    pub(super) async fn watch(&self, api: &Arc<Api>) -> Result<broadcast::Receiver<Arc<[ChangeRow]>>, Problem> {
        let mut running = self.running.lock().await;
        // Before the reader may find that nobody watches.
        let inbox = self.readings.subscribe();
        if !*running {
            let last = api.read(|view| view.changes_kept()).await?.map_or(0, |(_, last)| last);
            let reader = read(Arc::downgrade(api), self.readings.clone(), self.running.clone(), last);
            tokio::spawn(reader);
            *running = true;
        }
        Ok(inbox)
    }
}

async fn read(api: Weak<Api>, readings: broadcast::Sender<Arc<[ChangeRow]>>, running: Arc<Mutex<bool>>, mut last: u64) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        {
            let mut running = running.lock().await;
            if readings.receiver_count() == 0 {
                *running = false;
                return;
            }
        }
        let Some(api) = api.upgrade() else { return };
        loop {
            // A store that cannot be read for the moment is read later; it is logged where it fails.
            let Ok(found) = api.read(move |view| view.changes_after(last, CHANGES_AT_ONCE)).await else { break };
            let Some(newest) = found.last() else { break };
            last = newest.seq;
            let is_all = found.len() < CHANGES_AT_ONCE as usize;
            // Nobody watches any more: seen above in a moment.
            let _ = readings.send(found.into());
            if is_all {
                break;
            }
        }
    }
}
